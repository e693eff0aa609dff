/* t/unit/test-culver.c - the tool's parsers: options, mbox, modified UTF-7 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "culver/culver.h"
#include "culver/mbox.h"
#include "libbase/io.h"
#include "libbase/utf7.h"
#include "libbase/xalloc.h"

/* ---- From_ lines ------------------------------------------------------- */

static void
test_from(void **state)
{
	static const struct { const char *line; int64_t t; } good[] = {
		{ "From a@b Sun Nov 22 10:00:00 2026", 1795341600 },
		{ "From a@b Sun Nov 22 10:00:00 2026\r\n", 1795341600 },
		{ "From - Sun Nov 22 10:00 2026\n", 1795341600 },
		{ "From MAILER-DAEMON Sun Nov  1 10:00:00 2026", 1793527200 },
		{ "From 17@xxx Sun Nov 22 10:00:00 +0100 2026", 1795338000 },
		{ "From a@b Sun Nov 22 10:00:00 2026 -0130", 1795347000 },
		{ "From a@b Sun Nov 22 10:00:00 EST 2026", 1795359600 },
		{ "From a@b Sun Nov 22 10:00:00 XYZ 2026", 1795341600 },
		{ "From a b c@d Sun Nov 22 10:00:00 2026 remote from x",
		    1795341600 },
		{ "From a@b Sun, 22 Nov 2026 10:00:00 +0000", 1795341600 },
		{ "From a@b Sun Nov 22 10:00:00 99", 943264800 },
		{ "From Mon Sun Nov 22 10:00:00 2026", 1795341600 },
		{ "From x Thu Jan  1 00:00:00 1970", 0 },
		{ "From x Wed Dec 31 23:59:59 1969", -1 },
	};
	static const char *const bad[] = {
		"", "From", "From ", "From here on it gets better.",
		"From: a@b Sun Nov 22 10:00:00 2026",
		">From a@b Sun Nov 22 10:00:00 2026",
		"from a@b Sun Nov 22 10:00:00 2026",
		"From a@b Sun Nov 32 10:00:00 2026",
		"From a@b Sun Feb 30 10:00:00 2026",
		"From a@b Sun Nov 22 25:00:00 2026",
		"From a@b Sun Nov 22 10 2026",
		"From a@b Sun Nov 22 10:00:00",
		"From a@b Sun Nov 22 10:00:00 +0100",
		"From a@b Nov 22 10:00:00 2026",
		"From a@b Sun Nov 22 10:00:00 12345",
		"From a@b Sun Nov 22 10:00:00:00 2026",
	};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		t = 42;
		if (!mbox_from_line(slice_str(good[i].line), &t) ||
		    t != good[i].t)
			fail_msg("%s: %lld", good[i].line, (long long)t);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (mbox_from_line(slice_str(bad[i]), &t))
			fail_msg("taken for a From_ line: %s", bad[i]);
	}
}

/* ---- mbox files -------------------------------------------------------- */

/* What came out: messages between '[' and ']', flags as {hex keywords}. */
struct got {
	struct buf b;
	int stop_at;
};

static int
got_begin(void *arg)
{
	struct got *g = arg;

	(void)buf_addc(&g->b, '[');
	return 0;
}

static int
got_add(void *arg, const char *p, size_t n)
{
	struct got *g = arg;

	(void)buf_add(&g->b, p, n);
	return 0;
}

static int
got_end(void *arg, const struct mbox_meta *m, uint64_t offset)
{
	struct got *g = arg;

	(void)offset;
	(void)buf_addc(&g->b, ']');
	if (m->flags || m->keywords.n) {
		(void)buf_printf(&g->b, "{%llx %.*s}",
		    (unsigned long long)m->flags, (int)m->keywords.n,
		    m->keywords.p);
	}
	return g->stop_at > 0 && --g->stop_at == 0 ? 7 : 0;
}

static void
got_progress(void *arg, uint64_t octets)
{
	(void)arg;
	(void)octets;
}

