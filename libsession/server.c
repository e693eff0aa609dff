/* libsession/server.c - the main() of a daemon: options, descriptor 0, signals */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/session-int.h"

enum mode {
	MODE_STDIO,		/* a pipe or terminal: logged in already */
	MODE_CONNECTION,	/* a connected socket */
	MODE_WAIT		/* a listening one */
};

struct signals server_signals;

struct activation {	/* what we were started with */
	enum mode mode;
	bool have_stdout;	/* 1 is not the same socket as 0 */
	struct waiter_socket sock[LISTEN_FDS_MAX];
	size_t n;
};

struct options {
	const char *conf, *listener, *account;
	bool debug;
};

static void
on_signal(int sig)
{
	volatile sig_atomic_t *stop = server_signals.stop;

	if (sig == SIGHUP)
		server_signals.hup = 1;
	else if (sig != SIGCHLD)
		server_signals.term = 1;
	if (stop != NULL && sig != SIGCHLD)
		*stop = 1;
}

/* They come only while something waits (ppoll), so no system call is cut
 * short and nothing is half done. */
static void
catch_signals(void)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaddset(&block, sigs[i]);
	sigprocmask(SIG_BLOCK, &block, &server_signals.mask);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		sigaction(sigs[i], &sa, NULL);
		sigdelset(&server_signals.mask, sigs[i]);
	}
	/* A watch of the store reads SIGIO from a descriptor: it must be
	 * blocked, while waiting too, or it would end the process. */
	sigaddset(&server_signals.mask, SIGIO);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL);	/* EFBIG says it as well */
}

static bool
same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/*
 * inetd makes 1 and 2 copies of the socket: nothing that some library prints
 * may get to the client.  Closed descriptors are filled, so that no file gets
 * a number below 3.
 */
static void
tame_descriptors(bool *stdout_r, bool *stderr_r)
{
	int null = open("/dev/null", O_RDWR);
	struct stat st;

	while (null >= 0 && null < 3)
		null = dup(null);
	*stdout_r = *stderr_r = true;
	if (fstat(0, &st) == 0 && S_ISSOCK(st.st_mode)) {
		for (int fd = 1; fd <= 2; fd++) {
			if (!same_file(0, fd))
				continue;
			dup2(null, fd);
			*(fd == 1 ? stdout_r : stderr_r) = false;
		}
	}
	io_close(&null);
}

/* One end of a socketpair(2): it has no name, which an accepted one has. */
static bool
is_pair(int fd)
{
	struct sockaddr_un sun;
	socklen_t n = sizeof(sun);

	return getsockname(fd, (struct sockaddr *)&sun, &n) == 0 &&
	    sun.sun_family == AF_UNIX && n <= sizeof(sun.sun_family);
}

/*
 * Some programs make a socket pair where others make pipes (mbsync's Tunnel),
 * some for a client from far away (socat): only -u tells that the other end is
 * to be believed.
 */
static enum mode
mode_of(int fd, bool account_given)
{
	socklen_t n = sizeof(int);
	int listening = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) < 0)
		return MODE_STDIO;
	if (listening)
		return MODE_WAIT;
	return account_given && is_pair(fd) ? MODE_STDIO : MODE_CONNECTION;
}

/* The sockets that systemd passes, else descriptor 0.  A socket that is named
 * like a listener section is served as that one. */
