/* culver/maildir.c - Maildirs with their Maildir++ folders, read */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "culver/dirlist.h"
#include "culver/import.h"
#include "culver/maildir.h"
#include "culver/uidlist.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/utf7.h"
#include "libbase/xalloc.h"

const struct maildir_flag maildir_flags[] = {
	{ 'D', STORE_DRAFT, NULL }, { 'F', STORE_FLAGGED, NULL },
	{ 'P', 0, "$forwarded" }, { 'R', STORE_ANSWERED, NULL },
	{ 'S', STORE_SEEN, NULL }, { 'T', STORE_DELETED, NULL },
};
const size_t maildir_n_flags =
    sizeof(maildir_flags) / sizeof(maildir_flags[0]);

enum { LIST_MAX = 64 * 1024 * 1024 };

struct folder {
	struct importer *im;
	struct arena *a;	/* the keyword lists */
	struct slice letters[MAILDIR_LETTERS];
	struct more {
		struct slice unique, names;
	} *more;		/* sorted by unique */
	size_t n_more;
	struct uidlist uids;
};

bool
maildir_part(const char *name)
{
	return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 ||
	    strcmp(name, "tmp") == 0;
}

bool
maildir_is(const char *dir)
{
	char *cur = xasprintf("%s/cur", dir);
	int fd = import_open(cur, true);
	bool is = fd >= 0;

	io_close(&fd);
	xfree(cur);
	return is;
}

/* ---- keyword lists ----------------------------------------------------- */

static struct slice
list_file(struct folder *f, const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct slice s = { NULL, 0 };
	int rc, e;

	priv_caller();
	rc = io_slurp(path, LIST_MAX, f->a, &s);
	e = errno;
	priv_service();
	if (rc < 0) {
		s = slice_str(NULL);
		if (e != ENOENT)
			importer_failed(f->im, path, strerror(e));
	}
	xfree(path);
	return s;
}

static struct slice
next_line(struct slice *s)
{
	const char *nl = memchr(s->p, '\n', s->n);
	struct slice l = slice_make(s->p, nl ? (size_t)(nl - s->p) : s->n);
	size_t used = l.n + (nl ? 1 : 0);

	s->p += used;
	s->n -= used;
	return slice_trim(l);
}

/* "word rest" */
static bool
word(struct slice l, struct slice *w_r, struct slice *rest_r)
{
	const char *sp = l.n ? memchr(l.p, ' ', l.n) : NULL;

	if (!sp)
		return false;
	*w_r = slice_make(l.p, (size_t)(sp - l.p));
	*rest_r = slice_trim(slice_make(sp, l.n - w_r->n));
	return w_r->n > 0 && rest_r->n > 0;
}

static int
by_unique(const void *a, const void *b)
{
	return slice_cmp(((const struct more *)a)->unique,
	    ((const struct more *)b)->unique);
}

static void
read_lists(struct folder *f, const char *dir)
{
	struct slice s, w, rest;
	size_t cap = 0;
	uint64_t i;

	s = list_file(f, dir, MAILDIR_KEYWORDS);
	while (s.n > 0) {
		if (word(next_line(&s), &w, &rest) &&
		    slice_uint(w, MAILDIR_LETTERS - 1, &i) == 0 &&
		    !memchr(rest.p, ' ', rest.n))
			f->letters[i] = rest;
	}
	s = list_file(f, dir, MAILDIR_MORE_KEYWORDS);
	while (s.n > 0) {
		if (!word(next_line(&s), &w, &rest))
			continue;
		f->more = arena_grow(f->a, f->more, &cap, f->n_more + 1,
		    sizeof(*f->more));
		f->more[f->n_more++] = (struct more){ w, rest };
	}
	if (f->n_more > 0)
		qsort(f->more, f->n_more, sizeof(*f->more), by_unique);
}

/* ---- messages ---------------------------------------------------------- */

static void
add_keyword(struct buf *b, struct slice k)
{
	if (k.n > 0 && b->n > 0)
		(void)buf_addc(b, ' ');
	(void)buf_add_slice(b, k);
}

/* The flags that a file's name tells. */
static void
name_flags(const struct folder *f, const char *name, struct import_meta *m,
    struct buf *keywords)
{
	const char *info = strstr(name, ":2,");
	struct more key, *more;

	key.unique = slice_make(name, info ? (size_t)(info - name) :
	    strlen(name));
	for (const char *p = info ? info + 3 : ""; *p && *p != ','; p++) {
		for (size_t i = 0; i < maildir_n_flags; i++) {
			if (maildir_flags[i].letter != *p)
				continue;
			m->flags |= maildir_flags[i].flag;
			add_keyword(keywords,
			    slice_str(maildir_flags[i].keyword));
		}
		if (*p >= 'a' && *p <= 'z')
			add_keyword(keywords, f->letters[*p - 'a']);
	}
	if (f->n_more == 0)
		return;
	more = bsearch(&key, f->more, f->n_more, sizeof(*f->more), by_unique);
	if (more)
		add_keyword(keywords, more->names);
}

