/* culver/export-maildir.c - mailboxes as Maildir++ folders */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "culver/export.h"
#include "culver/maildir.h"
#include "libbase/io.h"
#include "libbase/utf7.h"
#include "libbase/xalloc.h"

struct out {
	struct exporter *ex;
	const char *dir;	/* of the folder */
	int8_t letter[64];	/* of the keyword with that bit; -1: none */
	int letters;
	FILE *list, *more;	/* MAILDIR_KEYWORDS, MAILDIR_MORE_KEYWORDS */
	int fd;			/* of the present message */
};

/* DIR for the inbox, DIR/.Work.Travel; xmalloc'ed. */
static char *
folder_dir(struct exporter *ex, const struct store_mailbox *mb,
    struct slice path)
{
	struct buf b;
	char *dir;

	if (mb->role == STORE_ROLE_INBOX)
		return xstrdup(ex->dir);
	buf_init(&b, 1 << 20);
	(void)buf_printf(&b, "%s/", ex->dir);
	while (path.n > 0) {
		const char *sl = memchr(path.p, '/', path.n);
		size_t n = sl ? (size_t)(sl - path.p) : path.n;

		(void)buf_addc(&b, '.');
		(void)utf7_encode(&b, slice_make(path.p, n), "./");
		n += sl ? 1 : 0;
		path.p += n;
		path.n -= n;
	}
	dir = xstrndup(b.p, b.n);
	buf_release(&b);
	return dir;
}

