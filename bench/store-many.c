/* bench/store-many.c - what bench/store measures of several processes */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/store-int.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum {
	PER_WRITER = 50,	/* messages that each of them appends */
	WAIT_S = 20		/* then a wake-up is lost */
};

static void
pipe_or_die(int fd[2])
{
	if (pipe(fd) < 0 || io_cloexec(fd[0]) < 0 || io_cloexec(fd[1]) < 0)
		fatal("pipe failed");
}

static void
wait_or_die(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fatal("waitpid failed");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fatal("a process of the crowd failed");
}

static void
crowd_child(struct bench *b, const struct bench_crowd *cr, unsigned i,
    int ready, int go)
{
	char c = 0;

	cr->prepare(b, i, cr->arg);
	if (io_write_full(ready, &c, 1) < 0 || io_read_full(go, &c, 1) < 0)
		_exit(1);
	cr->run(b, i, cr->arg);
	_exit(0);
}

double
bench_crowd(struct bench *b, const struct bench_crowd *cr)
{
	int ready[2], go[2];
	pid_t *pid = xcalloc(cr->n, sizeof(*pid));
	char c[64] = { 0 };
	double t;

	pipe_or_die(ready);
	pipe_or_die(go);
	for (unsigned i = 0; i < cr->n; i++) {
		if ((pid[i] = fork()) < 0)
			fatal("fork failed");
		if (pid[i] == 0)
			crowd_child(b, cr, i, ready[1], go[0]);
	}
	io_close(&ready[1]);
	for (unsigned i = 0; i < cr->n; i++)
		if (io_read_full(ready[0], c, 1) < 0)
			fatal("a process of the crowd failed");
	t = bench_us();
	if (io_write_full(go[1], c, cr->n) < 0)
		fatal("pipe failed");
	for (unsigned i = 0; i < cr->n; i++)
		wait_or_die(pid[i]);
	t = bench_us() - t;
	io_close(&ready[0]);
	io_close(&go[0]);
	io_close(&go[1]);
	xfree(pid);
	return t;
}

/* ---- several writers --------------------------------------------------- */

struct writers {
	struct bench_account *c;	/* their account, */
	struct bench_account *each;	/* or one for each */
	struct store *st;
	struct store_spool *sp[PER_WRITER];
};

static void
writer_prepare(struct bench *b, unsigned i, void *arg)
{
	struct writers *w = arg;
	struct bench_account *c = w->each != NULL ? &w->each[i] : w->c;

	must(c, store_open(&b->conf, c->name, &w->st), "open");
	c->serial += i * PER_WRITER;
	for (int k = 0; k < PER_WRITER; k++)
		w->sp[k] = bench_spool(b, c, BENCH_BODY);
}

static void
writer_run(struct bench *b, unsigned i, void *arg)
{
	struct writers *w = arg;
	struct bench_account *c = w->each != NULL ? &w->each[i] : w->c;

	(void)b;
	for (int k = 0; k < PER_WRITER; k++) {
		struct store_new v = { .spool = w->sp[k],
		    .mailboxes = &c->inbox, .n_mailboxes = 1,
		    .received_at = k };
		int rc = store_email_add(w->st, &v, 1, NULL, NULL);

		if (rc < 0)
			fatal("add: %d: %s", rc, store_errmsg(w->st));
	}
	store_close(&w->st);
}

static void
writers(struct bench *b, struct bench_account *c, struct bench_account *each)
{
	struct writers w = { .c = c, .each = each };
	struct bench_crowd cr = { .prepare = writer_prepare, .run = writer_run,
	    .arg = &w, .n = BENCH_WRITERS };
	double us = bench_crowd(b, &cr);

	b->us = us / (PER_WRITER * BENCH_WRITERS);
	c->serial += BENCH_WRITERS * PER_WRITER;
	must(c, store_refresh(c->st), "refresh");
	must(c, store_idle(c->st, false), "idle");
}

void
m_writers_one(struct bench *b, struct bench_account *c)
{
	writers(b, c, NULL);
}

/* Accounts beside this one, all small: the size of an account is what the other
 * rows tell about. */
void
m_writers_many(struct bench *b, struct bench_account *c)
{
	struct bench_account each[BENCH_WRITERS];
	char name[40];

	for (unsigned i = 0; i < BENCH_WRITERS; i++) {
		snprintf(name, sizeof(name), "crowd%u", i);
		bench_create(b, &each[i], name, 1000);
		store_close(&each[i].st);
	}
	writers(b, c, each);
	for (unsigned i = 0; i < BENCH_WRITERS; i++)
		bench_remove(b, &each[i]);
}

/* ---- waking up --------------------------------------------------------- */

struct bench_watchers {
	pid_t *pid;
	unsigned n;
	int fd;			/* they tell here when they woke up */
};

struct woken {
	double at;
	unsigned wakes;		/* since the last one */
};

