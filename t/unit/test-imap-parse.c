/* t/unit/test-imap-parse.c - the IMAP command parser, whole and in pieces */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imapd/parse.h"
#include "libbase/buf.h"

struct fix {
	struct arena *a;
	struct imap_parser p;
	unsigned go;		/* continuation requests */
	struct buf streamed;
};

static int
on_command(void *arg, struct imap_parser *p)
{
	(void)arg;
	if (slice_ieq(p->name, SLICE_LIT("BOGUS"))) {
		p->err = "unknown command";
		return -1;
	}
	p->sections = slice_ieq(p->name, SLICE_LIT("FETCH")) ||
	    slice_ieq(p->name, SLICE_LIT("UID FETCH"));
	return 0;
}

static enum imap_literal_rc
on_literal(void *arg, struct imap_parser *p, uint64_t size, bool binary)
{
	(void)arg;
	if (binary) {
		p->err = "no binary";
		return IMAP_LIT_REFUSE;
	}
	if (slice_ieq(p->name, SLICE_LIT("APPEND")) && p->depth == 0 &&
	    p->n_top > 0) {
		if (size > 1000) {
			p->err = "too big";
			p->code = "TOOBIG";
			return IMAP_LIT_REFUSE;
		}
		return IMAP_LIT_STREAM;
	}
	return IMAP_LIT_KEEP;
}

static const struct imap_parse_hooks hooks = { on_command, on_literal };

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->a = arena_new(1 << 20);
	buf_init(&f->streamed, 4096);
	imap_parser_init(&f->p);
	f->p.hooks = &hooks;
	f->p.arg = f;
	f->p.lim = (struct imap_limits){ .line = 200, .literal = 100,
		.drain = 5000, .args = 40, .memory = 1 << 20, .depth = 5 };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	buf_release(&f->streamed);
	arena_free(&f->a);
	free(f);
	return 0;
}

/* ---- a tree as text ---------------------------------------------------- */

static void
print(struct buf *b, const struct imap_arg *v)
{
	for (; v != NULL; v = v->next) {
		switch (v->type) {
		case IMAP_ARG_ATOM:
			buf_add_slice(b, v->s);
			break;
		case IMAP_ARG_QUOTED:
			buf_printf(b, "\"%.*s\"", (int)v->s.n, v->s.p);
			break;
		case IMAP_ARG_LITERAL:
			buf_printf(b, "{%.*s}", (int)v->s.n, v->s.p);
			break;
		case IMAP_ARG_STREAM:
			buf_printf(b, "<%u>", (unsigned)v->size);
			break;
		case IMAP_ARG_LIST:
			buf_addc(b, '(');
			print(b, v->first);
			buf_addc(b, ')');
			break;
		case IMAP_ARG_SECTION:
			buf_printf(b, "%.*s[", (int)v->s.n, v->s.p);
			print(b, v->first);
			buf_printf(b, "]<%.*s>", (int)v->partial.n,
			    v->partial.p ? v->partial.p : "");
			break;
		}
		if (v->next != NULL)
			buf_addc(b, '|');
	}
}

/*
 * Feeds in, at most step octets at a time beyond what the parser has not used
 * yet; returns where it stopped.
 */
static enum imap_parse_rc
feed(struct fix *f, const char *in, size_t n, size_t step, size_t *at_r)
{
	size_t at = 0, end = 0, used;
	enum imap_parse_rc rc;

	arena_reset(f->a);
	buf_reset(&f->streamed);
	f->go = 0;
	imap_parser_reset(&f->p, f->a);
	for (;;) {
		char *copy = malloc(end - at + 1);

		assert_non_null(copy);
		memcpy(copy, in + at, end - at);
		rc = imap_parse(&f->p, slice_make(copy, end - at), &used);
		free(copy);
		assert_true(used <= end - at);
		at += used;
		if (rc == IMAP_PARSE_STREAM) {
			size_t want = (size_t)f->p.stream_size;

			if (want > n - at)
				break;
			f->go += f->p.stream_sync;
			buf_add(&f->streamed, in + at, want);
			at += want;
			if (end < at)
				end = at;
			imap_parse_streamed(&f->p);
			continue;
		}
		if (rc == IMAP_PARSE_GO) {
			f->go++;
			continue;
		}
		if (rc != IMAP_PARSE_MORE || end == n)
			break;
		end = n - end < step ? n : end + step;
	}
	*at_r = at;
	return rc;
}

