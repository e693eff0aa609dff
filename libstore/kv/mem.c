/* libstore/kv/mem.c - the engine in memory: tables by name, one process */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/blob.h"
#include "libstore/kv/kv-int.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/view.h"

/*
 * A table lives as long as the process.  Handles take copies of its rows, and
 * a commit compares the modseq: of two writers the later one sees CONFLICT.
 */
struct table {
	struct table *next;
	char *name;
	uint64_t modseq;
	struct overlay rows;
	struct kv_blob **blobs;	/* NULL: deleted */
	size_t n_blobs;
	struct mem_watching *watching;
};

struct mem_watching {		/* one account in one watch */
	struct mem_watching *next;	/* of the table */
	struct mem_watching *more;	/* of the watch */
	struct table *table;
	struct mem_watch *watch;
	void *cookie;
	bool due;
};

struct mem_watch {
	struct kv_watch w;
	struct mem_watching *all;
};

struct mem_kv {
	struct kv kv;
	struct table *table;
	struct view snap;
};

struct mem_txn {
	struct kv_txn txn;
	struct view view;
	bool wrote;
	size_t octets;
	struct kv_blob **blobs;
	size_t n_blobs;
};

struct mem_scan {
	struct kv_scan scan;
	struct view_scan *s;
};

/* For the list of tables and everything in them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table *tables;

static struct table *
table_find(const char *name)
{
	struct table *t;

	for (t = tables; t != NULL && strcmp(t->name, name) != 0; t = t->next)
		;
	return t;
}

static struct table *
table_new(const char *name)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->name = xstrdup(name);
	overlay_init(&t->rows, true);
	t->next = tables;
	tables = t;
	return t;
}

/* With the lock held: the handle's snapshot becomes the table's state. */
static void
snap(struct mem_kv *m)
{
	overlay_release(&m->snap.ov);
	overlay_copy(&m->snap.ov, &m->table->rows);
	m->kv.modseq = m->table->modseq;
}

