/* libsession/tls.c - finds the TLS files and loads the module */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/secret.h"
#include "libsession/tls-int.h"

enum { PEM_MAX = 1024 * 1024 };

struct secret {	/* a file in memory */
	char *p;
	size_t n;
};

struct tls_ctx {
	struct secret certificate, key;
	char ticket_key[TLS_TICKET_KEY_LEN];
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
	if (secret_file(c, what, ctx->ticket_key, sizeof(ctx->ticket_key)) < 0)
		goto fail;
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
	secret_wipe(ctx->ticket_key, sizeof(ctx->ticket_key));
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
		.ticket_key = { ctx->ticket_key, sizeof(ctx->ticket_key) },
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
