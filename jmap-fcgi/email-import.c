/* jmap-fcgi/email-import.c - Email/import (RFC 8621 4.8) */
#include "config.h"

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/email.h"
#include "libbase/text.h"

const struct jmap_arg email_import_args[] = {
	{ "ifInState", ARG_STRING, ARG_NULL },
	{ "emails", ARG_OBJECT, ARG_NEED },
	{ NULL, 0, 0 }
};

/* One EmailImport object. */
struct import {
	struct slice blob;
	uint64_t *mailboxes;
	size_t n_mailboxes;
	uint64_t flags;
	int64_t received_at;	/* INT64_MIN: from the message */
};

static int
take_date(json_t *v, int64_t *t_r)
{
	struct slice s = js_slice(v);

	if (json_is_null(v))
		return 0;
	if (s.n == 0 || s.p[s.n - 1] != 'Z')
		return -1;
	return time_rfc3339_parse(s, t_r, NULL);
}

/* One property; 0, or -1: not acceptable; else an enum store_rc. */
static int
take(struct jmap_call *c, struct import *im, const char *key, json_t *v)
{
	int rc;

	if (strcmp(key, "blobId") == 0) {
		im->blob = js_slice(v);
		return im->blob.p != NULL ? 0 : -1;
	}
	if (strcmp(key, "mailboxIds") == 0)
		return email_mailboxes_parse(c, v, &im->mailboxes,
		    &im->n_mailboxes);
	if (strcmp(key, "keywords") == 0) {
		rc = email_flags_parse(c, v, &im->flags);
		return rc == JMAP_E_ARGS ? -1 : rc == STORE_E_LIMIT ? rc :
		    rc < 0 ? -1 : 0;
	}
	if (strcmp(key, "receivedAt") == 0)
		return take_date(v, &im->received_at);
	return -1;
}

static json_t *
check(struct jmap_call *c, json_t *o, struct import *im)
{
	json_t *bad = json_array(), *v;
	const char *key;
	int rc;

	memset(im, 0, sizeof(*im));
	im->received_at = INT64_MIN;
	json_object_foreach(o, key, v) {
		rc = take(c, im, key, v);
		if (rc == STORE_E_LIMIT) {
			json_decref(bad);
			return set_error("tooManyKeywords", NULL);
		}
		if (rc < 0)
			json_array_append_new(bad, json_string(key));
	}
	if (json_object_get(o, "blobId") == NULL)
		json_array_append_new(bad, json_string("blobId"));
	if (json_object_get(o, "mailboxIds") == NULL)
		json_array_append_new(bad, json_string("mailboxIds"));
	if (json_array_size(bad) > 0)
		return set_error_props(bad, NULL);
	json_decref(bad);
	return NULL;
}

/* The date of the newest trace field, RFC 5321 4.4: "...; date". */
static int64_t
received_date(const struct mime_msg *m, struct slice raw)
{
	struct mime_field f;
	struct mime_date d;
	size_t i;

	if (mime_field_find(mime_part_header(m->root, raw), "Received", 0,
	    &f) != 1)
		return INT64_MIN;
	for (i = f.value.n; i > 0 && f.value.p[i - 1] != ';'; i--)
		;
	if (i == 0)
		return INT64_MIN;
	d = mime_date_parse(slice_make(f.value.p + i, f.value.n - i));
	return d.ok ? d.t : INT64_MIN;
}

bool
email_is_message(const struct mime_msg *m, struct slice raw)
{
	struct slice h = mime_part_header(m->root, raw);
	struct mime_fields it;
	struct mime_field f;

	mime_fields_init(&it, h);
	return h.n > 0 && mime_fields_next(&it, &f) == 1 &&
	    memchr(h.p, '\0', h.n) == NULL;
}

static int
add_octets(void *arg, const void *p, size_t n)
{
	return store_spool_add(arg, p, n);
}