static int
mem_open(const struct kv_conf *cf, const char *dir, int flags, struct kv **kv_r)
{
	struct table *t;
	struct mem_kv *m;
	int rc = 0;

	pthread_mutex_lock(&lock);
	t = table_find(dir);
	if (flags & KV_CREATE) {
		if (t != NULL)
			rc = STORE_E_EXISTS;
		else
			t = table_new(dir);
	} else if (t == NULL)
		rc = STORE_E_NOTFOUND;
	if (rc == 0) {
		m = xcalloc(1, sizeof(*m));
		kv_init(&m->kv, &kv_mem_ops, cf, dir);
		m->table = t;
		overlay_init(&m->snap.ov, true);
		snap(m);
		*kv_r = &m->kv;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static void
mem_close(struct kv *kv)
{
	struct mem_kv *m = (struct mem_kv *)kv;

	overlay_release(&m->snap.ov);
	kv_release(kv);
	xfree(m);
}

static int
mem_refresh(struct kv *kv)
{
	struct mem_kv *m = (struct mem_kv *)kv;
	int moved;

	pthread_mutex_lock(&lock);
	moved = kv->modseq != m->table->modseq;
	if (moved)
		snap(m);
	pthread_mutex_unlock(&lock);
	return moved;
}

/* ---- transactions ------------------------------------------------------- */

static int
mem_begin(struct kv *kv, int mode, struct kv_txn **txn_r)
{
	struct mem_kv *m = (struct mem_kv *)kv;
	struct mem_txn *t = xcalloc(1, sizeof(*t));

	if (mode & KV_RW)
		mem_refresh(kv);
	t->txn.kv = kv;
	t->txn.mode = mode;
	t->txn.modseq = kv->modseq + ((mode & KV_RW) != 0);
	overlay_copy(&t->view.ov, &m->snap.ov);
	*txn_r = &t->txn;
	return 0;
}

static int
mem_get(struct kv_txn *txn, struct arena *a, struct slice key,
    struct slice *val_r)
{
	return view_get(&((struct mem_txn *)txn)->view, a, key, val_r);
}

static int
mem_scan_open(struct kv_txn *txn, struct slice from, struct slice to,
    int flags, struct kv_scan **s_r)
{
	struct mem_scan *s = xcalloc(1, sizeof(*s));

	s->scan.ops = &kv_mem_ops;
	s->s = view_scan_new(&((struct mem_txn *)txn)->view, from, to,
	    (flags & KV_REVERSE) != 0);
	*s_r = &s->scan;
	return 0;
}

static int
mem_scan_next(struct kv_scan *s, struct slice *key_r, struct slice *val_r)
{
	return view_scan_next(((struct mem_scan *)s)->s, key_r, val_r);
}

static void
mem_scan_close(struct kv_scan *s)
{
	view_scan_free(((struct mem_scan *)s)->s);
	xfree(s);
}

/* Counts against the limit of a transaction. */
static int
mem_wrote(struct mem_txn *t, size_t n)
{
	t->wrote = true;
	t->octets += n;
	return t->octets > KV_TXN_MAX ?
	    kv_fail(t->txn.kv, STORE_E_TOOBIG, "transaction too large") : 0;
}

static int
mem_put(struct kv_txn *txn, struct slice key, struct slice val)
{
	struct mem_txn *t = (struct mem_txn *)txn;
	int rc;

	if ((rc = mem_wrote(t, key.n + val.n)) == 0)
		overlay_put(&t->view.ov, key, val);
	return rc;
}

static int
mem_patch(struct kv_txn *txn, struct slice key, size_t off,
    struct slice octets)
{
	struct mem_txn *t = (struct mem_txn *)txn;
	int rc;

	if ((rc = view_patch(&t->view, key, off, octets)) < 0)
		return rc;
	return mem_wrote(t, key.n + octets.n);
}

static int
mem_del(struct kv_txn *txn, struct slice key)
{
	struct mem_txn *t = (struct mem_txn *)txn;

	overlay_del(&t->view.ov, key);
	return mem_wrote(t, key.n);
}

static int
mem_del_range(struct kv_txn *txn, struct slice from, struct slice to)
{
	struct mem_txn *t = (struct mem_txn *)txn;

	overlay_del_range(&t->view.ov, from, to);
	return mem_wrote(t, from.n + to.n);
}

static void
txn_free(struct mem_txn *t)
{
	for (size_t i = 0; i < t->n_blobs; i++)
		kv_blob_free(&t->blobs[i]);
	xfree(t->blobs);
	overlay_release(&t->view.ov);
	xfree(t);
}

static void
mem_abort(struct kv_txn *txn)
{
	txn_free((struct mem_txn *)txn);
}

static void
wake(struct table *t)
{
	const uint64_t one = 1;

	for (struct mem_watching *g = t->watching; g != NULL; g = g->next) {
		g->due = true;
		(void)io_write(g->watch->w.fd, &one, sizeof(one));
	}
}

static int
mem_commit(struct kv_txn *txn, uint64_t *modseq_r)
{
	struct mem_txn *t = (struct mem_txn *)txn;
	struct mem_kv *m = (struct mem_kv *)txn->kv;
	struct table *tab = m->table;
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!t->wrote)
		*modseq_r = m->kv.modseq;
	else if (t->octets > KV_TXN_MAX)
		rc = kv_fail(&m->kv, STORE_E_TOOBIG, "transaction too large");
	else if (tab->modseq + 1 != txn->modseq)
		rc = kv_fail(&m->kv, STORE_E_CONFLICT, "somebody was faster");
	else {
		tab->modseq = *modseq_r = txn->modseq;
		overlay_release(&tab->rows);
		overlay_copy(&tab->rows, &t->view.ov);
		tab->blobs = xreallocarray(tab->blobs,
		    tab->n_blobs + t->n_blobs, sizeof(tab->blobs[0]));
		for (size_t i = 0; i < t->n_blobs; i++)
			tab->blobs[tab->n_blobs++] = t->blobs[i];
		t->n_blobs = 0;
		snap(m);
		wake(tab);
	}
	pthread_mutex_unlock(&lock);
	txn_free(t);
	return rc;
}

/* ---- blobs -------------------------------------------------------------- */

static int
mem_blob_put(struct kv_txn *txn, struct kv_blob *b, struct kv_ref *ref_r)
{
	struct mem_txn *t = (struct mem_txn *)txn;
	struct mem_kv *m = (struct mem_kv *)txn->kv;

	t->wrote = true;
	t->blobs = xreallocarray(t->blobs, t->n_blobs + 1,
	    sizeof(t->blobs[0]));
	t->blobs[t->n_blobs] = kv_blob_dup(b);
	ref_r->pack = 1;
	ref_r->len = (uint32_t)b->len;
	pthread_mutex_lock(&lock);
	/* If others put blobs meanwhile, the commit fails. */
	ref_r->off = m->table->n_blobs + t->n_blobs;
	pthread_mutex_unlock(&lock);
	t->n_blobs++;
	return 0;
}

static void
source_release(void *arg)
{
	struct kv_blob *b = arg;

	kv_blob_free(&b);
}

static int
mem_blob_source(struct kv *kv, const struct kv_ref *ref,
    struct kv_source *src_r)
{
	struct table *t = ((struct mem_kv *)kv)->table;
	struct kv_blob *b = NULL;

	pthread_mutex_lock(&lock);
	if (ref->pack == 1 && ref->off < t->n_blobs &&
	    t->blobs[ref->off] != NULL)
		b = kv_blob_dup(t->blobs[ref->off]);
	pthread_mutex_unlock(&lock);
	if (b == NULL)
		return kv_fail(kv, STORE_E_NOTFOUND, "no such blob");
	*src_r = (struct kv_source){ .mem = b->mem, .fd = b->fd,
		.off = b->mem == NULL ? PACK_HEAD : 0, .len = b->len,
		.release = source_release, .arg = b };
	return 0;
}

static int
mem_blob_del(struct kv *kv, const struct kv_ref *ref)
{
	struct table *t = ((struct mem_kv *)kv)->table;
	struct kv_blob *b = NULL;

	pthread_mutex_lock(&lock);
	if (ref->pack == 1 && ref->off < t->n_blobs) {
		b = t->blobs[ref->off];
		t->blobs[ref->off] = NULL;
	}
	pthread_mutex_unlock(&lock);
	kv_blob_free(&b);
	return 0;
}

static int
mem_idle(struct kv *kv, bool force)
{
	(void)kv;
	(void)force;
	return 0;	/* nothing ever piles up */
}

static int
mem_check(struct kv *kv, void (*fn)(void *arg, const char *fault), void *arg)
{
	struct mem_kv *m = (struct mem_kv *)kv;
	struct owalk w;
	const struct orow *r, *last = NULL;
	int faults = 0;

	owalk_seek(&w, &m->snap.ov, slice_make(NULL, 0), false);
	for (; (r = owalk_row(&w)) != NULL; owalk_step(&w), last = r)
		if (last != NULL &&
		    slice_cmp(orow_key(last), orow_key(r)) >= 0) {
			fn(arg, "rows out of order");
			faults++;
		}
	return faults;
}

/* ---- watching ----------------------------------------------------------- */

static int
mem_watch_new(const struct kv_conf *cf, bool many, struct kv_watch **w_r)
{
	struct mem_watch *w;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)cf;
	(void)many;
	if (fd < 0)
		return STORE_E_IO;
	w = xcalloc(1, sizeof(*w));
	w->w.ops = &kv_mem_ops;
	w->w.fd = fd;
	*w_r = &w->w;
	return 0;
}

