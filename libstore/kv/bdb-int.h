/* libstore/kv/bdb-int.h - the Berkeley DB engine's insides */
#ifndef STORE_KV_BDB_INT_H
#define STORE_KV_BDB_INT_H

#include "libbase/buf.h"
#include "libstore/kv/blob.h"
#include "libstore/kv/journal.h"
#include "libstore/kv/kv-int.h"
#include "libstore/kv/view.h"

enum {
	PACK_CACHE = 64,	/* open pack files in a handle */
	RESERVE_SIZE = 1024 * 1024
};

/* What a handle shows: a base and the journal's records up to end. */
struct snap {
	int fd;			/* the journal; the lock belongs to it */
	uint64_t dev, ino;
	struct journal_head head;
	uint64_t end, seq;	/* after the last record shown */
	uint64_t when;		/* that one's time */
	uint64_t size;		/* of the file, when it was looked at */
	struct pack_pos pos;
	struct lower low;
};

struct pack_file {
	atomic_uint refs;
	uint32_t no;
	int fd;
	bool own;		/* a single large blob */
};

struct bdb_kv {
	struct kv kv;
	int dirfd;
	struct snap s;
	bool broken;		/* a flush failed: this handle writes no more */
	int64_t unlocked_us;	/* when it gave the lock back, */
	unsigned streak;	/* and how often it took it right again */
	struct pack_file *packs[PACK_CACHE];
	size_t n_packs, hand;
	struct salvage *salvage;	/* NULL: not of a repair */
	/* Packs in which this handle deleted blobs. */
	uint32_t *sweep;
	size_t n_sweep;
};

struct staged {
	struct kv_blob *b;
	struct kv_ref ref;
};

struct bdb_txn {
	struct kv_txn txn;
	struct view view;
	struct ops ops;
	size_t octets;		/* of keys and values */
	struct staged *blobs;
	size_t n_blobs;
	struct pack_pos pos;	/* as it will be */
	bool new_pack;		/* pos.pack is yet to be made */
	uint64_t when;		/* of its record */
};

/* ---- bdb.c, salvage.c ---- */

/* A handle without anything open; ops->close frees it. */
struct bdb_kv *bdb_new(const struct kv_conf *cf, const char *dir);
int bdb_dir_open(struct bdb_kv *b);
int bdb_salvage(const struct kv_conf *cf, const char *dir, const char *aside,
    void (*fn)(void *arg, const char *text), void *arg, struct kv **kv_r);
int bdb_salvage_blobs(struct kv *kv, int (*fn)(void *arg,
    const struct kv_ref *ref, uint64_t size), void *arg);
void bdb_salvage_floor(struct kv *kv, uint64_t modseq);
int bdb_salvage_done(struct kv *kv);

/* ---- snap.c: reading the journal ---- */

/* Opens journal and base and reads all records that are shown. */
int snap_open(struct bdb_kv *b, struct snap *s_r);
void snap_close(struct snap *s);
/* Reads what was shown since; writer: also what dead writers did not come to
 * show. */
int snap_tail(struct bdb_kv *b, struct snap *s, bool writer);
/* As the writer: cuts off what is no record.  STORE_E_CORRUPT if that is more
 * than the torn end of a dead writer. */
int snap_cut(struct bdb_kv *b, struct snap *s);
/* As a reader: is there more behind the last record than what a writer may just
 * be writing?  Only who has the lock can tell for sure. */
int snap_odd(struct bdb_kv *b, struct snap *s, bool *odd_r);
/* Is the journal's path still this file?  1, 0, or STORE_E_FENCED, _IO. */
int snap_current(struct bdb_kv *b, const struct snap *s);
void snap_init(struct snap *s);

/* ---- lock.c: becoming the writer ---- */

/*
 * Takes the writer's lock and moves b to the newest state, after repairing
 * what is to be repaired.  wait_ms 0: STORE_E_BUSY at once.
 */
int writer_lock(struct bdb_kv *b, uint32_t wait_ms);
void writer_unlock(struct bdb_kv *b);
/* A flush failed.  Ends the process, except in tests: STORE_E_UNKNOWN. */
int flush_failed(struct bdb_kv *b, const char *what);

