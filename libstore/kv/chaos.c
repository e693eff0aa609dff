/* libstore/kv/chaos.c - any engine, with commits that fail and lost wake-ups */
#include "config.h"

#include <string.h>
#include <sys/types.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/kv-int.h"

enum { EVERY = 7 };

struct chaos_kv {
	struct kv kv;
	struct kv *in;
	uint32_t x;		/* the random numbers' state */
	bool fenced;
};

struct chaos_txn {
	struct kv_txn txn;
	struct kv_txn *in;
	bool wrote;
};

struct chaos_watch {
	struct kv_watch w;
	struct kv_watch *in;
	uint32_t x;
	unsigned every;
};

static struct kv_conf
inner(const struct kv_conf *cf)
{
	struct kv_conf in = *cf;

	/* "chaos" or "chaos:ENGINE" */
	in.engine = cf->engine[5] == ':' ? cf->engine + 6 : NULL;
	return in;
}

/* Another sequence for each handle, the same in each run with a seed. */
static uint32_t
seed(const struct kv_conf *cf)
{
	static atomic_uint handles;
	uint32_t x;

	if (cf->chaos_seed == 0)
		random_bytes(&x, sizeof(x));
	else
		x = (cf->chaos_seed + atomic_fetch_add(&handles, 1)) *
		    2654435761U;
	return x == 0 ? 1 : x;
}

static uint32_t
below(uint32_t *x, uint32_t n)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x % n;
}

static unsigned
every(const struct kv_conf *cf)
{
	return cf->chaos_every == 0 ? EVERY : cf->chaos_every;
}

/* What the engine below said is what this one says. */
static int
pass(struct kv *kv, int rc)
{
	struct chaos_kv *c = (struct chaos_kv *)kv;

	kv->modseq = kv_modseq(c->in);
	return rc < 0 ? kv_fail(kv, rc, "%s", kv_errmsg(c->in)) : rc;
}

static int
chaos_open(const struct kv_conf *cf, const char *dir, int flags,
    struct kv **kv_r)
{
	struct kv_conf in = inner(cf);
	struct chaos_kv *c;
	struct kv *kv;
	int rc;

	if (in.engine != NULL && strncmp(in.engine, "chaos", 5) == 0)
		return STORE_E_INVALID;
	if ((rc = kv_open(&in, dir, flags, &kv)) < 0)
		return rc;
	c = xcalloc(1, sizeof(*c));
	kv_init(&c->kv, &kv_chaos_ops, cf, dir);
	c->in = kv;
	c->x = seed(cf);
	c->kv.modseq = kv_modseq(kv);
	*kv_r = &c->kv;
	return 0;
}

static void
chaos_close(struct kv *kv)
{
	struct chaos_kv *c = (struct chaos_kv *)kv;

	kv_close(&c->in);
	kv_release(kv);
	xfree(c);
}

static int
chaos_refresh(struct kv *kv)
{
	struct chaos_kv *c = (struct chaos_kv *)kv;

	if (c->fenced)
		return kv_fail(kv, STORE_E_FENCED, "chaos: fenced");
	return pass(kv, kv_refresh(c->in));
}

/* ---- transactions ------------------------------------------------------- */

static int
chaos_begin(struct kv *kv, int mode, struct kv_txn **txn_r)
{
	struct chaos_kv *c = (struct chaos_kv *)kv;
	struct chaos_txn *t;
	struct kv_txn *in;
	int rc;

	if (c->fenced && (mode & KV_RW))
		return kv_fail(kv, STORE_E_FENCED, "chaos: fenced");
	rc = pass(kv, kv_begin(c->in, mode, &in));
	if (rc < 0)
		return rc;
	t = xcalloc(1, sizeof(*t));
	t->txn.kv = kv;
	t->txn.mode = mode;
	t->txn.modseq = kv_txn_modseq(in);
	t->in = in;
	*txn_r = &t->txn;
	return 0;
}

static struct kv_txn *
in_of(struct kv_txn *txn)
{
	return ((struct chaos_txn *)txn)->in;
}

static int
chaos_get(struct kv_txn *txn, struct arena *a, struct slice key,
    struct slice *val_r)
{
	return pass(txn->kv, kv_get(in_of(txn), a, key, val_r));
}

/* The scan is the engine's own. */
static int
chaos_scan_open(struct kv_txn *txn, struct slice from, struct slice to,
    int flags, struct kv_scan **s_r)
{
	return pass(txn->kv, kv_scan_open(in_of(txn), from, to, flags, s_r));
}

static struct kv_txn *
writes(struct kv_txn *txn)
{
	((struct chaos_txn *)txn)->wrote = true;
	return in_of(txn);
}

static int
chaos_put(struct kv_txn *txn, struct slice key, struct slice val)
{
	return pass(txn->kv, kv_put(writes(txn), key, val));
}

static int
chaos_patch(struct kv_txn *txn, struct slice key, size_t off,
    struct slice octets)
{
	return pass(txn->kv, kv_patch(writes(txn), key, off, octets));
}

static int
chaos_del(struct kv_txn *txn, struct slice key)
{
	return pass(txn->kv, kv_del(writes(txn), key));
}

