/*
 * jmap-fcgi/poller.c - connections that wait without a thread each
 *
 * Event streams (RFC 8620 7.3), and answers that are held back after a wrong
 * password.  One thread watches all connections and the accounts of the
 * streams.  It writes FastCGI records itself and never waits for a peer: one
 * that does not take an event at once is dropped, and comes again.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jmap-fcgi/record.h"
#include "jmap-fcgi/web.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/changed.h"

enum {
	LOOK_MS = 60000,	/* a lost wake-up delays no longer */
	EVENTS = 64
};

struct watched {	/* an account that has streams */
	char *account, *id;
	uint64_t seen;		/* modseq up to which all were told */
	char quota[QUOTA_STATE_MAX];	/* the same of Quota */
	int64_t next_look;
	struct stream *streams;
	struct watched *next;
};

struct stream {
	int fd, request_id;
	unsigned types;
	bool once;
	uint32_t ping_s;
	uint64_t since;
	int64_t due;		/* of a ping or the delayed answer; 0: none */
	char *account;		/* NULL: a delayed answer */
	struct buf octets;	/* to send first, or when due */
	struct record_reader in;
	struct watched *of;
	struct stream *next_of;	/* of the same account */
	struct stream *prev, *next;	/* of all */
	struct stream *next_new;
};

struct poller {
	const struct jmap_env *env;
	pthread_t thread;
	pthread_mutex_t lock;	/* for the next three */
	struct stream *incoming;
	size_t n;		/* streams in all */
	bool stop;
	int epoll, event;
	struct store_watch *watch;
	struct watched *accounts;
	struct stream *all;
	int64_t next_look;
};

/* ---- ends -------------------------------------------------------------- */

static void
unwatch(struct poller *p, struct watched *w)
{
	struct watched **at = &p->accounts;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	store_watch_del(p->watch, w);
	xfree(w->account);
	xfree(w->id);
	xfree(w);
}

static void
leave_account(struct poller *p, struct stream *s)
{
	struct stream **at;

	if (s->of == NULL)
		return;
	for (at = &s->of->streams; *at != s; at = &(*at)->next_of)
		;
	*at = s->next_of;
	if (s->of->streams == NULL)
		unwatch(p, s->of);
}

static void
stream_free(struct poller *p, struct stream *s)
{
	leave_account(p, s);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else if (p->all == s)
		p->all = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->account != NULL)
		limits_leave(p->env->limits, LIMIT_STREAM, s->account);
	io_close(&s->fd);
	buf_release(&s->octets);
	xfree(s->account);
	xfree(s);
	pthread_mutex_lock(&p->lock);
	p->n--;
	pthread_mutex_unlock(&p->lock);
}

/* ---- output ------------------------------------------------------------ */

