/* t/unit/test-imap-tree.c - THREAD's trees: deep ones, random ones */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imapd/tree.h"
#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

enum { DEEP = 100000, ROUNDS = 300, MOST = 40 };

static uint32_t rnd;

static uint32_t
pick(uint32_t n)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 17;
	rnd ^= rnd << 5;
	return rnd % n;
}

static uint32_t *
numbers(size_t n)
{
	uint32_t *no = xcalloc(n, sizeof(*no));

	for (size_t i = 0; i < n; i++)
		no[i] = (uint32_t)i + 1;
	return no;
}

/* A chain of replies, which no recursion would survive. */
static void
test_deep(void **state)
{
	struct arena *a = arena_new(0);
	struct tree_msg *m = xcalloc(DEEP, sizeof(*m));
	uint32_t *no = numbers(DEEP);
	struct buf out;
	struct tree t;

	(void)state;
	for (size_t i = 0; i < DEEP; i++) {
		m[i].id = slice_str(arena_printf(a, "%zu@x", i));
		m[i].sent = (int64_t)i;
		m[i].subject = SLICE_LIT("deep");
		if (i == 0)
			continue;
		m[i].refs = &m[i - 1].id;
		m[i].n_refs = 1;
	}
	for (int kind = TREE_REFERENCES; kind <= TREE_REFS; kind++) {
		buf_init(&out, 16 << 20);
		tree_make(&t, (enum tree_kind)kind, m, DEEP);
		tree_print(&t, no, &out);
		assert_memory_equal(out.p, "(1 2 3 4 ", 9);
		assert_memory_equal(out.p + out.n - 8, " 100000)", 8);
		assert_null(memchr(out.p + 1, '(', out.n - 1));
		buf_release(&out);
		tree_free(&t);
	}
	xfree(no);
	xfree(m);
	arena_free(&a);
}

/* Parentheses match, none is empty, every number is there once. */
static void
check_text(struct slice s, size_t n)
{
	bool seen[MOST + 1] = { false };
	size_t depth = 0, count = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '(') {
			depth++;
			assert_true(i + 1 < s.n && s.p[i + 1] != ')' &&
			    s.p[i + 1] != ' ');
		} else if (s.p[i] == ')') {
			assert_true(depth > 0);
			depth--;
		} else if (s.p[i] == ' ') {
			assert_true(depth > 0);
			assert_true(s.p[i + 1] == '(' ||
			    (s.p[i + 1] >= '0' && s.p[i + 1] <= '9'));
		} else {
			size_t v = 0;

			for (; s.p[i] >= '0' && s.p[i] <= '9'; i++)
				v = v * 10 + (size_t)(s.p[i] - '0');
			i--;
			assert_true(depth > 0);
			assert_true(v >= 1 && v <= n && !seen[v]);
			seen[v] = true;
			count++;
		}
	}
	assert_int_equal(depth, 0);
	assert_int_equal(count, n);
}

/* Siblings by date; no message above itself. */
static void
check_order(const struct tree *t)
{
	size_t n, *order = tree_preorder(t, &n);

	for (size_t i = 0; i < n; i++) {
		const struct tree_node *x = &t->node[order[i]];

		if (x->next != TREE_NONE && x->parent != t->root)
			assert_true(tree_sent(t, order[i]) <=
			    tree_sent(t, x->next));
		if (x->msg == TREE_NONE)
			assert_int_equal(x->parent, t->root);
	}
	xfree(order);
}

static void
fill(struct tree_msg *m, size_t n, struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		m[i] = (struct tree_msg){ .sent = pick(50), .reply = pick(2) };
		m[i].arrived = (int64_t)i;
		if (pick(8) != 0)	/* some have none, some the same */
			m[i].id = slice_str(arena_printf(a, "%u",
			    (unsigned)pick((uint32_t)n * 2)));
		m[i].subject = slice_str(arena_printf(a, "%.*s",
		    (int)pick(2), "s"));
		m[i].n_refs = pick(5);
		m[i].refs = arena_calloc(a, m[i].n_refs + 1, sizeof(*m[i].refs));
		for (uint32_t k = 0; k < m[i].n_refs; k++)
			m[i].refs[k] = slice_str(arena_printf(a, "%u",
			    (unsigned)pick((uint32_t)n * 2)));
	}
}

static void
test_random(void **state)
{
	uint32_t seed;
	const char *env = getenv("TREE_SEED");
	uint32_t *no = numbers(MOST);

	(void)state;
	random_bytes(&seed, sizeof(seed));
	if (env != NULL)
		seed = (uint32_t)strtoul(env, NULL, 10);
	printf("# TREE_SEED=%u\n", (unsigned)seed);
	rnd = seed ? seed : 1;
	for (int round = 0; round < ROUNDS; round++) {
		struct arena *a = arena_new(0);
		size_t n = 1 + pick(MOST);
		struct tree_msg m[MOST];

		fill(m, n, a);
		for (int kind = TREE_ORDEREDSUBJECT; kind <= TREE_REFS;
		    kind++) {
			struct tree t;
			struct buf out;

			buf_init(&out, 1 << 20);
			tree_make(&t, (enum tree_kind)kind, m, n);
			tree_print(&t, no, &out);
			check_text(buf_slice(&out), n);
			if (kind != TREE_ORDEREDSUBJECT)
				check_order(&t);
			buf_release(&out);
			tree_free(&t);
		}
		arena_free(&a);
	}
	xfree(no);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_random),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
