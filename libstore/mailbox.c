/* libstore/mailbox.c - mailboxes: reading them */
#include "config.h"

#include <stdlib.h>

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

static const char *const role_names[STORE_ROLES] = {
	NULL, "inbox", "archive", "drafts", "flagged", "important", "junk",
	"sent", "trash", "all"
};

const char *
store_role_name(enum store_role r)
{
	return (unsigned)r < STORE_ROLES ? role_names[r] : NULL;
}

int
store_role_from(struct slice name, enum store_role *r_r)
{
	for (int i = 1; i < STORE_ROLES; i++)
		if (slice_ieq(name, slice_str(role_names[i]))) {
			*r_r = (enum store_role)i;
			return 0;
		}
	return -1;
}

void
mailbox_fill(struct store_mailbox *mb, uint64_t id,
    const struct row_mailbox *r)
{
	mb->id = id;
	mb->parent = r->parent;
	mb->name = r->name;
	mb->role = (enum store_role)r->role;
	mb->sort_order = r->sort_order;
	mb->subscribed = r->subscribed;
	mb->uidvalidity = r->uidvalidity;
	mb->uidnext = r->uidnext;
	mb->highestmodseq = r->highestmodseq;
	mb->created = r->created;
	mb->changed = r->changed;
	mb->counted = r->counted;
	mb->total = r->total;
	mb->unread = r->unread;
	mb->unseen = r->unseen;
	mb->deleted = r->deleted;
	mb->threads = r->threads;
	mb->unread_threads = r->unread_threads;
	mb->size = r->size;
	mb->deleted_size = r->deleted_size;
}

/* ---- the list ---------------------------------------------------------- */

static int
list_read(struct kv_txn *t, struct arena *a, struct store_mailbox **mb_r,
    size_t *n_r)
{
	struct row_key from = row_key_kind(ROW_K_MAILBOX);
	struct row_key to = row_key_after(from);
	struct store_mailbox *mb = NULL;
	struct row_mailbox r;
	struct kv_scan *s = NULL;
	struct slice key, val;
	size_t n = 0, cap = 0;
	uint64_t id;
	int rc;

	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64(key, ROW_K_MAILBOX, &id))
			rc = STORE_E_CORRUPT;
		else if ((rc = row_mailbox_get(val, &r)) == 0 &&
		    r.role >= STORE_ROLES)
			rc = STORE_E_CORRUPT;
		if (rc < 0)
			break;
		mb = arena_grow(a, mb, &cap, n + 1, sizeof(*mb));
		mailbox_fill(&mb[n], id, &r);
		mb[n].name = arena_slice(a, r.name);
		n++;
	}
	kv_scan_close(&s);
	*mb_r = mb;
	*n_r = n;
	return rc;
}

/* By parent, then as siblings are ordered. */
static int
sibling_cmp(const void *pa, const void *pb)
{
	const struct store_mailbox *a = pa, *b = pb;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->sort_order != b->sort_order)
		return a->sort_order < b->sort_order ? -1 : 1;
	return slice_cmp(a->name, b->name);
}

/* The first of the children of parent in an array sorted by sibling_cmp. */
static size_t
children_of(const struct store_mailbox *mb, size_t n, uint64_t parent)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (mb[mid].parent < parent)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Depth first, with a stack of where each level is. */
static size_t
list_order(const struct store_mailbox *mb, size_t n, struct store_mailbox *out)
{
	size_t at[STORE_DEPTH_MAX + 1], k = 0;
	uint64_t parent[STORE_DEPTH_MAX + 1];
	int depth = 0;

	parent[0] = 0;
	at[0] = children_of(mb, n, 0);
	while (depth >= 0) {
		size_t i = at[depth];

		if (i >= n || mb[i].parent != parent[depth]) {
			depth--;
			continue;
		}
		at[depth]++;
		out[k++] = mb[i];
		if (depth < STORE_DEPTH_MAX) {
			depth++;
			parent[depth] = mb[i].id;
			at[depth] = children_of(mb, n, mb[i].id);
		}
	}
	return k;
}

