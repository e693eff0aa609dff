/* libstore/acl.c - who may do what in a mailbox (RFC 4314) */
#include "config.h"

#include "libstore/store-int.h"

/* By bit. */
static const char letters[] = "lrswipkxtean";

bool
store_acl_who_ok(struct slice who)
{
	if (who.n > 0 && who.p[0] == '-')
		who = slice_make(who.p + 1, who.n - 1);
	return store_account_ok(who);
}

const char *
store_rights_text(unsigned rights, bool old, char buf[STORE_RIGHTS_TEXT])
{
	size_t n = 0;

	for (unsigned i = 0; letters[i] != '\0'; i++)
		if (rights >> i & 1)
			buf[n++] = letters[i];
	if (old && rights & STORE_RIGHTS_OLD_C)
		buf[n++] = 'c';
	if (old && rights & STORE_RIGHTS_OLD_D)
		buf[n++] = 'd';
	buf[n] = '\0';
	return buf;
}

int
store_rights_from(struct slice s, unsigned *rights_r)
{
	unsigned rights = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *at = s.p[i] ? strchr(letters, s.p[i]) : NULL;

		if (at != NULL)
			rights |= 1u << (at - letters);
		else if (s.p[i] == 'c')
			rights |= STORE_RIGHTS_OLD_C;
		else if (s.p[i] == 'd')
			rights |= STORE_RIGHTS_OLD_D;
		else
			return -1;
	}
	*rights_r = rights;
	return 0;
}

/* ---- reading ----------------------------------------------------------- */

/* n is 0 where the mailbox has none. */
static int
acl_read(struct kv_txn *t, struct arena *a, uint64_t mailbox,
    struct row_acl **v_r, size_t *n_r)
{
	struct row_key k = row_key_u64(ROW_K_ACL, mailbox);
	struct slice v;
	int rc;

	*v_r = NULL;
	*n_r = 0;
	if ((rc = kv_get(t, a, row_key(&k), &v)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	return row_acl_get(v, a, v_r, n_r);
}

/* That of a mailbox that is there. */
static int
acl_of(struct store *st, struct arena *a, uint64_t mailbox,
    struct row_acl **v_r, size_t *n_r)
{
	struct row_mailbox row;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = mailbox_read(t, st->ra, mailbox, &row)) >= 0)
		rc = acl_read(t, a, mailbox, v_r, n_r);
	ro_end(st);
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "the ACL of mailbox",
	    mailbox) : rc;
}

int
store_acl_get(struct store *st, struct arena *a, uint64_t mailbox,
    struct store_acl **v_r, size_t *n_r)
{
	struct row_acl *row;
	size_t n;
	int rc;

	if ((rc = acl_of(st, a, mailbox, &row, &n)) < 0)
		return rc;
	*v_r = arena_calloc(a, n + 1, sizeof(**v_r));
	for (size_t i = 0; i < n; i++)
		(*v_r)[i] = (struct store_acl){
			.who = arena_slice(a, row[i].who),
			.rights = row[i].rights
		};
	*n_r = n;
	return 0;
}

static unsigned
acl_rights(const struct row_acl *v, size_t n, struct slice user)
{
	unsigned yes = 0, no = 0;

	for (size_t i = 0; i < n; i++) {
		struct slice who = v[i].who;
		bool minus = who.p[0] == '-';

		if (minus)
			who = slice_make(who.p + 1, who.n - 1);
		if (!slice_eq(who, user) &&
		    !slice_eq(who, slice_str(STORE_ANYONE)))
			continue;
		*(minus ? &no : &yes) |= v[i].rights;
	}
	return yes & ~no;
}

int
store_rights(struct store *st, uint64_t mailbox, const char *user,
    unsigned *rights_r)
{
	struct arena *a;
	struct row_acl *v;
	size_t n;
	int rc;

	if (strcmp(user, st->name) == 0) {
		*rights_r = STORE_RIGHTS_ALL;
		return 0;
	}
	a = arena_new(0);
	if ((rc = acl_of(st, a, mailbox, &v, &n)) >= 0)
		*rights_r = acl_rights(v, n, slice_str(user));
	arena_free(&a);
	return rc;
}

/* 1: fn said so. */
static int
acl_each(struct store *st, struct arena *a,
    int (*fn)(void *arg, const struct row_acl *v, size_t n), void *arg)
{
	struct row_key from = row_key_kind(ROW_K_ACL);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct row_acl *v;
	struct kv_txn *t;
	size_t n;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0)
		if ((rc = row_acl_get(val, a, &v, &n)) < 0 ||
		    (rc = fn(arg, v, n)) != 0)
			break;
	kv_scan_close(&s);
	ro_end(st);
	return rc;
}

