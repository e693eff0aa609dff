/* culver/mbox-write.c - a message as mboxrd, with flags that import takes back */
#include "config.h"

#include "culver/mbox.h"
#include "libbase/text.h"
#include "libstore/store.h"

/* RFC 4155: asctime in UTC. */
static void
put_from(FILE *f, int64_t t, const char *eol)
{
	static const char wd[] = "SunMonTueWedThuFriSat";
	static const char mon[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int s, y, m, d;
	int64_t days = time_day(t, &s);

	time_civil(days, &y, &m, &d);
	fprintf(f, "From MAILER-DAEMON %.3s %.3s %2d %02d:%02d:%02d %04d%s",
	    wd + 3 * (((days + 4) % 7 + 7) % 7), mon + (ptrdiff_t)3 * (m - 1),
	    d, s / 3600, s / 60 % 60, s % 60, y, eol);
}

/*
 * The flags, as headers that other programs know.  The first line counts them,
 * so that import can tell them from the message's own, and tells where the
 * line end at the message's end is not its own.
 */
static void
put_flags(FILE *f, const struct mbox_meta *m, bool noeol, const char *eol)
{
	static const struct { uint64_t flag; char letter; } x[] = {
		{ STORE_ANSWERED, 'A' }, { STORE_FLAGGED, 'F' },
		{ STORE_DRAFT, 'T' }, { STORE_DELETED, 'D' },
	};
	char letters[8];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		if (m->flags & x[i].flag)
			letters[n++] = x[i].letter;
	}
	letters[n] = '\0';
	fprintf(f, MBOX_EXPORT " %d%s%sStatus: %s%s",
	    1 + (n > 0) + (m->keywords.n > 0), noeol ? " noeol" : "", eol,
	    m->flags & STORE_SEEN ? "RO" : "O", eol);
	if (n > 0)
		fprintf(f, "X-Status: %s%s", letters, eol);
	if (m->keywords.n > 0) {
		fprintf(f, "X-Keywords:%.*s%s", (int)m->keywords.n,
		    m->keywords.p, eol);
	}
}

static void
put_line(FILE *f, struct slice l, bool crlf)
{
	size_t i = 0;

	while (i < l.n && l.p[i] == '>')
		i++;
	if (slice_starts(slice_make(l.p + i, l.n - i), SLICE_LIT("From ")))
		fputc('>', f);
	if (!crlf && l.n > 1 && l.p[l.n - 1] == '\n' &&
	    l.p[l.n - 2] == '\r') {
		fwrite(l.p, 1, l.n - 2, f);
		fputc('\n', f);
	} else {
		fwrite(l.p, 1, l.n, f);
	}
}

void
mbox_write(FILE *f, struct slice s, const struct mbox_meta *m, bool crlf)
{
	const char *eol = crlf ? "\r\n" : "\n";
	bool noeol = s.n == 0 || s.p[s.n - 1] != '\n';

	put_from(f, m->date, eol);
	put_flags(f, m, noeol, eol);
	while (s.n > 0) {
		const char *nl = memchr(s.p, '\n', s.n);
		size_t n = nl ? (size_t)(nl - s.p) + 1 : s.n;

		put_line(f, slice_make(s.p, n), crlf);
		s.p += n;
		s.n -= n;
	}
	if (noeol)
		fputs(eol, f);
	fputs(eol, f);
}
