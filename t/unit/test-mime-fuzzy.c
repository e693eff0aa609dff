/* t/unit/test-mime-fuzzy.c - words that fit those that are looked for */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libmime/fuzzy.h"

static char modules[4096];

static unsigned
score_in(const char *language, const char *want, const char *text)
{
	struct arena *a = arena_new(0);
	struct mime_fuzzy *f;
	unsigned s;

	assert_int_equal(mime_fuzzy_new(slice_str(want), modules, language, a,
	    &f), 0);
	mime_fuzzy_begin(f);
	mime_fuzzy_text(f, slice_str(text));
	s = mime_fuzzy_score(f);
	arena_free(&a);
	return s;
}

static unsigned
score(const char *want, const char *text)
{
	return score_in("english", want, text);
}

/* What fits, from the best to the worst, each better than the next. */
static void
test_order(void **state)
{
	static const char *const texts[] = {
		"the meeting is a meeting about meetings and meeting again",
		"our meeting tomorrow", "to meet is fine",
		"a meetingroom", "the meetign", "many premeetings"
	};
	unsigned last = 101;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		unsigned s = score("meeting", texts[i]);

		if (s == 0 || s >= last)
			fail_msg("%s: %u after %u", texts[i], s, last);
		last = s;
	}
	assert_int_equal(score("meeting", "nothing of that"), 0);
}

static void
test_fits(void **state)
{
	static const struct {
		const char *want, *text;
		bool fits;
	} v[] = {
		{ "IMAP break", "broken IMAP", false },
		{ "IMAP break", "IMAP breaks, sometimes", true },
		{ "IMAP break", "imap BREAKING news", true },
		{ "IMAP break", "IMAP alone", false },
		{ "Helo", "hello", true },
		{ "Helo", "help", true },
		{ "Helo", "halo", true },
		{ "Helo", "cello", false },
		{ "invoice", "invocie", true },		/* exchanged */
		{ "invoice", "invoce", true },		/* missing */
		{ "invoice", "invoicee", true },
		{ "invoice", "inovcei", false },
		{ "recommendation", "reccomendation", true },
		{ "cafe", "caf\303\251", true },
		{ "caf\303\251", "CAFE\314\201", true },
		{ "stra\303\237e", "STRA\303\237E", true },
		{ "\346\227\245\346\234\254",		/* in a word of more */
		    "\343\201\223\343\202\214\346\227\245\346\234\254\350\252\236",
		    true },
		{ "\320\234\320\276\321\201\320\272\320\262\320\260",
		    "\320\274\320\276\321\201\320\272\320\262\320\260", true },
		{ "2026", "in 2026.", true },
		{ "2026", "in 2025.", true },
		{ "a", "b", false },
		{ "cat", "cut", false },		/* too short for that */
		{ "cat", "concatenate", false },
		{ "date", "update", true },
		{ "", "x", true },
		{ "!?", "x", true },
		{ "x", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if ((score(v[i].want, v[i].text) > 0) != v[i].fits)
			fail_msg("%s in %s", v[i].want, v[i].text);
}

static void
test_languages(void **state)
{
	(void)state;
	assert_int_not_equal(score_in("german", "H\303\244user",
	    "ein Haus"), 0);
	assert_true(score_in("german", "Rechnung", "die Rechnungen") >=
	    score_in("none", "Rechnung", "die Rechnungen"));
	assert_int_equal(score_in("none", "running", "runs"), 0);
	assert_int_not_equal(score_in("english", "running", "runs"), 0);
	assert_int_not_equal(score_in(NULL, "run", "run"), 0);
}

/* Long words, many words, text that isn't. */
static void
test_bounds(void **state)
{
	struct arena *a = arena_new(0);
	struct mime_fuzzy *f;
	char *many = malloc(100000), *p = many;

	(void)state;
	memset(many, 'w', 99999);
	many[99999] = '\0';
	assert_int_not_equal(score(many, many), 0);
	for (int i = 0; i < 20000; i++)
		p += snprintf(p, 4, "%c%c ", 'a' + i % 26, 'a' + i / 26 % 26);
	assert_int_not_equal(score(many, many), 0);
	assert_true(score("aa ba", many) <= 100);
	assert_int_equal(mime_fuzzy_new(slice_str("\377"), NULL, NULL, a, &f), -1);
	/* twice the same */
	assert_int_equal(mime_fuzzy_new(slice_str("one"), NULL, NULL, a, &f), 0);
	mime_fuzzy_begin(f);
	mime_fuzzy_value(f, slice_str(" =?utf-8?Q?=4Fne?= two"));
	assert_int_not_equal(mime_fuzzy_score(f), 0);
	mime_fuzzy_begin(f);
	assert_int_equal(mime_fuzzy_score(f), 0);
	free(many);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_fits),
		cmocka_unit_test(test_languages), cmocka_unit_test(test_bounds),
	};

	snprintf(modules, sizeof(modules), "%s/libsession/.libs",
	    getenv("builddir") ? getenv("builddir") : ".");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
