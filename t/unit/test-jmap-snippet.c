/* t/unit/test-jmap-snippet.c - what SearchSnippet/get marks, on random texts */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "jmap-fcgi/email-text.h"

enum { MAX = 255, ROUNDS = 3000, TEXT = 400 };

static const char *const pieces[] = {
	"a", "B", "c", "ab", "AB", " ", "\n", "<", ">", "&", "\xc3\xa9",
	"e\xcc\x81", "\xc3\x9f", "SS", "\xd0\xa4", "\xd1\x84", "\xef\xac\x81",
	"fi", "\xe2\x80\x8d", "\xcc\x81", "\xf0\x9f\x98\x80", "\xe1\x84\x80",
	"\xe1\x85\xa1", "\xc4\xb0", "\xce\xa3", "\xcf\x82", "\xef\xbf\xbd"
};
enum { N_PIECES = sizeof(pieces) / sizeof(pieces[0]) };

static void
random_text(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_str(b, pieces[(size_t)rand() % N_PIECES]);
}

static void
term_init(struct text_term *t, struct slice s, struct arena *a)
{
	assert_int_equal(utf8_fold(s, a, &t->key), 0);
	assert_int_equal(mime_needle_new(s, a, &t->needle), 0);
}

/* The text that the HTML stands for; -1: it isn't as it should be. */
static int
undo(struct slice html, struct buf *text, size_t *marks)
{
	static const struct {
		const char *from, *to;
	} t[] = {
		{ "<mark>", "" }, { "</mark>", "" }, { "&lt;", "<" },
		{ "&gt;", ">" }, { "&amp;", "&" }
	};
	bool open = false;
	size_t i;

	*marks = 0;
	while (html.n > 0) {
		for (i = 0; i < 5; i++)
			if (slice_starts(html, slice_str(t[i].from)))
				break;
		if (i == 5 && strchr("<>&", html.p[0]) != NULL)
			return -1;
		if (i < 2 && open == (i == 0))
			return -1;
		if (i == 0)
			++*marks;
		if (i < 2)
			open = i == 0;
		buf_add_str(text, i < 5 ? t[i].to : "");
		if (i == 5)
			buf_addc(text, html.p[0]);
		html.p += i < 5 ? strlen(t[i].from) : 1;
		html.n -= i < 5 ? strlen(t[i].from) : 1;
	}
	return open ? -1 : 0;
}

static void
one(struct arena *a, size_t max)
{
	struct text_term t[2];
	const struct text_term *v[2] = { &t[0], &t[1] };
	struct buf text, word, out, back;
	size_t n = 1 + (size_t)rand() % 2, marks;
	bool in = false;

	buf_init(&text, 1 << 20);
	buf_init(&word, 1 << 20);
	buf_init(&out, 1 << 20);
	buf_init(&back, 1 << 20);
	random_text(&text, (size_t)rand() % TEXT);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&word);
		do
			random_text(&word, 1 + (size_t)rand() % 3);
		while (utf8_fold(buf_slice(&word), a, &t[i].key) < 0 ||
		    t[i].key.n == 0);
		term_init(&t[i], arena_slice(a, buf_slice(&word)), a);
		in |= mime_needle_in(t[i].needle, buf_slice(&text));
	}
	if (text.n > 0 && snippet_mark(v, n, buf_slice(&text), max,
	    &out) == 1) {
		assert_true(in);
		assert_true(utf8_valid(buf_slice(&out)));
		assert_true(max == 0 || out.n <= max);
		assert_int_equal(undo(buf_slice(&out), &back, &marks), 0);
		assert_true(marks > 0);
	} else {
		assert_int_equal(out.n, 0);
	}
	buf_release(&text);
	buf_release(&word);
	buf_release(&out);
	buf_release(&back);
}

static void
test_random(void **state)
{
	const char *seed = getenv("CULVER_SEED");
	struct arena *a = arena_new(0);

	(void)state;
	srand(seed != NULL ? (unsigned)strtoul(seed, NULL, 10) :
	    5);
	for (int i = 0; i < ROUNDS; i++) {
		one(a, i % 2 ? MAX : 0);
		arena_reset(a);
	}
	arena_free(&a);
}

/* A finding behind and across the border of two windows of a long text. */
static void
test_long(void **state)
{
	struct arena *a = arena_new(0);
	struct text_term t;
	const struct text_term *v[1] = { &t };
	struct buf text, out;

	(void)state;
	term_init(&t, SLICE_LIT("needle"), a);
	for (size_t at = 8150; at < 12400; at += 17) {
		buf_init(&text, 1 << 20);
		buf_init(&out, 1000);
		while (text.n < at)
			buf_add_str(&text, text.n % 7 ? "x" : " ");
		buf_add_str(&text, " NEEDLE ");
		while (text.n < at + 9000)
			buf_add_str(&text, "\xc3\xa9");
		assert_int_equal(snippet_mark(v, 1, buf_slice(&text), MAX,
		    &out), 1);
		assert_true(out.n <= MAX);
		assert_non_null(memmem(out.p, out.n, "<mark>NEEDLE</mark>",
		    19));
		buf_release(&text);
		buf_release(&out);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_long),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
