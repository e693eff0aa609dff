/* libstore/kv/sys.h - the engine's system calls, with a seam for tests */
#ifndef STORE_KV_SYS_H
#define STORE_KV_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * Every system call by which the engine reads or changes files goes through
 * here.  A test sets sys_hook and so makes any of them fail, or do less, or
 * learns what was flushed.  In production the hook is NULL.
 */
enum sys_call {
	SYS_OPEN, SYS_PREAD, SYS_PWRITE, SYS_FDATASYNC, SYS_FSYNC, SYS_TRUNCATE,
	SYS_RENAME, SYS_LINK, SYS_UNLINK, SYS_STAT, SYS_FALLOCATE, SYS_LOCK,
	SYS_COPY, SYS_DB, SYS_WRITEBACK, SYS_CALLS
};

struct sys_hook {
	/* 0: go on (with *n octets where the call has a length), or -1: fail
	 * with the errno set here. */
	int (*before)(void *arg, enum sys_call c, int fd, size_t *n);
	/* After a call that succeeded; off is the end of what was written, or
	 * the new size. */
	void (*after)(void *arg, enum sys_call c, int fd, uint64_t off);
	void *arg;
	/* A failed flush is STORE_E_UNKNOWN, and doesn't end the process. */
	bool survive;
	/* Blobs over this have a pack of their own; 0: as usual. */
	uint64_t own_pack;
	/* A pack of this length is full; 0: as usual. */
	uint64_t pack_limit;
};
extern const struct sys_hook *sys_hook;

/* As the system calls, but EINTR is retried, and short transfers are carried
 * on: n octets or -1.  pread: fewer than n only at the end of the file. */
int sys_openat(int dir, const char *name, int flags, mode_t mode);
ssize_t sys_pread(int fd, void *p, size_t n, uint64_t off);
int sys_pwritev(int fd, struct iovec *iov, int cnt, uint64_t off);
int sys_pwrite(int fd, const void *p, size_t n, uint64_t off);
int sys_fdatasync(int fd);
int sys_fsync(int fd);
int sys_truncate(int fd, uint64_t size);
int sys_renameat(int dir, const char *from, const char *to);
/* Gives the unnamed or named file fd a name. */
int sys_link(int fd, int dir, const char *name);
/* Gives a file of the directory another name. */
int sys_linkat(int dir, const char *from, const char *name);
int sys_unlinkat(int dir, const char *name);
int sys_fstatat(int dir, const char *name, struct stat *st);
int sys_fstat(int fd, struct stat *st);
/* Frees the blocks of [off, off + n); -1, EOPNOTSUPP where that can't be. */
int sys_punch(int fd, uint64_t off, uint64_t n);
int sys_allocate(int fd, uint64_t n);
/* Begins to write these octets to the disk; wait: until they are there.  No
 * flush, which only has less to do then.  -1: they can't be written, which a
 * flush may not tell again. */
int sys_writeback(int fd, uint64_t off, uint64_t n, bool wait);
/* Octets [0, n) of from to the empty file to. */
int sys_copy(int from, int to, uint64_t n);
/* Takes (type F_WRLCK) or gives back (F_UNLCK) one octet's lock of the open
 * file, without waiting: 1 if another has it. */
int sys_lock(int fd, int type, uint64_t octet);
/* flock() of the open file or directory, without waiting: 1 if another has it. */
int sys_flock(int fd);
/* Before a call into Berkeley DB that writes. */
int sys_db(void);

#endif