static void
expect(struct fix *f, const char *in, size_t n, const char *want)
{
	for (size_t step = 1; step <= n + 1; step = step < 8 ? step + 1 :
	    n + 1 > step ? n + 1 : step + 1) {
		struct buf b;
		size_t at;
		enum imap_parse_rc rc = feed(f, in, n, step, &at);

		buf_init(&b, 1 << 16);
		if (rc == IMAP_PARSE_DONE) {
			buf_printf(&b, "%.*s %.*s ", (int)f->p.tag.n,
			    f->p.tag.p, (int)f->p.name.n, f->p.name.p);
			print(&b, f->p.args);
		} else if (rc == IMAP_PARSE_BAD)
			buf_printf(&b, "%.*s BAD %s%s%s%s", (int)f->p.tag.n,
			    f->p.tag.p ? f->p.tag.p : "",
			    f->p.code ? f->p.code : "", f->p.code ? " " : "",
			    f->p.err, f->p.fatal ? " FATAL" : "");
		else
			buf_add_str(&b, "MORE");
		buf_addc(&b, '\0');
		assert_string_equal(b.p, want);
		if (rc != IMAP_PARSE_MORE && !f->p.fatal)
			assert_int_equal(at, n);
		buf_release(&b);
	}
}

#define CASE(in, want) { in, sizeof(in) - 1, want }

/* ---- tests ------------------------------------------------------------- */

