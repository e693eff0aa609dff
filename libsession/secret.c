/* libsession/secret.c - files of random octets that several processes share */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/secret.h"

enum { RENEW_TRIES = 3 };

static void
make_parent(const char *path)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');

	if (slash != NULL && slash != dir) {
		*slash = '\0';
		io_mkdirs(dir, 0755);
	}
	xfree(dir);
}

/* A file of our own beside path, which then takes its name; the octets are in
 * it for good. */
static int
write_beside(const struct conf *c, const char *tmp, const void *octets,
    size_t n)
{
	const struct passwd *pw = NULL;
	int fd, rc = -1, e;

	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (geteuid() == 0 && c->user != NULL)
		pw = getpwnam(c->user);
	if (io_write_full(fd, octets, n) == 0 &&
	    /* Without CAP_CHOWN it stays root's, who reads it. */
	    (pw == NULL || fchown(fd, pw->pw_uid, pw->pw_gid) == 0 ||
		errno == EPERM) &&
	    fdatasync(fd) == 0)
		rc = 0;
	e = errno;
	io_close(&fd);
	errno = e;
	return rc;
}

/* A whole file gets its name: nobody ever sees a part of one.  over: it takes
 * the place of what is there; else the first of several processes wins. */
static int
put(const struct conf *c, const char *path, const void *octets, size_t n,
    bool over)
{
	char *tmp = xasprintf("%s.%ld", path, (long)getpid());
	int rc = write_beside(c, tmp, octets, n), e;

	if (rc == 0 && over)
		rc = rename(tmp, path);
	else if (rc == 0)
		rc = link(tmp, path) == 0 || errno == EEXIST ? 0 : -1;
	e = errno;
	unlink(tmp);
	xfree(tmp);
	errno = e;
	return rc;
}

/* The directory is the service user's: a root without capabilities has no right
 * to it, but may be that user for a moment. */
static int
put_as_user(const struct conf *c, const char *path, const void *octets,
    size_t n, bool over)
{
	const struct passwd *pw = NULL;
	int rc = -1, e = EACCES;

	if (geteuid() == 0 && c->user != NULL)
		pw = getpwnam(c->user);
	if (pw != NULL && setegid(pw->pw_gid) == 0) {
		if (seteuid(pw->pw_uid) == 0)
			rc = put(c, path, octets, n, over);
		e = errno;
		if (seteuid(0) < 0 || setegid(0) < 0)
			fatal("becoming root again: %s", strerror(errno));
	}
	errno = e;
	return rc == 0 || e != EACCES ? rc : put(c, path, octets, n, over);
}

static int
make(const struct conf *c, const char *path, size_t n)
{
	char *octets = xmalloc(n);
	int rc, e;

	make_parent(path);
	random_bytes(octets, n);
	rc = put_as_user(c, path, octets, n, false);
	e = errno;
	xfree_secret(octets, n);
	errno = e;
	return rc;
}

/* Of n octets, or of small ones.  How many there are, or -1. */
static ssize_t
read_secret(int fd, void *out, size_t n, size_t small, struct stat *st)
{
	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	if (!S_ISREG(st->st_mode) ||
	    (st->st_size != (off_t)n && st->st_size != (off_t)small))
		errno = EINVAL;
	else if ((st->st_mode & 077) != 0)
		errno = EPERM;
	else if (io_read_full(fd, out, (size_t)st->st_size) == 0)
		return (ssize_t)st->st_size;
	return -1;
}

static int
open_secret(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static int
load(const char *path, void *out, size_t n)
{
	struct stat st;
	int fd = open_secret(path), e;
	ssize_t k = read_secret(fd, out, n, n, &st);

	e = errno;
	io_close(&fd);
	errno = e;
	return k < 0 ? -1 : 0;
}

int
secret_file(const struct conf *c, const char *path, void *out, size_t n)
{
	if (load(path, out, n) == 0)
		return 0;
	if (errno != ENOENT || make(c, path, n) < 0)
		return -1;
	return load(path, out, n);
}

bool
secret_too_old(const struct stat *st, uint32_t max_age_s)
{
	int64_t age = (int64_t)time(NULL) - (int64_t)st->st_mtime;

	return max_age_s != 0 &&
	    (age >= (int64_t)max_age_s || age < -(int64_t)max_age_s);
}

/* fd is the file that pair was read from, which is too old.  1: there is another
 * one now, by us or by somebody else; 0: somebody is about to; -1. */
static int
renew(const struct conf *c, const char *path, int fd, const struct stat *was,
    const char *pair, size_t n)
{
	char *octets;
	struct stat st;
	int rc, e;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : -1;
	/* Whoever had the lock before us has replaced the file. */
	if (stat(path, &st) < 0 || st.st_ino != was->st_ino ||
	    st.st_dev != was->st_dev)
		return 1;
	octets = xmalloc(2 * n);
	random_bytes(octets, n);
	memcpy(octets + n, pair, n);
	rc = put_as_user(c, path, octets, 2 * n, true) == 0 ? 1 : -1;
	e = errno;
	xfree_secret(octets, 2 * n);
	errno = e;
	return rc;
}

/* There can't be a file: better than no service. */
static int
pair_of_our_own(const char *path, void *out, size_t n, struct stat *st_r)
{
	log_warn("%s: can't be made: %s; other processes won't know our secret",
	    path, strerror(errno));
	random_bytes(out, 2 * n);
	memset(st_r, 0, sizeof(*st_r));
	return 0;
}

int
secret_pair(const struct conf *c, const char *path, uint32_t max_age_s,
    void *out, size_t n, struct stat *st_r)
{
	ssize_t k;
	int fd, rc = 1, e;

	for (int i = 0; i < RENEW_TRIES && rc > 0; i++) {
		fd = open_secret(path);
		if (fd < 0 && errno == ENOENT) {
			if (make(c, path, 2 * n) < 0)
				return pair_of_our_own(path, out, n, st_r);
			fd = open_secret(path);
		}
		k = read_secret(fd, out, 2 * n, n, st_r);
		if (k < 0) {
			e = errno;
			io_close(&fd);
			errno = e;
			return -1;
		}
		if ((size_t)k == n)
			memcpy((char *)out + n, out, n);
		rc = 0;
		if (secret_too_old(st_r, max_age_s))
			rc = renew(c, path, fd, st_r, out, n);
		if (rc < 0)	/* the old one still does */
			log_warn("%s: can't be renewed: %s", path,
			    strerror(errno));
		io_close(&fd);
	}
	return 0;
}
