/* t/unit/test-text.c - base64, UTF-8, dates, files, log lines */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"

#define N(t) (sizeof(t) / sizeof((t)[0]))

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void
test_base64(void **state)
{
	static const struct {
		const char *plain, *coded, *url;
	} t[] = { { "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xff\xef\xbe", "/+++", "_---" } };
	static const char *bad[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=",
		"Zg==Zg==", "Zm 9", "====", "Zm9v=", "_---", "Zg=a", "\xff\xff\xff\xff" };
	static const char *bad_url[] = { "Z", "Zg==", "Zh", "Zm9", "/+++", "Zm9v " };
	struct slice s;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		buf_init(&b, 100);
		assert_int_equal(base64_encode(&b, slice_str(t[i].plain)), 0);
		assert_true(slice_eq(buf_slice(&b), slice_str(t[i].coded)));
		buf_reset(&b);
		assert_int_equal(base64url_encode(&b, slice_str(t[i].plain)),
		    0);
		assert_true(slice_eq(buf_slice(&b), slice_str(t[i].url)));
		buf_release(&b);
		assert_int_equal(base64_decode(slice_str(t[i].coded), arena,
				     &s), 0);
		assert_true(slice_eq(s, slice_str(t[i].plain)));
		assert_int_equal(base64url_decode(slice_str(t[i].url), arena,
				     &s), 0);
		assert_true(slice_eq(s, slice_str(t[i].plain)));
	}
	for (size_t i = 0; i < N(bad); i++)
		assert_int_equal(base64_decode(slice_str(bad[i]), arena, &s),
		    -1);
	for (size_t i = 0; i < N(bad_url); i++)
		assert_int_equal(base64url_decode(slice_str(bad_url[i]), arena,
				     &s), -1);
	buf_init(&b, 3);
	assert_int_equal(base64_encode(&b, SLICE_LIT("a")), -1);
	buf_reset(&b);
	assert_int_equal(base64url_encode(&b, SLICE_LIT("ab")), 0);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("YWI")));
	assert_int_equal(base64url_encode(&b, SLICE_LIT("a")), -1);
	buf_release(&b);
}

static void
test_hex(void **state)
{
	unsigned char o[3];
	struct buf b;

	(void)state;
	buf_init(&b, 6);
	assert_int_equal(hex_encode(&b, SLICE_LIT("\x00\xab\x10")), 0);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("00ab10")));
	assert_int_equal(hex_encode(&b, SLICE_LIT("x")), -1);
	buf_release(&b);
	assert_int_equal(hex_decode(SLICE_LIT("00AB10"), o, 3), 0);
	assert_memory_equal(o, "\x00\xab\x10", 3);
	assert_int_equal(hex_decode(SLICE_LIT("00ab1"), o, 3), -1);
	assert_int_equal(hex_decode(SLICE_LIT("00ab1g"), o, 3), -1);
	assert_int_equal(hex_decode(SLICE_LIT("00ab1000"), o, 3), -1);
}

