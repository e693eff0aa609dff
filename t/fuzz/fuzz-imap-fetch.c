/*
 * t/fuzz/fuzz-imap-fetch.c - what FETCH asks for, and what it is answered
 *
 * The input is a FETCH command's items up to a NUL, then a message.  A section
 * that was understood and is written as the label of its response is understood
 * as the same.  ENVELOPE, BODY and BODYSTRUCTURE of any message are well-formed:
 * balanced, strings without octets that they can't have, literals of the length
 * that they announce.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "imapd/fetch.h"
#include "t/fuzz/fuzz.h"

static int
on_command(void *arg, struct imap_parser *p)
{
	(void)arg;
	p->sections = true;
	return 0;
}

static enum imap_literal_rc
on_literal(void *arg, struct imap_parser *p, uint64_t size, bool binary)
{
	(void)arg;
	(void)size;
	p->err = "binary";
	return binary ? IMAP_LIT_REFUSE : IMAP_LIT_KEEP;
}

/* "items": the arguments of a command.  false: not understood. */
static bool
parse_items(struct slice items, struct arena *a, struct fetch_request *q)
{
	static const struct imap_parse_hooks hooks = { on_command, on_literal };
	struct imap_parser p;
	struct imap_args v;
	struct buf line;
	enum imap_parse_rc rc;
	size_t at = 0, used;

	buf_init(&line, 1 << 20);
	buf_add_str(&line, "a F ");
	buf_add_slice(&line, items);
	buf_add_str(&line, "\r\n");
	imap_parser_init(&p);
	p.hooks = &hooks;
	p.lim = (struct imap_limits){ .line = 1 << 16, .literal = 1 << 16,
		.drain = 0, .args = 1000, .memory = 1 << 20, .depth = 8 };
	imap_parser_reset(&p, a);
	do {
		rc = imap_parse(&p, slice_make(line.p + at, line.n - at),
		    &used);
		at += used;
	} while (rc == IMAP_PARSE_GO);
	buf_release(&line);
	if (rc != IMAP_PARSE_DONE)
		return false;
	*q = (struct fetch_request){ 0 };
	v = (struct imap_args){ .next = p.args, .a = a };
	if (fetch_parse(&v, q))
		return true;
	FUZZ_CHECK(v.err != NULL);
	return false;
}

static void
check_label(const struct fetch_item *item, struct arena *a)
{
	const struct fetch_section *s = &item->sec, *t;
	struct fetch_request again;
	struct enc e;

	if (item->kind != FETCH_SECTION || item->label != NULL)
		return;
	enc_init(&e, NULL);
	section_put_label(&e, s);
	/* A response says where it begins, not how long it was to be. */
	if (s->partial) {
		e.b.n--;
		buf_printf(&e.b, ".%llu>", (unsigned long long)s->len);
	}
	FUZZ_CHECK(parse_items(buf_slice(&e.b), a, &again));
	FUZZ_CHECK(again.n == 1);
	t = &again.items[0].sec;
	FUZZ_CHECK(t->n_path == s->n_path && t->text == s->text &&
	    t->n_names == s->n_names && t->partial == s->partial &&
	    t->from == s->from && t->len == s->len);
	for (size_t i = 0; i < s->n_path; i++)
		FUZZ_CHECK(s->path[i] == t->path[i]);
	for (size_t i = 0; i < s->n_names; i++)
		FUZZ_CHECK(slice_eq(s->names[i], t->names[i]));
	enc_release(&e);
}

/* Takes one string, number, NIL or list from the front. */
static void
check_value(struct slice *s, unsigned depth)
{
	size_t n = 0;

	FUZZ_CHECK(s->n > 0 && depth < 200);
	if (s->p[0] == '(') {
		*s = slice_make(s->p + 1, s->n - 1);
		while (s->n > 0 && s->p[0] != ')') {
			check_value(s, depth + 1);
			if (s->n > 0 && s->p[0] == ' ')
				*s = slice_make(s->p + 1, s->n - 1);
		}
		FUZZ_CHECK(s->n > 0);
		n = 1;
	} else if (s->p[0] == '"') {
		for (n = 1; n < s->n && s->p[n] != '"'; n++) {
			unsigned char c = (unsigned char)s->p[n];

			FUZZ_CHECK(c != 0 && c != '\r' && c != '\n' &&
			    c < 0x80);
			if (c == '\\') {
				n++;
				FUZZ_CHECK(n < s->n && (s->p[n] == '"' ||
				    s->p[n] == '\\'));
			}
		}
		FUZZ_CHECK(n < s->n);
		n++;
	} else if (s->p[0] == '{') {
		size_t len = 0;

		for (n = 1; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
			len = len * 10 + (size_t)(s->p[n] - '0');
		FUZZ_CHECK(n > 1 && s->n - n >= 3 + len);
		FUZZ_CHECK(memcmp(s->p + n, "}\r\n", 3) == 0);
		FUZZ_CHECK(memchr(s->p + n + 3, '\0', len) == NULL);
		n += 3 + len;
	} else if (s->n >= 3 && memcmp(s->p, "NIL", 3) == 0)
		n = 3;
	else {
		while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
			n++;
		FUZZ_CHECK(n > 0);
	}
	*s = slice_make(s->p + n, s->n - n);
}

static void
check_message(struct slice raw, struct arena *a)
{
	struct mime_msg *m;
	struct enc e;
	struct slice s;

	mime_parse(raw, NULL, a, &m);
	enc_init(&e, NULL);
	for (int i = 0; i < 3; i++) {
		buf_reset(&e.b);
		if (i == 0)
			envelope_put(&e, m->root->env);
		else
			bodystructure_put(&e, m->root, i == 2);
		s = buf_slice(&e.b);
		FUZZ_CHECK(s.n > 0 && s.p[0] == '(');
		check_value(&s, 0);
		FUZZ_CHECK(s.n == 0);
	}
	enc_release(&e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = size ? (const char *)data : "";
	const char *nul = memchr(p, '\0', size);
	size_t n = nul ? (size_t)(nul - p) : size;
	struct arena *a = arena_new(0);
	struct fetch_request q;

	if (parse_items(slice_make(p, n), a, &q))
		for (size_t i = 0; i < q.n; i++)
			check_label(&q.items[i], a);
	if (n < size)
		n++;
	check_message(slice_make(p + n, size - n), a);
	arena_free(&a);
	return 0;
}
