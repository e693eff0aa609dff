/* jmap-fcgi/push-type.c - the PushSubscription, and PushSubscription/get */
#include "config.h"

#include <time.h>

#include "jmap-fcgi/push.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libsession/session.h"
#include "libsession/webpush.h"

/* ---- getters ----------------------------------------------------------- */

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_push *v = obj;

	(void)c;
	(void)name;
	return id_json('P', v->id);
}

static json_t *
get_device(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_push *v = obj;

	(void)c;
	(void)name;
	return js_str(v->device);
}

/* For PatchObjects alone; /get refuses to tell it. */
static json_t *
get_url(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_push *v = obj;

	(void)c;
	(void)name;
	return js_str(v->url);
}

static void
put_base64(json_t *o, const char *key, struct slice s)
{
	struct buf b;

	buf_init(&b, 256);
	base64url_encode(&b, s);
	js_put(o, key, js_str(buf_slice(&b)));
	buf_release(&b);
}

static json_t *
get_keys(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_push *v = obj;
	json_t *o;

	(void)c;
	(void)name;
	if (v->p256dh.p == NULL)
		return json_null();
	o = json_object();
	put_base64(o, "p256dh", v->p256dh);
	put_base64(o, "auth", v->auth);
	return o;
}

/* Who has not got it by a push must not get it here. */
static json_t *
get_code(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_push *v = obj;

	(void)c;
	(void)name;
	return v->state == STORE_PUSH_VERIFIED ? js_str(v->code) :
	    json_null();
}

static json_t *
get_expires(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_push *v = obj;

	(void)c;
	(void)name;
	return js_time(v->expires);
}

static json_t *
get_types(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_push *v = obj;
	json_t *list;

	(void)c;
	(void)name;
	if (v->all_types)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < v->n_type; i++)
		json_array_append_new(list, js_str(v->type[i]));
	return list;
}

/* ---- setters ----------------------------------------------------------- */

static int
set_device(struct jmap_call *c, void *change, json_t *v)
{
	struct push_change *ch = change;

	(void)c;
	ch->v.device = js_slice(v);
	return ch->v.device.n > 0 &&
	    ch->v.device.n <= STORE_PUSH_TEXT_MAX ? 0 : -1;
}

static int
set_url(struct jmap_call *c, void *change, json_t *v)
{
	struct push_change *ch = change;
	struct buf origin;
	bool ok;

	(void)c;
	ch->v.url = js_slice(v);
	if (ch->v.url.n > STORE_PUSH_TEXT_MAX)
		return -1;
	buf_init(&origin, 2 * STORE_PUSH_TEXT_MAX);
	ok = webpush_origin(ch->v.url, &origin);
	buf_release(&origin);
	return ok ? 0 : -1;
}

/* URL-safe base64; some clients pad it. */
static bool
key_octets(struct jmap_call *c, json_t *v, size_t n, struct slice *out_r)
{
	struct slice s = js_slice(v);

	while (s.n > 0 && s.p[s.n - 1] == '=')
		s.n--;
	return s.n > 0 && base64url_decode(s, c->arena, out_r) == 0 &&
	    out_r->n == n;
}

static int
set_keys(struct jmap_call *c, void *change, json_t *v)
{
	struct push_change *ch = change;

	if (json_is_null(v))
		return 0;
	return json_object_size(v) == 2 &&
	    key_octets(c, json_object_get(v, "p256dh"), STORE_PUSH_KEY,
	    &ch->v.p256dh) &&
	    key_octets(c, json_object_get(v, "auth"), STORE_PUSH_AUTH,
	    &ch->v.auth) && webpush_key_ok(ch->v.p256dh) ? 0 : -1;
}

static int
set_code(struct jmap_call *c, void *change, json_t *v)
{
	struct push_change *ch = change;

	(void)c;
	ch->v.code = js_slice(v);
	return json_is_null(v) || ch->v.code.n > 0 ? 0 : -1;
}

/* No later than allowed; nothing that is over. */
static int
set_expires(struct jmap_call *c, void *change, json_t *v)
{
	struct push_change *ch = change;
	int64_t now = time(NULL);
	int64_t max = now + c->req->env->conf->push_expires_s;
	struct slice s = js_slice(v);

	ch->set |= STORE_PUSH_SET_EXPIRES;
	ch->v.expires = max;
	if (json_is_null(v))
		return 0;
	if (s.n == 0 || s.p[s.n - 1] != 'Z' ||
	    time_rfc3339_parse(s, &ch->v.expires, NULL) < 0 ||
	    ch->v.expires <= now)
		return -1;
	ch->has_expires = ch->v.expires <= max;
	if (ch->v.expires > max)
		ch->v.expires = max;
	return 0;
}

