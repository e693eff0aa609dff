/* libsession/secret.c - files of random octets that several processes share */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/secret.h"

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

/* A whole file is linked to its name: nobody ever sees a part of one, and the
 * first of several processes wins. */
static int
make(const struct conf *c, const char *path, size_t n)
{
	char *tmp = xasprintf("%s.%ld", path, (long)getpid());
	char *octets = xmalloc(n);
	const struct passwd *pw = NULL;
	int fd, rc = -1, e;

	make_parent(path);
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out;
	if (geteuid() == 0 && c->user != NULL)
		pw = getpwnam(c->user);
	random_bytes(octets, n);
	if (io_write_full(fd, octets, n) == 0 &&
	    (pw == NULL || fchown(fd, pw->pw_uid, pw->pw_gid) == 0) &&
	    fdatasync(fd) == 0 && (link(tmp, path) == 0 || errno == EEXIST))
		rc = 0;
	e = errno;
	unlink(tmp);
	io_close(&fd);
	errno = e;
out:
	xfree_secret(octets, n);
	xfree(tmp);
	return rc;
}

static int
load(const char *path, void *out, size_t n)
{
	struct stat st;
	int fd, rc = -1, e;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		goto out;
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)n)
		errno = EINVAL;
	else if ((st.st_mode & 077) != 0)
		errno = EPERM;
	else
		rc = io_read_full(fd, out, n);
out:
	e = errno;
	io_close(&fd);
	errno = e;
	return rc;
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
