/* culver/imapc.c - an IMAP client: lines, literals, commands */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "culver/imapc-int.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

enum {
	LINE_MOST = 64 * 1024 * 1024,	/* an ESEARCH of a large mailbox */
	PIECE = 65536,
	SAY_MAX = 300
};

/* ---- octets ------------------------------------------------------------ */

static int
failed(struct imapc *m, const char *why)
{
	if (!m->failed)
		complain("%s: %s", m->name, why);
	m->failed = true;
	return -1;
}

static int
put(struct imapc *m, const char *p, size_t n)
{
	int rc;

	if (m->failed)
		return -1;
	rc = m->tls ? imapc_tls_write(m, p, n) : io_write_full(m->fd, p, n);
	return rc < 0 ? failed(m, "the connection failed") : 0;
}

/* More octets behind those that are there. */
static int
fill(struct imapc *m)
{
	ssize_t n;
	char *p;

	if (m->failed)
		return -1;
	buf_consume(&m->in, m->used);
	m->used = 0;
	p = buf_reserve(&m->in, PIECE);
	if (!p)
		return failed(m, "a line is too long");
	n = m->tls ? imapc_tls_read(m, p, PIECE) : io_read(m->fd, p, PIECE);
	if (n == 0)
		return failed(m, "the server closed the connection");
	if (n < 0)
		return failed(m, errno == EAGAIN ? "the server is silent" :
		    "the connection failed");
	m->in.n += (size_t)n;
	return 0;
}

/* ---- responses --------------------------------------------------------- */

/* "... {12}" or "~{12}": the octets that follow; false: there are none. */
static bool
literal_of(struct slice *line, uint64_t *n_r)
{
	size_t i = line->n;

	if (i < 3 || line->p[i - 1] != '}')
		return false;
	while (--i > 0 && line->p[i - 1] != '{')
		;
	if (i == 0 || slice_uint(slice_make(line->p + i, line->n - 1 - i),
	    UINT64_MAX / 2, n_r) < 0)
		return false;
	line->n = i - 1;
	if (line->n > 0 && line->p[line->n - 1] == '~')
		line->n--;
	return true;
}

static int
line(struct imapc *m, struct slice *s_r)
{
	size_t at = 0;
	char *lf;

	for (;;) {
		const char *p = m->in.n ? m->in.p + m->used : NULL;
		size_t n = m->in.n - m->used;

		lf = n > at ? memchr(p + at, '\n', n - at) : NULL;
		if (lf) {
			*s_r = slice_make(p, (size_t)(lf - p));
			m->used += s_r->n + 1;
			if (s_r->n > 0 && lf[-1] == '\r')
				s_r->n--;
			return 0;
		}
		at = n;
		if (fill(m) < 0)
			return -1;
	}
}

/* The tagged response: OK, or what the server says. */
static int
tagged(struct imapc *m, struct slice s)
{
	if (s.n >= 2 && slice_ieq(slice_make(s.p, 2), SLICE_LIT("OK"))) {
		if (!slice_starts(s, SLICE_LIT("OK [MESSAGELIMIT")))
			return 0;
		complain("%s: not all was looked at: %.*s", m->name, (int)s.n,
		    s.p);
		return -1;
	}
	complain("%s: %.*s", m->name, (int)(s.n < SAY_MAX ? s.n : SAY_MAX),
	    s.p);
	return -1;
}

int
imapc_next(struct imapc *m, struct slice *text_r, uint64_t *literal_r,
    bool *more_r)
{
	char tag[16];
	size_t n;

	if (line(m, text_r) < 0)
		return -1;
	*literal_r = 0;
	*more_r = literal_of(text_r, literal_r);
	n = (size_t)snprintf(tag, sizeof(tag), "c%u ", m->tag);
	if (*more_r || m->inside || !slice_starts(*text_r,
	    slice_make(tag, n))) {
		m->inside = *more_r;
		return 1;
	}
	return tagged(m, slice_make(text_r->p + n, text_r->n - n));
}

int
imapc_literal(struct imapc *m, uint64_t n,
    int (*fn)(void *arg, const char *p, size_t n), void *arg)
{
	int rc = 0;

	while (n > 0) {
		size_t have = m->in.n - m->used;

		if (have == 0) {
			if (fill(m) < 0)
				return -1;
			continue;
		}
		have = have < n ? have : (size_t)n;
		if (fn && rc == 0)
			rc = fn(arg, m->in.p + m->used, have);
		m->used += have;
		n -= have;
	}
	return rc;
}

