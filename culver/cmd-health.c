/* culver/cmd-health.c - culver health: does it answer? For monitors */
#include "config.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "culver/checks.h"
#include "culver/culver.h"
#include "culver/listeners.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libstore/submission.h"

enum { O_JSON };
enum {
	ANSWER_S = 10,
	OVERDUE_S = 15 * 60,	/* of mail that should have been sent */
	SLOW_MS = 2000,
	TRIES = 8
};

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

/* ---- listeners --------------------------------------------------------- */

static int
dial_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sun.sun_path, path, strnlen(path, sizeof(sun.sun_path) - 1));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		int e = errno;

		io_close(&fd);
		errno = e;
	}
	return fd;
}

static int
dial_port(struct arena *a, const char *address)
{
	const char *host = made_host(a, address);
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *ai;
	struct timeval tv = { .tv_sec = ANSWER_S };
	int fd;

	if (getaddrinfo(*host == '*' ? "127.0.0.1" : host,
		made_port(address), &hints, &ai) != 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0 ||
		connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)) {
		int e = errno;

		io_close(&fd);
		errno = e;
	}
	freeaddrinfo(ai);
	return fd;
}

/* The greeting in TLS; nobody is verified: check_tls() looks at certificates. */
static ssize_t
read_tls(int fd, char *line, size_t room)
{
	gnutls_certificate_credentials_t cred = NULL;
	gnutls_session_t tls = NULL;
	ssize_t n = -1;
	int rc;

	if (gnutls_certificate_allocate_credentials(&cred) == 0 &&
	    gnutls_init(&tls, GNUTLS_CLIENT) == 0) {
		gnutls_set_default_priority(tls);
		gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred);
		gnutls_transport_set_int(tls, fd);
		do
			rc = gnutls_handshake(tls);
		while (rc < 0 && !gnutls_error_is_fatal(rc) &&
		    rc != GNUTLS_E_AGAIN);
		/* Tickets come first. */
		for (int i = 0; rc == 0 && i < TRIES &&
		     (n < 0 && (i == 0 || n == GNUTLS_E_AGAIN)); i++)
			n = gnutls_record_recv(tls, line, room);
		if (n > 0)
			gnutls_bye(tls, GNUTLS_SHUT_WR);
	}
	if (tls != NULL)
		gnutls_deinit(tls);
	gnutls_certificate_free_credentials(cred);
	return n;
}

/* How a good greeting begins. */
static struct slice
greeting(enum conf_protocol p)
{
	return p == CONF_IMAP ? SLICE_LIT("* OK ") :
	    p == CONF_POP3    ? SLICE_LIT("+OK ") :
				SLICE_LIT("220 ");
}

static void
say_answer(struct checks *c, const struct conf_listener *l,
    const char *address, const char *line, ssize_t n, int64_t ms)
{
	struct slice want = greeting(l->protocol), got;

	got = slice_make(line, n > 0 ? (size_t)n : 0);
	if (got.n == 0)
		check_say(c, CHECK_FAULT, address, "listener %s says nothing",
		    l->name);
	else if (!slice_starts(got, want))
		check_say(c, CHECK_FAULT, address, "listener %s says: %.*s",
		    l->name, (int)strcspn(line, "\r\n"), line);
	else
		check_say(c, ms > SLOW_MS ? CHECK_WARNING : CHECK_OK, address,
		    "listener %s answers in %lld ms", l->name, (long long)ms);
}

static void
probe(struct checks *c, struct arena *a, const struct conf_listener *l,
    const char *address)
{
	const char *path = made_unix(address);
	int64_t start = time_mono_ms();
	struct timeval tv = { .tv_sec = ANSWER_S };
	char line[512];
	ssize_t n;
	int fd;

	fd = path != NULL ? dial_unix(path) : dial_port(a, address);
	if (fd < 0) {
		check_say(c, CHECK_FAULT, address, "listener %s: %s", l->name,
		    strerror(errno));
		return;
	}
	if (l->protocol == CONF_JMAP) {	/* FastCGI greets nobody */
		check_say(c, CHECK_OK, address, "listener %s is there",
		    l->name);
	} else {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		n = l->tls == CONF_TLS_IMPLICIT ?
		    read_tls(fd, line, sizeof(line) - 1) :
		    recv(fd, line, sizeof(line) - 1, 0);
		line[n > 0 ? n : 0] = '\0';
		say_answer(c, l, address, line, n, time_mono_ms() - start);
	}
	io_close(&fd);
}

static void
check_listeners(struct checks *c)
{
	struct arena *a = arena_new(0);

	priv_caller();		/* who may connect to the Unix sockets */
	for (size_t i = 0; i < c->conf->n_listeners; i++)
		for (size_t k = 0; k < c->conf->listeners[i].n_addresses; k++)
			probe(c, a, &c->conf->listeners[i],
			    c->conf->listeners[i].addresses[k]);
	priv_service();
	arena_free(&a);
}

/* ---- the store --------------------------------------------------------- */

static int
count(void *arg, const char *account)
{
	(void)account;
	++*(unsigned *)arg;
	return 0;
}

static void
check_outbox(struct checks *c, const struct store_conf *sc)
{
	unsigned n = 0;

	if (store_outbox_each(sc, time(NULL) - OVERDUE_S, count, &n) < 0)
		check_say(c, CHECK_FAULT, "outbox", "it can't be read");
	else if (n > 0)
		check_say(c, CHECK_WARNING, "outbox", "%u accounts have mail "
		    "that should have been sent %d minutes ago: does "
		    "\"culver spool\" run?", n, OVERDUE_S / 60);
	else
		check_say(c, CHECK_OK, "outbox", "nothing is overdue");
}

static void
check_account(struct checks *c, const struct store_conf *sc, const char *given)
{
	char *name = account_name(slice_str(given));
	int64_t start = time_mono_ms(), ms;
	struct store *st = NULL;
	int rc = name != NULL ? store_open(sc, name, &st) : STORE_E_NOTFOUND;

	ms = time_mono_ms() - start;
	if (rc < 0)
		check_say(c, CHECK_FAULT, given, "%s", store_error(rc)->text);
	else
		check_say(c, ms > SLOW_MS ? CHECK_WARNING : CHECK_OK, given,
		    "opened in %lld ms", (long long)ms);
	store_close(&st);
	xfree(name);
}

static int
run(struct culver *c, const struct args *a)
{
	struct checks ck = {
		.conf = c->conf, .rows.json = a->val[O_JSON] != NULL
	};

	check_dir(&ck, c->conf->mail_dir);
	check_dir(&ck, c->conf->run_dir);
	check_tls(&ck);
	check_listeners(&ck);
	check_outbox(&ck, &c->store_conf);
	for (size_t i = 0; i < a->n; i++)
		check_account(&ck, &c->store_conf, a->pos[i]);
	rows_end(&ck.rows);
	return (int)ck.worst;	/* 0, 1, 2: as monitors have it */
}

const struct command cmd_health = {
	"health", "[ACCOUNT ...]", "ask the listeners and look at what may run out",
	opts, 0, SIZE_MAX, run
};
