/* libstore/chunk.c - changing the slots of a mailbox, a chunk at a time */
#include "config.h"

#include <assert.h>

#include "libstore/store-int.h"

enum { PATCH_OVERHEAD = 13 + 24 };	/* key and the engine's record */

static void
bit_set(uint64_t *b, size_t i, unsigned *n)
{
	uint64_t m = UINT64_C(1) << (i % 64);

	*n += !(b[i / 64] & m);
	b[i / 64] |= m;
}

static bool
bit_get(const uint64_t *b, size_t i)
{
	return b[i / 64] >> (i % 64) & 1;
}

static uint32_t
cap_next(uint32_t cap)
{
	static const uint32_t step[] = { 4, 16, 64, ROW_CHUNK_MAX };

	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++)
		if (step[i] > cap)
			return step[i];
	return 0;
}

/* ---- finding ----------------------------------------------------------- */

/* How many of the mailbox's loaded chunks begin at or before uid. */
static size_t
loaded_before(const struct w_mailbox *m, uint32_t uid)
{
	size_t lo = 0, hi = m->n_loaded;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (m->loaded[mid]->first <= uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
loaded_add(struct work *w, struct w_mailbox *m, struct w_chunk *c)
{
	size_t i = loaded_before(m, c->first);

	m->loaded = arena_grow(w->a, m->loaded, &m->cap_loaded,
	    m->n_loaded + 1, sizeof(*m->loaded));
	memmove(m->loaded + i + 1, m->loaded + i,
	    (m->n_loaded - i) * sizeof(*m->loaded));
	m->loaded[i] = c;
	m->n_loaded++;
}

/* The loaded chunk that uid is within, if it is within any. */
static struct w_chunk *
loaded_find(const struct w_mailbox *m, uint32_t uid)
{
	size_t i = loaded_before(m, uid);
	struct w_chunk *c = i > 0 ? m->loaded[i - 1] : NULL;

	if (c == NULL || c->c.used == 0 ||
	    row_get32(row_hot_at(&c->c, c->c.used - 1)) < uid)
		return NULL;
	return c;
}

static int
chunk_load(struct work *w, struct w_mailbox *m, const struct peek *p,
    struct w_chunk **c_r)
{
	struct w_chunk *c = umap_get(&w->chunks, m->id, p->first);

	if (!c) {
		c = arena_alloc(w->a, sizeof(*c));
		c->mailbox = m->id;
		c->first = p->first;
		c->c = p->hot;
		c->old_max = p->hot.max;
		c->hot = (unsigned char *)arena_strndup(w->a,
		    (const char *)p->hot.p, row_hot_len(c->c.cap));
		c->c.p = c->hot;
		umap_add(&w->chunks, m->id, p->first, c);
		loaded_add(w, m, c);
	}
	*c_r = c;
	return 0;
}

/* The chunk with the greatest first <= uid. */
static int
chunk_find(struct work *w, struct w_mailbox *m, uint32_t uid,
    struct w_chunk **c_r)
{
	struct peek p;
	int rc;

	for (size_t i = m->n_fresh; i > 0; i--)
		if (m->fresh[i - 1]->first <= uid) {
			*c_r = m->fresh[i - 1];
			return 0;
		}
	if ((*c_r = loaded_find(m, uid)) != NULL)
		return 0;
	if ((rc = peek_open(w->t, m->id, uid, false, &p)) == 0)
		rc = chunk_load(w, m, &p, c_r);
	peek_close(&p);
	return rc == STORE_E_CORRUPT ? store_corrupt(w->st, "chunk", m->id) :
	    rc;
}

static int
chunk_cold(struct work *w, struct w_chunk *c)
{
	struct row_key k = row_key_u64_u32(ROW_K_COLD, c->mailbox, c->first);
	struct row_chunk d;
	struct slice v;
	int rc;

	if (c->cold)
		return 0;
	if ((rc = work_get(w, k, &v)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "cold chunk", c->mailbox) : rc;
	if ((rc = row_cold_check(v, &d)) == STORE_E_VERSION)
		return rc;
	if (rc < 0 || d.cap != c->c.cap)
		return store_corrupt(w->st, "cold chunk", c->mailbox);
	c->cold = (unsigned char *)(uintptr_t)v.p;	/* the arena's */
	return 0;
}

/* Where uid is in the chunk: the next slot, if they are asked for in order. */
static int
chunk_slot(const struct w_chunk *c, uint32_t uid, size_t after)
{
	if (after + 1 < c->c.used &&
	    row_get32(row_hot_at(&c->c, after + 1)) == uid)
		return (int)after + 1;
	return row_hot_find(&c->c, uid);
}

int
w_msg(struct work *w, struct w_mailbox *m, uint32_t uid, struct w_msg *g_r)
{
	int i = -1, rc;

	if (g_r->c && g_r->m == m)
		i = chunk_slot(g_r->c, uid, g_r->i);
	if (i < 0) {
		if ((rc = chunk_find(w, m, uid, &g_r->c)) < 0)
			return rc;
		g_r->m = m;
		if ((i = row_hot_find(&g_r->c->c, uid)) < 0) {
			g_r->i = 0;
			return STORE_E_NOTFOUND;
		}
	}
	g_r->i = (size_t)i;
	row_hot_slot(&g_r->c->c, g_r->i, &g_r->hot);
	return g_r->hot.marks & ROW_DEAD ? STORE_E_NOTFOUND : 0;
}

int
w_msg_cold(struct work *w, struct w_msg *g, struct row_cold *cold_r)
{
	struct row_chunk d;
	int rc;

	if ((rc = chunk_cold(w, g->c)) < 0)
		return rc;
	d = g->c->c;
	d.p = g->c->cold;
	row_cold_slot(&d, g->i, cold_r);
	return 0;
}

/* ---- writing ----------------------------------------------------------- */

/* The first change has the head and the row of changed chunks with it; each
 * slot is as if patched, but no more than the whole row. */
static void
chunk_cost(struct work *w, struct w_chunk *c, bool cold)
{
	size_t *cost = cold ? &c->cold_cost : &c->hot_cost;
	size_t max = cold ? row_cold_len(c->c.cap) : row_hot_len(c->c.cap);

	w->dirty = true;
	if (c->hot_n == 0 && c->cold_n == 0)
		w->cost += 300;
	if (c->is_new || c->rewrite || *cost >= max)
		return;
	*cost += (cold ? ROW_COLD_SLOT : ROW_HOT_SLOT) + PATCH_OVERHEAD;
	w->cost += (cold ? ROW_COLD_SLOT : ROW_HOT_SLOT) + PATCH_OVERHEAD;
}

void
w_msg_write(struct work *w, struct w_msg *g)
{
	struct w_chunk *c = g->c;

	chunk_cost(w, c, false);
	row_hot_put_slot(c->hot, g->i, &g->hot);
	bit_set(c->hot_dirty, g->i, &c->hot_n);
	if (g->hot.modseq > c->c.max) {
		c->c.max = g->hot.modseq;
		c->head_dirty = true;
	}
}

void
w_msg_kill(struct work *w, struct w_msg *g)
{
	struct w_chunk *c = g->c;

	g->hot.marks |= ROW_DEAD;
	w_msg_write(w, g);
	assert(c->c.live > 0);
	c->c.live--;
	c->killed = true;
	c->head_dirty = true;
}

/* Room for cap slots, without the dead ones. */
static int
chunk_rebuild(struct work *w, struct w_chunk *c, uint32_t cap)
{
	struct row_chunk old = c->c, oldcold;
	struct row_hot h;
	struct row_cold d;
	unsigned char *hot, *cold;
	uint32_t n = 0;
	int rc;

	if ((rc = chunk_cold(w, c)) < 0)
		return rc;
	oldcold = old;
	oldcold.p = c->cold;
	hot = arena_alloc(w->a, row_hot_len(cap));
	cold = arena_alloc(w->a, row_cold_len(cap));
	for (size_t i = 0; i < old.used; i++) {
		row_hot_slot(&old, i, &h);
		if (h.marks & ROW_DEAD)
			continue;
		assert(n < cap);
		row_cold_slot(&oldcold, i, &d);
		row_hot_put_slot(hot, n, &h);
		row_cold_put_slot(cold, n++, &d);
	}
	row_cold_put_head(cold, cap);
	c->hot = hot;
	c->cold = cold;
	c->c.p = hot;
	c->c.cap = cap;
	c->c.used = c->c.live = n;
	c->rewrite = true;
	w->cost += row_hot_len(cap) + row_cold_len(cap);
	return 0;
}

static struct w_chunk *
chunk_new(struct work *w, struct w_mailbox *m, uint32_t first, uint32_t cap)
{
	struct w_chunk *c = arena_alloc(w->a, sizeof(*c));

	c->mailbox = m->id;
	c->first = first;
	c->is_new = true;
	c->c.cap = cap;
	c->hot = arena_alloc(w->a, row_hot_len(cap));
	c->cold = arena_alloc(w->a, row_cold_len(cap));
	row_cold_put_head(c->cold, cap);
	c->c.p = c->hot;
	umap_add(&w->chunks, m->id, first, c);
	m->fresh = arena_grow(w->a, m->fresh, &m->cap_fresh, m->n_fresh + 1,
	    sizeof(struct w_chunk *));
	m->fresh[m->n_fresh++] = c;
	w->cost += row_hot_len(cap) + row_cold_len(cap);
	return c;
}

/* The chunk that takes the next message, with a free slot. */
static int
chunk_for_append(struct work *w, struct w_mailbox *m, uint32_t uid)
{
	struct w_chunk *c;
	uint32_t cap;
	int rc;

	if (!m->last_known) {
		rc = chunk_find(w, m, UINT32_MAX, &m->last);
		if (rc == STORE_E_NOTFOUND)
			m->last = NULL;
		else if (rc < 0)
			return rc;
		m->last_known = true;
	}
	c = m->last;
	if (c && c->c.live > 0 && c->c.used < c->c.cap)
		return 0;
	if (c && c->c.live > 0 && c->c.live * 2 <= c->c.cap)
		return chunk_rebuild(w, c, c->c.cap);
	if (c && c->c.live > 0 && (cap = cap_next(c->c.cap)) > 0)
		return chunk_rebuild(w, c, cap);
	m->last = chunk_new(w, m, uid, cap_next(c && c->c.live > 0 ? 4 : 0));
	return 0;
}

int
w_append(struct work *w, struct w_mailbox *m, const struct row_hot *h,
    const struct row_cold *d)
{
	struct w_chunk *c;
	int rc;

	if ((rc = chunk_for_append(w, m, h->uid)) < 0)
		return rc;
	c = m->last;
	if ((rc = chunk_cold(w, c)) < 0)
		return rc;
	chunk_cost(w, c, false);
	chunk_cost(w, c, true);
	row_hot_put_slot(c->hot, c->c.used, h);
	row_cold_put_slot(c->cold, c->c.used, d);
	bit_set(c->hot_dirty, c->c.used, &c->hot_n);
	bit_set(c->cold_dirty, c->c.used, &c->cold_n);
	c->c.used++;
	c->c.live++;
	if (h->modseq > c->c.max)
		c->c.max = h->modseq;
	c->head_dirty = true;
	return 0;
}

/* ---- the rows ---------------------------------------------------------- */

static int
put_octets(struct work *w, struct row_key k, const unsigned char *p, size_t n)
{
	w->dirty = true;
	return kv_put(w->t, row_key(&k), slice_make((const char *)p, n));
}

/* Patches runs of dirty slots of a row that starts with head octets. */
static int
patch_slots(struct work *w, struct row_key k, const unsigned char *p,
    size_t head, size_t slot, uint32_t used, const uint64_t *dirty)
{
	size_t i, j;
	int rc;

	for (i = 0; i < used; i = j + 1) {
		j = i;
		if (!bit_get(dirty, i))
			continue;
		while (j + 1 < used && bit_get(dirty, j + 1))
			j++;
		rc = kv_patch(w->t, row_key(&k), head + i * slot,
		    slice_make((const char *)p + head + i * slot,
		    (j + 1 - i) * slot));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static size_t
patch_cost(const uint64_t *dirty, uint32_t used, size_t slot)
{
	size_t cost = 0;

	for (size_t i = 0; i < used; i++)
		if (bit_get(dirty, i))
			cost += slot + (i > 0 && bit_get(dirty, i - 1) ? 0 :
			    PATCH_OVERHEAD);
	return cost;
}

static int
flush_half(struct work *w, struct w_chunk *c, bool hot)
{
	struct row_key k = row_key_u64_u32(hot ? ROW_K_HOT : ROW_K_COLD,
	    c->mailbox, c->first);
	const unsigned char *p = hot ? c->hot : c->cold;
	const uint64_t *dirty = hot ? c->hot_dirty : c->cold_dirty;
	size_t len = hot ? row_hot_len(c->c.cap) : row_cold_len(c->c.cap);
	size_t head = hot ? ROW_HOT_HEAD : ROW_COLD_HEAD;
	size_t slot = hot ? ROW_HOT_SLOT : ROW_COLD_SLOT;
	int rc;

	if (c->is_new || c->rewrite ||
	    patch_cost(dirty, c->c.used, slot) >= len)
		return put_octets(w, k, p, len);
	if (hot && c->head_dirty) {
		rc = kv_patch(w->t, row_key(&k), 0,
		    slice_make((const char *)p, head));
		if (rc < 0)
			return rc;
	}
	return patch_slots(w, k, p, head, slot, c->c.used, dirty);
}

static int
flush_changed(struct work *w, struct w_chunk *c)
{
	int rc;

	if (!c->is_new && (c->c.live == 0 || c->old_max != c->c.max)) {
		rc = work_del(w, row_key_changed(c->old_max, c->mailbox,
		    c->first));
		if (rc < 0)
			return rc;
	}
	if (c->c.live == 0 || (!c->is_new && c->old_max == c->c.max))
		return 0;
	buf_reset(&w->st->val);
	buf_addc(&w->st->val, ROW_VERSION);
	return work_put(w, row_key_changed(c->c.max, c->mailbox, c->first));
}

static int
flush_empty(struct work *w, struct w_chunk *c)
{
	int rc;

	if (c->is_new)
		return 0;
	if ((rc = flush_changed(w, c)) < 0)
		return rc;
	rc = work_del(w, row_key_u64_u32(ROW_K_HOT, c->mailbox, c->first));
	if (rc < 0)
		return rc;
	return work_del(w, row_key_u64_u32(ROW_K_COLD, c->mailbox, c->first));
}

static int
chunk_flush(struct work *w, struct w_chunk *c)
{
	int rc;

	if (!c->is_new && !c->rewrite && !c->head_dirty && c->hot_n == 0)
		return 0;
	if (c->c.live == 0)
		return flush_empty(w, c);
	/* Mostly dead: give the space back. */
	if (c->killed && c->c.live * 2 < c->c.used &&
	    (rc = chunk_rebuild(w, c, c->c.live)) < 0)
		return rc;
	row_hot_put_head(c->hot, &c->c);
	if ((rc = flush_half(w, c, true)) < 0)
		return rc;
	if ((c->is_new || c->rewrite || c->cold_n > 0) &&
	    (rc = flush_half(w, c, false)) < 0)
		return rc;
	return flush_changed(w, c);
}

int
w_chunks_flush(struct work *w)
{
	struct w_chunk *c;
	size_t pos = 0;
	int rc;

	while ((c = umap_next(&w->chunks, &pos)))
		if ((rc = chunk_flush(w, c)) < 0)
			return rc;
	return 0;
}
