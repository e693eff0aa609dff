/* t/unit/kv-model.h - a plain model of an engine's rows, for random tests */
#ifndef T_KV_MODEL_H
#define T_KV_MODEL_H

#include <stdint.h>

#include "libstore/kv.h"

struct model;

struct model *model_new(uint32_t seed);
void model_free(struct model **m);
/* A number below n. */
uint32_t model_rand(struct model *m, uint32_t n);
/* From now on reads may fail with STORE_E_IO. */
void model_may_fail(struct model *m);
/* Does n random operations in txn and in the model; reads are compared.  0, or
 * STORE_E_IO: a read failed, the transaction is to be given up. */
int model_txn(struct model *m, struct kv_txn *txn, uint32_t n);
void model_commit(struct model *m);
void model_abort(struct model *m);
/* Scans all rows of txn in both directions and compares. */
void model_compare(struct model *m, struct kv_txn *txn);

/* Removes a directory and what is in it. */
void model_rmtree(const char *path);

#endif
