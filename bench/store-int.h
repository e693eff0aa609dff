/* bench/store-int.h - what the files of bench/store share */
#ifndef BENCH_STORE_INT_H
#define BENCH_STORE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libstore/store.h"

enum {
	BENCH_BODY = 20000,	/* octets of a message that is delivered */
	BENCH_SMALL = 72,	/* of one that fills a mailbox */
	BENCH_BULK = 10000,
	BENCH_COPY = 1000,
	BENCH_WRITERS = 8
};

struct bench_watchers;

struct bench_account {
	char name[40];
	struct store *st;
	uint64_t inbox, other;	/* mailboxes; other is nearly empty */
	uint32_t messages, serial;
	uint32_t middle, turn;	/* whose flags change; 0: to be found */
	uint64_t last;		/* an Email */
	uint64_t settled;	/* modseq with an empty journal, */
	uint64_t hundred;	/* and with a hundred changes in it */
	bool on;		/* what the next change of flags does */
	struct bench_watchers *watchers;
};

struct bench {
	struct store_conf conf;
	struct arena *a;
	uint32_t uid[BENCH_BULK];
	unsigned n_watchers;
	/* Of the last bench_start() to bench_stop(). */
	double begun, us;
	unsigned flushes, flushed;	/* since the start; until the stop */
	double last_write;	/* when the engine began its last one */
};

double bench_us(void);
/* Around what is measured; times: it was done so often. */
void bench_start(struct bench *b);
void bench_stop(struct bench *b, unsigned times);
void must(const struct bench_account *c, int rc, const char *what);

/* ---- store-fill.c ------------------------------------------------------ */

/* A message of about that length which is the next one of its thread. */
struct store_spool *bench_spool(struct bench *b, struct bench_account *c,
    size_t body);
/* n small messages more, each four of them a thread. */
void bench_fill(struct bench *b, struct bench_account *c, uint32_t n);
/* Makes the account anew. */
void bench_create(struct bench *b, struct bench_account *c, const char *name,
    uint32_t messages);

/* ---- what is measured -------------------------------------------------- */

typedef void bench_fn(struct bench *b, struct bench_account *c);

/* store-read.c */
bench_fn m_open, m_reopen, m_mailbox, m_load, m_load_100, m_load_since, m_info,
    m_email, m_mime, m_changes, m_refresh, m_memory;
/* store-write.c */
bench_fn m_spool, m_append, m_flag, m_flags, m_flags_seen, m_expunge, m_copy,
    m_move, m_sweep, m_compact;
/* Changes a flag of 10,000 messages. */
void bench_bulk(struct bench *b, struct bench_account *c);
/* The UID of the message in the middle, which has others behind it. */
uint32_t bench_middle(struct bench *b, struct bench_account *c);
/* store-many.c */
bench_fn m_writers_one, m_writers_many, m_wake, m_wakes, m_compact_wait,
    m_compact_none;
void bench_watchers_stop(struct bench_account *c);
void bench_remove(struct bench *b, struct bench_account *c);
/* store-raw.c: the same without the store */
bench_fn m_raw_100, m_raw_20k, m_raw_one, m_raw_many;

/* Lets n processes run fn at the same time; the time of all in
 * microseconds.  prepare is called in each before. */
struct bench_crowd {
	void (*prepare)(struct bench *b, unsigned i, void *arg);
	void (*run)(struct bench *b, unsigned i, void *arg);
	void *arg;
	unsigned n;
};
double bench_crowd(struct bench *b, const struct bench_crowd *cr);

#endif
