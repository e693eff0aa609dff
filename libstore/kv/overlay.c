/* libstore/kv/overlay.c - an ordered map of rows, cheap to copy */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "libbase/xalloc.h"
#include "libstore/kv/overlay.h"

struct range {
	char *from, *to;	/* to NULL: no end */
	size_t from_n, to_n;
};

/* Disjoint, ascending. */
struct ohidden {
	atomic_uint refs;
	size_t n;
	struct range r[];
};

/* An AVL tree of 64 levels has more than 2^44 nodes. */

static void
row_unref(struct orow *r)
{
	if (r != NULL && atomic_fetch_sub(&r->refs, 1) == 1)
		xfree(r);
}

static struct orow *
row_new(struct slice key, enum orow_kind kind, struct slice val, size_t cap)
{
	struct orow *r = xmalloc(sizeof(*r) + key.n + cap);

	atomic_init(&r->refs, 1);
	r->klen = (uint16_t)key.n;
	r->kind = (uint8_t)kind;
	r->vlen = (uint32_t)val.n;
	r->cap = (uint32_t)cap;
	memcpy(r->octets, key.p, key.n);
	if (val.n > 0)
		memcpy(r->octets + key.n, val.p, val.n);
	return r;
}

static struct onode *
node_ref(struct onode *n)
{
	if (n != NULL)
		atomic_fetch_add(&n->refs, 1);
	return n;
}

static void
node_unref(struct onode *n)
{
	while (n != NULL && atomic_fetch_sub(&n->refs, 1) == 1) {
		struct onode *r = n->r;

		node_unref(n->l);
		row_unref(n->row);
		xfree(n);
		n = r;
	}
}

/* The node, or a copy of it, that nobody else sees; takes over the
 * reference. */
static struct onode *
node_own(struct onode *n)
{
	struct onode *c;

	if (atomic_load(&n->refs) == 1)
		return n;
	c = xmalloc(sizeof(*c));
	atomic_init(&c->refs, 1);
	c->height = n->height;
	c->l = node_ref(n->l);
	c->r = node_ref(n->r);
	c->row = n->row;
	if (c->row != NULL)
		atomic_fetch_add(&c->row->refs, 1);
	node_unref(n);
	return c;
}

static int
height(const struct onode *n)
{
	return n == NULL ? 0 : n->height;
}

static void
measure(struct onode *n)
{
	int l = height(n->l), r = height(n->r);

	n->height = (l > r ? l : r) + 1;
}

static struct onode *
rotate_right(struct onode *n)
{
	struct onode *l = n->l = node_own(n->l);

	n->l = l->r;
	l->r = n;
	measure(n);
	measure(l);
	return l;
}

static struct onode *
rotate_left(struct onode *n)
{
	struct onode *r = n->r = node_own(n->r);

	n->r = r->l;
	r->l = n;
	measure(n);
	measure(r);
	return r;
}

/* n is our own, its children differ in height by at most two. */
static struct onode *
balance(struct onode *n)
{
	int d = height(n->l) - height(n->r);

	if (d > 1) {
		n->l = node_own(n->l);
		if (height(n->l->l) < height(n->l->r))
			n->l = rotate_left(n->l);
		return rotate_right(n);
	}
	if (d < -1) {
		n->r = node_own(n->r);
		if (height(n->r->r) < height(n->r->l))
			n->r = rotate_right(n->r);
		return rotate_left(n);
	}
	measure(n);
	return n;
}

/* The place of the key's row in a path of our own; NULL in a new node. */
static struct orow **
slot(struct onode **np, struct slice key)
{
	struct onode **path[OVERLAY_DEPTH], *n;
	int depth = 0, c, was;

	while (*np != NULL) {
		n = *np = node_own(*np);
		if ((c = slice_cmp(key, orow_key(n->row))) == 0)
			return &n->row;
		assert(depth < OVERLAY_DEPTH);
		path[depth++] = np;
		np = c < 0 ? &n->l : &n->r;
	}
	n = *np = xcalloc(1, sizeof(*n));
	atomic_init(&n->refs, 1);
	n->height = 1;
	/* Upwards, as long as it makes a difference. */
	while (depth-- > 0) {
		np = path[depth];
		was = (*np)->height;
		*np = balance(*np);
		if ((*np)->height == was)
			break;
	}
	return &n->row;
}

/* Takes the least node out of the tree; the caller gets its reference. */
static struct onode *
take_first(struct onode **np)
{
	struct onode *n = *np = node_own(*np), *first;

	if (n->l == NULL) {
		*np = n->r;
		n->r = NULL;
		return n;
	}
	first = take_first(&n->l);
	*np = balance(n);
	return first;
}

