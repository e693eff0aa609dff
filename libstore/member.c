/* libstore/member.c - deleting the rows of threads' members, many at once */
#include "config.h"

#include <stdlib.h>

#include "libstore/store-int.h"

/*
 * Who empties a mailbox deletes the members of thousands of threads, most of
 * which are neighbors.  One scan over them finds the runs in which nobody
 * stays, and a run is one operation: of the journal, and for all who read it.
 */
enum {
	FEW = 64,		/* aren't worth a scan */
	RUN_MIN = 16,		/* rows in a run of its own */
	STAY_MAX = 4		/* times as many rows may be seen that stay */
};

struct w_member {
	uint64_t thread, email;
};

static int
member_cmp(const void *a, const void *b)
{
	const struct w_member *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->email < y->email ? -1 : x->email > y->email;
}

void
w_member_gone(struct work *w, uint64_t thread, uint64_t email)
{
	struct w_member m = { thread, email };

	w->gone = arena_grow(w->a, w->gone, &w->cap_gone, w->n_gone + 1,
	    sizeof(*w->gone));
	w->gone_mixed |= w->n_gone > 0 &&
	    member_cmp(&w->gone[w->n_gone - 1], &m) > 0;
	w->gone[w->n_gone++] = m;
	w->dirty = true;
	w->cost += 48;
}

static struct row_key
member_key(const struct w_member *m)
{
	return row_key_u64_u64(ROW_K_MEMBER, m->thread, m->email);
}

/* Those from first to before end. */
static int
delete_each(struct work *w, size_t first, size_t end)
{
	int rc;

	for (size_t i = first; i < end; i++)
		if ((rc = work_del(w, member_key(&w->gone[i]))) < 0)
			return rc;
	return 0;
}

/* The same, when no other row is among them. */
static int
delete_run(struct work *w, size_t first, size_t end)
{
	struct row_key from, to;

	if (end - first < RUN_MIN)
		return delete_each(w, first, end);
	from = member_key(&w->gone[first]);
	to = row_key_after(member_key(&w->gone[end - 1]));
	return kv_del_range(w->t, row_key(&from), row_key(&to));
}

/*
 * Compares the rows with those that go, both in order, as far as it pays.
 * end_r[i]: the end of the run that begins with the ith.  *known_r: the first
 * so many are in runs.
 */
static int
find_runs(struct work *w, size_t *end_r, size_t *known_r)
{
	struct row_key from = member_key(&w->gone[0]);
	struct row_key to = row_key_after(member_key(&w->gone[w->n_gone - 1]));
	size_t i = 0, first = 0, stay = 0;
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct w_member m;
	int rc, c;

	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && i < w->n_gone && stay < STAY_MAX * w->n_gone &&
	    (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64_u64(key, ROW_K_MEMBER, &m.thread,
			&m.email)) {
			rc = STORE_E_CORRUPT;
			break;
		}
		/* Those without a row may be in a run as well. */
		while (i < w->n_gone &&
		    (c = member_cmp(&w->gone[i], &m)) < 0)
			i++;
		if (i < w->n_gone && c == 0) {
			i++;
			continue;
		}
		stay++;
		if (i > first)
			end_r[first] = i;
		first = i;
	}
	kv_scan_close(&s);
	if (i > first)
		end_r[first] = i;
	*known_r = i;
	return rc < 0 ? rc : 0;
}

int
w_members_flush(struct work *w)
{
	size_t *end, known, i;
	int rc = 0;

	if (w->n_gone < FEW)
		return delete_each(w, 0, w->n_gone);
	if (w->gone_mixed)
		qsort(w->gone, w->n_gone, sizeof(*w->gone), member_cmp);
	w->gone_mixed = false;
	end = arena_calloc(w->a, w->n_gone, sizeof(*end));
	if ((rc = find_runs(w, end, &known)) < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(w->st, "member", 0) : rc;
	for (i = 0; i < known && rc == 0; i = end[i])
		rc = delete_run(w, i, end[i]);
	return rc < 0 ? rc : delete_each(w, known, w->n_gone);
}
