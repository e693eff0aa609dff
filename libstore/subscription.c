/*
 * libstore/subscription.c - names that are subscribed and don't exist
 *
 * RFC 3501 6.3.6: a subscription outlives its mailbox.  Of a mailbox that is
 * there its row tells whether it is subscribed; a name without one has a row
 * of its own, until a mailbox takes that name, and the subscription with it.
 */
#include "config.h"

#include "libbase/io.h"
#include "libstore/store-int.h"

/* More than that are not kept: a client that makes, subscribes and deletes
 * mailboxes would fill the account with them. */
enum { SUBSCRIPTIONS_MAX = 1000 };

struct row_key
subscription_key(struct slice path)
{
	unsigned char h[SHA256_LEN];

	sha256_of(path, h);
	return row_key_subscription(h);
}

/* As store_mailbox_path() tells it. */
static bool
path_canonical(struct slice path, struct arena *a, struct slice *path_r)
{
	struct buf b;
	struct slice nfc;
	bool ok = false;
	int depth = 0;

	buf_init(&b, ROW_PATH_MAX);
	for (;;) {
		const char *sl = path.n ? memchr(path.p, '/', path.n) : NULL;
		struct slice part = { path.p, sl ? (size_t)(sl - path.p) :
		    path.n };

		if (++depth > STORE_DEPTH_MAX ||
		    !mailbox_name_ok(part, a, &nfc))
			break;
		if (depth == 1 && slice_ieq(nfc, SLICE_LIT("inbox")))
			nfc = SLICE_LIT("INBOX");
		buf_add_slice(&b, nfc);
		if (!sl) {
			ok = !b.overflow;
			break;
		}
		buf_addc(&b, '/');
		path = slice_make(sl + 1, path.n - part.n - 1);
	}
	if (ok)
		*path_r = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return ok;
}

bool
subscription_ok(struct slice key, struct slice path, struct arena *a)
{
	struct row_key k = subscription_key(path);
	struct slice same;

	return slice_eq(key, row_key(&k)) && path_canonical(path, a, &same) &&
	    slice_eq(path, same);
}

static int
rows_read(struct kv_txn *t, struct arena *a, struct slice **path_r,
    size_t *n_r)
{
	struct row_key from = row_key_kind(ROW_K_SUBSCRIPTION);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val, path;
	size_t cap = 0;
	int rc;

	*path_r = NULL;
	*n_r = 0;
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if ((rc = row_path_get(val, &path)) < 0)
			break;
		*path_r = arena_grow(a, *path_r, &cap, *n_r + 1,
		    sizeof(**path_r));
		(*path_r)[(*n_r)++] = arena_slice(a, path);
	}
	kv_scan_close(&s);
	return rc;
}

int
store_subscriptions(struct store *st, struct arena *a, struct slice **path_r,
    size_t *n_r)
{
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = rows_read(t, a, path_r, n_r);
	ro_end(st);
	return rc == STORE_E_CORRUPT ?
	    store_corrupt(st, "subscriptions", 0) : rc;
}

/* ---- changing ---------------------------------------------------------- */

struct subscribe_arg {
	struct slice path;
	bool on;
};

static int
subscribe(struct work *w, void *arg)
{
	struct subscribe_arg *s = arg;
	struct w_mailbox *m;
	struct row_key k;
	struct slice path, v;
	uint64_t id;
	int rc;

	if ((rc = path_find(w->t, w->a, s->path, &id)) == 0) {
		if ((rc = w_mailbox(w, id, &m)) < 0 ||
		    m->row.subscribed == s->on)
			return rc;
		m->row.subscribed = s->on;
		mailbox_changed(w, m);
		return 0;
	}
	if (rc != STORE_E_NOTFOUND || !path_canonical(s->path, w->a, &path))
		return rc;
	k = subscription_key(path);
	if ((rc = work_get(w, k, &v)) < 0 || s->on)
		return rc;
	return work_del(w, k);
}

int
store_subscribe(struct store *st, struct slice path, bool on)
{
	struct subscribe_arg s = { path, on };

	return store_run(st, 0, subscribe, &s, NULL);
}

static int
keep(struct work *w, struct slice path)
{
	struct slice *all;
	size_t n;
	int rc;

	if ((rc = rows_read(w->t, w->a, &all, &n)) < 0 ||
	    n >= SUBSCRIPTIONS_MAX)
		return rc;
	row_path_put(&w->st->val, path);
	return work_put(w, subscription_key(path));
}

static int
subscribe_name(struct work *w, void *arg)
{
	const struct slice *name = arg;
	struct slice path, v, *all;
	struct row_key k;
	size_t n;
	int rc;

	if (!path_canonical(*name, w->a, &path))
		return STORE_E_INVALID;
	k = subscription_key(path);
	if ((rc = work_get(w, k, &v)) != STORE_E_NOTFOUND)
		return rc;
	if ((rc = rows_read(w->t, w->a, &all, &n)) < 0)
		return rc;
	if (n >= SUBSCRIPTIONS_MAX)
		return STORE_E_LIMIT;
	row_path_put(&w->st->val, path);
	return work_put(w, k);
}

int
store_subscribe_name(struct store *st, struct slice path)
{
	int rc = store_subscribe(st, path, true);

	/* Not a mailbox of this account. */
	return rc == STORE_E_NOTFOUND ? store_run(st, 0, subscribe_name, &path,
	    NULL) : rc;
}

int
subscriptions_keep(struct work *w, struct w_mailbox *m, bool below)
{
	struct w_mailbox *child;
	struct slice path;
	uint64_t *c;
	size_t n;
	int rc;

	if (m->row.subscribed && ((rc = path_of(w, m, &path)) < 0 ||
	    (rc = keep(w, path)) < 0))
		return rc;
	if (!below)
		return 0;
	/* The depth of the tree is limited: STORE_DEPTH_MAX. */
	if ((rc = children_read(w, m->id, &c, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if ((rc = w_mailbox(w, c[i], &child)) < 0 ||
		    (rc = subscriptions_keep(w, child, true)) < 0)
			return rc;
	return 0;
}

int
subscriptions_settle(struct work *w)
{
	struct w_mailbox *m;
	struct slice *path;
	uint64_t id;
	size_t n;
	int rc;

	if ((rc = rows_read(w->t, w->a, &path, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		rc = path_find(w->t, w->a, path[i], &id);
		if (rc == STORE_E_NOTFOUND)
			continue;
		if (rc < 0 || (rc = w_mailbox(w, id, &m)) < 0 ||
		    (rc = work_del(w, subscription_key(path[i]))) < 0)
			return rc;
		m->row.subscribed = true;
		mailbox_changed(w, m);
	}
	return 0;
}
