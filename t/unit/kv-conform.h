/* t/unit/kv-conform.h - what the parts of the conformance program share */
#ifndef T_KV_CONFORM_H
#define T_KV_CONFORM_H

#include "libbase/arena.h"
#include "libstore/kv.h"

/* So many commits of the chaos engine that none fails. */
enum { CALM = 1 << 30 };

extern struct kv_conf conf;	/* of the engine under test */
extern char top[64];		/* directory for the accounts */
extern struct arena *arena;	/* of the test */

/* All of these assert that it goes well. */
struct kv *fresh(void);		/* a new account */
struct kv *reopen(struct kv *kv);
struct kv_txn *begin(struct kv *kv, int mode);
uint64_t commit(struct kv_txn **txn);
void put1(struct kv *kv, const char *key, const char *val);

/* kv-conform-blob.c */
void test_blob(void **state);
void test_blob_fd(void **state);
void test_blob_del(void **state);
void test_watch_few(void **state);
void test_watch_many(void **state);

#endif
