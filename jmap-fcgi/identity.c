/* jmap-fcgi/identity.c - the Identity's properties (RFC 8621 6) */
#include "config.h"

#include "jmap-fcgi/submission.h"
#include "libbase/log.h"
#include "libsession/mta.h"
#include "libsession/session.h"

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return id_json('I', v->id);
}

static json_t *
get_name(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return js_str(v->name);
}

static json_t *
get_email(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return js_str(v->email);
}

static json_t *
get_text(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return js_str(v->text_signature);
}

static json_t *
get_html(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return js_str(v->html_signature);
}

static json_t *
get_may_delete(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return json_boolean(!v->is_default);
}

static json_t *
addresses(const struct store_addresses *l)
{
	json_t *list, *o;

	if (!l->present)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < l->n; i++) {
		o = json_object();
		js_put(o, "name", js_str_or_null(l->a[i].name));
		js_put(o, "email", js_str(l->a[i].email));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
get_reply_to(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return addresses(&v->reply_to);
}

static json_t *
get_bcc(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_identity *v = obj;

	(void)c;
	(void)name;
	return addresses(&v->bcc);
}

/* ---- setters ----------------------------------------------------------- */

static int
set_name(struct jmap_call *c, void *change, json_t *v)
{
	struct identity_change *ch = change;

	(void)c;
	ch->set |= STORE_IDENTITY_NAME;
	ch->v.name = js_slice(v);
	/* It becomes a part of a header field. */
	for (size_t i = 0; i < ch->v.name.n; i++)
		if ((unsigned char)ch->v.name.p[i] < 32 ||
		    ch->v.name.p[i] == 127)
			return -1;
	return json_is_string(v) ? 0 : -1;
}

static int
set_email(struct jmap_call *c, void *change, json_t *v)
{
	struct identity_change *ch = change;

	(void)c;
	ch->v.email = js_slice(v);
	return mta_address_ok(ch->v.email) ||
	    slice_starts(ch->v.email, SLICE_LIT("*@")) ? 0 : -1;
}

static int
set_text(struct jmap_call *c, void *change, json_t *v)
{
	struct identity_change *ch = change;

	(void)c;
	ch->set |= STORE_IDENTITY_TEXT;
	ch->v.text_signature = js_slice(v);
	return json_is_string(v) ? 0 : -1;
}

static int
set_html(struct jmap_call *c, void *change, json_t *v)
{
	struct identity_change *ch = change;

	(void)c;
	ch->set |= STORE_IDENTITY_HTML;
	ch->v.html_signature = js_slice(v);
	return json_is_string(v) ? 0 : -1;
}

static bool
known_keys(json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
		if (strcmp(key, "name") != 0 && strcmp(key, "email") != 0)
			return false;
	return json_is_object(o);
}

static int
parse_addresses(struct jmap_call *c, json_t *v, struct store_addresses *l)
{
	json_t *o, *name;
	size_t i;

	memset(l, 0, sizeof(*l));
	if (json_is_null(v))
		return 0;
	if (!json_is_array(v) ||
	    json_array_size(v) > STORE_IDENTITY_ADDRESSES_MAX)
		return -1;
	l->present = true;
	l->a = arena_calloc(c->arena, json_array_size(v), sizeof(*l->a));
	json_array_foreach(v, i, o) {
		name = json_object_get(o, "name");
		/* Copies: a patch's value doesn't outlive the setter. */
		l->a[i].email = arena_slice(c->arena,
		    js_slice(json_object_get(o, "email")));
		if (!known_keys(o) || !mta_address_ok(l->a[i].email) ||
		    (name != NULL && !json_is_null(name) &&
		    !json_is_string(name)))
			return -1;
		if (json_is_string(name))
			l->a[i].name = arena_slice(c->arena, js_slice(name));
		l->n++;
	}
	return 0;
}

static int
set_reply_to(struct jmap_call *c, void *change, json_t *v)
{
	struct identity_change *ch = change;

	ch->set |= STORE_IDENTITY_REPLY_TO;
	return parse_addresses(c, v, &ch->v.reply_to);
}

static int
set_bcc(struct jmap_call *c, void *change, json_t *v)
{
	struct identity_change *ch = change;

	ch->set |= STORE_IDENTITY_BCC;
	return parse_addresses(c, v, &ch->v.bcc);
}

static const struct jmap_prop props[] = {
	/* clang-format off */
	{ "id",			PROP_SERVER,	get_id,		NULL },
	{ "name",		0,		get_name,	set_name },
	{ "email",		PROP_IMMUTABLE,	get_email,	set_email },
	{ "replyTo",		0,		get_reply_to,	set_reply_to },
	{ "bcc",		0,		get_bcc,	set_bcc },
	{ "textSignature",	0,		get_text,	set_text },
	{ "htmlSignature",	0,		get_html,	set_html },
	{ "mayDelete",		PROP_SERVER,	get_may_delete,	NULL },
	{ NULL,			0,		NULL,		NULL }
	/* clang-format on */
};

/* ---- the type ---------------------------------------------------------- */

static int
load(struct jmap_call *c, void *ctx, uint64_t id, void **obj_r)
{
	struct store_identity *v = arena_alloc(c->req->scratch, sizeof(*v));

	(void)ctx;
	*obj_r = v;
	return store_identity_get(c->st, c->req->scratch, id, v);
}

static int
all(struct jmap_call *c, uint64_t **ids_r, size_t *n_r)
{
	struct store_identity *v;
	uint64_t *ids;
	size_t n;
	int rc;

	if ((rc = store_identity_list(c->st, c->req->scratch, &v, &n)) < 0)
		return rc;
	ids = arena_calloc(c->arena, n, sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = v[i].id;
	*ids_r = ids;
	*n_r = n;
	return 0;
}

const struct jmap_type identity_type = {
	.name = "Identity",
	.prefix = 'I',
	.store = STORE_T_IDENTITY,
	.props = props,
	.load = load,
	.all = all,
};

int
identity_ensure(struct jmap_call *c)
{
	struct slice address, name;
	int rc;

	if (login_own_address(c->req->env->conf, c->req->user->account,
	    c->arena, &address, &name) != LOGIN_OK)
		return jmap_store_failed(c->req, "password file", STORE_E_IO);
	if (!mta_address_ok(address)) {
		log_warn("%s: has no address", c->req->user->account);
		return 0;
	}
	rc = store_identity_default(c->st, name, address);
	return rc < 0 ? jmap_store_failed(c->req, "identity", rc) : 0;
}

int
identity_get(struct jmap_call *c)
{
	int rc = identity_ensure(c);

	return rc < 0 ? rc : type_get(c, &identity_type, NULL);
}

int
identity_changes(struct jmap_call *c)
{
	return type_changes(c, &identity_type);
}
