/* libstore/kv/olog.c - an index of the journal's operations */
#include "config.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/errors.h"
#include "libstore/kv/base.h"
#include "libstore/kv/olog.h"
#include "libstore/kv/overlay.h"

enum {
	TABLE_MIN = 64,
	/* So many scans pick their keys; then it pays to sort them all. */
	PICKS = 32
};

enum state {
	ENT_VALUE,		/* val is the row, after the patches */
	ENT_GONE,
	ENT_PATCHED,		/* the base's row, after the patches */
	ENT_BAD			/* the patches didn't fit */
};

struct ent {
	const char *key;
	const char *val;
	char *owned;		/* val, where it is a copy with patches */
	uint32_t hash, vlen;
	uint32_t last;		/* patch, + 1; 0: none */
	uint16_t klen;
	uint8_t state;
};

struct patch {
	const char *p;
	uint32_t off, n;
	uint32_t before;	/* the one before of that row, + 1 */
};

struct kept {
	struct kept *next;
	void *p;
};

struct olog {
	bool on_base;
	struct ent *ent;
	size_t n, cap;
	uint32_t *table;	/* index + 1 */
	size_t mask;
	struct patch *patch;
	size_t n_patch, cap_patch;
	struct ohidden *hidden;
	struct kept *kept;
	struct slice recent;	/* the key that was looked up last, as passed */
	uint32_t recent_ent;	/* its entry */
	uint32_t *sorted;
	size_t n_sorted;	/* the first so many entries are in it */
	unsigned picks;
};

/* Which keys collide must not be known outside. */
static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void
seed_init(void)
{
	random_bytes(&seed, sizeof(seed));
	seed |= 1;
}

