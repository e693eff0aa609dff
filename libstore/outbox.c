/*
 * libstore/outbox.c - accounts that have something to send
 *
 * mail_dir/.outbox/ACCOUNT, an empty file, is there before a submission is, and
 * its time of change is when the first one is due, or before.  Whoever sends
 * an account's submissions holds a lock on that file.  The submissions are
 * rows; the file is a hint: it may be there without any.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

#define OUTBOX ".outbox"
enum { LOCK_TRIES = 10 };

struct store_outbox {
	struct store *st;
	int fd;			/* the lock; -1: an engine without files */
};

static int
sys_rc(int e)
{
	return io_full(e) ? STORE_E_NOSPACE : STORE_E_IO;
}

static char *
hint_path(const struct store *st)
{
	return xasprintf("%s/" OUTBOX "/%s", st->cf->mail_dir, st->name);
}

static int
flush_dir(const char *path)
{
	int fd = io_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return sys_rc(errno);
	rc = io_fsync(fd) < 0 ? sys_rc(errno) : 0;
	io_close(&fd);
	return rc;
}

/* The directory, durably; 0 also if it is there. */
static int
make_dir(const struct store *st)
{
	char *path = xasprintf("%s/" OUTBOX, st->cf->mail_dir);
	int rc = 0;

	if (mkdir(path, 0700) == 0)
		rc = flush_dir(st->cf->mail_dir);
	else if (errno != EEXIST)
		rc = sys_rc(errno);
	xfree(path);
	return rc;
}

/* The file, durably. */
static int
hint_open(const struct store *st, int *fd_r)
{
	char *path = hint_path(st), *dir;
	int fd, rc = 0;

	fd = io_open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT && (rc = make_dir(st)) == 0) {
		fd = io_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
		if (fd >= 0) {
			dir = xasprintf("%s/" OUTBOX, st->cf->mail_dir);
			rc = flush_dir(dir);
			xfree(dir);
		}
	}
	if (fd < 0 && rc == 0)
		rc = sys_rc(errno);
	xfree(path);
	if (rc < 0 && fd >= 0)
		io_close(&fd);
	*fd_r = fd;
	return rc;
}

static int
set_due(int fd, int64_t due)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)due } };

	return futimens(fd, t) < 0 ? sys_rc(errno) : 0;
}

int
outbox_hint(struct store *st, int64_t due)
{
	struct stat sb;
	bool later;
	int fd, rc;

	if (!store_conf_files(st->cf))
		return 0;
	if ((rc = hint_open(st, &fd)) < 0)
		return store_fail(st, rc, OUTBOX "/%s can't be made",
		    st->name);
	/* A new file's time is now, which is never too late but for a
	 * moment; only what is earlier matters. */
	later = fstat(fd, &sb) < 0 || (int64_t)sb.st_mtim.tv_sec > due;
	if (later)
		/* Durable, for a row that is due before the time it has. */
		rc = set_due(fd, due);
	if (rc == 0 && later && io_fsync(fd) < 0)
		rc = sys_rc(errno);
	io_close(&fd);
	return rc < 0 ? store_fail(st, rc, OUTBOX "/%s can't be changed",
	    st->name) : 0;
}

/* ---- holding it -------------------------------------------------------- */