static void
take_out(struct onode **np, struct slice key)
{
	struct onode *n = *np, *next;
	int c;

	if (n == NULL)
		return;
	n = *np = node_own(n);
	if ((c = slice_cmp(key, orow_key(n->row))) != 0) {
		take_out(c < 0 ? &n->l : &n->r, key);
		*np = balance(n);
		return;
	}
	if (n->l == NULL || n->r == NULL) {
		*np = n->l != NULL ? n->l : n->r;
		n->l = n->r = NULL;
	} else {
		next = take_first(&n->r);
		next->l = n->l;
		next->r = n->r;
		n->l = n->r = NULL;
		*np = balance(next);
	}
	node_unref(n);
}

/* ---- hidden ranges ------------------------------------------------------ */

void
ohidden_unref(struct ohidden *h)
{
	if (h == NULL || atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	for (size_t i = 0; i < h->n; i++) {
		xfree(h->r[i].from);
		xfree(h->r[i].to);
	}
	xfree(h);
}

static struct slice
range_from(const struct range *r)
{
	return slice_make(r->from, r->from_n);
}

/* Is key before the range's end? */
static bool
before_end(struct slice key, const struct range *r)
{
	return r->to == NULL || slice_cmp(key, slice_make(r->to, r->to_n)) < 0;
}

static void
range_set(struct range *r, struct slice from, struct slice to)
{
	r->from = xstrndup(from.p, from.n);
	r->from_n = from.n;
	r->to = to.n > 0 ? xstrndup(to.p, to.n) : NULL;
	r->to_n = to.n;
}

/* A new set: the old one and [from, to). */
struct ohidden *
ohidden_add(const struct ohidden *old, struct slice from, struct slice to)
{
	size_t n = old == NULL ? 0 : old->n, i;
	struct ohidden *h;
	bool done = false;

	h = xmalloc(sizeof(*h) + (n + 1) * sizeof(h->r[0]));
	atomic_init(&h->refs, 1);
	h->n = 0;
	for (i = 0; i < n; i++) {
		const struct range *r = &old->r[i];
		struct slice end = slice_make(r->to, r->to_n);

		if (!before_end(from, r) && slice_cmp(from, end) != 0) {
			range_set(&h->r[h->n++], range_from(r), end);
		} else if (to.n > 0 && slice_cmp(to, range_from(r)) < 0) {
			if (!done)
				range_set(&h->r[h->n++], from, to);
			done = true;
			range_set(&h->r[h->n++], range_from(r), end);
		} else {	/* they touch: one greater range */
			if (slice_cmp(range_from(r), from) < 0)
				from = range_from(r);
			if (to.n > 0 && (end.n == 0 || slice_cmp(end, to) > 0))
				to = end;
		}
	}
	if (!done)
		range_set(&h->r[h->n++], from, to);
	return h;
}

bool
ohidden_has(const struct ohidden *h, struct slice key)
{
	size_t lo = 0, hi = h == NULL ? 0 : h->n;

	/* The last range that begins at or before key. */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (slice_cmp(range_from(&h->r[mid]), key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && before_end(key, &h->r[lo - 1]);
}

bool
ohidden_get(const struct ohidden *h, size_t i, struct slice *from_r,
    struct slice *to_r)
{
	if (h == NULL || i >= h->n)
		return false;
	*from_r = range_from(&h->r[i]);
	*to_r = slice_make(h->r[i].to, h->r[i].to_n);
	return true;
}

/* ---- the overlay -------------------------------------------------------- */

void
overlay_init(struct overlay *ov, bool alone)
{
	*ov = (struct overlay){ .alone = alone };
}

void
overlay_copy(struct overlay *to, const struct overlay *from)
{
	*to = *from;
	node_ref(to->root);
	if (to->hidden != NULL)
		atomic_fetch_add(&to->hidden->refs, 1);
}

void
overlay_release(struct overlay *ov)
{
	node_unref(ov->root);
	ohidden_unref(ov->hidden);
	ov->root = NULL;
	ov->hidden = NULL;
}

const struct orow *
overlay_find(const struct overlay *ov, struct slice key)
{
	const struct onode *n = ov->root;

	while (n != NULL) {
		int c = slice_cmp(key, orow_key(n->row));

		if (c == 0)
			return n->row;
		n = c < 0 ? n->l : n->r;
	}
	return NULL;
}

static void
set(struct overlay *ov, struct slice key, enum orow_kind kind,
    struct slice val)
{
	struct orow **s = slot(&ov->root, key), *old = *s;

	/* The new octets may come from the old row. */
	if (old != NULL && val.n <= old->cap && atomic_load(&old->refs) == 1) {
		if (val.n > 0)
			memmove(old->octets + old->klen, val.p, val.n);
		old->vlen = (uint32_t)val.n;
		old->kind = (uint8_t)kind;
		return;
	}
	*s = row_new(key, kind, val, val.n);
	row_unref(old);
}

void
overlay_put(struct overlay *ov, struct slice key, struct slice val)
{
	set(ov, key, OROW_VALUE, val);
}

bool
overlay_hides(const struct overlay *ov, struct slice key)
{
	return ohidden_has(ov->hidden, key);
}

void
overlay_del(struct overlay *ov, struct slice key)
{
	if (ov->alone || overlay_hides(ov, key)) {
		if (overlay_find(ov, key) != NULL)
			take_out(&ov->root, key);
	} else
		set(ov, key, OROW_GONE, slice_make(NULL, 0));
}

void
overlay_del_range(struct overlay *ov, struct slice from, struct slice to)
{
	struct ohidden *h;
	struct owalk w;

	for (;;) {
		const struct orow *r;
		struct orow *pin;

		owalk_seek(&w, ov, from, false);
		if ((r = owalk_row(&w)) == NULL ||
		    (to.n > 0 && slice_cmp(orow_key(r), to) >= 0))
			break;
		/* Its key must outlive it while the tree is searched. */
		pin = row_new(orow_key(r), OROW_GONE, slice_make(NULL, 0), 0);
		take_out(&ov->root, orow_key(pin));
		row_unref(pin);
	}
	if (!ov->alone) {
		h = ohidden_add(ov->hidden, from, to);
		ohidden_unref(ov->hidden);
		ov->hidden = h;
	}
}

/* The place of the key's row in a path of our own, or NULL: there is none. */
static struct orow **
find_own(struct overlay *ov, struct slice key)
{
	struct onode **np = &ov->root;

	while (*np != NULL) {
		struct onode *n = *np = node_own(*np);
		int c = slice_cmp(key, orow_key(n->row));

		if (c == 0)
			return &n->row;
		np = c < 0 ? &n->l : &n->r;
	}
	return NULL;
}

enum orow_patched
overlay_patch(struct overlay *ov, struct slice key, size_t off,
    struct slice octets)
{
	struct orow **s = find_own(ov, key), *r;

	if (s == NULL)
		return OROW_ABSENT;
	r = *s;
	if (r->kind == OROW_GONE)
		return OROW_NO_ROW;
	if (off > r->vlen || octets.n > r->vlen - off)
		return OROW_TOO_SHORT;
	if (atomic_load(&r->refs) != 1) {
		*s = row_new(orow_key(r), OROW_VALUE, orow_value(r), r->vlen);
		row_unref(r);
		r = *s;
	}
	if (octets.n > 0)
		memcpy(r->octets + r->klen + off, octets.p, octets.n);
	return OROW_PATCHED;
}

/* ---- walking ------------------------------------------------------------ */

/* The stack holds the nodes yet to be visited, the next on top. */
static void
descend(struct owalk *w, const struct onode *n)
{
	for (; n != NULL; n = w->reverse ? n->r : n->l) {
		assert(w->n < OVERLAY_DEPTH);
		w->stack[w->n++] = n;
	}
}

void
owalk_seek(struct owalk *w, const struct overlay *ov, struct slice key,
    bool reverse)
{
	const struct onode *n = ov->root;

	w->n = 0;
	w->reverse = reverse;
	if (reverse && key.n == 0) {
		descend(w, n);
		return;
	}
	while (n != NULL) {
		int c = slice_cmp(orow_key(n->row), key);

		if (reverse ? c < 0 : c >= 0) {
			assert(w->n < OVERLAY_DEPTH);
			w->stack[w->n++] = n;
			n = reverse ? n->r : n->l;
		} else
			n = reverse ? n->l : n->r;
	}
}

const struct orow *
owalk_row(const struct owalk *w)
{
	return w->n == 0 ? NULL : w->stack[w->n - 1]->row;
}

void
owalk_step(struct owalk *w)
{
	const struct onode *n;

	if (w->n == 0)
		return;
	n = w->stack[--w->n];
	descend(w, w->reverse ? n->l : n->r);
}
