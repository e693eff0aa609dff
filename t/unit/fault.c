/* t/unit/fault.c - makes the nth system call of this process fail */
#include "config.h"

/* Its inline functions would be in the way. */
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "t/unit/fault.h"

struct fault fault;
unsigned long fault_free;

#define BIT(c) (1U << (c))

/* What an error may be the answer of. */
static unsigned
classes(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return BIT(FC_CREATE) | BIT(FC_WRITE) | BIT(FC_FLUSH) |
		    BIT(FC_NAME) | BIT(FC_CHANGE);
	case EIO:
		return ~(BIT(FC_LOCK) | BIT(FC_WATCH));
	case EMFILE:
	case ENFILE:
		return BIT(FC_OPEN) | BIT(FC_CREATE) | BIT(FC_DIR) | BIT(FC_WATCH);
	case ENOMEM:
		return ~(BIT(FC_READ) | BIT(FC_WRITE) | BIT(FC_FLUSH) |
		    BIT(FC_CHANGE));
	case EINTR:
		return BIT(FC_OPEN) | BIT(FC_CREATE) | BIT(FC_READ) |
		    BIT(FC_WRITE) | BIT(FC_FLUSH) | BIT(FC_CHANGE) | BIT(FC_LOCK);
	case FAULT_FLUSH:
		return BIT(FC_FLUSH);
	case FAULT_SHORT:
		return BIT(FC_READ) | BIT(FC_WRITE);
	default:
		return 0;
	}
}

/*
 * Berkeley DB gives up where a call is interrupted.  With files of a local file
 * system none ever is.
 */
static bool
is_db(void *caller)
{
	Dl_info from;

	/* Its library may be a static one. */
	return dladdr(caller, &from) != 0 &&
	    (strstr(from.dli_fname, "libdb-") != NULL ||
		(from.dli_sname != NULL &&
		    strncmp(from.dli_sname, "__os_", 5) == 0));
}

#define turn(c, what, n) turn_of(c, what, n, __builtin_return_address(0))

/* Is it this call's turn?  n: its length, NULL if it has none. */
static bool
turn_of(enum fault_class c, const char *what, size_t *n, void *caller)
{
	if (!fault.on || !(classes(fault.err) & BIT(c)))
		return false;
	if (fault.err == FAULT_SHORT && (n == NULL || *n < 2))
		return false;
	if (fault.err == EINTR && is_db(caller))
		return false;
	fault.seen++;
	if (fault.at == 0 || fault.seen < fault.at ||
	    (fault.seen > fault.at && !fault.stays))
		return false;
	if (fault.hits++ == 0)
		fault.what = what;
	if (fault.err == FAULT_SHORT) {
		*n /= 2;
		return false;
	}
	/* Locks have an error of their own for this. */
	errno = c == FC_LOCK && fault.err == ENOMEM ? ENOLCK :
	    fault.err == FAULT_FLUSH		    ? EIO :
						      fault.err;
	return true;
}

void
fault_arm(int err, unsigned at, bool stays)
{
	fault = (struct fault){ .err = err, .at = at, .stays = stays };
}

unsigned
fault_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		(void)closedir(d);
	return n;
}

/* The function that would be called without us. */
#define REAL(ret, name, ...)                                                \
	static ret (*real)(__VA_ARGS__);                                    \
	if (real == NULL) {                                                 \
		void *sym = dlsym(RTLD_NEXT, #name);                        \
		memcpy(&real, &sym, sizeof(real));                          \
	}

/* ---- opening ------------------------------------------------------------ */

static enum fault_class
open_class(int flags)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 &&
	    (flags & (O_CREAT | O_TMPFILE)) != O_DIRECTORY ? FC_CREATE : FC_OPEN;
}

