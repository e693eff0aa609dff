/*
 * t/fuzz/fuzz-imap-command.c - the IMAP command parser
 *
 * The input is a stream of commands.  However it is cut, the parser finds the
 * same commands; a command that it accepts, written again with every string as
 * a literal, is the same tree.
 */
#include "config.h"

#include <string.h>

#include "imapd/args.h"
#include "imapd/parse.h"
#include "libbase/buf.h"
#include "t/fuzz/fuzz.h"

enum { COMMANDS_MAX = 50 };

static int
on_command(void *arg, struct imap_parser *p)
{
	(void)arg;
	p->sections = slice_ieq(p->name, SLICE_LIT("FETCH"));
	return 0;
}

static enum imap_literal_rc
on_literal(void *arg, struct imap_parser *p, uint64_t size, bool binary)
{
	(void)arg;
	FUZZ_CHECK(size <= INT64_MAX);
	if (binary) {
		p->err = "binary";
		return IMAP_LIT_REFUSE;
	}
	return IMAP_LIT_KEEP;
}

static const struct imap_parse_hooks hooks = { on_command, on_literal };

static void
init(struct imap_parser *p)
{
	imap_parser_init(p);
	p->hooks = &hooks;
	p->lim = (struct imap_limits){ .line = 4096, .literal = 2048,
		.drain = 10000, .args = 500, .memory = 1 << 20, .depth = 20 };
}

/* The tree, strings as literals. */
static void
write_args(struct buf *b, const struct imap_arg *v)
{
	for (; v != NULL; v = v->next) {
		switch (v->type) {
		case IMAP_ARG_ATOM:
			FUZZ_CHECK(v->s.n > 0);
			buf_add_slice(b, v->s);
			break;
		case IMAP_ARG_QUOTED:
		case IMAP_ARG_LITERAL:
			buf_printf(b, "{%zu+}\r\n", v->s.n);
			buf_add_slice(b, v->s);
			break;
		case IMAP_ARG_LIST:
			buf_addc(b, '(');
			write_args(b, v->first);
			buf_addc(b, ')');
			break;
		case IMAP_ARG_SECTION:
			buf_add_slice(b, v->s);
			buf_addc(b, '[');
			write_args(b, v->first);
			buf_addc(b, ']');
			if (v->partial.p != NULL) {
				buf_addc(b, '<');
				buf_add_slice(b, v->partial);
				buf_addc(b, '>');
			}
			break;
		case IMAP_ARG_STREAM:
			abort();
		}
		if (v->next != NULL)
			buf_addc(b, ' ');
	}
}

static void
write_command(struct buf *b, const struct imap_parser *p)
{
	buf_add_slice(b, p->tag);
	buf_addc(b, ' ');
	buf_add_slice(b, p->name);
	if (p->args != NULL)
		buf_addc(b, ' ');
	write_args(b, p->args);
	buf_add_str(b, "\r\n");
}

/* Reads all commands and appends them, or what was wrong, to out. */
static void
read_all(struct slice in, size_t step, struct buf *out)
{
	struct arena *a = arena_new(1 << 20);
	struct imap_parser p;
	size_t at = 0, end = 0, used;
	int n = 0;

	init(&p);
	imap_parser_reset(&p, a);
	while (n < COMMANDS_MAX) {
		enum imap_parse_rc rc = imap_parse(&p, slice_make(in.p + at,
		    end - at), &used);

		FUZZ_CHECK(used <= end - at);
		at += used;
		if (rc == IMAP_PARSE_GO)
			continue;
		FUZZ_CHECK(rc != IMAP_PARSE_STREAM);
		if (rc == IMAP_PARSE_MORE) {
			if (end == in.n)
				break;
			/* The owner's buffer holds a line at least. */
			FUZZ_CHECK(end - at <= p.lim.line + 2);
			end = in.n - end < step ? in.n : end + step;
			continue;
		}
		if (rc == IMAP_PARSE_DONE)
			write_command(out, &p);
		else {
			FUZZ_CHECK(p.err != NULL && *p.err != '\0');
			buf_printf(out, "!%s\n", p.err);
			if (p.fatal)
				break;
		}
		n++;
		arena_reset(a);
		imap_parser_reset(&p, a);
	}
	arena_free(&a);
}

/* Handlers take anything: none may fail but with a sentence. */
static void
take_args(struct slice in, bool utf8)
{
	struct arena *a = arena_new(1 << 20);
	struct imap_parser p;
	struct imap_args v;
	struct slice s;
	struct seqset set;
	size_t used;

	init(&p);
	imap_parser_reset(&p, a);
	if (imap_parse(&p, in, &used) == IMAP_PARSE_DONE) {
		v = (struct imap_args){ p.args, a, NULL, utf8 };
		while (v.next != NULL && (imap_args_mailbox(&v, &s) ||
		    (v.err = NULL, imap_args_pattern(&v, &s)) ||
		    (v.err = NULL, imap_args_seqset(&v, 7, &set))))
			;
		FUZZ_CHECK(imap_args_end(&v) || v.err != NULL);
	}
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(size ? (const char *)data : "", size);
	struct buf whole, pieces, again;

	buf_init(&whole, 64 << 20);
	buf_init(&pieces, 64 << 20);
	buf_init(&again, 64 << 20);
	read_all(in, size + 1, &whole);
	read_all(in, 1 + size % 7, &pieces);
	FUZZ_CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
	if (whole.n > 0 && memchr(whole.p, '!', whole.n) == NULL) {
		read_all(buf_slice(&whole), whole.n, &again);
		/* Literals can be longer than the limits say of lines. */
		if (again.n > 0 && memchr(again.p, '!', again.n) == NULL)
			FUZZ_CHECK(slice_eq(buf_slice(&whole),
			    buf_slice(&again)));
	}
	take_args(in, false);
	take_args(in, true);
	buf_release(&whole);
	buf_release(&pieces);
	buf_release(&again);
	return 0;
}
