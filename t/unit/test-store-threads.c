/*
 * t/unit/test-store-threads.c - which thread an Email joins, in every order
 *
 * The rule (doc/storage.md, Threading): the oldest living thread of which an
 * Email names one of its message ids, under the same base subject.  Here it is
 * written down once more, naively.  CULVER_SEED=n repeats a run.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/unit/store-world.h"

enum { CHAIN = 4, TREES = 5, MOST = 60, IDS = 12, NAMED = 6, ROUNDS = 6 };

static uint32_t rnd;

static uint32_t
pick(uint32_t n)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 17;
	rnd ^= rnd << 5;
	return rnd % n;
}

static void
seed(void)
{
	const char *env = getenv("CULVER_SEED");
	uint32_t s;

	random_bytes(&s, sizeof(s));
	if (env != NULL)
		s = (uint32_t)strtoul(env, NULL, 10);
	rnd = s ? s : 1;
	print_message("# CULVER_SEED=%u\n", (unsigned)rnd);
}

/* ---- who names the whole chain -------------------------------------------- */

struct tree {			/* parent[i] < i; the root is 0 */
	size_t parent[CHAIN];
	unsigned serial;
};

static struct store_added
deliver(struct world *w, const struct tree *t, size_t i)
{
	char *refs = xstrdup(""), *text;
	struct store_added r;

	for (size_t up = i; up != 0; up = t->parent[up]) {
		char *more = xasprintf(" <%u.%zu@x>%s", t->serial,
		    t->parent[up], refs);

		xfree(refs);
		refs = more;
	}
	text = xasprintf("Message-ID: <%u.%zu@x>\r\n%s%s%sSubject: %sTree\r\n"
	    "\r\n", t->serial, i, i ? "References:" : "", refs,
	    i ? "\r\n" : "", i ? "Re: " : "");
	assert_int_equal(add_to(w, text, &w->inbox, 1, 0, &r), 0);
	xfree(text);
	xfree(refs);
	return r;
}

/* All orders of [at, n), each once. */
static void
permute(struct world *w, struct tree *t, size_t *order, size_t at, size_t n)
{
	uint64_t thread = 0, *e;
	size_t n_e;

	if (at == n) {
		t->serial++;
		for (size_t i = 0; i < n; i++) {
			struct store_added r = deliver(w, t, order[i]);

			assert_true(thread == 0 || r.thread == thread);
			thread = r.thread;
		}
		assert_int_equal(store_thread_get(w->st, w->a, thread, &e,
		    &n_e), 0);
		assert_int_equal(n_e, n);
		return;
	}
	for (size_t i = at; i < n; i++) {
		size_t swap = order[at];

		order[at] = order[i];
		order[i] = swap;
		permute(w, t, order, at + 1, n);
		order[i] = order[at];
		order[at] = swap;
	}
}

static void
test_orders(void **state)
{
	struct world w = world(state);
	struct tree t = { .serial = 0 };

	seed();
	for (int k = 0; k < TREES; k++) {
		size_t order[CHAIN];

		for (size_t i = 0; i < CHAIN; i++) {
			order[i] = i;
			t.parent[i] = i ? pick((uint32_t)i) : 0;
		}
		permute(&w, &t, order, 0, CHAIN);
	}
	/* Each order of each tree is a thread. */
	assert_int_equal(box(&w, w.inbox).threads, t.serial);
	world_end(&w);
}

/* ---- any names at all ------------------------------------------------------- */

struct model_msg {
	uint64_t email, thread;
	uint32_t uid;
	unsigned subject;
	unsigned id[NAMED];	/* 0: none */
	bool gone;
};

struct model {
	struct model_msg m[MOST];
	size_t n;
};

static bool
share(const struct model_msg *a, const struct model_msg *b)
{
	if (a->subject != b->subject)
		return false;
	for (size_t i = 0; i < NAMED; i++)
		for (size_t j = 0; j < NAMED; j++)
			if (a->id[i] != 0 && a->id[i] == b->id[j])
				return true;
	return false;
}

static bool
lives(const struct model *k, uint64_t thread)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->m[i].thread == thread && !k->m[i].gone)
			return true;
	return false;
}

/* 0: it begins one.  What was destroyed still tells of a thread that lives. */
static uint64_t
joins(const struct model *k, const struct model_msg *m)
{
	uint64_t best = 0;

	for (size_t i = 0; i < k->n; i++)
		if (share(&k->m[i], m) && lives(k, k->m[i].thread) &&
		    (best == 0 || k->m[i].thread < best))
			best = k->m[i].thread;
	return best;
}

