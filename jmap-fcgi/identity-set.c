/* jmap-fcgi/identity-set.c - Identity/set (RFC 8621 6.3) */
#include "config.h"

#include "jmap-fcgi/submission.h"
#include "libsession/session.h"

static json_t *
try_create(void *arg, const char *key, json_t *given)
{
	struct jmap_set *s = arg;
	struct jmap_call *c = s->c;
	struct store_identity v;
	struct identity_change ch;
	json_t *err;
	uint64_t id;
	int rc;

	memset(&ch, 0, sizeof(ch));
	err = set_patch(c, &identity_type, NULL, &ch, given);
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
	    (rc = store_identity_get(c->st, c->arena, id, &v)) < 0)
		return set_error_store(c, rc);
	set_created(s, key, given, id, &v);
	return NULL;
}

static json_t *
try_update(void *arg, const char *key, json_t *patch)
{
	struct jmap_set *s = arg;
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
try_destroy(void *arg, const char *key)
{
	struct jmap_set *s = arg;
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

static const struct set_ops ops = {
	.create = try_create, .update = try_update, .destroy = try_destroy
};

int
identity_set(struct jmap_call *c)
{
	struct jmap_set s;
	int rc;

	if ((rc = identity_ensure(c)) < 0 ||
	    (rc = set_begin(c, &identity_type, &s)) < 0)
		return rc;
	set_items(&s, &ops, &s);
	return set_end(&s, 0);
}
