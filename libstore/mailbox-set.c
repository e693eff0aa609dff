/* libstore/mailbox-set.c - mailboxes: making, changing, removing them */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "libbase/text.h"
#include "libstore/store-int.h"

/* RFC 8621 section 2: Net-Unicode; no '/', no controls. */
bool
mailbox_name_ok(struct slice name, struct arena *a, struct slice *nfc_r)
{
	if (name.n == 0 || name.n > STORE_NAME_MAX || !utf8_valid(name) ||
	    utf8_nfc(name, a, nfc_r) < 0 || nfc_r->n == 0 ||
	    nfc_r->n > STORE_NAME_MAX)
		return false;
	for (size_t i = 0; i < nfc_r->n; i++) {
		unsigned char c = (unsigned char)nfc_r->p[i];

		if (c < 0x20 || c == 0x7f || c == '/')
			return false;
		/* C1 controls are C2 80 .. C2 9F; U+2028 and U+2029. */
		if (c == 0xc2 && (unsigned char)nfc_r->p[i + 1] < 0xa0)
			return false;
		if (c == 0xe2 && (unsigned char)nfc_r->p[i + 1] == 0x80 &&
		    ((unsigned char)nfc_r->p[i + 2] & 0xfe) == 0xa8)
			return false;
	}
	return true;
}

static int
number_put(struct work *w, struct row_key k, uint64_t id)
{
	row_u64_put(&w->st->val, id);
	return work_put(w, k);
}

/* Is the name free among the children of parent, but for self? */
static int
name_free(struct work *w, uint64_t parent, struct slice name, uint64_t self)
{
	uint64_t id;
	int rc;

	if ((rc = name_find(w->t, w->a, parent, name, &id)) < 0)
		return rc;
	if (id != 0 && id != self)
		return STORE_E_EXISTS;
	/* Any case of INBOX is the inbox, whatever that is called. */
	if (parent == 0 && slice_ieq(name, SLICE_LIT("inbox"))) {
		if ((rc = role_find(w->t, w->a, STORE_ROLE_INBOX, &id)) < 0)
			return rc;
		if (id != 0 && id != self)
			return STORE_E_EXISTS;
	}
	return 0;
}

static int
role_free(struct work *w, enum store_role role, uint64_t self)
{
	uint64_t id;
	int rc;

	if (role == STORE_ROLE_NONE)
		return 0;
	if ((unsigned)role >= STORE_ROLES)
		return STORE_E_INVALID;
	if ((rc = role_find(w->t, w->a, (int)role, &id)) < 0)
		return rc;
	return id != 0 && id != self ? STORE_E_EXISTS : 0;
}

/* How deep a mailbox is (0: the top level), and that self isn't above it. */
static int
depth_of(struct work *w, uint64_t id, uint64_t self, int *depth_r)
{
	struct w_mailbox *m;
	int rc, depth = 0;

	for (; id != 0; id = m->row.parent) {
		if (id == self)
			return STORE_E_INVALID;
		if ((rc = w_mailbox(w, id, &m)) < 0)
			return rc;
		if (++depth > STORE_DEPTH_MAX)
			return store_corrupt(w->st, "mailbox", id);
	}
	*depth_r = depth;
	return 0;
}

int
children_read(struct work *w, uint64_t id, uint64_t **c_r, size_t *n_r)
{
	struct row_key from = row_key_u64(ROW_K_NAME, id);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	size_t cap = 0;
	int rc;

	*c_r = NULL;
	*n_r = 0;
	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		*c_r = arena_grow(w->a, *c_r, &cap, *n_r + 1, sizeof(**c_r));
		rc = row_u64_get(val, &(*c_r)[(*n_r)++]);
	}
	kv_scan_close(&s);
	return rc;
}

