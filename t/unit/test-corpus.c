/* t/unit/test-corpus.c - the made-up mail is always the same mail */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bench/corpus.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libmime/mime.h"

enum { MESSAGES = 200 };

static void
digest_is(const struct corpus_conf *cf, const char *want)
{
	struct corpus *c = corpus_new(cf);
	unsigned char h[SHA256_LEN];
	struct buf b, hexed;

	buf_init(&b, SIZE_MAX / 2);
	buf_init(&hexed, 100);
	for (unsigned i = 0; i < MESSAGES; i++)
		corpus_next(c, &b);
	sha256_of(buf_slice(&b), h);
	hex_encode(&hexed, slice_make((char *)h, 8));
	buf_addc(&hexed, '\0');
	assert_string_equal(hexed.p, want);
	buf_release(&b);
	buf_release(&hexed);
	corpus_free(&c);
}

/* If a change of the generator is meant, change these. */
static void
test_same(void **state)
{
	struct corpus_conf cf = { .seed = 7 };

	(void)state;
	digest_is(NULL, "3a764fa5977e076a");
	digest_is(&cf, "d9e2890e46dd278d");
	cf.small = true;
	digest_is(&cf, "049c65eb7cdfdfab");
}

/* The words are in the messages which corpus.h says, as a search finds them. */
static void
words(bool small)
{
	struct corpus_conf cf = { .median = 2000, .max = 50000, .small = small };
	struct corpus *c = corpus_new(&cf);
	struct arena *keep = arena_new(0), *a = arena_new(0);
	struct mime_needle *every, *body, *subject, *from;
	struct buf b;

	mime_needle_new(SLICE_LIT("ordinary"), keep, &every);
	mime_needle_new(SLICE_LIT("pangolin"), keep, &body);
	mime_needle_new(SLICE_LIT("marmalade"), keep, &subject);
	mime_needle_new(SLICE_LIT("wilma"), keep, &from);
	buf_init(&b, SIZE_MAX / 2);
	for (unsigned i = 1; i <= MESSAGES; i++) {
		struct mime_msg *m;

		buf_reset(&b);
		corpus_next(c, &b);
		mime_parse(buf_slice(&b), NULL, a, &m);
		assert_true(mime_needle_in_msg(every, m, buf_slice(&b), false));
		assert_int_equal(mime_needle_in_msg(body, m, buf_slice(&b),
		    false), i % CORPUS_BODY_EVERY == 0);
		assert_int_equal(mime_needle_in_value(subject,
		    m->root->env->subject), i % CORPUS_SUBJECT_EVERY == 0);
		assert_int_equal(mime_needle_in(from,
		    m->root->env->from.a[0].name), i % CORPUS_FROM_EVERY == 0);
		arena_reset(a);
	}
	buf_release(&b);
	arena_free(&a);
	arena_free(&keep);
	corpus_free(&c);
}

static void
test_words(void **state)
{
	(void)state;
	words(false);
	words(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
