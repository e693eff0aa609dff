/* jmap-fcgi/quota.c - Quota/get and /changes (RFC 9425 4) */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "jmap-fcgi/quota.h"

enum { NUMBERS = 2 * QUOTA_N };

void
quota_list(const struct store_usage *u, struct quota q[QUOTA_N])
{
	q[0] = (struct quota){ 1, "Mail storage", "octets", "Email", u->size,
		u->size_limit };
	q[1] = (struct quota){ 2, "Messages", "count", "Email", u->messages,
		u->message_limit };
	q[2] = (struct quota){ 3, "Mailboxes", "count", "Mailbox",
		u->mailboxes, u->mailbox_limit };
}

bool
quota_shown(const struct jmap_call *c)
{
	return (c->req->using & CAP_MAIL) != 0;
}

int
quota_usage(struct jmap_call *c, struct store_usage *u_r)
{
	int rc = store_usage(c->st, u_r);

	return rc < 0 ? jmap_store_failed(c->req, "quota", rc) : 0;
}

/* ---- the state --------------------------------------------------------- */

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
quota_state_parse(struct slice s, struct store_usage *u_r)
{
	char again[QUOTA_STATE_MAX];
	uint64_t v[NUMBERS] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '-' && n + 1 < NUMBERS)
			n++;
		else if (hex(s.p[i]) >= 0 && v[n] >> 60 == 0)
			v[n] = v[n] << 4 | (uint64_t)hex(s.p[i]);
		else
			return -1;
	}
	*u_r = (struct store_usage){ v[0], v[1], v[2], v[3], v[4], v[5] };
	quota_state(u_r, again);
	return slice_eq(s, slice_str(again)) ? 0 : -1;
}

void
quota_put_state(struct jmap_call *c, const char *key,
    const struct store_usage *u)
{
	char text[QUOTA_STATE_MAX];

	quota_state(u, text);
	js_put_str(c->out, key, text);
}

/* ---- the properties ---------------------------------------------------- */

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	const struct quota *q = obj;

	(void)c;
	(void)name;
	return id_json('Q', q->id);
}

static json_t *
get_text(struct jmap_call *c, void *obj, const char *name)
{
	const struct quota *q = obj;

	(void)c;
	return json_string(strcmp(name, "name") == 0 ? q->name : q->resource);
}

static json_t *
get_number(struct jmap_call *c, void *obj, const char *name)
{
	const struct quota *q = obj;

	(void)c;
	return json_integer((json_int_t)(strcmp(name, "used") == 0 ?
	    q->used : q->limit));
}

static json_t *
get_scope(struct jmap_call *c, void *obj, const char *name)
{
	(void)c;
	(void)obj;
	(void)name;
	return json_string("account");
}

static json_t *
get_types(struct jmap_call *c, void *obj, const char *name)
{
	const struct quota *q = obj;
	json_t *list = json_array();

	(void)c;
	(void)name;
	json_array_append_new(list, json_string(q->type));
	return list;
}

static json_t *
get_null(struct jmap_call *c, void *obj, const char *name)
{
	(void)c;
	(void)obj;
	(void)name;
	return json_null();
}

static const struct jmap_prop props[] = {
	/* clang-format off */
	{ "id",			PROP_SERVER,	get_id,		NULL },
	{ "resourceType",	PROP_SERVER,	get_text,	NULL },
	{ "used",		PROP_SERVER,	get_number,	NULL },
	{ "hardLimit",		PROP_SERVER,	get_number,	NULL },
	{ "scope",		PROP_SERVER,	get_scope,	NULL },
	{ "name",		PROP_SERVER,	get_text,	NULL },
	{ "types",		PROP_SERVER,	get_types,	NULL },
	{ "warnLimit",		PROP_SERVER,	get_null,	NULL },
	{ "softLimit",		PROP_SERVER,	get_null,	NULL },
	{ "description",	PROP_SERVER,	get_null,	NULL },
	{ NULL,			0,		NULL,		NULL }
	/* clang-format on */
};