/* All of it at once, or -1. */
static int
send_now(struct stream *s, struct slice octets)
{
	ssize_t n = send(s->fd, octets.p, octets.n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	return n == (ssize_t)octets.n ? 0 : -1;
}

static int
send_text(struct stream *s, struct slice text)
{
	struct buf b;
	int rc;

	buf_init(&b, 128 << 10);
	record_stdout(&b, s->request_id, text);
	rc = b.overflow ? -1 : send_now(s, buf_slice(&b));
	buf_release(&b);
	if (s->ping_s != 0)
		s->due = time_mono_ms() + (int64_t)s->ping_s * 1000;
	return rc;
}

static void
stream_end(struct poller *p, struct stream *s)
{
	struct buf b;

	buf_init(&b, 256);
	record_end(&b, s->request_id);
	send_now(s, buf_slice(&b));
	buf_release(&b);
	stream_free(p, s);
}

static void
ping(struct poller *p, struct stream *s)
{
	struct buf b;
	int rc;

	buf_init(&b, 128);
	buf_printf(&b, "event: ping\ndata: {\"interval\":%u}\n\n",
	    (unsigned)s->ping_s);
	rc = send_text(s, buf_slice(&b));
	buf_release(&b);
	if (rc < 0)
		stream_free(p, s);
}

/* ---- states ------------------------------------------------------------ */

/* The event, if there is anything in it for this stream. */
static void
tell(struct poller *p, struct stream *s, const struct changed *st)
{
	unsigned types = s->types & st->types;
	struct buf b;
	int rc;

	if (types == 0)
		return;
	buf_init(&b, 1024);
	buf_printf(&b, "event: state\nid: %" PRIu64 "\ndata: ", st->now);
	changed_put(&b, st, types, s->of->id);
	buf_add_str(&b, "\n\n");
	rc = send_text(s, buf_slice(&b));
	buf_release(&b);
	if (rc < 0)
		stream_free(p, s);
	else if (s->once)
		stream_end(p, s);
}

/* ---- accounts ---------------------------------------------------------- */

/* Looks whether the account moved, and tells its streams. */
static void
look(struct poller *p, struct watched *w)
{
	struct stream *s, *next;
	struct changed st;
	struct store *store;
	int rc;

	w->next_look = time_mono_ms() + LOOK_MS;
	if ((rc = pool_get(p->env->pool, w->account, &store)) < 0) {
		log_warn("%s: event stream: %s", w->account,
		    store_error(rc)->text);
		return;
	}
	rc = changed_since(store, w->seen, &st);
	pool_put(p->env->pool, &store, rc < 0);
	if (rc < 0 || st.now == w->seen)
		return;
	w->seen = st.now;
	st.types &= ~(unsigned)CHANGED_QUOTA;
	if (strcmp(w->quota, st.quota) != 0)
		st.types |= CHANGED_QUOTA;
	memcpy(w->quota, st.quota, sizeof(w->quota));
	for (s = w->streams; s != NULL; s = next) {
		/* The last one takes w with it. */
		next = s->next_of;
		tell(p, s, &st);
	}
}

static struct watched *
watch_account(struct poller *p, const char *account, struct store *st)
{
	struct watched *w = xcalloc(1, sizeof(*w));

	if (store_watch_add(p->watch, st, w) < 0) {
		xfree(w);
		return NULL;
	}
	w->account = xstrdup(account);
	w->id = xasprintf("A%s", store_account_id(st));
	w->seen = store_modseq(st);
	w->next_look = time_mono_ms() + LOOK_MS;
	w->next = p->accounts;
	p->accounts = w;
	return w;
}

static struct watched *
find_account(struct poller *p, const char *account)
{
	for (struct watched *w = p->accounts; w != NULL; w = w->next)
		if (strcmp(w->account, account) == 0)
			return w;
	return NULL;
}

/* Puts a new stream beside those of its account.  0, or -1. */
static int
join(struct poller *p, struct stream *s, struct changed *st)
{
	struct watched *w = find_account(p, s->account);
	struct store *store;
	int rc;

	if (w != NULL)
		look(p, w);
	/* That may have ended the account's last stream. */
	w = find_account(p, s->account);
	if ((rc = pool_get(p->env->pool, s->account, &store)) < 0)
		return -1;
	if (w == NULL && (w = watch_account(p, s->account, store)) != NULL) {
		/* What was committed before the watch began to look. */
		if (store_refresh(store) >= 0)
			w->seen = store_modseq(store);
	}
	rc = w != NULL ? changed_since(store, s->since, st) : -1;
	pool_put(p->env->pool, &store, rc < 0);
	if (w == NULL)
		return -1;
	if (rc >= 0 && w->streams == NULL)
		memcpy(w->quota, st->quota, sizeof(w->quota));
	s->of = w;
	s->next_of = w->streams;
	w->streams = s;
	return rc < 0 ? -1 : 0;
}

/* ---- connections ------------------------------------------------------- */

static void
link_stream(struct poller *p, struct stream *s)
{
	s->next = p->all;
	if (p->all != NULL)
		p->all->prev = s;
	p->all = s;
}

static void
start(struct poller *p, struct stream *s)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP,
		.data.ptr = s };
	struct changed st;

	link_stream(p, s);
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, s->fd, &ev) < 0) {
		stream_free(p, s);
		return;
	}
	if (s->account == NULL)
		return;
	if (send_text(s, buf_slice(&s->octets)) < 0 || join(p, s, &st) < 0) {
		stream_end(p, s);
		return;
	}
	buf_release(&s->octets);
	buf_init(&s->octets, 1);
	tell(p, s, &st);
}

static void
take_incoming(struct poller *p)
{
	struct stream *s, *next;
	uint64_t n;

	io_read(p->event, &n, sizeof(n));
	pthread_mutex_lock(&p->lock);
	s = p->incoming;
	p->incoming = NULL;
	pthread_mutex_unlock(&p->lock);
	for (; s != NULL; s = next) {
		next = s->next_new;
		start(p, s);
	}
}

/* The peer said something: nothing that matters but an abort or its end. */
static void
input(struct poller *p, struct stream *s)
{
	char octets[4096];
	ssize_t n;

	do {
		n = recv(s->fd, octets, sizeof(octets), MSG_DONTWAIT);
		if (n > 0 && record_read(&s->in,
		    slice_make(octets, (size_t)n)) != 0)
			n = 0;
	} while (n > 0);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		stream_free(p, s);
}

static void
due(struct poller *p, struct stream *s)
{
	if (s->account != NULL) {
		ping(p, s);
		return;
	}
	send_text(s, buf_slice(&s->octets));
	stream_end(p, s);
}