int
store_mailbox_list(struct store *st, struct arena *a,
    struct store_mailbox **mb_r, size_t *n_r)
{
	struct store_mailbox *mb, *out;
	struct kv_txn *t;
	size_t n;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = list_read(t, a, &mb, &n);
	ro_end(st);
	if (rc < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(st, "mailbox list", 0) : rc;
	if (n > 0)
		qsort(mb, n, sizeof(*mb), sibling_cmp);
	out = arena_calloc(a, n, sizeof(*out));
	if (list_order(mb, n, out) != n)
		return store_corrupt(st, "mailbox tree", 0);
	*mb_r = out;
	*n_r = n;
	return 0;
}

/* ---- one --------------------------------------------------------------- */

int
store_mailbox_get(struct store *st, struct arena *a, uint64_t id,
    struct store_mailbox *mb_r)
{
	struct row_mailbox r;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = mailbox_read(t, a, id, &r)) == 0)
		mailbox_fill(mb_r, id, &r);
	ro_end(st);
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "mailbox", id) : rc;
}

int
path_find(struct kv_txn *t, struct arena *a, struct slice path, uint64_t *id_r)
{
	struct slice part, nfc;
	uint64_t id = 0;
	bool first = true;
	int rc;

	if (path.n > (STORE_NAME_MAX + 1) * STORE_DEPTH_MAX)
		return STORE_E_NOTFOUND;
	for (;;) {
		const char *sl = path.n ? memchr(path.p, '/', path.n) : NULL;

		part = slice_make(path.p, sl ? (size_t)(sl - path.p) : path.n);
		if (!mailbox_name_ok(part, a, &nfc))
			return STORE_E_NOTFOUND;
		if (first && slice_ieq(nfc, SLICE_LIT("inbox")))
			rc = role_find(t, a, STORE_ROLE_INBOX, &id);
		else
			rc = name_find(t, a, id, nfc, &id);
		if (rc < 0)
			return rc;
		if (id == 0)
			return STORE_E_NOTFOUND;
		if (!sl)
			break;
		path = slice_make(sl + 1, path.n - part.n - 1);
		first = false;
	}
	*id_r = id;
	return 0;
}

int
store_mailbox_find(struct store *st, struct arena *a, struct slice path,
    struct store_mailbox *mb_r)
{
	struct row_mailbox r;
	struct kv_txn *t;
	uint64_t id = 0;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = path_find(t, a, path, &id)) == 0) {
		rc = mailbox_read(t, a, id, &r);
		if (rc == STORE_E_NOTFOUND)
			rc = STORE_E_CORRUPT;
		if (rc == 0)
			mailbox_fill(mb_r, id, &r);
	}
	ro_end(st);
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "mailbox", id) : rc;
}

int
store_mailbox_path(struct store *st, struct arena *a, uint64_t id,
    struct slice *path_r)
{
	struct row_mailbox r;
	struct slice path = { NULL, 0 };
	struct kv_txn *t;
	uint64_t at = id;
	int rc, depth = 0;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	do {
		if ((rc = mailbox_read(t, a, at, &r)) < 0)
			break;
		if (r.role == STORE_ROLE_INBOX)
			r.name = SLICE_LIT("INBOX");
		if (path.p) {
			char *p = arena_alloc(a, r.name.n + 1 + path.n);

			memcpy(p, r.name.p, r.name.n);
			p[r.name.n] = '/';
			memcpy(p + r.name.n + 1, path.p, path.n);
			path = slice_make(p, r.name.n + 1 + path.n);
		} else {
			path = r.name;
		}
		at = r.parent;
	} while (at != 0 && ++depth <= STORE_DEPTH_MAX);
	ro_end(st);
	if (rc == STORE_E_CORRUPT || (rc == 0 && at != 0) ||
	    (rc == STORE_E_NOTFOUND && depth > 0))
		return store_corrupt(st, "mailbox", id);
	if (rc == 0)
		*path_r = path;
	return rc;
}