static void
find_activation(struct activation *a, bool account_given)
{
	const char *name = getenv("LISTEN_FDNAMES");

	a->n = listen_fds();
	for (size_t i = 0; i < a->n; i++) {
		size_t len = name != NULL ? strcspn(name, ":") : 0;

		a->sock[i].fd = LISTEN_FDS_START + (int)i;
		io_cloexec(a->sock[i].fd);
		if (len > 0)
			a->sock[i].listener = xstrndup(name, len);
		if (name != NULL)
			name += len + (name[len] == ':');
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (a->n == 0) {
		a->n = 1;
		a->sock[0].fd = 0;
	}
	a->mode = mode_of(a->sock[0].fd, account_given);
}

static void
activation_release(struct activation *a)
{
	for (size_t i = 0; i < a->n; i++)
		xfree((void *)(uintptr_t)a->sock[i].listener);
}

static int
usage(const char *name)
{
	fprintf(stderr, "usage: %s [-d] [-f file] [-l listener] [-u account]\n",
	    name);
	return EXIT_PERM;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	int c;

	o->conf = conf_default_path();
	while ((c = getopt(argc, argv, "df:l:u:")) != -1) {
		switch (c) {
		case 'd':
			o->debug = true;
			break;
		case 'f':
			o->conf = optarg;
			break;
		case 'l':
			o->listener = optarg;
			break;
		case 'u':
			o->account = optarg;
			break;
		default:
			return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

/* To whom a pipe or terminal belongs; NULL: nobody known. */
static const char *
stdio_account(const struct options *o)
{
	const struct passwd *pw;

	if (o->account != NULL)
		return o->account;
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_name : NULL;
}

static int
serve_one(struct setup *s, const struct activation *a, const struct options *o)
{
	const struct conf_listener *l = NULL;
	const char *preauth = NULL, *section = a->sock[0].listener;
	int rfd = a->sock[0].fd, wfd = rfd;

	if (section != NULL)
		l = setup_listener(s->conf, s->srv, section);
	if (l == NULL)	/* no name, or not one of ours */
		l = setup_listener(s->conf, s->srv, s->listener);
	if (a->mode == MODE_STDIO) {
		if ((preauth = stdio_account(o)) == NULL)
			fatal_perm("user %ld has no name: use -u",
			    (long)getuid());
		wfd = a->have_stdout ? 1 : 0;
	}
	priv_drop(&s->priv);
	priv_harden(setup_starts_programs(s));
	session_run(s, l, rfd, wfd, preauth, &server_signals.mask,
	    &server_signals.stop);
	return 0;
}

/* Nothing can be served: each line of text to the log, the busy line to a
 * client. */
static int
refuse(const struct server *srv, const struct activation *a, const char *text)
{
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		log_err("%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
	if (a->mode == MODE_CONNECTION)
		send(a->sock[0].fd, srv->busy_line, strlen(srv->busy_line),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	return EXIT_PERM;
}

int
server_main(int argc, char **argv, const struct server *srv)
{
	struct options o = { .debug = false };
	struct activation a = { .n = 0 };
	struct setup s = { .srv = srv };
	bool have_stderr;
	char *err = NULL;
	int rc;

	umask(077);
	tame_descriptors(&a.have_stdout, &have_stderr);
	log_open(srv->name, have_stderr ? "stderr" : "syslog", LOG_L_INFO);
	if (parse_options(argc, argv, &o) < 0)
		return usage(srv->name);
	find_activation(&a, o.account != NULL);
	catch_signals();
	s.path = o.conf;
	s.listener = o.listener;
	s.preload = a.mode == MODE_WAIT;
	if (o.account != NULL && a.mode != MODE_STDIO) {
		rc = refuse(srv, &a, "-u is for a pipe or terminal only");
		goto out;
	}
	if (setup_load(&s, &err) < 0) {
		rc = refuse(srv, &a, err);
		goto out;
	}
	if (!o.debug && log_open(srv->name, s.conf->log,
			    s.conf->log_level) < 0) {
		err = xasprintf("log %s: %s", s.conf->log, strerror(errno));
		rc = refuse(srv, &a, err);
		goto out;
	}
	if (o.debug)
		log_open(srv->name, have_stderr ? "stderr" : "syslog",
		    LOG_L_DEBUG);
	if (a.mode == MODE_WAIT) {
		priv_harden(setup_starts_programs(&s));
		rc = waiter_run(&s, a.sock, a.n);
	} else
		rc = serve_one(&s, &a, &o);
out:
	xfree(err);
	activation_release(&a);
	setup_release(&s);
	log_close();
	return rc;
}