int
open(const char *path, int flags, ...)
{
	REAL(int, open, const char *, int, ...)
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return turn(open_class(flags), "open", NULL) ? -1 :
	    real(path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
	REAL(int, openat, int, const char *, int, ...)
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return turn(open_class(flags), "openat", NULL) ? -1 :
	    real(dir, path, flags, mode);
}

int
mkostemp(char *template, int flags)
{
	REAL(int, mkostemp, char *, int)
	return turn(FC_CREATE, "mkostemp", NULL) ? -1 : real(template, flags);
}

DIR *
opendir(const char *path)
{
	REAL(DIR *, opendir, const char *)
	return turn(FC_DIR, "opendir", NULL) ? NULL : real(path);
}

DIR *
fdopendir(int fd)
{
	REAL(DIR *, fdopendir, int)
	/* It makes no new descriptor. */
	if ((fault.err == ENOMEM || fault.err == EIO) &&
	    turn(FC_DIR, "fdopendir", NULL))
		return NULL;
	return real(fd);
}

struct dirent *
readdir(DIR *d)
{
	REAL(struct dirent *, readdir, DIR *)
	if (fault.err == EIO && turn(FC_DIR, "readdir", NULL))
		return NULL;
	return real(d);
}

/* ---- reading and writing ------------------------------------------------ */

ssize_t
read(int fd, void *p, size_t n)
{
	REAL(ssize_t, read, int, void *, size_t)
	return turn(FC_READ, "read", &n) ? -1 : real(fd, p, n);
}

ssize_t
pread(int fd, void *p, size_t n, off_t off)
{
	REAL(ssize_t, pread, int, void *, size_t, off_t)
	return turn(FC_READ, "pread", &n) ? -1 : real(fd, p, n, off);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	REAL(ssize_t, write, int, const void *, size_t)
	return turn(FC_WRITE, "write", &n) ? -1 : real(fd, p, n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t off)
{
	REAL(ssize_t, pwrite, int, const void *, size_t, off_t)
	return turn(FC_WRITE, "pwrite", &n) ? -1 : real(fd, p, n, off);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int cnt, off_t off)
{
	REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t)
	size_t n = 0, want;

	for (int i = 0; i < cnt; i++)
		n += iov[i].iov_len;
	want = n;
	if (turn(FC_WRITE, "pwritev", &want))
		return -1;
	if (want < n)
		return real(fd, iov, 1, off);
	return real(fd, iov, cnt, off);
}

ssize_t
copy_file_range(int in, off64_t *in_off, int out, off64_t *out_off, size_t n,
    unsigned flags)
{
	REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t,
	    unsigned)
	return turn(FC_WRITE, "copy_file_range", &n) ? -1 :
	    real(in, in_off, out, out_off, n, flags);
}

int
fdatasync(int fd)
{
	REAL(int, fdatasync, int)
	return turn(FC_FLUSH, "fdatasync", NULL) ? -1 : real(fd);
}

int
fsync(int fd)
{
	REAL(int, fsync, int)
	return turn(FC_FLUSH, "fsync", NULL) ? -1 : real(fd);
}

int
ftruncate(int fd, off_t n)
{
	REAL(int, ftruncate, int, off_t)
	/* A file that becomes shorter wants no space. */
	if (fault.err != ENOSPC && fault.err != EDQUOT && fault.err != EFBIG &&
	    turn(FC_CHANGE, "ftruncate", NULL))
		return -1;
	return real(fd, n);
}

int
fallocate(int fd, int mode, off_t off, off_t n)
{
	REAL(int, fallocate, int, int, off_t, off_t)
	return turn(FC_CHANGE, "fallocate", NULL) ? -1 : real(fd, mode, off, n);
}

void *
mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	/* Sanitizers map memory before there can be a dlsym(). */
#ifdef SYS_mmap2
	enum { CALL = SYS_mmap2, UNIT = 4096 };
#else
	enum { CALL = SYS_mmap, UNIT = 1 };
#endif
	if (fd >= 0 && turn(FC_MAP, "mmap", NULL))
		return MAP_FAILED;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	return (void *)syscall(CALL, at, n, prot, flags, fd, off / UNIT);
}

/* ---- names -------------------------------------------------------------- */