static int
file_of(struct slice s)
{
	char name[] = "/tmp/culver-test-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(io_write_full(fd, s.p, s.n), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int
read_mbox(struct slice in, enum mbox_format f, struct got *g)
{
	struct mbox_sink sink = {
		g, got_begin, got_add, got_end, got_progress
	};
	int fd = file_of(in), rc;

	buf_init(&g->b, 64 << 20);
	rc = mbox_read(fd, f, &sink);
	io_close(&fd);
	return rc;
}

#define F "From a@b Sun Nov 22 10:00:00 2026\n"
#define FCR "From a@b Sun Nov 22 10:00:00 2026\r\n"

static const struct {
	enum mbox_format f;
	const char *in, *out;
} mboxes[] = {
	/* separation */
	{ MBOX_AUTO, F "A: 1\n\nx\n\n" F "A: 2\n\ny\n",
	    "[A: 1\n\nx\n][A: 2\n\ny\n]" },
	{ MBOX_AUTO, F "A: 1\n\nx\n\n\n" F "A: 2\n\ny\n\n",
	    "[A: 1\n\nx\n\n][A: 2\n\ny\n]" },
	{ MBOX_AUTO, FCR "A: 1\r\n\r\nx\r\n\r\n" FCR "A: 2\r\n\r\ny\r\n",
	    "[A: 1\r\n\r\nx\r\n][A: 2\r\n\r\ny\r\n]" },
	{ MBOX_AUTO, "\n\n" F "A: 1\n\nx", "[A: 1\n\nx]" },
	{ MBOX_AUTO, F "A: 1\n\nx\nFrom the start\n\nFrom the end\n",
	    "[A: 1\n\nx\nFrom the start\n\nFrom the end\n]" },
	/* not after an empty line: text */
	{ MBOX_AUTO, F "A: 1\n\nx\n" F "y\n", "[A: 1\n\nx\n" F "y\n]" },
	{ MBOX_AUTO, F "A: 1\n" F "B: 2\n\ny\n", "[A: 1\n" F "B: 2\n\ny\n]" },
	{ MBOX_AUTO, F "A: 1\n\n" F "A: 2\n\n", "[A: 1\n][A: 2\n]" },
	{ MBOX_AUTO, F "A: 1\n\n\n" F "A: 2\n\n\n", "[A: 1\n\n][A: 2\n\n]" },
	{ MBOX_AUTO, F "\n" F "\n" F, "[][][]" },
	{ MBOX_AUTO, F, "[]" },
	/* quoting */
	{ MBOX_AUTO, F "A: 1\n\n>From x\n>>From y\n>Frob\n> From z\n",
	    "[A: 1\n\nFrom x\n>From y\n>Frob\n> From z\n]" },
	{ MBOX_RD, F "A: 1\n\n>From x\n>>From y\n", "[A: 1\n\nFrom x\n>From y\n]" },
	{ MBOX_O, F "A: 1\n\n>From x\n>>From y\n",
	    "[A: 1\n\nFrom x\n>>From y\n]" },
	{ MBOX_CL2, F "A: 1\n\n>From x\n", "[A: 1\n\n>From x\n]" },
	/* Content-Length: a From_ line in the body, and no quoting */
	{ MBOX_AUTO, F "Content-Length: 41\n\nx\n\n" F ">Fr\n\n" F "A: 2\n\ny\n",
	    "[Content-Length: 41\n\nx\n\n" F ">Fr\n][A: 2\n\ny\n]" },
	{ MBOX_AUTO, F "content-length: 8\n\n>From x\n\n" F "A: 2\n\ny\n",
	    "[content-length: 8\n\n>From x\n][A: 2\n\ny\n]" },
	{ MBOX_CL, F "Content-Length: 8\n\n>From x\n\n" F "A: 2\n\ny\n",
	    "[Content-Length: 8\n\nFrom x\n][A: 2\n\ny\n]" },
	{ MBOX_AUTO, F "Content-Length: 1\n\nx\n" F "A: 2\n\ny\n",
	    "[Content-Length: 1\n\nx][A: 2\n\ny\n]" },
	{ MBOX_AUTO, F "Content-Length: 0\n\n\n" F "A: 2\n\ny\n",
	    "[Content-Length: 0\n\n][A: 2\n\ny\n]" },
	{ MBOX_AUTO, F "Content-Length: 2\n\nx\n", "[Content-Length: 2\n\nx\n]" },
	/* one that lies */
	{ MBOX_AUTO, F "Content-Length: 3\n\nlonger\n\n" F "A: 2\n\ny\n",
	    "[Content-Length: 3\n\nlonger\n][A: 2\n\ny\n]" },
	{ MBOX_AUTO, F "Content-Length: 18446744073709551615\n\nx\n",
	    "[Content-Length: 18446744073709551615\n\nx\n]" },
	{ MBOX_AUTO, F "Content-Length: 9223372036854775807\n\nx\n",
	    "[Content-Length: 9223372036854775807\n\nx\n]" },
	{ MBOX_AUTO, F "Content-Length: -1\n\nx\n",
	    "[Content-Length: -1\n\nx\n]" },
	/* flags */
	{ MBOX_AUTO, F "Status: RO\nX-Status: AF\nX-Keywords: a  b\n\nx\n",
	    "[Status: RO\nX-Status: AF\nX-Keywords: a  b\n\nx\n]{7 a  b}" },
	{ MBOX_AUTO, F "Status: O\nA: 1\n\nStatus: R\n",
	    "[Status: O\nA: 1\n\nStatus: R\n]" },
	/* ours */
	{ MBOX_AUTO, F "X-Culver-Export: 3\nStatus: RO\nX-Status: TD\n"
	    "X-Keywords: k\nStatus: O\n\nx\n\n",
	    "[Status: O\n\nx\n]{19 k}" },
	{ MBOX_AUTO, F "X-Culver-Export: 1 noeol\nStatus: O\nA: 1\n\nx\n\n",
	    "[A: 1\n\nx]" },
	{ MBOX_AUTO, F "X-Culver-Export: 1 noeol\r\nStatus: O\r\nA: 1\r\n\r\nx"
	    "\r\n\r\n" F "A: 2\n\n", "[A: 1\r\n\r\nx][A: 2\n]" },
	{ MBOX_AUTO, F "X-Culver-Export: 1\nStatus: O\nContent-Length: 8\n\n"
	    ">From x\n\n", "[Content-Length: 8\n\nFrom x\n]" },
	/* not ours after all */
	{ MBOX_AUTO, F "X-Culver-Export: 2\nStatus: RO\nSubject: x\n\nx\n",
	    "[X-Culver-Export: 2\nStatus: RO\nSubject: x\n\nx\n]{1 }" },
	{ MBOX_AUTO, F "X-Culver-Export: 9\nStatus: O\n\nx\n",
	    "[X-Culver-Export: 9\nStatus: O\n\nx\n]" },
};

static void
test_mbox(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mboxes) / sizeof(mboxes[0]); i++) {
		struct got g = { .stop_at = 0 };
		int rc = read_mbox(slice_str(mboxes[i].in), mboxes[i].f, &g);

		if (rc != 0 || g.b.n != strlen(mboxes[i].out) ||
		    memcmp(g.b.p, mboxes[i].out, g.b.n) != 0)
			fail_msg("case %zu: %d\n%s\ngave %.*s\nwanted %s", i,
			    rc, mboxes[i].in, (int)g.b.n, g.b.p,
			    mboxes[i].out);
		buf_release(&g.b);
	}
}