static void
test_utf8(void **state)
{
	static const struct {
		const char *s;
		bool valid;
		const char *clean;
	} t[] = {
		{ "", true, "" }, { "abc", true, "abc" },
		{ "gr\xc3\xbc\xc3\x9f", true, "gr\xc3\xbc\xc3\x9f" },
		{ "\xf0\x9f\x9a\x80", true, "\xf0\x9f\x9a\x80" },
		{ "a\xff" "b", false, "a\xef\xbf\xbd" "b" },
		{ "\xc3", false, "\xef\xbf\xbd" },
		{ "\xc0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", false,
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", false,
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		struct slice s = slice_str(t[i].s);

		assert_int_equal(utf8_valid(s), t[i].valid);
		assert_true(slice_eq(utf8_clean(arena, s),
		    slice_str(t[i].clean)));
	}
	assert_int_equal(utf8_cut(SLICE_LIT("a\xc3\xbc" "b"), 2), 1);
	assert_int_equal(utf8_cut(SLICE_LIT("a\xc3\xbc" "b"), 3), 3);
	assert_int_equal(utf8_cut(SLICE_LIT("a\xc3\xbc" "b"), 9), 4);
	assert_int_equal(utf8_cut(SLICE_LIT("\xf0\x9f\x9a\x80"), 3), 0);
}

static void
test_utf8_forms(void **state)
{
	struct slice s;

	(void)state;
	assert_int_equal(utf8_nfc(SLICE_LIT("u\xcc\x88"), arena, &s), 0);
	assert_true(slice_eq(s, SLICE_LIT("\xc3\xbc")));
	assert_int_equal(utf8_nfc(SLICE_LIT("plain"), arena, &s), 0);
	assert_true(slice_eq(s, SLICE_LIT("plain")));
	assert_int_equal(utf8_nfc(SLICE_LIT("\xff"), arena, &s), -1);
	assert_int_equal(utf8_fold(SLICE_LIT("STRA\xc3\x9f" "E"), arena, &s),
	    0);
	assert_true(slice_eq(s, SLICE_LIT("strasse")));
	assert_int_equal(utf8_fold(SLICE_LIT("ASCII@[`"), arena, &s), 0);
	assert_true(slice_eq(s, SLICE_LIT("ascii@[`")));
	assert_int_equal(utf8_fold(SLICE_LIT("\xff"), arena, &s), -1);
}

static void
test_dates(void **state)
{
	static const struct {
		const char *s;
		int64_t t;
		int off;
	} t[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "2026-11-23T01:46:31Z", 1795398391, 0 },
		{ "2000-02-29T12:00:00+01:30", 951820200, 90 },
		{ "1969-12-31T23:59:59Z", -1, 0 },
		{ "2014-10-30T14:12:00.25+08:00", 1414649520, 480 },
		{ "1996-12-19T16:39:57-08:00", 851042397, -480 },
		{ "0000-01-01t00:00:00z", INT64_C(-62167219200), 0 },
	};
	static const char *bad[] = { "", "2026-11-23", "2026-13-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z",
		"2026-11-23T00:60:00Z", "2026-11-23T00:00:00",
		"2026-11-23T00:00:00.Z", "2026-11-23 00:00:00Z",
		"2026-11-23T00:00:00+0100", "2026-11-23T00:00:00Zx",
		"02026-11-23T00:00:00Z", "-026-11-23T00:00:00Z" };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < N(t); i++) {
		int64_t v, again;
		int off;

		assert_int_equal(time_rfc3339_parse(slice_str(t[i].s), &v,
				     &off), 0);
		assert_true(v == t[i].t);
		assert_int_equal(off, t[i].off);
		buf_reset(&b);
		assert_int_equal(time_rfc3339(&b, v), 0);
		assert_int_equal(time_rfc3339_parse(buf_slice(&b), &again,
				     NULL), 0);
		assert_true(v == again);
	}
	for (size_t i = 0; i < N(bad); i++) {
		int64_t v;

		assert_int_equal(time_rfc3339_parse(slice_str(bad[i]), &v,
				     NULL), -1);
	}
	/* What has no year of four digits is the nearest that has. */
	buf_reset(&b);
	time_rfc3339(&b, INT64_MAX);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("9999-12-31T23:59:59Z")));
	buf_reset(&b);
	time_rfc3339(&b, INT64_MIN);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("0000-01-01T00:00:00Z")));
	buf_release(&b);
	for (int64_t d = -800000; d < 3000000; d += 997) {
		int y, m, day;

		time_civil(d, &y, &m, &day);
		assert_true(time_days(y, m, day) == d);
	}
	for (int i = 0; i < 5; i++) {
		static const int64_t at[] = { INT64_MIN, -86401, -1, 86399,
			INT64_MAX };
		int s;
		int64_t day = time_day(at[i], &s);

		assert_in_range(s, 0, 86399);
		/* The first day began before INT64_MIN. */
		assert_true((at[i] < 0 ? (day + 1) * 86400 + (s - 86400) :
		    day * 86400 + s) == at[i]);
	}
	for (int i = 0; i < 4; i++) {
		static const int64_t far[] = { INT64_MIN, INT64_MIN / 86400,
			INT64_MAX / 86400, INT64_MAX };
		int y, m, day;

		time_civil(far[i], &y, &m, &day);
		assert_true(i < 2 ? y < -1999990000 : y > 1999990000);
		assert_true(m >= 1 && m <= 12 && day >= 1 && day <= 31);
	}
}

