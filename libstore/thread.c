/* libstore/thread.c - threads: their headers, and what mailboxes count of them */
#include "config.h"

#include <stdlib.h>

#include "libstore/store-int.h"

/* What a thread adds to the counts of a mailbox. */
static void
thread_shows(const struct row_thread *t, uint64_t mailbox, uint32_t *threads_r,
    uint32_t *unread_r)
{
	*threads_r = *unread_r = 0;
	for (size_t i = 0; i < t->n_in; i++)
		if (t->in[i].mailbox == mailbox) {
			*threads_r = 1;
			/* RFC 8621 section 2: the trash is a world apart. */
			*unread_r = mailbox == t->trash ?
			    t->unread_trash > 0 : t->unread > 0;
			return;
		}
}

static int
thread_in_add(struct work *w, struct w_thread *t, uint64_t mailbox, int sign)
{
	struct row_thread *r = &t->row;
	size_t i;

	for (i = 0; i < r->n_in && r->in[i].mailbox != mailbox; i++)
		;
	if (i == r->n_in) {
		if (sign < 0)
			return store_corrupt(w->st, "thread", t->id);
		if (r->n_in == ROW_THREAD_IN_MAX)
			return STORE_E_LIMIT;
		r->in = arena_grow(w->a, r->in, &t->cap_in, r->n_in + 1,
		    sizeof(*r->in));
		r->in[r->n_in++] = (struct row_thread_in){ mailbox, 0 };
	}
	r->in[i].emails += (uint32_t)sign;
	if (r->in[i].emails == 0)
		r->in[i] = r->in[--r->n_in];
	return 0;
}

static bool
counter_add(uint32_t *v, bool on, int sign)
{
	if (!on)
		return true;
	if (sign < 0 && *v == 0)
		return false;
	*v += (uint32_t)sign;
	return true;
}

int
w_thread_count(struct work *w, struct w_thread *t, const struct seen *s,
    int sign)
{
	size_t trash = 0;
	int rc;

	for (size_t i = 0; i < s->n; i++) {
		trash += s->in[i].mailbox == t->row.trash;
		rc = thread_in_add(w, t, s->in[i].mailbox, sign);
		if (rc < 0)
			return rc;
	}
	if (!counter_add(&t->row.emails, true, sign) ||
	    !counter_add(&t->row.unread, s->unread && s->n > trash, sign) ||
	    !counter_add(&t->row.unread_trash, s->unread && trash > 0, sign))
		return store_corrupt(w->st, "thread", t->id);
	if (!t->dirty)
		w->cost += 80 + 12 * t->row.n_in;
	t->dirty = true;
	w->dirty = true;
	return 0;
}

/* ---- the trash moved --------------------------------------------------- */

static int
member_count(struct work *w, struct w_thread *t, uint64_t id)
{
	struct w_email *e;
	struct seen s;
	int rc;

	if ((rc = w_email(w, id, &e)) < 0 ||
	    (rc = email_seen(w, e, &s)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "thread", t->id) : rc;
	return w_thread_count(w, t, &s, 1);
}

/* The Emails of a thread, in the arena. */
static int
members_read(struct kv_txn *t, struct arena *a, uint64_t thread,
    uint64_t **id_r, int64_t **when_r, size_t *n_r)
{
	struct row_key from = row_key_u64(ROW_K_MEMBER, thread);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint64_t th, *id = NULL, when;
	int64_t *at = NULL;
	size_t n = 0, cap = 0, cap2 = 0;
	int rc;

	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		id = arena_grow(a, id, &cap, n + 1, sizeof(*id));
		at = arena_grow(a, at, &cap2, n + 1, sizeof(*at));
		if (!row_key_get_u64_u64(key, ROW_K_MEMBER, &th, &id[n]))
			rc = STORE_E_CORRUPT;
		else
			rc = row_u64_get(val, &when);
		if (rc < 0)
			break;
		at[n++] = (int64_t)when;
	}
	kv_scan_close(&s);
	*id_r = id;
	*when_r = at;
	*n_r = n;
	return rc;
}

static bool
thread_touches(const struct row_thread *t, uint64_t mailbox)
{
	for (size_t i = 0; i < t->n_in; i++)
		if (t->in[i].mailbox == mailbox)
			return true;
	return false;
}

/* Counts anew with today's trash. */
static int
thread_recount(struct work *w, struct w_thread *t)
{
	bool touches = thread_touches(&t->row, t->row.trash) ||
	    thread_touches(&t->row, w->head.trash);
	uint64_t *id;
	int64_t *when;
	size_t n;
	int rc;

	t->row.trash = w->head.trash;
	if (!touches)
		return 0;
	if ((rc = members_read(w->t, w->a, t->id, &id, &when, &n)) < 0)
		return rc;
	t->row.emails = t->row.unread = t->row.unread_trash = 0;
	t->row.n_in = 0;
	for (size_t i = 0; i < n; i++)
		if ((rc = member_count(w, t, id[i])) < 0)
			return rc;
	return 0;
}

