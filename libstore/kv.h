/*
 * libstore/kv.h - the engine below the store: ordered rows, transactions, blobs
 *
 * One handle is one account.  A handle is used by one thread at a time, only on
 * one side of a fork(), and has at most one transaction open.  Keys are compared
 * as bytes (memcmp, shorter first).  All functions return enum store_rc; text for
 * the log is in kv_errmsg().
 *
 * Limits that every engine keeps and no caller exceeds: key 1..256 octets,
 * value 64 KiB, transaction KV_TXN_MAX octets of keys and values.
 */
#ifndef STORE_KV_H
#define STORE_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libstore/errors.h"

enum {
	KV_KEY_MAX = 256,
	KV_VALUE_MAX = 65536,
	KV_TXN_MAX = 8 * 1024 * 1024
};

/* Zero is the default of each. */
struct kv_conf {
	const char *engine;	/* "bdb" (default), "mem", "chaos" (over bdb),
				 * "chaos:mem" */
	uint32_t lock_wait_ms;	/* 0: 30,000 */
	bool any_fs;		/* also on a network file system */
	/* Journals that a compaction replaced are kept for so long, so that a
	 * backup finds every transaction; 0: not at all. */
	uint32_t log_keep_s;
	uint64_t first_modseq;	/* of what KV_CREATE makes: its transactions
				 * have greater ones (engines with files) */
	int64_t clock_offset;	/* tests: seconds added to the clock */
	/* About every nth commit (0: 7) fails in one of these ways (0: all),
	 * and as many wake-ups are lost.  UNKNOWN: half of them are done.
	 * FENCED: the handle writes no more.  seed 0: another each time. */
	unsigned chaos_seed, chaos_every, chaos_kinds;
};
enum {	/* chaos_kinds */
	KV_CHAOS_CONFLICT = 1, KV_CHAOS_UNKNOWN = 2, KV_CHAOS_FENCED = 4,
	KV_CHAOS_BUSY = 8
};

struct kv;
struct kv_txn;
struct kv_scan;
struct kv_blob;
struct kv_reader;
struct kv_watch;

/*
 * The account in directory dir (for "mem": the name of a process-wide table).
 * A relative one is looked up again by kv_reopen() and kv_idle().
 * KV_CREATE makes it, STORE_E_EXISTS if it is there; without it
 * STORE_E_NOTFOUND if it is not.
 */
enum { KV_CREATE = 1 };
int kv_open(const struct kv_conf *cf, const char *dir, int flags,
    struct kv **kv_r);
void kv_close(struct kv **kv);
/* Never NULL; of the last failed call. */
const char *kv_errmsg(const struct kv *kv);
/* Opens a second, independent handle on the same account. */
int kv_reopen(const struct kv *kv, struct kv **kv_r);

/*
 * A handle shows one snapshot.  kv_refresh moves it to the newest committed
 * state: 1 if that changed anything, 0 if not.  Takes no lock, never waits.
 */
int kv_refresh(struct kv *kv);
/* The modseq of the handle's snapshot (0: nothing was ever committed). */
uint64_t kv_modseq(const struct kv *kv);

/*
 * KV_RO reads the handle's snapshot and never waits.  KV_RW moves the handle
 * to the newest state, is the only writer (or will see CONFLICT at commit),
 * and may wait up to lock_wait_ms (then STORE_E_BUSY).  KV_FREES (with KV_RW)
 * marks a transaction that gives space back: it may use the reserve on a full
 * disk.
 */
enum { KV_RO = 0, KV_RW = 1, KV_FREES = 2 };
int kv_begin(struct kv *kv, int mode, struct kv_txn **txn_r);
/* The modseq that commit will give to this transaction; KV_RO: the
 * snapshot's. */
uint64_t kv_txn_modseq(const struct kv_txn *txn);

/* 0 and the value in the arena, or STORE_E_NOTFOUND.  Sees own writes. */
int kv_get(struct kv_txn *txn, struct arena *a, struct slice key,
    struct slice *val_r);
/* n keys at once, in any order; val_r[i].p is NULL where there is no row. */
int kv_getn(struct kv_txn *txn, struct arena *a, const struct slice *key,
    size_t n, struct slice *val_r);
/*
 * Rows with from <= key < to (to {NULL,0}: to the end), ascending or with
 * KV_REVERSE descending.  next: 1 and the row, which is valid until the next
 * call on the same scan; 0 at the end.  Writing while a scan is open: the scan
 * may or may not see it.  Several scans may be open.  A scan is closed before
 * its transaction ends.
 */
enum { KV_REVERSE = 1 };
int kv_scan_open(struct kv_txn *txn, struct slice from, struct slice to,
    int flags, struct kv_scan **s_r);
