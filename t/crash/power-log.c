/* t/crash/power-log.c - the system calls that change files, recorded */
#include "config.h"

/* The functions below are libc's. */
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libbase/xalloc.h"
#include "t/crash/power.h"

/*
 * Defined here, they are what the engine and also Berkeley DB call.  Flushes
 * are recorded and not done, which is most of the time that they would take.
 */

#define NOWHERE UINT32_MAX

struct power_fate fate;
static struct power_log *rec;
static bool inside;		/* meanwhile() is at it */

struct power_log *
power_log_new(void)
{
	void *p = mmap(NULL, sizeof(struct power_log), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool
power_full(const struct power_log *l)
{
	return l->n + 3000 > POWER_EVENTS || l->n_nodes + 200 > POWER_NODES ||
	    l->n_data + 32 * 1024 * 1024 > POWER_DATA;
}

/* ---- which file --------------------------------------------------------- */

static uint32_t
node_of(const struct stat *st)
{
	/* An inode's number may come again: the newest counts. */
	for (uint32_t i = rec->n_nodes; i-- > 0;)
		if (rec->node[i].ino == st->st_ino &&
		    rec->node[i].dev == st->st_dev)
			return i;
	return NOWHERE;
}

static uint32_t
node_new(const struct stat *st)
{
	struct node *n = &rec->node[rec->n_nodes];

	*n = (struct node){ .dev = st->st_dev, .ino = st->st_ino,
		.dir = S_ISDIR(st->st_mode) };
	return rec->n_nodes++;
}

static uint32_t
node_of_fd(int fd)
{
	struct stat st;

	return rec == NULL || fstat(fd, &st) < 0 ? NOWHERE : node_of(&st);
}

/* The directory that a path's last component is in, and that component. */
static uint32_t
node_of_parent(int dirfd, const char *path, const char **name_r)
{
	const char *slash = strrchr(path, '/');
	char parent[400];
	struct stat st;

	if (rec == NULL)
		return NOWHERE;
	*name_r = slash == NULL ? path : slash + 1;
	snprintf(parent, sizeof(parent), "%.*s",
	    slash == NULL ? 1 : (int)(slash - path + 1),
	    slash == NULL ? "." : path);
	return fstatat(dirfd, parent, &st, 0) < 0 ? NOWHERE : node_of(&st);
}

/* ---- the log ------------------------------------------------------------ */

static struct event *
add(enum power_kind k, uint32_t node)
{
	struct event *e = &rec->ev[rec->n];

	memset(e, 0, sizeof(*e));
	e->kind = k;
	e->node = node;
	rec->n++;
	return e;
}

static void
add_write(uint32_t node, const void *p, size_t n, uint64_t off)
{
	struct event *e = add(EV_WRITE, node);

	e->off = off;
	e->n = n;
	e->data = rec->n_data;
	memcpy(rec->data + rec->n_data, p, n);
	rec->n_data += n;
}

static void
add_link(uint32_t dir, const char *name, uint32_t node)
{
	struct event *e = add(EV_LINK, node);

	e->dir = dir;
	snprintf(e->name, sizeof(e->name), "%.39s", name);
}

void
power_mark(enum power_kind k, uint32_t txn)
{
	if (rec != NULL)
		add(k, NOWHERE)->txn = txn;
}

/* Before an effect. */
static void
step(void)
{
	if (inside)
		return;
	if (fate.die_in > 0 && --fate.die_in == 0)
		_exit(9);
	if (fate.meanwhile != NULL) {
		int e = errno;

		inside = true;
		fate.meanwhile();
		inside = false;
		errno = e;
	}
}

static bool
fails(uint32_t odds, int e)
{
	if (!fate.failing || inside || power_rand(odds) != 0)
		return false;
	errno = e;
	return true;
}

static void snapshot(int dirfd, uint32_t node);

static void
snapshot_entry(int dirfd, uint32_t dir, const char *name)
{
	static char buf[65536];
	struct stat st;
	uint64_t off = 0;
	uint32_t node;
	ssize_t n;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		power_fault("snapshot: %s: %s", name, strerror(errno));
		return;
	}
	node = node_new(&st);
	add_link(dir, name, node);
	if (S_ISDIR(st.st_mode)) {
		snapshot(fd, node);
		return;
	}
	while ((n = pread(fd, buf, sizeof(buf), (off_t)off)) > 0) {
		add_write(node, buf, (size_t)n, off);
		off += (uint64_t)n;
	}
	(void)add(EV_FLUSH, node);
	close(fd);
}

/* Takes the descriptor. */
static void
snapshot(int dirfd, uint32_t node)
{
	DIR *dir = fdopendir(dirfd);
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			snapshot_entry(dirfd, node, d->d_name);
	(void)add(EV_FLUSH, node);
	if (dir != NULL)
		closedir(dir);
}

void
power_record(struct power_log *l, const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	l->n = l->n_nodes = 0;
	l->n_data = 0;
	if (fd < 0 || fstat(fd, &st) < 0) {
		power_fault("%s: %s", root, strerror(errno));
		return;
	}
	rec = l;
	snapshot(fd, node_new(&st));
}

void
power_stop(void)
{
	rec = NULL;
}

/* ---- calls on files ----------------------------------------------------- */

int
openat(int dirfd, const char *path, int flags, ...)
{
	const char *name = NULL;
	uint32_t dir = NOWHERE;
	bool fresh = false;
	mode_t mode = 0;
	struct stat st;
	va_list ap;
	int fd;

	va_start(ap, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (rec != NULL && (flags & (O_CREAT | O_TRUNC))) {
		dir = node_of_parent(dirfd, path, &name);
		fresh = fstatat(dirfd, path, &st, 0) < 0;
		step();
	}
	fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
	if (fd < 0 || rec == NULL || fstat(fd, &st) < 0)
		return fd;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		(void)node_new(&st);
	else if (dir != NOWHERE && fresh)
		add_link(dir, name, node_new(&st));
	else if ((flags & O_TRUNC) && node_of(&st) != NOWHERE)
		(void)add(EV_SIZE, node_of(&st));
	return fd;
}

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int cnt, off_t off)
{
	uint32_t node = node_of_fd(fd);
	size_t all = 0, max = SIZE_MAX;

	if (node == NOWHERE)
		return syscall(SYS_pwritev, fd, iov, cnt, off, 0L);
	step();
	if (fails(120, ENOSPC))
		return -1;
	if (fails(60, 0))
		max = power_rand(3000) + 1;
	for (int i = 0; i < cnt && max > 0; i++) {
		size_t n = iov[i].iov_len < max ? iov[i].iov_len : max;
		ssize_t k = syscall(SYS_pwrite64, fd, iov[i].iov_base, n,
		    off + (off_t)all);

		if (k < 0)
			return all > 0 ? (ssize_t)all : -1;
		if (k > 0)
			add_write(node, iov[i].iov_base, (size_t)k,
			    (uint64_t)off + all);
		all += (size_t)k;
		max -= (size_t)k;
		if ((size_t)k < n)
			break;
	}
	return (ssize_t)all;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t off)
{
	struct iovec iov = { .iov_len = n };

	memcpy(&iov.iov_base, &p, sizeof(p));
	return pwritev(fd, &iov, 1, off);
}

ssize_t
writev(int fd, const struct iovec *iov, int cnt)
{
	off_t off;
	ssize_t k;

	if (node_of_fd(fd) == NOWHERE)
		return syscall(SYS_writev, fd, iov, cnt);
	off = lseek(fd, 0, SEEK_CUR);
	k = pwritev(fd, iov, cnt, off);
	if (k > 0)
		(void)lseek(fd, off + k, SEEK_SET);
	return k;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	struct iovec iov = { .iov_len = n };

	memcpy(&iov.iov_base, &p, sizeof(p));
	return writev(fd, &iov, 1);
}

int
ftruncate(int fd, off_t size)
{
	uint32_t node = node_of_fd(fd);
	int rc;

	if (node != NOWHERE) {
		step();
		if (fails(40, EIO))
			return -1;
	}
	rc = (int)syscall(SYS_ftruncate, fd, size);
	if (rc == 0 && node != NOWHERE)
		add(EV_SIZE, node)->n = (uint64_t)size;
	return rc;
}

int
fallocate(int fd, int mode, off_t off, off_t n)
{
	uint32_t node = node_of_fd(fd);
	struct event *e;
	struct stat st;
	int rc;

	if (node != NOWHERE)
		step();
	rc = (int)syscall(SYS_fallocate, fd, mode, off, n);
	if (rc < 0 || node == NOWHERE)
		return rc;
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		e = add(EV_PUNCH, node);
		e->off = (uint64_t)off;
		e->n = (uint64_t)n;
	} else if (fstat(fd, &st) == 0)
		add(EV_SIZE, node)->n = (uint64_t)st.st_size;
	return rc;
}

