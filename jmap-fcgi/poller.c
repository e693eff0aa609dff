/*
 * jmap-fcgi/poller.c - connections that wait without a thread each
 *
 * Event streams (RFC 8620 7.3), and answers that are held back after a wrong
 * password.  One thread watches all connections and (follow.c) the accounts of
 * the streams.  It writes FastCGI records itself and never waits for a peer: one
 * that does not take an event at once is dropped, and comes again.
 */
#include "config.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jmap-fcgi/poller-int.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum {
	EVENTS = 64,
	LOGINS_MS = 1000,	/* a changed password ends a stream by then */
	LOGINS_AT_ONCE = 32
};

/* ---- ends -------------------------------------------------------------- */

/* It is freed once nobody can be looking at it. */
static void
stream_drop(struct poller *p, struct stream *s)
{
	if (s->dead)
		return;
	s->dead = true;
	s->next_new = p->dead;
	p->dead = s;
}

static void
stream_free(struct poller *p, struct stream *s)
{
	bool delayed = s->account == NULL;

	follow_leave(p, s);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else if (p->all == s)
		p->all = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (!delayed)
		limits_leave(p->env->limits, LIMIT_STREAM, s->account);
	io_close(&s->fd);
	buf_release(&s->octets);
	for (size_t i = 0; i < s->n_seen; i++)
		xfree(s->seen[i].account);
	xfree(s->seen);
	xfree(s->account);
	xfree(s->by);
	xfree(s);
	pthread_mutex_lock(&p->lock);
	if (delayed)
		p->n_delayed--;
	else
		p->n_streams--;
	pthread_mutex_unlock(&p->lock);
}

static void
reap(struct poller *p)
{
	struct stream *s;

	while ((s = p->dead) != NULL) {
		p->dead = s->next_new;
		stream_free(p, s);
	}
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
	stream_drop(p, s);
}

/* Would the user still get in?  Else the stream ends. */
static bool
still_in(struct poller *p, struct stream *s)
{
	uint64_t now = logins_generation(p->env->logins);
	unsigned char cred[LOGIN_CREDENTIAL];
	struct arena *a;
	int rc;

	if (s->logins == now)
		return true;
	a = arena_new(0);
	rc = login_credential(p->env->conf, slice_str(s->by), a, cred);
	arena_free(&a);
	if (rc == LOGIN_OK && (s->until == 0 || s->until > time(NULL)) &&
	    secret_eq(cred, s->credential, sizeof(cred))) {
		s->logins = now;
		return true;
	}
	stream_end(p, s);
	return false;
}

void
stream_tell(struct poller *p, struct stream *s, struct slice event)
{
	if (s->dead || !still_in(p, s))
		return;
	if (send_text(s, event) < 0)
		stream_drop(p, s);
	else if (s->once)
		stream_end(p, s);
}

static void
ping(struct poller *p, struct stream *s)
{
	struct buf b;

	if (!still_in(p, s))
		return;
	buf_init(&b, 128);
	buf_printf(&b, "event: ping\ndata: {\"interval\":%u}\n\n",
	    (unsigned)s->ping_s);
	if (send_text(s, buf_slice(&b)) < 0)
		stream_drop(p, s);
	buf_release(&b);
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

	link_stream(p, s);
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, s->fd, &ev) < 0) {
		stream_drop(p, s);
		return;
	}
	if (s->account == NULL)
		return;
	if (send_text(s, buf_slice(&s->octets)) < 0 ||
	    follow_join(p, s) < 0) {
		stream_end(p, s);
		return;
	}
	buf_release(&s->octets);
	buf_init(&s->octets, 1);
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

	if (s->dead)
		return;
	do {
		n = recv(s->fd, octets, sizeof(octets), MSG_DONTWAIT);
		if (n > 0 && record_read(&s->in,
		    slice_make(octets, (size_t)n)) != 0)
			n = 0;
	} while (n > 0);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		stream_drop(p, s);
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

/*
 * Ends the streams of those whose password is another one now, a few at a time:
 * events must not wait for that.  true: there are more.
 */
static bool
check_logins(struct poller *p)
{
	uint64_t now = logins_generation(p->env->logins);
	int n = 0;

	for (struct stream *s = p->all; s != NULL; s = s->next) {
		if (s->account == NULL || s->dead || s->logins == now)
			continue;
		if (n++ == LOGINS_AT_ONCE)
			return true;
		still_in(p, s);
	}
	return false;
}

/* Does what is due; milliseconds until the next thing. */
static int
timers(struct poller *p)
{
	int64_t now = time_mono_ms(), next = now + LOOK_MS;

	for (struct stream *s = p->all; s != NULL; s = s->next)
		if (!s->dead && s->due != 0 && s->due <= now)
			due(p, s);
	follow_timers(p, now);
	if (p->next_look <= now) {
		pool_expire(p->env->pool, LOOK_MS);
		p->next_look = now + LOOK_MS;
	}
	if (p->viewers != NULL)
		next = now + (check_logins(p) ? 1 : LOGINS_MS);
	reap(p);
	for (struct stream *s = p->all; s != NULL; s = s->next)
		if (s->due != 0 && s->due < next)
			next = s->due;
	return next - now > 1 ? (int)(next - now) : 1;
}

static void
changes(struct poller *p)
{
	void *cookie;

	while (store_watch_next(p->watch, &cookie) == 1)
		follow_look(p, cookie);
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
		if (moved)
			changes(p);
		if (new)
			take_incoming(p);
		reap(p);
	}
	for (struct stream *s = p->all; s != NULL; s = s->next)
		stream_end(p, s);
	reap(p);
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
	reap(p);
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
	n = p->n_streams + p->n_delayed;
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* Counts one more, if there is room. */
static bool
enter(struct poller *p, bool delayed)
{
	size_t *n = delayed ? &p->n_delayed : &p->n_streams;
	size_t max = delayed ? DELAYED_MAX : p->env->conf->jmap_streams;
	bool room;

	pthread_mutex_lock(&p->lock);
	room = *n < max && !p->stop;
	if (room)
		(*n)++;
	pthread_mutex_unlock(&p->lock);
	return room;
}

static struct stream *
stream_new(const struct park *k)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->types = k->types;
	s->once = k->once;
	s->ping_s = k->ping_s;
	s->due = k->delay_ms ? time_mono_ms() + k->delay_ms : 0;
	buf_init(&s->octets, k->octets.n + 1);
	buf_add_slice(&s->octets, k->octets);
	if (k->account == NULL)
		return s;
	s->account = xstrdup(k->account);
	s->by = xstrdup(k->by);
	s->until = k->until;
	memcpy(s->credential, k->credential, sizeof(s->credential));
	s->logins = k->logins;
	s->n_seen = k->n_seen;
	s->seen = xcalloc(k->n_seen + 1, sizeof(*s->seen));
	for (size_t i = 0; i < k->n_seen; i++) {
		s->seen[i].account = xstrdup(k->seen[i].account);
		s->seen[i].since = k->seen[i].since;
	}
	return s;
}

bool
poller_park(struct poller *p, struct web *w, const struct park *k)
{
	struct stream *s;

	if (!enter(p, k->account == NULL))
		return false;
	s = stream_new(k);
	web_take(w, &s->fd, &s->request_id);
	pthread_mutex_lock(&p->lock);
	s->next_new = p->incoming;
	p->incoming = s;
	pthread_mutex_unlock(&p->lock);
	wake(p);
	return true;
}
