/* jmap-fcgi/email-type.c - the Email's properties, and Email/get (RFC 8621 4) */
#include "config.h"

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/email.h"
#include "libbase/text.h"

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;

	(void)c;
	(void)name;
	return em->parsed ? json_null() : id_json('E', em->e.id);
}

static json_t *
get_blob_id(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	char id[STORE_BLOBID_LEN + 1];

	(void)c;
	(void)name;
	if (em->parsed != NULL)
		return json_string(em->parsed->text);
	store_blobid_text(&em->e.blob, id);
	return json_string(id);
}

static json_t *
get_thread_id(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;

	(void)c;
	(void)name;
	return em->parsed ? json_null() : id_json('T', em->e.thread);
}

static json_t *
get_mailbox_ids(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;

	(void)c;
	(void)name;
	return em->parsed ? json_null() : email_mailboxes(&em->e);
}

static json_t *
get_keywords(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	json_t *v;
	int rc;

	(void)name;
	if (em->parsed != NULL)
		return json_null();
	v = email_keywords(c, em->e.flags, &rc);
	return v != NULL ? v : type_fail(c, rc);
}

static json_t *
get_size(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;

	(void)c;
	(void)name;
	return json_integer((json_int_t)em->e.size);
}

static json_t *
get_received_at(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	struct mime_date d = { true, em->e.received_at, 0 };

	(void)c;
	(void)name;
	return em->parsed ? json_null() : header_date(&d);
}

/* ---- of the envelope --------------------------------------------------- */

static const struct mime_env *
envelope(struct jmap_call *c, struct email *em)
{
	int rc;

	if ((rc = email_mime(c, em)) < 0) {
		type_fail(c, rc);
		return NULL;
	}
	return em->mime->root->env;
}

static json_t *
get_ids(struct jmap_call *c, void *obj, const char *name)
{
	const struct mime_env *env = envelope(c, obj);
	struct slice v;

	if (env == NULL)
		return NULL;
	v = strcmp(name, "messageId") == 0 ? env->message_id :
	    strcmp(name, "inReplyTo") == 0 ? env->in_reply_to :
	    env->references;
	return v.p != NULL ?
	    header_value(c->req->scratch, FORM_IDS, v) : json_null();
}

static json_t *
get_addresses(struct jmap_call *c, void *obj, const char *name)
{
	const struct mime_env *env = envelope(c, obj);
	const struct mime_addrs *l;

	if (env == NULL)
		return NULL;
	l = strcmp(name, "from") == 0 ? &env->from :
	    strcmp(name, "sender") == 0 ? &env->sender :
	    strcmp(name, "replyTo") == 0 ? &env->reply_to :
	    strcmp(name, "to") == 0 ? &env->to :
	    strcmp(name, "cc") == 0 ? &env->cc : &env->bcc;
	if (!l->present)
		return json_null();
	return header_addresses(c->req->scratch, l->a + l->last,
	    l->n - l->last);
}

static json_t *
get_subject(struct jmap_call *c, void *obj, const char *name)
{
	const struct mime_env *env = envelope(c, obj);

	(void)name;
	if (env == NULL)
		return NULL;
	return env->subject.p != NULL ? header_value(c->req->scratch,
	    FORM_TEXT, env->subject) : json_null();
}

static json_t *
get_sent_at(struct jmap_call *c, void *obj, const char *name)
{
	const struct mime_env *env = envelope(c, obj);

	(void)name;
	return env != NULL ? header_date(&env->sent) : NULL;
}

static json_t *
get_has_attachment(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	int rc;

	(void)name;
	if ((rc = email_mime(c, em)) < 0)
		return type_fail(c, rc);
	return json_boolean(em->mime->has_attachment);
}

static json_t *
get_preview(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	int rc;

	(void)name;
	if ((rc = email_mime(c, em)) < 0)
		return type_fail(c, rc);
	return js_str(em->mime->preview);
}

/* ---- of the header ----------------------------------------------------- */

static json_t *
get_headers(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	struct slice h;
	int rc;

	(void)name;
	if ((rc = email_mime(c, em)) < 0 ||
	    (rc = email_part_header(c, em, em->mime->root, &h)) < 0)
		return type_fail(c, rc);
	return header_list(c->req->scratch, h);
}

static json_t *
get_header(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	struct header_prop h;
	struct slice octets;
	const char *desc;
	int rc;

	if (header_prop_parse(slice_str(name), &h, &desc) < 0)
		return type_fail(c, JMAP_E_ARGS);
	if ((rc = email_mime(c, em)) < 0)
		return type_fail(c, rc);
	octets = em->mime->cached;
	if ((octets.p == NULL || !mime_header_cached(slice_str(h.field))) &&
	    (rc = email_part_header(c, em, em->mime->root, &octets)) < 0)
		return type_fail(c, rc);
	return header_prop_get(c->req->scratch, &h, octets);
}