int
mkdir(const char *path, mode_t mode)
{
	REAL(int, mkdir, const char *, mode_t)
	return turn(FC_NAME, "mkdir", NULL) ? -1 : real(path, mode);
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
	REAL(int, mkdirat, int, const char *, mode_t)
	return turn(FC_NAME, "mkdirat", NULL) ? -1 : real(dir, path, mode);
}

int
rename(const char *from, const char *to)
{
	REAL(int, rename, const char *, const char *)
	return turn(FC_NAME, "rename", NULL) ? -1 : real(from, to);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	REAL(int, renameat, int, const char *, int, const char *)
	return turn(FC_NAME, "renameat", NULL) ? -1 :
	    real(from_dir, from, to_dir, to);
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
    unsigned flags)
{
	REAL(int, renameat2, int, const char *, int, const char *, unsigned)
	return turn(FC_NAME, "renameat2", NULL) ? -1 :
	    real(from_dir, from, to_dir, to, flags);
}

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	REAL(int, linkat, int, const char *, int, const char *, int)
	return turn(FC_NAME, "linkat", NULL) ? -1 :
	    real(from_dir, from, to_dir, to, flags);
}

int
unlink(const char *path)
{
	REAL(int, unlink, const char *)
	return turn(FC_NAME, "unlink", NULL) ? -1 : real(path);
}

int
unlinkat(int dir, const char *path, int flags)
{
	REAL(int, unlinkat, int, const char *, int)
	return turn(FC_NAME, "unlinkat", NULL) ? -1 : real(dir, path, flags);
}

int
stat(const char *restrict path, struct stat *restrict st)
{
	REAL(int, stat, const char *, struct stat *)
	return turn(FC_STAT, "stat", NULL) ? -1 : real(path, st);
}

int
fstat(int fd, struct stat *st)
{
	REAL(int, fstat, int, struct stat *)
	return turn(FC_STAT, "fstat", NULL) ? -1 : real(fd, st);
}

int
fstatat(int dir, const char *restrict path, struct stat *restrict st,
    int flags)
{
	REAL(int, fstatat, int, const char *, struct stat *, int)
	return turn(FC_STAT, "fstatat", NULL) ? -1 : real(dir, path, st, flags);
}

int
access(const char *path, int mode)
{
	REAL(int, access, const char *, int)
	return turn(FC_STAT, "access", NULL) ? -1 : real(path, mode);
}

/* ---- the others --------------------------------------------------------- */

int
fcntl(int fd, int cmd, ...)
{
	REAL(int, fcntl, int, int, ...)
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((cmd == F_OFD_SETLK || cmd == F_SETLK) &&
	    turn(FC_LOCK, "fcntl", NULL))
		return -1;
	if (cmd == F_NOTIFY && fault.err == ENOMEM &&
	    turn(FC_WATCH, "fcntl", NULL))
		return -1;
	return real(fd, cmd, arg);
}

int
fstatvfs(int fd, struct statvfs *v)
{
	REAL(int, fstatvfs, int, struct statvfs *)
	int rc = turn(FC_STAT, "fstatvfs", NULL) ? -1 : real(fd, v);

	if (rc == 0 && fault_free != 0)
		v->f_bavail = fault_free / v->f_frsize;
	return rc;
}

int
flock(int fd, int op)
{
	REAL(int, flock, int, int)
	return turn(FC_LOCK, "flock", NULL) ? -1 : real(fd, op);
}

int
inotify_init1(int flags)
{
	REAL(int, inotify_init1, int)
	return turn(FC_WATCH, "inotify_init1", NULL) ? -1 : real(flags);
}

int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	REAL(int, inotify_add_watch, int, const char *, uint32_t)
	if ((fault.err == ENOMEM || fault.err == ENOSPC) &&
	    turn(FC_WATCH, "inotify_add_watch", NULL))
		return -1;
	return real(fd, path, mask);
}

int
signalfd(int fd, const sigset_t *mask, int flags)
{
	REAL(int, signalfd, int, const sigset_t *, int)
	return turn(FC_WATCH, "signalfd", NULL) ? -1 : real(fd, mask, flags);
}
