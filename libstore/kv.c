/* libstore/kv.c - the engine interface: argument checks and dispatch */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/kv-int.h"

const struct kv_ops *
kv_engine(const struct kv_conf *cf)
{
	const char *name = cf->engine;

	if (name == NULL || strcmp(name, "bdb") == 0)
		return &kv_bdb_ops;
	if (strcmp(name, "mem") == 0)
		return &kv_mem_ops;
	if (strcmp(name, "chaos") == 0 || strncmp(name, "chaos:", 6) == 0)
		return &kv_chaos_ops;
	return NULL;
}

void
kv_init(struct kv *kv, const struct kv_ops *ops, const struct kv_conf *cf,
    const char *dir)
{
	kv->ops = ops;
	kv->cf = *cf;
	kv->cf.engine = cf->engine == NULL ? NULL : xstrdup(cf->engine);
	kv->dir = xstrdup(dir);
}

void
kv_release(struct kv *kv)
{
	char *engine = NULL;

	/* It is const for everybody else. */
	memcpy(&engine, &kv->cf.engine, sizeof(engine));
	xfree(engine);
	xfree(kv->dir);
}

void
kv_tell(struct kv *kv)
{
	if (kv->told)
		return;
	kv->told = true;
	log_err("%s is damaged: %s; see culver check --repair", kv->dir,
	    kv->err);
}

int
kv_fail(struct kv *kv, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(kv->err, sizeof(kv->err), fmt, ap);
	va_end(ap);
	if (rc == STORE_E_CORRUPT)
		kv_tell(kv);
	return rc;
}

int
kv_fail_sys(struct kv *kv, const char *fmt, ...)
{
	int e = errno;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(kv->err, sizeof(kv->err), fmt, ap);
	va_end(ap);
	n = strlen(kv->err);
	snprintf(kv->err + n, sizeof(kv->err) - n, ": %s", strerror(e));
	return io_full(e) ? STORE_E_NOSPACE : STORE_E_IO;
}

int
kv_open(const struct kv_conf *cf, const char *dir, int flags, struct kv **kv_r)
{
	const struct kv_ops *ops = kv_engine(cf);

	if (ops == NULL || dir == NULL || dir[0] == '\0')
		return STORE_E_INVALID;
	return ops->open(cf, dir, flags, kv_r);
}

int
kv_reopen(const struct kv *kv, struct kv **kv_r)
{
	return kv->ops->open(&kv->cf, kv->dir, 0, kv_r);
}

void
kv_close(struct kv **kvp)
{
	struct kv *kv = *kvp;

	*kvp = NULL;
	if (kv == NULL)
		return;
	if (kv->txn != NULL) {
		struct kv_txn *txn = kv->txn;

		kv_abort(&txn);
	}
	kv->ops->close(kv);
}

const char *
kv_errmsg(const struct kv *kv)
{
	return kv->err;
}

int
kv_refresh(struct kv *kv)
{
	assert(kv->txn == NULL);
	return kv->ops->refresh(kv);
}

uint64_t
kv_modseq(const struct kv *kv)
{
	return kv->modseq;
}

/* ---- transactions ------------------------------------------------------- */

int
kv_begin(struct kv *kv, int mode, struct kv_txn **txn_r)
{
	int rc;

	assert(kv->txn == NULL);
	if ((rc = kv->ops->begin(kv, mode, txn_r)) == 0)
		kv->txn = *txn_r;
	return rc;
}

uint64_t
kv_txn_modseq(const struct kv_txn *txn)
{
	return txn->modseq;
}

static bool
key_ok(struct slice key)
{
	return key.n >= 1 && key.n <= KV_KEY_MAX;
}

int
kv_get(struct kv_txn *txn, struct arena *a, struct slice key,
    struct slice *val_r)
{
	if (!key_ok(key))
		return kv_fail(txn->kv, STORE_E_INVALID, "get: bad key");
	return txn->kv->ops->get(txn, a, key, val_r);
}

int
kv_getn(struct kv_txn *txn, struct arena *a, const struct slice *key,
    size_t n, struct slice *val_r)
{
	for (size_t i = 0; i < n; i++) {
		int rc = kv_get(txn, a, key[i], &val_r[i]);

		if (rc == STORE_E_NOTFOUND)
			val_r[i] = slice_make(NULL, 0);
		else if (rc < 0)
			return rc;
	}
	return 0;
}

int
kv_scan_open(struct kv_txn *txn, struct slice from, struct slice to, int flags,
    struct kv_scan **s_r)
{
	if (from.n > KV_KEY_MAX || to.n > KV_KEY_MAX)
		return kv_fail(txn->kv, STORE_E_INVALID, "scan: bad key");
	return txn->kv->ops->scan_open(txn, from, to, flags, s_r);
}

int
kv_scan_next(struct kv_scan *s, struct slice *key_r, struct slice *val_r)
{
	return s->ops->scan_next(s, key_r, val_r);
}

void
kv_scan_close(struct kv_scan **s)
{
	if (*s != NULL)
		(*s)->ops->scan_close(*s);
	*s = NULL;
}

int
kv_put(struct kv_txn *txn, struct slice key, struct slice val)
{
	assert(txn->mode & KV_RW);
	if (!key_ok(key))
		return kv_fail(txn->kv, STORE_E_INVALID, "put: bad key");
	if (val.n > KV_VALUE_MAX)
		return kv_fail(txn->kv, STORE_E_TOOBIG, "put: %zu octets",
		    val.n);
	return txn->kv->ops->put(txn, key, val);
}

