/* jmap-fcgi/mdn-parse.c - MDN/parse (RFC 9007 2.2) */
#include "config.h"

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/email.h"
#include "jmap-fcgi/mdn.h"
#include "libbase/text.h"

enum { TEXT_MAX = 64 << 10, FIELDS_MAX = 100, FIELD_MAX = 4096 };

const struct jmap_arg mdn_parse_args[] = {
	{ "blobIds", ARG_IDS, ARG_NEED },
	{ NULL, 0, 0 }
};

const char *const mdn_disposition_names[MDN_PARTS] = {
	"actionMode", "sendingMode", "type"
};

const char *
mdn_disposition_word(enum mdn_part p, struct slice s)
{
	static const char *const words[MDN_PARTS][5] = {
		{ "manual-action", "automatic-action", NULL },
		{ "mdn-sent-manually", "mdn-sent-automatically", NULL },
		{ "deleted", "dispatched", "displayed", "processed", NULL }
	};

	for (int i = 0; words[p][i] != NULL; i++)
		if (slice_ieq(s, slice_str(words[p][i])))
			return words[p][i];
	return NULL;
}

struct parse {
	struct jmap_call *c;
	json_t *parsed, *not_parsable, *not_found;
};

/* ---- the report -------------------------------------------------------- */

/* What is before one of the characters, trimmed; *s goes on behind it. */
static struct slice
before(struct slice *s, const char *ends)
{
	struct slice r = *s;
	size_t i = 0;

	while (i < s->n && strchr(ends, s->p[i]) == NULL)
		i++;
	r.n = i;
	if (i < s->n)
		i++;
	s->p += i;
	s->n -= i;
	return slice_trim(r);
}

/* RFC 8098 3.2.6: "action/sending; type/modifiers"; NULL: it isn't that. */
static json_t *
disposition(struct slice v)
{
	static const char *const ends[MDN_PARTS] = { "/", ";", "/," };
	json_t *o = json_object();

	for (int i = 0; i < MDN_PARTS; i++) {
		const char *word = mdn_disposition_word((enum mdn_part)i,
		    before(&v, ends[i]));

		if (word == NULL) {
			json_decref(o);
			return NULL;
		}
		js_put_str(o, mdn_disposition_names[i], word);
	}
	return o;
}

