/* libsession/who.c - who is logged in: slots with locks */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/who.h"

enum {
	FILES = 16,	/* the kernel has a list of locks for each */
	SLOTS = 4096,	/* of a file */
	TRIES = 16
};

static int
file_open(const struct conf *c, unsigned i, int flags)
{
	char *path = xasprintf("%s/sessions.%u", c->run_dir, i);
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

	xfree(path);
	return fd;
}

/* Of this process, not of the descriptor: only then F_GETLK tells whose it is.
 * A session's process opens no such file twice. */
static struct flock
slot_lock(unsigned slot)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = (off_t)slot * (off_t)sizeof(struct who),
		.l_len = 1 };
}

int
who_enter(const struct conf *c, enum conf_protocol protocol,
    const char *peer, const char *account)
{
	struct who w = { .pid = getpid(), .protocol = protocol,
		.since = time(NULL) };
	unsigned pid = (unsigned)w.pid;
	int fd = file_open(c, pid % FILES, O_RDWR | O_CREAT);

	if (fd < 0)
		return -1;
	snprintf(w.peer, sizeof(w.peer), "%s", peer);
	snprintf(w.account, sizeof(w.account), "%s", account);
	for (unsigned i = 0; i < TRIES; i++) {
		struct flock l = slot_lock((pid / FILES + i) % SLOTS);

		if (fcntl(fd, F_SETLK, &l) < 0)
			continue;
		if (io_pwrite_full(fd, &w, sizeof(w), l.l_start) < 0)
			break;
		return fd;
	}
	io_close(&fd);
	return -1;
}

/* Does the process that wrote this slot still hold it? */
static bool
held(int fd, unsigned slot, const struct who *w)
{
	struct flock l = slot_lock(slot);

	return w->pid > 0 && fcntl(fd, F_GETLK, &l) == 0 &&
	    l.l_type == F_WRLCK && l.l_pid == w->pid &&
	    w->peer[WHO_PEER - 1] == '\0' &&
	    w->account[WHO_ACCOUNT - 1] == '\0';
}

static int
list_file(int fd, int (*fn)(void *arg, const struct who *w), void *arg)
{
	struct who w[64];
	int rc = 0;

	for (unsigned slot = 0; slot < SLOTS && rc == 0;) {
		ssize_t n = pread(fd, w, sizeof(w),
		    (off_t)slot * (off_t)sizeof(*w));

		if (n < (ssize_t)sizeof(*w))
			return n < 0 ? -1 : 0;
		for (size_t i = 0; i < (size_t)n / sizeof(*w) && rc == 0; i++)
			if (held(fd, slot++, &w[i]))
				rc = fn(arg, &w[i]);
	}
	return rc;
}

int
who_list(const struct conf *c, int (*fn)(void *arg, const struct who *w),
    void *arg)
{
	int rc = 0;

	for (unsigned i = 0; i < FILES && rc == 0; i++) {
		int fd = file_open(c, i, O_RDONLY);

		if (fd < 0 && errno != ENOENT)
			return -1;
		if (fd >= 0)
			rc = list_file(fd, fn, arg);
		io_close(&fd);
	}
	return rc;
}

static int
same(void *arg, const struct who *w)
{
	return memcmp(arg, w, sizeof(*w)) == 0 ? 2 : 0;
}

int
who_kick(const struct conf *c, const struct who *w)
{
	int process = pidfd_open(w->pid, 0), fd, rc;
	struct who copy = *w;

	if (process < 0)
		return errno == ESRCH ? 1 : -1;
	/* Is that number still the session's, and not another process's? */
	fd = file_open(c, (unsigned)w->pid % FILES, O_RDONLY);
	rc = fd < 0 ? -1 : list_file(fd, same, &copy);
	if (rc >= 0) {
		rc = rc == 2 ? pidfd_send_signal(process, SIGTERM, NULL, 0) :
		    1;
		if (rc < 0 && errno == ESRCH)
			rc = 1;
	}
	io_close(&fd);
	io_close(&process);
	return rc;
}
