/*
 * t/unit/test-store-clients.c - copies kept from nothing but what is told
 *
 * While an account is changed at random through one handle, clients follow on
 * another: a JMAP client by store_changes() and what it fetches then, an IMAP
 * client of each mailbox by store_msgs_load(since) and store_vanished().  When
 * they have caught up their copies must be what is there; a handle that isn't
 * refreshed must show what it showed.  CULVER_SEED=n repeats a run;
 * CULVER_LONG=1 is 20 times as long.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/unit/store-world.h"

enum { STEPS = 150, BOXES = 4, COPY_MAX = 4000 };

static uint32_t rnd;

static uint32_t
pick(uint32_t n)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 17;
	rnd ^= rnd << 5;
	return rnd % n;
}

/* ---- what a client keeps ------------------------------------------------------ */

struct copy {			/* by id or UID */
	struct copied { uint64_t id, facts; } v[COPY_MAX];
	size_t n;
	uint64_t state;
};

static void
forget(struct copy *c, uint64_t id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].id == id) {
			c->v[i] = c->v[--c->n];
			return;
		}
}

static void
keep(struct copy *c, uint64_t id, uint64_t facts)
{
	forget(c, id);
	assert_true(c->n < COPY_MAX);
	c->v[c->n++] = (struct copied){ id, facts };
}

