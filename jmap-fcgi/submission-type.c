/* jmap-fcgi/submission-type.c - the EmailSubmission's properties (RFC 8621 7) */
#include "config.h"

#include "jmap-fcgi/submission.h"

enum { PARAMS_MAX = 20 };	/* of an address */

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;

	(void)c;
	(void)name;
	return id_json('S', v->id);
}

static json_t *
get_identity(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;

	(void)c;
	(void)name;
	return id_json('I', v->identity);
}

static json_t *
get_email(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;

	(void)c;
	(void)name;
	return id_json('E', v->email);
}

static json_t *
get_thread(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;

	(void)c;
	(void)name;
	return id_json('T', v->thread);
}

static json_t *
address(const struct store_path *p)
{
	json_t *o = json_object(), *params = json_null();
	char name[256];

	js_put(o, "email", js_str(p->email));
	if (p->n_param > 0)
		params = json_object();
	for (size_t i = 0; i < p->n_param; i++) {
		size_t n = p->param[i].name.n;

		if (n >= sizeof(name))
			continue;
		memcpy(name, p->param[i].name.p, n);
		name[n] = '\0';
		js_put(params, name, js_str_or_null(p->param[i].value));
	}
	js_put(o, "parameters", params);
	return o;
}

static json_t *
get_envelope(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;
	json_t *o = json_object(), *list = json_array();

	(void)c;
	(void)name;
	js_put(o, "mailFrom", address(&v->from));
	for (size_t i = 0; i < v->n_rcpt; i++)
		json_array_append_new(list, address(&v->rcpt[i].to));
	js_put(o, "rcptTo", list);
	return o;
}

static json_t *
get_send_at(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;

	(void)c;
	(void)name;
	return js_time(v->send_at);
}

const char *
submission_undo_name(enum store_undo u)
{
	static const char *const names[] = { "pending", "final", "canceled" };

	return names[u];
}

static json_t *
get_undo(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;

	(void)c;
	(void)name;
	return json_string(submission_undo_name(v->undo));
}

static json_t *
get_delivery(struct jmap_call *c, void *obj, const char *name)
{
	static const char *const names[] = { "queued", "yes", "no", "unknown" };
	const struct store_submission *v = obj;
	json_t *all = json_object(), *o;

	(void)c;
	(void)name;
	for (size_t i = 0; i < v->n_rcpt; i++) {
		const struct store_rcpt *r = &v->rcpt[i];

		o = json_object();
		js_put(o, "smtpReply", js_str(r->reply));
		js_put_str(o, "delivered", names[r->delivered]);
		js_put_str(o, "displayed", "unknown");
		json_object_setn_new(all, r->to.email.p, r->to.email.n, o);
	}
	return all;
}

