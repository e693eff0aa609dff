/* libsession/backend.c - passwords that others check: PAM, or a program */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/backend-int.h"
#include "libsession/backend.h"
#include "libsession/module.h"
#include "libsession/program.h"

enum { SAID_MAX = 256, TIMEOUT_MS = 10000, QUESTION_MAX = 8192 };

bool
backend_is(struct slice hash)
{
	return slice_eq(hash, SLICE_LIT(BACKEND_PAM)) ||
	    slice_eq(hash, SLICE_LIT(BACKEND_COMMAND));
}

/* ---- PAM --------------------------------------------------------------- */

/* The peer without its port; NULL: it has no address. */
static const char *
host_of(const char *peer, struct arena *a)
{
	const char *colon = strrchr(peer, ':');

	return colon == NULL || strncmp(peer, "unix:", 5) == 0 ? NULL :
	    arena_strndup(a, peer, (size_t)(colon - peer));
}

static void *
zeroed(size_t n)
{
	return xcalloc(1, n);
}

static int
check_pam(const struct conf *c, const struct backend_login *l,
    struct arena *a)
{
	const struct pam_module *m;
	const struct module want = { PAM_MODULE_VERSION, sizeof(*m) };
	const char *why = NULL;
	char text[160], *pass;
	int rc;

	if (c->pam_service == NULL) {
		log_err("%.*s: no pam-service is configured",
		    (int)l->account.n, l->account.p);
		return -1;
	}
	m = module_load(c->module_dir, "pam", "culver_pam_module", want, a, &why);
	if (m == NULL) {
		log_err("PAM: %s", why);
		return -1;
	}
	pass = arena_strndup(a, l->password.p, l->password.n);
	rc = m->check(c->pam_service, c->pam_dir,
	    arena_strndup(a, l->account.p, l->account.n), pass,
	    host_of(l->peer, a), zeroed, text, sizeof(text));
	secret_wipe(pass, l->password.n);
	if (rc < 0)
		log_err("PAM: %s", text);
	return rc;
}

/* ---- a program --------------------------------------------------------- */

static void
line(struct buf *b, const char *key, struct slice value)
{
	buf_add_str(b, key);
	buf_addc(b, '=');
	buf_add_slice(b, value);
	buf_addc(b, '\n');
}

/* What the program reads, in a file that is in memory alone; -1 with errno. */
static int
question(const struct backend_login *l)
{
	int fd = memfd_create("login", MFD_CLOEXEC), rc;
	struct buf b;

	buf_init(&b, QUESTION_MAX);
	buf_add_str(&b, "culver-login 1\n");
	line(&b, "protocol", slice_str(l->protocol));
	line(&b, "peer", slice_str(l->peer));
	line(&b, "user", l->user);
	line(&b, "account", l->account);
	line(&b, "password", l->password);
	buf_addc(&b, '\n');
	rc = fd < 0 || b.overflow || io_write_full(fd, b.p, b.n) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
	if (b.p != NULL)
		secret_wipe(b.p, b.n);
	buf_release(&b);
	if (rc < 0)
		io_close(&fd);
	return fd;
}

/* "ok" or "no", and a status of 0. */
static int
answer(const char *path, int status, struct slice said)
{
	const char *nl = said.n > 0 ? memchr(said.p, '\n', said.n) : NULL;
	struct slice first = slice_trim(slice_make(said.p,
	    nl != NULL ? (size_t)(nl - said.p) : said.n));

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (slice_eq(first, SLICE_LIT("ok")))
			return 1;
		if (slice_eq(first, SLICE_LIT("no")))
			return 0;
	}
	log_err("%s: status %d: %.*s", path, WIFEXITED(status) ?
	    WEXITSTATUS(status) : -1, (int)first.n,
	    first.n > 0 ? first.p : "");
	return -1;
}

static int
check_command(const struct conf *c, const struct backend_login *l,
    struct arena *a)
{
	char *argv[2] = { arena_strdup(a, c->auth_command), NULL };
	int in = -1, out[2] = { -1, -1 }, rc = -1;
	struct buf said;
	pid_t pid;

	buf_init(&said, SAID_MAX);
	if ((in = question(l)) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
	    program_start(argv, in, out[1], &pid) < 0) {
		log_err("%s: %s", c->auth_command, strerror(errno));
	} else {
		io_close(&out[1]);
		rc = program_wait(pid, out[0], time_mono_ms() + TIMEOUT_MS,
		    &said);
		rc = answer(c->auth_command, rc, buf_slice(&said));
	}
	buf_release(&said);
	io_close(&in);
	io_close(&out[0]);
	io_close(&out[1]);
	return rc;
}

int
backend_check(const struct conf *c, struct slice hash,
    const struct backend_login *l, struct arena *a)
{
	/* Neither can be given such a one. */
	for (size_t i = 0; i < l->password.n; i++)
		if (l->password.p[i] == '\0' || l->password.p[i] == '\n')
			return 0;
	for (size_t i = 0; i < l->user.n; i++)
		if (l->user.p[i] == '\n')
			return 0;
	if (slice_eq(hash, SLICE_LIT(BACKEND_PAM)))
		return check_pam(c, l, a);
	if (c->auth_command != NULL)
		return check_command(c, l, a);
	log_err("%.*s: no auth-command is configured", (int)l->account.n,
	    l->account.p);
	return -1;
}
