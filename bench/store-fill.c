/* bench/store-fill.c - made-up messages and accounts for bench/store */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "bench/store-int.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { BATCH = 1000 };

void
must(const struct bench_account *c, int rc, const char *what)
{
	if (rc < 0)
		fatal("%s: %d: %s", what, rc,
		    c != NULL && c->st != NULL ? store_errmsg(c->st) : "");
}

/* Letters that don't compress well, the same in every run. */
static void
text_fill(char *p, size_t n, uint64_t seed)
{
	uint64_t x = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (char)('a' + (x >> 32) % 26);
	}
	for (size_t i = 70; i + 1 < n; i += 72)
		memcpy(p + i, "\r\n", 2);
}

struct store_spool *
bench_spool(struct bench *b, struct bench_account *c, size_t body)
{
	struct store_spool *sp = store_spool_new(&b->conf, true, 0);
	uint32_t k = c->serial++;
	char text[BENCH_BODY + 72];
	int n = snprintf(text, sizeof(text), "Message-ID: <%u@bench>\r\n"
	    "References: <%u@bench> <%u@bench>\r\nFrom: a@example.org\r\n"
	    "Subject: Re: number %u\r\n\r\n", k, k - k % 4, k - k % 2, k / 4);

	must(c, store_spool_add(sp, text, (size_t)n), "spool");
	text_fill(text, body, k);
	must(c, store_spool_add(sp, text, body), "spool");
	must(c, store_spool_done(sp), "spool");
	return sp;
}

void
bench_fill(struct bench *b, struct bench_account *c, uint32_t n)
{
	struct store_new *v = xcalloc(BATCH, sizeof(*v));

	while (n > 0) {
		uint32_t k = n < BATCH ? n : BATCH;

		for (uint32_t i = 0; i < k; i++) {
			v[i] = (struct store_new){ .mailboxes = &c->inbox,
			    .n_mailboxes = 1, .received_at = c->serial };
			v[i].spool = bench_spool(b, c, BENCH_SMALL);
		}
		must(c, store_email_add(c->st, v, k, NULL, NULL), "add");
		for (uint32_t i = 0; i < k; i++)
			store_spool_free(&v[i].spool);
		n -= k;
		if (n % (16 * BATCH) == 0)
			must(c, store_idle(c->st, false), "idle");
	}
	xfree(v);
}

void
bench_create(struct bench *b, struct bench_account *c, const char *name,
    uint32_t messages)
{
	struct store_mailbox mb;
	struct store_mailbox_set s = { .set_name = true,
	    .name = SLICE_LIT("Other") };

	*c = (struct bench_account){ .messages = messages };
	snprintf(c->name, sizeof(c->name), "%s", name);
	(void)store_account_delete(&b->conf, c->name);
	must(c, store_account_create(&b->conf, c->name), "create");
	must(c, store_open(&b->conf, c->name, &c->st), "open");
	must(c, store_mailbox_find(c->st, b->a, slice_str("INBOX"), &mb),
	    "find");
	must(c, store_mailbox_create(c->st, &s, &c->other), "create");
	c->inbox = mb.id;
	bench_fill(b, c, messages);
	must(c, store_idle(c->st, true), "idle");
	arena_reset(b->a);
}