/* Does what is due; milliseconds until the next thing. */
static int
timers(struct poller *p)
{
	int64_t now = time_mono_ms(), next = now + LOOK_MS;
	struct stream *s, *s_next;
	struct watched *w, *w_next;

	for (s = p->all; s != NULL; s = s_next) {
		s_next = s->next;
		if (s->due != 0 && s->due <= now)
			due(p, s);
	}
	for (w = p->accounts; w != NULL; w = w_next) {
		w_next = w->next;
		if (w->next_look <= now)
			look(p, w);
	}
	if (p->next_look <= now) {
		pool_expire(p->env->pool, LOOK_MS);
		p->next_look = now + LOOK_MS;
	}
	for (s = p->all; s != NULL; s = s->next)
		if (s->due != 0 && s->due < next)
			next = s->due;
	return next - now > 1 ? (int)(next - now) : 1;
}

static void
changes(struct poller *p)
{
	void *cookie;

	while (store_watch_next(p->watch, &cookie) == 1)
		look(p, cookie);
}

static bool
stopped(struct poller *p)
{
	bool stop;

	pthread_mutex_lock(&p->lock);
	stop = p->stop;
	pthread_mutex_unlock(&p->lock);
	return stop;
}

static void *
run(void *arg)
{
	struct poller *p = arg;
	struct epoll_event ev[EVENTS];

	while (!stopped(p)) {
		bool new = false, moved = false;
		int n = epoll_wait(p->epoll, ev, EVENTS, timers(p));

		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == &p->event)
				new = true;
			else if (ev[i].data.ptr == &p->watch)
				moved = true;
			else
				input(p, ev[i].data.ptr);
		}
		/* After the inputs: these may end other streams. */
		if (moved)
			changes(p);
		if (new)
			take_incoming(p);
	}
	while (p->all != NULL)
		stream_end(p, p->all);
	return NULL;
}

/* ---- from the other threads -------------------------------------------- */

static void
epoll_add(struct poller *p, int fd, void *ptr)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ptr };

	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		fatal("epoll_ctl: %s", strerror(errno));
}

struct poller *
poller_new(const struct jmap_env *env)
{
	struct poller *p = xcalloc(1, sizeof(*p));
	int rc;

	p->env = env;
	pthread_mutex_init(&p->lock, NULL);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->epoll < 0 || p->event < 0)
		fatal("epoll_create1, eventfd: %s", strerror(errno));
	if ((rc = store_watch_new(&env->store_conf, true, &p->watch)) < 0)
		fatal("watch: %s", store_error(rc)->text);
	epoll_add(p, p->event, &p->event);
	epoll_add(p, store_watch_fd(p->watch), &p->watch);
	if ((errno = pthread_create(&p->thread, NULL, run, p)) != 0)
		fatal("pthread_create: %s", strerror(errno));
	return p;
}

static void
wake(struct poller *p)
{
	uint64_t one = 1;

	io_write(p->event, &one, sizeof(one));
}

void
poller_free(struct poller **pp)
{
	struct poller *p = *pp;
	struct stream *s;

	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_mutex_unlock(&p->lock);
	wake(p);
	pthread_join(p->thread, NULL);
	while ((s = p->incoming) != NULL) {
		p->incoming = s->next_new;
		stream_end(p, s);
	}
	store_watch_free(&p->watch);
	io_close(&p->epoll);
	io_close(&p->event);
	pthread_mutex_destroy(&p->lock);
	xfree(p);
	*pp = NULL;
}

size_t
poller_count(struct poller *p)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->n;
	pthread_mutex_unlock(&p->lock);
	return n;
}

bool
poller_park(struct poller *p, struct web *w, const struct park *k)
{
	struct stream *s;
	bool room;

	pthread_mutex_lock(&p->lock);
	room = p->n < PARK_MAX && !p->stop;
	if (room)
		p->n++;
	pthread_mutex_unlock(&p->lock);
	if (!room)
		return false;
	s = xcalloc(1, sizeof(*s));
	s->types = k->types;
	s->once = k->once;
	s->ping_s = k->ping_s;
	s->since = k->since;
	s->account = k->account ? xstrdup(k->account) : NULL;
	s->due = k->delay_ms ? time_mono_ms() + k->delay_ms : 0;
	buf_init(&s->octets, k->octets.n + 1);
	buf_add_slice(&s->octets, k->octets);
	web_take(w, &s->fd, &s->request_id);
	pthread_mutex_lock(&p->lock);
	s->next_new = p->incoming;
	p->incoming = s;
	pthread_mutex_unlock(&p->lock);
	wake(p);
	return true;
}
