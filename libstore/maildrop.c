/* libstore/maildrop.c - the lock of an account's POP3 maildrop */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

/* Without files: the accounts that are locked in this process. */
struct locked {
	char *name;
	struct locked *next;
};
static struct locked *locks;
static pthread_mutex_t locks_mutex = PTHREAD_MUTEX_INITIALIZER;

static int
lock_memory(struct store *st)
{
	struct locked *l;
	int rc = 0;

	pthread_mutex_lock(&locks_mutex);
	for (l = locks; l && strcmp(l->name, st->name) != 0; l = l->next)
		;
	if (l) {
		rc = STORE_E_BUSY;
	} else {
		l = xmalloc(sizeof(*l));
		l->name = xstrdup(st->name);
		l->next = locks;
		locks = l;
		st->lock_name = l->name;
	}
	pthread_mutex_unlock(&locks_mutex);
	return rc;
}

static void
unlock_memory(struct store *st)
{
	struct locked **lp, *l;

	pthread_mutex_lock(&locks_mutex);
	for (lp = &locks; (l = *lp) && l->name != st->lock_name; lp = &l->next)
		;
	if (l) {
		*lp = l->next;
		xfree(l->name);
		xfree(l);
	}
	pthread_mutex_unlock(&locks_mutex);
	st->lock_name = NULL;
}

int
store_maildrop_lock(struct store *st)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path;
	int fd, rc;

	st->err[0] = '\0';
	if (st->lock_fd >= 0 || st->lock_name)
		return 0;
	if (!st->dir)
		return lock_memory(st);
	path = xasprintf("%s/maildrop.lock", st->dir);
	fd = io_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	xfree(path);
	if (fd < 0)
		return store_fail(st, store_errno_rc(errno),
		    "maildrop.lock: %s", strerror(errno));
	/* Of the open file, so that threads exclude each other as well. */
	do
		rc = fcntl(fd, F_OFD_SETLK, &fl);
	while (rc < 0 && errno == EINTR);
	if (rc < 0) {
		int e = errno;

		io_close(&fd);
		if (e == EAGAIN || e == EACCES)
			return STORE_E_BUSY;
		return store_fail(st, STORE_E_IO, "maildrop.lock: %s",
		    strerror(e));
	}
	st->lock_fd = fd;
	return 0;
}

/* The file has an octet once its time counts. */
int64_t
store_maildrop_last(struct store *st)
{
	struct stat sb;

	return st->lock_fd >= 0 && fstat(st->lock_fd, &sb) == 0 &&
	    sb.st_size > 0 ? (int64_t)sb.st_mtim.tv_sec : 0;
}

void
store_maildrop_note(struct store *st)
{
	if (st->lock_fd >= 0)
		(void)io_pwrite_full(st->lock_fd, "\n", 1, 0);
}

void
store_maildrop_unlock(struct store *st)
{
	io_close(&st->lock_fd);
	if (st->lock_name)
		unlock_memory(st);
}
