/* libbase/log.c - one line an event, to syslog, a file or stderr */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "libbase/log.h"
#include "libbase/slice.h"
#include "libbase/text.h"

enum { TEXT_MAX = 4096, SESSION_MAX = 200 };

/* Set once at start, before there are threads. */
static struct {
	const char *ident;
	enum log_level max;
	int fd;
	bool syslog;
} target = { "culver", LOG_L_INFO, STDERR_FILENO, false };

static _Thread_local char session[SESSION_MAX + 1];

int
log_open(const char *ident, const char *to, enum log_level max)
{
	int fd = STDERR_FILENO;

	if (strcmp(to, "syslog") == 0)
		openlog(ident, LOG_PID, LOG_MAIL);
	else if (to[0] == '/') {
		fd = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
		if (fd < 0)
			return -1;
	} else if (strcmp(to, "stderr") != 0) {
		errno = EINVAL;
		return -1;
	}
	log_close();
	target.syslog = strcmp(to, "syslog") == 0;
	target.fd = fd;
	target.ident = ident;
	target.max = max;
	return 0;
}

void
log_close(void)
{
	if (target.fd > STDERR_FILENO)
		close(target.fd);
	target.fd = STDERR_FILENO;
	target.syslog = false;
}

enum log_level
log_max(void)
{
	return target.max;
}

void
log_session(const char *text)
{
	snprintf(session, sizeof(session), "%s", text != NULL ? text : "");
}

/* Copies text to out (of size octets) with controls and bad UTF-8 as \xNN. */
static size_t
escape(char *out, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	while (*text != '\0' && n + 5 < size) {
		unsigned char c = (unsigned char)*text;
		size_t len = 1;

		if (c >= 0x80) {
			len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
			if (strnlen(text, len) < len ||
			    !utf8_valid(slice_make(text, len)) ||
			    (c == 0xc2 && (unsigned char)text[1] < 0xa0))
				len = 0;
		} else if (c < 0x20 || c == 0x7f)
			len = 0;
		if (len > 0) {
			memcpy(out + n, text, len);
			n += len;
			text += len;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
		text++;
	}
	out[n] = '\0';
	return n;
}

const char *
log_quote(struct slice value, char out[LOG_QUOTED])
{
	size_t max = LOG_QUOTED / 2 - 2, n = 0;
	bool plain = true;

	if (value.n > max)
		value.n = max;
	for (size_t i = 0; i < value.n; i++)
		plain = plain && (unsigned char)value.p[i] > ' ' &&
		    strchr("=\"\\", value.p[i]) == NULL;
	if (value.n == 0 || plain) {
		memcpy(out, value.n > 0 ? value.p : "-", value.n + !value.n);
		out[value.n + !value.n] = '\0';
		return out;
	}
	out[n++] = '"';
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			out[n++] = '\\';
		out[n++] = value.p[i];
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

static size_t
stamp(char *out, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, size - n, ".%03ldZ %.64s[%ld]: ",
	    ts.tv_nsec / 1000000, target.ident, (long)getpid());
	return strlen(out);
}

void
log_vmsg(enum log_level l, const char *fmt, va_list ap)
{
	char text[TEXT_MAX], line[3 * TEXT_MAX];
	int saved = errno;
	size_t n = 0;

	if (l > target.max)
		return;
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		snprintf(text, sizeof(text), "(unprintable: %.200s)", fmt);
	if (!target.syslog)
		n = stamp(line, 128);
	if (session[0] != '\0') {
		n += escape(line + n, SESSION_MAX * 2, session);
		line[n++] = ':';
		line[n++] = ' ';
	}
	n += escape(line + n, sizeof(line) - n - 1, text);
	if (target.syslog) {
		syslog((int)l, "%s", line);
	} else {
		line[n++] = '\n';
		/* Nowhere is left to tell of a failure. */
		if (write(target.fd, line, n) < 0)
			errno = saved;
	}
	errno = saved;
}

void
log_msg(enum log_level l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(l, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(LOG_L_ERR, fmt, ap);
	va_end(ap);
	_exit(EXIT_TEMP);
}

void
fatal_perm(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(LOG_L_ERR, fmt, ap);
	va_end(ap);
	exit(EXIT_PERM);
}
