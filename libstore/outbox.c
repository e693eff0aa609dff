/*
 * libstore/outbox.c - accounts that have something to send
 *
 * mail_dir/.outbox/ACCOUNT, an empty file, is there before a submission is, and
 * its time of change is when the first one is due, or before.  Whoever sends
 * an account's submissions holds a lock on that file.  The submissions are
 * rows; the file is a hint: it may be there without any.
 */
#include "config.h"

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
set_due(int fd, int64_t due)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)due } };

	return futimens(fd, t) < 0 ? store_errno_rc(errno) : 0;
}

int
outbox_hint(struct store *st, int64_t due)
{
	struct stat sb;
	bool later;
	int fd, rc;

	if (!store_conf_files(st->cf))
		return 0;
	if ((rc = hint_open(st->cf, OUTBOX, st->name, &fd)) < 0)
		return store_fail(st, rc, OUTBOX "/%s can't be made",
		    st->name);
	/* A new file's time is now, which is never too late but for a
	 * moment; only what is earlier matters. */
	later = fstat(fd, &sb) < 0 || (int64_t)sb.st_mtim.tv_sec > due;
	if (later)
		/* Durable, for a row that is due before the time it has. */
		rc = set_due(fd, due);
	if (rc == 0 && later && io_fsync(fd) < 0)
		rc = store_errno_rc(errno);
	io_close(&fd);
	return rc < 0 ? store_fail(st, rc, OUTBOX "/%s can't be changed",
	    st->name) : 0;
}

/* ---- holding it -------------------------------------------------------- */

/* Does the path still name that file? */
static bool
is_there(const struct store *st, int fd)
{
	char *path = hint_path(st->cf, OUTBOX, st->name);
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
		if ((rc = hint_open(st->cf, OUTBOX, st->name, fd_r)) < 0)
			return rc;
		if (flock(*fd_r, LOCK_EX | LOCK_NB) < 0) {
			rc = errno == EWOULDBLOCK ? STORE_E_BUSY :
			    store_errno_rc(errno);
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
	size_t n;
	int rc;

	if ((rc = store_outbox_list(o, a, &v, &n)) == 0 && o->fd >= 0) {
		if (n > 0)
			rc = set_due(o->fd, v[0].next_try);
		else
			outbox_forget(o->st->cf, o->st->name);
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

struct due {
	const struct store_conf *cf;
	int64_t now;
	int (*fn)(void *arg, const char *account);
	void *arg;
};

static int
if_due(void *arg, const char *account)
{
	struct due *d = arg;
	char *path = hint_path(d->cf, OUTBOX, account);
	struct stat sb;
	bool due;

	due = lstat(path, &sb) == 0 && S_ISREG(sb.st_mode) &&
	    (int64_t)sb.st_mtim.tv_sec <= d->now;
	xfree(path);
	return due ? d->fn(d->arg, account) : 0;
}

int
store_outbox_each(const struct store_conf *cf, int64_t now,
    int (*fn)(void *arg, const char *account), void *arg)
{
	struct due d = { .cf = cf, .now = now, .fn = fn, .arg = arg };

	return store_conf_files(cf) ? hint_each(cf, OUTBOX, if_due, &d) : 0;
}

/* An account of that name is no more. */
void
outbox_forget(const struct store_conf *cf, const char *account)
{
	hint_drop(cf, OUTBOX, account);
}