/* DIR itself is there, and becomes a Maildir even if it has no messages. */
static int
make_folder(const struct exporter *ex, const char *dir)
{
	static const char *const part[] = { "", "/cur", "/new", "/tmp" };

	for (size_t i = strcmp(dir, ex->dir) == 0; i < 4; i++) {
		char *p = xasprintf("%s%s", dir, part[i]);
		int rc = export_mkdir(p);

		if (rc < 0)
			(void)export_failed(p);
		xfree(p);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* A stream to a new file of the folder; NULL after a complaint. */
static FILE *
open_list(const struct out *o, const char *name)
{
	char *p = xasprintf("%s/%s", o->dir, name);
	int fd = export_create(p);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		(void)export_failed(p);
	xfree(p);
	return f;
}

/* Gives the keyword of a bit a letter, while there are any. */
static int
letter_of(struct out *o, size_t bit, char *c_r)
{
	struct slice k = o->ex->keywords[bit];

	if (o->letter[bit] < 0 && o->letters < MAILDIR_LETTERS) {
		if (!o->list && !(o->list = open_list(o, MAILDIR_KEYWORDS)))
			return -1;
		fprintf(o->list, "%d %.*s\n", o->letters, (int)k.n, k.p);
		o->letter[bit] = (int8_t)o->letters++;
	}
	*c_r = o->letter[bit] < 0 ? '\0' : (char)('a' + o->letter[bit]);
	return 0;
}

static int
by_letter(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* The letters after ":2,"; in *more_r the bits that have none. */
static int
flag_letters(struct out *o, uint64_t flags, char out[80], uint64_t *more_r)
{
	struct exporter *ex = o->ex;
	size_t n = 0;

	*more_r = 0;
	for (size_t i = 0; i < maildir_n_flags; i++) {
		if (flags & maildir_flags[i].flag)
			out[n++] = maildir_flags[i].letter;
	}
	for (size_t bit = STORE_KEYWORD_FIRST; bit < ex->n_keywords; bit++) {
		char c = '\0';

		if (!(flags >> bit & 1) || !ex->keywords[bit].p)
			continue;
		if (slice_ieq(ex->keywords[bit], SLICE_LIT("$forwarded")))
			c = 'P';
		else if (letter_of(o, bit, &c) < 0)
			return -1;
		if (c)
			out[n++] = c;
		else
			*more_r |= UINT64_C(1) << bit;
	}
	out[n] = '\0';
	qsort(out, n, 1, by_letter);
	return 0;
}

static int
put_more(struct out *o, const char *unique, uint64_t bits)
{
	if (!o->more && !(o->more = open_list(o, MAILDIR_MORE_KEYWORDS)))
		return -1;
	fputs(unique, o->more);
	for (size_t bit = 0; bit < o->ex->n_keywords; bit++) {
		struct slice k = o->ex->keywords[bit];

		if (bits >> bit & 1)
			fprintf(o->more, " %.*s", (int)k.n, k.p);
	}
	fputc('\n', o->more);
	return 0;
}

static int
put_all(const struct out *o, struct slice s)
{
	return io_write_full(o->fd, s.p, s.n) < 0 ?
	    export_failed(o->dir) : 0;
}

static int
put_octets(void *arg, struct slice s)
{
	const struct out *o = arg;
	struct buf b;
	int rc;

	if (o->ex->crlf)
		return put_all(o, s);
	/* All lines end with CR LF in the store, and no CR is anywhere else. */
	buf_init(&b, s.n);
	while (s.n > 0) {
		const char *cr = memchr(s.p, '\r', s.n);
		size_t n = cr ? (size_t)(cr - s.p) : s.n;

		(void)buf_add(&b, s.p, n);
		n += cr ? 1 : 0;
		s.p += n;
		s.n -= n;
	}
	rc = put_all(o, buf_slice(&b));
	buf_release(&b);
	return rc;
}

static int
put_file(struct out *o, const char *path, const struct store_msg_info *m)
{
	struct timespec t[2] = {
		{ .tv_nsec = UTIME_NOW }, { .tv_sec = (time_t)m->received_at }
	};
	int rc;

	o->fd = export_create(path);
	if (o->fd < 0)
		return export_failed(path);
	rc = export_octets(o->ex, m, put_octets, o);
	if (rc == 0) {
		priv_caller();	/* the file is the caller's */
		rc = futimens(o->fd, t);
		if (rc < 0)
			(void)export_failed(path);
		priv_service();
	}
	io_close(&o->fd);
	return rc;
}

/*
 * The name begins with the UID instead of the time, so that sorting gives the
 * mailbox's order; the file's time is the message's.
 */
static int
message(void *arg, const struct store_msg_info *m)
{
	struct out *o = arg;
	char letters[80], unique[64], *path;
	uint64_t more;
	int rc;

	if (flag_letters(o, m->flags, letters, &more) < 0)
		return 1;
	snprintf(unique, sizeof(unique), "%010u.%016llx.culver", m->uid,
	    (unsigned long long)m->email);
	if (more && put_more(o, unique, more) < 0)
		return 1;
	path = xasprintf("%s/cur/%s:2,%s", o->dir, unique, letters);
	rc = put_file(o, path, m);
	xfree(path);
	return rc < 0 ? 1 : 0;
}

static int
close_list(const struct out *o, FILE *f, const char *name)
{
	char *p;
	bool bad;

	if (!f)
		return 0;
	bad = ferror(f) != 0;
	if (fclose(f) == 0 && !bad)
		return 0;
	p = xasprintf("%s/%s", o->dir, name);
	(void)export_failed(p);
	xfree(p);
	return -1;
}

int
export_maildir(struct exporter *ex, const struct store_mailbox *mb,
    struct slice path)
{
	char *dir = folder_dir(ex, mb, path);
	struct out o = { .ex = ex, .dir = dir, .fd = -1 };
	int rc;

	memset(o.letter, -1, sizeof(o.letter));
	rc = mb->role == STORE_ROLE_INBOX ? 0 : make_folder(ex, dir);
	if (rc == 0)
		rc = export_scan(ex, mb, path, message, &o);
	if (close_list(&o, o.list, MAILDIR_KEYWORDS) < 0 ||
	    close_list(&o, o.more, MAILDIR_MORE_KEYWORDS) < 0)
		rc = -1;
	xfree(dir);
	return rc;
}

int
export_maildir_root(struct exporter *ex)
{
	return make_folder(ex, ex->dir);
}
