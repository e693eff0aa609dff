/* jmap-fcgi/email-parse.c - Email/parse (RFC 8621 4.9) */
#include "config.h"

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/email.h"

const struct jmap_arg email_parse_args[] = {
	{ "blobIds", ARG_IDS, ARG_NEED },
	{ "properties", ARG_IDS, ARG_NULL },
	{ NULL, 0, 0 }
};

/* What is told where no properties are named. */
static const char *const defaults[] = {
	"messageId", "inReplyTo", "references", "sender", "from", "to", "cc",
	"bcc", "replyTo", "subject", "sentAt", "hasAttachment", "preview",
	"bodyValues", "textBody", "htmlBody", "attachments"
};

struct parse {
	struct jmap_call *c;
	struct email_opts opts;
	struct jmap_want *want;
	size_t n_want;
	json_t *parsed, *not_parsable, *not_found;
	json_t *seen;		/* an object used as a set of texts */
};

static int
wants(struct parse *ps)
{
	json_t *names = jmap_arg(ps->c, "properties"), *own;
	int rc;

	if (names != NULL)
		return type_wants(ps->c, &email_type, names, &ps->want,
		    &ps->n_want);
	own = json_array();
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		json_array_append_new(own, json_string(defaults[i]));
	rc = type_wants(ps->c, &email_type, own, &ps->want, &ps->n_want);
	for (size_t i = 0; i < ps->n_want; i++)
		ps->want[i].name = ps->want[i].prop->name;
	json_decref(own);
	return rc;
}

/* Encodes the message that an open blob is; 1: it is none. */
static int
parse_octets(struct parse *ps, struct blob *b, const char *key)
{
	struct jmap_call *c = ps->c;
	struct arena *a = c->req->scratch;
	struct email *em = arena_alloc(a, sizeof(*em));
	size_t before = c->req->left, size;
	char part[BLOB_TEXT_MAX];
	json_t *o;
	int rc;

	em->opts = &ps->opts;
	em->parsed = b;
	em->e.size = b->size;
	if ((rc = blob_octets(b, &em->raw)) < 0)
		return jmap_store_failed(c->req, "Email/parse", rc);
	mime_parse(em->raw, &c->req->env->store_conf.mime, a, &em->mime);
	if (!email_is_message(em->mime, em->raw) ||
	    blob_inner_text(b, em->mime->root, part) < 0)
		return 1;
	mime_measure(em->mime, em->raw, a);
	o = type_encode(c, ps->want, ps->n_want, em, &rc);
	if (o == NULL)
		return rc;
	c->req->left = before;	/* encoders charge what may be large */
	size = js_size(o, before);
	js_put(ps->parsed, key, o);
	return jmap_charge(c, size);
}

static int
parse_one(struct parse *ps, json_t *id)
{
	struct jmap_call *c = ps->c;
	struct slice text = id_text(c->req, js_slice(id));
	char *key = arena_strndup(c->arena, text.p, text.n);
	struct blob b;
	int rc;

	if (json_object_getn(ps->seen, text.p, text.n) != NULL)
		return 0;
	json_object_setn_new(ps->seen, text.p, text.n, json_true());
	arena_reset(c->req->scratch);
	rc = blob_open_in(c->acct, &c->req->env->store_conf.mime, text, &b);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return jmap_store_failed(c->req, "Email/parse", rc);
	if (rc == 0) {
		rc = parse_octets(ps, &b, key);
		blob_close(&b);
		if (rc <= 0)
			return rc;
	}
	json_array_append_new(rc == 1 ? ps->not_parsable : ps->not_found,
	    js_str(text));
	return jmap_charge(c, text.n + 3);
}

int
email_parse(struct jmap_call *c)
{
	struct parse ps = { .c = c };
	json_t *ids = jmap_arg(c, "blobIds"), *v;
	size_t i;
	int rc;

	if ((rc = email_opts_take(c, &ps.opts)) < 0 || (rc = wants(&ps)) < 0)
		return rc;
	if (json_array_size(ids) > c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	ps.parsed = json_object();
	ps.not_parsable = json_array();
	ps.not_found = json_array();
	ps.seen = json_object();
	json_array_foreach(ids, i, v)
		if ((rc = parse_one(&ps, v)) < 0)
			break;
	json_decref(ps.seen);
	js_put_some(c->out, "parsed", ps.parsed);
	js_put_some(c->out, "notParsable", ps.not_parsable);
	js_put_some(c->out, "notFound", ps.not_found);
	return rc;
}
