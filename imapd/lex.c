/* imapd/lex.c - tokens of one command line (RFC 9051 9, RFC 3501 9) */
#include "config.h"

#include <string.h>

#include "imapd/chars.h"
#include "imapd/language.h"
#include "imapd/lex.h"
#include "libbase/text.h"

struct lex {
	struct imap_parser *p;
	const char *start, *c, *end;
};

static size_t
where(const struct lex *l)
{
	return l->p->pos + (size_t)(l->c - l->start) + 1;
}

static int
expected(const struct lex *l, const char *what)
{
	return imap_parse_expected(l->p, what, where(l));
}

struct imap_arg *
imap_lex_add(struct imap_parser *p, enum imap_arg_type type, size_t pos)
{
	struct imap_arg *arg;

	if (p->n_args >= p->lim.args) {
		p->err = arena_printf(p->a,
		    language_text("more than %zu arguments"),
		    p->lim.args);
		p->code = "LIMIT";
		return NULL;
	}
	p->n_args++;
	if (p->depth == 0)
		p->n_top++;
	arg = arena_alloc(p->a, sizeof(*arg));
	arg->type = type;
	arg->pos = (uint32_t)pos;
	*p->open[p->depth].tail = arg;
	p->open[p->depth].tail = &arg->next;
	p->after = IMAP_AFTER_ARG;
	return arg;
}

static int
push(struct lex *l, struct imap_arg *arg)
{
	struct imap_parser *p = l->p;

	if (p->depth >= p->lim.depth || p->depth >= IMAP_DEPTH_MAX) {
		p->err = arena_printf(p->a, language_text(
		    "lists nested deeper than %u at octet %zu"), p->lim.depth, where(l));
		p->code = "LIMIT";
		return -1;
	}
	p->depth++;
	p->open[p->depth].arg = arg;
	p->open[p->depth].tail = &arg->first;
	p->after = IMAP_AFTER_OPEN;
	return 0;
}

static bool
in_list(const struct imap_parser *p, enum imap_arg_type type)
{
	return p->depth > 0 && p->open[p->depth].arg->type == type;
}

/* "<" has been seen after a section's "]" (RFC 9051 6.4.5). */
static int
lex_partial(struct lex *l, struct imap_arg *arg)
{
	const char *from = ++l->c;

	while (l->c < l->end && (imap_is_digit(*l->c) || *l->c == '.'))
		l->c++;
	if (l->c == l->end || *l->c != '>' || l->c == from)
		return expected(l, "digits and '>' of a partial range");
	arg->partial = slice_make(from, (size_t)(l->c - from));
	l->c++;
	return 0;
}

static int
lex_close(struct lex *l)
{
	struct imap_parser *p = l->p;
	struct imap_arg *arg = p->open[p->depth].arg;

	l->c++;
	p->depth--;
	p->after = IMAP_AFTER_ARG;
	if (arg->type == IMAP_ARG_SECTION && l->c < l->end && *l->c == '<')
		return lex_partial(l, arg);
	return 0;
}

static int
lex_quoted(struct lex *l)
{
	struct imap_arg *arg;
	char *s;
	size_t n = 0;

	if ((arg = imap_lex_add(l->p, IMAP_ARG_QUOTED, where(l))) == NULL)
		return -1;
	l->c++;
	s = arena_alloc(l->p->a, (size_t)(l->end - l->c) + 1);
	for (; l->c < l->end && *l->c != '"'; l->c++) {
		if (*l->c == '\\') {
			l->c++;
			if (l->c == l->end || (*l->c != '"' && *l->c != '\\'))
				return expected(l, "'\"' or '\\' after '\\'");
		}
		s[n++] = *l->c;
	}
	if (l->c == l->end)
		return expected(l, "'\"' that ends the quoted string");
	l->c++;
	arg->s = slice_make(s, n);
	if (!utf8_valid(arg->s)) {
		imap_parse_expected(l->p, "valid UTF-8 in the quoted string",
		    arg->pos);
		return -1;
	}
	return 0;
}

/* May an atom have a [section] here? */
static bool
sections(const struct imap_parser *p)
{
	if (p->sections || !p->sections_in_return || p->depth < 2)
		return p->sections;
	for (const struct imap_arg *a = p->args; a != NULL; a = a->next)
		if (a->next == p->open[1].arg)
			return slice_ieq(a->s, SLICE_LIT("RETURN"));
	return false;
}

static int
lex_atom(struct lex *l)
{
	struct imap_parser *p = l->p;
	const char *from = l->c;
	bool section = in_list(p, IMAP_ARG_SECTION), may = sections(p);
	struct imap_arg *arg;

	while (l->c < l->end && imap_is_token(*l->c)) {
		if (*l->c == ']' && section)
			break;
		if (*l->c == '[' && may && !section)
			break;
		l->c++;
	}
	if (l->c == from)
		return expected(l, "an argument");
	section = l->c < l->end && *l->c == '[' && may && !section;
	arg = imap_lex_add(p, section ? IMAP_ARG_SECTION : IMAP_ARG_ATOM,
	    p->pos + (size_t)(from - l->start) + 1);
	if (arg == NULL)
		return -1;
	arg->s = slice_make(from, (size_t)(l->c - from));
	if (!section)
		return 0;
	l->c++;
	return push(l, arg);
}

