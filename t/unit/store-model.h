/* t/unit/store-model.h - a naive model of an account, to compare a store with */
#ifndef TEST_STORE_MODEL_H
#define TEST_STORE_MODEL_H

#include "libbase/arena.h"
#include "libstore/store.h"

enum {
	MD_CONTENTS = 300, MD_REFS = 4, MD_SUBJECTS = 6, MD_IN = 24,
	MD_EMAILS = 20000, MD_BOXES = 400, MD_SNAPS = 24
};

struct md_content {
	char *text;
	size_t n;
	int subject, ref[MD_REFS], n_ref;
};
struct md_in {
	uint64_t mb, modseq;
	uint32_t uid;
	bool deleted;
};
struct md_email {
	uint64_t id, thread, flags;
	int content;
	int64_t received;
	struct md_in in[MD_IN];
	int n_in;		/* 0: destroyed */
	bool swept;
};
struct md_box {
	uint64_t id, parent;
	char name[32];
	enum store_role role;
	bool gone, subscribed;
	uint32_t uidnext, sort;
};
struct md_snap {
	uint64_t modseq;
	struct md_email *e;
	size_t n_e;
	struct md_box *b;
	size_t n_b;
};
struct model {
	struct md_content c[MD_CONTENTS];
	struct md_email *e;
	size_t n_e;
	size_t hint;		/* the one found last: the next is near it */
	struct md_box b[MD_BOXES];
	size_t n_b;
	struct md_snap snap[MD_SNAPS];
	size_t n_snap;
	uint64_t rng;
};

void md_init(struct model *m, uint64_t seed);
void md_release(struct model *m);
uint32_t md_rnd(struct model *m, uint32_t n);	/* 0 .. n-1 */

struct md_box *md_box(struct model *m, uint64_t id);
struct md_box *md_box_any(struct model *m);
struct md_email *md_email(struct model *m, uint64_t id);
struct md_in *md_in(struct md_email *e, uint64_t mb);
struct md_email *md_by_uid(struct model *m, uint64_t mb, uint32_t uid);
/* UIDs of a mailbox, ascending, each with a chance of 1 in odds. */
size_t md_pick(struct model *m, uint64_t mb, uint32_t odds, uint32_t *uid,
    size_t max);
size_t md_boxes(const struct model *m);
bool md_child(const struct model *m, uint64_t id);

/* The thread that a new Email with this content joins; 0: its own. */
uint64_t md_thread_for(const struct model *m, int content);
struct md_email *md_add(struct model *m, uint64_t id, uint64_t thread,
    int content, uint64_t flags, int64_t received);
uint32_t md_join(struct model *m, struct md_email *e, uint64_t mb,
    bool deleted);
void md_leave(struct md_email *e, uint64_t mb);
void md_swept(struct model *m);

/* Remembers this state; compares the store with the model and what it tells of
 * changes with all remembered states (some: with one of them). */
void md_remember(struct model *m, struct store *st);
void md_compare(struct model *m, struct store *st, struct arena *a);
void md_compare_changes(struct model *m, struct store *st, struct arena *a,
    bool some);

#endif