static void
test_mbox_refused(void **state)
{
	struct got g = { .stop_at = 1 };

	(void)state;
	assert_int_equal(read_mbox(slice_str("Subject: x\n\n" F), MBOX_AUTO,
	    &g), -1);
	assert_int_equal(g.b.n, 0);
	buf_release(&g.b);
	assert_int_equal(read_mbox(slice_str(""), MBOX_AUTO, &g), 0);
	buf_release(&g.b);
	assert_int_equal(read_mbox(slice_str(F "a\n\n" F "b\n\n" F),
	    MBOX_AUTO, &g), 7);
	assert_memory_equal(g.b.p, "[a\n]", g.b.n);
	buf_release(&g.b);
}

/* Lines longer than any buffer, NULs, and every place where one may split. */
static void
test_mbox_long(void **state)
{
	static const size_t len[] = {
		1, 65534, 65535, 65536, 65537, 131071, 131072, 131073, 3000000
	};

	(void)state;
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		struct got g = { .stop_at = 0 };
		struct buf in;

		buf_init(&in, 16 << 20);
		(void)buf_add_str(&in, F "A: 1\n\n");
		for (size_t k = 0; k < len[i]; k++)
			(void)buf_addc(&in, (char)(k % 7 ? 'x' : '\0'));
		(void)buf_add_str(&in, "\r\n>From x\n");
		assert_int_equal(read_mbox(buf_slice(&in), MBOX_AUTO, &g), 0);
		/* '[' and ']' for From_ and '>' */
		assert_int_equal(g.b.n, in.n - strlen(F) - 1 + 2);
		assert_memory_equal(g.b.p + g.b.n - 10, "\r\nFrom x\n]", 10);
		buf_release(&in);
		buf_release(&g.b);
	}
}

/* A header without end isn't kept in memory. */
static void
test_mbox_endless_header(void **state)
{
	struct got g = { .stop_at = 0 };
	struct buf in;

	(void)state;
	buf_init(&in, 16 << 20);
	(void)buf_add_str(&in, F);
	for (int i = 0; i < 300000; i++)
		(void)buf_add_str(&in, "A: 1\n");
	(void)buf_add_str(&in, "\n\n" F "B: 2\n");
	assert_int_equal(read_mbox(buf_slice(&in), MBOX_AUTO, &g), 0);
	assert_int_equal(g.b.n, 300000 * 5 + 1 + 2 + 5 + 2);
	buf_release(&in);
	buf_release(&g.b);
}

