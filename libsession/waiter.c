/* libsession/waiter.c - wait mode: accept, fork a child each, reap */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/session-int.h"

enum {
	SOCKETS_MAX = 64,
	ACCEPT_BATCH = 64,	/* of one socket before the others */
	GRACE_MS = 10000,	/* for the children after SIGTERM */
	PAUSE_MS = 100		/* when the system has no more descriptors */
};

struct child {
	pid_t pid;
	size_t sock;		/* it came from this socket */
	unsigned char address[16];	/* of a peer that has one, else zeroes */
	char peer[64];
};

struct waiter {
	struct setup *setup;
	struct waiter_socket *sock;
	size_t n_sock;
	size_t busy[SOCKETS_MAX];	/* children of each socket */
	bool full[SOCKETS_MAX];		/* that was logged */
	struct child *child;
	size_t n, cap;
	int64_t quiet_since;		/* no child since */
	int64_t pause_until;		/* don't accept before */
	int64_t stop_by;		/* SIGTERM came: 0, or when to kill */
};

/* The section of a socket: the one of its name, else the one of -l. */
static const struct conf_listener *
listener_of(const struct waiter *w, size_t i)
{
	const struct conf_listener *l = NULL;
	const struct setup *s = w->setup;

	if (w->sock[i].listener != NULL)
		l = setup_listener(s->conf, s->srv, w->sock[i].listener);
	return l != NULL ? l : setup_listener(s->conf, s->srv, s->listener);
}

static void
reap(struct waiter *w)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < w->n && w->child[i].pid != pid; i++)
			;
		if (i == w->n)
			continue;
		if (WIFSIGNALED(status))
			log_err("%s: the session %ld was ended by signal %d",
			    w->child[i].peer, (long)pid, WTERMSIG(status));
		else if (WEXITSTATUS(status) != 0)
			log_warn("%s: the session %ld ended with status %d",
			    w->child[i].peer, (long)pid, WEXITSTATUS(status));
		w->busy[w->child[i].sock]--;
		w->child[i] = w->child[--w->n];
		if (w->n == 0)
			w->quiet_since = time_mono_ms();
	}
}

static void
refuse(const struct waiter *w, size_t i, int fd)
{
	const char *line = w->setup->srv->busy_line;

	if (listener_of(w, i)->tls != CONF_TLS_IMPLICIT)
		send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
	io_close(&fd);
}

/* The rest of a child's life. */
static _Noreturn void
child_main(struct waiter *w, size_t i, int fd)
{
	const struct conf_listener *l = listener_of(w, i);

	for (size_t k = 0; k < w->n_sock; k++)
		close(w->sock[k].fd);
	xfree(w->child);
	server_signals.term = 0;	/* the parent's; it tells us apart */
	if (w->setup->priv.set) {
		priv_drop(&w->setup->priv);
		/* A change of user undoes it. */
		priv_harden(setup_starts_programs(w->setup));
	}
	session_run(w->setup, l, fd, fd, NULL, &server_signals.mask,
	    &server_signals.stop);
	if (XALLOC_ASAN)
		exit(0);	/* leaks are looked for at exit */
	_exit(0);	/* no destructors: they would touch shared pages */
}

static void
child_start(struct waiter *w, size_t i, int fd, const char *peer)
{
	struct child *c;
	pid_t pid;

	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		w->child = xreallocarray(w->child, w->cap, sizeof(*w->child));
	}
	if ((pid = fork()) == 0)
		child_main(w, i, fd);
	if (pid < 0) {
		log_err("fork: %s", strerror(errno));
		refuse(w, i, fd);
		w->pause_until = time_mono_ms() + PAUSE_MS;
		return;
	}
	c = &w->child[w->n++];
	memset(c, 0, sizeof(*c));
	c->pid = pid;
	c->sock = i;
	(void)peer_address(peer, c->address);
	memcpy(c->peer, peer, strnlen(peer, sizeof(c->peer) - 1));
	w->busy[i]++;
	io_close(&fd);
}

/* Has that peer as many connections as one may have?  A proxy's are of many. */
static bool
too_many_of(const struct waiter *w, size_t i, const char *peer)
{
	const struct conf_listener *l = listener_of(w, i);
	unsigned char a[16];
	uint32_t n = 0;

	if (l->max_per_source == 0 || !peer_address(peer, a) ||
	    peer_in(a, l->proxies, l->n_proxies))
		return false;
	for (size_t k = 0; k < w->n; k++)
		n += w->child[k].sock == i &&
		    memcmp(w->child[k].address, a, sizeof(a)) == 0;
	return n >= l->max_per_source;
}

