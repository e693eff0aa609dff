/* t/crash/store-work.c - the processes on the store that are killed */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "t/crash/store-crash.h"

enum {
	/* How far ahead the upkeep's clock is: what is dead and what is history
	 * is due then, and brief uploads; others aren't. */
	AHEAD_S = 2 * 86400, TTL_S = 10 * 86400
};

struct store_shared *ss;

/* ---- names and contents ------------------------------------------------- */

void
box_name(int w, uint32_t serial, char buf[40])
{
	snprintf(buf, 40, "w%d-%u", w, serial);
}

uint64_t
place_id(const struct model *m, int place)
{
	return place == COMMON ? ss->common : m->box[place].id;
}

/* All but what others may change. */
uint64_t
own_flags(int w)
{
	return STORE_SEEN | STORE_ANSWERED | STORE_FLAGGED | STORE_DRAFT |
	    ss->keyword[w];
}

struct slice
content_text(struct arena *a, uint64_t content)
{
	uint64_t x = content * 6364136223846793005U + 1442695040888963407U;
	size_t n = 400 + (size_t)(x >> 40) % 6000, at;
	char *p;

	if (content / 16 % 61 == 60)
		n = 150000;
	if (content / 16 % 701 == 700)
		n = 4500000;
	p = arena_alloc(a, n + 1);
	at = (size_t)snprintf(p, n, "Subject: talk %u\r\n"
	    "Message-ID: <%llu@crash>\r\nReferences: <%llu@talk>\r\n\r\n",
	    (unsigned)(content / 16 % 7), (unsigned long long)content,
	    (unsigned long long)(content / 16 % 7));
	for (; at + 2 < n; at++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		p[at] = content / 16 % 3 == 0 ? "abcdefgh"[x >> 61] :
						(char)('!' + (x >> 58));
		if (at % 72 == 71) {
			p[at - 1] = '\r';
			p[at] = '\n';
		}
	}
	memcpy(p + n - 2, "\r\n", 2);
	return slice_make(p, n);
}

bool
content_is(struct job *j, const unsigned char ref[16], uint64_t content)
{
	struct slice want = content_text(j->a, content), have;
	struct store_blob *b;
	bool good;

	if (store_blob_open_ref(j->st, ref, &b) < 0)
		return false;
	good = store_blob_octets(b, &have) == 0 && slice_eq(have, want);
	store_blob_close(&b);
	return good;
}

/* ---- workers ------------------------------------------------------------ */

void
job_open(struct job *j, int w)
{
	int rc;

	j->w = w;
	j->failing = false;
	j->conf = store_crash_conf;
	j->conf.upload_ttl_s = TTL_S;
	j->a = arena_new(0);
	rc = store_open(&j->conf, STORE_CRASH_ACCOUNT, &j->st);
	if (rc == STORE_E_CORRUPT || rc == STORE_E_NOTFOUND)
		crash_fault("open: %d", rc);
	if (rc < 0)
		_exit(4);
}

void
job_close(struct job *j)
{
	store_close(&j->st);
	arena_free(&j->a);
}

struct peek {
	struct job *j;
	uint32_t skip;
	struct store_msg_info m;
	bool any;
};

static int
peek_one(void *arg, const struct store_msg_info *m)
{
	struct peek *p = arg;

	p->m = *m;
	p->any = true;
	return p->skip-- == 0;
}

/* Any message of the common mailbox can be read, unless it went meanwhile. */
static void
peek(struct job *j)
{
	const struct store_range all = { 1, UINT32_MAX };
	struct peek p = { .j = j, .skip = crash_rand(40) };
	struct store_email e;

	if (store_msg_scan(j->st, ss->common, &all, 1, peek_one, &p) < 0) {
		crash_fault("scan: %s", store_errmsg(j->st));
		return;
	}
	if (!p.any || content_is(j, p.m.ref, (uint64_t)p.m.received_at))
		return;
	(void)store_refresh(j->st);
	if (store_email_get(j->st, j->a, p.m.email, &e) == 0 &&
	    !content_is(j, e.ref, (uint64_t)p.m.received_at))
		crash_fault("worker %d: Email %llx has other octets: %s", j->w,
		    (unsigned long long)p.m.email, store_errmsg(j->st));
}

static void
work(int w)
{
	struct job j;

	job_open(&j, w);
	store_verify_worker(&j);
	j.failing = crash_rand(4) == 0;
	while (!sh->stop && sh->faults == 0) {
		if (crash_rand(12) == 0)
			peek(&j);
		else
			store_change(&j);
		arena_reset(j.a);
	}
	job_close(&j);
}

void
worker_main(int w)
{
	work(w);
	_exit(0);
}

struct thread {
	int w;
	uint32_t seed;
};

static void *
thread_main(void *arg)
{
	struct thread *t = arg;

	crash_seed(t->seed);
	work(t->w);
	return NULL;
}

void
workers_main(void)
{
	struct thread t[THREADS];
	pthread_t id[THREADS];

	for (int i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ i, crash_rand(UINT32_MAX) };
		if (pthread_create(&id[i], NULL, thread_main, &t[i]) != 0)
			_exit(4);
	}
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(id[i], NULL);
	_exit(0);
}

/* ---- who only looks ----------------------------------------------------- */

/* The common mailbox as a client knows it. */
struct mirror {
	struct store_msg *m;
	size_t n;
	uint64_t modseq;
};

static void
mirror_drop(struct mirror *c, const uint32_t *gone, size_t n_gone)
{
	size_t kept = 0, g = 0;

	for (size_t i = 0; i < c->n; i++) {
		while (g < n_gone && gone[g] < c->m[i].uid)
			g++;
		if (g == n_gone || gone[g] != c->m[i].uid)
			c->m[kept++] = c->m[i];
	}
	c->n = kept;
}

