/* jmap-push/main.c - pushes for JMAP: who changed what, until nothing is left */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "jmap-push/push.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/confine.h"
#include "libsession/session.h"

enum {
	LINGER_S = 60,
	MARGIN_S = 10,		/* of the stamp: clocks are coarse */
	SOON_S = 2, ROUND_MS = 60000, DATAGRAMS_MAX = 1000
};

struct options {
	const char *conf;
	uint32_t linger_s;
	bool debug;
};

static void
usage(void)
{
	fprintf(stderr, "usage: jmap-push [-d] [-f file] [-w seconds]\n");
	exit(EXIT_PERM);
}

static void
options(int argc, char **argv, struct options *o)
{
	uint64_t v;
	int c;

	*o = (struct options){ conf_default_path(), LINGER_S, false };
	while ((c = getopt(argc, argv, "df:w:")) != -1) {
		if (c == 'd')
			o->debug = true;
		else if (c == 'f')
			o->conf = optarg;
		else if (c == 'w' &&
		    slice_uint(slice_str(optarg), UINT32_MAX, &v) == 0)
			o->linger_s = (uint32_t)v;
		else
			usage();
	}
	if (optind != argc)
		usage();
}

/* The datagram socket that systemd or inetd listens on, or -1. */
static int
given_socket(void)
{
	int fd = listen_fds() > 0 ? LISTEN_FDS_START : 0, type = 0;
	socklen_t n = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0 ||
	    type != SOCK_DGRAM)
		return -1;
	io_cloexec(fd);
	io_nonblock(fd, 1);
	return fd;
}

/* ---- what was missed --------------------------------------------------- */

/* mail_dir/.push/NAME */
static char *
push_path(const struct pusher *p, const char *name)
{
	char *dir = store_push_dir(&p->store_conf), *path;

	if (dir == NULL)
		fatal("%s/.push: %s", p->conf->mail_dir, strerror(errno));
	path = xasprintf("%s/%s", dir, name);
	xfree(dir);
	return path;
}

/* Until this process ends.  false: another one holds it, and wait is false. */
static bool
lock(const struct pusher *p, bool wait)
{
	char *path = push_path(p, ".lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	if (fd < 0)
		fatal("%s: %s", path, strerror(errno));
	while ((rc = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0 &&
	    errno == EINTR)
		;
	if (rc < 0 && errno != EWOULDBLOCK)
		fatal("%s: %s", path, strerror(errno));
	xfree(path);
	return rc == 0;
}

/*
 * All that was touched before this file was is done.  What a crash of the machine
 * kept from getting to the disk nobody knows, so that it counts only since the
 * last boot.
 */
static int64_t
stamp_read(const struct pusher *p)
{
	char *path = push_path(p, ".done");
	struct sysinfo si;
	struct stat sb;
	int64_t at = 0;

	if (stat(path, &sb) == 0 && sysinfo(&si) == 0 &&
	    sb.st_mtim.tv_sec > time(NULL) - si.uptime &&
	    sb.st_mtim.tv_sec <= time(NULL))
		at = sb.st_mtim.tv_sec;
	xfree(path);
	return at;
}

static void
stamp_write(const struct pusher *p, int64_t at)
{
	struct timespec t[2] = { { .tv_sec = at }, { .tv_sec = at } };
	char *path = push_path(p, ".done");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || futimens(fd, t) < 0)
		log_warn("%s: %s", path, strerror(errno));
	io_close(&fd);
	xfree(path);
}

struct missed {
	struct pusher *p;
	int64_t since;
};

static int
note_missed(void *arg, const char *account)
{
	struct missed *m = arg;

	if (store_push_touched(&m->p->store_conf, account) >= m->since)
		account_changed(m->p, account);
	return 0;
}

static void
find_missed(struct pusher *p)
{
	struct missed m = { p, stamp_read(p) };

	if (store_push_each(&p->store_conf, note_missed, &m) < 0)
		log_err("%s/.push can't be read", p->conf->mail_dir);
}

/* ---- what is told ------------------------------------------------------ */

/* false: nobody told anything. */
static bool
read_datagrams(struct pusher *p, int fd)
{
	char name[STORE_ACCOUNT_MAX + 1];
	ssize_t n;
	int i;

	for (i = 0; i < DATAGRAMS_MAX; i++) {
		n = recv(fd, name, sizeof(name) - 1, MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0)
			break;
		if ((size_t)n >= sizeof(name))
			continue;
		name[n] = '\0';
		/* Whoever sent that: only an account with a hint is opened. */
		if (store_account_ok(slice_make(name, (size_t)n)) &&
		    strlen(name) == (size_t)n &&
		    store_push_touched(&p->store_conf, name) > 0)
			account_changed(p, name);
	}
	return i > 0;
}

/* Until nothing is left to do, and nobody said anything for linger_s. */
static void
serve(struct pusher *p, int fd, uint32_t linger_s)
{
	int64_t idle = time_mono_ms(), now;
	int wait_ms;

	for (;;) {
		now = (int64_t)time(NULL);
		if (read_datagrams(p, fd))
			idle = time_mono_ms();
		accounts_run(p, now);
		wait_ms = accounts_wait_ms(p, now, ROUND_MS);
		if (wait_ms < 0) {
			int64_t left = idle + (int64_t)linger_s * 1000 -
			    time_mono_ms();

			stamp_write(p, now - MARGIN_S);
			if (left <= 0)
				return;
			wait_ms = left < ROUND_MS ? (int)left : ROUND_MS;
		} else {
			idle = time_mono_ms();
		}
		posts_wait(p->posts, fd, wait_ms);
	}
}

/* What can be done now; what is to be tried later is left for later. */
static void
serve_once(struct pusher *p)
{
	int64_t start = (int64_t)time(NULL);
	int64_t now;
	bool busy;

	do {
		now = (int64_t)time(NULL);
		accounts_run(p, now);
		busy = false;
		for (struct account *a = p->accounts; a != NULL; a = a->next)
			busy = busy || a->posts > 0 || a->changed ||
			    a->due <= now + SOON_S;
		if (busy)
			posts_wait(p->posts, -1, accounts_wait_ms(p, now,
			    ROUND_MS));
	} while (busy);
	if (p->accounts == NULL)
		stamp_write(p, start - MARGIN_S);
}

int
main(int argc, char **argv)
{
	struct pusher p;
	struct options o;
	struct conf *cf;
	char *err;
	int fd;

	umask(077);
	options(argc, argv, &o);
	if (conf_load(o.conf, &cf, &err) < 0)
		fatal_perm("%s", err);
	if (log_open("jmap-push", o.debug ? "stderr" : cf->log,
	    o.debug ? LOG_L_DEBUG : cf->log_level) < 0)
		fatal_perm("%s: %s", cf->log, strerror(errno));
	fd = given_socket();
	priv_become(cf->user);
	memset(&p, 0, sizeof(p));
	p.conf = cf;
	session_store_conf(cf, &p.store_conf);
	p.store_conf.push_socket = NULL;
	if (lock(&p, fd >= 0)) {
		if (vapid_load(&p.store_conf, &p.vapid) < 0)
			fatal("the key for push services: %s",
			    strerror(errno));
		confine_files(cf, CONFINE_PUSH);
		confine_calls(cf, CONFINE_PUSH);
		p.posts = posts_new(&p);
		find_missed(&p);
		if (fd >= 0)
			serve(&p, fd, o.linger_s);
		else
			serve_once(&p);
		accounts_free(&p);
		posts_free(&p.posts);
		explicit_bzero(&p.vapid, sizeof(p.vapid));
	}
	conf_free(&cf);
	log_close();
	return 0;
}