static int
by_id(const void *a, const void *b)
{
	const struct copied *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void
same(struct copy *mine, struct copy *truth, const char *what)
{
	qsort(mine->v, mine->n, sizeof(mine->v[0]), by_id);
	qsort(truth->v, truth->n, sizeof(truth->v[0]), by_id);
	if (mine->n != truth->n)
		fail_msg("%s: %zu in the copy, %zu there", what, mine->n,
		    truth->n);
	for (size_t i = 0; i < mine->n; i++)
		if (mine->v[i].id != truth->v[i].id ||
		    mine->v[i].facts != truth->v[i].facts)
			fail_msg("%s: %llx differs from %llx", what,
			    (unsigned long long)mine->v[i].id,
			    (unsigned long long)truth->v[i].id);
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* ---- JMAP ---------------------------------------------------------------------- */

/* false: no such Email, or all of it is hidden by \Deleted. */
static bool
email_facts(struct store *st, struct arena *a, uint64_t id, uint64_t *facts_r)
{
	struct store_email e;
	uint64_t h, in = 0;
	int rc = store_email_get(st, a, id, &e);

	if (rc == STORE_E_NOTFOUND)
		return false;
	assert_int_equal(rc, 0);
	for (size_t i = 0; i < e.n_in; i++)
		if (!e.in[i].deleted)
			in += mix(1, e.in[i].mailbox);
	h = mix(mix(mix(e.size, e.thread), e.flags), in);
	*facts_r = h;
	return in != 0;
}

static int
scan_email(void *arg, const struct store_msg_info *m)
{
	struct copy *c = arg;

	c->v[c->n++] = (struct copied){ m->email, 0 };
	return c->n == COPY_MAX;
}

static void
emails_now(struct store *st, struct arena *a, struct copy *c)
{
	size_t n = 0;

	c->n = 0;
	assert_int_equal(store_email_scan(st, 0, scan_email, c), 0);
	for (size_t i = 0; i < c->n; i++)
		if (email_facts(st, a, c->v[i].id, &c->v[i].facts))
			c->v[n++] = c->v[i];
	c->n = n;
	c->state = store_modseq(st);
}

static void
emails_follow(struct store *st, struct arena *a, struct copy *c)
{
	struct store_change *v;
	uint64_t facts;
	bool more = true;
	size_t n, max = pick(3) ? 0 : 1 + pick(5);

	while (more) {
		assert_int_equal(store_changes(st, a, STORE_T_EMAIL, c->state,
		    max, &v, &n, &c->state, &more), 0);
		assert_true(max == 0 || n <= max);
		for (size_t i = 0; i < n; i++) {
			forget(c, v[i].id);
			if (v[i].kind == STORE_DESTROYED)
				continue;
			if (email_facts(st, a, v[i].id, &facts))
				keep(c, v[i].id, facts);
			else	/* told of later, on another page */
				assert_true(more);
		}
	}
	assert_true(c->state == store_modseq(st));
}

/* ---- mailboxes, as JMAP has them -------------------------------------------------- */

static void
boxes_now(struct store *st, struct arena *a, struct copy *c)
{
	struct store_mailbox *mb;
	size_t n;

	assert_int_equal(store_mailbox_list(st, a, &mb, &n), 0);
	c->n = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t h = mix(mb[i].parent, mb[i].total - mb[i].deleted);

		h = mix(mix(h, mb[i].unread), mb[i].threads);
		h = mix(mix(h, mb[i].unread_threads), mb[i].role);
		for (size_t k = 0; k < mb[i].name.n; k++)
			h = mix(h, (unsigned char)mb[i].name.p[k]);
		c->v[c->n++] = (struct copied){ mb[i].id, h };
	}
	c->state = store_modseq(st);
}

static void
boxes_follow(struct store *st, struct arena *a, struct copy *c)
{
	struct copy *now = xcalloc(1, sizeof(*now));
	struct store_change *v;
	bool more = true;
	size_t n;

	boxes_now(st, a, now);
	while (more) {
		assert_int_equal(store_changes(st, a, STORE_T_MAILBOX,
		    c->state, pick(2) ? 0 : 2, &v, &n, &c->state, &more), 0);
		for (size_t i = 0; i < n; i++) {
			forget(c, v[i].id);
			for (size_t k = 0; k < now->n; k++)
				if (v[i].kind != STORE_DESTROYED &&
				    now->v[k].id == v[i].id)
					keep(c, v[i].id, now->v[k].facts);
		}
	}
	same(c, now, "mailboxes");
	xfree(now);
}

/* ---- IMAP ----------------------------------------------------------------------- */

static void
messages(struct store *st, uint64_t box, uint64_t since, struct copy *c)
{
	struct store_msg *m;
	size_t n;

	assert_int_equal(store_msgs_load(st, box, 1, UINT32_MAX, since, &m,
	    &n), 0);
	for (size_t i = 0; i < n; i++)
		keep(c, m[i].uid, mix(m[i].flags, m[i].modseq));
	xfree(m);
}

static void
imap_follow(struct store *st, struct arena *a, uint64_t box, struct copy *c)
{
	struct copy *now = xcalloc(1, sizeof(*now));
	uint32_t *gone;
	size_t n;

	assert_int_equal(store_vanished(st, a, box, c->state, &gone, &n), 0);
	for (size_t i = 0; i < n; i++)
		forget(c, gone[i]);
	messages(st, box, c->state, c);
	c->state = store_modseq(st);
	messages(st, box, 0, now);
	same(c, now, "a mailbox");
	xfree(now);
}

/* ---- who changes ---------------------------------------------------------------- */

struct changer {
	struct world w;
	uint64_t box[BOXES];	/* 0: none */
	unsigned serial;
};

/* Some UIDs of a mailbox, ascending. */
static size_t
some(struct changer *x, uint64_t box, uint32_t *uid, size_t max)
{
	struct store_msg *m;
	size_t n, k = 0;

	assert_int_equal(store_msgs_load(x->w.st, box, 1, UINT32_MAX, 0, &m,
	    &n), 0);
	for (size_t i = 0; i < n && k < max; i++)
		if (pick(3) == 0)
			uid[k++] = m[i].uid;
	xfree(m);
	return k;
}

static void
add_some(struct changer *x, uint64_t box, uint64_t other)
{
	uint64_t to[2] = { box, other };
	struct store_added r;
	unsigned k = pick(30);
	char *text = xasprintf("Message-ID: <%u@c>\r\nReferences: <%u@c>\r\n"
	    "Subject: %u\r\n\r\n%u\r\n", x->serial++, k, k % 3, k);

	assert_int_equal(add_to(&x->w, text, to, other && other != box ? 2 : 1,
	    pick(2) ? STORE_SEEN : 0, &r), 0);
	xfree(text);
}

static void
change_email(struct changer *x, uint64_t box, uint64_t other)
{
	struct copy *all = xcalloc(1, sizeof(*all));
	struct store_email_set s = { 0 };
	int rc;

	assert_int_equal(store_email_scan(x->w.st, 0, scan_email, all), 0);
	if (all->n > 0) {
		s.id = all->v[pick((uint32_t)all->n)].id;
		s.destroy = pick(3) == 0;
		s.flags_add = pick(2) ? STORE_FLAGGED : 0;
		s.flags_del = pick(2) ? STORE_SEEN : 0;
		s.mailboxes_add = &other;
		s.n_add = other && pick(2);
		s.mailboxes_del = &box;
		s.n_del = pick(2);
		assert_int_equal(store_email_change(x->w.st, &s, 1, &rc,
		    NULL), 0);
	}
	xfree(all);
}

static void
change_box(struct changer *x, size_t i)
{
	char *name = xasprintf("c%u", x->serial++);
	struct store_mailbox_set s = { .set_name = true, .name = S(name) };

	if (x->box[i] == 0)
		assert_int_equal(store_mailbox_create(x->w.st, &s,
		    &x->box[i]), 0);
	else if (i == 0 || pick(2))
		(void)store_mailbox_update(x->w.st, x->box[i], &s);
	else {
		assert_int_equal(store_mailbox_destroy(x->w.st, x->box[i],
		    true), 0);
		x->box[i] = 0;
	}
	xfree(name);
}

static void
change(struct changer *x)
{
	struct store *st = x->w.st;
	size_t i = pick(BOXES), n, n_p;
	uint64_t box = x->box[i], other = x->box[pick(BOXES)], flags;
	struct store_pair *p;
	uint32_t uid[8], *no;
	int what = (int)pick(20);

	if (box == 0 || what == 0) {
		change_box(x, i);
		return;
	}
	n = some(x, box, uid, 8);
	flags = pick(2) ? STORE_DELETED : STORE_SEEN;
	if (what < 6 || n == 0)
		add_some(x, box, pick(3) ? 0 : other);
	else if (what < 12)
		assert_int_equal(store_msgs_flag(st, x->w.a, box, uid, n,
		    (enum store_flag_op)pick(3), flags, UINT64_MAX, &no, &n_p,
		    NULL), 0);
	else if (what < 14)
		assert_int_equal(store_msgs_expunge(st, x->w.a, box, NULL, 0,
		    &no, &n_p, NULL), 0);
	else if (what < 15)
		assert_int_equal(store_msgs_remove(st, x->w.a, box, uid, 1,
		    NULL), 0);
	else if (what < 17 && other != 0)
		assert_int_equal(store_msgs_copy(st, x->w.a, box, uid, n,
		    other, other != box && pick(2), &p, &n_p, NULL), 0);
	else if (what < 19)
		change_email(x, box, other);
	else
		assert_true(store_idle(st, true) >= 0);
}

/* ---- together -------------------------------------------------------------------- */

struct clients {
	struct store *st;
	struct arena *a;
	struct copy email, boxes, box[BOXES], shown;
};

/* A mailbox that has come or gone is another copy. */
static void
follow(struct clients *c, const struct changer *x, uint64_t known[BOXES])
{
	struct copy *now = xcalloc(1, sizeof(*now));

	arena_reset(c->a);
	emails_follow(c->st, c->a, &c->email);
	emails_now(c->st, c->a, now);
	same(&c->email, now, "Emails");
	boxes_follow(c->st, c->a, &c->boxes);
	for (size_t i = 0; i < BOXES; i++) {
		if (x->box[i] != known[i]) {
			known[i] = x->box[i];
			c->box[i].n = 0;
			c->box[i].state = 0;
		}
		if (known[i] != 0 && c->box[i].state == 0) {
			messages(c->st, known[i], 0, &c->box[i]);
			c->box[i].state = store_modseq(c->st);
		} else if (known[i] != 0 && pick(2))
			imap_follow(c->st, c->a, known[i], &c->box[i]);
	}
	xfree(now);
}

static void
test_clients(void **state)
{
	const char *env = getenv("CULVER_SEED"), *l = getenv("CULVER_LONG");
	int steps = l != NULL && *l == '1' ? STEPS * 20 : STEPS;
	struct changer x = { .w = world(state) };
	struct clients *c = xcalloc(1, sizeof(*c));
	struct copy *now = xcalloc(1, sizeof(*now));
	uint64_t known[BOXES];

	random_bytes(&rnd, sizeof(rnd));
	if (env != NULL)
		rnd = (uint32_t)strtoul(env, NULL, 10);
	rnd = rnd ? rnd : 1;
	print_message("# CULVER_SEED=%u\n", (unsigned)rnd);
	x.box[0] = x.w.inbox;
	x.box[1] = x.w.box;
	memcpy(known, x.box, sizeof(known));
	assert_int_equal(store_open(&x.w.f->conf,
	    store_account_name(x.w.st), &c->st), 0);
	c->a = arena_new(0);
	emails_now(c->st, c->a, &c->email);
	boxes_now(c->st, c->a, &c->boxes);
	for (int i = 0; i < steps; i++) {
		emails_now(c->st, c->a, &c->shown);
		for (uint32_t k = pick(6); k > 0; k--) {
			change(&x);
			arena_reset(x.w.a);
		}
		/* Nobody has refreshed it. */
		emails_now(c->st, c->a, now);
		same(&c->shown, now, "what was shown");
		assert_true(store_refresh(c->st) >= 0);
		follow(c, &x, known);
	}
	store_close(&c->st);
	arena_free(&c->a);
	xfree(c);
	xfree(now);
	world_end(&x.w);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients),
	};

	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
