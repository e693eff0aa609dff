/* jmap-fcgi/mailbox-set.c - Mailbox/set (RFC 8621 2.5) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/mailbox.h"

/*
 * Creates, updates and destroys may depend on one another in any order (a
 * parent made in the same call, a name that becomes free, children before
 * their parent), so those that fail are tried again as long as another one
 * succeeds (RFC 8620 5.3).  Updates that wait for one another's name or role
 * are done together.
 */
enum { PASSES_MAX = 2 * STORE_DEPTH_MAX };
enum op_kind { OP_CREATE, OP_UPDATE, OP_DESTROY };
struct op {
	enum op_kind kind;
	const char *key;	/* creation id or id, as given */
	uint64_t id;		/* of update and destroy */
	json_t *arg;
	bool done, final;
	json_t *error;		/* of the last try */
	uint64_t holder;	/* who has the name or role; 0: not that */
	struct op *next;	/* the update of that one, or NULL */
};

static int
fail(struct op *op, json_t *error, bool final)
{
	json_decref(op->error);
	op->error = error;
	op->final = final;
	op->holder = 0;
	return 0;
}

/* Another operation of this call may make this one possible. */
static bool
retriable(int rc)
{
	return rc == STORE_E_EXISTS || rc == STORE_E_HASCHILD ||
	    rc == STORE_E_NOTFOUND || rc == STORE_E_INVALID;
}

/* The sibling that has the name, or the mailbox that has the role. */
static json_t *
exists_error(struct jmap_call *c, const struct store_mailbox *want,
    uint64_t *holder_r)
{
	json_t *e = set_error("alreadyExists", NULL);
	struct store_mailbox *m;
	size_t n;

	if (store_mailbox_list(c->st, c->arena, &m, &n) < 0)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (m[i].id == want->id ||
		    !account_may(c->acct, m[i].id, STORE_RIGHT_LOOKUP))
			continue;
		if ((m[i].parent == want->parent &&
		    slice_ieq(m[i].name, want->name)) ||
		    (want->role != STORE_ROLE_NONE &&
		    m[i].role == want->role)) {
			*holder_r = m[i].id;
			js_put(e, "existingId", id_json('M', m[i].id));
			js_put_str(e, "description",
			    want->role != STORE_ROLE_NONE &&
			    m[i].role == want->role ?
			    "the role is taken" : "the name is taken");
			break;
		}
	}
	return e;
}

/* Says what the store's answer to a create or update means. */
static json_t *
store_error_of(struct jmap_call *c, const struct mailbox_change *ch,
    struct store_mailbox *m, int rc, uint64_t *holder_r)
{
	json_t *props;

	if (ch->set.set_name)
		m->name = ch->set.name;
	if (ch->set.set_parent)
		m->parent = ch->set.parent;
	if (ch->set.set_role)
		m->role = ch->set.role;
	switch (rc) {
	case STORE_E_EXISTS:
		return exists_error(c, m, holder_r);
	case STORE_E_NOTFOUND:
		return set_error_prop("parentId", "no such mailbox");
	case STORE_E_INVALID:
		props = json_array();
		if (ch->set.set_name)
			json_array_append_new(props, json_string("name"));
		if (ch->set.set_parent)
			json_array_append_new(props, json_string("parentId"));
		return set_error_props(props,
		    "not a possible name, too deep, or a loop");
	default:
		return set_error_store(c, rc);
	}
}

/* ---- rights in another's account --------------------------------------- */

static json_t *
may_be_below(struct jmap_call *c, uint64_t parent)
{
	unsigned rights = account_rights(c->acct, parent);

	if (parent == 0)
		return account_is_own(c->acct) ? NULL :
		    set_error("forbidden", "not at the top");
	if ((rights & STORE_RIGHT_LOOKUP) == 0)
		return set_error_prop("parentId", "no such mailbox");
	return (rights & STORE_RIGHT_CREATE) == 0 ?
	    set_error("forbidden", "mayCreateChild is false") : NULL;
}

/* At the top is a name that IMAP has for other accounts. */
static json_t *
may_be_named(uint64_t parent, struct slice name)
{
	return parent == 0 && slice_eq(name, SLICE_LIT(MAILBOX_OTHERS)) ?
	    set_error_prop("name", "kept for other accounts") : NULL;
}

/* Role, order and subscription there are the owner's. */
static json_t *
may_change(struct jmap_call *c, uint64_t id, const struct mailbox_change *ch)
{
	unsigned rights = account_rights(c->acct, id);
	json_t *err = NULL;

	if (account_is_own(c->acct))
		return NULL;
	if ((ch->set.set_name || ch->set.set_parent) &&
	    (rights & STORE_RIGHT_DELETE) == 0)
		return set_error("forbidden", "mayRename is false");
	if ((ch->set.set_role || ch->set.set_sort) &&
	    (rights & STORE_RIGHT_ADMIN) == 0)
		return set_error("forbidden", "that is the owner's");
	if (ch->set.set_subscribed)
		return set_error("forbidden", "subscribe by IMAP");
	if (ch->set.set_parent)
		err = may_be_below(c, ch->set.parent);
	return err;
}

