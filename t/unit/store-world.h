/* t/unit/store-world.h - an account with three mailboxes, for tests */
#ifndef TEST_STORE_WORLD_H
#define TEST_STORE_WORLD_H

#include "libbase/arena.h"
#include "t/unit/store-fixture.h"

#define S(s) slice_str(s)
#define ALL UINT64_MAX

/* An account with an inbox, a box and a trash. */
struct world {
	struct fixture *f;
	struct store *st;
	struct arena *a;
	uint64_t inbox, box, trash;
};

struct world world(void **state);
void world_end(struct world *w);
struct store_spool *spool(struct world *w, const char *text);
int add_to(struct world *w, const char *text, const uint64_t *mb, size_t n,
    uint64_t flags, struct store_added *r);
/* Message number k of its own thread, to the inbox. */
struct store_added add(struct world *w, int k, uint64_t flags);
/* n small ones at once. */
void add_many(struct world *w, uint64_t mb, int from, int n);
struct store_mailbox box(struct world *w, uint64_t id);
struct store_email email(struct world *w, uint64_t id);
int flag(struct world *w, uint64_t mb, uint32_t uid, enum store_flag_op op,
    uint64_t flags);

#endif
