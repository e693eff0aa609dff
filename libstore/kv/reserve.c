/* libstore/kv/reserve.c - space that is kept for deleting on a full disk */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/sys.h"

/* One for all accounts beside each other. */
static const char name[] = "../.reserve";

/* What is added leaves this free: else it would fill the place of the reserve
 * before those who delete have had it. */
enum { KEEP_FREE = 2 * RESERVE_SIZE };

bool
reserve_release(struct bdb_kv *b)
{
	int e = errno;

	if (sys_unlinkat(b->dirfd, name) < 0) {
		errno = e;	/* what the reserve was wanted for */
		return false;
	}
	log_warn("%s: the disk is full; the reserve is used", b->kv.dir);
	return true;
}

bool
kv_room(int fd, uint64_t n)
{
	struct statvfs vfs;

	return fstatvfs(fd, &vfs) < 0 ||
	    (uint64_t)vfs.f_bavail * vfs.f_frsize >= n + KEEP_FREE;
}

void
reserve_restore(struct bdb_kv *b)
{
	struct stat st;
	int fd;

	if (sys_fstatat(b->dirfd, name, &st) == 0 || errno != ENOENT)
		return;
	if (!kv_room(b->dirfd, 2 * RESERVE_SIZE))
		return;
	fd = sys_openat(b->dirfd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;		/* not ours to write; or another was faster */
	if (sys_allocate(fd, RESERVE_SIZE) < 0)
		(void)sys_unlinkat(b->dirfd, name);
	io_close(&fd);
}
