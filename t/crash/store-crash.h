/* t/crash/store-crash.h - what test-store-crash's parts share */
#ifndef T_STORE_CRASH_H
#define T_STORE_CRASH_H

#include "libstore/store.h"
#include "t/crash/crash.h"

enum {
	WORKERS = 8,
	THREADS = 3,		/* of the first process, a worker each */
	BOXES = 3,		/* a worker's own mailboxes */
	COMMON = BOXES,		/* and the one that all work on */
	PLACES = BOXES + 1,
	MSGS = 32, UPLOADS = 4,
	COMMON_UIDS = 1 << 21, MODSEQS = 1 << 23
};
#define UID_UNKNOWN UINT32_MAX

/* What a worker knows of the account, as far as it alone changes it. */
struct m_box {
	bool there;
	uint64_t id;			/* 0: not known */
	uint32_t serial;		/* of its name */
	uint32_t uidvalidity, last_uid;
	uint32_t old_validity;		/* of one that had its name */
};
struct m_msg {
	uint64_t content;		/* 0: no message */
	uint64_t email, flags;
	uint32_t uid[PLACES];		/* 0: not in there */
	bool deleted[PLACES];
};
struct model {
	struct m_box box[BOXES];
	struct m_msg msg[MSGS];
	uint64_t upload[UPLOADS];	/* contents */
	uint64_t quota;			/* of one worker alone */
};
/* m[state & 1] was acknowledged; if state & 2 a change to the other one is
 * under way. */
struct worker {
	struct model m[2];
	_Atomic int state;
	_Atomic uint64_t contents;	/* that were begun */
	_Atomic uint32_t names;
	_Atomic uint64_t acked_modseq;
	/* The last changes, for a person. */
	char said[8][160];
	_Atomic uint32_t n_said;
};
struct store_shared {
	struct worker w[WORKERS];
	uint64_t common;		/* the mailbox */
	uint64_t keyword[WORKERS + 1];	/* a bit each; and anybody's */
	_Atomic uint64_t uid_content[COMMON_UIDS];
	_Atomic unsigned char modseq_used[MODSEQS];
};
extern struct store_shared *ss;
extern struct store_conf store_crash_conf;
#define STORE_CRASH_ACCOUNT "crash"

/* A worker's handle and what goes with it. */
struct job {
	struct store_conf conf;
	struct store *st;
	struct arena *a;
	int w;
	bool failing;		/* system calls, while it changes something */
};

/* ---- store-work.c: processes ---- */

void job_open(struct job *j, int w);
void job_close(struct job *j);
void worker_main(int w) __attribute__((noreturn));
void workers_main(void) __attribute__((noreturn));
void store_reader_main(void) __attribute__((noreturn));
void store_idler_main(void) __attribute__((noreturn));

/* The octets that a number stands for. */
struct slice content_text(struct arena *a, uint64_t content);
/* Is that what the blob has? */
bool content_is(struct job *j, const unsigned char ref[16], uint64_t content);
void box_name(int w, uint32_t serial, char buf[40]);
uint64_t place_id(const struct model *m, int place);
uint64_t own_flags(int w);

/* ---- store-change.c ---- */

/* One random change. */
void store_change(struct job *j);

/* ---- store-verify.c ---- */

/* The account has what the worker was promised, and its model is what is
 * there. */
void store_verify_worker(struct job *j);
/* Learns the UIDs that aren't known yet, none of which was ever given out. */
void store_learn(struct job *j, struct model *m);

#endif
