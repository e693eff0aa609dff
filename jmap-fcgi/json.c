/* jmap-fcgi/json.c - hostile JSON in, JSON out, and small helpers on Jansson */
#include "config.h"

#include "jmap-fcgi/json.h"

#include <stdio.h>

#include "libbase/arena.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

#define INT_LIMIT INT64_C(9007199254740991)	/* 2^53 - 1 */

void
js_init(void)
{
	json_set_alloc_funcs(xmalloc, xfree);
	/* The seed of the hash tables: keys come from the net. */
	json_object_seed(0);
}

/* What Jansson 2.14 allocates for each thing, generously. */
enum {
	COST_OBJECT = 352, COST_ARRAY = 160, COST_MEMBER = 128, COST_ITEM = 72
};
/* The least that it allocates; more than is written. */
enum { COUNT_VALUE = 48, COUNT_MEMBER = 32 };

/* ---- noncharacters, which I-JSON has not (RFC 7493 2.1) ----------------- */

static bool
is_nonchar(uint32_t c)
{
	return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

/* Of well-formed UTF-8, at octet i: how long, or 0.  Only U+F000 and what comes
 * after it has any. */
static size_t
nonchar_at(struct slice s, size_t i)
{
	const unsigned char *p = (const unsigned char *)s.p + i;

	if (p[0] < 0xef || s.n - i < 3)
		return 0;
	if (p[0] == 0xef)
		return is_nonchar(0xf000u | (p[1] & 0x3fu) << 6 |
		    (p[2] & 0x3f)) ? 3 : 0;
	return s.n - i >= 4 && (p[1] & 0xf) == 0xf && p[2] == 0xbf &&
	    p[3] >= 0xbe ? 4 : 0;
}

/* Four hexadecimal digits; a value out of range if they are none: the parser
 * finds that. */
static uint32_t
hex4(struct slice in, size_t i)
{
	unsigned char o[2];

	return i + 4 <= in.n && hex_decode(slice_make(in.p + i, 4), o, 2) == 0 ?
	    (uint32_t)o[0] << 8 | o[1] : UINT32_MAX;
}

/* Is "\uXXXX" one, or the pair of surrogates that is there? */
static bool
escaped_nonchar(struct slice in, size_t i)
{
	uint32_t c = hex4(in, i + 2), low;

	if (c == UINT32_MAX)
		return false;
	if (c < 0xd800 || c > 0xdbff)
		return is_nonchar(c);
	low = i + 12 <= in.n && in.p[i + 6] == '\\' && in.p[i + 7] == 'u' ?
	    hex4(in, i + 8) : UINT32_MAX;
	return low >= 0xdc00 && low <= 0xdfff &&
	    is_nonchar(((c & 0x3ff) << 10 | (low & 0x3ff)) + 0x10000);
}

/* With U+FFFD in their place. */
static struct slice
without_nonchars(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0, len;

	for (size_t i = 0; i < s.n; i += len) {
		if ((len = nonchar_at(s, i)) > 0) {
			memcpy(out + n, "\xef\xbf\xbd", 3);
			n += 3;
		} else {
			out[n++] = s.p[i];
			len = 1;
		}
	}
	return slice_make(out, n);
}

static bool
has_nonchar(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0xef && nonchar_at(s, i) > 0)
			return true;
	return false;
}

/* ---- parsing ----------------------------------------------------------- */

/* Where it ends; SIZE_MAX: it has a noncharacter. */
static size_t
skip_string(struct slice in, size_t i)
{
	for (i++; i < in.n && in.p[i] != '"'; i++) {
		if ((unsigned char)in.p[i] >= 0xef && nonchar_at(in, i) > 0)
			return SIZE_MAX;
		if (in.p[i] != '\\')
			continue;
		if (i + 1 < in.n && in.p[i + 1] == 'u' &&
		    escaped_nonchar(in, i))
			return SIZE_MAX;
		i++;
	}
	return i;
}