/* Does the path still name that file? */
static bool
is_there(const struct store *st, int fd)
{
	char *path = hint_path(st);
	struct stat a, b;
	bool same;

	same = fstat(fd, &a) == 0 && fstatat(AT_FDCWD, path, &b,
	    AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev;
	xfree(path);
	return same;
}

static int
lock(struct store *st, int *fd_r)
{
	int rc;

	for (int i = 0; i < LOCK_TRIES; i++) {
		if ((rc = hint_open(st, fd_r)) < 0)
			return rc;
		if (flock(*fd_r, LOCK_EX | LOCK_NB) < 0) {
			rc = errno == EWOULDBLOCK ? STORE_E_BUSY :
			    sys_rc(errno);
			io_close(fd_r);
			return rc;
		}
		if (is_there(st, *fd_r))
			return 0;
		io_close(fd_r);
	}
	return STORE_E_BUSY;
}

int
store_outbox_open(struct store *st, struct store_outbox **o_r)
{
	struct store_outbox *o;
	int fd = -1, rc;

	if (store_conf_files(st->cf) && (rc = lock(st, &fd)) < 0)
		return rc == STORE_E_BUSY ? rc : store_fail(st, rc,
		    OUTBOX "/%s can't be locked", st->name);
	o = xcalloc(1, sizeof(*o));
	o->st = st;
	o->fd = fd;
	*o_r = o;
	return 0;
}

void
store_outbox_close(struct store_outbox **o)
{
	if (*o == NULL)
		return;
	io_close(&(*o)->fd);
	xfree(*o);
	*o = NULL;
}

static int
by_try(const void *va, const void *vb)
{
	const struct store_submission *a = va, *b = vb;

	if (a->next_try != b->next_try)
		return a->next_try < b->next_try ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

int
store_outbox_list(struct store_outbox *o, struct arena *a,
    struct store_submission **v_r, size_t *n_r)
{
	int rc;

	if ((rc = store_refresh(o->st)) < 0 ||
	    (rc = submissions_read(o->st, a, true, v_r, n_r)) < 0)
		return rc;
	if (*n_r > 1)
		qsort(*v_r, *n_r, sizeof(**v_r), by_try);
	return 0;
}

int
store_outbox_commit(struct store_outbox *o, uint64_t id)
{
	return submission_commit(o->st, id);
}

int
store_outbox_done(struct store_outbox *o, const struct store_submission *v)
{
	return submission_done(o->st, v);
}

/*
 * Who enters something makes the file before the row and once more after it, so
 * a row that isn't seen here gets its file again.
 */
int
store_outbox_settle(struct store_outbox *o)
{
	struct store_submission *v;
	struct arena *a = arena_new(0);
	char *path;
	size_t n;
	int rc;

	if ((rc = store_outbox_list(o, a, &v, &n)) == 0 && o->fd >= 0) {
		if (n > 0) {
			rc = set_due(o->fd, v[0].next_try);
		} else {
			path = hint_path(o->st);
			(void)unlink(path);
			xfree(path);
		}
		/* What came meanwhile. */
		arena_reset(a);
		if (rc == 0 &&
		    (rc = store_outbox_list(o, a, &v, &n)) == 0 && n > 0)
			rc = outbox_hint(o->st, v[0].next_try);
	}
	arena_free(&a);
	return rc;
}

/* ---- all accounts ------------------------------------------------------ */

static bool
is_due(int dir, const char *name, int64_t now)
{
	struct stat sb;

	return store_account_ok(slice_str(name)) &&
	    fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(sb.st_mode) && (int64_t)sb.st_mtim.tv_sec <= now;
}

int
store_outbox_each(const struct store_conf *cf, int64_t now,
    int (*fn)(void *arg, const char *account), void *arg)
{
	struct dirent *de;
	char *path;
	int rc = 0;
	DIR *d;

	if (!store_conf_files(cf))
		return 0;
	path = xasprintf("%s/" OUTBOX, cf->mail_dir);
	d = opendir(path);
	xfree(path);
	if (d == NULL)
		return errno == ENOENT ? 0 : STORE_E_IO;
	while (rc == 0 && (errno = 0, de = readdir(d)) != NULL)
		if (is_due(dirfd(d), de->d_name, now))
			rc = fn(arg, de->d_name);
	if (rc == 0 && errno != 0)
		rc = STORE_E_IO;
	closedir(d);
	return rc;
}

/* An account of that name is no more. */
void
outbox_forget(const struct store_conf *cf, const char *account)
{
	char *path = xasprintf("%s/" OUTBOX "/%s", cf->mail_dir, account);

	(void)unlink(path);
	xfree(path);
}
