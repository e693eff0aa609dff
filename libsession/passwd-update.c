/* libsession/passwd-update.c - the password file: writing */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/passwd-int.h"

struct row {	/* a line of the new file */
	struct slice name, line;
	size_t order;	/* of equal names the highest wins */
	bool gone;
};

struct rewrite {
	struct arena *a;
	struct row *row;
	size_t n, cap;
	struct buf comments;
	bool missed;	/* a deletion found nothing */
};

static void
add_row(struct rewrite *w, struct slice name, struct slice line, bool old,
    bool gone)
{
	/* The first of the old ones is the one that passwd_find() finds. */
	size_t order = old ? SIZE_MAX / 2 - w->n : SIZE_MAX / 2 + 1 + w->n;

	w->row = arena_grow(w->a, w->row, &w->cap, w->n + 1, sizeof(*w->row));
	w->row[w->n] = (struct row){ name, line, order, gone };
	w->n++;
}

/* A line that is there already.  Malformed ones are kept as comments: nothing
 * that an administrator wrote gets lost. */
static int
old_line(void *arg, struct slice line)
{
	struct rewrite *w = arg;
	struct passwd_entry e;
	int rc;

	line = arena_slice(w->a, line);
	rc = line.n > PASSWD_LINE_MAX ? -1 : passwd_line(line, &e);
	if (rc == 1)
		add_row(w, e.name, line, true, false);
	else if (!slice_starts(line, SLICE_LIT(PASSWD_HEAD)) && line.n > 0) {
		if (rc < 0)
			buf_add_str(&w->comments, "# malformed: ");
		buf_add_slice(&w->comments, line);
		buf_addc(&w->comments, '\n');
	}
	return 0;
}

static bool
field_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == ':' ||
		    s.p[i] == ',' || s.p[i] == 0x7f)
			return false;
	return s.n > 0;
}

bool
passwd_full_name_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == ':' ||
		    s.p[i] == ',' || s.p[i] == 0x7f)
			return false;
	return utf8_valid(s);
}

static bool
name_ok(struct slice s, struct arena *a)
{
	struct slice name;

	return passwd_name(s, a, &name) == 0 && slice_eq(name, s);
}

/* ":key" first, then ",key". */
static void
add_key(struct buf *b, const char *key, struct slice value, bool there)
{
	const char *colon = memchr(b->p, ':', b->n);

	if (!there)
		return;
	/* The hash has no colon. */
	buf_addc(b, memchr(colon + 1, ':', b->n -
	    (size_t)(colon + 1 - b->p)) == NULL ? ':' : ',');
	buf_add_str(b, key);
	buf_add_slice(b, value);
}

/* 0, or -1 with EINVAL. */
static int
new_row(struct rewrite *w, const struct passwd_entry *e)
{
	struct buf b;

	if (!name_ok(e->name, w->a) ||
	    (e->hash.p != NULL && !field_ok(e->hash)) ||
	    (e->alias_of.n > 0 && !name_ok(e->alias_of, w->a)) ||
	    !passwd_full_name_ok(e->full_name))
		goto bad;
	if (e->hash.p == NULL) {
		add_row(w, e->name, slice_make(NULL, 0), false, true);
		return 0;
	}
	buf_init(&b, PASSWD_LINE_MAX);
	buf_add_slice(&b, e->name);
	buf_addc(&b, ':');
	buf_add_slice(&b, e->hash);
	add_key(&b, "alias-of=", e->alias_of, e->alias_of.n > 0);
	add_key(&b, "name=", e->full_name, e->full_name.n > 0);
	add_key(&b, "no-send", slice_make(NULL, 0), e->no_send);
	add_key(&b, "disabled", slice_make(NULL, 0), e->disabled);
	if (b.overflow) {
		buf_release(&b);
		goto bad;
	}
	add_row(w, e->name, arena_slice(w->a, buf_slice(&b)), false, false);
	buf_release(&b);
	return 0;
bad:
	errno = EINVAL;
	return -1;
}

static int
by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = slice_cmp(x->name, y->name);

	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* The new file's text. */
