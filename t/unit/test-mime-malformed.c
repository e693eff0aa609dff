/* t/unit/test-mime-malformed.c - odd messages, each with its structure */
#include "config.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "t/mime/dump.h"

enum { AT_LEAST = 150, MOST = 1 << 20 };

static char *
expected_path(const char *eml, char *out, size_t size)
{
	size_t n = strlen(eml);

	snprintf(out, size, "%.*s.txt", (int)(n - 4), eml);
	return out;
}

static void
one(const char *path)
{
	struct arena *a = arena_new(0);
	struct slice raw, want;
	struct mime_msg *m;
	struct buf got, record;
	char txt[4096];
	const char *fault;

	buf_init(&got, MOST);
	buf_init(&record, MOST);
	assert_int_equal(io_slurp(path, MOST, a, &raw), 0);
	assert_int_equal(io_slurp(expected_path(path, txt, sizeof(txt)), MOST, a,
	    &want), 0);
	mime_parse(raw, NULL, a, &m);
	mime_measure(m, raw, a);
	if ((fault = mime_tree_fault(m, raw)) != NULL)
		fail_msg("%s: %s", path, fault);
	/* What the record keeps is all of it. */
	assert_int_equal(mime_record_encode(m, MOST, &record), 0);
	assert_int_equal(mime_record_decode(buf_slice(&record), a, &m), 0);
	mime_dump(m, raw, &got);
	if (!slice_eq(buf_slice(&got), want))
		print_error("%s\n--- expected\n%.*s--- got\n%.*s", path,
		    (int)want.n, want.p, (int)got.n, got.p);
	assert_true(slice_eq(buf_slice(&got), want));
	buf_release(&got);
	buf_release(&record);
	arena_free(&a);
}

static void
test_one(void **state)
{
	one(*state);
}

int
main(void)
{
	const char *src = getenv("srcdir");
	struct CMUnitTest *tests;
	char pattern[4096];
	glob_t g;
	int rc;

	snprintf(pattern, sizeof(pattern), "%s/t/mime/malformed/*.eml",
	    src != NULL ? src : ".");
	if (glob(pattern, 0, NULL, &g) != 0 || g.gl_pathc < AT_LEAST) {
		printf("1..1\nnot ok 1 - %s: too few messages\n", pattern);
		return 1;
	}
	tests = calloc(g.gl_pathc, sizeof(*tests));
	for (size_t i = 0; tests != NULL && i < g.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){
			strrchr(g.gl_pathv[i], '/') + 1, test_one, NULL, NULL,
			g.gl_pathv[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = _cmocka_run_group_tests("malformed", tests, g.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&g);
	return rc;
}