static int
mem_watch_add(struct kv_watch *kw, const struct kv *kv, void *cookie)
{
	struct mem_watch *w = (struct mem_watch *)kw;
	struct mem_watching *g = xcalloc(1, sizeof(*g));

	pthread_mutex_lock(&lock);
	g->table = ((const struct mem_kv *)kv)->table;
	g->watch = w;
	g->cookie = cookie;
	g->next = g->table->watching;
	g->table->watching = g;
	g->more = w->all;
	w->all = g;
	pthread_mutex_unlock(&lock);
	return 0;
}

/* With the lock held: takes the first entry of that cookie (NULL: of any). */
static bool
watching_drop(struct mem_watch *w, const void *cookie, bool any)
{
	struct mem_watching **p = &w->all, **q, *g;

	while (*p != NULL && !any && (*p)->cookie != cookie)
		p = &(*p)->more;
	if ((g = *p) == NULL)
		return false;
	*p = g->more;
	for (q = &g->table->watching; *q != g; q = &(*q)->next)
		;
	*q = g->next;
	xfree(g);
	return true;
}

static void
mem_watch_del(struct kv_watch *kw, void *cookie)
{
	pthread_mutex_lock(&lock);
	while (watching_drop((struct mem_watch *)kw, cookie, false))
		;
	pthread_mutex_unlock(&lock);
}

static void
mem_watch_free(struct kv_watch *kw)
{
	pthread_mutex_lock(&lock);
	while (watching_drop((struct mem_watch *)kw, NULL, true))
		;
	pthread_mutex_unlock(&lock);
	io_close(&kw->fd);
	xfree(kw);
}

static int
mem_watch_next(struct kv_watch *kw, void **cookie_r)
{
	struct mem_watch *w = (struct mem_watch *)kw;
	struct mem_watching *g;
	uint64_t count;

	(void)io_read(kw->fd, &count, sizeof(count));
	pthread_mutex_lock(&lock);
	for (g = w->all; g != NULL && !g->due; g = g->more)
		;
	if (g != NULL) {
		g->due = false;
		*cookie_r = g->cookie;
	}
	pthread_mutex_unlock(&lock);
	return g != NULL;
}

const struct kv_ops kv_mem_ops = {
	.name = "mem",
	.open = mem_open,
	.close = mem_close,
	.refresh = mem_refresh,
	.begin = mem_begin,
	.get = mem_get,
	.scan_open = mem_scan_open,
	.scan_next = mem_scan_next,
	.scan_close = mem_scan_close,
	.put = mem_put,
	.patch = mem_patch,
	.del = mem_del,
	.del_range = mem_del_range,
	.commit = mem_commit,
	.abort = mem_abort,
	.blob_put = mem_blob_put,
	.blob_source = mem_blob_source,
	.blob_del = mem_blob_del,
	.idle = mem_idle,
	.check = mem_check,
	.watch_new = mem_watch_new,
	.watch_free = mem_watch_free,
	.watch_add = mem_watch_add,
	.watch_del = mem_watch_del,
	.watch_next = mem_watch_next,
};