/* Looks at brackets and separators alone; the parser finds all else. */
static int
scan(struct slice in, size_t max_cost)
{
	size_t cost = in.n + COST_ITEM;
	int depth = 0;

	for (size_t i = 0; i < in.n; i++) {
		switch (in.p[i]) {
		case '"':
			if ((i = skip_string(in, i)) == SIZE_MAX)
				return JS_E_SYNTAX;
			break;
		case '{':
			depth++;
			cost += COST_OBJECT;
			break;
		case '[':
			depth++;
			cost += COST_ARRAY;
			break;
		case '}':
		case ']':
			depth--;
			break;
		case ',':
			cost += COST_ITEM;
			break;
		case ':':
			cost += COST_MEMBER;
			break;
		}
		if (depth > JS_DEPTH_MAX)
			return JS_E_DEPTH;
		if (cost > max_cost)
			return JS_E_COST;
	}
	return 0;
}

int
js_parse(struct slice in, size_t max_cost, json_t **v_r)
{
	json_error_t e;
	json_t *v;
	int rc;

	if ((rc = scan(in, max_cost)) < 0)
		return rc;
	v = json_loadb(in.p ? in.p : "", in.n, JSON_REJECT_DUPLICATES |
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	/* That is JSON, but nothing of ours is so. */
	if (v == NULL && (json_error_code(&e) ==
	    json_error_null_byte_in_key ||
	    json_error_code(&e) == json_error_numeric_overflow))
		return JS_E_VALUE;
	if (v == NULL)
		return JS_E_SYNTAX;
	*v_r = v;
	return 0;
}

static void
write_string(struct buf *out, struct slice s)
{
	size_t from = 0;

	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		buf_add(out, s.p + from, i - from);
		from = i + 1;
		switch (c) {
		case '"':
			buf_add_str(out, "\\\"");
			break;
		case '\\':
			buf_add_str(out, "\\\\");
			break;
		case '\n':
			buf_add_str(out, "\\n");
			break;
		case '\r':
			buf_add_str(out, "\\r");
			break;
		case '\t':
			buf_add_str(out, "\\t");
			break;
		default:
			buf_printf(out, "\\u%04x", (unsigned)c);
			break;
		}
	}
	buf_add(out, s.p + from, s.n - from);
	buf_addc(out, '"');
}

static void
write_number(struct buf *out, const json_t *v)
{
	if (json_is_integer(v))
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		buf_printf(out, "%.17g", json_real_value(v));
}

static int write_value(struct buf *out, const json_t *v, int depth);

static int
write_object(struct buf *out, const json_t *v, int depth)
{
	json_t *o = (json_t *)(uintptr_t)v, *item;
	const char *key;
	int rc = 0;
	char sep = '{';

	if (json_object_size(o) == 0)
		buf_addc(out, sep);
	json_object_foreach(o, key, item) {
		buf_addc(out, sep);
		sep = ',';
		write_string(out, slice_str(key));
		buf_addc(out, ':');
		if ((rc = write_value(out, item, depth + 1)) < 0)
			break;
	}
	return rc < 0 ? rc : buf_addc(out, '}');
}

static int
write_array(struct buf *out, const json_t *v, int depth)
{
	size_t n = json_array_size(v);

	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(out, ',');
		if (write_value(out, json_array_get(v, i), depth + 1) < 0)
			return -1;
	}
	return buf_addc(out, ']');
}

static int
write_value(struct buf *out, const json_t *v, int depth)
{
	if (depth > JS_WRITE_DEPTH_MAX || out->overflow)
		return -1;
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return write_object(out, v, depth);
	case JSON_ARRAY:
		return write_array(out, v, depth);
	case JSON_STRING:
		write_string(out, js_slice(v));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		write_number(out, v);
		break;
	case JSON_TRUE:
		buf_add_str(out, "true");
		break;
	case JSON_FALSE:
		buf_add_str(out, "false");
		break;
	case JSON_NULL:
		buf_add_str(out, "null");
		break;
	}
	return out->overflow ? -1 : 0;
}

