/* libsession/tls.c - finds the TLS files and loads the module */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/tls-int.h"

enum { PEM_MAX = 1024 * 1024 };

struct secret {	/* a file in memory */
	char *p;
	size_t n;
};

struct tls_ctx {
	struct secret certificate, key, ticket_key;
	char *priority, *module;	/* module: its path */
	void *handle;			/* of dlopen; never closed again: libraries
					 * below it can't be unloaded */
	const struct tls_module *m;
	struct tls_module_ctx *mc;
};

static void *
host_alloc(size_t n)
{
	return xcalloc(1, n);
}

static const struct tls_host host = { host_alloc, xfree };

/* The whole file.  0, or -1 with errno. */
static int
secret_read(const char *path, struct secret *s)
{
	struct stat st;
	int fd, rc = -1, e;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		goto out;
	if (!S_ISREG(st.st_mode) || st.st_size > PEM_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		goto out;
	}
	s->n = (size_t)st.st_size;
	s->p = xmalloc(s->n + 1);
	s->p[s->n] = '\0';
	rc = io_read_full(fd, s->p, s->n);
out:
	e = errno;
	io_close(&fd);
	errno = e;
	return rc;
}

/*
 * Makes a ticket key.  Processes may do that at once: a whole file is linked
 * to its name, and the first one wins.
 */
static int
ticket_key_make(const struct conf *c)
{
	char key[TLS_TICKET_KEY_LEN], *tmp, *dir, *slash;
	const struct passwd *pw = NULL;
	int fd, rc = -1, e;

	dir = xstrdup(c->ticket_key);
	if ((slash = strrchr(dir, '/')) != NULL && slash != dir) {
		*slash = '\0';
		io_mkdirs(dir, 0755);
	}
	xfree(dir);
	tmp = xasprintf("%s.%ld", c->ticket_key, (long)getpid());
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out;
	if (geteuid() == 0 && c->user != NULL)
		pw = getpwnam(c->user);
	random_bytes(key, sizeof(key));
	if (io_write_full(fd, key, sizeof(key)) == 0 &&
	    (pw == NULL || fchown(fd, pw->pw_uid, pw->pw_gid) == 0) &&
	    fdatasync(fd) == 0 &&
	    (link(tmp, c->ticket_key) == 0 || errno == EEXIST))
		rc = 0;
	secret_wipe(key, sizeof(key));
	e = errno;
	unlink(tmp);
	io_close(&fd);
	errno = e;
out:
	xfree(tmp);
	return rc;
}

static int
ticket_key_read(const struct conf *c, struct secret *s)
{
	if (secret_read(c->ticket_key, s) == 0)
		return 0;
	if (errno != ENOENT || ticket_key_make(c) < 0)
		return -1;
	return secret_read(c->ticket_key, s);
}

int
tls_ctx_new(const struct conf *c, struct tls_ctx **ctx_r, char **err_r)
{
	struct tls_ctx *ctx = xcalloc(1, sizeof(*ctx));
	const char *what = c->certificate;

	ctx->priority = xstrdup(c->tls_priority);
	ctx->module = xasprintf("%s/tls.so", c->module_dir);
	if (secret_read(what, &ctx->certificate) < 0)
		goto fail;
	what = c->key;
	if (secret_read(what, &ctx->key) < 0)
		goto fail;
	what = c->ticket_key;
	if (ticket_key_read(c, &ctx->ticket_key) < 0)
		goto fail;
	if (ctx->ticket_key.n != TLS_TICKET_KEY_LEN) {
		*err_r = xasprintf("%s: has %zu octets, wants %d", what,
		    ctx->ticket_key.n, TLS_TICKET_KEY_LEN);
		tls_ctx_free(&ctx);
		return -1;
	}
	*ctx_r = ctx;
	return 0;
fail:
	*err_r = xasprintf("%s: %s", what, strerror(errno));
	tls_ctx_free(&ctx);
	return -1;
}

void
tls_ctx_free(struct tls_ctx **ctxp)
{
	struct tls_ctx *ctx = *ctxp;

	if (ctx == NULL)
		return;
	if (ctx->mc != NULL)
		ctx->m->ctx_free(&ctx->mc);
	xfree_secret(ctx->certificate.p, ctx->certificate.n);
	xfree_secret(ctx->key.p, ctx->key.n);
	xfree_secret(ctx->ticket_key.p, ctx->ticket_key.n);
	xfree(ctx->priority);
	xfree(ctx->module);
	xfree(ctx);
	*ctxp = NULL;
}

static int
module_open(struct tls_ctx *ctx, char **err_r)
{
	const struct tls_module *m;

	if (ctx->handle == NULL)
		ctx->handle = dlopen(ctx->module, RTLD_NOW | RTLD_LOCAL);
	if (ctx->handle == NULL) {
		*err_r = xasprintf("TLS module: %s", dlerror());
		return -1;
	}
	m = dlsym(ctx->handle, "culver_tls_module");
	if (m == NULL || m->version != TLS_MODULE_VERSION ||
	    m->size != sizeof(*m)) {
		*err_r = xasprintf("%s: not a TLS module of this version",
		    ctx->module);
		return -1;
	}
	ctx->m = m;
	return 0;
}

int
tls_ctx_load(struct tls_ctx *ctx, bool full, char **err_r)
{
	struct tls_files files = {
		.certificate = { ctx->certificate.p, ctx->certificate.n },
		.key = { ctx->key.p, ctx->key.n },
		.ticket_key = { ctx->ticket_key.p, ctx->ticket_key.n },
		.priority = ctx->priority
	};
	char why[256];

	if (ctx->mc != NULL)
		return 0;
	if (ctx->m == NULL && module_open(ctx, err_r) < 0)
		return -1;
	if (ctx->m->ctx_new(&host, &files, full, &ctx->mc, why,
		sizeof(why)) < 0) {
		*err_r = xasprintf("TLS: %s", why);
		return -1;
	}
	return 0;
}

const struct tls_module *
tls_ctx_module(struct tls_ctx *ctx, struct tls_module_ctx **mc_r,
    char **err_r)
{
	if (tls_ctx_load(ctx, false, err_r) < 0)
		return NULL;
	*mc_r = ctx->mc;
	return ctx->m;
}