static char *
text_of(const struct model_msg *m, unsigned round)
{
	static const char *const prefix[] = {
		"", "Re: ", "Fwd: ", "[list] Re: ", "re: re: "
	};
	char *refs = xstrdup(""), *text;

	for (size_t i = 2; i < NAMED; i++) {
		char *more = m->id[i] == 0 ? xstrdup(refs) :
		    xasprintf("%s%s<%u.%u@y>", refs, i % 2 ? "\r\n\t" : " ",
		    round, m->id[i]);

		xfree(refs);
		refs = more;
	}
	text = xasprintf("Message-ID: <%u.%u@y>\r\nIn-Reply-To: <%u.%u@y>\r\n"
	    "References:%s\r\nSubject: %sround %u.%u\r\n\r\n", round,
	    m->id[0], round, m->id[1], refs, prefix[pick(5)], round,
	    m->subject);
	xfree(refs);
	return text;
}

static void
one_more(struct world *w, struct model *k, unsigned round)
{
	struct model_msg *m = &k->m[k->n];
	struct store_added r;
	uint64_t thread;
	char *text;

	*m = (struct model_msg){ .subject = pick(2) };
	for (size_t i = 0; i < NAMED; i++)
		m->id[i] = i < 2 || pick(3) == 0 ? 1 + pick(IDS) : 0;
	thread = joins(k, m);
	text = text_of(m, round);
	assert_int_equal(add_to(w, text, &w->inbox, 1, pick(2) ? STORE_SEEN :
	    0, &r), 0);
	xfree(text);
	if (thread == 0)
		assert_true(r.thread == r.email);
	else
		assert_true(r.thread == thread);
	m->email = r.email;
	m->thread = r.thread;
	m->uid = r.uid;
	k->n++;
}

static void
one_less(struct world *w, struct model *k)
{
	struct model_msg *m;

	if (k->n == 0 || (m = &k->m[pick((uint32_t)k->n)])->gone)
		return;
	assert_int_equal(store_msgs_remove(w->st, w->a, w->inbox, &m->uid, 1,
	    NULL), 0);
	m->gone = true;
}

/* Each thread is who lives of it, and nobody's thread has changed. */
static void
compare(struct world *w, const struct model *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct model_msg *m = &k->m[i];
		uint64_t *e;
		size_t n, mine = 0;

		if (!lives(k, m->thread)) {
			assert_int_equal(store_thread_get(w->st, w->a,
			    m->thread, &e, &n), STORE_E_NOTFOUND);
			continue;
		}
		assert_int_equal(store_thread_get(w->st, w->a, m->thread, &e,
		    &n), 0);
		for (size_t j = 0; j < k->n; j++)
			mine += k->m[j].thread == m->thread && !k->m[j].gone;
		assert_int_equal(n, mine);
		for (size_t j = 0; j < n; j++)
			assert_true(email(w, e[j]).thread == m->thread);
	}
}

static void
test_graphs(void **state)
{
	struct world w = world(state);

	seed();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct model *k = xcalloc(1, sizeof(*k));

		while (k->n < MOST)
			if (pick(5) == 0)
				one_less(&w, k);
			else
				one_more(&w, k, round);
		compare(&w, k);
		xfree(k);
		arena_reset(w.a);
	}
	world_end(&w);
}

/* ---- nonsense ---------------------------------------------------------------- */

/* Whatever stands in these fields, an Email has a thread that has it. */
static void
test_nonsense(void **state)
{
	static const char *const pieces[] = {
		"<", ">", "<>", "<a", "a>", "<a@b>", "<a@b><a@b>", "(c <d@e>)",
		"\"q <\"", "\r\n ", ",", "<\"x\"@y>", "\xff\xfe", "=?utf-8?q?x?="
	};
	struct world w = world(state);

	seed();
	for (int i = 0; i < 60; i++) {
		struct store_added r;
		char *text = xstrdup("");
		uint64_t *e;
		size_t n;

		for (int h = 0; h < 3; h++) {
			static const char *const names[] = {
				"Message-ID:", "In-Reply-To:", "References:"
			};
			char *more = xasprintf("%s%s ", text, names[h]);

			/* References beyond the 32 that count, too. */
			for (uint32_t k = pick(h == 2 ? 80 : 6); k > 0; k--) {
				char *longer = xasprintf("%s%s", more,
				    pieces[pick(14)]);

				xfree(more);
				more = longer;
			}
			xfree(text);
			text = xasprintf("%sx\r\n", more);
			xfree(more);
		}
		assert_int_equal(add_to(&w, text, &w.inbox, 1, 0, &r), 0);
		xfree(text);
		assert_int_equal(store_thread_get(w.st, w.a, r.thread, &e,
		    &n), 0);
		while (n > 0 && e[n - 1] != r.email)
			n--;
		assert_true(n > 0);
	}
	world_end(&w);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_graphs),
		cmocka_unit_test(test_nonsense),
	};

	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
