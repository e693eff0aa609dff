/* bench/store-read.c - what bench/store measures of reading */
#include "config.h"

#include <malloc.h>

#include "bench/store-int.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

static void
open_find(struct bench *b, struct bench_account *c)
{
	struct store_mailbox mb;
	struct store *st;

	bench_start(b);
	must(c, store_open(&b->conf, c->name, &st), "open");
	must(c, store_mailbox_find(st, b->a, slice_str("INBOX"), &mb), "find");
	store_close(&st);
	bench_stop(b, 1);
}

/* The journal is empty. */
void
m_open(struct bench *b, struct bench_account *c)
{
	if (store_modseq(c->st) != c->settled) {
		must(c, store_idle(c->st, true), "idle");
		open_find(b, c);	/* the first reads the new base */
	}
	c->settled = store_modseq(c->st);
	open_find(b, c);
}

/* The journal has a hundred records. */
void
m_reopen(struct bench *b, struct bench_account *c)
{
	if (store_modseq(c->st) != c->hundred) {
		must(c, store_idle(c->st, true), "idle");
		for (int i = 0; i < 100; i++)
			m_flag(b, c);
	}
	c->hundred = store_modseq(c->st);
	open_find(b, c);
}

void
m_mailbox(struct bench *b, struct bench_account *c)
{
	struct store_mailbox mb;

	bench_start(b);
	for (int i = 0; i < 20; i++)
		must(c, store_mailbox_get(c->st, b->a, c->inbox, &mb), "get");
	bench_stop(b, 20);
}

static void
load(struct bench *b, struct bench_account *c, uint32_t from, uint64_t since,
    size_t least)
{
	struct store_msg *m;
	size_t n;

	bench_start(b);
	must(c, store_msgs_load(c->st, c->inbox, from, UINT32_MAX, since, &m,
	    &n), "load");
	bench_stop(b, 1);
	xfree(m);
	if (n < least)
		fatal("%zu messages loaded instead of %zu", n, least);
}

void
m_load(struct bench *b, struct bench_account *c)
{
	load(b, c, 1, 0, c->messages);
}

void
m_load_100(struct bench *b, struct bench_account *c)
{
	struct store_mailbox mb;

	must(c, store_mailbox_get(c->st, b->a, c->inbox, &mb), "get");
	load(b, c, mb.uidnext - 100, 0, 100);
}

void
m_load_since(struct bench *b, struct bench_account *c)
{
	uint64_t since = store_modseq(c->st);

	m_flag(b, c);
	load(b, c, 1, since, 1);
}

static int
seen(void *arg, const struct store_msg_info *m)
{
	(void)m;
	++*(unsigned *)arg;
	return 0;
}

void
m_info(struct bench *b, struct bench_account *c)
{
	struct store_range r;
	uint32_t uid = bench_middle(b, c);
	unsigned n = 0;

	bench_start(b);
	for (uint32_t i = 0; i < 20; i++) {
		r.from = r.to = uid + i;
		must(c, store_msg_scan(c->st, c->inbox, &r, 1, seen, &n),
		    "scan");
	}
	bench_stop(b, 20);
	if (n != 20)
		fatal("%u messages instead of 20", n);
}

void
m_email(struct bench *b, struct bench_account *c)
{
	struct store_email e;

	bench_start(b);
	for (int i = 0; i < 20; i++)
		must(c, store_email_get(c->st, b->a, c->last, &e), "get");
	bench_stop(b, 20);
}

void
m_mime(struct bench *b, struct bench_account *c)
{
	struct store_email e;
	struct mime_msg *m;

	must(c, store_email_get(c->st, b->a, c->last, &e), "get");
	bench_start(b);
	must(c, store_email_mime(c->st, b->a, e.ref, &m), "mime");
	bench_stop(b, 1);
}

void
m_changes(struct bench *b, struct bench_account *c)
{
	struct store_change *ch;
	uint64_t since = store_modseq(c->st), s;
	size_t n;
	bool more;

	for (int i = 0; i < 50; i++)
		bench_fill(b, c, 1);
	bench_start(b);
	must(c, store_changes(c->st, b->a, STORE_T_EMAIL, since, 0, &ch, &n, &s,
	    &more), "changes");
	bench_stop(b, 1);
	if (n != 50)
		fatal("%zu changes instead of 50", n);
}

void
m_refresh(struct bench *b, struct bench_account *c)
{
	struct store *st;
	int rc;

	must(c, store_open(&b->conf, c->name, &st), "open");
	m_flag(b, c);
	bench_start(b);
	rc = store_refresh(st);
	bench_stop(b, 1);
	must(c, rc, "refresh");
	if (rc != 1)
		fatal("a foreign change was not seen");
	store_close(&st);
}

/* Octets of heap, not microseconds. */
void
m_memory(struct bench *b, struct bench_account *c)
{
	struct mallinfo2 before = mallinfo2(), after;
	struct store_mailbox mb;
	struct store *st;

	bench_start(b);
	must(c, store_open(&b->conf, c->name, &st), "open");
	must(c, store_mailbox_find(st, b->a, slice_str("INBOX"), &mb), "find");
	bench_stop(b, 1);
	after = mallinfo2();
	b->us = (double)(after.uordblks + after.hblkhd) -
	    (double)(before.uordblks + before.hblkhd);
	store_close(&st);
}
