/* t/perf/perf.c - single operations of the store, for counting instructions
 *
 * Usage: perf fill DIRECTORY NAME MESSAGES
 *        perf OPERATION DIRECTORY NAME
 * What is to be counted is done in perf_counted(): a counter is switched on and
 * off around it.  The same data each time, whatever the time of day.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/store-int.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { LOADED = 10000, SOME = 1000, NEW = 50 };

struct perf {
	struct bench b;
	struct bench_account c;
	struct store_new add;
	uint32_t uid;		/* in the middle */
};

/* ---- what is done before ----------------------------------------------- */

static void
first_uids(uint32_t *uids)
{
	for (uint32_t i = 0; i < SOME; i++)
		uids[i] = i + 1;
}

static void
flag_some(struct perf *p)
{
	uint32_t uids[SOME];

	first_uids(uids);
	must(&p->c, store_msgs_flag(p->c.st, p->b.a, p->c.inbox, uids, SOME,
	    STORE_FLAG_ADD, STORE_DELETED, UINT64_MAX, NULL, NULL, NULL),
	    "flags");
}

static void
spool_some(struct perf *p)
{
	p->c.serial = 10000000;
	p->add = (struct store_new){ .mailboxes = &p->c.inbox,
	    .n_mailboxes = 1, .received_at = 1 };
	p->add.spool = bench_spool(&p->b, &p->c, BENCH_BODY);
}

static void
close_it(struct perf *p)
{
	store_close(&p->c.st);
}

/* ---- operations --------------------------------------------------------- */

static void
op_open(struct perf *p)
{
	struct store_mailbox mb;

	must(&p->c, store_open(&p->b.conf, p->c.name, &p->c.st), "open");
	must(&p->c, store_mailbox_find(p->c.st, p->b.a, slice_str("INBOX"),
	    &mb), "find");
}

static void
op_load(struct perf *p)
{
	struct store_msg *m;
	size_t n;

	must(&p->c, store_msgs_load(p->c.st, p->c.inbox, 1, LOADED, 0, &m, &n),
	    "load");
	if (n == 0)
		fatal("nothing was loaded");
	xfree(m);
}

static void
op_flag(struct perf *p)
{
	must(&p->c, store_msgs_flag(p->c.st, p->b.a, p->c.inbox, &p->uid, 1,
	    STORE_FLAG_ADD, STORE_SEEN, UINT64_MAX, NULL, NULL, NULL), "flag");
}

static void
op_seen(struct perf *p)
{
	uint32_t uids[SOME];

	first_uids(uids);
	must(&p->c, store_msgs_flag(p->c.st, p->b.a, p->c.inbox, uids, SOME,
	    STORE_FLAG_ADD, STORE_SEEN, UINT64_MAX, NULL, NULL, NULL),
	    "flags");
}

static void
copy(struct perf *p, bool move)
{
	uint32_t uids[SOME];
	struct store_pair *pair;
	size_t n;

	first_uids(uids);
	must(&p->c, store_msgs_copy(p->c.st, p->b.a, p->c.inbox, uids, SOME,
	    p->c.other, move, &pair, &n, NULL), "copy");
	if (n != SOME)
		fatal("%zu copied instead of %d", n, SOME);
}

static void
op_copy(struct perf *p)
{
	copy(p, false);
}

static void
op_move(struct perf *p)
{
	copy(p, true);
}

static void
op_append(struct perf *p)
{
	struct store_added r;

	must(&p->c, store_email_add(p->c.st, &p->add, 1, &r, NULL), "append");
}

static void
op_changes(struct perf *p)
{
	struct store_change *ch;
	uint64_t state, now = store_modseq(p->c.st);
	size_t n;
	bool more;

	must(&p->c, store_changes(p->c.st, p->b.a, STORE_T_EMAIL, now - NEW, 0,
	    &ch, &n, &state, &more), "changes");
	if (n != NEW)
		fatal("%zu changes instead of %d", n, NEW);
}

static void
op_expunge(struct perf *p)
{
	uint32_t *gone;
	size_t n;

	must(&p->c, store_msgs_expunge(p->c.st, p->b.a, p->c.inbox, NULL, 0,
	    &gone, &n, NULL), "expunge");
	if (n != SOME)
		fatal("%zu expunged instead of %d", n, SOME);
}

static const struct op {
	const char *name;
	void (*before)(struct perf *p);
	void (*fn)(struct perf *p);
} ops[] = {
	/* clang-format off */
	{ "open",	close_it,	op_open },
	{ "load",	NULL,		op_load },
	{ "flag",	NULL,		op_flag },
	{ "seen",	NULL,		op_seen },
	{ "copy",	NULL,		op_copy },
	{ "move",	NULL,		op_move },
	{ "append",	spool_some,	op_append },
	{ "changes",	NULL,		op_changes },
	{ "expunge",	flag_some,	op_expunge },
	/* clang-format on */
};

void perf_counted(const struct op *o, struct perf *p)
    __attribute__((noinline));

/* Not static: known by name to who counts. */
void
perf_counted(const struct op *o, struct perf *p)
{
	o->fn(p);
}

/* ---- the program -------------------------------------------------------- */

/* The newest changes are messages that came one by one. */
static void
fill(struct perf *p, const char *name, const char *messages)
{
	uint32_t n = (uint32_t)strtoul(messages, NULL, 10);

	bench_create(&p->b, &p->c, name, n);
	for (int i = 0; i < NEW; i++)
		bench_fill(&p->b, &p->c, 1);
}

static void
start(struct perf *p, const char *name)
{
	struct store_mailbox mb;

	snprintf(p->c.name, sizeof(p->c.name), "%s", name);
	must(&p->c, store_open(&p->b.conf, name, &p->c.st), "open");
	must(&p->c, store_mailbox_find(p->c.st, p->b.a, slice_str("INBOX"),
	    &mb), "find");
	p->c.inbox = mb.id;
	p->uid = mb.total / 2;
	must(&p->c, store_mailbox_find(p->c.st, p->b.a, slice_str("Other"),
	    &mb), "find");
	p->c.other = mb.id;
}

int
main(int argc, char **argv)
{
	struct perf p = { .b = { .conf = { .any_fs = true } } };

	if (argc < 4)
		fatal_perm("usage: perf OPERATION DIRECTORY NAME [MESSAGES]");
	p.b.conf.mail_dir = argv[2];
	p.b.a = arena_new(0);
	if (strcmp(argv[1], "fill") == 0 && argc == 5) {
		fill(&p, argv[3], argv[4]);
	} else {
		size_t i = 0;

		while (i < sizeof(ops) / sizeof(ops[0]) &&
		    strcmp(ops[i].name, argv[1]) != 0)
			i++;
		if (i == sizeof(ops) / sizeof(ops[0]))
			fatal_perm("%s: no such operation", argv[1]);
		start(&p, argv[3]);
		if (ops[i].before != NULL)
			ops[i].before(&p);
		perf_counted(&ops[i], &p);
	}
	if (p.c.st != NULL)
		store_close(&p.c.st);
	store_spool_free(&p.add.spool);
	arena_free(&p.b.a);
	return 0;
}
