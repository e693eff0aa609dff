/* bench/store-write.c - what bench/store measures of changing */
#include "config.h"

#include "bench/store-int.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { FLAG_TURN = 64 };	/* messages that m_flag() takes in turn */

/* Compaction, when it is due, belongs to nobody's time. */
static void
tidy(struct bench_account *c)
{
	must(c, store_idle(c->st, false), "idle");
}

void
m_spool(struct bench *b, struct bench_account *c)
{
	struct store_spool *sp;

	bench_start(b);
	sp = bench_spool(b, c, BENCH_BODY);
	bench_stop(b, 1);
	store_spool_free(&sp);
}

void
m_append(struct bench *b, struct bench_account *c)
{
	struct store_new v = { .mailboxes = &c->inbox, .n_mailboxes = 1,
	    .received_at = c->serial };
	struct store_added r;

	v.spool = bench_spool(b, c, BENCH_BODY);
	bench_start(b);
	must(c, store_email_add(c->st, &v, 1, &r, NULL), "add");
	bench_stop(b, 1);
	store_spool_free(&v.spool);
	c->last = r.email;
	tidy(c);
}

/* The first n messages from the given one (of all) on. */
static void
choose(struct bench *b, struct bench_account *c, uint32_t from, uint32_t n)
{
	struct store_msg *m;
	size_t all;

	must(c, store_msgs_load(c->st, c->inbox, 1, UINT32_MAX, 0, &m, &all),
	    "load");
	if (from + n > all)
		fatal("%s has too few messages", c->name);
	for (uint32_t i = 0; i < n; i++)
		b->uid[i] = m[from + i].uid;
	xfree(m);
}

uint32_t
bench_middle(struct bench *b, struct bench_account *c)
{
	if (c->middle == 0) {
		choose(b, c, c->messages / 2, 1);
		c->middle = b->uid[0];
	}
	return c->middle;
}

static void
flag(struct bench *b, struct bench_account *c, uint32_t n, bool on,
    uint64_t flags)
{
	must(c, store_msgs_flag(c->st, b->a, c->inbox, b->uid, n,
	    on ? STORE_FLAG_ADD : STORE_FLAG_DEL, flags, UINT64_MAX, NULL,
	    NULL, NULL), "flags");
}

/* Something changes each time. */
static void
flag_timed(struct bench *b, struct bench_account *c, uint32_t n, bool on,
    uint64_t flags)
{
	uint64_t before = store_modseq(c->st);

	bench_start(b);
	flag(b, c, n, on, flags);
	bench_stop(b, 1);
	if (store_modseq(c->st) != before + 1)
		fatal("flags: %d changes instead of one",
		    (int)(store_modseq(c->st) - before));
}

/* What m_flag() begins with. */
static void
unseen(struct bench *b, struct bench_account *c)
{
	for (uint32_t i = 0; i < FLAG_TURN; i++)
		b->uid[i] = bench_middle(b, c) + i;
	flag(b, c, FLAG_TURN, false, STORE_SEEN);
}

void
m_flag(struct bench *b, struct bench_account *c)
{
	uint32_t uid = bench_middle(b, c) + c->turn % FLAG_TURN;
	bool on = c->turn / FLAG_TURN % 2 == 0;

	if (c->turn++ == 0)
		unseen(b, c);
	b->uid[0] = uid;
	flag_timed(b, c, 1, on, STORE_SEEN);
}

void
bench_bulk(struct bench *b, struct bench_account *c)
{
	choose(b, c, 0, BENCH_BULK);
	c->on = !c->on;
	flag(b, c, BENCH_BULK, c->on, STORE_FLAGGED);
}

static void
flags(struct bench *b, struct bench_account *c, uint64_t f)
{
	c->on = !c->on;
	choose(b, c, 0, BENCH_BULK);
	flag(b, c, BENCH_BULK, !c->on, f);
	tidy(c);
	flag_timed(b, c, BENCH_BULK, c->on, f);
	c->turn = 0;
	tidy(c);
}

void
m_flags(struct bench *b, struct bench_account *c)
{
	flags(b, c, STORE_FLAGGED);
}

void
m_flags_seen(struct bench *b, struct bench_account *c)
{
	flags(b, c, STORE_SEEN);
}

/* The last ones go, and as many come. */
static void
expunge(struct bench *b, struct bench_account *c)
{
	uint32_t *gone;
	size_t n;

	choose(b, c, c->messages - BENCH_BULK, BENCH_BULK);
	flag(b, c, BENCH_BULK, true, STORE_DELETED);
	tidy(c);
	bench_start(b);
	must(c, store_msgs_expunge(c->st, b->a, c->inbox, NULL, 0, &gone, &n,
	    NULL), "expunge");
	bench_stop(b, 1);
	if (n != BENCH_BULK)
		fatal("%zu were expunged", n);
	bench_fill(b, c, BENCH_BULK);
	c->middle = c->turn = 0;
}

void
m_expunge(struct bench *b, struct bench_account *c)
{
	expunge(b, c);
	tidy(c);
}

static void
copy(struct bench *b, struct bench_account *c, uint64_t from, uint64_t to,
    bool move)
{
	struct store_pair *p;
	size_t n;

	must(c, store_msgs_copy(c->st, b->a, from, b->uid, BENCH_COPY, to, move,
	    &p, &n, NULL), "copy");
	if (n != BENCH_COPY)
		fatal("%zu were copied", n);
	for (size_t i = 0; i < n; i++)
		b->uid[i] = p[i].to;
}

/* To the other mailbox, from which they are removed again. */
void
m_copy(struct bench *b, struct bench_account *c)
{
	choose(b, c, 0, BENCH_COPY);
	bench_start(b);
	copy(b, c, c->inbox, c->other, false);
	bench_stop(b, 1);
	must(c, store_msgs_remove(c->st, b->a, c->other, b->uid, BENCH_COPY,
	    NULL), "remove");
	tidy(c);
}

/* And back again. */
void
m_move(struct bench *b, struct bench_account *c)
{
	choose(b, c, 0, BENCH_COPY);
	bench_start(b);
	copy(b, c, c->inbox, c->other, true);
	bench_stop(b, 1);
	copy(b, c, c->other, c->inbox, true);
	tidy(c);
	c->middle = c->turn = 0;
}

void
m_sweep(struct bench *b, struct bench_account *c)
{
	expunge(b, c);
	bench_start(b);
	must(c, store_idle(c->st, true), "idle");
	bench_stop(b, 1);
}

void
m_compact(struct bench *b, struct bench_account *c)
{
	must(c, store_idle(c->st, true), "idle");
	for (int i = 0; i < 50; i++)
		m_flag(b, c);
	bench_start(b);
	must(c, store_idle(c->st, true), "idle");
	bench_stop(b, 1);
}
