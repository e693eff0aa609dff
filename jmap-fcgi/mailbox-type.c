/* jmap-fcgi/mailbox-type.c - the Mailbox's properties (RFC 8621 2) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/mailbox.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_mailbox *m = obj;

	(void)c;
	(void)name;
	return id_json('M', m->id);
}

static json_t *
get_name(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_mailbox *m = obj;

	(void)c;
	(void)name;
	return js_str(m->name);
}

static json_t *
get_parent(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_mailbox *m = obj;

	(void)c;
	(void)name;
	return m->parent != 0 ? id_json('M', m->parent) : json_null();
}

static json_t *
get_role(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_mailbox *m = obj;

	(void)c;
	(void)name;
	return js_str_or_null(slice_str(store_role_name(m->role)));
}

static json_t *
get_order(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_mailbox *m = obj;

	(void)c;
	(void)name;
	return json_integer(m->sort_order);
}

static json_t *
get_count(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_mailbox *m = obj;
	uint32_t n;

	(void)c;
	if (strcmp(name, "totalEmails") == 0)
		n = m->total;
	else if (strcmp(name, "unreadEmails") == 0)
		n = m->unread;
	else if (strcmp(name, "totalThreads") == 0)
		n = m->threads;
	else
		n = m->unread_threads;
	return json_integer(n);
}

/* RFC 8621 2 says by which rights of RFC 4314. */
static json_t *
get_rights(struct jmap_call *c, void *obj, const char *name)
{
	static const struct {
		const char *name;
		unsigned need;
		bool not_inbox;
	} all[] = {
		{ "mayReadItems", STORE_RIGHT_LOOKUP | STORE_RIGHT_READ, false },
		{ "mayAddItems", STORE_RIGHT_INSERT, false },
		{ "mayRemoveItems", STORE_RIGHT_TRASH | STORE_RIGHT_EXPUNGE,
		    false },
		{ "maySetSeen", STORE_RIGHT_SEEN, false },
		{ "maySetKeywords", STORE_RIGHT_WRITE, false },
		{ "mayCreateChild", STORE_RIGHT_CREATE, false },
		{ "maySubmit", STORE_RIGHT_POST, false },
		{ "mayRename", STORE_RIGHT_DELETE, true },
		{ "mayDelete", STORE_RIGHT_DELETE, true }
	};
	const struct store_mailbox *m = obj;
	unsigned rights = account_rights(c->acct, m->id);
	json_t *o = json_object();

	(void)name;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		js_put(o, all[i].name, json_boolean(
		    (all[i].need & ~rights) == 0 &&
		    !(all[i].not_inbox && m->role == STORE_ROLE_INBOX)));
	return o;
}

static json_t *
get_subscribed(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_mailbox *m = obj;

	(void)c;
	(void)name;
	return json_boolean(m->subscribed);
}

int
mailbox_set_name(struct jmap_call *c, void *change, json_t *v)
{
	struct mailbox_change *ch = change;
	struct slice s = js_slice(v);

	if (s.n == 0 || utf8_nfc(s, c->arena, &s) < 0 ||
	    s.n > STORE_NAME_MAX)
		return -1;
	ch->set.set_name = true;
	ch->set.name = s;
	ch->denied |= ch->is_inbox;
	return 0;
}

int
mailbox_set_parent(struct jmap_call *c, void *change, json_t *v)
{
	struct mailbox_change *ch = change;
	struct slice s = js_slice(v);

	ch->set.set_parent = true;
	ch->set.parent = 0;
	ch->denied |= ch->is_inbox;
	if (json_is_null(v))
		return 0;
	if (id_resolve(c->req, 'M', s, &ch->set.parent) == 0)
		return 0;
	if (s.n < 2 || s.p[0] != '#')
		return -1;
	ch->wait = true;
	return 0;
}

int
mailbox_set_role(struct jmap_call *c, void *change, json_t *v)
{
	struct mailbox_change *ch = change;

	(void)c;
	ch->set.set_role = true;
	ch->set.role = STORE_ROLE_NONE;
	if (!json_is_null(v) && (!json_is_string(v) ||
	    store_role_from(js_slice(v), &ch->set.role) < 0))
		return -1;
	ch->denied |= ch->is_inbox;
	return 0;
}

int
mailbox_set_order(struct jmap_call *c, void *change, json_t *v)
{
	struct mailbox_change *ch = change;
	uint64_t u = 0;

	(void)c;
	if (!json_is_null(v) && (js_uint(v, &u) < 0 || u > INT32_MAX))
		return -1;
	ch->set.set_sort = true;
	ch->set.sort_order = (uint32_t)u;
	return 0;
}

int
mailbox_set_subscribed(struct jmap_call *c, void *change, json_t *v)
{
	struct mailbox_change *ch = change;

	(void)c;
	if (!json_is_boolean(v))
		return -1;
	ch->set.set_subscribed = true;
	ch->set.subscribed = json_is_true(v);
	return 0;
}