int
w_trash_moved(struct work *w, uint64_t to)
{
	uint64_t mb[2] = { w->head.trash, to };
	struct w_mailbox *m;
	int rc;

	w->head.trash = to;
	w->dirty = true;
	for (int i = 0; i < 2; i++) {
		if (mb[i] == 0 || w_mailbox(w, mb[i], &m) < 0 ||
		    m->row.total == 0)
			continue;
		row_u32_put(&w->st->val, 0);
		rc = work_put(w, row_key_u64(ROW_K_JOB, mb[i]));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- headers ----------------------------------------------------------- */

int
w_thread(struct work *w, uint64_t id, struct w_thread **t_r)
{
	struct w_thread *t = umap_get(&w->threads, id, 0);
	struct slice v;
	int rc;

	if (t) {
		*t_r = t;
		return t->row.emails > 0 ? 0 : STORE_E_NOTFOUND;
	}
	if ((rc = work_get(w, row_key_u64(ROW_K_THREAD, id), &v)) < 0)
		return rc;
	t = arena_alloc(w->a, sizeof(*t));
	t->id = id;
	t->stored = true;
	if ((rc = row_thread_get(v, w->a, &t->before)) < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(w->st, "thread", id) : rc;
	t->row = t->before;
	t->cap_in = t->row.n_in;
	t->row.in = arena_calloc(w->a, t->cap_in, sizeof(*t->row.in));
	if (t->row.n_in > 0)
		memcpy(t->row.in, t->before.in,
		    t->row.n_in * sizeof(*t->row.in));
	umap_add(&w->threads, id, 0, t);
	*t_r = t;
	return t->row.trash == w->head.trash ? 0 : thread_recount(w, t);
}

static int
member_put(struct work *w, uint64_t thread, uint64_t email, int64_t received)
{
	row_u64_put(&w->st->val, (uint64_t)received);
	return work_put(w, row_key_u64_u64(ROW_K_MEMBER, thread, email));
}

int
w_thread_make(struct work *w, uint64_t id, struct w_thread **t_r)
{
	struct w_thread *t;
	struct w_email *e;
	struct w_mailbox *m;
	struct w_msg g = { 0 };
	struct seen s;
	int rc;

	if ((rc = w_thread(w, id, t_r)) != STORE_E_NOTFOUND)
		return rc;
	if ((rc = w_email(w, id, &e)) < 0 ||
	    (rc = w_mailbox(w, e->row.in[0].mailbox, &m)) < 0 ||
	    (rc = w_msg(w, m, e->row.in[0].uid, &g)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "thread", id) : rc;
	if (e->row.n_in != 1 || e->row.thread != id ||
	    umap_get(&w->threads, id, 0))
		return store_corrupt(w->st, "thread", id);
	g.hot.marks |= ROW_THREADED;
	w_msg_write(w, &g);
	t = arena_alloc(w->a, sizeof(*t));
	t->id = id;
	umap_add(&w->threads, id, 0, t);
	t->row.trash = w->head.trash;
	if ((rc = email_seen(w, e, &s)) < 0 ||
	    (rc = w_thread_count(w, t, &s, 1)) < 0)
		return rc;
	/* Its mailbox counts it already. */
	t->before = t->row;
	t->before.in = arena_calloc(w->a, s.n, sizeof(*t->before.in));
	if (s.n > 0)
		t->before.in[0] = t->row.in[0];
	*t_r = t;
	return member_put(w, id, id, e->row.received);
}

/* Brings what the mailbox counts of the thread up to date. */
static int
thread_show(struct work *w, struct w_thread *t, uint64_t mailbox)
{
	uint32_t threads, unread, threads0, unread0;
	struct w_mailbox *m;
	int rc;

	thread_shows(&t->before, mailbox, &threads0, &unread0);
	thread_shows(&t->row, mailbox, &threads, &unread);
	if (threads == threads0 && unread == unread0)
		return 0;
	if ((rc = w_mailbox(w, mailbox, &m)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "thread", t->id) : rc;
	m->row.threads += threads - threads0;
	m->row.unread_threads += unread - unread0;
	w_counted(w, m);
	return 0;
}

static int
thread_flush(struct work *w, struct w_thread *t)
{
	int rc;

	for (size_t i = 0; i < t->before.n_in; i++)
		if ((rc = thread_show(w, t, t->before.in[i].mailbox)) < 0)
			return rc;
	for (size_t i = 0; i < t->row.n_in; i++) {
		uint32_t threads, unread;

		thread_shows(&t->before, t->row.in[i].mailbox, &threads,
		    &unread);
		if (threads == 0 &&
		    (rc = thread_show(w, t, t->row.in[i].mailbox)) < 0)
			return rc;
	}
	if (t->row.emails == 0)
		return t->stored ?
		    work_del(w, row_key_u64(ROW_K_THREAD, t->id)) : 0;
	row_thread_put(&w->st->val, &t->row);
	return work_put(w, row_key_u64(ROW_K_THREAD, t->id));
}

int
w_threads_flush(struct work *w)
{
	struct w_thread *t;
	size_t pos = 0;
	int rc;

	while ((t = umap_next(&w->threads, &pos))) {
		if (t->dirty && (rc = thread_flush(w, t)) < 0)
			return rc;
		t->dirty = false;
	}
	return 0;
}

/* ---- the job after the trash moved ------------------------------------- */

/* The threads with a header in the first chunk from first on; 0 chunks: 0. */
static int
job_chunk(struct work *w, uint64_t mailbox, uint32_t *first, uint64_t **th_r,
    size_t *n_r)
{
	struct row_key from = row_key_u64_u32(ROW_K_HOT, mailbox, *first);
	struct row_key to = row_key_after(row_key_u64(ROW_K_HOT, mailbox));
	struct kv_scan *s = NULL;
	struct peek p = { 0 };
	struct slice key, val;
	struct row_hot h;
	struct row_cold d;
	uint64_t mb;
	int rc;

	*n_r = 0;
	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	if (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0 &&
	    !row_key_get_u64_u32(key, ROW_K_HOT, &mb, first))
		rc = STORE_E_CORRUPT;
	kv_scan_close(&s);
	if (rc <= 0)
		return rc;
	if ((rc = peek_open(w->t, mailbox, *first, true, &p)) == 0) {
		*th_r = arena_calloc(w->a, p.hot.used, sizeof(**th_r));
		for (size_t i = 0; i < p.hot.used; i++) {
			row_hot_slot(&p.hot, i, &h);
			row_cold_slot(&p.cold, i, &d);
			if ((h.marks & (ROW_DEAD | ROW_THREADED)) ==
			    ROW_THREADED)
				(*th_r)[(*n_r)++] = d.thread;
		}
		rc = 1;
	}
	peek_close(&p);
	return rc;
}

/* A portion of one mailbox: 1: there may be more. */
static int
job_step(struct work *w, void *arg)
{
	uint64_t mailbox = *(uint64_t *)arg, *th;
	struct row_key k = row_key_u64(ROW_K_JOB, mailbox);
	struct w_thread *t;
	struct slice v;
	uint32_t next;
	size_t n;
	int rc;

	if ((rc = work_get(w, k, &v)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	if ((rc = row_u32_get(v, &next)) < 0)
		return rc;
	for (int chunks = 0; chunks < 16 && !work_full(w); chunks++) {
		if ((rc = job_chunk(w, mailbox, &next, &th, &n)) < 0)
			return rc;
		if (rc == 0)
			return work_del(w, k);
		for (size_t i = 0; i < n; i++) {
			rc = w_thread(w, th[i], &t);
			if (rc == 0 && t->row.trash != t->before.trash)
				t->dirty = true;
			if (rc < 0 && rc != STORE_E_NOTFOUND)
				return rc;
		}
		next++;
	}
	row_u32_put(&w->st->val, next);
	rc = work_put(w, k);
	return rc < 0 ? rc : 1;
}

static int
job_first(struct store *st, uint64_t *mailbox_r)
{
	struct row_key from = row_key_kind(ROW_K_JOB);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	if (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0 &&
	    !row_key_get_u64(key, ROW_K_JOB, mailbox_r))
		rc = store_corrupt(st, "job", 0);
	kv_scan_close(&s);
	ro_end(st);
	return rc;
}

int
store_jobs_run(struct store *st)
{
	uint64_t mailbox;
	int rc, done = 0;

	while ((rc = job_first(st, &mailbox)) > 0) {
		do
			rc = store_run(st, 0, job_step, &mailbox, NULL);
		while (rc > 0);
		if (rc < 0)
			return rc;
		done = 1;
	}
	return rc < 0 ? rc : done;
}

/* ---- reading ----------------------------------------------------------- */

struct member {
	uint64_t id;
	int64_t when;
};

static int
member_cmp(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

int
thread_read(struct kv_txn *t, struct arena *a, uint64_t id, uint64_t **id_r,
    size_t *n_r)
{
	struct row_email e;
	struct member *m;
	int64_t *when;
	int rc;

	if ((rc = members_read(t, a, id, id_r, &when, n_r)) < 0)
		return rc;
	if (*n_r == 0) {
		/* A plain thread is its Email. */
		if ((rc = email_read(t, a, id, &e)) < 0)
			return rc;
		if ((rc = email_alive(t, &e)) < 0)
			return rc;
		if (rc == 0 || e.thread != id)
			return STORE_E_NOTFOUND;
		*id_r = arena_calloc(a, 1, sizeof(**id_r));
		(*id_r)[(*n_r)++] = id;
		return 0;
	}
	m = arena_calloc(a, *n_r, sizeof(*m));
	for (size_t i = 0; i < *n_r; i++)
		m[i] = (struct member){ (*id_r)[i], when[i] };
	qsort(m, *n_r, sizeof(*m), member_cmp);
	for (size_t i = 0; i < *n_r; i++)
		(*id_r)[i] = m[i].id;
	return 0;
}

int
store_thread_get(struct store *st, struct arena *a, uint64_t id,
    uint64_t **emails_r, size_t *n_r)
{
	struct kv_txn *t;
	uint64_t *ids;
	size_t n;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = thread_read(t, a, id, &ids, &n)) == 0) {
		*emails_r = ids;
		*n_r = n;
	}
	ro_end(st);
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "thread", id) : rc;
}
