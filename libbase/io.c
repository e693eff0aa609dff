/* libbase/io.c - descriptors: whole reads and writes, files */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"

ssize_t
io_read(int fd, void *p, size_t n)
{
	ssize_t k;

	do
		k = read(fd, p, n);
	while (k < 0 && errno == EINTR);
	return k;
}

ssize_t
io_write(int fd, const void *p, size_t n)
{
	ssize_t k;

	do
		k = write(fd, p, n);
	while (k < 0 && errno == EINTR);
	return k;
}

int
io_read_full(int fd, void *p, size_t n)
{
	for (char *to = p; n > 0;) {
		ssize_t k = io_read(fd, to, n);

		if (k == 0)
			errno = 0;
		if (k <= 0)
			return -1;
		to += k;
		n -= (size_t)k;
	}
	return 0;
}

int
io_write_full(int fd, const void *p, size_t n)
{
	for (const char *from = p; n > 0;) {
		ssize_t k = io_write(fd, from, n);

		if (k == 0)
			errno = EIO;
		if (k <= 0)
			return -1;
		from += k;
		n -= (size_t)k;
	}
	return 0;
}

int
io_pread_full(int fd, void *p, size_t n, off_t off)
{
	for (char *to = p; n > 0;) {
		ssize_t k = pread(fd, to, n, off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k == 0)
			errno = 0;
		if (k <= 0)
			return -1;
		to += k;
		off += k;
		n -= (size_t)k;
	}
	return 0;
}

int
io_pwrite_full(int fd, const void *p, size_t n, off_t off)
{
	for (const char *from = p; n > 0;) {
		ssize_t k = pwrite(fd, from, n, off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k == 0)
			errno = EIO;
		if (k <= 0)
			return -1;
		from += k;
		off += k;
		n -= (size_t)k;
	}
	return 0;
}

int
io_pwritev_full(int fd, const struct iovec *iov, int cnt, off_t off)
{
	size_t skip = 0;	/* of iov[0] that is written */

	while (cnt > 0) {
		ssize_t k;

		if (skip > 0 || cnt > IOV_MAX) {
			if (io_pwrite_full(fd, (const char *)iov->iov_base + skip,
				iov->iov_len - skip, off) < 0)
				return -1;
			k = (ssize_t)(iov->iov_len - skip);
		} else
			k = pwritev(fd, iov, cnt, off);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		off += k;
		skip += (size_t)k;
		while (cnt > 0 && skip >= iov->iov_len) {
			skip -= iov->iov_len;
			iov++;
			cnt--;
		}
	}
	return 0;
}

int
io_open(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int
io_fsync(int fd)
{
	int rc;

	do
		rc = fsync(fd);
	while (rc < 0 && errno == EINTR);
	return rc;
}

void
io_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

bool
io_full(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

int
io_cloexec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int
io_nonblock(int fd, int on)
{
	int fl = fcntl(fd, F_GETFL);

	if (fl < 0)
		return -1;
	return fcntl(fd, F_SETFL, on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK);
}

int
io_slurp(const char *path, size_t max, struct arena *a, struct slice *out_r)
{
	/* O_NONBLOCK: a FIFO in its place is refused, not waited for. */
	int fd = io_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	int rc = -1;
	struct stat st;
	char *p;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	if ((uint64_t)st.st_size > max) {
		errno = EFBIG;
		goto out;
	}
	p = arena_alloc(a, (size_t)st.st_size + 1);
	if (io_read_full(fd, p, (size_t)st.st_size) < 0) {
		errno = errno == 0 ? EIO : errno;	/* it shrank */
		goto out;
	}
	*out_r = slice_make(p, (size_t)st.st_size);
	rc = 0;
out:
	io_close(&fd);
	return rc;
}

int
io_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? xstrdup(".") :
	    slash == path	  ? xstrdup("/") :
				    xstrndup(path, (size_t)(slash - path));
	int fd = io_open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), rc = -1;

	if (fd >= 0)
		rc = io_fsync(fd);
	io_close(&fd);
	xfree(dir);
	return rc;
}

int
io_replace(const char *path, struct slice data, mode_t mode)
{
	char *tmp = xasprintf("%s.tmp", path);
	int fd, rc = -1;

	if (unlink(tmp) < 0 && errno != ENOENT)
		goto out;
	fd = io_open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		goto out;
	if (io_write_full(fd, data.p, data.n) == 0 && fdatasync(fd) == 0 &&
	    rename(tmp, path) == 0)
		rc = io_sync_parent(path);
	else {
		int saved = errno;

		unlink(tmp);
		errno = saved;
	}
	io_close(&fd);
out:
	xfree(tmp);
	return rc;
}

int
io_mkdirs(const char *path, mode_t mode)
{
	char *copy = xstrdup(path);
	struct stat st;
	int rc = 0;

	for (char *p = copy + 1; copy[0] != '\0' && rc == 0; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			rc = -1;
		*p = c;
		if (c == '\0')
			break;
	}
	if (rc == 0 && (rc = stat(path, &st)) == 0 && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		rc = -1;
	}
	xfree(copy);
	return rc;
}
