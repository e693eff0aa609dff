/* culver/export-mbox.c - mailboxes as mboxrd files in a tree of directories */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "culver/export.h"
#include "culver/mbox.h"
#include "libbase/io.h"
#include "libbase/text.h"
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

/* RFC 4155: asctime in UTC. */
static void
put_from(FILE *f, int64_t t)
{
	static const char wd[] = "SunMonTueWedThuFriSat";
	static const char mon[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t days = t >= 0 ? t / 86400 : (t - 86399) / 86400;
	int s = (int)(t - days * 86400), y, m, d;

	time_civil(days, &y, &m, &d);
	fprintf(f, "From MAILER-DAEMON %.3s %.3s %2d %02d:%02d:%02d %04d\n",
	    wd + 3 * (((days + 4) % 7 + 7) % 7), mon + (ptrdiff_t)3 * (m - 1),
	    d, s / 3600, s / 60 % 60, s % 60, y);
}

/*
 * The flags, as headers that other programs know.  The first line counts them,
 * so that import can tell them from the message's own, and tells where the
 * line end at the message's end is not its own.
 */
static void
put_flags(struct out *o, bool noeol)
{
	static const struct { uint64_t flag; char letter; } x[] = {
		{ STORE_ANSWERED, 'A' }, { STORE_FLAGGED, 'F' },
		{ STORE_DRAFT, 'T' }, { STORE_DELETED, 'D' },
	};
	struct exporter *ex = o->ex;
	uint64_t f = o->m->flags, rest = f >> STORE_KEYWORD_FIRST;
	char letters[8];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		if (f & x[i].flag)
			letters[n++] = x[i].letter;
	}
	letters[n] = '\0';
	fprintf(o->f, MBOX_EXPORT " %d%s\nStatus: %s\n",
	    1 + (n > 0) + (rest != 0), noeol ? " noeol" : "",
	    f & STORE_SEEN ? "RO" : "O");
	if (n > 0)
		fprintf(o->f, "X-Status: %s\n", letters);
	if (rest == 0)
		return;
	fputs("X-Keywords:", o->f);
	for (size_t bit = STORE_KEYWORD_FIRST; bit < ex->n_keywords; bit++) {
		struct slice k = ex->keywords[bit];

		if (f >> bit & 1 && k.p)
			fprintf(o->f, " %.*s", (int)k.n, k.p);
	}
	fputc('\n', o->f);
}

static void
put_line(struct out *o, struct slice l)
{
	size_t i = 0;

	while (i < l.n && l.p[i] == '>')
		i++;
	if (slice_starts(slice_make(l.p + i, l.n - i), SLICE_LIT("From ")))
		fputc('>', o->f);
	if (!o->ex->crlf && l.n > 1 && l.p[l.n - 1] == '\n' &&
	    l.p[l.n - 2] == '\r') {
		fwrite(l.p, 1, l.n - 2, o->f);
		fputc('\n', o->f);
	} else {
		fwrite(l.p, 1, l.n, o->f);
	}
}

static int
put_octets(void *arg, struct slice s)
{
	struct out *o = arg;
	bool noeol = s.n == 0 || s.p[s.n - 1] != '\n';

	put_from(o->f, o->m->received_at);
	put_flags(o, noeol);
	while (s.n > 0) {
		const char *nl = memchr(s.p, '\n', s.n);
		size_t n = nl ? (size_t)(nl - s.p) + 1 : s.n;

		put_line(o, slice_make(s.p, n));
		s.p += n;
		s.n -= n;
	}
	fputs(noeol ? "\n\n" : "\n", o->f);
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
