/* libstore/kv/sys.c - the engine's system calls, with a seam for tests */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libstore/kv/sys.h"

const struct sys_hook *sys_hook;

/* -1: the test wants this call to fail. */
static int
before(enum sys_call c, int fd, size_t *n)
{
	return sys_hook == NULL || sys_hook->before == NULL ? 0 :
	    sys_hook->before(sys_hook->arg, c, fd, n);
}

/* Again while it was interrupted before it did anything. */
#define RETRY(rc, call) \
	do \
		(rc) = (call); \
	while ((rc) < 0 && errno == EINTR)

static void
after(enum sys_call c, int fd, uint64_t off)
{
	if (sys_hook != NULL && sys_hook->after != NULL)
		sys_hook->after(sys_hook->arg, c, fd, off);
}

int
sys_openat(int dir, const char *name, int flags, mode_t mode)
{
	int fd;

	RETRY(fd, before(SYS_OPEN, dir, NULL) < 0 ? -1 :
		openat(dir, name, flags, mode));
	return fd;
}

ssize_t
sys_pread(int fd, void *p, size_t n, uint64_t off)
{
	size_t done = 0;

	while (done < n) {
		size_t want = n - done;
		ssize_t k = before(SYS_PREAD, fd, &want) < 0 ? -1 :
		    pread(fd, (char *)p + done, want, (off_t)(off + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		done += (size_t)k;
	}
	return (ssize_t)done;
}

int
sys_pwrite(int fd, const void *p, size_t n, uint64_t off)
{
	for (size_t done = 0; done < n;) {
		size_t want = n - done;
		ssize_t k = before(SYS_PWRITE, fd, &want) < 0 ? -1 :
		    pwrite(fd, (const char *)p + done, want,
			(off_t)(off + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		done += (size_t)k;
		after(SYS_PWRITE, fd, off + done);
	}
	return 0;
}

int
sys_pwritev(int fd, struct iovec *iov, int cnt, uint64_t off)
{
	while (cnt > 0) {
		int now = cnt < IOV_MAX ? cnt : IOV_MAX;
		size_t all = 0, want;
		ssize_t k;

		for (int i = 0; i < now; i++)
			all += iov[i].iov_len;
		want = all;
		if (before(SYS_PWRITE, fd, &want) < 0)
			k = -1;
		else if (want < all)	/* a test wants it short */
			k = pwrite(fd, iov->iov_base,
			    want < iov->iov_len ? want : iov->iov_len,
			    (off_t)off);
		else
			k = pwritev(fd, iov, now, (off_t)off);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		off += (uint64_t)k;
		after(SYS_PWRITE, fd, off);
		for (; cnt > 0 && (size_t)k >= iov->iov_len; iov++, cnt--)
			k -= (ssize_t)iov->iov_len;
		if (cnt > 0) {
			iov->iov_base = (char *)iov->iov_base + k;
			iov->iov_len -= (size_t)k;
		}
	}
	return 0;
}

static void
flushed(enum sys_call c, int fd)
{
	struct stat st;

	if (sys_hook != NULL && sys_hook->after != NULL && fstat(fd, &st) == 0)
		sys_hook->after(sys_hook->arg, c, fd, (uint64_t)st.st_size);
}

int
sys_fdatasync(int fd)
{
	int rc;

	/* An interrupted flush did nothing yet; others are never repeated. */
	RETRY(rc, before(SYS_FDATASYNC, fd, NULL) < 0 ? -1 : fdatasync(fd));
	if (rc == 0)
		flushed(SYS_FDATASYNC, fd);
	return rc;
}

int
sys_fsync(int fd)
{
	int rc;

	RETRY(rc, before(SYS_FSYNC, fd, NULL) < 0 ? -1 : fsync(fd));
	if (rc == 0)
		flushed(SYS_FSYNC, fd);
	return rc;
}

int
sys_truncate(int fd, uint64_t size)
{
	int rc;

	RETRY(rc, before(SYS_TRUNCATE, fd, NULL) < 0 ? -1 :
		ftruncate(fd, (off_t)size));
	if (rc == 0)
		after(SYS_TRUNCATE, fd, size);
	return rc;
}

int
sys_renameat(int dir, const char *from, const char *to)
{
	int rc;

	RETRY(rc, before(SYS_RENAME, dir, NULL) < 0 ? -1 :
		renameat(dir, from, dir, to));
	return rc;
}

static int
link_fd(int fd, int dir, const char *name)
{
	char self[40];

	if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST || errno == EXDEV || errno == ENOSPC ||
	    errno == EDQUOT)
		return -1;
	/* Older kernels want a capability for the form above. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW);
}

int
sys_link(int fd, int dir, const char *name)
{
	int rc;

	RETRY(rc, before(SYS_LINK, fd, NULL) < 0 ? -1 :
		link_fd(fd, dir, name));
	return rc;
}

int
sys_linkat(int dir, const char *from, const char *name)
{
	int rc;

	RETRY(rc, before(SYS_LINK, dir, NULL) < 0 ? -1 :
		linkat(dir, from, dir, name, 0));
	return rc;
}

int
sys_unlinkat(int dir, const char *name)
{
	int rc;

	RETRY(rc, before(SYS_UNLINK, dir, NULL) < 0 ? -1 :
		unlinkat(dir, name, 0));
	return rc;
}

int
sys_fstatat(int dir, const char *name, struct stat *st)
{
	int rc;

	RETRY(rc, before(SYS_STAT, dir, NULL) < 0 ? -1 :
		fstatat(dir, name, st, 0));
	return rc;
}

int
sys_fstat(int fd, struct stat *st)
{
	int rc;

	RETRY(rc, before(SYS_STAT, fd, NULL) < 0 ? -1 : fstat(fd, st));
	return rc;
}

int
sys_punch(int fd, uint64_t off, uint64_t n)
{
	int rc;

	RETRY(rc, before(SYS_FALLOCATE, fd, NULL) < 0 ? -1 :
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		    (off_t)off, (off_t)n));
	return rc;
}

int
sys_allocate(int fd, uint64_t n)
{
	int rc;

	RETRY(rc, before(SYS_FALLOCATE, fd, NULL) < 0 ? -1 :
		fallocate(fd, 0, 0, (off_t)n));
	return rc;
}

int
sys_writeback(int fd, uint64_t off, uint64_t n, bool wait)
{
	unsigned flags = SYNC_FILE_RANGE_WRITE;
	int rc;

	if (wait)
		flags |= SYNC_FILE_RANGE_WAIT_BEFORE |
		    SYNC_FILE_RANGE_WAIT_AFTER;
	RETRY(rc, before(SYS_WRITEBACK, fd, NULL) < 0 ? -1 :
		sync_file_range(fd, (off_t)off, (off_t)n, flags));
	/* Where there is no such thing the flush does it all. */
	return rc < 0 && (errno == ENOSYS || errno == EINVAL ||
			     errno == ESPIPE) ? 0 : rc;
}

int
sys_copy(int from, int to, uint64_t n)
{
	char buf[16 * 1024];
	loff_t in = 0, out = 0;

	while ((uint64_t)in < n) {
		ssize_t k;

		RETRY(k, before(SYS_COPY, to, NULL) < 0 ? -1 :
			copy_file_range(from, &in, to, &out,
			    (size_t)(n - (uint64_t)in), 0));
		if (k > 0)
			continue;
		if (k == 0 || (errno != EXDEV && errno != EINVAL &&
				  errno != EOPNOTSUPP && errno != ENOSYS)) {
			if (k == 0)
				errno = EIO;	/* it is shorter than it was */
			return -1;
		}
		k = sys_pread(from, buf, sizeof(buf), (uint64_t)in);
		if (k <= 0 || sys_pwrite(to, buf, (size_t)k, (uint64_t)out) < 0)
			return -1;
		in += k;
		out += k;
	}
	return 0;
}

int
sys_lock(int fd, int type, uint64_t octet)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET,
		.l_start = (off_t)octet, .l_len = 1 };

	int rc;

	RETRY(rc, before(SYS_LOCK, fd, NULL) < 0 ? -1 :
		fcntl(fd, F_OFD_SETLK, &fl));
	return rc < 0 && (errno == EAGAIN || errno == EACCES) ? 1 : rc;
}

int
sys_flock(int fd)
{
	int rc;

	RETRY(rc, before(SYS_LOCK, fd, NULL) < 0 ? -1 :
		flock(fd, LOCK_EX | LOCK_NB));
	return rc < 0 && errno == EWOULDBLOCK ? 1 : rc;
}

int
sys_db(void)
{
	int rc;

	RETRY(rc, before(SYS_DB, -1, NULL));
	return rc;
}