int
js_write(struct buf *out, const json_t *v)
{
	return write_value(out, v, 0);
}

/* Octets of a string when written. */
static size_t
escaped(struct slice s)
{
	size_t n = s.n;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			n += 5;
		else if (c == '"' || c == '\\')
			n++;
	}
	return n;
}

/* *left goes down; -1 once it is used up. */
static int
count(const json_t *v, int depth, size_t *left)
{
	json_t *item;
	size_t n = COUNT_VALUE, i;
	const char *key;

	if (json_is_string(v))
		n += escaped(js_slice(v));
	if (n > *left || depth > JS_REF_DEPTH_MAX)
		return -1;
	*left -= n;
	if (json_is_array(v)) {
		json_array_foreach(v, i, item)
			if (count(item, depth + 1, left) < 0)
				return -1;
	} else if (json_is_object(v)) {
		json_t *o = (json_t *)(uintptr_t)v;

		json_object_foreach(o, key, item) {
			n = strlen(key) + COUNT_MEMBER;
			if (n > *left)
				return -1;
			*left -= n;
			if (count(item, depth + 1, left) < 0)
				return -1;
		}
	}
	return 0;
}

size_t
js_size(const json_t *v, size_t max)
{
	size_t left = max;

	return count(v, 0, &left) < 0 ? max + 1 : max - left;
}

struct slice
js_slice(const json_t *v)
{
	if (!json_is_string(v))
		return slice_make(NULL, 0);
	return slice_make(json_string_value(v), json_string_length(v));
}

json_t *
js_str(struct slice s)
{
	json_t *v = json_stringn(s.p ? s.p : "", s.n);
	struct arena *a;

	if (v != NULL && !has_nonchar(s))
		return v;
	json_decref(v);
	a = arena_new(0);
	s = without_nonchars(a, utf8_clean(a, s));
	v = json_stringn(s.p, s.n);
	arena_free(&a);
	return v != NULL ? v : json_string("");
}

json_t *
js_str_or_null(struct slice s)
{
	return s.p != NULL ? js_str(s) : json_null();
}

json_t *
js_time(int64_t t)
{
	struct buf b;
	json_t *s;

	buf_init(&b, 64);
	time_rfc3339(&b, t);
	s = js_str(buf_slice(&b));
	buf_release(&b);
	return s;
}

void
js_put(json_t *o, const char *key, json_t *v)
{
	json_object_set_new(o, key, v);
}

void
js_put_some(json_t *o, const char *key, json_t *v)
{
	if (json_object_size(v) + json_array_size(v) == 0) {
		json_decref(v);
		v = json_null();
	}
	js_put(o, key, v);
}

void
js_put_str(json_t *o, const char *key, const char *s)
{
	js_put(o, key, json_string(s));
}

int
js_int(const json_t *v, int64_t *i_r)
{
	int64_t i;

	if (json_is_real(v)) {
		double d = json_real_value(v);

		if (!(d >= -(double)INT_LIMIT && d <= (double)INT_LIMIT))
			return -1;
		i = (int64_t)d;
		if ((double)i != d)
			return -1;
	} else if (json_is_integer(v)) {
		i = json_integer_value(v);
	} else {
		return -1;
	}
	if (i < -INT_LIMIT || i > INT_LIMIT)
		return -1;
	*i_r = i;
	return 0;
}

int
js_uint(const json_t *v, uint64_t *u_r)
{
	int64_t i;

	if (js_int(v, &i) < 0 || i < 0)
		return -1;
	*u_r = (uint64_t)i;
	return 0;
}

bool
js_is_id(struct slice s)
{
	if (s.n < 1 || s.n > 255)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}
