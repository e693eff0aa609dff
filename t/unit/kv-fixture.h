/* t/unit/kv-fixture.h - an account of the Berkeley DB engine under a seam */
#ifndef T_KV_FIXTURE_H
#define T_KV_FIXTURE_H

#include <stdint.h>

#include "libstore/kv.h"
#include "libstore/kv/sys.h"

/* Blobs over this have a pack of their own here, to save time. */
enum { OWN_PACK = 1024 * 1024 };

/* What the seam counts, and makes fail. */
struct fix {
	unsigned count[SYS_CALLS];
	unsigned flushes;		/* fdatasync and fsync */
	uint64_t journal_flushed;	/* its size at its last flush */
	/* The calls to come until one fails (0: none), which ones, and how. */
	unsigned fail_in;
	enum { FAIL_ANY, FAIL_WRITE, FAIL_FLUSH } fail_which;
	int fail_errno;			/* 0: a short transfer */
	bool fail_on;			/* all from then on */
	bool failed;			/* it came to it */
	char dir[100];
	struct kv_conf conf;
};
extern struct fix fix;

/* A new account in memory's file system; the seam is on. */
struct kv *fix_new(void);
struct kv *fix_open(void);
void fix_remove(void);

/* One row, one transaction. */
void fix_put(struct kv *kv, const char *key, const char *val);
bool fix_has(struct kv *kv, const char *key, const char *val);
/* One blob of size octets that tell of n, named by a row of its number. */
int fix_deliver(struct kv *kv, uint32_t n, size_t size);
/* Is that blob there, whole? */
bool fix_blob(struct kv *kv, uint32_t n, size_t size);
struct kv_ref fix_ref(struct kv *kv, uint32_t n);

/* The account's file: its octets (to be freed), its size, another size. */
char *fix_load(const char *name, size_t *n_r);
uint64_t fix_size(const char *name);
uint64_t fix_blocks(const char *name);
void fix_cut(const char *name, uint64_t size);
void fix_write(const char *name, uint64_t off, const void *p, size_t n);
bool fix_exists(const char *name);

/* For kv_check(): prints the fault. */
void fix_fault(void *arg, const char *text);

#endif