static int
chaos_del_range(struct kv_txn *txn, struct slice from, struct slice to)
{
	return pass(txn->kv, kv_del_range(writes(txn), from, to));
}

static int
chaos_blob_put(struct kv_txn *txn, struct kv_blob *b, struct kv_ref *ref_r)
{
	return pass(txn->kv, kv_blob_put(writes(txn), b, ref_r));
}

static void
chaos_abort(struct kv_txn *txn)
{
	struct chaos_txn *t = (struct chaos_txn *)txn;

	kv_abort(&t->in);
	xfree(t);
}

/* Which failure it is this time; 0: none. */
static int
choose(struct chaos_kv *c)
{
	static const int all[] = { STORE_E_CONFLICT, STORE_E_UNKNOWN,
		STORE_E_FENCED, STORE_E_BUSY };
	int kinds[4], n = 0;

	for (int i = 0; i < 4; i++)
		if (c->kv.cf.chaos_kinds == 0 ||
		    (c->kv.cf.chaos_kinds & 1U << i) != 0)
			kinds[n++] = all[i];
	if (n == 0 || below(&c->x, every(&c->kv.cf)) != 0)
		return 0;
	return kinds[below(&c->x, (uint32_t)n)];
}

static int
chaos_commit(struct kv_txn *txn, uint64_t *modseq_r)
{
	struct chaos_txn *t = (struct chaos_txn *)txn;
	struct chaos_kv *c = (struct chaos_kv *)txn->kv;
	int fail = t->wrote ? choose(c) : 0, rc;

	if (fail == 0 ||
	    (fail == STORE_E_UNKNOWN && below(&c->x, 2) == 0)) {
		rc = pass(&c->kv, kv_commit(&t->in, modseq_r));
		fail = rc < 0 ? rc : fail;
	} else
		c->fenced = fail == STORE_E_FENCED;
	if (fail != 0)
		(void)kv_fail(&c->kv, fail, "chaos");
	chaos_abort(txn);	/* also of what was committed: frees */
	return fail;
}

/* ---- the rest ----------------------------------------------------------- */

static int
chaos_blob_source(struct kv *kv, const struct kv_ref *ref,
    struct kv_source *src_r)
{
	struct kv *in = ((struct chaos_kv *)kv)->in;

	return pass(kv, in->ops->blob_source(in, ref, src_r));
}

static int
chaos_blob_del(struct kv *kv, const struct kv_ref *ref)
{
	return pass(kv, kv_blob_del(((struct chaos_kv *)kv)->in, ref));
}

static int
chaos_idle(struct kv *kv, bool force)
{
	return pass(kv, kv_idle(((struct chaos_kv *)kv)->in, force));
}

static int
chaos_check(struct kv *kv, void (*fn)(void *arg, const char *fault), void *arg)
{
	return pass(kv, kv_check(((struct chaos_kv *)kv)->in, fn, arg));
}

static int
chaos_watch_new(const struct kv_conf *cf, bool many, struct kv_watch **w_r)
{
	struct kv_conf in = inner(cf);
	struct chaos_watch *w;
	struct kv_watch *kw;
	int rc;

	if ((rc = kv_watch_new(&in, many, &kw)) < 0)
		return rc;
	w = xcalloc(1, sizeof(*w));
	w->w.ops = &kv_chaos_ops;
	w->w.fd = kw->fd;
	w->in = kw;
	w->x = seed(cf);
	w->every = every(cf);
	*w_r = &w->w;
	return 0;
}

static void
chaos_watch_free(struct kv_watch *kw)
{
	struct chaos_watch *w = (struct chaos_watch *)kw;

	kv_watch_free(&w->in);
	xfree(w);
}

static int
chaos_watch_add(struct kv_watch *kw, const struct kv *kv, void *cookie)
{
	return kv_watch_add(((struct chaos_watch *)kw)->in,
	    ((const struct chaos_kv *)kv)->in, cookie);
}

static void
chaos_watch_del(struct kv_watch *kw, void *cookie)
{
	kv_watch_del(((struct chaos_watch *)kw)->in, cookie);
}

static int
chaos_watch_next(struct kv_watch *kw, void **cookie_r)
{
	struct chaos_watch *w = (struct chaos_watch *)kw;

	while (kv_watch_next(w->in, cookie_r) == 1)
		if (below(&w->x, w->every) != 0)
			return 1;
	return 0;
}

const struct kv_ops kv_chaos_ops = {
	.name = "chaos",
	.open = chaos_open,
	.close = chaos_close,
	.refresh = chaos_refresh,
	.begin = chaos_begin,
	.get = chaos_get,
	.scan_open = chaos_scan_open,
	.put = chaos_put,
	.patch = chaos_patch,
	.del = chaos_del,
	.del_range = chaos_del_range,
	.commit = chaos_commit,
	.abort = chaos_abort,
	.blob_put = chaos_blob_put,
	.blob_source = chaos_blob_source,
	.blob_del = chaos_blob_del,
	.idle = chaos_idle,
	.check = chaos_check,
	.watch_new = chaos_watch_new,
	.watch_free = chaos_watch_free,
	.watch_add = chaos_watch_add,
	.watch_del = chaos_watch_del,
	.watch_next = chaos_watch_next,
};