/* ---- names of Maildir folders (modified UTF-7) ---------------------------------------------------- */

static void
test_maildir_names(void **state)
{
	static const struct { const char *utf8, *enc; } t[] = {
		{ "Sent", "Sent" }, { "a & b", "a &- b" },
		{ "M\xc3\xbcnchen", "M&APw-nchen" },
		{ "a.b", "a&AC4-b" },
		{ "\xe5\x8f\xb0\xe5\x8c\x97", "&U,BTFw-" },
		{ "\xf0\x9f\x98\x80!", "&2D3eAA-!" },
		{ "", "" },
	};
	static const char *const bad[] = {
		"&", "&AC", "&A-", "&AB-", "&2D0-", "&3gA-", "\xc3\xbc",
		"&AP w-", "&AC4", "&2D0AYQ-", "a\tb", "&ACABcd-",
	};
	struct arena *a = arena_new(0);
	struct slice s;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(utf7_encode(&b, slice_str(t[i].utf8), "./"), 0);
		if (!slice_eq(buf_slice(&b), slice_str(t[i].enc)))
			fail_msg("%s: %.*s", t[i].utf8, (int)b.n, b.p);
		assert_int_equal(utf7_decode(slice_str(t[i].enc), true, a, &s), 0);
		assert_true(slice_eq(s, slice_str(t[i].utf8)));
		buf_release(&b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (utf7_decode(slice_str(bad[i]), true, a, &s) == 0)
			fail_msg("accepted: %s", bad[i]);
	}
	arena_free(&a);
}

/* ---- options ----------------------------------------------------------- */

static void
test_args(void **state)
{
	static const struct opt opts[] = {
		{ "flag", NULL, "" }, { "num", "N", "" }, { NULL, NULL, NULL }
	};
	char *good[] = {
		(char[]){ "a" }, (char[]){ "--num" }, (char[]){ "-5" },
		(char[]){ "b" }, (char[]){ "--flag" }, (char[]){ "-" },
		(char[]){ "--" }, (char[]){ "--num" }, NULL
	};
	char *const bad[] = {
		(char[]){ "--nope" }, (char[]){ "--num" },
		(char[]){ "--flag=1" }, (char[]){ "-x" },
		(char[]){ "--nu" }, (char[]){ "--=" },
	};
	struct args a;
	uint64_t v;

	(void)state;
	assert_int_equal(args_parse(opts, 8, good, &a), 0);
	assert_int_equal(a.n, 4);
	assert_string_equal(a.pos[3], "--num");
	assert_string_equal(a.val[0], "");
	assert_string_equal(a.val[1], "-5");
	args_release(&a);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *v1[] = { bad[i], NULL };

		assert_int_equal(args_parse(opts, 1, v1, &a), -1);
		args_release(&a);
	}
	assert_int_equal(args_uint(&opts[1], "10", 1, 10, &v), 0);
	assert_int_equal(v, 10);
	assert_int_equal(args_uint(&opts[1], "11", 1, 10, &v), -1);
	assert_int_equal(args_uint(&opts[1], "0", 1, 10, &v), -1);
	assert_int_equal(args_uint(&opts[1], "1x", 1, 10, &v), -1);
}

/* ---- passwords --------------------------------------------------------- */

static void
test_password(void **state)
{
	char longest[PASSWORD_MAX + 2];
	char *a = password_random(), *b = password_random();

	(void)state;
	assert_int_equal(strlen(a), 23);
	assert_string_not_equal(a, b);
	assert_int_equal(password_ok(a), 0);
	xfree(a);
	xfree(b);
	memset(longest, 'x', sizeof(longest));
	longest[PASSWORD_MAX + 1] = '\0';
	assert_int_equal(password_ok(longest), -1);
	longest[PASSWORD_MAX] = '\0';
	assert_int_equal(password_ok(longest), 0);
	assert_int_equal(password_ok(""), -1);
	assert_int_equal(password_ok("a\tb"), -1);
	assert_int_equal(password_ok("\xff"), -1);
	assert_int_equal(password_ok("gr\xc3\xbc\xc3\x9f dich"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_mbox),
		cmocka_unit_test(test_mbox_refused),
		cmocka_unit_test(test_mbox_long),
		cmocka_unit_test(test_mbox_endless_header),
		cmocka_unit_test(test_maildir_names),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_password),
	};

	/* Complaints about bad input are not part of the report. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
