/* libbase/log.h - one line an event, to syslog, a file or stderr */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

/* syslog's numbers, so that they can be passed on. */
enum log_level {
	LOG_L_ERR = 3, LOG_L_WARN = 4, LOG_L_NOTICE = 5, LOG_L_INFO = 6,
	LOG_L_DEBUG = 7
};

/* Exit codes of all our programs. */
enum { EXIT_PERM = 100, EXIT_TEMP = 111 };

/*
 * Before log_open() lines go to stderr.  target: "stderr", "syslog", or an
 * absolute path (opened O_APPEND; a line is one write, so that processes may
 * share it).  ident is kept, not copied.  0, or -1 with errno.
 */
int log_open(const char *ident, const char *target, enum log_level max);
void log_close(void);
enum log_level log_max(void);
/*
 * One line: "2026-11-22T10:00:00.123Z ident[pid]: session: text" (syslog adds its own
 * head).  Control octets and invalid UTF-8 in the text are escaped as \xNN,
 * so that input can't forge lines; a text is cut after 4095 octets.  errno is
 * kept.
 */
void log_msg(enum log_level l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_vmsg(enum log_level l, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
#define log_err(...) log_msg(LOG_L_ERR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_L_WARN, __VA_ARGS__)
#define log_info(...) log_msg(LOG_L_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_L_DEBUG, __VA_ARGS__)
/*
 * A value of a "key=value" pair that nobody can make look like two: as it is, or
 * in double quotes if it has spaces, '=' or '"' (with a backslash before that and
 * before a backslash), "-" if it is empty; cut after LOG_QUOTED / 2 - 2 octets.
 */
enum { LOG_QUOTED = 512 };
struct slice;
const char *log_quote(struct slice value, char out[LOG_QUOTED]);
/* Text put before every line of this thread, e.g. "imap 10.0.0.1 alice".
 * Copied (at most 200 octets); NULL for none. */
void log_session(const char *text);
/* Logs and exits 111 (out of memory, the impossible). */
void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));
/* Logs and exits 100 (configuration, usage). */
void fatal_perm(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
