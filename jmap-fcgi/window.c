/* jmap-fcgi/window.c - the part of a result that a /query asks for, and its
 * FilterOperators (RFC 8620 5.5) */
#include "config.h"

#include "jmap-fcgi/type.h"

enum { LIMIT_MAX = 10000 };	/* ids in one answer, whatever was asked */

const struct jmap_arg window_args[] = {
	{ "filter", ARG_OBJECT, ARG_NULL },
	{ "sort", ARG_ARRAY, ARG_NULL },
	{ "position", ARG_INT, 0 },
	{ "anchor", ARG_ID, ARG_NULL },
	{ "anchorOffset", ARG_INT, 0 },
	{ "limit", ARG_UINT, ARG_NULL },
	{ "calculateTotal", ARG_BOOL, 0 },
	{ NULL, 0, 0 }
};

int
filter_operator(json_t *v, enum filter_op *op_r, json_t **conditions_r)
{
	static const char *const names[] = { "AND", "OR", "NOT" };
	struct slice name = js_slice(json_object_get(v, "operator"));
	unsigned i = 0;

	*conditions_r = json_object_get(v, "conditions");
	while (i < 3 && !slice_eq(name, slice_str(names[i])))
		i++;
	*op_r = (enum filter_op)i;
	return i < 3 && json_is_array(*conditions_r) &&
	    json_object_size(v) == 2 ? 0 : -1;
}

void
window_parse(struct jmap_call *c, const struct jmap_type *t,
    struct query_window *w)
{
	json_t *v;

	memset(w, 0, sizeof(*w));
	w->type = t;
	if ((v = jmap_arg(c, "position")) != NULL)
		js_int(v, &w->position);
	if ((v = jmap_arg(c, "anchorOffset")) != NULL)
		js_int(v, &w->offset);
	if ((v = jmap_arg(c, "anchor")) != NULL) {
		w->has_anchor = true;
		if (id_resolve(c->req, t->prefix, js_slice(v),
		    &w->anchor) < 0)
			w->anchor = 0;
	}
	w->limit = UINT64_MAX;
	if ((v = jmap_arg(c, "limit")) != NULL)
		js_uint(v, &w->limit);
	if (w->limit > LIMIT_MAX) {
		w->limit = LIMIT_MAX;
		w->clamped = true;
	}
}

size_t
window_need(const struct query_window *w, size_t n)
{
	if (w->has_anchor || w->position < 0)
		return n;
	if ((uint64_t)w->position >= n ||
	    n - (uint64_t)w->position < w->limit)
		return n;
	return (size_t)((uint64_t)w->position + w->limit);
}

/* The index of the first result. */
static int
first_index(const struct query_window *w, const void *items, size_t n,
    uint64_t (*id)(const void *items, size_t i), size_t *first_r)
{
	int64_t at = w->position;
	size_t i = 0;

	if (w->has_anchor) {
		while (i < n && id(items, i) != w->anchor)
			i++;
		if (i == n)
			return JMAP_E_ANCHOR;
		at = (int64_t)i + w->offset;
	} else if (at < 0) {
		at += (int64_t)n;
	}
	*first_r = at < 0 ? 0 : (size_t)at;
	return 0;
}

int
window_put(struct jmap_call *c, const struct query_window *w, bool changes,
    const void *items, size_t n, uint64_t (*id)(const void *items, size_t i))
{
	json_t *ids;
	size_t first, end;
	uint64_t state;
	int rc;

	if ((rc = first_index(w, items, n, id, &first)) < 0 ||
	    (rc = type_state(c, w->type, &state)) < 0)
		return rc;
	ids = json_array();
	end = first < n && n - first > w->limit ? first + (size_t)w->limit : n;
	for (size_t i = first; i < end; i++)
		json_array_append_new(ids, id_json(w->type->prefix,
		    id(items, i)));
	js_put(c->out, "queryState", state_json(state));
	js_put(c->out, "canCalculateChanges", json_boolean(changes));
	js_put(c->out, "position", json_integer((json_int_t)first));
	js_put(c->out, "ids", ids);
	if (jmap_arg_bool(c, "calculateTotal"))
		js_put(c->out, "total", json_integer((json_int_t)n));
	if (w->clamped)
		js_put(c->out, "limit", json_integer((json_int_t)w->limit));
	return jmap_charge(c, js_size(ids, c->req->left));
}