int
kv_patch(struct kv_txn *txn, struct slice key, size_t off, struct slice octets)
{
	assert(txn->mode & KV_RW);
	if (!key_ok(key))
		return kv_fail(txn->kv, STORE_E_INVALID, "patch: bad key");
	if (off > KV_VALUE_MAX || octets.n > KV_VALUE_MAX - off)
		return kv_fail(txn->kv, STORE_E_INVALID, "patch: past the end");
	return txn->kv->ops->patch(txn, key, off, octets);
}

int
kv_del(struct kv_txn *txn, struct slice key)
{
	assert(txn->mode & KV_RW);
	if (!key_ok(key))
		return kv_fail(txn->kv, STORE_E_INVALID, "del: bad key");
	return txn->kv->ops->del(txn, key);
}

int
kv_del_range(struct kv_txn *txn, struct slice from, struct slice to)
{
	assert(txn->mode & KV_RW);
	if (from.n > KV_KEY_MAX || to.n > KV_KEY_MAX)
		return kv_fail(txn->kv, STORE_E_INVALID, "del: bad key");
	if (to.n > 0 && slice_cmp(from, to) >= 0)
		return 0;
	return txn->kv->ops->del_range(txn, from, to);
}

int
kv_commit(struct kv_txn **txnp, uint64_t *modseq_r)
{
	struct kv_txn *txn = *txnp;
	struct kv *kv = txn->kv;
	uint64_t modseq = 0;
	int rc;

	*txnp = NULL;
	kv->txn = NULL;
	rc = kv->ops->commit(txn, &modseq);
	if (rc == 0 && modseq_r != NULL)
		*modseq_r = modseq;
	return rc;
}

void
kv_abort(struct kv_txn **txnp)
{
	struct kv_txn *txn = *txnp;

	*txnp = NULL;
	if (txn == NULL)
		return;
	txn->kv->txn = NULL;
	txn->kv->ops->abort(txn);
}

/* ---- blobs, upkeep, watching -------------------------------------------- */

int
kv_blob_put(struct kv_txn *txn, struct kv_blob *b, struct kv_ref *ref_r)
{
	assert(txn->mode & KV_RW);
	return txn->kv->ops->blob_put(txn, b, ref_r);
}

int
kv_blob_del(struct kv *kv, const struct kv_ref *ref)
{
	return ref->len == 0 ? 0 : kv->ops->blob_del(kv, ref);
}

int
kv_blob_purge(struct kv *kv, bool (*keep)(void *arg, const struct kv_ref *ref),
    void *arg)
{
	assert(kv->txn == NULL);
	return kv->ops->blob_purge == NULL ? STORE_E_INVALID :
	    kv->ops->blob_purge(kv, keep, arg);
}

int
kv_idle(struct kv *kv, bool force)
{
	assert(kv->txn == NULL);
	return kv->ops->idle(kv, force);
}

int
kv_check(struct kv *kv, void (*fn)(void *arg, const char *fault), void *arg)
{
	assert(kv->txn == NULL);
	return kv->ops->check(kv, fn, arg);
}

int
kv_backup(struct kv *kv, struct kv_repo *r, const struct kv_backup *b,
    struct kv_backed *d_r)
{
	assert(kv->txn == NULL);
	return kv->ops->backup == NULL ? STORE_E_INVALID :
	    kv->ops->backup(kv, r, b, d_r);
}

int
kv_salvage(const struct kv_conf *cf, const char *dir, const char *aside,
    void (*fn)(void *arg, const char *text), void *arg, struct kv **kv_r)
{
	const struct kv_ops *ops = kv_engine(cf);

	if (ops == NULL || ops->salvage == NULL)
		return STORE_E_INVALID;
	return ops->salvage(cf, dir, aside, fn, arg, kv_r);
}

int
kv_salvage_blobs(struct kv *kv, int (*fn)(void *arg, const struct kv_ref *ref,
    uint64_t size), void *arg)
{
	return kv->ops->salvage_blobs(kv, fn, arg);
}

void
kv_salvage_floor(struct kv *kv, uint64_t modseq)
{
	assert(kv->txn == NULL);
	kv->ops->salvage_floor(kv, modseq);
}

int
kv_salvage_done(struct kv *kv)
{
	assert(kv->txn == NULL);
	return kv->ops->salvage_done(kv);
}

int
kv_watch_new(const struct kv_conf *cf, bool many, struct kv_watch **w_r)
{
	const struct kv_ops *ops = kv_engine(cf);

	if (ops == NULL)
		return STORE_E_INVALID;
	return ops->watch_new(cf, many, w_r);
}

void
kv_watch_free(struct kv_watch **w)
{
	if (*w != NULL)
		(*w)->ops->watch_free(*w);
	*w = NULL;
}

int
kv_watch_fd(const struct kv_watch *w)
{
	return w->fd;
}

int
kv_watch_add(struct kv_watch *w, const struct kv *kv, void *cookie)
{
	return w->ops->watch_add(w, kv, cookie);
}

void
kv_watch_del(struct kv_watch *w, void *cookie)
{
	w->ops->watch_del(w, cookie);
}

int
kv_watch_next(struct kv_watch *w, void **cookie_r)
{
	return w->ops->watch_next(w, cookie_r);
}