int kv_scan_next(struct kv_scan *s, struct slice *key_r, struct slice *val_r);
void kv_scan_close(struct kv_scan **s);

/* KV_RW only.  The octets are copied.  STORE_E_TOOBIG past KV_TXN_MAX, and then
 * from commit too: such a transaction can only be given up. */
int kv_put(struct kv_txn *txn, struct slice key, struct slice val);
/* Overwrites bytes at off inside the row's present value (STORE_E_NOTFOUND: no
 * row; STORE_E_INVALID: past its end).  Costs its own octets, not the row's. */
int kv_patch(struct kv_txn *txn, struct slice key, size_t off,
    struct slice bytes);
int kv_del(struct kv_txn *txn, struct slice key);	/* absent: also 0 */
int kv_del_range(struct kv_txn *txn, struct slice from, struct slice to);

/*
 * Makes it durable and visible; the handle's snapshot is then this one.
 * Always ends the transaction and clears *txn.  A transaction that wrote
 * nothing is done without a flush and gets no modseq (*modseq_r is then the
 * snapshot's).  STORE_E_CONFLICT, _FENCED, _UNKNOWN, _BUSY, _IO, _NOSPACE.
 */
int kv_commit(struct kv_txn **txn, uint64_t *modseq_r);
void kv_abort(struct kv_txn **txn);	/* no-op on NULL */

/*
 * Blobs: immutable octets with a small immutable side record (meta), which is
 * read without the body.
 *
 * new: compresses and stages, outside of any transaction and lock, may be slow
 *      and large: the octets come from data, or, if data.p is NULL, from fd
 *      [0, size).  May be put into several accounts (then use one per account
 *      from kv_blob_dup(), which shares the compressed octets).
 * put: within a KV_RW transaction; gives the reference to store in rows.  The
 *      blob is durable when the transaction is; one flush serves both.
 */
struct kv_ref {
	uint32_t pack;
	uint64_t off;
	uint32_t len;		/* of the whole entry on disk; 0: no blob */
};
enum { KV_REF_LEN = 16 };
void kv_ref_encode(const struct kv_ref *r, unsigned char out[KV_REF_LEN]);
void kv_ref_decode(const unsigned char in[KV_REF_LEN], struct kv_ref *r);

int kv_blob_new(struct slice data, int fd, uint64_t size, struct slice meta,
    const char *tmp_dir, struct kv_blob **b_r);
struct kv_blob *kv_blob_dup(struct kv_blob *b);	/* counted reference */
void kv_blob_free(struct kv_blob **b);
uint64_t kv_blob_stored(const struct kv_blob *b); /* octets on disk */
int kv_blob_put(struct kv_txn *txn, struct kv_blob *b, struct kv_ref *ref_r);

/* Reading needs no transaction; a blob stays readable until kv_blob_del(). */
int kv_reader_open(struct kv *kv, const struct kv_ref *ref,
    struct kv_reader **r_r);
void kv_reader_close(struct kv_reader **r);
uint64_t kv_reader_size(const struct kv_reader *r);
/* The side record, checked against its checksum; borrowed until close. */
struct slice kv_reader_meta(const struct kv_reader *r);
/* Exactly n octets at off (INVALID past the end; CORRUPT: checksum). */
int kv_reader_read(struct kv_reader *r, uint64_t off, void *p, size_t n);
/* 1: octet off is at *fd_off_r of *fd_r, uncompressed up to the end, so that
 * it can be sent from there; 0: it is compressed. */
int kv_reader_raw(struct kv_reader *r, uint64_t off, int *fd_r,
    uint64_t *fd_off_r);
/* The side record alone, without opening the body: one small read. */
int kv_blob_meta(struct kv *kv, struct arena *a, const struct kv_ref *ref,
    struct slice *meta_r);
/* Is there room for n more octets in the file system of fd, beside what is kept
 * free for deleting?  Commits with blobs, other than KV_FREES, need it. */
bool kv_room(int fd, uint64_t n);
/* Gives the space back.  Idempotent; the caller knows that no committed row
 * refers to it any more and that the grace time is over. */
int kv_blob_del(struct kv *kv, const struct kv_ref *ref);
/* Deletes each blob that keep doesn't want, of an account that nobody else uses.
 * INVALID: an engine without files. */
int kv_blob_purge(struct kv *kv,
    bool (*keep)(void *arg, const struct kv_ref *ref), void *arg);

/* What can be done while nobody waits (compaction when it is due; force:
 * always).  1: something was done. */
int kv_idle(struct kv *kv, bool force);
/* Verifies checksums and order of everything the engine keeps; fn is called
 * with a sentence for each fault.  The number of faults, or negative. */