/* ---- commands ---------------------------------------------------------- */

void
imapc_put_string(struct buf *b, struct slice s)
{
	bool plain = s.n < 1000;

	for (size_t i = 0; plain && i < s.n; i++)
		plain = (unsigned char)s.p[i] >= 0x20 &&
		    (unsigned char)s.p[i] < 0x7f;
	if (!plain) {
		buf_printf(b, "{%zu+}\r\n", s.n);
		buf_add_slice(b, s);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, '"');
}

int
imapc_send(struct imapc *m, struct slice command)
{
	char tag[16];
	int n = snprintf(tag, sizeof(tag), "c%u ", ++m->tag);

	if (put(m, tag, (size_t)n) < 0 || put(m, command.p, command.n) < 0)
		return -1;
	return put(m, "\r\n", 2);
}

int
imapc_command(struct imapc *m, struct slice command,
    void (*fn)(void *arg, struct slice line), void *arg)
{
	struct slice text;
	uint64_t literal;
	bool more;
	int rc;

	if (imapc_send(m, command) < 0)
		return -1;
	while ((rc = imapc_next(m, &text, &literal, &more)) == 1) {
		if (fn)
			fn(arg, text);
		if (more && imapc_literal(m, literal, NULL, NULL) < 0)
			return -1;
	}
	return rc;
}

/* ---- our own imapd ----------------------------------------------------- */

/* Beside us in a build directory, or where it is installed. */
static void
run_imapd(const char *conf, const char *account)
{
	char self[4096], *beside;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		beside = xasprintf("%s/../imapd/imapd", self);
		execl(beside, "imapd", "-f", conf, "-u", account,
		    (char *)NULL);
	}
	execl(CULVER_DAEMONDIR "/imapd", "imapd", "-f", conf, "-u", account,
	    (char *)NULL);
	_exit(127);
}

struct imapc *
imapc_new(int fd, const char *name)
{
	struct imapc *m = xcalloc(1, sizeof(*m));

	m->fd = fd;
	m->pid = -1;
	m->name = xstrdup(name);
	buf_init(&m->in, LINE_MOST);
	return m;
}

int
imapc_greeting(struct imapc *m, bool *preauth_r)
{
	struct slice s;

	if (line(m, &s) < 0)
		return -1;
	*preauth_r = slice_starts(s, SLICE_LIT("* PREAUTH"));
	if (*preauth_r || slice_starts(s, SLICE_LIT("* OK")))
		return 0;
	complain("%s: %.*s", m->name,
	    (int)(s.n < SAY_MAX ? s.n : SAY_MAX), s.p);
	m->failed = true;
	return -1;
}

int
imapc_local(struct culver *c, const char *account, struct imapc **m_r)
{
	struct imapc *m;
	int fd[2], code;
	bool preauth;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0) {
		complain("socketpair: %s", strerror(errno));
		return EXIT_TEMP;
	}
	m = imapc_new(fd[0], account);
	fflush(NULL);
	m->pid = fork();
	if (m->pid == 0) {
		/* It becomes the service user by itself. */
		priv_caller();
		if (dup2(fd[1], 0) >= 0 && dup2(fd[1], 1) >= 0)
			run_imapd(c->conf_path, account);
		_exit(127);
	}
	io_close(&fd[1]);
	if (imapc_greeting(m, &preauth) == 0 &&
	    imapc_command(m, SLICE_LIT("ENABLE IMAP4rev2 UTF8=ACCEPT"),
	    NULL, NULL) == 0) {
		*m_r = m;
		return 0;
	}
	code = imapc_end(&m);
	if (code == 127)
		complain("imapd can't be started (%s/imapd)",
		    CULVER_DAEMONDIR);
	return EXIT_TEMP;
}

int
imapc_end(struct imapc **m)
{
	struct imapc *x = *m;
	int status = 0;

	if (!x)
		return 0;
	if (!x->failed)
		(void)imapc_command(x, SLICE_LIT("LOGOUT"), NULL, NULL);
	imapc_tls_end(x);
	io_close(&x->fd);
	if (x->pid > 0)
		while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
			;
	buf_release(&x->in);
	xfree(x->name);
	xfree(x);
	*m = NULL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

void
imapc_close(struct imapc **m)
{
	(void)imapc_end(m);
}
