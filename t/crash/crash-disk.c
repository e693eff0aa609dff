/* t/crash/crash-disk.c - system calls that fail, a lost page cache */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libstore/kv/be.h"
#include "libstore/kv/journal.h"
#include "libstore/kv/sys.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/crash/crash.h"

static _Thread_local bool failing;

/* Now and then a call fails, or does less than it was told to. */
static int
before(void *arg, enum sys_call c, int fd, size_t *n)
{
	(void)arg;
	(void)fd;
	if (!failing)
		return 0;
	switch (c) {
	case SYS_PWRITE:
		if (crash_rand(40) == 0) {
			*n = *n > 1 ? 1 + crash_rand((uint32_t)*n - 1) : *n;
			return 0;
		}
		if (crash_rand(60) != 0)
			return 0;
		errno = crash_rand(3) == 0 ? EIO : ENOSPC;
		return -1;
	case SYS_PREAD:
	case SYS_COPY:
	case SYS_RENAME:
	case SYS_TRUNCATE:
		if (crash_rand(100) != 0)
			return 0;
		errno = EIO;
		return -1;
	case SYS_FDATASYNC:
	case SYS_FSYNC:
		if (crash_rand(80) != 0)
			return 0;
		errno = EIO;
		return -1;
	default:
		return 0;
	}
}

static void
remember(uint64_t ino, uint64_t size)
{
	for (size_t i = 0; i < FILES; i++) {
		uint64_t none = 0;

		if (sh->file[i].ino == ino ||
		    atomic_compare_exchange_strong(&sh->file[i].ino, &none,
			ino)) {
			sh->file[i].size = size;
			return;
		}
	}
}

/* The account's files are locked while they are flushed, so that sizes come
 * in their order. */
static void
after(void *arg, enum sys_call c, int fd, uint64_t off)
{
	struct stat st;

	(void)arg;
	if (c == SYS_FDATASYNC && fstat(fd, &st) == 0)
		remember((uint64_t)st.st_ino, off);
}

void
disk_hook(void)
{
	static struct sys_hook hook = { .before = before, .after = after };

	sys_hook = &hook;
}

void
disk_fail(bool on)
{
	failing = on;
}

static uint64_t
flushed_size(uint64_t ino)
{
	for (size_t i = 0; i < FILES; i++)
		if (sh->file[i].ino == ino)
			return sh->file[i].size;
	return 0;
}

/* The last record was flushed before it was shown: maybe that is lost too. */
static void
hide_last(int fd, uint64_t size)
{
	uint64_t off = JOURNAL_HEAD, last = 0;
	char *p = xmalloc((size_t)size);
	struct record r;
	size_t need;

	if (io_pread_full(fd, p, (size_t)size, 0) == 0)
		while (off < size &&
		    record_decode(slice_make(p + off, (size_t)(size - off)), &r,
			&need) == 1) {
			last = off;
			off += r.len;
		}
	if (last != 0)
		(void)io_pwrite_full(fd, "\0\0\0\0", 4, (off_t)last);
	xfree(p);
}

/* Of what was not flushed all is lost, or some pages. */
static void
lose(int fd, uint64_t size, uint64_t end)
{
	static const char zero[4096];

	if (crash_rand(2) == 0) {
		if (ftruncate(fd, (off_t)size) < 0)
			crash_fault("ftruncate");
		return;
	}
	while (size < end) {
		uint64_t next = (size / 4096 + 1) * 4096;

		next = next < end ? next : end;
		if (crash_rand(2) == 0 &&
		    io_pwrite_full(fd, zero, (size_t)(next - size),
			(off_t)size) < 0)
			crash_fault("pwrite");
		size = next;
	}
}

void
disk_cut(void)
{
	bool hide = crash_rand(2) == 0;
	DIR *dir = opendir(crash_dir);
	struct dirent *d;
	struct stat st;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		bool journal = strcmp(d->d_name, "journal") == 0;
		uint64_t size;
		int fd;

		if (!journal && strncmp(d->d_name, "pack.", 5) != 0)
			continue;
		fd = openat(dirfd(dir), d->d_name, O_RDWR);
		if (fd < 0 || fstat(fd, &st) < 0)
			crash_fault("%s: %s", d->d_name, strerror(errno));
		size = flushed_size((uint64_t)st.st_ino);
		/* A file that nobody flushed was never named by a record. */
		if (size != 0 && size < (uint64_t)st.st_size)
			lose(fd, size, (uint64_t)st.st_size);
		if (journal && hide && size != 0)
			hide_last(fd, size < (uint64_t)st.st_size ? size :
			    (uint64_t)st.st_size);
		close(fd);
	}
	if (dir != NULL)
		closedir(dir);
}