static void
test_good(void **state)
{
	static const struct { const char *in; size_t n; const char *want; }
	t[] = {
		CASE("a NOOP\r\n", "a NOOP "),
		CASE("A1.x noop\r\n", "A1.x noop "),
		CASE("a LOGIN \"a \\\"b\\\\\" c\r\n", "a LOGIN \"a \"b\\\"|c"),
		CASE("a LOGIN {3}\r\nabc {2+}\r\n\"(\r\n",
		    "a LOGIN {abc}|{\"(}"),
		CASE("a LOGIN {0}\r\n {0+}\r\n\r\n", "a LOGIN {}|{}"),
		CASE("a X (a (b c) ()) \"\"\r\n", "a X (a|(b|c)|())|\"\""),
		CASE("a X ({1}\r\nx)\r\n", "a X ({x})"),
		CASE("a LIST \"\" %/*\r\n", "a LIST \"\"|%/*"),
		CASE("a SELECT [Gmail]/x]\r\n", "a SELECT [Gmail]/x]"),
		CASE("a STORE 1:* +FLAGS (\\Seen $x)\r\n",
		    "a STORE 1:*|+FLAGS|(\\Seen|$x)"),
		CASE("a UID SEARCH ALL\r\n", "a UID SEARCH ALL"),
		CASE("a FETCH 1 BODY[]\r\n", "a FETCH 1|BODY[]<>"),
		CASE("a FETCH 1 (BODY.PEEK[1.HEADER.FIELDS (To {2}\r\nCC)]"
		    "<0.9> UID)\r\n", "a FETCH 1|(BODY.PEEK[1.HEADER.FIELDS|"
		    "(To|{CC})]<0.9>|UID)"),
		CASE("a uid fetch 1 BODY[1.MIME]\r\n",
		    "a uid fetch 1|BODY[1.MIME]<>"),
		CASE("a APPEND x {5}\r\nhello\r\n", "a APPEND x|<5>"),
		CASE("a APPEND {1}\r\nx (a) {5+}\r\na\0b\r\n\r\n",
		    "a APPEND {x}|(a)|<5>"),
		CASE("a X \"\xc3\xa9\"\r\n", "a X \"\xc3\xa9\""),
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect(*state, t[i].in, t[i].n, t[i].want);
}

static void
test_bad(void **state)
{
	static const struct { const char *in; size_t n; const char *want; }
	t[] = {
		CASE("\r\n", " BAD expected a tag and a space at octet 1"),
		CASE("noop\r\n", " BAD expected a tag and a space at octet 1"),
		CASE("+ NOOP\r\n", " BAD expected a tag and a space at "
		    "octet 1"),
		CASE("a \r\n", "a BAD expected a command's name at octet 3"),
		CASE("a UID\r\n", "a BAD expected a space and a command after "
		    "UID at octet 6"),
		CASE("a BOGUS 1\r\n", "a BAD unknown command"),
		CASE("a NOOP \r\n", "a BAD expected an argument after the "
		    "space at octet 8"),
		CASE("a X a  b\r\n", "a BAD expected an argument at octet 7"),
		CASE("a X (a\r\n", "a BAD expected ')' that ends the list at "
		    "octet 7"),
		CASE("a X a)\r\n", "a BAD expected a space or the end at "
		    "octet 6"),
		CASE("a X (a )\r\n", "a BAD expected an argument at octet 8"),
		CASE("a X (a)(b)\r\n", "a BAD expected a space or the end at "
		    "octet 8"),
		CASE("a X \"b\r\n", "a BAD expected '\"' that ends the quoted "
		    "string at octet 7"),
		CASE("a X \"\\b\"\r\n", "a BAD expected '\"' or '\\' after "
		    "'\\' at octet 7"),
		CASE("a X \"\xe9\"\r\n", "a BAD expected valid UTF-8 in the "
		    "quoted string at octet 5"),
		CASE("a X \xc3\xa9\r\n", "a BAD expected an argument at "
		    "octet 5"),
		CASE("a X b\0c\r\n", "a BAD NUL at octet 6"),
		CASE("a X b\rc\r\n", "a BAD CR without LF at octet 6"),
		CASE("a X b\n", "a BAD LF without CR at octet 6"),
		CASE("a X {1+}\r\n\0 c\r\n", "a BAD NUL in the literal that "
		    "ends at octet 11"),
		CASE("a X {x}\r\n", "a BAD expected a literal ({count} or "
		    "{count+} at the end of the line) at octet 5"),
		CASE("a X {1} b\r\n", "a BAD expected a literal ({count} or "
		    "{count+} at the end of the line) at octet 5"),
		CASE("a X b{1}\r\n", "a BAD expected a space or the end at "
		    "octet 6"),
		CASE("a X ~{1}\r\n", "a BAD no binary"),
		CASE("a X ~{1+}\r\nz y\r\n", "a BAD no binary"),
		CASE("a FETCH 1 BODY[\r\n", "a BAD expected ']' that ends the "
		    "section at octet 16"),
		CASE("a FETCH 1 BODY[]<>\r\n", "a BAD expected digits and '>' "
		    "of a partial range at octet 18"),
		CASE("a X ((((((b))))))\r\n", "a BAD LIMIT lists nested "
		    "deeper than 5 at octet 11"),
		CASE("a X 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 "
		    "7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2\r\n",
		    "a BAD LIMIT more than 40 arguments"),
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect(*state, t[i].in, t[i].n, t[i].want);
}

/* A refused literal: what follows is the next command, or was the literal. */
static void
test_refused_literals(void **state)
{
	static const struct { const char *in; size_t n; const char *want; }
	t[] = {
		CASE("a BOGUS {5}\r\n", "a BAD unknown command"),
		CASE("a BOGUS {5+}\r\nab\r\nc d {2+}\r\nxy\r\n",
		    "a BAD unknown command"),
		CASE("a BOGUS {0+}\r\n\r\n", "a BAD unknown command"),
		CASE("a X {101}\r\n", "a BAD TOOBIG literal of more than 100 "
		    "octets at octet 5"),
		CASE("a APPEND x {1001}\r\n", "a BAD TOOBIG too big"),
		CASE("a APPEND x {99999999}\r\n", "a BAD TOOBIG too big"),
		CASE("a APPEND x {99999999+}\r\n", "a BAD TOOBIG too big "
		    "FATAL"),
		CASE("a X {9223372036854775808}\r\n", "a BAD expected a "
		    "literal ({count} or {count+} at the end of the line) at "
		    "octet 5"),
		CASE("a X {9223372036854775808+}\r\n", "a BAD expected a "
		    "literal ({count} or {count+} at the end of the line) at "
		    "octet 5 FATAL"),
		CASE("a X {99999999999999999999999999999999999999999+}\r\n",
		    "a BAD expected a literal ({count} or {count+} at the end "
		    "of the line) at octet 5 FATAL"),
	};
	struct fix *f = *state;
	struct buf b;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect(f, t[i].in, t[i].n, t[i].want);
	buf_init(&b, 1 << 16);
	buf_add_str(&b, "a APPEND x {1001+}\r\n");
	for (int i = 0; i < 1001; i++)
		buf_addc(&b, i % 7 ? 'x' : '\n');
	buf_add_str(&b, "\r\n");
	expect(f, b.p, b.n, "a BAD TOOBIG too big");
	buf_release(&b);
}

static void
test_long_line(void **state)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	buf_add_str(&b, "tag X ");
	while (b.n < 200)
		buf_addc(&b, 'x');
	buf_add_str(&b, "\r\n");
	assert_int_equal(b.n, 202);
	b.p[8] = ' ';
	{
		struct fix *f = *state;
		size_t at;

		assert_int_equal(feed(f, b.p, b.n, 1, &at), IMAP_PARSE_DONE);
	}
	buf_reset(&b);
	buf_add_str(&b, "tag X ");
	while (b.n < 2000)
		buf_addc(&b, 'x');
	buf_add_str(&b, "\r\n");
	expect(*state, b.p, b.n, "tag BAD LIMIT line of more than 200 octets");
	b.n -= 2;
	buf_add_str(&b, "{3+}\r\n\r\n\r x\r\n");
	expect(*state, b.p, b.n, "tag BAD LIMIT line of more than 200 octets");
	buf_release(&b);
}

static void
test_stream(void **state)
{
	struct fix *f = *state;
	static const char sync[] = "a APPEND x {7}\r\n\0\r\n{1}x\r\n";
	static const char now[] = "a APPEND x {7+}\r\n\0\r\n{1}x\r\n";
	size_t at;

	assert_int_equal(feed(f, sync, sizeof(sync) - 1, 3, &at),
	    IMAP_PARSE_DONE);
	assert_int_equal(f->go, 1);
	assert_int_equal(f->streamed.n, 7);
	assert_memory_equal(f->streamed.p, "\0\r\n{1}x", 7);
	assert_int_equal(feed(f, now, sizeof(now) - 1, 100, &at),
	    IMAP_PARSE_DONE);
	assert_int_equal(f->go, 0);
	assert_int_equal(feed(f, "a L {1}\r\nx {1+}\r\ny {1}\r\nz\r\n", 29, 1,
	    &at), IMAP_PARSE_DONE);
	assert_int_equal(f->go, 2);
}

static void
test_pipeline(void **state)
{
	static const char in[] = "a NOOP\r\nb LOGIN {1+}\r\nx y\r\nc X\r\n";
	struct fix *f = *state;
	size_t at = 0, used;
	const char *tags = "abc";

	for (int i = 0; i < 3; i++) {
		arena_reset(f->a);
		imap_parser_reset(&f->p, f->a);
		assert_int_equal(imap_parse(&f->p, slice_make(in + at,
		    sizeof(in) - 1 - at), &used), IMAP_PARSE_DONE);
		at += used;
		assert_int_equal(f->p.tag.p[0], tags[i]);
	}
	assert_int_equal(at, sizeof(in) - 1);
}

static void
test_terminal(void **state)
{
	struct fix *f = *state;

	f->p.lf_ok = true;
	expect(f, "a X b\n", 6, "a X b");
	expect(f, "a X {1+}\nb\n", 11, "a X {b}");
}

static void
test_memory(void **state)
{
	struct fix *f = *state;
	struct buf b;
	size_t at;

	f->p.lim.memory = 4096;
	f->p.lim.args = 100000;
	f->p.lim.line = 8192;
	buf_init(&b, 1 << 16);
	buf_add_str(&b, "a X");
	for (int i = 0; i < 80; i++)
		buf_add_str(&b, " b");
	buf_add_str(&b, "\r\n");
	assert_int_equal(feed(f, b.p, b.n, 100000, &at), IMAP_PARSE_BAD);
	assert_string_equal(f->p.err, "command needs too much memory");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_literals, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_long_line, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipeline, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_terminal, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
