/* jmap-fcgi/type-get.c - Foo/get for every type (RFC 8620 5.1) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/type.h"

#include <inttypes.h>

const struct jmap_arg type_get_args[] = {
	{ "ids", ARG_IDS, ARG_NULL },
	{ "properties", ARG_IDS, ARG_NULL },
	{ NULL, 0, 0 }
};

const struct jmap_prop *
type_prop(const struct jmap_type *t, struct slice name, const char **desc_r)
{
	for (const struct jmap_prop *p = t->props; p->name != NULL; p++)
		if (slice_eq(name, slice_str(p->name)))
			return p;
	return t->other != NULL ? t->other(name, desc_r) : NULL;
}

int
type_state(struct jmap_call *c, const struct jmap_type *t,
    uint64_t *modseq_r)
{
	uint64_t rights = account_rights_modseq(c->acct);
	int rc = store_type_modseq(c->st, t->store, modseq_r);

	if (rc == 0 && *modseq_r < rights)
		*modseq_r = rights;
	return rc < 0 ? jmap_store_failed(c->req, "state", rc) : 0;
}

json_t *
type_fail(struct jmap_call *c, int rc)
{
	c->failed = rc;
	return NULL;
}

static bool
wanted(const struct jmap_want *w, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(w[i].name, name) == 0)
			return true;
	return false;
}

/* Those marked as default; where none is, all. */
static int
wants_default(struct jmap_call *c, const struct jmap_type *t,
    struct jmap_want **want_r, size_t *n_r)
{
	struct jmap_want *w = NULL;
	size_t n = 0, cap = 0;
	unsigned any = 0;

	for (const struct jmap_prop *p = t->props; p->name != NULL; p++)
		any |= p->flags & PROP_DEFAULT;
	for (const struct jmap_prop *p = t->props; p->name != NULL; p++) {
		if ((p->flags & PROP_DEFAULT) != any)
			continue;
		w = arena_grow(c->arena, w, &cap, n + 1, sizeof(*w));
		w[n++] = (struct jmap_want){ p, p->name };
	}
	*want_r = w;
	*n_r = n;
	return 0;
}

enum { WANTS_MAX = 1000 };

int
type_wants(struct jmap_call *c, const struct jmap_type *t, json_t *names,
    struct jmap_want **want_r, size_t *n_r)
{
	struct jmap_want *w = NULL;
	size_t n = 0, cap = 0, i;
	json_t *v;

	if (names == NULL)
		return wants_default(c, t, want_r, n_r);
	json_array_foreach(names, i, v) {
		const char *desc = NULL, *name = json_string_value(v);
		const struct jmap_prop *p = type_prop(t, js_slice(v), &desc);

		if (p == NULL)
			return jmap_bad(c, "%.100s: %s", name,
			    desc ? desc : "no such property");
		if (wanted(w, n, name))
			continue;
		if (n == WANTS_MAX)
			return jmap_bad(c, "too many properties");
		w = arena_grow(c->arena, w, &cap, n + 1, sizeof(*w));
		w[n++] = (struct jmap_want){ p, name };
	}
	*want_r = w;
	*n_r = n;
	return 0;
}

json_t *
type_encode(struct jmap_call *c, const struct jmap_want *w, size_t n,
    void *obj, int *rc_r)
{
	json_t *o = json_object(), *v;

	for (size_t i = 0; i < n; i++) {
		v = w[i].prop->get(c, obj, w[i].name);
		if (v == NULL) {
			json_decref(o);
			*rc_r = c->failed;
			return NULL;
		}
		js_put(o, w[i].name, v);
	}
	*rc_r = 0;
	return o;
}

struct get {
	struct jmap_call *c;
	const struct jmap_type *type;
	void *ctx;
	struct jmap_want *want;
	size_t n_want;
	json_t *list, *not_found;
	json_t *seen;		/* an object used as a set of texts */
};

static int
get_one(struct get *g, uint64_t id)
{
	struct jmap_call *c = g->c;
	size_t size, before = c->req->left;
	json_t *o;
	void *obj;
	int rc;

	if (jmap_gone(c))
		return JMAP_E_GONE;
	arena_reset(c->req->scratch);
	rc = g->type->load(c, g->ctx, id, &obj);
	if (rc == STORE_E_NOTFOUND)
		return 1;
	if (rc < 0)
		return rc > JMAP_E_ARGS ?
		    jmap_store_failed(c->req, "get", rc) : rc;
	o = type_encode(c, g->want, g->n_want, obj, &rc);
	if (o == NULL)
		return rc;
	if (json_object_get(o, "id") == NULL)
		js_put(o, "id", id_json(g->type->prefix, id));
	c->req->left = before;	/* encoders charge what may be large */
	size = js_size(o, before);
	json_array_append_new(g->list, o);
	return jmap_charge(c, size);
}

static int
get_all(struct get *g)
{
	struct jmap_call *c = g->c;
	uint64_t *ids;
	size_t n;
	int rc;

	if (g->type->all == NULL)
		return jmap_bad(c, "ids may not be null for %s",
		    g->type->name);
	if ((rc = g->type->all(c, &ids, &n)) < 0)
		return jmap_store_failed(c->req, "list", rc);
	if (n > c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	for (size_t i = 0; i < n; i++)
		if ((rc = get_one(g, ids[i])) < 0)
			return rc;
	return 0;
}

/* The text by which an id of the request is known: a creation id's real one. */
static json_t *
real_id(struct get *g, json_t *text)
{
	struct slice s = js_slice(text);
	json_t *v = NULL;

	if (s.n > 1 && s.p[0] == '#')
		v = json_object_getn(g->c->req->created, s.p + 1, s.n - 1);
	return v != NULL ? v : text;
}

static int
get_ids(struct get *g, json_t *ids)
{
	size_t i;
	json_t *v;
	uint64_t id;
	int rc;

	if (json_array_size(ids) > g->c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	json_array_foreach(ids, i, v) {
		json_t *text = real_id(g, v);
		struct slice s = js_slice(text);

		if (json_object_getn(g->seen, s.p, s.n) != NULL)
			continue;
		json_object_setn_new(g->seen, s.p, s.n, json_true());
		rc = 1;
		if (store_id_from(g->type->prefix, s, &id) == 0 &&
		    (rc = get_one(g, id)) < 0)
			return rc;
		if (rc == 0)
			continue;
		json_array_append(g->not_found, text);
		if ((rc = jmap_charge(g->c, s.n + 3)) < 0)
			return rc;
	}
	return 0;
}

int
type_get(struct jmap_call *c, const struct jmap_type *t, void *ctx)
{
	struct get g = { .c = c, .type = t, .ctx = ctx };
	json_t *ids = jmap_arg(c, "ids");
	uint64_t state;
	int rc;

	rc = type_wants(c, t, jmap_arg(c, "properties"), &g.want, &g.n_want);
	if (rc < 0 || (!t->stateless && (rc = type_state(c, t, &state)) < 0))
		return rc;
	g.list = json_array();
	g.not_found = json_array();
	g.seen = json_object();
	if (!t->stateless)
		js_put(c->out, "state", state_json(state));
	js_put(c->out, "list", g.list);
	js_put(c->out, "notFound", g.not_found);
	rc = ids != NULL ? get_ids(&g, ids) : get_all(&g);
	json_decref(g.seen);
	return rc;
}
