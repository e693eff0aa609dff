/* jmap-fcgi/type-set.c - what Foo/set has in common (RFC 8620 5.3) */
#include "config.h"

#include "jmap-fcgi/type.h"

enum { OBJECT_CHARGE = 1024 };	/* octets of what the server adds to one */

const struct jmap_arg type_set_args[] = {
	{ "ifInState", ARG_STRING, ARG_NULL },
	{ "create", ARG_OBJECT, ARG_NULL },
	{ "update", ARG_OBJECT, ARG_NULL },
	{ "destroy", ARG_IDS, ARG_NULL },
	{ NULL, 0, 0 }
};

int
set_check_state(struct jmap_call *c, const struct jmap_type *t)
{
	json_t *want = jmap_arg(c, "ifInState"), *old;
	uint64_t state;
	int rc;

	if ((rc = type_state(c, t, &state)) < 0)
		return rc;
	old = state_json(state);
	if (want != NULL && !json_equal(want, old)) {
		json_decref(old);
		return JMAP_E_STATE;
	}
	js_put(c->out, "oldState", old);
	return 0;
}

int
set_new_state(struct jmap_call *c, const struct jmap_type *t)
{
	uint64_t state;
	int rc;

	if ((rc = type_state(c, t, &state)) < 0)
		return rc;
	js_put(c->out, "newState", state_json(state));
	return 0;
}

static int
objects(struct jmap_call *c, const char *name)
{
	const char *key;
	json_t *v;

	json_object_foreach(jmap_arg(c, name), key, v)
		if (!json_is_object(v))
			return jmap_bad(c, "%s/%.100s must be an object",
			    name, key);
	json_object_foreach(jmap_arg(c, "create"), key, v)
		if (!js_is_id(slice_str(key)))
			return jmap_bad(c, "a creation id is not an Id");
	return 0;
}

/* The ids to destroy, as a set. */
static json_t *
destroy_set(struct jmap_set *s)
{
	json_t *o = json_object(), *v;
	size_t i;

	json_array_foreach(s->destroy, i, v)
		json_object_setn_new(o, json_string_value(v),
		    json_string_length(v), json_true());
	return o;
}

/*
 * What the answer may take: it has to be had before anything is changed, for
 * what is done can't be answered with an error that says it was not.  Most of
 * what an object's answer has is of the request.
 */
static int
charge(struct jmap_call *c, size_t n)
{
	return jmap_charge(c, n * OBJECT_CHARGE +
	    js_size(c->args, c->req->left));
}

int
set_begin(struct jmap_call *c, const struct jmap_type *t, struct jmap_set *s)
{
	size_t n;
	int rc;

	memset(s, 0, sizeof(*s));
	s->c = c;
	s->type = t;
	s->create = jmap_arg(c, "create");
	s->update = jmap_arg(c, "update");
	s->destroy = jmap_arg(c, "destroy");
	n = json_object_size(s->create) + json_object_size(s->update) +
	    json_array_size(s->destroy);
	if (n > c->req->env->conf->jmap_max_objects_in_set)
		return JMAP_E_TOOLARGE;
	if ((rc = objects(c, "create")) < 0 ||
	    (rc = objects(c, "update")) < 0 ||
	    (!t->stateless && (rc = set_check_state(c, t)) < 0))
		return rc;
	if ((rc = charge(c, n)) < 0)
		return rc;
	s->created = json_object();
	s->updated = json_object();
	s->destroyed = json_array();
	s->not_created = json_object();
	s->not_updated = json_object();
	s->not_destroyed = json_object();
	s->destroying = destroy_set(s);
	return 0;
}

void
set_created(struct jmap_set *s, const char *key, json_t *given, uint64_t id,
    void *obj)
{
	struct jmap_call *c = s->c;
	json_t *o = json_object(), *v, *same;

	for (const struct jmap_prop *p = s->type->props; p->name; p++) {
		v = p->get(c, obj, p->name);
		same = json_object_get(given, p->name);
		if (same != NULL && json_equal(same, v))
			json_decref(v);
		else
			js_put(o, p->name, v);
	}
	js_put(s->created, key, o);
	js_put(c->req->created, key, id_json(s->type->prefix, id));
}

void
set_items(struct jmap_set *s, const struct set_ops *ops, void *arg)
{
	const char *key;
	json_t *v, *err;

	json_object_foreach(s->create, key, v)
		if ((err = ops->create(arg, key, v)) != NULL)
			js_put(s->not_created, key, err);
	json_object_foreach(s->update, key, v) {
		err = json_object_get(s->destroying, key) != NULL ?
		    set_error("willDestroy", NULL) :
		    ops->update(arg, key, v);
		if (err != NULL)
			js_put(s->not_updated, key, err);
	}
	json_object_foreach(s->destroying, key, v)
		if ((err = ops->destroy(arg, key)) != NULL)
			js_put(s->not_destroyed, key, err);
}

int
set_end(struct jmap_set *s, int rc)
{
	json_t *out = s->c->out;

	json_decref(s->destroying);
	if (rc == 0 && !s->type->stateless)
		rc = set_new_state(s->c, s->type);
	js_put_some(out, "created", s->created);
	js_put_some(out, "updated", s->updated);
	js_put_some(out, "destroyed", s->destroyed);
	js_put_some(out, "notCreated", s->not_created);
	js_put_some(out, "notUpdated", s->not_updated);
	js_put_some(out, "notDestroyed", s->not_destroyed);
	if (rc < 0 && rc != JMAP_E_GONE && (json_object_size(s->created) > 0 ||
	    json_object_size(s->updated) > 0 ||
	    json_array_size(s->destroyed) > 0))
		rc = JMAP_E_PARTIAL;
	return rc;
}

json_t *
set_error(const char *type, const char *desc)
{
	json_t *e = json_object();

	js_put_str(e, "type", type);
	if (desc != NULL)
		js_put(e, "description", js_str(slice_str(desc)));
	return e;
}

json_t *
set_error_props(json_t *props, const char *desc)
{
	json_t *e = set_error("invalidProperties", desc);

	js_put(e, "properties", props);
	return e;
}

json_t *
set_error_prop(const char *prop, const char *desc)
{
	json_t *props = json_array();

	json_array_append_new(props, js_str(slice_str(prop)));
	return set_error_props(props, desc);
}

json_t *
set_error_store(struct jmap_call *c, int rc)
{
	static const struct {
		int rc;
		const char *type;
	} map[] = {
		{ STORE_E_NOTFOUND, "notFound" },
		{ STORE_E_QUOTA, "overQuota" },
		{ STORE_E_LIMIT, "overQuota" },
		{ STORE_E_TOOBIG, "tooLarge" },
		{ STORE_E_DENIED, "forbidden" },
		{ STORE_E_EXISTS, "alreadyExists" },
		{ STORE_E_HASCHILD, "mailboxHasChild" },
		{ STORE_E_NOTEMPTY, "mailboxHasEmail" },
		{ STORE_E_INVALID, "invalidProperties" },
	};

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].rc == rc)
			return set_error(map[i].type, NULL);
	/* Not the object's fault: the method table's name for it. */
	jmap_store_failed(c->req, c->method->name, rc);
	return set_error(jmap_error_name(rc), store_error(rc)->text);
}
