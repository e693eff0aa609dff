/* culver/rows.c - what a command answers with --json */
#include "config.h"

#include <stdio.h>

#include "culver/rows.h"
#include "libbase/buf.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

void
rows_put(struct rows *r, json_t *o)
{
	char *s;

	if (r->json) {
		if (!(s = json_dumps(o, JSON_COMPACT)))
			fatal("out of memory");
		printf("%s %s\n", r->n == 0 ? "[" : ",", s);
		xfree(s);
	}
	r->n++;
	json_decref(o);
}

void
row_alone(json_t *o)
{
	char *s = json_dumps(o, JSON_COMPACT);

	if (!s)
		fatal("out of memory");
	puts(s);
	xfree(s);
	json_decref(o);
}

void
rows_end(const struct rows *r)
{
	if (r->json)
		puts(r->n == 0 ? "[]" : "]");
}

void
row_text(json_t *o, const char *key, struct slice s)
{
	struct buf b;

	if (utf8_valid(s)) {
		json_object_set_new(o, key, json_stringn(s.p, s.n));
		return;
	}
	buf_init(&b, s.n * 4 + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		char hex[8];

		snprintf(hex, sizeof(hex), ch < 0x80 ? "%c" : "\\x%02x", ch);
		buf_add(&b, hex, ch < 0x80 ? 1 : 4);
	}
	json_object_set_new(o, key, json_stringn(b.p, b.n));
	buf_release(&b);
}

void
row_u64(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

void
row_time(json_t *o, const char *key, int64_t t)
{
	struct buf b;

	buf_init(&b, 64);
	time_rfc3339(&b, t);
	row_text(o, key, buf_slice(&b));
	buf_release(&b);
}

void
row_until(json_t *o, const char *key, int64_t t)
{
	if (t != 0)
		row_time(o, key, t);
	else
		json_object_set_new(o, key, json_null());
}

void
row_limit(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, v == 0 ? json_null() :
	    json_integer((json_int_t)v));
}
