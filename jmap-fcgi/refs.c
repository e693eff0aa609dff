/* jmap-fcgi/refs.c - result references (RFC 8620 3.7) */
#include "config.h"

#include "jmap-fcgi/jmap.h"

/* The arguments of the first response with that call id, if it has that name. */
static json_t *
response(const struct jmap_req *r, struct slice call_id, struct slice name)
{
	json_t *inv;
	size_t i;

	json_array_foreach(r->responses, i, inv) {
		if (!slice_eq(js_slice(json_array_get(inv, 2)), call_id))
			continue;
		if (!slice_eq(js_slice(json_array_get(inv, 0)), name))
			return NULL;
		return json_array_get(inv, 1);
	}
	return NULL;
}

static json_t *
resolve(struct jmap_call *c, const json_t *ref)
{
	struct slice of = js_slice(json_object_get(ref, "resultOf"));
	struct slice name = js_slice(json_object_get(ref, "name"));
	struct slice path = js_slice(json_object_get(ref, "path"));
	json_t *from, *v;
	size_t size;

	if (of.p == NULL || name.p == NULL || path.p == NULL) {
		c->desc = "not a ResultReference object";
		return NULL;
	}
	if ((from = response(c->req, of, name)) == NULL) {
		c->desc = "no such response before this call";
		return NULL;
	}
	if ((v = pointer_get(from, path, &c->req->left)) == NULL) {
		c->desc = "the path leads nowhere";
		return NULL;
	}
	/* What is referred to may be sent again, and referred to again. */
	size = js_size(v, c->req->left);
	if (size > c->req->left) {
		json_decref(v);
		c->desc = "too large";
		return NULL;
	}
	c->req->left -= size;
	return v;
}

int
refs_resolve(struct jmap_call *c, json_t *args)
{
	const char **keys = NULL, *key;
	size_t n = 0, cap = 0;
	json_t *v;

	/* The object may not change while it is looked through. */
	json_object_foreach(args, key, v) {
		if (key[0] != '#')
			continue;
		keys = arena_grow(c->arena, keys, &cap, n + 1, sizeof(*keys));
		keys[n++] = arena_strdup(c->arena, key);
	}
	for (size_t i = 0; i < n; i++) {
		if (json_object_get(args, keys[i] + 1) != NULL)
			return jmap_bad(c, "both %s and %s are given",
			    keys[i] + 1, keys[i]);
		v = resolve(c, json_object_get(args, keys[i]));
		if (v == NULL)
			return JMAP_E_REF;
		json_object_set_new(args, keys[i] + 1, v);
		json_object_del(args, keys[i]);
	}
	return 0;
}
