/* culver/say.c - messages to the administrator */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "libbase/log.h"
#include "libbase/text.h"

enum { LINE_MAX_OCTETS = 4096 };

static void
clean_to(FILE *f, struct slice s)
{
	bool utf8 = utf8_valid(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		/* C1 controls are two octets in UTF-8: C2 80..9F. */
		bool c1 = utf8 && ch == 0xc2 && i + 1 < s.n &&
		    (unsigned char)s.p[i + 1] < 0xa0;

		if (c1) {
			fprintf(f, "\\x%02x",
			    (unsigned char)s.p[++i]);
		} else if (ch < 0x20 || ch == 0x7f || (ch >= 0x80 && !utf8)) {
			fprintf(f, "\\x%02x", ch);
		} else {
			fputc(ch, f);
		}
	}
}

void
put_clean(struct slice s)
{
	clean_to(stdout, s);
}

void
complain(const char *fmt, ...)
{
	char line[LINE_MAX_OCTETS];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	fflush(stdout);
	fputs("culver: ", stderr);
	clean_to(stderr, slice_str(line));
	fputc('\n', stderr);
}

int
worse(int a, int b)
{
	return a > b ? a : b;
}

int
finish_output(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	complain("standard output: %s", strerror(errno));
	return worse(code, EXIT_TEMP);
}
