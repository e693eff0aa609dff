/* jmap-fcgi/push-set.c - PushSubscription/set (RFC 8620 7.2.2) */
#include "config.h"

#include <time.h>

#include "jmap-fcgi/push.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum { CODE_OCTETS = 16 };

/* No ifInState: there are no states. */
const struct jmap_arg push_set_args[] = {
	{ "create", ARG_OBJECT, ARG_NULL },
	{ "update", ARG_OBJECT, ARG_NULL },
	{ "destroy", ARG_IDS, ARG_NULL },
	{ NULL, 0, 0 }
};

static struct slice
new_code(struct arena *a)
{
	unsigned char octets[CODE_OCTETS];
	struct slice code;
	struct buf b;

	random_bytes(octets, sizeof(octets));
	buf_init(&b, 2 * CODE_OCTETS);
	hex_encode(&b, slice_make((const char *)octets, sizeof(octets)));
	code = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return code;
}

/* What the client did not give, or not so. */
static void
put_created(struct jmap_set *s, const char *key, json_t *given,
    const struct push_change *ch, uint64_t id)
{
	static const char *const null[] = {
		"keys", "verificationCode", "types", NULL
	};
	json_t *o = json_object();

	js_put(o, "id", id_json('P', id));
	for (size_t i = 0; null[i] != NULL; i++)
		if (json_object_get(given, null[i]) == NULL)
			js_put(o, null[i], json_null());
	if (!ch->has_expires)
		js_put(o, "expires", js_time(ch->v.expires));
	js_put(s->created, key, o);
	js_put(s->c->req->created, key, id_json('P', id));
}

static json_t *
missing(const struct push_change *ch)
{
	if (ch->v.device.n == 0)
		return set_error_prop("deviceClientId", "missing");
	if (ch->v.url.n == 0)
		return set_error_prop("url", "missing");
	if (ch->v.code.p != NULL)
		return set_error_prop("verificationCode",
		    "it comes with the first push");
	return NULL;
}

static json_t *
try_create(void *arg, const char *key, json_t *given)
{
	struct jmap_set *s = arg;
	struct jmap_call *c = s->c;
	const unsigned char *credential;
	struct push_change ch;
	json_t *err;
	uint64_t id;
	int rc;

	memset(&ch, 0, sizeof(ch));
	ch.v.all_types = true;
	ch.v.expires = time(NULL) + c->req->env->conf->push_expires_s;
	if ((err = set_patch(c, &push_type, NULL, &ch, given)) != NULL ||
	    (err = missing(&ch)) != NULL)
		return err;
	ch.v.user = slice_str(c->req->user->by);
	ch.v.code = new_code(c->arena);
	if ((rc = push_credential(c, &credential)) < 0)
		return set_error_store(c, rc);
	memcpy(ch.v.credential, credential, sizeof(ch.v.credential));
	rc = store_push_create(c->st, &ch.v, &id);
	if (rc == STORE_E_BUSY)
		return set_error("rateLimit",
		    "too many were made lately");
	if (rc < 0)
		return set_error_store(c, rc);
	put_created(s, key, given, &ch, id);
	return NULL;
}

/* The client knows the code, or it is as it was. */
static bool
code_right(const struct store_push *old, struct slice code)
{
	return code.n == old->code.n &&
	    secret_eq(code.p, old->code.p, code.n);
}

static json_t *
try_update(void *arg, const char *key, json_t *patch)
{
	struct jmap_set *s = arg;
	struct jmap_call *c = s->c;
	struct store_push old;
	struct push_change ch;
	char text[STORE_ID_TEXT];
	json_t *err, *o = json_null();
	uint64_t id;
	int rc;

	if (id_resolve(c->req, 'P', slice_str(key), &id) < 0)
		return set_error("notFound", NULL);
	if ((rc = push_load(c, id, &old)) < 0)
		return set_error_store(c, rc);
	memset(&ch, 0, sizeof(ch));
	if ((err = set_patch(c, &push_type, &old, &ch, patch)) != NULL)
		return err;
	/* A value that isn't another one doesn't come here. */
	if (json_object_get(patch, "verificationCode") != NULL &&
	    !json_is_null(json_object_get(patch, "verificationCode"))) {
		ch.v.code = js_slice(json_object_get(patch,
		    "verificationCode"));
		if (!code_right(&old, ch.v.code))
			return set_error_prop("verificationCode",
			    "it is another one");
		ch.v.state = STORE_PUSH_VERIFIED;
		ch.set |= STORE_PUSH_SET_STATE;
	}
	if ((rc = store_push_update(c->st, id, &ch.v, ch.set)) < 0)
		return set_error_store(c, rc);
	if ((ch.set & STORE_PUSH_SET_EXPIRES) && !ch.has_expires) {
		o = json_object();
		js_put(o, "expires", js_time(ch.v.expires));
	}
	js_put(s->updated, store_id_text('P', id, text), o);
	return NULL;
}

static json_t *
try_destroy(void *arg, const char *key)
{
	struct jmap_set *s = arg;
	struct jmap_call *c = s->c;
	struct store_push old;
	uint64_t id;
	int rc;

	if (id_resolve(c->req, 'P', slice_str(key), &id) < 0)
		return set_error("notFound", NULL);
	if ((rc = push_load(c, id, &old)) < 0 ||
	    (rc = store_push_destroy(c->st, id)) < 0)
		return set_error_store(c, rc);
	json_array_append_new(s->destroyed, id_json('P', id));
	return NULL;
}

static const struct set_ops ops = {
	.create = try_create, .update = try_update, .destroy = try_destroy
};

int
push_set(struct jmap_call *c)
{
	struct jmap_set s;
	int rc;

	if ((rc = push_begin(c)) < 0 ||
	    (rc = set_begin(c, &push_type, &s)) < 0)
		return rc;
	set_items(&s, &ops, &s);
	return set_end(&s, 0);
}
