/* libstore/kv/kv-int.h - what the engines share (private to libstore/kv) */
#ifndef STORE_KV_INT_H
#define STORE_KV_INT_H

#include <stdatomic.h>

#include "libbase/buf.h"
#include "libstore/kv.h"

struct kv_source;

/*
 * An engine.  kv.c has checked every argument against kv.h (lengths, modes, one
 * transaction at a time) before it calls one of these.
 */
struct kv_ops {
	const char *name;
	int (*open)(const struct kv_conf *cf, const char *dir, int flags,
	    struct kv **kv_r);
	void (*close)(struct kv *kv);
	int (*refresh)(struct kv *kv);
	int (*begin)(struct kv *kv, int mode, struct kv_txn **txn_r);
	int (*get)(struct kv_txn *txn, struct arena *a, struct slice key,
	    struct slice *val_r);
	int (*scan_open)(struct kv_txn *txn, struct slice from, struct slice to,
	    int flags, struct kv_scan **s_r);
	int (*scan_next)(struct kv_scan *s, struct slice *key_r,
	    struct slice *val_r);
	void (*scan_close)(struct kv_scan *s);
	int (*put)(struct kv_txn *txn, struct slice key, struct slice val);
	int (*patch)(struct kv_txn *txn, struct slice key, size_t off,
	    struct slice octets);
	int (*del)(struct kv_txn *txn, struct slice key);
	int (*del_range)(struct kv_txn *txn, struct slice from,
	    struct slice to);
	/* Both free the transaction. */
	int (*commit)(struct kv_txn *txn, uint64_t *modseq_r);
	void (*abort)(struct kv_txn *txn);
	int (*blob_put)(struct kv_txn *txn, struct kv_blob *b,
	    struct kv_ref *ref_r);
	int (*blob_source)(struct kv *kv, const struct kv_ref *ref,
	    struct kv_source *src_r);
	int (*blob_del)(struct kv *kv, const struct kv_ref *ref);
	int (*idle)(struct kv *kv, bool force);
	int (*check)(struct kv *kv, void (*fn)(void *arg, const char *fault),
	    void *arg);
	/* NULL: an engine without files. */
	int (*blob_purge)(struct kv *kv,
	    bool (*keep)(void *arg, const struct kv_ref *ref), void *arg);
	int (*backup)(struct kv *kv, struct kv_repo *r,
	    const struct kv_backup *b, struct kv_backed *d_r);
	int (*salvage)(const struct kv_conf *cf, const char *dir,
	    const char *aside, void (*fn)(void *arg, const char *text),
	    void *arg, struct kv **kv_r);
	int (*salvage_blobs)(struct kv *kv, int (*fn)(void *arg,
	    const struct kv_ref *ref, uint64_t size), void *arg);
	void (*salvage_floor)(struct kv *kv, uint64_t modseq);
	int (*salvage_done)(struct kv *kv);
	int (*watch_new)(const struct kv_conf *cf, bool many,
	    struct kv_watch **w_r);
	void (*watch_free)(struct kv_watch *w);
	int (*watch_add)(struct kv_watch *w, const struct kv *kv, void *cookie);
	void (*watch_del)(struct kv_watch *w, void *cookie);
	int (*watch_next)(struct kv_watch *w, void **cookie_r);
};

/* The beginnings of the engines' own structures. */
struct kv {
	const struct kv_ops *ops;
	struct kv_conf cf;	/* engine: a copy */
	char *dir;
	uint64_t modseq;
	struct kv_txn *txn;	/* the open one */
	bool told;		/* the log knows that it is damaged */
	char err[400];
};

struct kv_txn {
	struct kv *kv;
	int mode;
	uint64_t modseq;
};

struct kv_scan {
	const struct kv_ops *ops;
};

struct kv_watch {
	const struct kv_ops *ops;
	int fd;
};

/* Where the octets of a blob's item are: in memory, or in a file. */
struct kv_source {
	const char *mem;	/* NULL: in fd at off */
	int fd;
	uint32_t pack;
	uint64_t off, len;
	void (*release)(void *arg);
	void *arg;
};

extern const struct kv_ops kv_bdb_ops, kv_mem_ops, kv_chaos_ops;

/* The engine of that configuration, or NULL. */
const struct kv_ops *kv_engine(const struct kv_conf *cf);
/* For an engine's open and close: the common beginning. */
void kv_init(struct kv *kv, const struct kv_ops *ops, const struct kv_conf *cf,
    const char *dir);
void kv_release(struct kv *kv);
/* Tells the log, once, that the account is damaged. */
void kv_tell(struct kv *kv);
/* Notes what failed and returns rc.  sys adds errno's text. */
int kv_fail(struct kv *kv, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int kv_fail_sys(struct kv *kv, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
