/* jmap-fcgi/email-create.c - Email/set: create (RFC 8621 4.6) */
#include "config.h"

#include <time.h>

#include "jmap-fcgi/email-create.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libmime/write.h"

enum { HEADER_MAX = 1 << 20, KEYS_MAX = 1000 };

/* The properties that are header fields, in the order of these. */
static const struct {
	const char *prop;
	struct header_prop h;
} fields[] = {
	{ "sentAt", { "Date", FORM_DATE, false } },
	{ "from", { "From", FORM_ADDRESSES, false } },
	{ "sender", { "Sender", FORM_ADDRESSES, false } },
	{ "replyTo", { "Reply-To", FORM_ADDRESSES, false } },
	{ "to", { "To", FORM_ADDRESSES, false } },
	{ "cc", { "Cc", FORM_ADDRESSES, false } },
	{ "bcc", { "Bcc", FORM_ADDRESSES, false } },
	{ "messageId", { "Message-ID", FORM_IDS, false } },
	{ "inReplyTo", { "In-Reply-To", FORM_IDS, false } },
	{ "references", { "References", FORM_IDS, false } },
	{ "subject", { "Subject", FORM_TEXT, false } },
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* ---- the properties ---------------------------------------------------- */

static int
field_index(const char *prop)
{
	for (int i = 0; i < FIELDS; i++)
		if (strcmp(fields[i].prop, prop) == 0)
			return i;
	return -1;
}

/* A field by "header:...": those of parts don't belong here. */
static void
other_field(struct create *cr, const char *key, json_t *v)
{
	struct header_prop *h = arena_alloc(cr->c->arena, sizeof(*h));
	const char *desc;

	if (header_prop_parse(slice_str(key), h, &desc) < 0 ||
	    slice_istarts(slice_str(h->field), SLICE_LIT("Content-")) ||
	    slice_ieq(slice_str(h->field), SLICE_LIT("MIME-Version")) ||
	    !create_name_add(&cr->names, slice_str(h->field)) ||
	    create_field(&cr->header, h, v) < 0)
		create_bad(cr, key);
}

static void
take_keywords(struct create *cr, json_t *v)
{
	int rc = email_flags_parse(cr->c, v, &cr->flags);

	if (rc == STORE_E_LIMIT)
		cr->too_many_keywords = true;
	else if (rc < 0)
		create_bad(cr, "keywords");
}

static void
take_received(struct create *cr, json_t *v)
{
	struct slice s = js_slice(v);

	if (json_is_null(v))
		return;
	if (s.n == 0 || s.p[s.n - 1] != 'Z' ||
	    time_rfc3339_parse(s, &cr->received_at, NULL) < 0)
		create_bad(cr, "receivedAt");
}

/* What is no header field; the body is looked at later. */
static void
take_prop(struct create *cr, const char *key, json_t *v)
{
	static const char *const body[] = { "bodyStructure", "bodyValues",
		"textBody", "htmlBody", "attachments" };

	for (size_t i = 0; i < sizeof(body) / sizeof(body[0]); i++)
		if (strcmp(key, body[i]) == 0)
			return;
	if (strcmp(key, "mailboxIds") == 0) {
		if (email_mailboxes_parse(cr->c, v, &cr->mailboxes,
		    &cr->n_mailboxes) < 0)
			create_bad(cr, key);
	} else if (strcmp(key, "keywords") == 0) {
		take_keywords(cr, v);
	} else if (strcmp(key, "receivedAt") == 0) {
		take_received(cr, v);
	} else {
		create_bad(cr, key);
	}
}

static void
take_props(struct create *cr)
{
	const char *key;
	json_t *v;

	for (int i = 0; i < FIELDS; i++) {
		v = json_object_get(cr->email, fields[i].prop);
		if (v == NULL || json_is_null(v))
			continue;
		create_name_add(&cr->names, slice_str(fields[i].h.field));
		if (create_field(&cr->header, &fields[i].h, v) < 0)
			create_bad(cr, fields[i].prop);
	}
	json_object_foreach(cr->email, key, v) {
		if (strncmp(key, "header:", 7) == 0)
			other_field(cr, key, v);
		else if (field_index(key) < 0)
			take_prop(cr, key, v);
	}
	if (json_object_get(cr->email, "mailboxIds") == NULL)
		create_bad(cr, "mailboxIds");
}

/* RFC 5322 3.6 wants a Date; a Message-ID is good to have. */
static void
put_missing(struct create *cr)
{
	struct mime_writer w;
	unsigned char rnd[16];
	struct buf b;

	if (create_name_add(&cr->names, SLICE_LIT("Date"))) {
		mime_write_begin(&w, &cr->header, SLICE_LIT("Date"));
		mime_write_date(&w, time(NULL), 0);
		mime_write_end(&w);
	}
	if (create_name_add(&cr->names, SLICE_LIT("Message-ID"))) {
		random_bytes(rnd, sizeof(rnd));
		buf_init(&b, 400);
		buf_addc(&b, '<');
		hex_encode(&b, slice_make((char *)rnd, sizeof(rnd)));
		buf_printf(&b, "@%.255s>", cr->c->req->env->conf->hostname);
		mime_write_begin(&w, &cr->header, SLICE_LIT("Message-ID"));
		mime_write_token(&w, buf_slice(&b));
		mime_write_end(&w);
		buf_release(&b);
	}
}

/* ---- one Email --------------------------------------------------------- */

static json_t *
create_error(struct create *cr)
{
	json_t *err;

	if (json_array_size(cr->bad) > 0)
		return set_error_props(json_incref(cr->bad), NULL);
	if (cr->too_many_keywords)
		return set_error("tooManyKeywords", NULL);
	if (json_array_size(cr->no_blob) > 0) {
		err = set_error("blobNotFound", NULL);
		js_put(err, "notFound", json_incref(cr->no_blob));
		return err;
	}
	return cr->header.overflow ? set_error("tooLarge", NULL) : NULL;
}

static json_t *
add_error(struct jmap_call *c, int rc)
{
	if (rc == STORE_E_NOTFOUND)
		return set_error_prop("mailboxIds", "no such mailbox");
	return set_error_store(c, rc);
}

static json_t *
add(struct create *cr, struct store_added *ad)
{
	struct jmap_call *c = cr->c;
	struct store_spool *sp = store_spool_new(&c->req->env->store_conf,
	    true, 0);
	struct store_new v;
	int rc;

	if ((rc = create_write(cr, sp)) == 0)
		rc = store_spool_done(sp);
	if (rc == 0) {
		memset(&v, 0, sizeof(v));
		v.spool = sp;
		v.mailboxes = cr->mailboxes;
		v.n_mailboxes = cr->n_mailboxes;
		v.flags = cr->flags;
		v.received_at = cr->received_at;
		rc = store_email_add(c->st, &v, 1, ad, NULL);
	}
	store_spool_free(&sp);
	return rc < 0 ? add_error(c, rc) : NULL;
}

static json_t *
create_one(struct jmap_call *c, json_t *o, struct store_added *ad)
{
	struct create cr;
	json_t *err;

	if (!json_is_object(o) || json_object_size(o) > KEYS_MAX)
		return set_error("invalidProperties", "not an Email");
	memset(&cr, 0, sizeof(cr));
	cr.c = c;
	cr.email = o;
	cr.bad = json_array();
	cr.no_blob = json_array();
	cr.received_at = INT64_MIN;
	/* The body may have as many again. */
	cr.names.cap = json_object_size(o) + FIELDS + 2 + CREATE_FIELDS_MAX;
	cr.names.v = arena_calloc(c->arena, cr.names.cap,
	    sizeof(*cr.names.v));
	buf_init(&cr.header, HEADER_MAX);
	take_props(&cr);
	create_body(&cr);
	put_missing(&cr);
	if ((err = create_error(&cr)) == NULL)
		err = email_rights_add(c, cr.mailboxes, cr.n_mailboxes,
		    cr.flags);
	if (err == NULL)
		err = add(&cr, ad);
	buf_release(&cr.header);
	json_decref(cr.bad);
	json_decref(cr.no_blob);
	return err;
}

void
email_create_all(struct jmap_set *s)
{
	struct store_added ad;
	const char *key;
	json_t *o, *err;

	json_object_foreach(s->create, key, o) {
		arena_reset(s->c->req->scratch);
		err = create_one(s->c, o, &ad);
		if (err != NULL) {
			js_put(s->not_created, key, err);
			continue;
		}
		js_put(s->created, key, email_created(&ad));
		js_put(s->c->req->created, key, id_json('E', ad.email));
	}
}
