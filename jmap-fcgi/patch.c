/* jmap-fcgi/patch.c - PatchObjects (RFC 8620 5.3) over a type's table */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/type.h"

enum {
	PATH_MAX_TOKENS = 8,	/* no property of ours goes that deep */
	PATHS_MAX = 10000	/* of one object */
};

struct entry {		/* one key of the patch */
	struct slice path;	/* raw */
	struct slice tok[PATH_MAX_TOKENS];
	size_t n_tok;
	json_t *value;
};

/* In an order where what a path is a prefix of comes right after it. */
static int
by_path(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	size_t n = a->path.n < b->path.n ? a->path.n : b->path.n;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)a->path.p[i];
		unsigned char y = (unsigned char)b->path.p[i];

		x = x == '/' ? 0 : x;
		y = y == '/' ? 0 : y;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a->path.n < b->path.n ? -1 : a->path.n > b->path.n;
}

static bool
is_parent(const struct entry *a, const struct entry *b)
{
	return b->path.n > a->path.n && slice_starts(b->path, a->path) &&
	    b->path.p[a->path.n] == '/';
}

/* The sorted entries, or a SetError. */
static json_t *
entries(struct jmap_call *c, json_t *patch, struct entry **e_r, size_t *n_r)
{
	size_t n = 0, count = json_object_size(patch);
	struct entry *e;
	const char *key;
	json_t *v;

	if (count > PATHS_MAX)
		return set_error("invalidPatch", "too many keys");
	e = arena_calloc(c->arena, count + 1, sizeof(*e));
	json_object_foreach(patch, key, v) {
		e[n].path = slice_str(key);
		e[n].value = v;
		if (pointer_split(c->arena, e[n].path, e[n].tok,
		    PATH_MAX_TOKENS, &e[n].n_tok) < 0)
			return set_error("invalidPatch",
			    "a key is not a usable JSON pointer");
		n++;
	}
	qsort(e, n, sizeof(*e), by_path);
	for (size_t i = 1; i < n; i++)
		if (is_parent(&e[i - 1], &e[i]))
			return set_error("invalidPatch",
			    "a path is the prefix of another one");
	*e_r = e;
	*n_r = n;
	return NULL;
}

/* Puts v at the path below *root.  false: a parent is not there or an array. */
static bool
apply(json_t **root, const struct entry *e)
{
	json_t *at = *root, *v = e->value;
	const struct slice *last = &e->tok[e->n_tok - 1];

	if (e->n_tok == 1) {
		json_decref(*root);
		*root = json_incref(v);
		return true;
	}
	for (size_t i = 1; i + 1 < e->n_tok; i++)
		at = json_object_getn(at, e->tok[i].p, e->tok[i].n);
	if (!json_is_object(at))
		return false;
	if (json_is_null(v))
		json_object_deln(at, last->p, last->n);
	else
		json_object_setn(at, last->p, last->n, v);
	return true;
}

struct patch {
	struct jmap_call *c;
	const struct jmap_type *type;
	void *obj, *change;
	json_t *bad;		/* names of unacceptable properties */
};

static void
bad_prop(struct patch *p, struct slice name)
{
	json_array_append_new(p->bad, js_str(name));
}

/*
 * One property: what e[0..n) make of it.  1: invalidPatch; < 0: the store
 * failed.
 */
static int
patch_prop(struct patch *p, const struct entry *e, size_t n)
{
	struct slice name = e[0].tok[0];
	const char *text = arena_strndup(p->c->arena, name.p, name.n);
	const struct jmap_prop *prop = type_prop(p->type, name, NULL);
	json_t *old, *new;
	int rc = 0;

	if (prop == NULL) {
		bad_prop(p, name);
		return 0;
	}
	if ((old = prop->get(p->c, p->obj, text)) == NULL)
		return p->c->failed;
	new = json_deep_copy(old);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = apply(&new, &e[i]) ? 0 : 1;
	if (rc == 0 && !json_equal(old, new))
		if ((prop->flags & (PROP_IMMUTABLE | PROP_SERVER)) != 0 ||
		    prop->set == NULL || prop->set(p->c, p->change, new) < 0)
			bad_prop(p, name);
	json_decref(old);
	json_decref(new);
	return rc;
}

static json_t *
patch_all(struct patch *p, const struct entry *e, size_t n)
{
	for (size_t i = 0, k; i < n; i = k) {
		int rc;

		for (k = i + 1; k < n; k++)
			if (!slice_eq(e[i].tok[0], e[k].tok[0]))
				break;
		if ((rc = patch_prop(p, e + i, k - i)) < 0)
			return set_error_store(p->c, rc);
		if (rc > 0)
			return set_error("invalidPatch",
			    "the path's parent is not there");
	}
	return NULL;
}

static void
take_new(struct patch *p, json_t *object)
{
	const char *key;
	json_t *v;

	json_object_foreach(object, key, v) {
		const struct jmap_prop *prop;

		prop = type_prop(p->type, slice_str(key), NULL);
		if (prop == NULL || (prop->flags & PROP_SERVER) != 0 ||
		    prop->set == NULL || prop->set(p->c, p->change, v) < 0)
			bad_prop(p, slice_str(key));
	}
}

json_t *
set_patch(struct jmap_call *c, const struct jmap_type *t, void *obj,
    void *change, json_t *patch)
{
	struct patch p = { c, t, obj, change, NULL };
	struct entry *e = NULL;
	json_t *err = NULL;
	size_t n = 0;

	if (obj != NULL && (err = entries(c, patch, &e, &n)) != NULL)
		return err;
	p.bad = json_array();
	if (obj != NULL)
		err = patch_all(&p, e, n);
	else
		take_new(&p, patch);
	if (err == NULL && json_array_size(p.bad) > 0)
		return set_error_props(p.bad, NULL);
	json_decref(p.bad);
	return err;
}