static int
load(struct jmap_call *c, void *ctx, uint64_t id, void **obj_r)
{
	struct quota *q = arena_calloc(c->req->scratch, QUOTA_N, sizeof(*q));

	quota_list(ctx, q);
	if (!quota_shown(c) || id < 1 || id > QUOTA_N || q[id - 1].limit == 0)
		return STORE_E_NOTFOUND;
	*obj_r = &q[id - 1];
	return 0;
}

/* load() leaves out what there isn't. */
static int
all(struct jmap_call *c, uint64_t **ids_r, size_t *n_r)
{
	uint64_t *ids = arena_calloc(c->arena, QUOTA_N, sizeof(*ids));

	for (size_t i = 0; i < QUOTA_N; i++)
		ids[i] = i + 1;
	*ids_r = ids;
	*n_r = QUOTA_N;
	return 0;
}

/* Its states are its own, whatever the store says of Emails. */
const struct jmap_type quota_type = {
	.name = "Quota",
	.prefix = 'Q',
	.store = STORE_T_EMAIL,
	.props = props,
	.load = load,
	.all = all,
};

int
quota_get(struct jmap_call *c)
{
	struct store_usage u;
	int rc;

	if ((rc = quota_usage(c, &u)) < 0 ||
	    (rc = type_get(c, &quota_type, &u)) < 0)
		return rc;
	quota_put_state(c, "state", &u);
	return 0;
}

/* ---- changes ----------------------------------------------------------- */

/* u's numbers of one quota become those of now. */
static void
adopt(struct store_usage *u, const struct store_usage *now, size_t i)
{
	if (i == 0) {
		u->size = now->size;
		u->size_limit = now->size_limit;
	} else if (i == 1) {
		u->messages = now->messages;
		u->message_limit = now->message_limit;
	} else {
		u->mailboxes = now->mailboxes;
		u->mailbox_limit = now->mailbox_limit;
	}
}

struct changes {
	struct store_usage at;	/* the old state, with what is told */
	json_t *created, *updated, *destroyed;
	bool only_used, more;
	uint64_t left;
};

static void
compare(struct changes *ch, const struct store_usage *now, size_t i)
{
	struct quota old[QUOTA_N], new[QUOTA_N];
	bool shown;

	quota_list(&ch->at, old);
	quota_list(now, new);
	if (old[i].used == new[i].used && old[i].limit == new[i].limit)
		return;
	shown = old[i].limit != 0 || new[i].limit != 0;
	if (shown && ch->left == 0) {
		ch->more = true;
		return;
	}
	adopt(&ch->at, now, i);
	if (!shown)
		return;
	ch->left--;
	if (old[i].limit != new[i].limit)
		ch->only_used = false;
	json_array_append_new(old[i].limit == 0 ? ch->created :
	    new[i].limit == 0 ? ch->destroyed : ch->updated,
	    id_json('Q', new[i].id));
}

int
quota_changes(struct jmap_call *c)
{
	json_t *since = json_object_get(c->args, "sinceState"), *v, *used;
	struct changes ch = { .only_used = true, .left = QUOTA_N };
	struct store_usage now;
	int rc;

	if ((v = jmap_arg(c, "maxChanges")) != NULL &&
	    (js_uint(v, &ch.left) < 0 || ch.left == 0))
		return jmap_bad(c, "maxChanges must be greater than 0");
	if ((rc = quota_usage(c, &now)) < 0)
		return rc;
	if (quota_state_parse(js_slice(since), &ch.at) < 0)
		return JMAP_E_CHANGES;
	ch.created = json_array();
	ch.updated = json_array();
	ch.destroyed = json_array();
	for (size_t i = 0; i < QUOTA_N && quota_shown(c); i++)
		compare(&ch, &now, i);
	used = json_null();
	if (ch.only_used && json_array_size(ch.updated) > 0) {
		used = json_array();
		json_array_append_new(used, json_string("used"));
	}
	js_put(c->out, "oldState", json_incref(since));
	quota_put_state(c, "newState", ch.more ? &ch.at : &now);
	js_put(c->out, "hasMoreChanges", json_boolean(ch.more));
	js_put(c->out, "updatedProperties", used);
	js_put(c->out, "created", ch.created);
	js_put(c->out, "updated", ch.updated);
	js_put(c->out, "destroyed", ch.destroyed);
	return 0;
}