ssize_t
copy_file_range(int from, off64_t *in, int to, off64_t *out, size_t n,
    unsigned flags)
{
	uint32_t node = node_of_fd(to);
	char buf[8192];
	ssize_t k;

	if (node == NOWHERE)
		return syscall(SYS_copy_file_range, from, in, to, out, n,
		    flags);
	k = pread(from, buf, n < sizeof(buf) ? n : sizeof(buf), *in);
	if (k > 0 && (k = pwrite(to, buf, (size_t)k, *out)) > 0) {
		*in += k;
		*out += k;
	}
	return k;
}

static int
flush(int fd)
{
	uint32_t node = node_of_fd(fd);

	if (node == NOWHERE)
		return 0;
	step();
	if (fails(20, EIO)) {
		(void)add(EV_FLUSH_FAILED, node);
		return -1;
	}
	(void)add(EV_FLUSH, node);
	return 0;
}

int
fsync(int fd)
{
	return flush(fd);
}

int
fdatasync(int fd)
{
	return flush(fd);
}

/* ---- calls on names ----------------------------------------------------- */

int
renameat2(int fromfd, const char *from, int tofd, const char *to,
    unsigned flags)
{
	const char *old = NULL, *new = NULL;
	uint32_t dir = node_of_parent(fromfd, from, &old);
	uint32_t dir2 = node_of_parent(tofd, to, &new);
	struct event *e;
	struct stat st;
	int rc;

	if (dir != NOWHERE) {
		step();
		if (fails(40, EIO))
			return -1;
	}
	rc = (int)syscall(SYS_renameat2, fromfd, from, tofd, to, flags);
	if (rc < 0 || dir == NOWHERE)
		return rc;
	if (dir != dir2 || fstatat(tofd, to, &st, 0) < 0) {
		power_fault("rename %s %s: not modelled", from, to);
		return rc;
	}
	e = add(EV_RENAME, node_of(&st));
	e->dir = dir;
	snprintf(e->name, sizeof(e->name), "%.39s", old);
	snprintf(e->to, sizeof(e->to), "%.39s", new);
	return rc;
}

