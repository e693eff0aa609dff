/* libstore/kv/watch.c - learning that another process committed */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/sys.h"

/*
 * few: dnotify.  It has no limit of watchers a user (inotify has 128), which
 * matters with a process a connection.  The directory's descriptor raises
 * SIGIO, which a signalfd makes readable; it doesn't say which directory.
 * many: one inotify descriptor for all accounts of a process.
 */
struct watched {
	void *cookie;
	int fd;			/* dnotify: the directory; inotify: the watch */
	bool due;
};

struct bdb_watch {
	struct kv_watch w;
	bool many;
	struct watched *all;
	size_t n;
	sigset_t before;	/* the signal mask */
};

int
bdb_watch_new(const struct kv_conf *cf, bool many, struct kv_watch **w_r)
{
	struct bdb_watch *w = xcalloc(1, sizeof(*w));
	sigset_t io;

	(void)cf;
	w->w.ops = &kv_bdb_ops;
	w->many = many;
	if (many)
		w->w.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	else {
		/* Blocked, so that it is read and never delivered. */
		sigemptyset(&io);
		sigaddset(&io, SIGIO);
		(void)pthread_sigmask(SIG_BLOCK, &io, &w->before);
		w->w.fd = signalfd(-1, &io, SFD_NONBLOCK | SFD_CLOEXEC);
	}
	if (w->w.fd < 0) {
		if (!many)
			(void)pthread_sigmask(SIG_SETMASK, &w->before, NULL);
		xfree(w);
		return STORE_E_IO;
	}
	*w_r = &w->w;
	return 0;
}

static void
drop(struct bdb_watch *w, size_t i)
{
	int fd = w->all[i].fd;

	w->all[i] = w->all[--w->n];
	if (!w->many) {
		io_close(&fd);
		return;
	}
	/* Two accounts of the same directory share a watch. */
	for (size_t k = 0; k < w->n; k++)
		if (w->all[k].fd == fd)
			return;
	(void)inotify_rm_watch(w->w.fd, fd);
}

static void
drain(struct bdb_watch *w)
{
	struct signalfd_siginfo si;

	if (w->many)
		return;
	while (io_read(w->w.fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		;
}

void
bdb_watch_free(struct kv_watch *kw)
{
	struct bdb_watch *w = (struct bdb_watch *)kw;

	while (w->n > 0)
		drop(w, w->n - 1);
	/* What is pending must not be delivered once it is unblocked. */
	drain(w);
	io_close(&kw->fd);
	if (!w->many)
		(void)pthread_sigmask(SIG_SETMASK, &w->before, NULL);
	xfree(w->all);
	xfree(w);
}

static int
watch_inotify(struct bdb_watch *w, const struct bdb_kv *b)
{
	return inotify_add_watch(w->w.fd, b->kv.dir,
	    IN_MODIFY | IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF |
		IN_ONLYDIR);
}

static int
watch_dnotify(const struct bdb_kv *b)
{
	int fd = sys_openat(b->dirfd, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd >= 0 &&
	    (fcntl(fd, F_SETOWN, getpid()) < 0 ||
		fcntl(fd, F_NOTIFY, DN_MODIFY | DN_RENAME | DN_CREATE |
			DN_MULTISHOT) < 0))
		io_close(&fd);
	return fd;
}

int
bdb_watch_add(struct kv_watch *kw, const struct kv *kv, void *cookie)
{
	struct bdb_watch *w = (struct bdb_watch *)kw;
	const struct bdb_kv *b = (const struct bdb_kv *)kv;
	int fd = w->many ? watch_inotify(w, b) : watch_dnotify(b);

	if (fd < 0)
		return STORE_E_IO;
	w->all = xreallocarray(w->all, w->n + 1, sizeof(w->all[0]));
	w->all[w->n++] = (struct watched){ .cookie = cookie, .fd = fd };
	return 0;
}

void
bdb_watch_del(struct kv_watch *kw, void *cookie)
{
	struct bdb_watch *w = (struct bdb_watch *)kw;

	for (size_t i = w->n; i-- > 0;)
		if (w->all[i].cookie == cookie)
			drop(w, i);
}

/* Which watches an event is about; those of packs only are passed over. */
static void
event(struct bdb_watch *w, const struct inotify_event *e)
{
	if (e->len > 0 && strncmp(e->name, "journal", sizeof("journal")) != 0)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (w->all[i].fd == e->wd || (e->mask & IN_Q_OVERFLOW) != 0)
			w->all[i].due = true;
}

static void
read_inotify(struct bdb_watch *w)
{
	_Alignas(struct inotify_event) char buf[4096];
	const struct inotify_event *e;
	ssize_t n;

	while ((n = io_read(w->w.fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n; p += sizeof(*e) + e->len) {
			e = (const void *)p;
			event(w, e);
		}
}

static void
read_dnotify(struct bdb_watch *w)
{
	struct signalfd_siginfo si;

	while (io_read(w->w.fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		for (size_t i = 0; i < w->n; i++)
			w->all[i].due = true;
}

int
bdb_watch_next(struct kv_watch *kw, void **cookie_r)
{
	struct bdb_watch *w = (struct bdb_watch *)kw;

	if (w->many)
		read_inotify(w);
	else
		read_dnotify(w);
	for (size_t i = 0; i < w->n; i++)
		if (w->all[i].due) {
			w->all[i].due = false;
			*cookie_r = w->all[i].cookie;
			return 1;
		}
	return 0;
}