static void
compose(struct rewrite *w, struct buf *out)
{
	char head[PASSWD_HEAD_LEN + 1];

	qsort(w->row, w->n, sizeof(*w->row), by_name);
	memset(head, '0', sizeof(head));
	buf_add(out, head, PASSWD_HEAD_LEN);
	buf_add_slice(out, buf_slice(&w->comments));
	for (size_t i = 0; i < w->n; i++) {
		const struct row *r = &w->row[i];

		if (i + 1 < w->n && slice_eq(r->name, r[1].name))
			continue;	/* the last one counts */
		if (r->gone) {
			if (i == 0 || !slice_eq(r->name, r[-1].name))
				w->missed = true;
			continue;
		}
		buf_add_slice(out, r->line);
		buf_addc(out, '\n');
	}
	if (out->overflow)
		return;
	snprintf(head, sizeof(head), PASSWD_HEAD "%012zu\n", out->n);
	memcpy(out->p, head, PASSWD_HEAD_LEN);
}

/* Puts text in the file's place with its owner and mode. */
static int
replace(const struct conf *c, const struct stat *old, struct slice text)
{
	char *tmp = xasprintf("%s.new", c->passwd_file);
	uid_t uid = old != NULL ? old->st_uid : geteuid();
	gid_t gid = old != NULL ? old->st_gid : getegid();
	mode_t mode = old != NULL ? old->st_mode & 0777 : 0600;
	const struct passwd *pw;
	int fd, rc = -1, e;

	if (old == NULL && geteuid() == 0 && c->user != NULL &&
	    (pw = getpwnam(c->user)) != NULL) {
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && io_write_full(fd, text.p, text.n) == 0 &&
	    ((uid == geteuid() && gid == getegid()) ||
		fchown(fd, uid, gid) == 0) &&
	    fchmod(fd, mode) == 0 && fdatasync(fd) == 0 &&
	    rename(tmp, c->passwd_file) == 0)
		rc = io_sync_parent(c->passwd_file);
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
lock(const struct conf *c)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = xasprintf("%s.lock", c->passwd_file);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	xfree(path);
	while (fd >= 0 && fcntl(fd, F_OFD_SETLKW, &fl) < 0) {
		if (errno != EINTR)
			io_close(&fd);
	}
	return fd;
}

static int
update(const struct conf *c, struct rewrite *w, const struct passwd_entry *e,
    size_t n)
{
	struct stat st, *old = NULL;
	struct buf out;
	int fd, rc = 0;

	fd = open(c->passwd_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT)
		return -1;
	if (fd >= 0) {
		old = &st;
		if (fstat(fd, &st) < 0 || st.st_size > PASSWD_FILE_MAX ||
		    passwd_scan(fd, 0, st.st_size, old_line, w) < 0)
			rc = -1;
		io_close(&fd);
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = new_row(w, &e[i]);
	if (rc < 0)
		return -1;
	buf_init(&out, PASSWD_FILE_MAX);
	compose(w, &out);
	if (out.overflow) {
		errno = EFBIG;
		rc = -1;
	} else
		rc = replace(c, old, buf_slice(&out));
	buf_release(&out);
	return rc;
}

static int
update_locked(const struct conf *c, const struct passwd_entry *e, size_t n,
    bool *missed_r)
{
	struct rewrite w = { .a = arena_new(0) };
	int fd, rc = -1, err;

	buf_init(&w.comments, PASSWD_FILE_MAX);
	if ((fd = lock(c)) >= 0)
		rc = update(c, &w, e, n);
	err = errno;
	io_close(&fd);
	*missed_r = w.missed;
	buf_release(&w.comments);
	arena_free(&w.a);
	errno = err;
	return rc;
}

int
passwd_update(const struct conf *c, const struct passwd_entry *e)
{
	bool missed;

	if (update_locked(c, e, 1, &missed) < 0)
		return -1;
	return e->hash.p == NULL && missed ? 1 : 0;
}

int
passwd_update_many(const struct conf *c, const struct passwd_entry *e,
    size_t n)
{
	bool missed;

	return update_locked(c, e, n, &missed);
}