static uint32_t
hash_of(struct slice key)
{
	uint64_t h = seed ^ key.n, w;
	size_t i;

	for (i = 0; i + 8 <= key.n; i += 8) {
		memcpy(&w, key.p + i, 8);
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	w = 0;
	memcpy(&w, key.p + i, key.n - i);
	h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

struct olog *
olog_new(bool on_base)
{
	struct olog *l = xcalloc(1, sizeof(*l));

	pthread_once(&seed_once, seed_init);
	l->on_base = on_base;
	return l;
}

void
olog_free(struct olog **lp)
{
	struct olog *l = *lp;
	struct kept *k, *next;

	*lp = NULL;
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		xfree(l->ent[i].owned);
	for (k = l->kept; k != NULL; k = next) {
		next = k->next;
		xfree(k->p);
		xfree(k);
	}
	ohidden_unref(l->hidden);
	xfree(l->ent);
	xfree(l->table);
	xfree(l->patch);
	xfree(l->sorted);
	xfree(l);
}

void
olog_keep(struct olog *l, void *p)
{
	struct kept *k = xmalloc(sizeof(*k));

	k->p = p;
	k->next = l->kept;
	l->kept = k;
}

/* ---- the table ---------------------------------------------------------- */

static struct slice
ent_key(const struct ent *e)
{
	return slice_make(e->key, e->klen);
}

/* The slot of the key, or the free one where it would go. */
static uint32_t *
find(const struct olog *l, struct slice key, uint32_t hash)
{
	for (size_t i = hash & l->mask;; i = (i + 1) & l->mask) {
		uint32_t *t = &l->table[i];
		const struct ent *e;

		if (*t == 0)
			return t;
		e = &l->ent[*t - 1];
		if (e->hash == hash && slice_eq(ent_key(e), key))
			return t;
	}
}

static void
grow(struct olog *l)
{
	size_t size = l->table == NULL ? TABLE_MIN : (l->mask + 1) * 2;

	xfree(l->table);
	l->table = xcalloc(size, sizeof(*l->table));
	l->mask = size - 1;
	for (size_t i = 0; i < l->n; i++) {
		size_t at = l->ent[i].hash & l->mask;

		while (l->table[at] != 0)
			at = (at + 1) & l->mask;
		l->table[at] = (uint32_t)i + 1;
	}
}

static struct ent *
look(const struct olog *l, struct slice key)
{
	uint32_t *t;

	if (l->table == NULL)
		return NULL;
	t = find(l, key, hash_of(key));
	return *t == 0 ? NULL : &l->ent[*t - 1];
}

/* The key's entry; a new one is GONE. */
static struct ent *
entry(struct olog *l, struct slice key)
{
	uint32_t hash = hash_of(key), *t;
	struct ent *e;

	if (l->table == NULL || l->n * 2 > l->mask)
		grow(l);
	t = find(l, key, hash);
	if (*t != 0)
		return &l->ent[*t - 1];
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? TABLE_MIN : l->cap * 2;
		l->ent = xreallocarray(l->ent, l->cap, sizeof(*l->ent));
	}
	e = &l->ent[l->n++];
	*t = (uint32_t)l->n;
	*e = (struct ent){ .key = key.p, .klen = (uint16_t)key.n,
		.hash = hash, .state = ENT_GONE };
	return e;
}

static void
ent_set(struct ent *e, enum state state, struct slice val)
{
	xfree(e->owned);
	e->owned = NULL;
	e->state = (uint8_t)state;
	e->val = val.p;
	e->vlen = (uint32_t)val.n;
	e->last = 0;
}

/* ---- operations --------------------------------------------------------- */

void
olog_put(struct olog *l, struct slice key, struct slice val)
{
	ent_set(entry(l, key), ENT_VALUE, val);
}

void
olog_del(struct olog *l, struct slice key)
{
	ent_set(entry(l, key), ENT_GONE, slice_make(NULL, 0));
}

int
olog_patch(struct olog *l, struct slice key, uint32_t off, struct slice octets)
{
	struct ent *e;
	struct patch *p;

	/* The same octets as in the last patch: the same row. */
	if (l->recent.n > 0 && l->recent.p == key.p && l->recent.n == key.n)
		e = &l->ent[l->recent_ent];
	else
		e = look(l, key);
	if (e == NULL) {
		if (olog_hides(l, key) || !l->on_base)
			return -1;
		e = entry(l, key);
		e->state = ENT_PATCHED;
	}
	l->recent = key;
	l->recent_ent = (uint32_t)(e - l->ent);
	if (e->state == ENT_GONE ||
	    (e->state == ENT_VALUE &&
		(off > e->vlen || octets.n > e->vlen - off)))
		return -1;
	if (e->owned != NULL) {
		memcpy(e->owned + off, octets.p, octets.n);
		return 0;
	}
	if (l->n_patch == l->cap_patch) {
		l->cap_patch = l->cap_patch == 0 ? TABLE_MIN : l->cap_patch * 2;
		l->patch = xreallocarray(l->patch, l->cap_patch,
		    sizeof(*l->patch));
	}
	p = &l->patch[l->n_patch++];
	*p = (struct patch){ .p = octets.p, .off = off,
		.n = (uint32_t)octets.n, .before = e->last };
	e->last = (uint32_t)l->n_patch;
	return 0;
}

void
olog_del_range(struct olog *l, struct slice from, struct slice to)
{
	struct ohidden *h;

	for (size_t i = 0; i < l->n; i++) {
		struct slice k = ent_key(&l->ent[i]);

		if (slice_cmp(k, from) >= 0 &&
		    (to.n == 0 || slice_cmp(k, to) < 0))
			ent_set(&l->ent[i], ENT_GONE, slice_make(NULL, 0));
	}
	h = ohidden_add(l->hidden, from, to);
	ohidden_unref(l->hidden);
	l->hidden = h;
}

bool
olog_hides(const struct olog *l, struct slice key)
{
	return ohidden_has(l->hidden, key);
}

bool
olog_range(const struct olog *l, size_t i, struct slice *from_r,
    struct slice *to_r)
{
	return ohidden_get(l->hidden, i, from_r, to_r);
}

/* Applies the patches in the order in which they came: the links go back, so
 * they are turned round first. */
static int
patches_apply(struct olog *l, struct ent *e, char *val, size_t n)
{
	uint32_t i = e->last, first = 0, before;

	for (; i != 0; i = before) {
		before = l->patch[i - 1].before;
		l->patch[i - 1].before = first;
		first = i;
	}
	e->last = 0;
	for (i = first; i != 0; i = l->patch[i - 1].before) {
		const struct patch *p = &l->patch[i - 1];

		if (p->off > n || p->n > n - p->off)
			return -1;
		if (p->n > 0)
			memcpy(val + p->off, p->p, p->n);
	}
	return 0;
}

/* The entry's value becomes a copy with its patches. */
static int
settle(struct olog *l, struct ent *e, struct base *base)
{
	struct slice val = slice_make(e->val, e->vlen);
	char *copy;
	int rc;

	if (e->state == ENT_PATCHED) {
		if (base == NULL)
			return STORE_E_CORRUPT;
		if ((rc = base_get(base, ent_key(e), &val)) < 0)
			return rc;
		if (rc == 0)
			return STORE_E_CORRUPT;
	}
	copy = xstrndup(val.p, val.n);
	if (patches_apply(l, e, copy, val.n) < 0) {
		xfree(copy);
		e->state = ENT_BAD;
		return STORE_E_CORRUPT;
	}
	e->state = ENT_VALUE;
	e->owned = copy;
	e->val = copy;
	e->vlen = (uint32_t)val.n;
	return 0;
}

int
olog_get(struct olog *l, struct slice key, struct base *base,
    struct slice *val_r)
{
	struct ent *e = look(l, key);
	int rc;

	if (e == NULL)
		return l->on_base && !olog_hides(l, key) ? 2 : 0;
	if (e->state == ENT_GONE)
		return 0;
	if (e->state == ENT_BAD)
		return STORE_E_CORRUPT;
	if (e->state == ENT_PATCHED || e->last != 0)
		if ((rc = settle(l, e, base)) < 0)
			return rc;
	*val_r = slice_make(e->val, e->vlen);
	return 1;
}

/* ---- in order ----------------------------------------------------------- */

static int
compare(const void *a, const void *b, void *arg)
{
	const struct olog *l = arg;

	return slice_cmp(ent_key(&l->ent[*(const uint32_t *)a]),
	    ent_key(&l->ent[*(const uint32_t *)b]));
}

/* Brings the entries that came since into the order. */
static void
sort(struct olog *l)
{
	size_t old = l->n_sorted, i = old, k, n = l->n;
	uint32_t *more;

	if (old == n)
		return;
	l->sorted = xreallocarray(l->sorted, n, sizeof(*l->sorted));
	more = xreallocarray(NULL, n - old, sizeof(*more));
	for (k = 0; k < n - old; k++)
		more[k] = (uint32_t)(old + k);
	qsort_r(more, n - old, sizeof(*more), compare, l);
	/* Merged from the back. */
	for (k = n - old; k > 0; n--)
		l->sorted[n - 1] =
		    i > 0 && compare(&l->sorted[i - 1], &more[k - 1], l) > 0 ?
		    l->sorted[--i] : more[--k];
	xfree(more);
	l->n_sorted = l->n;
}

/* The first place in the order whose key is >= key. */
static size_t
lower_bound(const struct olog *l, struct slice key)
{
	size_t lo = 0, hi = l->n_sorted;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (slice_cmp(ent_key(&l->ent[l->sorted[mid]]), key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
pick(struct olog *l, struct slice from, struct slice to,
    struct olog_list *list)
{
	unsigned char first = from.n > 0 ? (unsigned char)from.p[0] : 0;
	unsigned char last = to.n > 0 ? (unsigned char)to.p[0] : UCHAR_MAX;
	size_t cap = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct slice k = ent_key(&l->ent[i]);

		/* Most are of another kind, which their first octet tells. */
		if ((unsigned char)k.p[0] < first ||
		    (unsigned char)k.p[0] > last || slice_cmp(k, from) < 0 ||
		    (to.n > 0 && slice_cmp(k, to) >= 0))
			continue;
		if (list->n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			list->own = xreallocarray(list->own, cap,
			    sizeof(*list->own));
		}
		list->own[list->n++] = (uint32_t)i;
	}
	if (list->n > 1)
		qsort_r(list->own, list->n, sizeof(*list->own), compare, l);
	list->at = list->own;
}

void
olog_list(struct olog *l, struct slice from, struct slice to,
    struct olog_list *list)
{
	size_t lo, hi;

	*list = (struct olog_list){ .l = l };
	if (l->n == 0)
		return;
	if (l->n_sorted == 0 && l->picks < PICKS) {
		l->picks++;
		pick(l, from, to, list);
		return;
	}
	sort(l);
	lo = lower_bound(l, from);
	hi = to.n > 0 ? lower_bound(l, to) : l->n_sorted;
	list->at = l->sorted + lo;
	list->n = hi > lo ? hi - lo : 0;
}

struct slice
olog_list_key(const struct olog_list *list, size_t i)
{
	return ent_key(&list->l->ent[list->at[i]]);
}

void
olog_list_release(struct olog_list *list)
{
	xfree(list->own);
	list->own = NULL;
	list->n = 0;
}
