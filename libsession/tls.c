/* libsession/tls.c - finds the TLS files and loads the module */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/module.h"
#include "libsession/secret.h"
#include "libsession/tls-int.h"

enum { PEM_MAX = 1024 * 1024 };

struct secret {	/* a file in memory */
	char *p;
	size_t n;
};

struct cert {
	struct secret certificate, key, ocsp;
};

struct tls_ctx {
	struct cert *cert;
	struct tls_cert_files *files;	/* what the module gets of them */
	size_t n;
	struct secret client_ca, client_crl;
	/* the current one and the one before */
	char ticket_key[2 * TLS_TICKET_KEY_LEN];
	struct stat ticket;
	char *priority, *module_dir;
	const struct tls_module *m;
	struct tls_module_ctx *mc;
};

static void *
host_alloc(size_t n)
{
	return xcalloc(1, n);
}

static void
host_warn(const char *text)
{
	log_warn("TLS: %s", text);
}

static const struct tls_host host = { host_alloc, xfree, host_warn };

/* The whole file; path NULL: nothing.  0, or -1 with errno. */
static int
secret_read(const char *path, struct secret *s)
{
	struct stat st;
	int fd, rc = -1, e;

	if (path == NULL)
		return 0;
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

static struct slice
slice_of(const struct secret *s)
{
	return slice_make(s->p, s->n);
}

/* 0, or -1, errno, and which file in *what_r. */
static int
read_cert(struct tls_ctx *ctx, const char *certificate, const char *key,
    const char *ocsp, const char **what_r)
{
	struct cert *t = &ctx->cert[ctx->n];

	ctx->files[ctx->n++].name = certificate;
	if (secret_read(*what_r = certificate, &t->certificate) < 0 ||
	    secret_read(*what_r = key, &t->key) < 0 ||
	    secret_read(*what_r = ocsp, &t->ocsp) < 0)
		return -1;
	return 0;
}

static int
read_files(struct tls_ctx *ctx, const struct conf *c, const char **what_r)
{
	ctx->cert = xcalloc(c->n_certs + 1, sizeof(*ctx->cert));
	ctx->files = xcalloc(c->n_certs + 1, sizeof(*ctx->files));
	if (read_cert(ctx, c->certificate, c->key, c->ocsp, what_r) < 0)
		return -1;
	for (size_t i = 0; i < c->n_certs; i++)
		if (read_cert(ctx, c->certs[i].certificate, c->certs[i].key,
			c->certs[i].ocsp, what_r) < 0)
			return -1;
	if (secret_read(*what_r = c->client_ca, &ctx->client_ca) < 0 ||
	    secret_read(*what_r = c->client_crl, &ctx->client_crl) < 0)
		return -1;
	for (size_t i = 0; i < ctx->n; i++) {
		ctx->files[i].certificate = slice_of(&ctx->cert[i].certificate);
		ctx->files[i].key = slice_of(&ctx->cert[i].key);
		ctx->files[i].ocsp = slice_of(&ctx->cert[i].ocsp);
	}
	return 0;
}

static struct tls_ctx *
ctx_alloc(const struct conf *c)
{
	struct tls_ctx *ctx = xcalloc(1, sizeof(*ctx));

	ctx->priority = xstrdup(c->tls_priority);
	ctx->module_dir = xstrdup(c->module_dir);
	return ctx;
}

int
tls_ctx_new(const struct conf *c, struct tls_ctx **ctx_r, char **err_r)
{
	struct tls_ctx *ctx = ctx_alloc(c);
	const char *what = c->ticket_key;

	if (secret_pair(c, c->ticket_key, c->ticket_lifetime_s,
		ctx->ticket_key, TLS_TICKET_KEY_LEN, &ctx->ticket) < 0 ||
	    read_files(ctx, c, &what) < 0) {
		*err_r = xasprintf("%s: %s", what, strerror(errno));
		tls_ctx_free(&ctx);
		return -1;
	}
	*ctx_r = ctx;
	return 0;
}

int
tls_check(const struct conf *c, char **err_r)
{
	struct tls_ctx *ctx;
	const char *what = NULL;
	int rc = 0;

	if (c->certificate == NULL)
		return 0;
	ctx = ctx_alloc(c);
	if (read_files(ctx, c, &what) == 0)
		rc = tls_ctx_load(ctx, true, err_r);
	else if (errno != EACCES) {
		*err_r = xasprintf("%s: %s", what, strerror(errno));
		rc = -1;
	}
	tls_ctx_free(&ctx);
	return rc;
}

const struct stat *
tls_ctx_ticket(const struct tls_ctx *ctx)
{
	return &ctx->ticket;
}

void
tls_ctx_free(struct tls_ctx **ctxp)
{
	struct tls_ctx *ctx = *ctxp;

	if (ctx == NULL)
		return;
	if (ctx->mc != NULL)
		ctx->m->ctx_free(&ctx->mc);
	for (size_t i = 0; i < ctx->n; i++) {
		xfree(ctx->cert[i].certificate.p);
		xfree_secret(ctx->cert[i].key.p, ctx->cert[i].key.n);
		xfree(ctx->cert[i].ocsp.p);
	}
	xfree(ctx->cert);
	xfree(ctx->files);
	xfree(ctx->client_ca.p);
	xfree(ctx->client_crl.p);
	secret_wipe(ctx->ticket_key, sizeof(ctx->ticket_key));
	xfree(ctx->priority);
	xfree(ctx->module_dir);
	xfree(ctx);
	*ctxp = NULL;
}

static int
module_open(struct tls_ctx *ctx, char **err_r)
{
	const struct module want = { TLS_MODULE_VERSION, sizeof(*ctx->m) };
	struct arena *a = arena_new(0);
	const char *why;

	ctx->m = module_load(ctx->module_dir, "tls", "culver_tls_module", want,
	    a, &why);
	if (ctx->m == NULL)
		*err_r = xasprintf("TLS %s", why);
	arena_free(&a);
	return ctx->m != NULL ? 0 : -1;
}

int
tls_ctx_load(struct tls_ctx *ctx, bool full, char **err_r)
{
	struct tls_files files = {
		.certs = ctx->files,
		.n_certs = ctx->n,
		.ticket_key = { ctx->ticket_key, TLS_TICKET_KEY_LEN },
		.ticket_key_before = { ctx->ticket_key + TLS_TICKET_KEY_LEN,
			TLS_TICKET_KEY_LEN },
		.client_ca = slice_of(&ctx->client_ca),
		.client_crl = slice_of(&ctx->client_crl),
		.priority = ctx->priority
	};
	char why[512];

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
