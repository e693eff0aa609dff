/* culver/export-mbox.c - mailboxes as mboxrd files in a tree of directories */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "culver/export.h"
#include "culver/mbox.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

struct out {
	struct exporter *ex;
	FILE *f;
	const struct store_msg_info *m;
};

/*
 * A mailbox's name as a file's: '%', a leading '.', and the ".mbox" that would
 * make a directory look like a sibling's file, as %XX.
 */
static void
put_name(struct buf *b, struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];

		if (ch == '%' || (ch == '.' && (i == 0 ||
		    slice_ieq(slice_make(name.p + i, name.n - i),
		    SLICE_LIT(".mbox")))))
			(void)buf_printf(b, "%%%02x", (unsigned char)ch);
		else
			(void)buf_addc(b, ch);
	}
}

/* DIR/Work/Travel.mbox, with its directories made; NULL after a complaint. */
static char *
file_path(struct exporter *ex, struct slice path)
{
	struct buf b;
	char *p = NULL;

	buf_init(&b, 1 << 20);
	(void)buf_printf(&b, "%s/", ex->dir);
	for (;;) {
		const char *sl = memchr(path.p, '/', path.n);
		size_t n = sl ? (size_t)(sl - path.p) : path.n;
		char *dir;
		int rc;

		put_name(&b, slice_make(path.p, n));
		if (!sl)
			break;
		path = slice_make(sl + 1, path.n - n - 1);
		dir = xstrndup(b.p, b.n);
		rc = export_mkdir(dir);
		if (rc < 0 && errno != EEXIST)
			(void)export_failed(dir);
		else
			rc = 0;
		xfree(dir);
		if (rc < 0)
			goto out;
		(void)buf_addc(&b, '/');
	}
	(void)buf_add_str(&b, ".mbox");
	p = xstrndup(b.p, b.n);
out:
	buf_release(&b);
	return p;
}

/* The message's keywords, with a blank before each. */
static void
keywords(const struct exporter *ex, uint64_t flags, struct buf *b)
{
	for (size_t bit = STORE_KEYWORD_FIRST; bit < ex->n_keywords; bit++) {
		if (flags >> bit & 1 && ex->keywords[bit].p) {
			(void)buf_addc(b, ' ');
			(void)buf_add_slice(b, ex->keywords[bit]);
		}
	}
}

static int
put_octets(void *arg, struct slice s)
{
	struct out *o = arg;
	struct mbox_meta m = {
		.date = o->m->received_at, .flags = o->m->flags
	};
	struct buf b;

	buf_init(&b, 1 << 20);
	keywords(o->ex, o->m->flags, &b);
	m.keywords = buf_slice(&b);
	mbox_write(o->f, s, &m, o->ex->crlf);
	buf_release(&b);
	return ferror(o->f) ? -1 : 0;
}

static int
message(void *arg, const struct store_msg_info *m)
{
	struct out *o = arg;

	o->m = m;
	return export_octets(o->ex, m, put_octets, o) < 0 ? 1 : 0;
}

int
export_mbox(struct exporter *ex, const struct store_mailbox *mb,
    struct slice path)
{
	struct out o = { .ex = ex };
	char *file = file_path(ex, path);
	int fd, rc = -1;

	if (!file)
		return -1;
	fd = export_create(file);
	o.f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!o.f) {
		(void)export_failed(file);
		goto out;
	}
	rc = export_scan(ex, mb, path, message, &o);
	if (ferror(o.f)) {
		(void)export_failed(file);
		rc = -1;
	}
	if (fclose(o.f) != 0 && rc == 0) {
		(void)export_failed(file);
		rc = -1;
	}
out:
	xfree(file);
	return rc;
}
