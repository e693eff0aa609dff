/* t/crash/crash.h - what the crash tests and their processes share */
#ifndef T_CRASH_H
#define T_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libstore/kv.h"

enum {
	WRITERS = 3,
	READERS = 2,
	GROUPS = 20,		/* of rows that change together, a writer */
	GROUP_ROWS = 10,
	BLOBS = 60000,		/* numbers of blobs, a writer */
	KEEP = 100,		/* blobs that live at a time, a writer */
	FILES = 512		/* whose flushed size is known */
};

/* What is known of a blob by what its writer was told. */
enum blob_state {
	BLOB_NONE, BLOB_COMING, BLOB_THERE, BLOB_GOING, BLOB_GONE
};

/* One writer's promises.  A pending transaction may be done or not. */
struct promises {
	_Atomic uint64_t version[GROUPS];	/* acknowledged; 0: no rows */
	_Atomic int pending_group;		/* -1: none */
	_Atomic uint64_t pending_version;
	_Atomic uint32_t next_blob, oldest_blob;
	_Atomic unsigned char blob[BLOBS];
	_Atomic uint64_t acked;			/* transactions */
	_Atomic uint64_t acked_modseq;
};

struct flushed {
	_Atomic uint64_t ino, size;
};

struct shared {
	struct promises w[WRITERS];
	_Atomic uint64_t commits;
	_Atomic uint64_t seen_modseq;	/* the greatest a reader was shown */
	_Atomic bool stop;
	_Atomic int faults;
	_Atomic uint64_t compactions, replays, failed_calls;
	struct flushed file[FILES];
};

/* ---- crash-run.c ---- */

enum { CRASH_CHILDREN = 10 };	/* at most */
struct crash_plan {
	int children, kills, kills_long;
	int (*setup)(const char *top);	/* makes crash_dir, the account */
	void (*child)(int i);		/* until it is killed */
	void (*verify)(void);		/* nobody is left; is all there? */
};
/* A whole test program. */
int crash_main(const struct crash_plan *p);

extern struct shared *sh;
extern struct kv_conf crash_conf;
extern char crash_dir[200];

/* Says what is wrong and counts it. */
void crash_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
uint32_t crash_rand(uint32_t n);
void crash_seed(uint32_t seed);

/* crash-work.c: the children; they end by themselves only on stop. */
void writer_main(int w) __attribute__((noreturn));
void reader_main(void) __attribute__((noreturn));
void idler_main(void) __attribute__((noreturn));

/* crash-verify.c */

/* Reads what is there, compares with one writer's promises, and makes the
 * promises what is there. */
void verify_writer(struct kv *kv, int w);
/* One group's rows: all alike?  *version_r: 0 if there are none. */
bool verify_group(struct kv_txn *txn, int w, int group, uint64_t *version_r);
/* The blob that a row names has the octets it should have. */
bool verify_blob(struct kv *kv, struct slice row, int w, uint32_t n);

/* Keys and contents. */
struct slice group_key(int w, int group, int row, char buf[40]);
struct slice blob_key(int w, uint32_t n, char buf[40]);
size_t blob_size(int w, uint32_t n);
void blob_fill(char *p, size_t size, int w, uint32_t n);

/* crash-disk.c: system calls that fail, a lost page cache */
void disk_hook(void);
/* From now on, in this thread. */
void disk_fail(bool on);
/* Cuts all files to what was flushed. */
void disk_cut(void);

#endif
