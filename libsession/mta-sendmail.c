/* libsession/mta-sendmail.c - the sendmail interface: a program gets the mail */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libsession/mta-int.h"
#include "libsession/program.h"

enum { SAID_MAX = 2000 };

/*
 * The message in a file: if this process dies the program still sees all of
 * it, not a part.  Line ends are those of the system.
 */
static int
message_file(const struct mta_mail *m)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	struct buf b;
	int rc = fd < 0 ? -1 : 0;

	buf_init(&b, 65536);
	for (size_t i = 0; rc == 0 && i < m->octets.n; i++) {
		char c = m->octets.p[i];

		if (c == '\r' && i + 1 < m->octets.n &&
		    m->octets.p[i + 1] == '\n')
			continue;
		buf_addc(&b, c);
		if (b.n == b.max) {
			rc = io_write_full(fd, b.p, b.n);
			buf_reset(&b);
		}
	}
	if (rc == 0 && b.n > 0)
		rc = io_write_full(fd, b.p, b.n);
	buf_release(&b);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = -1;
	if (rc < 0)
		io_close(&fd);
	return fd;
}

static char **
arguments(const char *path, const struct mta_mail *m, struct arena *a)
{
	char **v = arena_calloc(a, m->n_rcpt + 6, sizeof(*v));
	size_t n = 0;

	v[n++] = arena_strdup(a, path);
	v[n++] = arena_strdup(a, "-i");
	v[n++] = arena_strdup(a, "-f");
	v[n++] = m->from.n > 0 ? arena_strndup(a, m->from.p, m->from.n) :
	    arena_strdup(a, "<>");
	v[n++] = arena_strdup(a, "--");
	for (size_t i = 0; i < m->n_rcpt; i++)
		v[n++] = arena_strndup(a, m->rcpt[i].address.p,
		    m->rcpt[i].address.n);
	return v;
}

/* What an exit status means, sysexits(3). */
static int
outcome(struct mta_mail *m, int status, struct slice said, struct arena *a)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	const char *text = "451 4.3.0 The mail system failed";
	int rc = MTA_E_TEMP;

	switch (code) {
	case EX_OK:
		return mta_all(m, MTA_OK, MTA_AT_DATA, 250,
		    SLICE_LIT("250 2.0.0 Accepted by the mail system"));
	case EX_USAGE:
	case EX_DATAERR:
	case EX_NOUSER:
	case EX_NOHOST:
	case EX_UNAVAILABLE:
	case EX_NOPERM:
		rc = MTA_E_PERM;
		text = "554 5.0.0 Refused by the mail system";
		break;
	default:
		break;
	}
	log_warn("sendmail: status %d: %.*s", code, (int)said.n,
	    said.n > 0 ? said.p : "");
	if (said.n > 0)
		text = arena_printf(a, "%s: %.*s", text, (int)said.n, said.p);
	return mta_all(m, rc, MTA_AT_DATA, rc == MTA_E_PERM ? 554 : 451,
	    mta_line(a, slice_str(text)));
}

static int
failed(struct mta_mail *m, const char *what)
{
	log_err("sendmail: %s: %s", what, strerror(errno));
	return mta_all(m, MTA_E_TEMP, MTA_AT_CONNECT, 451,
	    SLICE_LIT("451 4.3.0 The mail system can't be reached"));
}

int
mta_sendmail(const char *path, struct mta_mail *m, int64_t deadline,
    struct arena *a)
{
	int in, out[2], status;
	struct buf said;
	pid_t pid;
	int rc;

	if (access(path, X_OK) < 0)
		return failed(m, path);
	if ((in = message_file(m)) < 0)
		return failed(m, "message");
	if (pipe2(out, O_CLOEXEC) < 0) {
		rc = failed(m, "pipe");
		io_close(&in);
		return rc;
	}
	if (m->commit != NULL && m->commit(m->arg) < 0) {
		rc = MTA_E_STOPPED;
	} else if (program_start(arguments(path, m, a), in, out[1], &pid) < 0) {
		rc = failed(m, path);
	} else {
		io_close(&out[1]);
		buf_init(&said, SAID_MAX);
		status = program_wait(pid, out[0], deadline, &said);
		rc = outcome(m, status, mta_line(a, buf_slice(&said)), a);
		buf_release(&said);
	}
	io_close(&in);
	io_close(&out[0]);
	io_close(&out[1]);
	return rc;
}