static const struct {
	const char *field, *property;
} known[] = {
	{ "Reporting-UA", "reportingUA" }, { "MDN-Gateway", "mdnGateway" },
	{ "Original-Recipient", "originalRecipient" },
	{ "Final-Recipient", "finalRecipient" },
	{ "Original-Message-ID", "originalMessageId" }
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void
put_field(json_t *o, json_t *errors, json_t *more, const struct mime_field *f,
    struct slice value)
{
	if (slice_ieq(f->name, SLICE_LIT("Error"))) {
		json_array_append_new(errors, js_str(value));
		return;
	}
	for (int i = 0; i < KNOWN; i++)
		if (slice_ieq(f->name, slice_str(known[i].field))) {
			js_put(o, known[i].property, js_str(value));
			return;
		}
	if (utf8_valid(f->name) && f->name.n > 0)
		json_object_setn_new(more, f->name.p, f->name.n,
		    js_str(value));
}

/* The fields of a message/disposition-notification.  false: it is none. */
static bool
put_report(struct parse *ps, const struct mime_part *p, struct slice raw,
    json_t *o)
{
	struct arena *a = ps->c->req->scratch;
	json_t *errors = json_array(), *more = json_object();
	json_t *disp = NULL;
	struct mime_fields it;
	struct mime_field f;
	int n = 0;

	for (int i = 0; i < KNOWN; i++)
		js_put(o, known[i].property, json_null());
	mime_fields_init(&it, mime_decode(p->encoding,
	    mime_part_body(p, raw), a, NULL));
	while (mime_fields_next(&it, &f) && n++ < FIELDS_MAX) {
		struct slice v = slice_trim(mime_unfold(a, f.value));

		if (v.n > FIELD_MAX)
			continue;
		if (!slice_ieq(f.name, SLICE_LIT("Disposition")))
			put_field(o, errors, more, &f, v);
		else if (disp == NULL)
			disp = disposition(v);
	}
	js_put_some(o, "error", errors);
	js_put_some(o, "extensionFields", more);
	js_put(o, "disposition", disp != NULL ? disp : json_null());
	return disp != NULL && json_is_string(json_object_get(o,
	    "finalRecipient"));
}

/* ---- the message ------------------------------------------------------- */

static json_t *
text_of(const struct mime_part *p, struct slice raw, struct arena *a)
{
	struct mime_value v;

	mime_part_text(p, raw, TEXT_MAX, a, &v);
	return js_str(v.text);
}

/* An MDN object; NULL: it isn't one. */
static json_t *
parse_message(struct parse *ps, struct slice raw)
{
	struct jmap_call *c = ps->c;
	struct arena *a = c->req->scratch;
	const struct mime_part *report = NULL, *text = NULL, *original = NULL;
	struct mime_msg *m;
	json_t *o;

	mime_parse(raw, &c->req->env->store_conf.mime, a, &m);
	if (!mime_part_is(m->root, "multipart", "report"))
		return NULL;
	for (const struct mime_part *p = m->root->child; p != NULL;
	    p = p->next) {
		if (report == NULL && mime_part_is(p, "message",
		    "disposition-notification"))
			report = p;
		else if (report != NULL)
			original = p;
		else if (text == NULL && mime_part_is(p, "text", NULL))
			text = p;
	}
	if (report == NULL || report->kind != MIME_LEAF)
		return NULL;
	o = json_object();
	js_put(o, "forEmailId", json_null());
	js_put(o, "subject", m->root->env->subject.p != NULL ?
	    js_str(mime_text(a, m->root->env->subject)) : json_null());
	js_put(o, "textBody", text != NULL && text->kind == MIME_LEAF ?
	    text_of(text, raw, a) : json_null());
	js_put(o, "includeOriginalMessage", json_boolean(original != NULL));
	if (!put_report(ps, report, raw, o)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int
parse_one(struct parse *ps, struct slice text)
{
	struct jmap_call *c = ps->c;
	struct slice raw;
	struct blob b;
	json_t *o = NULL;
	int rc;

	arena_reset(c->req->scratch);
	rc = blob_open_in(c->acct, &c->req->env->store_conf.mime, text, &b);
	if (rc == 0) {
		if ((rc = blob_octets(&b, &raw)) == 0)
			o = parse_message(ps, raw);
		blob_close(&b);
	}
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return jmap_store_failed(c->req, "MDN/parse", rc);
	if (o == NULL) {
		json_array_append_new(rc == 0 ? ps->not_parsable :
		    ps->not_found, js_str(text));
		return jmap_charge(c, text.n + 3);
	}
	json_object_setn_new(ps->parsed, text.p, text.n, o);
	return jmap_charge(c, js_size(o, c->req->left));
}

int
mdn_parse(struct jmap_call *c)
{
	struct parse ps = { .c = c };
	json_t *ids = jmap_arg(c, "blobIds"), *v, *seen;
	size_t i;
	int rc = 0;

	if (json_array_size(ids) > c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	ps.parsed = json_object();
	ps.not_parsable = json_array();
	ps.not_found = json_array();
	seen = json_object();
	json_array_foreach(ids, i, v) {
		struct slice s = id_text(c->req, js_slice(v));

		if (json_object_getn(seen, s.p, s.n) != NULL)
			continue;
		json_object_setn_new(seen, s.p, s.n, json_true());
		if ((rc = parse_one(&ps, s)) < 0)
			break;
	}
	json_decref(seen);
	js_put_some(c->out, "parsed", ps.parsed);
	js_put_some(c->out, "notParsable", ps.not_parsable);
	js_put_some(c->out, "notFound", ps.not_found);
	return rc;
}