/* s is "{123}" or "{123+}", maybe with "~" before it.  1 or -1. */
static int
literal_head(struct slice s, struct imap_lit *lit_r)
{
	struct slice num;

	lit_r->binary = s.n > 0 && s.p[0] == '~';
	if (lit_r->binary)
		s = slice_make(s.p + 1, s.n - 1);
	if (s.n < 3 || s.p[0] != '{' || s.p[s.n - 1] != '}')
		return -1;
	num = slice_make(s.p + 1, s.n - 2);
	lit_r->sync = num.p[num.n - 1] != '+';
	if (!lit_r->sync)
		num.n--;
	if (slice_uint(num, INT64_MAX, &lit_r->size) < 0) {
		lit_r->size = UINT64_MAX;
		return -1;
	}
	return 1;
}

int
imap_lex_literal_end(struct slice line, struct imap_lit *lit_r)
{
	size_t i = line.n, digits = 0;

	if (i < 3 || line.p[i - 1] != '}')
		return 0;
	i--;
	if (line.p[i - 1] == '+')
		i--;
	for (; i > 0 && imap_is_digit(line.p[i - 1]); i--)
		digits++;
	if (digits == 0)
		return 0;
	/* More digits than the tail holds are a number out of range too. */
	if (i > 0 && line.p[i - 1] != '{')
		return 0;
	if (i == 0 || literal_head(slice_make(line.p + i - 1, line.n - i + 1),
	    lit_r) < 0) {
		lit_r->size = UINT64_MAX;
		lit_r->sync = line.p[line.n - 2] != '+';
		return lit_r->sync ? 0 : 1;
	}
	return 1;
}

static int
lex_literal(struct lex *l, struct imap_lit *lit_r)
{
	struct slice s = { l->c, (size_t)(l->end - l->c) };

	lit_r->pos = where(l);
	if (literal_head(s, lit_r) < 0)
		return expected(l, "a literal ({count} or {count+} at the end "
		    "of the line)");
	l->c = l->end;
	return 1;
}

/* One token where an argument may begin.  0, 1 (a literal), -1. */
static int
lex_arg(struct lex *l, struct imap_lit *lit_r)
{
	struct imap_parser *p = l->p;
	struct imap_arg *arg;

	switch (*l->c) {
	case '(':
		arg = imap_lex_add(p, IMAP_ARG_LIST, where(l));
		l->c++;
		return arg ? push(l, arg) : -1;
	case '"':
		return lex_quoted(l);
	case '{':
		return lex_literal(l, lit_r);
	case '~':
		if (l->c + 1 < l->end && l->c[1] == '{')
			return lex_literal(l, lit_r);
		break;
	default:
		break;
	}
	return lex_atom(l);
}

static int
lex_args(struct lex *l, struct imap_lit *lit_r)
{
	struct imap_parser *p = l->p;
	int rc = 0;

	while (rc == 0 && l->c < l->end) {
		bool list = in_list(p, IMAP_ARG_LIST);
		bool section = in_list(p, IMAP_ARG_SECTION);

		if (((*l->c == ')' && list) || (*l->c == ']' && section)) &&
		    p->after != IMAP_AFTER_SP)
			rc = lex_close(l);
		else if (p->after == IMAP_AFTER_ARG && *l->c == ' ') {
			p->after = IMAP_AFTER_SP;
			l->c++;
		} else if (p->after == IMAP_AFTER_ARG)
			rc = expected(l, list ? "a space or ')'" : section ?
			    "a space or ']'" : "a space or the end");
		else
			rc = lex_arg(l, lit_r);
	}
	if (rc != 0)
		return rc;
	if (p->after == IMAP_AFTER_SP)
		return expected(l, "an argument after the space");
	if (p->depth > 0)
		return expected(l, in_list(p, IMAP_ARG_LIST) ?
		    "')' that ends the list" : "']' that ends the section");
	return 0;
}

void
imap_lex_tag(struct imap_parser *p, struct slice line)
{
	size_t n = 0;

	while (n < line.n && imap_is_astring(line.p[n]) && line.p[n] != '+')
		n++;
	if (n > 0 && n < line.n && line.p[n] == ' ' && n <= 128)
		p->tag = slice_make(arena_strndup(p->a, line.p, n), n);
}

static int
lex_word(struct lex *l, struct slice *s_r)
{
	const char *from = l->c;

	while (l->c < l->end && imap_is_atom(*l->c))
		l->c++;
	*s_r = slice_make(from, (size_t)(l->c - from));
	return s_r->n > 0 ? 0 : expected(l, "a command's name");
}

/* tag SP name, and the second half of "UID FETCH". */
static int
lex_head(struct lex *l)
{
	struct imap_parser *p = l->p;
	struct slice word;

	imap_lex_tag(p, slice_make(l->c, (size_t)(l->end - l->c)));
	if (p->tag.n == 0)
		return expected(l, "a tag and a space");
	l->c += p->tag.n + 1;
	if (lex_word(l, &p->name) < 0)
		return -1;
	if (slice_ieq(p->name, SLICE_LIT("UID"))) {
		if (l->c == l->end || *l->c != ' ')
			return expected(l, "a space and a command after UID");
		l->c++;
		if (lex_word(l, &word) < 0)
			return -1;
		p->name.n += 1 + word.n;	/* they are neighbors */
	}
	p->after = IMAP_AFTER_ARG;
	return p->hooks->command(p->arg, p);
}

int
imap_lex_line(struct imap_parser *p, struct slice line, struct imap_lit *lit_r)
{
	struct lex l = { p, line.p, line.p, line.p + line.n };

	if (p->after == IMAP_AFTER_NOTHING && lex_head(&l) < 0)
		return -1;
	return lex_args(&l, lit_r);
}