static json_t *
may_destroy(struct jmap_call *c, uint64_t id, bool with_mail)
{
	unsigned rights = account_rights(c->acct, id);
	unsigned need = STORE_RIGHT_DELETE;

	if ((rights & STORE_RIGHT_LOOKUP) == 0)
		return set_error("notFound", NULL);
	if (with_mail)
		need |= STORE_RIGHT_TRASH | STORE_RIGHT_EXPUNGE;
	return (need & ~rights) != 0 ?
	    set_error("forbidden", "mayDelete is false") : NULL;
}

/* ---- create ------------------------------------------------------------ */

static int
put_created(struct jmap_set *s, const struct op *op, uint64_t id)
{
	struct jmap_call *c = s->c;
	struct store_mailbox m;
	int rc;

	if ((rc = store_mailbox_get(c->st, c->arena, id, &m)) < 0 ||
	    (rc = mailbox_view(c, &m)) < 0)
		return rc;
	set_created(s, op->key, op->arg, id, &m);
	return 0;
}

static int
try_create(struct jmap_set *s, struct op *op)
{
	struct jmap_call *c = s->c;
	struct mailbox_change ch;
	struct store_mailbox m;
	json_t *err;
	uint64_t id, holder;
	int rc;

	memset(&ch, 0, sizeof(ch));
	memset(&m, 0, sizeof(m));
	/* RFC 8621 2: true for what the user makes. */
	ch.set.set_subscribed = ch.set.subscribed = true;
	err = set_patch(c, &mailbox_type, NULL, &ch, op->arg);
	if (err != NULL)
		return fail(op, err, true);
	if (!ch.set.set_name)
		return fail(op, set_error_prop("name", "missing"), true);
	if (ch.wait)
		return fail(op, set_error_prop("parentId",
		    "no such creation id"), false);
	if (ch.set.role == STORE_ROLE_INBOX)
		return fail(op, set_error_prop("role",
		    "there is one inbox"), true);
	if ((err = may_be_below(c, ch.set.parent)) != NULL ||
	    (err = may_be_named(ch.set.parent, ch.set.name)) != NULL)
		return fail(op, err, true);
	if (!account_is_own(c->acct))
		ch.set.subscribed = false;
	rc = store_mailbox_create(c->st, &ch.set, &id);
	if (rc < 0)
		return fail(op, store_error_of(c, &ch, &m, rc, &holder),
		    !retriable(rc));
	op->done = true;
	return put_created(s, op, id);
}

/* ---- update ------------------------------------------------------------ */

/* What op asks for, of what is there now; 1: op has failed. */
static int
update_read(struct jmap_set *s, struct op *op, struct mailbox_change *ch,
    struct store_mailbox *m)
{
	struct jmap_call *c = s->c;
	json_t *err;
	int rc;

	memset(ch, 0, sizeof(*ch));
	rc = store_mailbox_get(c->st, c->arena, op->id, m);
	if (rc == 0)
		rc = mailbox_view(c, m);
	if (rc < 0) {
		fail(op, set_error_store(c, rc), true);
		return 1;
	}
	ch->is_inbox = m->role == STORE_ROLE_INBOX;
	err = set_patch(c, &mailbox_type, m, ch, op->arg);
	if (err == NULL && ch->wait) {
		fail(op, set_error_prop("parentId", "no such creation id"),
		    false);
		return 1;
	}
	if (err == NULL && (ch->denied || (ch->set.set_role &&
	    ch->set.role == STORE_ROLE_INBOX)))
		err = set_error("forbidden", "the inbox stays what it is");
	if (err == NULL)
		err = may_change(c, op->id, ch);
	if (err == NULL && (ch->set.set_name || ch->set.set_parent))
		err = may_be_named(ch->set.set_parent ? ch->set.parent :
		    m->parent, ch->set.set_name ? ch->set.name : m->name);
	if (err == NULL)
		return 0;
	fail(op, err, true);
	return 1;
}

static void
updated(struct jmap_set *s, struct op *op)
{
	char id[STORE_ID_TEXT];

	op->done = true;
	js_put(s->updated, store_id_text('M', op->id, id), json_null());
}

static int
try_update(struct jmap_set *s, struct op *op)
{
	struct mailbox_change ch;
	struct store_mailbox m;
	uint64_t holder = 0;
	json_t *err;
	int rc;

	if (update_read(s, op, &ch, &m) != 0)
		return 0;
	rc = store_mailbox_update(s->c->st, op->id, &ch.set);
	if (rc == 0) {
		updated(s, op);
		return 0;
	}
	err = store_error_of(s->c, &ch, &m, rc, &holder);
	fail(op, err, !retriable(rc));
	op->holder = holder;
	return 0;
}

/* ---- updates that take one another's names or roles --------------------- */

