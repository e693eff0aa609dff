/* jmap-fcgi/type-changes.c - Foo/changes for every type (RFC 8620 5.2) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/type.h"

enum { CHANGES_MAX = 10000 };	/* ids in one answer, whatever was asked */

const struct jmap_arg type_changes_args[] = {
	{ "sinceState", ARG_STRING, ARG_NEED },
	{ "maxChanges", ARG_UINT, ARG_NULL },
	{ NULL, 0, 0 }
};

static int
changes_max(struct jmap_call *c, size_t *max_r)
{
	json_t *v = jmap_arg(c, "maxChanges");
	uint64_t max = CHANGES_MAX;

	if (v != NULL && (js_uint(v, &max) < 0 || max == 0))
		return jmap_bad(c, "maxChanges must be greater than 0");
	*max_r = max < CHANGES_MAX ? (size_t)max : CHANGES_MAX;
	return 0;
}

static void
put_changes(struct jmap_call *c, const struct jmap_type *t,
    const struct store_change *ch, size_t n)
{
	json_t *out[3];

	out[STORE_CREATED] = json_array();
	out[STORE_UPDATED] = json_array();
	out[STORE_DESTROYED] = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(out[ch[i].kind],
		    id_json(t->prefix, ch[i].id));
	js_put(c->out, "created", out[STORE_CREATED]);
	js_put(c->out, "updated", out[STORE_UPDATED]);
	js_put(c->out, "destroyed", out[STORE_DESTROYED]);
}

int
type_changes(struct jmap_call *c, const struct jmap_type *t)
{
	json_t *since = json_object_get(c->args, "sinceState");
	struct store_change *ch;
	uint64_t from, state, now;
	size_t max = 0, n;
	bool more;
	int rc;

	if ((rc = changes_max(c, &max)) < 0 ||
	    (rc = type_state(c, t, &now)) < 0)
		return rc;
	if (state_parse(js_slice(since), &from) < 0 ||
	    account_moved(c->acct, from))
		return JMAP_E_CHANGES;
	rc = store_changes(c->st, c->arena, t->store, from, max, &ch, &n,
	    &state, &more);
	if (rc == STORE_E_TOOOLD || rc == STORE_E_INVALID)
		return JMAP_E_CHANGES;
	if (rc < 0)
		return jmap_store_failed(c->req, "changes", rc);
	if (t->filter != NULL && (rc = t->filter(c, ch, &n)) < 0)
		return rc;
	js_put(c->out, "oldState", json_incref(since));
	js_put(c->out, "newState", state_json(more ? state : now));
	js_put(c->out, "hasMoreChanges", json_boolean(more));
	put_changes(c, t, ch, n);
	return jmap_charge(c, n * 20);
}