static int
names_him(void *arg, const struct row_acl *v, size_t n)
{
	const struct slice *who = arg;

	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].who, *who))
			return 1;
	return 0;
}

int
acl_names(struct store *st, const char *who)
{
	struct slice s = slice_str(who);
	struct arena *a = arena_new(0);
	int rc = acl_each(st, a, names_him, &s);

	arena_free(&a);
	return rc;
}

static int
hint_all(void *arg, const struct row_acl *v, size_t n)
{
	struct store *st = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (v[i].who.p[0] != '-')
			rc = share_hint(st, v[i].who);
	return rc < 0 ? rc : 0;
}

int
store_shares_renew(struct store *st)
{
	struct arena *a = arena_new(0);
	int rc = acl_each(st, a, hint_all, st);

	arena_free(&a);
	return rc;
}

/* ---- changing ---------------------------------------------------------- */

int
acl_write(struct work *w, uint64_t mailbox, const struct row_acl *v, size_t n)
{
	struct row_key k = row_key_u64(ROW_K_ACL, mailbox);
	int rc;

	if (n == 0)
		return work_del(w, k);
	if ((rc = row_acl_put(&w->st->val, v, n)) < 0)
		return rc;
	return work_put(w, k);
}

int
acl_inherit(struct work *w, uint64_t parent, uint64_t mailbox)
{
	struct row_acl *v;
	size_t n;
	int rc;

	if (parent == 0)
		return 0;
	if ((rc = acl_read(w->t, w->a, parent, &v, &n)) < 0 || n == 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(w->st, "the ACL of mailbox", parent) : rc;
	return acl_write(w, mailbox, v, n);
}

struct set_arg {
	uint64_t mailbox;
	struct slice who;
	enum store_acl_op op;
	unsigned rights;
};

static unsigned
set_op(const struct set_arg *s, unsigned old)
{
	return s->op == STORE_ACL_ADD ? old | s->rights :
	    s->op == STORE_ACL_DEL ? old & ~s->rights : s->rights;
}

/* Enters what s wants into v, which has room for one more. */
static size_t
set_entry(const struct set_arg *s, struct row_acl *v, size_t n, unsigned *old_r,
    unsigned *new_r)
{
	size_t i = 0;
	bool is;

	while (i < n && slice_cmp(v[i].who, s->who) < 0)
		i++;
	is = i < n && slice_eq(v[i].who, s->who);
	*old_r = is ? v[i].rights : 0;
	*new_r = set_op(s, *old_r);
	if (is && *new_r == 0) {
		memmove(v + i, v + i + 1, (n - i - 1) * sizeof(*v));
		return n - 1;
	}
	if (!is && *new_r != 0) {
		memmove(v + i + 1, v + i, (n - i) * sizeof(*v));
		v[i].who = s->who;
		n++;
	}
	if (*new_r != 0)
		v[i].rights = *new_r;
	return n;
}

static int
set_one(struct work *w, void *arg)
{
	const struct set_arg *s = arg;
	struct row_acl *old, *v;
	unsigned before, after;
	struct w_mailbox *m;
	size_t n;
	int rc;

	if ((rc = w_mailbox(w, s->mailbox, &m)) < 0)
		return rc;
	if ((rc = acl_read(w->t, w->a, s->mailbox, &old, &n)) < 0)
		return rc == STORE_E_CORRUPT ? store_corrupt(w->st,
		    "the ACL of mailbox", s->mailbox) : rc;
	v = arena_calloc(w->a, n + 1, sizeof(*v));
	if (n > 0)
		memcpy(v, old, n * sizeof(*v));
	n = set_entry(s, v, n, &before, &after);
	if (before == after)
		return 0;
	if (n > STORE_ACL_MAX)
		return STORE_E_LIMIT;
	mailbox_changed(w, m);
	return acl_write(w, s->mailbox, v, n);
}

int
store_acl_set(struct store *st, uint64_t mailbox, struct slice who,
    enum store_acl_op op, unsigned rights)
{
	struct set_arg s = { mailbox, who, op, rights };
	bool hint;
	int rc;

	if (!store_acl_who_ok(who) || rights & ~(unsigned)STORE_RIGHTS_ALL)
		return STORE_E_INVALID;
	hint = who.p[0] != '-' && op != STORE_ACL_DEL && rights != 0;
	/* The hint first: one too many is harmless. */
	if (hint && (rc = share_hint(st, who)) < 0)
		return rc;
	if ((rc = store_run(st, 0, set_one, &s, NULL)) < 0)
		return rc;
	/* Again: who looked in between found nothing behind it. */
	if (hint)
		(void)share_hint(st, who);
	return 0;
}