#define S (PROP_SERVER | PROP_IMMUTABLE)
#define D (PROP_IMMUTABLE | PROP_DEFAULT)
static const struct jmap_prop props[] = {
	/* clang-format off */
	{ "id",			S | D,		get_id,		NULL },
	{ "blobId",		S | D,		get_blob_id,	NULL },
	{ "threadId",		S | D,		get_thread_id,	NULL },
	{ "mailboxIds",		PROP_DEFAULT,	get_mailbox_ids, email_set_mailboxes },
	{ "keywords",		PROP_DEFAULT,	get_keywords,	email_set_keywords },
	{ "size",		S | D,		get_size,	NULL },
	{ "receivedAt",		D,		get_received_at, NULL },
	{ "headers",		PROP_IMMUTABLE,	get_headers,	NULL },
	{ "messageId",		D,		get_ids,	NULL },
	{ "inReplyTo",		D,		get_ids,	NULL },
	{ "references",		D,		get_ids,	NULL },
	{ "sender",		D,		get_addresses,	NULL },
	{ "from",		D,		get_addresses,	NULL },
	{ "to",			D,		get_addresses,	NULL },
	{ "cc",			D,		get_addresses,	NULL },
	{ "bcc",		D,		get_addresses,	NULL },
	{ "replyTo",		D,		get_addresses,	NULL },
	{ "subject",		D,		get_subject,	NULL },
	{ "sentAt",		D,		get_sent_at,	NULL },
	{ "hasAttachment",	S | D,		get_has_attachment, NULL },
	{ "preview",		S | D,		get_preview,	NULL },
	{ "bodyStructure",	PROP_IMMUTABLE,	email_get_structure, NULL },
	{ "bodyValues",		D,		email_get_values, NULL },
	{ "textBody",		D,		email_get_list,	NULL },
	{ "htmlBody",		D,		email_get_list,	NULL },
	{ "attachments",	D,		email_get_list,	NULL },
	{ NULL,			0,		NULL,		NULL }
	/* clang-format on */
};
#undef S
#undef D

static const struct jmap_prop *
other(struct slice name, const char **desc_r)
{
	static const struct jmap_prop header = { "header:", PROP_IMMUTABLE,
		get_header, NULL };
	struct header_prop h;
	const char *desc;

	if (header_prop_parse(name, &h, &desc) == 0)
		return &header;
	if (desc_r != NULL)
		*desc_r = desc;
	return NULL;
}

static int
load(struct jmap_call *c, void *ctx, uint64_t id, void **obj_r)
{
	struct email *em = arena_alloc(c->req->scratch, sizeof(*em));

	em->opts = ctx;
	*obj_r = em;
	return email_load(c, c->req->scratch, id, &em->e);
}

const struct jmap_type email_type = {
	.name = "Email",
	.prefix = 'E',
	.store = STORE_T_EMAIL,
	.props = props,
	.other = other,
	.load = load,
	.filter = email_filter_changes,
};

const struct jmap_arg email_get_args[] = {
	{ "bodyProperties", ARG_IDS, 0 },
	{ "fetchTextBodyValues", ARG_BOOL, 0 },
	{ "fetchHTMLBodyValues", ARG_BOOL, 0 },
	{ "fetchAllBodyValues", ARG_BOOL, 0 },
	{ "maxBodyValueBytes", ARG_UINT, 0 },
	{ NULL, 0, 0 }
};

int
email_opts_take(struct jmap_call *c, struct email_opts *o_r)
{
	json_t *max = jmap_arg(c, "maxBodyValueBytes");

	memset(o_r, 0, sizeof(*o_r));
	o_r->text_values = jmap_arg_bool(c, "fetchTextBodyValues");
	o_r->html_values = jmap_arg_bool(c, "fetchHTMLBodyValues");
	o_r->all_values = jmap_arg_bool(c, "fetchAllBodyValues");
	if (max != NULL)
		js_uint(max, &o_r->max_value);
	return type_wants(c, &email_part_type, jmap_arg(c, "bodyProperties"),
	    &o_r->part, &o_r->n_part);
}

int
email_get(struct jmap_call *c)
{
	struct email_opts o;
	int rc = email_opts_take(c, &o);

	return rc < 0 ? rc : type_get(c, &email_type, &o);
}

int
email_changes(struct jmap_call *c)
{
	return type_changes(c, &email_type);
}
