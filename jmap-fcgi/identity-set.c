/* jmap-fcgi/identity-set.c - Identity/set (RFC 8621 6.3) */
#include "config.h"

#include "jmap-fcgi/submission.h"
#include "libsession/session.h"

/* All that the client did not give, RFC 8620 5.3 "created". */
static int
put_created(struct jmap_set *s, const char *key, json_t *given, uint64_t id)
{
	struct jmap_call *c = s->c;
	struct store_identity v;
	json_t *o, *value, *same;
	int rc;

	if ((rc = store_identity_get(c->st, c->arena, id, &v)) < 0)
		return jmap_store_failed(c->req, "Identity/set", rc);
	o = json_object();
	for (const struct jmap_prop *p = identity_type.props; p->name; p++) {
		value = p->get(c, &v, p->name);
		same = json_object_get(given, p->name);
		if (same != NULL && json_equal(same, value))
			json_decref(value);
		else
			js_put(o, p->name, value);
	}
	js_put(s->created, key, o);
	js_put(c->req->created, key, id_json('I', id));
	return 0;
}

/* NULL, or a SetError. */
static json_t *
try_create(struct jmap_set *s, const char *key, json_t *arg)
{
	struct jmap_call *c = s->c;
	struct identity_change ch;
	json_t *err;
	uint64_t id;
	int rc;

	memset(&ch, 0, sizeof(ch));
	err = set_patch(c, &identity_type, NULL, &ch, arg);
	if (err != NULL)
		return err;
	if (ch.v.email.n == 0)
		return set_error_prop("email", "missing");
	rc = login_sender(c->req->env->conf, c->req->user->account,
	    ch.v.email, c->arena);
	if (rc == LOGIN_E_TEMP)
		return set_error_store(c, STORE_E_IO);
	if (rc != LOGIN_OK)
		return set_error("forbiddenFrom",
		    "mail for that address isn't delivered to you");
	if ((rc = store_identity_create(c->st, &ch.v, &id)) < 0 ||
	    (rc = put_created(s, key, arg, id)) < 0)
		return set_error_store(c, rc);
	return NULL;
}

static json_t *
try_update(struct jmap_set *s, const char *key, json_t *patch)
{
	struct jmap_call *c = s->c;
	struct store_identity old;
	struct identity_change ch;
	char text[STORE_ID_TEXT];
	json_t *err;
	uint64_t id;
	int rc;

	if (id_resolve(c->req, 'I', slice_str(key), &id) < 0)
		return set_error("notFound", NULL);
	if ((rc = store_identity_get(c->st, c->arena, id, &old)) < 0)
		return set_error_store(c, rc);
	memset(&ch, 0, sizeof(ch));
	err = set_patch(c, &identity_type, &old, &ch, patch);
	if (err != NULL)
		return err;
	if ((rc = store_identity_update(c->st, id, &ch.v, ch.set)) < 0)
		return set_error_store(c, rc);
	js_put(s->updated, store_id_text('I', id, text), json_null());
	return NULL;
}

static json_t *
try_destroy(struct jmap_set *s, const char *key)
{
	struct jmap_call *c = s->c;
	uint64_t id;
	int rc;

	if (id_resolve(c->req, 'I', slice_str(key), &id) < 0)
		return set_error("notFound", NULL);
	if ((rc = store_identity_destroy(c->st, id)) < 0)
		return set_error_store(c, rc);
	json_array_append_new(s->destroyed, id_json('I', id));
	return NULL;
}

static bool
will_destroy(const struct jmap_set *s, const char *key)
{
	json_t *v;
	size_t i;

	json_array_foreach(s->destroy, i, v)
		if (slice_eq(js_slice(v), slice_str(key)))
			return true;
	return false;
}

static void
run(struct jmap_set *s)
{
	const char *key;
	json_t *v, *err;
	size_t i;

	json_object_foreach(s->create, key, v)
		if ((err = try_create(s, key, v)) != NULL)
			js_put(s->not_created, key, err);
	json_object_foreach(s->update, key, v) {
		err = will_destroy(s, key) ? set_error("willDestroy", NULL) :
		    try_update(s, key, v);
		if (err != NULL)
			js_put(s->not_updated, key, err);
	}
	json_array_foreach(s->destroy, i, v)
		if ((err = try_destroy(s, json_string_value(v))) != NULL)
			js_put(s->not_destroyed, json_string_value(v), err);
}

int
identity_set(struct jmap_call *c)
{
	struct jmap_set s;
	int rc;

	if ((rc = identity_ensure(c)) < 0 ||
	    (rc = set_begin(c, &identity_type, &s)) < 0)
		return rc;
	run(&s);
	return set_end(&s, 0);
}