/* Does the ring of updates that op is in.  1: done. */
static int
exchange_ring(struct jmap_set *s, struct op *op, size_t n)
{
	struct store_mailbox_update *u;
	struct mailbox_change ch;
	struct store_mailbox m;
	int rc;

	u = arena_calloc(s->c->arena, n, sizeof(*u));
	for (size_t i = 0; i < n; i++, op = op->next) {
		if (update_read(s, op, &ch, &m) != 0)
			return 0;
		u[i].id = op->id;
		u[i].set = ch.set;
	}
	rc = store_mailbox_exchange(s->c->st, u, n);
	for (size_t i = 0; i < n; i++, op = op->next) {
		op->holder = 0;		/* it is not tried again */
		if (rc == 0)
			updated(s, op);
	}
	return rc == 0 ? 1 : retriable(rc) ? 0 : rc;
}

static bool
is_waiting(const struct op *op)
{
	return !op->done && !op->final && op->kind == OP_UPDATE &&
	    op->holder != 0;
}

/* 1: some of them are done now. */
static int
exchange(struct jmap_set *s, struct op *ops, size_t n)
{
	int rc = 0, some = 0;

	for (size_t i = 0; i < n; i++) {
		ops[i].next = NULL;
		for (size_t k = 0; k < n && is_waiting(&ops[i]); k++)
			if (is_waiting(&ops[k]) &&
			    ops[k].id == ops[i].holder)
				ops[i].next = &ops[k];
	}
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		struct op *op = ops[i].next;
		size_t k = 1;

		for (; op != NULL && op != &ops[i] && k < n; k++)
			op = op->next;
		if (op == &ops[i] && is_waiting(op))
			rc = exchange_ring(s, op, k);
		some |= rc > 0;
	}
	return rc < 0 ? rc : some;
}

/* ---- destroy ----------------------------------------------------------- */

static int
try_destroy(struct jmap_set *s, struct op *op)
{
	bool with_mail = jmap_arg_bool(s->c, "onDestroyRemoveEmails");
	json_t *err = may_destroy(s->c, op->id, with_mail);
	int rc;

	if (err != NULL)
		return fail(op, err, true);
	rc = store_mailbox_destroy(s->c->st, op->id, with_mail);
	if (rc < 0)
		return fail(op, set_error_store(s->c, rc),
		    rc != STORE_E_HASCHILD);
	op->done = true;
	json_array_append_new(s->destroyed, id_json('M', op->id));
	return 0;
}

/* ---- all of them ------------------------------------------------------- */

static int
try_op(struct jmap_set *s, struct op *op)
{
	int rc = 0;

	if (op->kind == OP_CREATE)
		return try_create(s, op);
	if (op->id == 0 && id_resolve(s->c->req, 'M', slice_str(op->key),
	    &op->id) < 0)
		return fail(op, set_error("notFound", NULL),
		    op->key[0] != '#');
	if (op->kind == OP_UPDATE)
		rc = try_update(s, op);
	else
		rc = try_destroy(s, op);
	return rc;
}

static int
run(struct jmap_set *s, struct op *ops, size_t n)
{
	bool progress = true;
	int rc;

	for (int pass = 0; progress && pass < PASSES_MAX; pass++) {
		progress = false;
		for (size_t i = 0; i < n; i++) {
			struct op *op = &ops[i];

			if (op->done || op->final)
				continue;
			if ((rc = try_op(s, op)) < 0)
				return jmap_store_failed(s->c->req,
				    "Mailbox/set", rc);
			progress |= op->done;
		}
		if (!progress && (rc = exchange(s, ops, n)) < 0)
			return jmap_store_failed(s->c->req, "Mailbox/set", rc);
		progress = progress || rc > 0;
	}
	return 0;
}

static void
report(struct jmap_set *s, struct op *ops, size_t n)
{
	json_t *to[3];

	to[OP_CREATE] = s->not_created;
	to[OP_UPDATE] = s->not_updated;
	to[OP_DESTROY] = s->not_destroyed;
	for (size_t i = 0; i < n; i++) {
		if (ops[i].done)
			json_decref(ops[i].error);
		else
			js_put(to[ops[i].kind], ops[i].key, ops[i].error);
	}
}

static size_t
collect(struct jmap_set *s, struct op *ops)
{
	const char *key;
	json_t *v;
	size_t n = 0;

	json_object_foreach(s->create, key, v)
		ops[n++] = (struct op){ .kind = OP_CREATE, .key = key,
			.arg = v };
	json_object_foreach(s->update, key, v)
		ops[n++] = (struct op){ .kind = OP_UPDATE, .key = key,
			.arg = v };
	json_object_foreach(s->destroying, key, v)
		ops[n++] = (struct op){ .kind = OP_DESTROY, .key = key };
	return n;
}

int
mailbox_set(struct jmap_call *c)
{
	struct jmap_set s;
	struct op *ops;
	size_t n;
	int rc;

	if ((rc = set_begin(c, &mailbox_type, &s)) < 0)
		return rc;
	ops = arena_calloc(c->arena, json_object_size(s.create) +
	    json_object_size(s.update) + json_array_size(s.destroy) + 1,
	    sizeof(*ops));
	n = collect(&s, ops);
	rc = run(&s, ops, n);
	report(&s, ops, n);
	return set_end(&s, rc);
}