struct file {
	char *path;
	const char *name;	/* of it */
	uint32_t uid;
	bool is_new;
	size_t at;		/* where it comes without a UID */
};

static int
import_message(struct folder *f, const struct file *file)
{
	struct import_meta m = { .received = INT64_MIN, .uid = file->uid };
	struct buf keywords;
	struct stat sb;
	int fd, rc;

	fd = import_open(file->path, false);
	if (fd < 0) {
		/* A mail program may have moved it in the meantime. */
		importer_failed(f->im, file->path, strerror(errno));
		return 0;
	}
	if (fstat(fd, &sb) == 0)
		m.received = sb.st_mtime;
	buf_init(&keywords, 1 << 20);
	if (!file->is_new)
		name_flags(f, file->name, &m, &keywords);
	m.keywords = buf_slice(&keywords);
	rc = import_file(f->im, fd, &m, file->path);
	buf_release(&keywords);
	io_close(&fd);
	return rc;
}

struct files {
	struct file *v;
	size_t n, cap;
};

static void
gather(struct folder *f, const char *dir, bool is_new, struct files *l)
{
	char *part = xasprintf("%s/%s", dir, is_new ? "new" : "cur");
	struct dirlist d;

	if (dirlist_read(part, &d) < 0) {
		if (errno != ENOENT)
			importer_failed(f->im, part, strerror(errno));
		xfree(part);
		return;
	}
	for (size_t i = 0; i < d.n; i++) {
		struct file *m;

		if (d.v[i].dir || d.v[i].name[0] == '.')
			continue;
		l->v = arena_grow(f->a, l->v, &l->cap, l->n + 1,
		    sizeof(*l->v));
		m = &l->v[l->n];
		m->path = arena_printf(f->a, "%s/%s", part, d.v[i].name);
		m->name = strrchr(m->path, '/') + 1;
		m->uid = uidlist_find(&f->uids, m->name);
		m->is_new = is_new;
		m->at = l->n++;
	}
	dirlist_release(&d);
	xfree(part);
}

/* Those without a UID are younger. */
static int
by_uid(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	uint32_t u = x->uid - 1, v = y->uid - 1;	/* none: the greatest */

	if (u != v)
		return u < v ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static int
import_one(struct importer *im, const char *dir, struct slice mailbox)
{
	struct folder f = { .im = im };
	struct files l = { NULL, 0, 0 };
	int rc;

	rc = importer_mailbox(im, mailbox, true);
	if (rc != 0)
		return rc;
	f.a = arena_new(0);
	read_lists(&f, dir);
	uidlist_parse(list_file(&f, dir, UIDLIST_FILE), f.a, &f.uids);
	if (f.uids.uidvalidity != 0 && importer_conf(im)->keep_uids)
		rc = importer_adopt(im, f.uids.uidvalidity, 0);
	gather(&f, dir, false, &l);
	gather(&f, dir, true, &l);
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_uid);
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		rc = import_message(&f, &l.v[i]);
	arena_free(&f.a);
	return rc;
}

/* ---- Maildir++ folders ------------------------------------------------- */

/* ".Work.M&APw-nchen" below parent; NULL after a complaint. */
static char *
folder_path(struct importer *im, const char *dir, struct slice parent,
    struct slice name)
{
	struct arena *a = arena_new(0);
	struct slice part, dec;
	char *p = NULL;
	struct buf b;

	buf_init(&b, 65536);
	if (parent.n > 0)
		(void)buf_add_slice(&b, parent);
	for (name = slice_make(name.p + 1, name.n - 1); name.p;) {
		const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;

		part = slice_make(name.p, dot ? (size_t)(dot - name.p) :
		    name.n);
		name = dot ? slice_make(dot + 1, name.n - part.n - 1) :
		    slice_str(NULL);
		if (utf7_decode(part, true, a, &dec) < 0)
			dec = part;	/* perhaps UTF-8 as it is */
		if (dec.n == 0 || !utf8_valid(dec) ||
		    memchr(dec.p, '/', dec.n)) {
			importer_failed(im, dir,
			    "its name can't be a mailbox's");
			goto out;
		}
		if (b.n > 0)
			(void)buf_addc(&b, '/');
		(void)buf_add_slice(&b, dec);
	}
	p = xstrndup(b.p, b.n);
out:
	buf_release(&b);
	arena_free(&a);
	return p;
}

int
import_maildir(struct importer *im, const char *dir, struct slice mailbox)
{
	struct dirlist l;
	int rc;

	rc = import_one(im, dir, mailbox);
	if (rc != 0)
		return rc;
	if (dirlist_read(dir, &l) < 0) {
		importer_failed(im, dir, strerror(errno));
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		char *sub, *path;

		if (!l.v[i].dir || l.v[i].name[0] != '.')
			continue;
		sub = xasprintf("%s/%s", dir, l.v[i].name);
		path = maildir_is(sub) ? folder_path(im, sub, mailbox,
		    slice_str(l.v[i].name)) : NULL;
		if (path)
			rc = import_one(im, sub, slice_str(path));
		xfree(path);
		xfree(sub);
	}
	dirlist_release(&l);
	return rc;
}
