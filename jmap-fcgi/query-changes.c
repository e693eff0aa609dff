/* jmap-fcgi/query-changes.c - what all /queryChanges do (RFC 8620 5.6) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/type.h"

const struct jmap_arg query_changes_args[] = {
	{ "filter", ARG_OBJECT, ARG_NULL },
	{ "sort", ARG_ARRAY, ARG_NULL },
	{ "sinceQueryState", ARG_STRING, ARG_NEED },
	{ "maxChanges", ARG_UINT, ARG_NULL },
	{ "upToId", ARG_ID, ARG_NULL },
	{ "calculateTotal", ARG_BOOL, 0 },
	{ NULL, 0, 0 }
};

int
query_changes_since(struct jmap_call *c, enum store_type t,
    struct store_change **ch_r, size_t *n_r)
{
	json_t *since = json_object_get(c->args, "sinceQueryState");
	uint64_t from, state;
	bool more;
	int rc;

	*ch_r = NULL;
	*n_r = 0;
	/* What was visible is not known. */
	if (state_parse(js_slice(since), &from) < 0 ||
	    !account_is_own(c->acct))
		return JMAP_E_CHANGES;
	rc = store_changes(c->st, c->arena, t, from, 0, ch_r, n_r, &state,
	    &more);
	if (rc == STORE_E_TOOOLD || rc == STORE_E_INVALID)
		return JMAP_E_CHANGES;
	return rc < 0 ? jmap_store_failed(c->req, c->method->name, rc) : 0;
}

void
query_changes_begin(struct query_changes *d, struct jmap_call *c,
    const struct jmap_type *t)
{
	d->c = c;
	d->type = t;
	d->removed = json_array();
	d->added = json_array();
	js_put(c->out, "removed", d->removed);
	js_put(c->out, "added", d->added);
}

void
query_changes_remove(struct query_changes *d, uint64_t id)
{
	json_array_append_new(d->removed, id_json(d->type->prefix, id));
}

void
query_changes_add(struct query_changes *d, uint64_t id, size_t index)
{
	json_t *o = json_object();

	js_put(o, "id", id_json(d->type->prefix, id));
	js_put(o, "index", json_integer((json_int_t)index));
	json_array_append_new(d->added, o);
}

int
query_changes_end(struct query_changes *d, size_t total)
{
	struct jmap_call *c = d->c;
	size_t n = json_array_size(d->removed) + json_array_size(d->added);
	json_t *v = jmap_arg(c, "maxChanges");
	uint64_t state, max = UINT64_MAX;
	int rc;

	if (v != NULL && (js_uint(v, &max) < 0 || max == 0))
		return jmap_bad(c, "maxChanges must be greater than 0");
	if ((rc = type_state(c, d->type, &state)) < 0)
		return rc;
	js_put(c->out, "oldQueryState",
	    json_incref(json_object_get(c->args, "sinceQueryState")));
	js_put(c->out, "newQueryState", state_json(state));
	if (jmap_arg_bool(c, "calculateTotal"))
		js_put(c->out, "total", json_integer((json_int_t)total));
	if (n > max)
		return JMAP_E_TOO_MANY;
	return jmap_charge(c, n * 40);
}
