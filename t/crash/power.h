/* t/crash/power.h - a disk that forgets: what test-power's parts share */
#ifndef T_POWER_H
#define T_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libstore/kv.h"

enum {
	POWER_EVENTS = 60000, POWER_NODES = 4000, POWER_NAME = 40,
	POWER_DATA = 512 * 1024 * 1024,
	POWER_ROWS = 40, POWER_BLOBS = 24, POWER_TXNS = 20000, POWER_OPS = 12,
	POWER_VAL = 360
};

/* ---- power-log.c: every effect on the files, in order ---- */

enum power_kind {
	/* clang-format off */
	EV_WRITE, EV_SIZE, EV_PUNCH,	/* of a file */
	EV_FLUSH, EV_FLUSH_FAILED,	/* of a file or directory */
	EV_LINK, EV_UNLINK, EV_RENAME,	/* of a directory */
	EV_ACKED,			/* a transaction was acknowledged */
	EV_SHOWN,			/* or a reader was shown it */
	EV_MADE				/* the account's making was */
	/* clang-format on */
};
struct event {
	enum power_kind kind;
	uint32_t node;		/* the file; the one that a name leads to */
	uint32_t dir;
	uint32_t txn;
	uint64_t off, n, data;	/* data: where in the log's */
	char name[POWER_NAME], to[POWER_NAME];
};
struct node {
	uint64_t dev, ino;
	bool dir;
};
/* In memory that children share. */
struct power_log {
	uint32_t n, n_nodes;
	uint64_t n_data;
	struct event ev[POWER_EVENTS];
	struct node node[POWER_NODES];
	unsigned char data[POWER_DATA];
};

/* What happens besides, at each effect. */
struct power_fate {
	uint32_t die_in;	/* effects until this process dies; 0: never */
	bool failing;		/* calls fail now and then */
	void (*meanwhile)(void);	/* what others do */
};
extern struct power_fate fate;

struct power_log *power_log_new(void);
/* Records from now on: what is in and under the directory, and what becomes of
 * it.  Its node is 0. */
void power_record(struct power_log *l, const char *root);
void power_stop(void);
/* A marker. */
void power_mark(enum power_kind k, uint32_t txn);
bool power_full(const struct power_log *l);

/* ---- power-disk.c: what a disk may hold ---- */

struct disk;
struct disk *disk_new(const struct power_log *l);
void disk_free(struct disk **d);
/* The next event happens. */
void disk_step(struct disk *d, const struct event *e);
/* The power goes: makes what is found afterwards in the new directory `root`.
 * How much of what wasn't flushed is there is up to chance. */
enum power_loss {
	LOSS_ALL, LOSS_NONE, LOSS_PREFIX, LOSS_ANY, LOSS_KINDS
};
void disk_materialise(const struct disk *d, enum power_loss how,
    const char *root);

/* ---- power-work.c: transactions that are remembered ---- */

enum op_kind { OP_PUT, OP_PATCH, OP_DEL, OP_DEL_RANGE };
struct power_op {
	enum op_kind kind;
	uint16_t slot, to, off, n;	/* slots: rows, then blobs */
	unsigned char val[POWER_VAL];
};
struct power_txn {
	uint32_t parent;	/* on which state it was made */
	uint64_t modseq;
	uint32_t n;
	struct power_op op[POWER_OPS];
};
/* Number 0 is the empty account. */
struct power_world {
	uint32_t n;
	uint32_t next_blob;
	uint32_t faults;
	struct power_txn txn[POWER_TXNS];
};
extern struct power_world *world;
extern struct kv_conf power_conf;
extern char power_root[200];	/* where blobs are staged */

struct power_state {
	struct {
		bool there;
		uint16_t n;
		unsigned char v[POWER_VAL];
	} slot[POWER_ROWS + POWER_BLOBS];
};
void state_of(uint32_t txn, struct power_state *s);
struct slice slot_key(uint32_t slot, char buf[20]);
size_t power_blob_size(uint32_t no);
void power_blob_fill(uint32_t no, char *p, size_t n);
/* The transaction that the handle's state has last.  -1: it can't tell. */
int last_txn(struct kv_txn *txn, uint32_t *no_r);
/* One transaction with rows; 0 and its number if it was acknowledged. */
int work_rows(struct kv *kv, uint32_t *no_r);
/* One process's life. */
void work(const char *dir, uint32_t steps);

/* ---- power-verify.c ---- */

struct power_need {	/* what must be there */
	uint32_t *txn;
	size_t n;
	bool made;
};
/* Opens, repairs and compares; false: a fault, which has been told.  mark:
 * recording goes on. */
bool power_verify(const char *dir, const struct power_need *need);

/* ---- test-power.c ---- */

uint32_t power_rand(uint32_t n);
void power_seed(uint32_t seed);
void power_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