/* The levels below a mailbox that has room for at most max. */
static int
height_ok(struct work *w, uint64_t id, int max)
{
	uint64_t *c;
	size_t n;
	int rc;

	if (max < 0)
		return STORE_E_INVALID;
	if ((rc = children_read(w, id, &c, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if ((rc = height_ok(w, c[i], max - 1)) < 0)
			return rc;
	return 0;
}

/* ---- making ------------------------------------------------------------ */

int
mailbox_make(struct work *w, uint64_t parent, struct slice name,
    enum store_role role, uint32_t sort_order, bool subscribed,
    uint64_t *id_r)
{
	struct w_mailbox *m;
	int rc, depth;

	if (w->head.mailboxes >= store_max_mailboxes(w->st->cf))
		return STORE_E_LIMIT;
	if ((rc = depth_of(w, parent, 0, &depth)) < 0)
		return rc;
	if (depth >= STORE_DEPTH_MAX)
		return STORE_E_INVALID;
	if ((rc = name_free(w, parent, name, 0)) < 0 ||
	    (rc = role_free(w, role, 0)) < 0)
		return rc;
	m = w_mailbox_add(w, work_id(w));
	m->row.parent = parent;
	m->row.role = (uint8_t)role;
	m->row.subscribed = subscribed;
	m->row.sort_order = sort_order;
	m->row.uidvalidity = ++w->head.uidvalidity;
	m->row.uidnext = 1;
	m->row.highestmodseq = w->modseq;
	m->row.created = m->row.changed = m->row.counted = w->modseq;
	m->row.name = arena_slice(w->a, name);
	w->head.mailboxes++;
	w->head.mailbox_modseq = w->modseq;
	if ((rc = number_put(w, name_key(parent, name), m->id)) < 0)
		return rc;
	if (role != STORE_ROLE_NONE &&
	    (rc = number_put(w, row_key_role((int)role), m->id)) < 0)
		return rc;
	if (role == STORE_ROLE_TRASH && (rc = w_trash_moved(w, m->id)) < 0)
		return rc;
	*id_r = m->id;
	return acl_inherit(w, parent, m->id);
}

struct create_arg {
	const struct store_mailbox_set *s;
	struct slice path;
	enum store_role role;
	uint64_t id;
};

static int
create_one(struct work *w, void *arg)
{
	struct create_arg *c = arg;
	const struct store_mailbox_set *s = c->s;
	struct w_mailbox *m;
	struct slice nfc;
	int rc;

	if (!s->set_name || !mailbox_name_ok(s->name, w->a, &nfc) ||
	    (s->set_role && s->role == STORE_ROLE_INBOX))
		return STORE_E_INVALID;
	rc = mailbox_make(w, s->set_parent ? s->parent : 0, nfc,
	    s->set_role ? s->role : STORE_ROLE_NONE,
	    s->set_sort ? s->sort_order : 0,
	    s->set_subscribed ? s->subscribed : true, &c->id);
	if (rc < 0 || (rc = subscriptions_settle(w)) < 0)
		return rc;
	if (!s->set_subscribed)
		return 0;
	if ((rc = w_mailbox(w, c->id, &m)) == 0)
		m->row.subscribed = s->subscribed;
	return rc;
}

static int
run_and_jobs(struct store *st, int (*fn)(struct work *w, void *arg), void *arg)
{
	int rc = store_run(st, 0, fn, arg, NULL);

	/* What is left of the job after a failure is done by store_idle(). */
	if (rc > 0)
		(void)store_jobs_run(st);
	return rc < 0 ? rc : 0;
}

int
store_mailbox_create(struct store *st, const struct store_mailbox_set *s,
    uint64_t *id_r)
{
	struct create_arg c = { .s = s };
	int rc;

	if ((rc = store_run(st, 0, create_one, &c, NULL)) < 0)
		return rc;
	if (s->set_role && s->role == STORE_ROLE_TRASH)
		(void)store_jobs_run(st);
	*id_r = c.id;
	return 0;
}

/* Makes what is missing of a path; *fresh_r: the last part was missing. */
static int
path_make(struct work *w, struct slice path, enum store_role role,
    uint64_t *id_r, bool *fresh_r)
{
	uint64_t parent = 0, id;
	struct slice part, nfc;
	int rc;

	for (;;) {
		const char *sl = path.n ? memchr(path.p, '/', path.n) : NULL;

		part = slice_make(path.p, sl ? (size_t)(sl - path.p) : path.n);
		if (!mailbox_name_ok(part, w->a, &nfc))
			return STORE_E_INVALID;
		if (parent == 0 && slice_ieq(nfc, SLICE_LIT("inbox")))
			rc = role_find(w->t, w->a, STORE_ROLE_INBOX, &id);
		else
			rc = name_find(w->t, w->a, parent, nfc, &id);
		if (rc < 0)
			return rc;
		*fresh_r = id == 0;
		if (id == 0) {
			rc = mailbox_make(w, parent, nfc,
			    sl ? STORE_ROLE_NONE : role, 0, false, &id);
			if (rc < 0)
				return rc;
		}
		if (!sl)
			break;
		parent = id;
		path = slice_make(sl + 1, path.n - part.n - 1);
	}
	*id_r = id;
	return 0;
}

static int
create_path(struct work *w, void *arg)
{
	struct create_arg *c = arg;
	bool fresh;
	int rc;

	if ((rc = path_make(w, c->path, c->role, &c->id, &fresh)) < 0)
		return rc;
	return fresh ? subscriptions_settle(w) : STORE_E_EXISTS;
}

int
store_mailbox_create_path(struct store *st, struct slice path,
    enum store_role role, uint64_t *id_r)
{
	struct create_arg c = { .path = path, .role = role };
	int rc;

	if (role == STORE_ROLE_INBOX)
		return STORE_E_INVALID;
	if ((rc = store_run(st, 0, create_path, &c, NULL)) < 0)
		return rc;
	if (role == STORE_ROLE_TRASH)
		(void)store_jobs_run(st);
	*id_r = c.id;
	return 0;
}

/* ---- changing ---------------------------------------------------------- */

/* Gives the mailbox a name and a parent. */
static int
mailbox_place(struct work *w, struct w_mailbox *m, uint64_t parent,
    struct slice name)
{
	int rc, depth;

	if (parent == m->row.parent && slice_eq(name, m->row.name))
		return 0;
	if ((rc = depth_of(w, parent, m->id, &depth)) < 0 ||
	    (rc = height_ok(w, m->id, STORE_DEPTH_MAX - 1 - depth)) < 0 ||
	    (rc = name_free(w, parent, name, m->id)) < 0 ||
	    (rc = work_del(w, name_key(m->row.parent, m->row.name))) < 0)
		return rc;
	m->row.parent = parent;
	m->row.name = arena_slice(w->a, name);
	m->row.changed = w->modseq;
	return number_put(w, name_key(parent, m->row.name), m->id);
}

static int
mailbox_set_role(struct work *w, struct w_mailbox *m, enum store_role role)
{
	enum store_role old = (enum store_role)m->row.role;
	int rc;

	if (role == old)
		return 0;
	if (old == STORE_ROLE_INBOX || role == STORE_ROLE_INBOX)
		return STORE_E_DENIED;
	if ((rc = role_free(w, role, m->id)) < 0)
		return rc;
	if (old != STORE_ROLE_NONE &&
	    (rc = work_del(w, row_key_role((int)old))) < 0)
		return rc;
	if (role != STORE_ROLE_NONE &&
	    (rc = number_put(w, row_key_role((int)role), m->id)) < 0)
		return rc;
	m->row.role = (uint8_t)role;
	m->row.changed = w->modseq;
	if (role != STORE_ROLE_TRASH && old != STORE_ROLE_TRASH)
		return 0;
	return w_trash_moved(w, role == STORE_ROLE_TRASH ? m->id : 0);
}

struct update_arg {
	uint64_t id;
	const struct store_mailbox_set *s;
	struct slice path;
};

void
mailbox_changed(struct work *w, struct w_mailbox *m)
{
	m->dirty = true;
	w->dirty = true;
	m->row.changed = w->modseq;
	w->head.mailbox_modseq = w->modseq;
}

static int
update_place(struct work *w, struct w_mailbox *m,
    const struct store_mailbox_set *s)
{
	struct slice name = m->row.name;
	uint64_t parent = s->set_parent ? s->parent : m->row.parent;

	if (s->set_name && !mailbox_name_ok(s->name, w->a, &name))
		return STORE_E_INVALID;
	if (m->row.role == STORE_ROLE_INBOX && parent != 0)
		return STORE_E_DENIED;
	return mailbox_place(w, m, parent, name);
}

/* 1: headers of threads are to be recomputed. */
static int
update_one(struct work *w, void *arg)
{
	struct update_arg *u = arg;
	const struct store_mailbox_set *s = u->s;
	uint64_t trash = w->head.trash;
	struct w_mailbox *m;
	int rc;

	if ((rc = w_mailbox(w, u->id, &m)) < 0 ||
	    (rc = update_place(w, m, s)) < 0)
		return rc;
	if ((s->set_name || s->set_parent) &&
	    (rc = subscriptions_settle(w)) < 0)
		return rc;
	if (s->set_role && (rc = mailbox_set_role(w, m, s->role)) < 0)
		return rc;
	if (s->set_sort && s->sort_order != m->row.sort_order) {
		m->row.sort_order = s->sort_order;
		m->row.changed = w->modseq;
	}
	if (s->set_subscribed && s->subscribed != m->row.subscribed) {
		m->row.subscribed = s->subscribed;
		m->row.changed = w->modseq;
	}
	if (m->row.changed == w->modseq)
		mailbox_changed(w, m);
	return w->head.trash != trash;
}

int
store_mailbox_update(struct store *st, uint64_t id,
    const struct store_mailbox_set *s)
{
	struct update_arg u = { .id = id, .s = s };

	return run_and_jobs(st, update_one, &u);
}

/* Room for names that come back. */
#define UIDVALIDITY_MOST UINT32_C(0xf0000000)

struct adopt_arg {
	uint64_t id, modseq;
	uint32_t uidvalidity;
};

static int
adopt_one(struct work *w, void *arg)
{
	const struct adopt_arg *o = arg;
	struct w_mailbox *m;
	int rc;

	if ((rc = w_mailbox(w, o->id, &m)) < 0)
		return rc;
	if (m->row.uidvalidity == o->uidvalidity)
		return 0;
	if (m->row.uidnext != 1)
		return STORE_E_EXISTS;
	/* A name that comes back needs a greater one. */
	if (o->uidvalidity == 0 || o->uidvalidity > UIDVALIDITY_MOST)
		return STORE_E_INVALID;
	/* What a client knows of that server is to be before all of ours. */
	if (o->modseq > w->head.horizon)
		return STORE_E_LIMIT;
	m->row.uidvalidity = o->uidvalidity;
	if (w->head.uidvalidity < o->uidvalidity)
		w->head.uidvalidity = o->uidvalidity;
	m->row.changed = w->modseq;
	mailbox_changed(w, m);
	return 0;
}

int
store_mailbox_adopt(struct store *st, uint64_t id, uint32_t uidvalidity,
    uint64_t modseq)
{
	struct adopt_arg o = { id, modseq, uidvalidity };

	return store_run(st, 0, adopt_one, &o, NULL);
}

struct exchange_arg {
	const struct store_mailbox_update *u;
	size_t n;
};

/* Gives up the name and the role that an update replaces; *s is what is left to
 * do then.  No client can ask for the name that it has meanwhile. */
static int
make_way(struct work *w, uint64_t id, struct store_mailbox_set *s)
{
	struct w_mailbox *m;
	char name[32];
	int rc;

	if ((rc = w_mailbox(w, id, &m)) < 0)
		return rc;
	if (s->set_name || s->set_parent) {
		if (!s->set_name)
			s->name = arena_slice(w->a, m->row.name);
		s->set_name = true;
		snprintf(name, sizeof(name), "\x01%016" PRIx64, id);
		rc = mailbox_place(w, m, m->row.parent, slice_str(name));
		if (rc < 0)
			return rc;
	}
	return s->set_role && m->row.role != STORE_ROLE_NONE ?
	    mailbox_set_role(w, m, STORE_ROLE_NONE) : 0;
}

static int
exchange(struct work *w, void *arg)
{
	struct exchange_arg *x = arg;
	struct store_mailbox_set *s = arena_calloc(w->a, x->n, sizeof(*s));
	uint64_t trash = w->head.trash;
	struct update_arg one;
	int rc;

	for (size_t i = 0; i < x->n; i++) {
		s[i] = x->u[i].set;
		if ((rc = make_way(w, x->u[i].id, &s[i])) < 0)
			return rc;
	}
	for (size_t i = 0; i < x->n; i++) {
		one = (struct update_arg){ .id = x->u[i].id, .s = &s[i] };
		if ((rc = update_one(w, &one)) < 0)
			return rc;
	}
	return w->head.trash != trash;
}

int
store_mailbox_exchange(struct store *st, const struct store_mailbox_update *u,
    size_t n)
{
	struct exchange_arg x = { u, n };

	return run_and_jobs(st, exchange, &x);
}

/* ---- renaming to a path ------------------------------------------------ */

/* The part before the last '/', or nothing. */
static struct slice
path_parent(struct slice path, struct slice *last_r)
{
	size_t i = path.n;

	while (i > 0 && path.p[i - 1] != '/')
		i--;
	*last_r = slice_make(path.p + i, path.n - i);
	return slice_make(path.p, i > 0 ? i - 1 : 0);
}

static int
rename_one(struct work *w, void *arg)
{
	struct update_arg *u = arg;
	struct slice parent, last, nfc;
	struct w_mailbox *m;
	uint64_t pid = 0;
	bool fresh;
	int rc;

	if ((rc = w_mailbox(w, u->id, &m)) < 0)
		return rc;
	parent = path_parent(u->path, &last);
	if (!mailbox_name_ok(last, w->a, &nfc))
		return STORE_E_INVALID;
	if (parent.n == 0 && parent.p + 1 == last.p)
		return STORE_E_INVALID;	/* "/name" */
	if (parent.n > 0 && (rc = path_make(w, parent, STORE_ROLE_NONE, &pid,
	    &fresh)) < 0)
		return rc;
	if (pid == m->row.parent && slice_eq(nfc, m->row.name))
		return STORE_E_EXISTS;
	if ((rc = subscriptions_keep(w, m, true)) < 0 ||
	    (rc = mailbox_place(w, m, pid, nfc)) < 0)
		return rc;
	mailbox_changed(w, m);
	return subscriptions_settle(w);
}

/* RFC 9051 6.3.6: the inbox stays, its messages go. */
static int
rename_inbox(struct store *st, uint64_t inbox, struct slice path)
{
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	uint64_t to;
	int rc;

	rc = store_mailbox_create_path(st, path, STORE_ROLE_NONE, &to);
	if (rc == 0)	/* RFC 5464 4.1: both have the annotations */
		rc = meta_copy(st, inbox, to);
	if (rc == 0)
		rc = store_mailbox_get(st, a, inbox, &mb);
	if (rc == 0)
		rc = mailbox_move_all(st, inbox, mb.uidnext, to);
	arena_free(&a);
	return rc;
}

int
store_mailbox_rename(struct store *st, uint64_t id, struct slice path)
{
	struct update_arg u = { .id = id, .path = path };
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	int rc;

	rc = store_mailbox_get(st, a, id, &mb);
	arena_free(&a);
	if (rc < 0)
		return rc;
	if (mb.role == STORE_ROLE_INBOX)
		return rename_inbox(st, id, path);
	return store_run(st, 0, rename_one, &u, NULL);
}

/* ---- removing ---------------------------------------------------------- */

static int
destroy_check(struct work *w, uint64_t id, struct w_mailbox **m_r)
{
	uint64_t *c;
	size_t n;
	int rc;

	if ((rc = w_mailbox(w, id, m_r)) < 0)
		return rc;
	if ((*m_r)->row.role == STORE_ROLE_INBOX)
		return STORE_E_DENIED;
	if ((rc = children_read(w, id, &c, &n)) < 0)
		return rc;
	return n > 0 ? STORE_E_HASCHILD : 0;
}

int
path_of(struct work *w, const struct w_mailbox *m, struct slice *path_r)
{
	struct slice part[STORE_DEPTH_MAX + 1];
	struct w_mailbox *p;
	struct buf b;
	size_t n = 0;
	int rc;

	part[n++] = m->row.name;
	for (uint64_t id = m->row.parent; id != 0; id = p->row.parent) {
		if (n > STORE_DEPTH_MAX)
			return store_corrupt(w->st, "mailbox", m->id);
		if ((rc = w_mailbox(w, id, &p)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "mailbox", m->id) : rc;
		part[n++] = p->row.role == STORE_ROLE_INBOX ?
		    SLICE_LIT("INBOX") : p->row.name;
	}
	buf_init(&b, (STORE_DEPTH_MAX + 1) * (ROW_NAME_MAX + 1));
	while (n-- > 0) {
		buf_add_slice(&b, part[n]);
		if (n > 0)
			buf_addc(&b, '/');
	}
	*path_r = arena_slice(w->a, buf_slice(&b));
	buf_release(&b);
	return 0;
}

struct destroy_arg {
	uint64_t id;
	bool with_mail, keep;	/* keep: its subscription */
};

/* 1: there was too much mail for one change. */
static int
destroy_one(struct work *w, void *arg)
{
	struct destroy_arg *d = arg;
	struct row_tomb tomb = { .kind = ROW_TOMB_MAILBOX };
	struct w_mailbox *m;
	int rc;

	if ((rc = destroy_check(w, d->id, &m)) < 0)
		return rc;
	if (m->row.total > 0 && !d->with_mail)
		return STORE_E_NOTEMPTY;
	if (m->row.total > 0 && (rc = mailbox_empty(w, m)) != 0)
		return rc;
	if (d->keep && (rc = subscriptions_keep(w, m, false)) < 0)
		return rc;
	tomb.mailbox = m->id;
	if ((rc = path_of(w, m, &tomb.path)) < 0)
		return rc;
	w_tomb(w, &tomb);
	if ((rc = work_del(w, name_key(m->row.parent, m->row.name))) < 0 ||
	    (rc = work_del(w, row_key_u64(ROW_K_MAILBOX, m->id))) < 0 ||
	    (rc = work_del(w, row_key_u64(ROW_K_ACL, m->id))) < 0 ||
	    (rc = meta_drop(w, m->id)) < 0 ||
	    (rc = work_del(w, row_key_u64(ROW_K_JOB, m->id))) < 0)
		return rc;
	if (m->row.role != STORE_ROLE_NONE &&
	    (rc = work_del(w, row_key_role(m->row.role))) < 0)
		return rc;
	if (w->head.trash == m->id)
		w->head.trash = 0;
	w->head.mailboxes--;
	w->head.mailbox_modseq = w->modseq;
	/* Threads were told of every message, and count no more here. */
	if ((rc = w_threads_flush(w)) < 0)
		return rc;
	m->gone = true;
	return 0;
}

static int
destroy(struct store *st, struct destroy_arg *d)
{
	int rc;

	do
		rc = store_run(st, KV_FREES, destroy_one, d, NULL);
	while (rc > 0);
	return rc;
}

int
store_mailbox_destroy(struct store *st, uint64_t id, bool with_mail)
{
	return destroy(st, &(struct destroy_arg){ id, with_mail, false });
}

int
store_mailbox_delete(struct store *st, uint64_t id)
{
	return destroy(st, &(struct destroy_arg){ id, true, true });
}