static const struct jmap_prop props[] = {
	/* clang-format off */
	{ "id",			PROP_SERVER,	get_id,		NULL },
	{ "name",		0,		get_name,	mailbox_set_name },
	{ "parentId",		0,		get_parent,	mailbox_set_parent },
	{ "role",		0,		get_role,	mailbox_set_role },
	{ "sortOrder",		0,		get_order,	mailbox_set_order },
	{ "totalEmails",	PROP_SERVER,	get_count,	NULL },
	{ "unreadEmails",	PROP_SERVER,	get_count,	NULL },
	{ "totalThreads",	PROP_SERVER,	get_count,	NULL },
	{ "unreadThreads",	PROP_SERVER,	get_count,	NULL },
	{ "myRights",		PROP_SERVER,	get_rights,	NULL },
	{ "isSubscribed",	0,		get_subscribed,	mailbox_set_subscribed },
	{ NULL,			0,		NULL,		NULL }
	/* clang-format on */
};

/* Another's is subscribed by the name that it has in IMAP. */
static bool
other_subscribed(struct jmap_call *c, uint64_t id)
{
	struct arena *a = c->arena;
	struct account *ac = c->acct;
	struct slice path;

	if (!ac->have_subs) {
		ac->have_subs = true;
		if (store_subscriptions(c->req->user->st, a, &ac->subs,
		    &ac->n_subs) < 0)
			ac->n_subs = 0;
	}
	if (ac->n_subs == 0 || store_mailbox_path(c->st, a, id, &path) < 0)
		return false;
	path = slice_str(arena_printf(a, MAILBOX_OTHERS "/%s/%.*s", ac->name,
	    (int)path.n, path.p));
	for (size_t i = 0; i < ac->n_subs; i++)
		if (slice_eq(ac->subs[i], path))
			return true;
	return false;
}

int
mailbox_view(struct jmap_call *c, struct store_mailbox *m)
{
	unsigned rights = account_rights(c->acct, m->id);

	if ((rights & STORE_RIGHT_LOOKUP) == 0)
		return STORE_E_NOTFOUND;
	if (!account_is_own(c->acct))
		m->subscribed = other_subscribed(c, m->id);
	if ((rights & STORE_RIGHT_READ) == 0)
		m->total = m->deleted = m->unread = m->threads =
		    m->unread_threads = 0;
	if (m->parent != 0 && !account_may(c->acct, m->parent,
	    STORE_RIGHT_LOOKUP))
		m->parent = 0;
	return 0;
}

static int
load(struct jmap_call *c, void *ctx, uint64_t id, void **obj_r)
{
	struct store_mailbox *m = arena_alloc(c->req->scratch, sizeof(*m));
	int rc;

	(void)ctx;
	*obj_r = m;
	rc = store_mailbox_get(c->st, c->req->scratch, id, m);
	if (rc == 0)
		rc = mailbox_view(c, m);
	/* What is \Deleted isn't there (RFC 8621 4.1.1). */
	m->total -= m->deleted;
	return rc;
}

static int
all(struct jmap_call *c, uint64_t **ids_r, size_t *n_r)
{
	struct store_mailbox *m;
	size_t n;
	uint64_t *ids;
	int rc;

	if ((rc = store_mailbox_list(c->st, c->req->scratch, &m, &n)) < 0)
		return rc;
	ids = arena_calloc(c->arena, n, sizeof(*ids));
	*n_r = 0;
	for (size_t i = 0; i < n; i++)
		if (account_may(c->acct, m[i].id, STORE_RIGHT_LOOKUP))
			ids[(*n_r)++] = m[i].id;
	*ids_r = ids;
	return 0;
}

/* In another's account those that the user may see. */
static void
without_hidden(struct jmap_call *c, struct store_change *ch, size_t *n)
{
	size_t k = 0;

	for (size_t i = 0; i < *n; i++) {
		if (ch[i].kind != STORE_DESTROYED &&
		    !account_may(c->acct, ch[i].id, STORE_RIGHT_LOOKUP))
			continue;
		ch[k++] = ch[i];
	}
	*n = k;
}

/* RFC 8621 2.2: names the counts where nothing else changed. */
static int
filter(struct jmap_call *c, struct store_change *ch, size_t *n)
{
	static const char *const counts[] = {
		"totalEmails", "unreadEmails", "totalThreads", "unreadThreads"
	};
	json_t *names = json_array();
	bool only;

	without_hidden(c, ch, n);
	only = *n > 0;
	for (size_t i = 0; i < *n; i++)
		if (ch[i].kind != STORE_UPDATED || !ch[i].counts_only)
			only = false;
	for (size_t i = 0; only && i < 4; i++)
		json_array_append_new(names, json_string(counts[i]));
	if (!only) {
		json_decref(names);
		names = json_null();
	}
	js_put(c->out, "updatedProperties", names);
	return 0;
}

const struct jmap_type mailbox_type = {
	.name = "Mailbox",
	.prefix = 'M',
	.store = STORE_T_MAILBOX,
	.props = props,
	.load = load,
	.all = all,
	.filter = filter,
};

int
mailbox_get(struct jmap_call *c)
{
	return type_get(c, &mailbox_type, NULL);
}

int
mailbox_changes(struct jmap_call *c)
{
	return type_changes(c, &mailbox_type);
}
