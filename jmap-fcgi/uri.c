/* jmap-fcgi/uri.c - what stands in URLs and HTTP header fields */
#include "config.h"

#include "jmap-fcgi/uri.h"
#include "libbase/text.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
uri_decode(struct arena *a, struct slice s, bool plus, struct slice *out_r)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			int hi = i + 1 < s.n ? hex(s.p[i + 1]) : -1;
			int lo = i + 2 < s.n ? hex(s.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return -1;
			p[n++] = (char)(hi << 4 | lo);
			i += 2;
		} else {
			p[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	*out_r = slice_make(p, n);
	return 0;
}

/* Up to the next c; *s goes on behind it. */
static struct slice
next_part(struct slice *s, char c)
{
	const char *end = s->n ? memchr(s->p, c, s->n) : NULL;
	struct slice part = *s;

	if (end == NULL) {
		*s = slice_make(NULL, 0);
		return part;
	}
	part.n = (size_t)(end - part.p);
	*s = slice_make(end + 1, s->n - part.n - 1);
	return part;
}

int
uri_param(struct arena *a, struct slice query, const char *name,
    struct slice *out_r)
{
	while (query.n > 0) {
		struct slice value = next_part(&query, '&');
		struct slice key = next_part(&value, '=');

		if (slice_eq(key, slice_str(name)))
			return uri_decode(a, value, false, out_r);
	}
	return 1;
}

int
uri_match(struct arena *a, const char *pattern, struct slice path,
    struct slice *var, size_t max)
{
	struct slice pat = slice_str(pattern);
	size_t n = 0;

	for (;;) {
		struct slice want = next_part(&pat, '/');
		struct slice got = next_part(&path, '/');

		if (slice_eq(want, SLICE_LIT("{}"))) {
			if (n == max || uri_decode(a, got, false,
			    &var[n++]) < 0)
				return 0;
		} else if (!slice_eq(want, got)) {
			return 0;
		}
		if (pat.p == NULL || path.p == NULL)
			return pat.p == NULL && path.p == NULL;
	}
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static bool
port_ok(struct slice s)
{
	uint64_t port;

	return s.n <= 5 && slice_uint(s, 65535, &port) == 0 && port > 0;
}

bool
http_host_ok(struct slice s)
{
	size_t i = 0;

	if (s.n == 0 || s.n > 255)
		return false;
	if (s.p[0] == '[') {
		for (i = 1; i < s.n && s.p[i] != ']'; i++)
			if (hex(s.p[i]) < 0 && s.p[i] != ':' &&
			    s.p[i] != '.')
				return false;
		if (i < 3 || i++ >= s.n)
			return false;
	} else {
		while (i < s.n && (is_alnum(s.p[i]) || s.p[i] == '.' ||
		    s.p[i] == '-' || s.p[i] == '_'))
			i++;
		if (i == 0)
			return false;
	}
	if (i == s.n)
		return true;
	return s.p[i] == ':' &&
	    port_ok(slice_make(s.p + i + 1, s.n - i - 1));
}

static bool
is_token(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t
token(struct slice s, size_t i)
{
	while (i < s.n && is_token(s.p[i]))
		i++;
	return i;
}

bool
http_media_type_ok(struct slice s)
{
	size_t i, k;

	if (s.n > 255)
		return false;
	i = token(s, 0);
	if (i == 0 || i >= s.n || s.p[i] != '/')
		return false;
	k = token(s, i + 1);
	if (k == i + 1)
		return false;
	while (k < s.n && s.p[k] == ' ')
		k++;
	if (k == s.n)
		return true;
	if (s.p[k] != ';')
		return false;
	for (; k < s.n; k++)
		if (s.p[k] < 0x20 || s.p[k] > 0x7e)
			return false;
	return true;
}

bool
http_media_type_is(struct slice s, const char *want)
{
	const char *end = s.n ? memchr(s.p, ';', s.n) : NULL;

	if (end != NULL)
		s.n = (size_t)(end - s.p);
	return slice_ieq(slice_trim(s), slice_str(want));
}

void
http_disposition(struct buf *out, struct slice name)
{
	buf_add_str(out, "attachment");
	if (name.n == 0)
		return;
	buf_add_str(out, "; filename=\"");
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '"' &&
		    c != '\\' && c != '/' && c != '%';

		buf_addc(out, plain ? c : '_');
	}
	buf_add_str(out, "\"; filename*=UTF-8''");
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (is_alnum(c) || c == '.' || c == '-' || c == '_')
			buf_addc(out, c);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
	}
}