static json_t *
get_dsn(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_submission *v = obj;
	char text[STORE_BLOBID_LEN + 1];
	json_t *list = json_array();

	(void)c;
	(void)name;
	for (size_t i = 0; i < v->n_dsn; i++) {
		store_blobid_text(&v->dsn[i], text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

/* That it was read is told by Emails alone. */
static json_t *
get_mdn(struct jmap_call *c, void *obj, const char *name)
{
	(void)c;
	(void)obj;
	(void)name;
	return json_array();
}

/* ---- setters ----------------------------------------------------------- */

static int
set_identity(struct jmap_call *c, void *change, json_t *v)
{
	struct submission_change *ch = change;

	ch->has_identity = true;
	return id_resolve(c->req, 'I', js_slice(v), &ch->v.identity);
}

static int
set_email(struct jmap_call *c, void *change, json_t *v)
{
	struct submission_change *ch = change;

	ch->has_email = true;
	return id_resolve(c->req, 'E', js_slice(v), &ch->v.email);
}

static int
parse_params(struct jmap_call *c, json_t *v, struct store_path *p)
{
	const char *key;
	json_t *value;

	if (v == NULL || json_is_null(v))
		return 0;
	if (!json_is_object(v) || json_object_size(v) > PARAMS_MAX)
		return -1;
	p->param = arena_calloc(c->arena, json_object_size(v),
	    sizeof(*p->param));
	json_object_foreach(v, key, value) {
		struct store_param *q = &p->param[p->n_param++];

		if (!json_is_null(value) && !json_is_string(value))
			return -1;
		q->name = slice_str(arena_strdup(c->arena, key));
		if (json_is_string(value))
			q->value = arena_slice(c->arena, js_slice(value));
	}
	return 0;
}

static bool
only_keys(json_t *o, const char *a, const char *b)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
		if (strcmp(key, a) != 0 && strcmp(key, b) != 0)
			return false;
	return json_is_object(o);
}

static int
parse_address(struct jmap_call *c, json_t *o, struct store_path *p)
{
	json_t *email = json_object_get(o, "email");

	if (!only_keys(o, "email", "parameters") || !json_is_string(email))
		return -1;
	p->email = arena_slice(c->arena, js_slice(email));
	return parse_params(c, json_object_get(o, "parameters"), p);
}

static int
set_envelope(struct jmap_call *c, void *change, json_t *v)
{
	struct submission_change *ch = change;
	json_t *list = json_object_get(v, "rcptTo"), *o;
	size_t i;

	if (json_is_null(v))
		return 0;
	if (!only_keys(v, "mailFrom", "rcptTo") || !json_is_array(list) ||
	    parse_address(c, json_object_get(v, "mailFrom"),
	    &ch->v.from) < 0)
		return -1;
	ch->has_envelope = true;
	ch->v.rcpt = arena_calloc(c->arena, json_array_size(list),
	    sizeof(*ch->v.rcpt));
	json_array_foreach(list, i, o)
		if (parse_address(c, o, &ch->v.rcpt[ch->v.n_rcpt++].to) < 0)
			return -1;
	return 0;
}

static int
set_undo(struct jmap_call *c, void *change, json_t *v)
{
	struct submission_change *ch = change;

	(void)c;
	ch->cancel = slice_eq(js_slice(v), SLICE_LIT("canceled"));
	return ch->create || !ch->cancel ? -1 : 0;
}

static const struct jmap_prop props[] = {
	/* clang-format off */
	{ "id",			PROP_SERVER,	get_id,		NULL },
	{ "identityId",		PROP_IMMUTABLE,	get_identity,	set_identity },
	{ "emailId",		PROP_IMMUTABLE,	get_email,	set_email },
	{ "threadId",		PROP_SERVER,	get_thread,	NULL },
	{ "envelope",		PROP_IMMUTABLE,	get_envelope,	set_envelope },
	{ "sendAt",		PROP_SERVER,	get_send_at,	NULL },
	{ "undoStatus",		0,		get_undo,	set_undo },
	{ "deliveryStatus",	PROP_SERVER,	get_delivery,	NULL },
	{ "dsnBlobIds",		PROP_SERVER,	get_dsn,	NULL },
	{ "mdnBlobIds",		PROP_SERVER,	get_mdn,	NULL },
	{ NULL,			0,		NULL,		NULL }
	/* clang-format on */
};

/* ---- the type ---------------------------------------------------------- */

static int
load(struct jmap_call *c, void *ctx, uint64_t id, void **obj_r)
{
	struct store_submission *v = arena_alloc(c->req->scratch, sizeof(*v));

	(void)ctx;
	*obj_r = v;
	return store_submission_get(c->st, c->req->scratch, id, v);
}

static int
all(struct jmap_call *c, uint64_t **ids_r, size_t *n_r)
{
	struct store_submission *v;
	uint64_t *ids;
	size_t n;
	int rc;

	if ((rc = store_submission_list(c->st, c->req->scratch, &v, &n)) < 0)
		return rc;
	ids = arena_calloc(c->arena, n, sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = v[i].id;
	*ids_r = ids;
	*n_r = n;
	return 0;
}

const struct jmap_type submission_type = {
	.name = "EmailSubmission",
	.prefix = 'S',
	.store = STORE_T_SUBMISSION,
	.props = props,
	.load = load,
	.all = all,
};

int
submission_get(struct jmap_call *c)
{
	return type_get(c, &submission_type, NULL);
}

int
submission_changes(struct jmap_call *c)
{
	return type_changes(c, &submission_type);
}
