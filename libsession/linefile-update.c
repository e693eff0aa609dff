/* libsession/linefile-update.c - a text file of lines, sorted by key: writing */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/linefile-int.h"

struct row {	/* a line of the new file */
	struct slice key, line;
	size_t order;	/* of equal keys the highest wins */
	bool gone;
};

struct rewrite {
	const struct linefile *f;
	struct arena *a;
	struct row *row;
	size_t n, cap;
	struct buf comments;
	bool missed;	/* a deletion found nothing */
};

static void
add_row(struct rewrite *w, struct slice key, struct slice line, bool old,
    bool gone)
{
	/* The first of the old ones is the one that linefile_find() finds. */
	size_t order = old ? SIZE_MAX / 2 - w->n : SIZE_MAX / 2 + 1 + w->n;

	w->row = arena_grow(w->a, w->row, &w->cap, w->n + 1, sizeof(*w->row));
	w->row[w->n] = (struct row){ key, line, order, gone };
	w->n++;
}

/* A line that is there already.  Malformed ones are kept as comments: nothing
 * that an administrator wrote gets lost. */
static int
old_line(void *arg, struct slice line)
{
	struct rewrite *w = arg;
	struct slice key;
	int rc;

	line = arena_slice(w->a, line);
	rc = line.n > LINEFILE_LINE_MAX ? -1 : w->f->parse(line, &key);
	if (rc == 1)
		add_row(w, key, line, true, false);
	else if (!slice_starts(line, slice_str(w->f->head)) && line.n > 0) {
		if (rc < 0)
			buf_add_str(&w->comments, "# malformed: ");
		buf_add_slice(&w->comments, line);
		buf_addc(&w->comments, '\n');
	}
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = slice_cmp(x->key, y->key);

	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* The new file's text. */
static void
compose(struct rewrite *w, struct buf *out)
{
	char head[LINEFILE_HEAD_MAX + 1];
	size_t n = linefile_head(w->f, 0, head);

	qsort(w->row, w->n, sizeof(*w->row), by_key);
	buf_add(out, head, n);
	buf_add_slice(out, buf_slice(&w->comments));
	for (size_t i = 0; i < w->n; i++) {
		const struct row *r = &w->row[i];

		if (i + 1 < w->n && slice_eq(r->key, r[1].key))
			continue;	/* the last one counts */
		if (r->gone) {
			if (i == 0 || !slice_eq(r->key, r[-1].key))
				w->missed = true;
			continue;
		}
		buf_add_slice(out, r->line);
		buf_addc(out, '\n');
	}
	if (out->overflow)
		return;
	linefile_head(w->f, (off_t)out->n, head);
	memcpy(out->p, head, n);
}

/* Puts text in the file's place with its owner and mode. */
static int
replace(const struct linefile *f, const struct stat *old, struct slice text)
{
	char *tmp = xasprintf("%s.new", f->path);
	uid_t uid = old != NULL ? old->st_uid : geteuid();
	gid_t gid = old != NULL ? old->st_gid : getegid();
	mode_t mode = old != NULL ? old->st_mode & 0777 : 0600;
	const struct passwd *pw;
	int fd, rc = -1, e;

	if (old == NULL && geteuid() == 0 && f->user != NULL &&
	    (pw = getpwnam(f->user)) != NULL) {
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && io_write_full(fd, text.p, text.n) == 0 &&
	    ((uid == geteuid() && gid == getegid()) ||
		fchown(fd, uid, gid) == 0) &&
	    fchmod(fd, mode) == 0 && fdatasync(fd) == 0 &&
	    rename(tmp, f->path) == 0)
		rc = io_sync_parent(f->path);
	e = errno;
	if (rc < 0)
		unlink(tmp);
	io_close(&fd);
	xfree(tmp);
	errno = e;
	return rc;
}

/* A lock that outlives the file's replacement is on a file of its own. */
static int
lock(const struct linefile *f)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = xasprintf("%s.lock", f->path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	xfree(path);
	while (fd >= 0 && fcntl(fd, F_OFD_SETLKW, &fl) < 0) {
		if (errno != EINTR)
			io_close(&fd);
	}
	return fd;
}

static int
update(struct rewrite *w, const struct linefile_line *v, size_t n)
{
	const struct linefile *f = w->f;
	struct stat st, *old = NULL;
	struct buf out;
	int fd, rc = 0;

	fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT)
		return -1;
	if (fd >= 0) {
		old = &st;
		if (fstat(fd, &st) < 0 || st.st_size > LINEFILE_MAX ||
		    linefile_scan(fd, 0, st.st_size, old_line, w) < 0)
			rc = -1;
		io_close(&fd);
	}
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		add_row(w, v[i].key, v[i].line, false, v[i].line.p == NULL);
	buf_init(&out, LINEFILE_MAX);
	compose(w, &out);
	if (out.overflow) {
		errno = EFBIG;
		rc = -1;
	} else
		rc = replace(f, old, buf_slice(&out));
	buf_release(&out);
	return rc;
}

int
linefile_update(const struct linefile *f, const struct linefile_line *v,
    size_t n)
{
	struct rewrite w = { .f = f, .a = arena_new(0) };
	int fd, rc = -1, err;

	buf_init(&w.comments, LINEFILE_MAX);
	if ((fd = lock(f)) >= 0)
		rc = update(&w, v, n);
	err = errno;
	io_close(&fd);
	buf_release(&w.comments);
	arena_free(&w.a);
	errno = err;
	return rc < 0 ? -1 : w.missed;
}