static void
watcher(struct bench *b, const struct bench_account *c, int fd)
{
	struct woken w = { 0 };
	struct store_watch *sw;
	struct store *st;
	struct pollfd p;
	void *cookie;
	int rc;

	must(c, store_open(&b->conf, c->name, &st), "open");
	must(c, store_watch_new(&b->conf, false, &sw), "watch");
	must(c, store_watch_add(sw, st, st), "watch");
	p = (struct pollfd){ .fd = store_watch_fd(sw), .events = POLLIN };
	for (;;) {
		if ((rc = store_refresh(st)) < 0)
			_exit(1);
		if (rc == 1 || w.at == 0) {
			w.at = bench_us();
			if (io_write_full(fd, &w, sizeof(w)) < 0)
				_exit(0);
			w.wakes = 0;
		}
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			_exit(1);
		w.wakes++;
		while (store_watch_next(sw, &cookie) > 0)
			;
	}
}

/* The median of when they woke up; and how often in the mean. */
static struct woken
watchers_wait(struct bench_watchers *ws, double *wakes_r)
{
	struct woken w, *all = xcalloc(ws->n, sizeof(*all));
	double sum = 0;

	(void)alarm(WAIT_S);	/* ends us */
	for (unsigned i = 0; i < ws->n; i++) {
		unsigned k = i;

		if (io_read_full(ws->fd, &w, sizeof(w)) < 0)
			fatal("a watcher failed");
		sum += w.wakes;
		for (; k > 0 && all[k - 1].at > w.at; k--)
			all[k] = all[k - 1];
		all[k] = w;
	}
	(void)alarm(0);
	w = all[ws->n / 2];
	*wakes_r = sum / ws->n;
	xfree(all);
	return w;
}

static void
watchers_start(struct bench *b, struct bench_account *c)
{
	struct bench_watchers *ws = xcalloc(1, sizeof(*ws));
	double wakes;
	int fd[2];

	c->watchers = ws;
	ws->n = b->n_watchers;
	ws->pid = xcalloc(ws->n, sizeof(*ws->pid));
	pipe_or_die(fd);
	for (unsigned i = 0; i < ws->n; i++) {
		if ((ws->pid[i] = fork()) < 0)
			fatal("fork failed");
		if (ws->pid[i] == 0)
			watcher(b, c, fd[1]);
	}
	io_close(&fd[1]);
	ws->fd = fd[0];
	(void)watchers_wait(ws, &wakes);
}

void
bench_watchers_stop(struct bench_account *c)
{
	struct bench_watchers *ws = c->watchers;
	int status;

	if (ws == NULL)
		return;
	for (unsigned i = 0; i < ws->n; i++)
		(void)kill(ws->pid[i], SIGKILL);
	for (unsigned i = 0; i < ws->n; i++)
		(void)waitpid(ws->pid[i], &status, 0);
	io_close(&ws->fd);
	xfree(ws->pid);
	xfree(ws);
	c->watchers = NULL;
}

static double
wake(struct bench *b, struct bench_account *c, double *wakes_r)
{
	struct woken w;

	if (c->watchers == NULL)
		watchers_start(b, c);
	/* Let what is left of the change before come. */
	(void)poll(NULL, 0, 3);
	m_flag(b, c);
	w = watchers_wait(c->watchers, wakes_r);
	return w.at;
}

/* From the write that shows the change to when the new state is read. */
void
m_wake(struct bench *b, struct bench_account *c)
{
	double wakes, at = wake(b, c, &wakes);

	b->us = at - b->last_write;
}

/* Not microseconds: how often they are woken up by one change. */
void
m_wakes(struct bench *b, struct bench_account *c)
{
	enum { CHANGES = 8 };
	double wakes, sum = 0;

	(void)wake(b, c, &wakes);
	for (int i = 0; i < CHANGES; i++) {
		(void)wake(b, c, &wakes);
		sum += wakes;
	}
	b->us = sum / CHANGES;
}

/* ---- compaction beside a writer ---------------------------------------- */

/* The longest that one of the flags set until *done takes. */
static double
worst_flag(struct bench *b, struct bench_account *c, pid_t pid)
{
	double worst = 0;
	int status;

	for (;;) {
		pid_t p = waitpid(pid, &status, WNOHANG);

		if (p < 0)
			fatal("waitpid failed");
		if (p == pid)
			break;
		m_flag(b, c);
		if (b->us > worst)
			worst = b->us;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fatal("the compaction failed");
	return worst;
}

static void
beside(struct bench *b, struct bench_account *c, bool compaction)
{
	pid_t pid;

	/* So that a compaction is due. */
	if (compaction && c->messages >= BENCH_BULK)
		for (int i = 0; i < 5; i++)
			bench_bulk(b, c);
	for (int i = 0; i < 200; i++)
		m_flag(b, c);
	if ((pid = fork()) < 0)
		fatal("fork failed");
	if (pid == 0) {
		struct store *st;
		double t = bench_us();

		must(c, store_open(&b->conf, c->name, &st), "open");
		if (compaction) {
			must(c, store_idle(st, false), "idle");
			_exit(0);
		}
		while (bench_us() - t < 20000)
			(void)poll(NULL, 0, 1);
		_exit(0);
	}
	b->us = worst_flag(b, c, pid);
}

void
m_compact_wait(struct bench *b, struct bench_account *c)
{
	beside(b, c, true);
}

/* For comparison: the same without a compaction. */
void
m_compact_none(struct bench *b, struct bench_account *c)
{
	beside(b, c, false);
}

void
bench_remove(struct bench *b, struct bench_account *c)
{
	bench_watchers_stop(c);
	store_close(&c->st);
	must(c, store_account_delete(&b->conf, c->name), "delete");
}