static void
test_files(void **state)
{
	char dir[] = "/tmp/culver-test-XXXXXX";
	char *path, *deep;
	struct slice s;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = arena_printf(arena, "%s/file", dir);
	assert_int_equal(io_replace(path, SLICE_LIT("one"), 0600), 0);
	assert_int_equal(io_replace(path, SLICE_LIT("second"), 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(io_slurp(path, 6, arena, &s), 0);
	assert_true(slice_eq(s, SLICE_LIT("second")));
	assert_int_equal(io_slurp(path, 5, arena, &s), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(io_slurp(dir, 100, arena, &s), -1);
	deep = arena_printf(arena, "%s/a/b/c", dir);
	assert_int_equal(io_mkdirs(deep, 0700), 0);
	assert_int_equal(io_mkdirs(deep, 0700), 0);
	assert_int_equal(io_mkdirs(arena_printf(arena, "%s/x", path), 0700),
	    -1);
	assert_int_equal(io_mkdirs(path, 0700), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(arena_printf(arena, "%s/a/b", dir)), 0);
	assert_int_equal(rmdir(arena_printf(arena, "%s/a", dir)), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_pwritev(void **state)
{
	char name[] = "/tmp/culver-test-XXXXXX", back[12] = "";
	struct iovec v[] = { { (char *)(uintptr_t)"abc", 3 }, { NULL, 0 },
		{ (char *)(uintptr_t)"defgh", 5 } };
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(io_pwritev_full(fd, v, 3, 2), 0);
	assert_int_equal(io_pread_full(fd, back, 8, 2), 0);
	assert_string_equal(back, "abcdefgh");
	assert_int_equal(io_pread_full(fd, back, 9, 2), -1);
	assert_int_equal(errno, 0);
	io_close(&fd);
	assert_int_equal(fd, -1);
	io_close(&fd);
}

static void
test_log(void **state)
{
	char name[] = "/tmp/culver-test-XXXXXX";
	int fd = mkstemp(name);
	struct slice s;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(log_open("x", "relative", LOG_L_INFO), -1);
	assert_int_equal(log_open("test", name, LOG_L_INFO), 0);
	log_debug("not this");
	log_session("peer \n1");
	errno = EIO;
	log_info("a\r\nforged %s \x7f\xff gr\xc3\xbc\xc3\x9f \xc2\x85", "line");
	assert_int_equal(errno, EIO);
	log_session(NULL);
	log_err("%0500d", 1);
	log_open("test", "stderr", LOG_L_INFO);
	assert_int_equal(io_slurp(name, 10000, arena, &s), 0);
	assert_null(strstr(s.p, "not this"));
	assert_non_null(strstr(s.p, "]: peer \\x0a1: a\\x0d\\x0aforged line "
				    "\\x7f\\xff gr\xc3\xbc\xc3\x9f \\xc2\\x85\n"));
	assert_non_null(strstr(s.p, "]: 000000"));
	io_close(&fd);
	unlink(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_base64, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hex, setup, teardown),
		cmocka_unit_test_setup_teardown(test_utf8, setup, teardown),
		cmocka_unit_test_setup_teardown(test_utf8_forms, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_dates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pwritev, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