/* ---- recover.c: what a pack knows and the journal doesn't ---- */

/* With the writer's lock: replays and cuts the pack's tail.  1: something was
 * replayed. */
int recover_packs(struct bdb_kv *b);
/* Is there anything to do?  Needs no lock. */
bool recover_wanted(struct bdb_kv *b);

/* ---- commit.c ---- */

int bdb_commit(struct kv_txn *txn, uint64_t *modseq_r);
int bdb_blob_put(struct kv_txn *txn, struct kv_blob *b, struct kv_ref *ref_r);
/* The time of a commit: microseconds since 1970. */
uint64_t commit_time(const struct bdb_kv *b);
/* Writes a record at the journal's end.  -1 with errno: nothing of it is left
 * there; -2: a part may be. */
int journal_append(struct bdb_kv *b, const void *p, size_t n);

/* ---- pack.c ---- */

/* A pack of this length is full. */
uint64_t pack_limit(void);
/* Opens the file of that number; NOTFOUND.  Not cached: for numbers that the
 * journal doesn't know yet, and which may be given again. */
int pack_open(struct bdb_kv *b, uint32_t no, struct pack_file **p_r);
/* The same of a number that the journal knows, cached; with a reference for the
 * caller. */
int pack_get(struct bdb_kv *b, uint32_t no, struct pack_file **p_r);
void pack_put(struct pack_file *p);
/* Forgets cached files (no 0: all). */
void pack_forget(struct bdb_kv *b, uint32_t no);
void pack_name(uint32_t no, char out[24]);
int bdb_blob_source(struct kv *kv, const struct kv_ref *ref,
    struct kv_source *src_r);

/* ---- sweep.c: giving space back ---- */

int bdb_blob_del(struct kv *kv, const struct kv_ref *ref);
int bdb_blob_purge(struct kv *kv,
    bool (*keep)(void *arg, const struct kv_ref *ref), void *arg);
/* Sweeps one pack; 1: something was given back. */
int sweep_pack(struct bdb_kv *b, uint32_t no);
/* Calls fn for each file name.N of the account. */
int dir_numbers(struct bdb_kv *b, const char *prefix,
    int (*fn)(struct bdb_kv *b, uint64_t no, void *arg), void *arg);

/* ---- log.c: journals that were replaced ---- */

/* By a compaction, before it locks: names the journal log.G as well and flushes
 * it, if they are kept. */
int log_keep(struct bdb_kv *b);
void log_drop(struct bdb_kv *b, uint64_t gen);
/* Removes stray and old ones.  With the compaction's lock. */
int logs_clean(struct bdb_kv *b);
/* What is wrong with log.G; NULL: nothing. */
int log_check(struct bdb_kv *b, uint64_t gen, const char **bad_r);

/* ---- compact.c, reserve.c, check.c, backup.c, watch.c ---- */

int bdb_idle(struct kv *kv, bool force);
/* Replaces the journal by one with that header and the records from `from` on.
 * As the writer. */
int journal_switch(struct bdb_kv *b, const struct journal_head *h,
    uint64_t from);
/* Lets the reserve go; true if there was one. */
bool reserve_release(struct bdb_kv *b);
void reserve_restore(struct bdb_kv *b);
struct item;
/* All lengths and checksums of the item; it: of its header, which was read. */
int pack_item_ok(struct bdb_kv *b, const struct pack_file *p, uint64_t off,
    struct item *it);
int bdb_check(struct kv *kv, void (*fn)(void *arg, const char *fault),
    void *arg);
int bdb_backup(struct kv *kv, struct kv_repo *r, const struct kv_backup *b,
    struct kv_backed *d_r);
int bdb_watch_new(const struct kv_conf *cf, bool many, struct kv_watch **w_r);
void bdb_watch_free(struct kv_watch *w);
int bdb_watch_add(struct kv_watch *w, const struct kv *kv, void *cookie);
void bdb_watch_del(struct kv_watch *w, void *cookie);
int bdb_watch_next(struct kv_watch *w, void **cookie_r);

#endif