static int
set_types(struct jmap_call *c, void *change, json_t *v)
{
	struct push_change *ch = change;
	json_t *name;
	size_t i;

	ch->set |= STORE_PUSH_SET_TYPES;
	ch->v.all_types = json_is_null(v);
	if (ch->v.all_types)
		return 0;
	if (!json_is_array(v) || json_array_size(v) > STORE_PUSH_TYPES_MAX)
		return -1;
	ch->v.n_type = json_array_size(v);
	ch->v.type = arena_calloc(c->arena, ch->v.n_type,
	    sizeof(*ch->v.type));
	json_array_foreach(v, i, name) {
		/* The patched value doesn't outlive this. */
		ch->v.type[i] = arena_slice(c->arena, js_slice(name));
		if (!json_is_string(name) || ch->v.type[i].n == 0 ||
		    ch->v.type[i].n > STORE_PUSH_TEXT_MAX / 8)
			return -1;
	}
	return 0;
}

static const struct jmap_prop props[] = {
	/* clang-format off */
	{ "id",		PROP_SERVER | PROP_DEFAULT, get_id, NULL },
	{ "deviceClientId", PROP_IMMUTABLE | PROP_DEFAULT, get_device, set_device },
	{ "url",	PROP_IMMUTABLE,	get_url,	set_url },
	{ "keys",	PROP_IMMUTABLE,	get_keys,	set_keys },
	{ "verificationCode", PROP_DEFAULT, get_code,	set_code },
	{ "expires",	PROP_DEFAULT,	get_expires,	set_expires },
	{ "types",	PROP_DEFAULT,	get_types,	set_types },
	{ NULL,		0,		NULL,		NULL }
	/* clang-format on */
};

/* ---- whose it is ------------------------------------------------------- */

int
push_begin(struct jmap_call *c)
{
	if (c->req->env->conf->push_socket == NULL)
		return JMAP_E_UNKNOWN;
	c->st = c->req->user->st;
	return 0;
}

int
push_credential(struct jmap_call *c, const unsigned char **out_r)
{
	struct jmap_user *u = c->req->user;
	unsigned char *out;
	int rc;

	if (u->credential == NULL) {
		out = arena_alloc(c->req->arena, LOGIN_CREDENTIAL);
		rc = login_credential(c->req->env->conf, slice_str(u->by),
		    c->arena, out);
		if (rc != LOGIN_OK)
			return rc == LOGIN_E_TEMP ? STORE_E_IO :
			    STORE_E_DENIED;
		u->credential = out;
	}
	*out_r = u->credential;
	return 0;
}

static bool
is_mine(const struct store_push *v, const unsigned char *credential)
{
	return v->expires > time(NULL) && memcmp(v->credential, credential,
	    STORE_PUSH_CREDENTIAL) == 0;
}

int
push_load(struct jmap_call *c, uint64_t id, struct store_push *v_r)
{
	const unsigned char *credential;
	int rc;

	if ((rc = push_credential(c, &credential)) < 0 ||
	    (rc = store_push_get(c->req->user->st, c->arena, id, v_r)) < 0)
		return rc;
	return is_mine(v_r, credential) ? 0 : STORE_E_NOTFOUND;
}

/* ---- get --------------------------------------------------------------- */

/* RFC 8620 7.2.1: some properties are not told. */
static int
check_names(struct jmap_call *c)
{
	json_t *v;
	size_t i;

	json_array_foreach(jmap_arg(c, "properties"), i, v)
		if (slice_eq(js_slice(v), SLICE_LIT("url")) ||
		    slice_eq(js_slice(v), SLICE_LIT("keys"))) {
			c->desc = "url and keys are not told";
			return STORE_E_DENIED;
		}
	return 0;
}

/* Into memory of the request's arena. */
static int
load(struct jmap_call *c, void *ctx, uint64_t id, void **obj_r)
{
	struct store_push *v = arena_alloc(c->arena, sizeof(*v));

	(void)ctx;
	*obj_r = v;
	return push_load(c, id, v);
}

/* Those of these credentials that are not over. */
static int
all(struct jmap_call *c, uint64_t **ids_r, size_t *n_r)
{
	const unsigned char *credential;
	struct store_push *v;
	size_t n;
	int rc;

	if ((rc = push_credential(c, &credential)) < 0 ||
	    (rc = store_push_list(c->st, c->arena, &v, &n)) < 0)
		return rc;
	/* Of an account that was restored nobody else may know. */
	if (n > 0 && (rc = store_push_hint(c->st)) < 0)
		return rc;
	*ids_r = arena_calloc(c->arena, n + 1, sizeof(**ids_r));
	*n_r = 0;
	for (size_t i = 0; i < n; i++)
		if (is_mine(&v[i], credential))
			(*ids_r)[(*n_r)++] = v[i].id;
	return 0;
}

const struct jmap_type push_type = {
	.name = "PushSubscription",
	.prefix = 'P',
	.stateless = true,
	.props = props,
	.load = load,
	.all = all
};

int
push_get(struct jmap_call *c)
{
	int rc;

	if ((rc = push_begin(c)) < 0 || (rc = check_names(c)) < 0)
		return rc;
	return type_get(c, &push_type, NULL);
}