static void
mirror_take(struct mirror *c, const struct store_msg *new, size_t n)
{
	struct store_msg *both = xcalloc(c->n + n + 1, sizeof(*both));
	size_t i = 0, k = 0, out = 0;

	while (i < c->n || k < n) {
		if (k == n || (i < c->n && c->m[i].uid < new[k].uid))
			both[out++] = c->m[i++];
		else {
			i += i < c->n && c->m[i].uid == new[k].uid;
			both[out++] = new[k++];
		}
	}
	xfree(c->m);
	c->m = both;
	c->n = out;
}

/* What changed since, added to what was known, is what is there. */
static void
mirror_update(struct job *j, struct mirror *c)
{
	struct store_msg *new = NULL, *all = NULL;
	size_t n_gone = 0, n_new, n_all;
	uint32_t *gone = NULL;
	bool same;
	int rc = c->modseq == 0 ? 0 : store_vanished(j->st, j->a, ss->common,
	    c->modseq, &gone, &n_gone);

	if (rc == STORE_E_TOOOLD) {	/* from the beginning */
		c->n = 0;
		c->modseq = 0;
		rc = 0;
	}
	if (rc < 0 || store_msgs_load(j->st, ss->common, 1, UINT32_MAX, c->modseq, &new,
		&n_new) < 0 ||
	    store_msgs_load(j->st, ss->common, 1, UINT32_MAX, 0, &all,
		&n_all) < 0) {
		xfree(new);
		crash_fault("reader: %s", store_errmsg(j->st));
		return;
	}
	mirror_drop(c, gone, n_gone);
	mirror_take(c, new, n_new);
	same = c->n == n_all;
	for (size_t i = 0; same && i < n_all; i++)
		same = c->m[i].uid == all[i].uid &&
		    c->m[i].flags == all[i].flags &&
		    c->m[i].modseq == all[i].modseq;
	if (!same)
		crash_fault("reader: changes since %llu don't lead to %llu",
		    (unsigned long long)c->modseq,
		    (unsigned long long)store_modseq(j->st));
	c->modseq = store_modseq(j->st);
	xfree(new);
	xfree(all);
}

static void
read_changes(struct job *j, uint64_t since)
{
	enum store_type t = (enum store_type)crash_rand(3);
	struct store_change *c;
	uint64_t state;
	bool more;
	size_t n;
	int rc = store_changes(j->st, j->a, t, since, 0, &c, &n, &state, &more);

	if (rc == STORE_E_TOOOLD)
		return;
	if (rc < 0 || more || state != store_modseq(j->st)) {
		crash_fault("changes since %llu: %d %s",
		    (unsigned long long)since, rc, store_errmsg(j->st));
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (c[i].modseq <= since || c[i].modseq > state)
			crash_fault("a change of modseq %llu",
			    (unsigned long long)c[i].modseq);
}

static void
note_seen(uint64_t modseq)
{
	uint64_t old = sh->seen_modseq;

	while (modseq > old &&
	    !atomic_compare_exchange_weak(&sh->seen_modseq, &old, modseq))
		;
}

void
store_reader_main(void)
{
	struct mirror c = { .n = 0 };
	struct store_watch *w;
	struct pollfd pf;
	uint64_t before;
	struct job j;
	void *cookie;

	job_open(&j, 0);
	if (store_watch_new(&j.conf, crash_rand(2) == 0, &w) < 0 ||
	    store_watch_add(w, j.st, &j) < 0)
		_exit(4);
	pf = (struct pollfd){ .fd = store_watch_fd(w), .events = POLLIN };
	while (!sh->stop && sh->faults == 0) {
		before = store_modseq(j.st);
		if (store_refresh(j.st) < 0 || store_modseq(j.st) < before)
			crash_fault("reader: from %llu to %llu: %s",
			    (unsigned long long)before,
			    (unsigned long long)store_modseq(j.st),
			    store_errmsg(j.st));
		note_seen(store_modseq(j.st));
		mirror_update(&j, &c);
		read_changes(&j, c.modseq - crash_rand(30) % (c.modseq + 1));
		if (poll(&pf, 1, 3) > 0)
			while (store_watch_next(w, &cookie) == 1)
				if (cookie != &j)
					crash_fault("reader: what woke it?");
		arena_reset(j.a);
	}
	_exit(0);
}

void
store_idler_main(void)
{
	struct job j;

	job_open(&j, 0);
	store_close(&j.st);
	j.conf.retention_s = 1;
	j.conf.history_s = 3600;
	j.conf.log_keep_s = crash_rand(2) == 0 ? STORE_NEVER : 3600;
	j.conf.clock_offset = crash_rand(2) == 0 ? AHEAD_S : 0;
	if (store_open(&j.conf, STORE_CRASH_ACCOUNT, &j.st) < 0)
		_exit(4);
	while (!sh->stop && sh->faults == 0) {
		const struct timespec t = { 0,
			(long)(crash_rand(15000) + 1000) * 1000 };
		int rc = store_idle(j.st, crash_rand(3) == 0);

		if (rc == STORE_E_CORRUPT)
			crash_fault("idle: %s", store_errmsg(j.st));
		if (rc == 1)
			sh->compactions++;
		if (rc == STORE_E_FENCED || rc == STORE_E_UNKNOWN)
			_exit(3);
		(void)store_refresh(j.st);
		(void)nanosleep(&t, NULL);
	}
	_exit(0);
}