/* A connection: to a child, or away. */
static void
take(struct waiter *w, size_t i, int fd)
{
	char peer[PEER_MAX];
	bool local;

	setup_refresh(w->setup, false);
	peer_name(fd, peer, &local);
	if (w->busy[i] >= listener_of(w, i)->max_connections ||
	    too_many_of(w, i, peer))
		reap(w);
	if (w->busy[i] >= listener_of(w, i)->max_connections) {
		if (!w->full[i])
			log_warn("%zu connections, more are refused",
			    w->busy[i]);
		w->full[i] = true;
		refuse(w, i, fd);
	} else if (too_many_of(w, i, peer)) {
		log_info("%s: too many connections from this address, refused",
		    peer);
		refuse(w, i, fd);
	} else {
		w->full[i] = false;
		child_start(w, i, fd, peer);
	}
}

static void
accept_some(struct waiter *w, size_t i)
{
	for (int k = 0; k < ACCEPT_BATCH; k++) {
		int fd = accept4(w->sock[i].fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM) {
				log_err("accept: %s", strerror(errno));
				w->pause_until = time_mono_ms() + PAUSE_MS;
			}
			if (errno != EINTR && errno != ECONNABORTED)
				return;
			continue;
		}
		take(w, i, fd);
	}
}

static int64_t
linger_ms(const struct waiter *w)
{
	uint32_t max = 0;

	for (size_t i = 0; i < w->n_sock; i++)
		if (listener_of(w, i)->linger_s > max)
			max = listener_of(w, i)->linger_s;
	return (int64_t)max * 1000;
}

static void
kill_children(const struct waiter *w, int sig)
{
	for (size_t i = 0; i < w->n; i++)
		kill(w->child[i].pid, sig);
}

/* When to wake up without an event: -1 never. */
static int64_t
wake_at(const struct waiter *w)
{
	if (w->stop_by != 0)
		return w->stop_by;
	if (w->pause_until != 0)
		return w->pause_until;
	return w->n == 0 ? w->quiet_since + linger_ms(w) : -1;
}

/* Signals and time; false: it is over. */
static bool
tick(struct waiter *w)
{
	int64_t now = time_mono_ms();

	reap(w);
	if (server_signals.hup) {
		server_signals.hup = 0;
		setup_refresh(w->setup, true);
	}
	if (server_signals.term && w->stop_by == 0) {
		w->stop_by = now + GRACE_MS;
		kill_children(w, SIGTERM);
	}
	if (w->pause_until != 0 && now >= w->pause_until)
		w->pause_until = 0;
	if (w->stop_by != 0) {
		if (w->n > 0 && now >= w->stop_by) {
			log_warn("%zu sessions had to be killed", w->n);
			kill_children(w, SIGKILL);
			return false;
		}
		return w->n > 0;
	}
	return w->n > 0 || now < w->quiet_since + linger_ms(w);
}

static void
wait_event(struct waiter *w)
{
	struct pollfd fds[SOCKETS_MAX];
	bool listening = w->stop_by == 0 && w->pause_until == 0;
	int64_t at = wake_at(w), left = at < 0 ? 0 : at - time_mono_ms();
	struct timespec ts;

	left = left < 0 ? 0 : left;
	ts.tv_sec = (time_t)(left / 1000);
	ts.tv_nsec = (long)(left % 1000) * 1000000;
	for (size_t i = 0; i < w->n_sock; i++)
		fds[i] = (struct pollfd){ .fd = w->sock[i].fd,
			.events = POLLIN };
	if (ppoll(fds, listening ? w->n_sock : 0, at < 0 ? NULL : &ts,
		&server_signals.mask) <= 0)
		return;
	for (size_t i = 0; listening && i < w->n_sock; i++)
		if (fds[i].revents != 0)
			accept_some(w, i);
}

/* Descriptor 0 stays open in the children: it is not to be the listener. */
static void
adopt_sockets(struct waiter *w)
{
	for (size_t i = 0; i < w->n_sock; i++) {
		int fd = w->sock[i].fd;

		if (fd == 0) {
			int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

			fd = w->sock[i].fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
			if (fd < 0 || null < 0 || dup2(null, 0) < 0)
				fatal("descriptor 0: %s", strerror(errno));
			io_close(&null);
		}
		io_nonblock(fd, 1);
	}
}

int
waiter_run(struct setup *s, struct waiter_socket *sock, size_t n)
{
	struct waiter w = { .setup = s, .sock = sock, .n_sock = n };

	assert(n <= SOCKETS_MAX);
	w.quiet_since = time_mono_ms();
	tzset();	/* once, not in each child's first log line */
	adopt_sockets(&w);
	log_debug("waiting for connections");
	while (tick(&w))
		wait_event(&w);
	log_debug("no more connections");
	xfree(w.child);
	return 0;
}
