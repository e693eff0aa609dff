/* jmap-fcgi/email-moved.c - Emails that may have another place in a result */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/email.h"
#include "libbase/xalloc.h"

static void
add(struct moved *m, uint64_t id, bool created)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->v = xreallocarray(m->v, m->cap, sizeof(*m->v));
	}
	m->v[m->n++] = (struct moved_email){ id, created };
}

/* Of the same Email the one that was created first. */
static int
by_id(const void *va, const void *vb)
{
	const struct moved_email *a = va, *b = vb;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return b->created - a->created;
}

/* Ids are a modseq and a small number: both vary. */
static uint64_t
bit_of(uint64_t id)
{
	return UINT64_C(1) << ((id * UINT64_C(0x9e3779b97f4a7c15)) >> 58);
}

static void
settle(struct moved *m)
{
	size_t n = 0;

	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), by_id);
	for (size_t i = 0; i < m->n; i++)
		if (n == 0 || m->v[n - 1].id != m->v[i].id) {
			m->maybe |= bit_of(m->v[i].id);
			m->v[n++] = m->v[i];
		}
	m->n = n;
}

struct moved_email *
moved_find(const struct moved *m, uint64_t id)
{
	size_t lo = 0, hi = m->n;

	if ((m->maybe & bit_of(id)) == 0)
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->v[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->n && m->v[lo].id == id ? &m->v[lo] : NULL;
}

void
moved_free(struct moved *m)
{
	xfree(m->v);
	*m = (struct moved){ NULL, 0, 0, 0 };
}

/* All Emails of a thread come along where one shows which of it is a result,
 * or makes the others match. */
static int
add_thread(struct jmap_call *c, struct moved *m, uint64_t thread)
{
	uint64_t *ids;
	size_t n;
	int rc;

	rc = store_thread_get(c->st, c->req->scratch, thread, &ids, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		add(m, ids[i], false);
	arena_reset(c->req->scratch);
	return rc == STORE_E_NOTFOUND ? 0 : rc;
}

static int
add_threads(struct jmap_call *c, struct moved *m, uint64_t since,
    const struct store_change *ch, size_t n)
{
	struct store_change *tch = NULL;
	struct store_email e;
	uint64_t state;
	size_t n_tch = 0;
	bool more;
	int rc;

	rc = store_changes(c->st, c->arena, STORE_T_THREAD, since, 0, &tch,
	    &n_tch, &state, &more);
	for (size_t i = 0; rc == 0 && i < n_tch; i++)
		rc = add_thread(c, m, tch[i].id);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (ch[i].kind == STORE_DESTROYED)
			continue;
		rc = store_email_get(c->st, c->req->scratch, ch[i].id, &e);
		arena_reset(c->req->scratch);
		if (rc == 0)
			rc = add_thread(c, m, e.thread);
		rc = rc == STORE_E_NOTFOUND ? 0 : rc;
	}
	return rc;
}

int
moved_since(struct jmap_call *c, struct moved *m, uint64_t since, bool threads)
{
	struct store_change *ch = NULL;
	uint64_t state;
	size_t n = 0;
	bool more;
	int rc;

	rc = store_changes(c->st, c->arena, STORE_T_EMAIL, since, 0, &ch, &n,
	    &state, &more);
	for (size_t i = 0; rc == 0 && i < n; i++)
		add(m, ch[i].id, ch[i].kind == STORE_CREATED);
	if (rc == 0 && threads)
		rc = add_threads(c, m, since, ch, n);
	settle(m);
	return rc;
}
