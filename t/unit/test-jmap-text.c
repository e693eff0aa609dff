/* t/unit/test-jmap-text.c - JMAP's JSON, pointers, ids and URLs */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "jmap-fcgi/jmap.h"
#include "jmap-fcgi/record.h"
#include "jmap-fcgi/uri.h"
#include "libbase/xalloc.h"

enum { COST = 1 << 20 };

static json_t *
parsed(const char *text)
{
	json_t *v = NULL;

	assert_int_equal(js_parse(slice_str(text), COST, &v), 0);
	return v;
}

static void
assert_writes(const json_t *v, const char *want)
{
	struct buf b;

	buf_init(&b, COST);
	assert_int_equal(js_write(&b, v), 0);
	buf_addc(&b, '\0');
	assert_string_equal(b.p, want);
	buf_release(&b);
}

static void
test_parse(void **state)
{
	static const struct {
		const char *in;
		int rc;
	} t[] = {
		{ "{}", 0 }, { "[]", 0 }, { "1", 0 }, { "\"a\"", 0 },
		{ " null ", 0 }, { "{\"a\":\"\\u0000\"}", 0 },
		{ "", JS_E_SYNTAX }, { "{", JS_E_SYNTAX },
		{ "{\"a\":1,\"a\":2}", JS_E_SYNTAX },
		{ "{\"a\":1,\"\\u0061\":2}", JS_E_SYNTAX },
		{ "{\"a\":[{\"b\":1,\"b\":1}]}", JS_E_SYNTAX },
		{ "\"\\ud800\"", JS_E_SYNTAX }, { "\"\xff\"", JS_E_SYNTAX },
		{ "\"\xc0\xaf\"", JS_E_SYNTAX },
		{ "\"\xed\xa0\x80\"", JS_E_SYNTAX }, { "{} {}", JS_E_SYNTAX },
		{ "[1,]", JS_E_SYNTAX }, { "{a:1}", JS_E_SYNTAX },
		{ "'a'", JS_E_SYNTAX }, { "01", JS_E_SYNTAX },
		{ "nan", JS_E_SYNTAX }, { "\"\n\"", JS_E_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		json_t *v = NULL;

		assert_int_equal(js_parse(slice_str(t[i].in), COST, &v),
		    t[i].rc);
		json_decref(v);
	}
}

static char *
repeated(const char *s, size_t n)
{
	size_t len = strlen(s);
	char *p = xmalloc(len * n + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(p + i * len, s, len);
	p[n * len] = '\0';
	return p;
}

static void
test_parse_bounds(void **state)
{
	char *p = repeated("[", 100000);
	json_t *v;

	(void)state;
	assert_int_equal(js_parse(slice_str(p), COST, &v), JS_E_DEPTH);
	xfree(p);
	p = repeated("{\"a\":", JS_DEPTH_MAX + 1);
	assert_int_equal(js_parse(slice_str(p), COST, &v), JS_E_DEPTH);
	xfree(p);
	/* Three octets that would take a hundred. */
	p = repeated("[],", 50000);
	p[0] = '[';
	assert_int_equal(js_parse(slice_str(p), COST, &v), JS_E_COST);
	xfree(p);
	/* Brackets in strings are none. */
	p = repeated("[", 1000);
	p[0] = '"';
	p[998] = '\\';
	p[999] = '"';
	assert_int_equal(js_parse(slice_str(p), COST, &v), JS_E_SYNTAX);
	p[998] = '[';
	assert_int_equal(js_parse(slice_str(p), COST, &v), 0);
	json_decref(v);
	xfree(p);
}

static void
test_write(void **state)
{
	static const char *const same[] = {
		"{}", "[]", "[[],{}]", "{\"a\":[1,-2,true,false,null]}",
		"\"\\\"\\\\\\n\\r\\t\\u0000\\u001f\"", "\"\xc3\xa9\"",
		"[1.5,9007199254740991]", "{\"b\":1,\"a\":2}",
	};
	json_t *v;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		v = parsed(same[i]);
		assert_writes(v, same[i]);
		json_decref(v);
	}
	v = js_str(SLICE_LIT("a\xff" "b"));
	assert_writes(v, "\"a\xef\xbf\xbd" "b\"");
	buf_init(&b, 4);
	assert_int_equal(js_write(&b, v), -1);
	buf_release(&b);
	json_decref(v);
}

static void
test_size(void **state)
{
	json_t *v = parsed("[\"0123456789\",{\"k\":\"0123456789\"}]");
	json_t *a = json_array();
	size_t n = js_size(v, COST);

	(void)state;
	assert_true(n >= 35 && n < 300);
	assert_int_equal(js_size(v, n), n);
	assert_int_equal(js_size(v, n - 1), n);
	/* What is shared counts each time: references can nest doublings. */
	for (int i = 0; i < 40; i++) {
		json_t *b = json_array();

		json_array_append(b, a);
		json_array_append_new(b, a);
		a = b;
	}
	assert_true(js_size(a, COST) > COST);
	json_decref(a);
	json_decref(v);
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *in;
		int rc;
		int64_t v;
	} t[] = {
		{ "0", 0, 0 }, { "-1", 0, -1 }, { "1e3", 0, 1000 },
		{ "5.0", 0, 5 }, { "5.5", -1, 0 }, { "\"5\"", -1, 0 },
		{ "9007199254740991", 0, INT64_C(9007199254740991) },
		{ "9007199254740992", -1, 0 }, { "-9007199254740992", -1, 0 },
		{ "1e300", -1, 0 }, { "null", -1, 0 }, { "true", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		json_t *v = parsed(t[i].in);
		int64_t n = 0;

		assert_int_equal(js_int(v, &n), t[i].rc);
		assert_int_equal(n, t[i].v);
		json_decref(v);
	}
}

/* RFC 6901 section 5 and RFC 8620 3.7. */
static void
test_pointer(void **state)
{
	static const char doc[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,"
	    "\"a/b\":1,\"c%d\":2,\"e^f\":3,\"m~n\":8,\"n\":null,"
	    "\"list\":[{\"id\":\"a\",\"e\":[\"1\",\"2\"]},"
	    "{\"id\":\"b\",\"e\":[]},{\"id\":\"c\",\"e\":[[\"3\"]]}],"
	    "\"*\":{\"*\":7}}";
	static const struct {
		const char *path, *want;
	} t[] = {
		{ "/foo", "[\"bar\",\"baz\"]" }, { "/foo/0", "\"bar\"" },
		{ "/", "0" }, { "/a~1b", "1" }, { "/c%d", "2" },
		{ "/e^f", "3" }, { "/m~0n", "8" }, { "/n", "null" },
		{ "/list/*/id", "[\"a\",\"b\",\"c\"]" },
		{ "/list/*/e", "[\"1\",\"2\",[\"3\"]]" },
		{ "/list/*/e/*", "[\"1\",\"2\",\"3\"]" },
		{ "/foo/*", "[\"bar\",\"baz\"]" }, { "/*/*", "7" },
		{ "foo", NULL }, { "/foo/2", NULL }, { "/foo/00", NULL },
		{ "/foo/-", NULL }, { "/foo/+1", NULL }, { "/foo/", NULL },
		{ "/nothing", NULL }, { "/m~2n", NULL }, { "/m~", NULL },
		{ "/list/*/nothing", NULL }, { "/n/x", NULL },
		{ "/foo/18446744073709551616", NULL },
	};
	json_t *v = parsed(doc), *got;
	size_t left;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		left = COST;
		got = pointer_get(v, slice_str(t[i].path), &left);
		if (t[i].want == NULL)
			assert_null(got);
		else
			assert_writes(got, t[i].want);
		json_decref(got);
	}
	left = COST;
	got = pointer_get(v, SLICE_LIT(""), &left);
	assert_ptr_equal(got, v);
	json_decref(got);
	left = 3;
	assert_null(pointer_get(v, SLICE_LIT("/list/*/id"), &left));
	json_decref(v);
}

static void
test_ids(void **state)
{
	static const char *const bad[] = {
		"", "E", "E0", "E01", "Eg", "EA", "e1", "M1", "E1 ", " E1",
		"E10000000000000000", "E-1",
	};
	static const char *const bad_states[] = {
		"", "-1", "01", "1 ", "x", "18446744073709551616", "1.0",
	};
	char text[STORE_ID_TEXT];
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(store_id_from('E', slice_str(bad[i]), &id), -1);
	store_id_text('E', UINT64_MAX, text);
	assert_string_equal(text, "Effffffffffffffff");
	assert_int_equal(store_id_from('E', slice_str(text), &id), 0);
	assert_true(id == UINT64_MAX);
	assert_int_equal(store_id_from('M', slice_str("M1f"), &id), 0);
	assert_int_equal(id, 31);
	for (size_t i = 0; i < sizeof(bad_states) / sizeof(bad_states[0]);
	    i++)
		assert_int_equal(state_parse(slice_str(bad_states[i]), &id),
		    -1);
	assert_int_equal(state_parse(SLICE_LIT("0"), &id), 0);
	assert_true(js_is_id(SLICE_LIT("Aa0-_")));
	assert_false(js_is_id(SLICE_LIT("")));
	assert_false(js_is_id(SLICE_LIT("a.b")));
	assert_false(js_is_id(SLICE_LIT("a\0b")));
}

static void
test_uri(void **state)
{
	static const struct {
		const char *pattern, *path;
		int match;
		const char *var[3];
	} t[] = {
		{ "/jmap/api", "/jmap/api", 1, { 0 } },
		{ "/jmap/api", "/jmap/api/", 0, { 0 } },
		{ "/jmap/api", "/jmap", 0, { 0 } },
		{ "/jmap/api", "", 0, { 0 } },
		{ "/u/{}/", "/u/A1/", 1, { "A1" } },
		{ "/u/{}/", "/u/A1", 0, { 0 } },
		{ "/d/{}/{}/{}", "/d/A/B/a%2Fb%20c.txt", 1,
		    { "A", "B", "a/b c.txt" } },
		{ "/d/{}/{}/{}", "/d/A/B/", 1, { "A", "B", "" } },
		{ "/d/{}/{}/{}", "/d/A/B/c/d", 0, { 0 } },
		{ "/d/{}/{}/{}", "/d/A/B/%zz", 0, { 0 } },
		{ "/d/{}/{}/{}", "/d/A/B/%4", 0, { 0 } },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice var[3] = { { 0 } };

		assert_int_equal(uri_match(a, t[i].pattern,
		    slice_str(t[i].path), var, 3), t[i].match);
		for (size_t k = 0; k < 3 && t[i].var[k] != NULL; k++)
			assert_true(slice_eq(var[k],
			    slice_str(t[i].var[k])));
	}
	arena_free(&a);
}

static void
test_query(void **state)
{
	struct arena *a = arena_new(0);
	struct slice q = SLICE_LIT("types=Email%2CMailbox&ping=0&x=%z&e=");
	struct slice v;

	(void)state;
	assert_int_equal(uri_param(a, q, "types", &v), 0);
	assert_true(slice_eq(v, SLICE_LIT("Email,Mailbox")));
	assert_int_equal(uri_param(a, q, "ping", &v), 0);
	assert_true(slice_eq(v, SLICE_LIT("0")));
	assert_int_equal(uri_param(a, q, "e", &v), 0);
	assert_int_equal(v.n, 0);
	assert_int_equal(uri_param(a, q, "x", &v), -1);
	assert_int_equal(uri_param(a, q, "type", &v), 1);
	assert_int_equal(uri_param(a, SLICE_LIT(""), "type", &v), 1);
	arena_free(&a);
}

static void
test_host(void **state)
{
	static const char *const good[] = {
		"localhost", "mail.example.org:443", "127.0.0.1:20443",
		"[::1]:80", "[2001:db8::1]", "a_b-c.d",
	};
	static const char *const bad[] = {
		"", ":80", "a b", "a/b", "a:0", "a:65536", "a:", "a:x", "[::1",
		"[]", "[::1]x", "a\r\nX: y", "a\"b", "user@host", "[g::1]",
		"a?b", "a#b", "a\\b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http_host_ok(slice_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_host_ok(slice_str(bad[i])));
}

static void
test_media_type(void **state)
{
	static const char *const good[] = {
		"text/plain", "text/plain; charset=utf-8",
		"application/vnd.a+b", "text/plain;charset=\"x y\"",
	};
	static const char *const bad[] = {
		"", "text", "text/", "/plain", "text/pl ain/", "text/plain\r\n",
		"text/plain; a\nb", "text/plain\x80", "te xt/plain",
		"text/plain,text/html",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http_media_type_ok(slice_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_media_type_ok(slice_str(bad[i])));
	assert_true(http_media_type_is(SLICE_LIT("Application/JSON ; x=y"),
	    "application/json"));
	assert_false(http_media_type_is(SLICE_LIT("application/jsonx"),
	    "application/json"));
	assert_false(http_media_type_is(SLICE_LIT(""), "application/json"));
}

static void
test_disposition(void **state)
{
	static const struct {
		const char *name, *want;
	} t[] = {
		{ "", "attachment" },
		{ "a b.txt", "attachment; filename=\"a b.txt\"; "
		    "filename*=UTF-8''a%20b.txt" },
		{ "x\"\\\r\n/%", "attachment; filename=\"x______\"; "
		    "filename*=UTF-8''x%22%5C%0D%0A%2F%25" },
		{ "\xc3\xa9", "attachment; filename=\"__\"; "
		    "filename*=UTF-8''%C3%A9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b;

		buf_init(&b, 4096);
		http_disposition(&b, slice_str(t[i].name));
		buf_addc(&b, '\0');
		assert_string_equal(b.p, t[i].want);
		buf_release(&b);
	}
}

/* What goes out comes in again, over all cuts. */
static void
test_record(void **state)
{
	struct record_reader r;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	record_stdout(&b, 258, SLICE_LIT("hello"));
	assert_int_equal(b.n, 8 + 5);
	assert_memory_equal(b.p, "\1\6\1\2\0\5\0\0hello", 13);
	record_end(&b, 258);
	assert_int_equal(b.n, 13 + 8 + 16);
	for (size_t cut = 0; cut <= b.n; cut++) {
		memset(&r, 0, sizeof(r));
		assert_int_equal(record_read(&r, slice_make(b.p, cut)), 0);
		assert_int_equal(record_read(&r,
		    slice_make(b.p + cut, b.n - cut)), 0);
		assert_int_equal(r.n_head + r.skip, 0);
		assert_int_equal(record_read(&r,
		    SLICE_LIT("\1\2\1\2\0\0\0\0")), 1);
	}
	memset(&r, 0, sizeof(r));
	assert_int_equal(record_read(&r, SLICE_LIT("GET / HTTP")), -1);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_bounds),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_uri),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_media_type),
		cmocka_unit_test(test_disposition),
		cmocka_unit_test(test_record),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