int
renameat(int fromfd, const char *from, int tofd, const char *to)
{
	return renameat2(fromfd, from, tofd, to, 0);
}

int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
linkat(int fromfd, const char *from, int tofd, const char *to, int flags)
{
	const char *name = NULL;
	uint32_t dir = node_of_parent(tofd, to, &name);
	struct stat st;
	int rc;

	if (dir != NOWHERE)
		step();
	rc = (int)syscall(SYS_linkat, fromfd, from, tofd, to, flags);
	if (rc == 0 && dir != NOWHERE && fstatat(tofd, to, &st, 0) == 0)
		add_link(dir, name, node_of(&st));
	return rc;
}

int
unlinkat(int dirfd, const char *path, int flags)
{
	const char *name = NULL;
	uint32_t dir = node_of_parent(dirfd, path, &name);
	struct event *e;
	int rc;

	if (dir != NOWHERE)
		step();
	rc = (int)syscall(SYS_unlinkat, dirfd, path, flags);
	if (rc == 0 && dir != NOWHERE) {
		e = add(EV_UNLINK, NOWHERE);
		e->dir = dir;
		snprintf(e->name, sizeof(e->name), "%.39s", name);
	}
	return rc;
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int
mkdirat(int dirfd, const char *path, mode_t mode)
{
	const char *name = NULL;
	uint32_t dir = node_of_parent(dirfd, path, &name);
	struct stat st;
	int rc;

	if (dir != NOWHERE)
		step();
	rc = (int)syscall(SYS_mkdirat, dirfd, path, mode);
	if (rc == 0 && dir != NOWHERE && fstatat(dirfd, path, &st, 0) == 0)
		add_link(dir, name, node_new(&st));
	return rc;
}

int
mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}