int kv_check(struct kv *kv, void (*fn)(void *arg, const char *fault),
    void *arg);

/*
 * Backups: a directory an account, written by kv_backup() and read by the
 * others, one process at a time (else BUSY).  Times are microseconds since
 * 1970.  INVALID: an engine without files.
 */
struct kv_repo;
/* *r_r is set whatever is returned, for kv_repo_errmsg(); close it always.
 * NOTFOUND: there is no such directory; create: it is made. */
int kv_repo_open(const char *dir, bool create, struct kv_repo **r_r);
void kv_repo_close(struct kv_repo **r);
/* Never NULL; of the last failed call. */
const char *kv_repo_errmsg(const struct kv_repo *r);

struct kv_backup {
	bool full;		/* begin anew, beside what there is */
	uint64_t keep_s;	/* older moments are given up; 0: never */
};
struct kv_backed {
	uint64_t modseq, when;	/* of the newest transaction that it has */
	uint64_t octets;	/* copied */
	bool full;		/* it began anew */
};
/*
 * Copies what is not there yet, beside writers, compaction and sweep.  When it
 * returns 0 the copy is durable; if it fails, what was there before counts.
 * FENCED: the account was replaced meanwhile.
 */
int kv_backup(struct kv *kv, struct kv_repo *r, const struct kv_backup *b,
    struct kv_backed *d_r);

struct kv_moments {
	uint64_t from, to;	/* any moment between them can be restored */
	uint64_t from_modseq, to_modseq;
	bool run;		/* from == to is a backup that was made */
};
/* Calls fn for the stretches of time, and the backups in them, oldest first. */
int kv_repo_moments(struct kv_repo *r,
    void (*fn)(void *arg, const struct kv_moments *m), void *arg);
/* Reads everything, and opens the newest state of each set; fn as kv_check().
 * The number of faults, or negative. */
int kv_repo_verify(struct kv_repo *r, const struct kv_conf *cf,
    void (*fn)(void *arg, const char *fault), void *arg);
/*
 * Makes directory dir with the state after the last transaction whose time is
 * not after `when`, as it was; an account of its own from now on.  NOTFOUND:
 * the backup doesn't go back so far; CORRUPT: it is damaged.
 */
int kv_repo_restore(struct kv_repo *r, const struct kv_conf *cf, uint64_t when,
    const char *dir, struct kv_backed *d_r);
/* Of an account that nobody uses: the next transaction gets a modseq greater
 * than that. */
int kv_modseq_skip(const struct kv_conf *cf, const char *dir, uint64_t modseq);

/*
 * Repair.  kv_salvage: a handle on what can be trusted of a damaged account,
 * which is locked meanwhile; fn is called with a sentence for each loss.  What
 * is committed through it stays in memory until kv_salvage_done() makes it the
 * account, in one step; other handles are then FENCED.  aside: an existing
 * directory on the same file system, where the originals of what is replaced
 * are put.  The modseq is one that nobody has seen; floor: at least beyond that
 * one.  Blobs can be read but not put.  STORE_E_INVALID: an engine without
 * files.
 */
int kv_salvage(const struct kv_conf *cf, const char *dir, const char *aside,
    void (*fn)(void *arg, const char *text), void *arg, struct kv **kv_r);
/* All blobs that are whole and not deleted; fn != 0 stops and is returned. */
int kv_salvage_blobs(struct kv *kv, int (*fn)(void *arg,
    const struct kv_ref *ref, uint64_t size), void *arg);
void kv_salvage_floor(struct kv *kv, uint64_t modseq);
int kv_salvage_done(struct kv *kv);

/*
 * Wakes when any process commits to a watched account.  many: one watcher for
 * any number of accounts (inotify), else a cheap one for few (dnotify, one
 * watcher a process; uses SIGIO).  A wake-up may be early, merged or, rarely,
 * lost: kv_refresh() tells what is new, and a waiter looks once a minute
 * anyway.
 */
int kv_watch_new(const struct kv_conf *cf, bool many, struct kv_watch **w_r);
void kv_watch_free(struct kv_watch **w);
int kv_watch_fd(const struct kv_watch *w);	/* readable: call next */
int kv_watch_add(struct kv_watch *w, const struct kv *kv, void *cookie);
void kv_watch_del(struct kv_watch *w, void *cookie);
/* 1 and the cookie of an account that may have changed; 0: no more. */
int kv_watch_next(struct kv_watch *w, void **cookie_r);

/* Tests only: a seam through which the engine's system calls go; see
 * kv-int.h.  Not part of the interface. */

#endif