/* The blob as a message with CRLF line ends, checked. */
static json_t *
spool_message(struct jmap_call *c, struct import *im,
    struct store_spool **sp_r)
{
	const struct store_conf *sc = &c->req->env->store_conf;
	struct store_spool *sp;
	struct mime_msg *m;
	struct slice raw;
	struct blob b;
	json_t *err = NULL;
	int rc;

	rc = blob_open_in(c->acct, &sc->mime, id_text(c->req, im->blob), &b);
	if (rc == STORE_E_NOTFOUND)
		return set_error_prop("blobId", "no such blob");
	if (rc < 0)
		return set_error_store(c, rc);
	sp = store_spool_new(sc, true, 0);
	if ((rc = blob_each(&b, add_octets, sp)) == 0)
		rc = store_spool_done(sp);
	blob_close(&b);
	if (rc == 0) {
		raw = store_spool_octets(sp);
		mime_parse(raw, &sc->mime, c->req->scratch, &m);
		if (!email_is_message(m, raw))
			err = set_error("invalidEmail",
			    "there is no message header");
		else if (im->received_at == INT64_MIN)
			im->received_at = received_date(m, raw);
	} else {
		err = set_error_store(c, rc);
	}
	if (err != NULL)
		store_spool_free(&sp);
	*sp_r = sp;
	return err;
}

json_t *
email_created(const struct store_added *ad)
{
	json_t *o = json_object();
	char blob[STORE_BLOBID_LEN + 1];

	store_blobid_text(&ad->blob, blob);
	js_put(o, "id", id_json('E', ad->email));
	js_put_str(o, "blobId", blob);
	js_put(o, "threadId", id_json('T', ad->thread));
	js_put(o, "size", json_integer((json_int_t)ad->size));
	return o;
}

/* NULL and the new Email, or a SetError. */
static json_t *
import(struct jmap_call *c, json_t *o, struct store_added *ad)
{
	struct store_new v;
	struct import im;
	struct store_spool *sp;
	json_t *err;
	int rc;

	if ((err = check(c, o, &im)) != NULL ||
	    (err = email_rights_add(c, im.mailboxes, im.n_mailboxes,
	    im.flags)) != NULL ||
	    (err = spool_message(c, &im, &sp)) != NULL)
		return err;
	memset(&v, 0, sizeof(v));
	v.spool = sp;
	v.mailboxes = im.mailboxes;
	v.n_mailboxes = im.n_mailboxes;
	v.flags = im.flags;
	v.received_at = im.received_at;
	rc = store_email_add(c->st, &v, 1, ad, NULL);
	store_spool_free(&sp);
	if (rc == STORE_E_NOTFOUND)
		return set_error_prop("mailboxIds", "no such mailbox");
	return rc < 0 ? set_error_store(c, rc) : NULL;
}

static int
import_all(struct jmap_call *c, json_t *done, json_t *failed)
{
	json_t *o, *err;
	const char *key;

	json_object_foreach(json_object_get(c->args, "emails"), key, o) {
		struct store_added ad;

		arena_reset(c->req->scratch);
		err = import(c, o, &ad);
		if (err != NULL) {
			js_put(failed, key, err);
			continue;
		}
		js_put(done, key, email_created(&ad));
		js_put(c->req->created, key, id_json('E', ad.email));
	}
	return set_new_state(c, &email_type);
}

int
email_import(struct jmap_call *c)
{
	json_t *emails = json_object_get(c->args, "emails"), *v;
	json_t *done, *failed;
	const char *key;
	int rc;

	if (json_object_size(emails) >
	    c->req->env->conf->jmap_max_objects_in_set)
		return JMAP_E_TOOLARGE;
	json_object_foreach(emails, key, v)
		if (!js_is_id(slice_str(key)) || !json_is_object(v))
			return jmap_bad(c, "emails must map ids to objects");
	if ((rc = set_check_state(c, &email_type)) < 0)
		return rc;
	done = json_object();
	failed = json_object();
	rc = import_all(c, done, failed);
	js_put_some(c->out, "created", done);
	js_put_some(c->out, "notCreated", failed);
	return rc;
}
