/* libmime/params.c - Content-Type and its like: values with parameters */
#include "config.h"

#include "libmime/mime-int.h"

enum { COMMENT_DEPTH = 50, SECTIONS_MAX = 1000 };

/* One parameter as it stands, or one piece of a continued one (RFC 2231). */
struct piece {
	struct slice base;	/* the name without "*0*" */
	int section;		/* -1: not continued */
	bool ext;		/* ends in "*": percent-encoded */
	bool done;
	struct slice value;
};

void
mime_skip_cfws(const char **pp, const char *end)
{
	const char *p = *pp;
	unsigned depth = 0;

	for (; p < end; p++) {
		if (depth > 0 && *p == '\\' && end - p > 1)
			p++;
		else if (*p == '(' && depth < COMMENT_DEPTH)
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !mime_blank(*p) && *p != '\0')
			break;
	}
	*pp = p;
}

/* A quoted string at *p ("\"" is known): its content, unfolded. */
static struct slice
quoted(const char **pp, const char *end, struct arena *a)
{
	const char *p = *pp + 1, *start = p;
	bool plain = true;
	char *out;
	size_t n = 0;

	for (; p < end && *p != '"'; p++) {
		if (*p == '\\' && end - p > 1)
			p++;
		else if (*p != '\r' && *p != '\n' && *p != '\0' && *p != '\\')
			continue;
		plain = false;
	}
	*pp = p < end ? p + 1 : end;
	if (plain)
		return slice_make(start, (size_t)(p - start));
	out = arena_alloc(a, (size_t)(p - start));
	for (const char *q = start; q < p; q++) {
		if (*q == '\r' || *q == '\n' || *q == '\0')
			continue;
		if (*q == '\\' && p - q > 1)
			q++;
		if (*q != '\0')
			out[n++] = *q;
	}
	return slice_make(out, n);
}

/*
 * A value without quotes.  File names are taken to the semicolon, since those
 * which should have been quoted are seen everywhere; boundaries to a blank.
 */
static struct slice
unquoted(const char **pp, const char *end, struct slice name, struct arena *a)
{
	bool file = mime_is(name, "name") || mime_is(name, "filename");
	bool bound = mime_is(name, "boundary");
	const char *p = *pp, *q = p;

	while (q < end && *q != ';' && (file || (!mime_blank(*q) &&
	    (bound || *q != '('))))
		q++;
	*pp = q;
	return slice_trim(mime_unfold(a, slice_make(p, (size_t)(q - p))));
}

/* Splits "name*2*". */
static void
piece_name(struct piece *pc, struct slice name)
{
	size_t n = name.n;
	int v = 0;

	pc->section = -1;
	if (n > 1 && name.p[n - 1] == '*') {
		pc->ext = true;
		n--;
	}
	for (size_t i = n; i > 1; i--) {
		char c = name.p[i - 1];

		if (c == '*' && i < n) {
			for (size_t k = i; k < n && v < SECTIONS_MAX; k++)
				v = v * 10 + (name.p[k] - '0');
			pc->section = v;
			n = i - 1;
			break;
		}
		if (c < '0' || c > '9')
			break;
	}
	pc->base = slice_make(name.p, n);
}

/* One "name = value" at *p; false: none could be read. */
static bool
piece_next(const char **pp, const char *end, struct piece *pc, struct arena *a)
{
	const char *p = *pp, *q;
	struct slice name;

	for (q = p; q < end && *q != '=' && *q != ';' && !mime_blank(*q); )
		q++;
	name = slice_make(p, (size_t)(q - p));
	mime_skip_cfws(&q, end);
	if (q == end || *q != '=' || name.n == 0) {
		*pp = q > p ? q : p + 1;
		return false;
	}
	q++;
	mime_skip_cfws(&q, end);
	*pc = (struct piece){ .section = -1 };
	piece_name(pc, name);
	pc->value = q < end && *q == '"' ? quoted(&q, end, a) :
	    unquoted(&q, end, pc->base, a);
	*pp = q;
	return true;
}

static int
hex(char c)
{
	unsigned char l = mime_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static size_t
percent_decode(char *out, struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int hi, lo;

		if (s.p[i] == '%' && s.n - i > 2 && (hi = hex(s.p[i + 1])) >= 0 &&
		    (lo = hex(s.p[i + 2])) >= 0) {
			out[n++] = (char)(hi * 16 + lo);
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	return n;
}

/* Takes charset'language' off the front of *s. */
static struct slice
take_charset(struct slice *s)
{
	const char *one = memchr(s->p, '\'', s->n), *two;
	struct slice cs = { NULL, 0 };

	if (one == NULL || (two = memchr(one + 1, '\'',
	    s->n - (size_t)(one + 1 - s->p))) == NULL)
		return cs;
	cs = slice_make(s->p, (size_t)(one - s->p));
	s->n -= (size_t)(two + 1 - s->p);
	s->p = two + 1;
	return cs;
}

static struct piece *
find_section(struct piece *pc, size_t n, struct slice base, int section)
{
	for (size_t i = 0; i < n; i++)
		if (pc[i].section == section && slice_ieq(pc[i].base, base))
			return &pc[i];
	return NULL;
}

/* The value of the parameter whose first piece is first. */
static void
assemble(struct piece *pc, size_t n, struct piece *first, struct arena *a,
    struct mime_param *p)
{
	struct slice cs = { NULL, 0 }, v;
	size_t have = 0, len = 0;
	char *out;

	p->name = first->base;
	if (first->section < 0 && !first->ext) {
		p->value = first->value;
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(pc[i].base, first->base))
			len += pc[i].value.n;
	out = arena_alloc(a, len);
	for (struct piece *s = first; s != NULL; ) {
		v = s->value;
		if (s == first && s->ext)
			cs = take_charset(&v);
		p->encoded |= s->ext;
		if (s->ext) {
			have += percent_decode(out + have, v);
		} else if (v.n > 0) {
			memcpy(out + have, v.p, v.n);
			have += v.n;
		}
		s = s->section < 0 ? NULL :
		    find_section(pc, n, first->base, s->section + 1);
	}
	p->value = slice_make(out, have);
	if (p->encoded)
		p->value = mime_to_utf8(a, cs, p->value, NULL);
}

/* The best piece to begin with for the name of pc[i]: RFC 2231's encoded form
 * is better than a plain one beside it. */
static struct piece *
first_piece(struct piece *pc, size_t n, size_t i)
{
	struct piece *plain = NULL, *sect;

	for (size_t k = 0; k < n; k++) {
		if (pc[k].section >= 0 || !slice_ieq(pc[k].base, pc[i].base))
			continue;
		if (pc[k].ext)
			return &pc[k];
		if (plain == NULL)
			plain = &pc[k];
	}
	sect = find_section(pc, n, pc[i].base, 0);
	return sect != NULL ? sect : plain;
}

static void
params(const char *p, const char *end, uint32_t max, struct arena *a,
    struct mime_param **p_r, uint32_t *n_r)
{
	struct piece *pc = NULL, one;
	size_t n = 0, cap = 0;
	uint32_t out = 0;

	*p_r = NULL;
	*n_r = 0;
	while (n < max) {
		mime_skip_cfws(&p, end);
		if (p == end)
			break;
		if (*p == ';') {
			p++;
			continue;
		}
		if (!piece_next(&p, end, &one, a))
			continue;
		pc = arena_grow(a, pc, &cap, n + 1, sizeof(*pc));
		pc[n++] = one;
		/* What follows a value up to the semicolon is a comment or
		 * junk; a blank and a new name is a lost semicolon. */
		while (p < end && *p != ';' && !mime_blank(*p) && *p != '(')
			p++;
	}
	if (n == 0)
		return;
	*p_r = arena_calloc(a, n, sizeof(**p_r));
	for (size_t i = 0; i < n; i++) {
		struct piece *first;

		if (pc[i].done)
			continue;
		first = first_piece(pc, n, i);
		for (size_t k = i; k < n; k++)
			pc[k].done |= slice_ieq(pc[k].base, pc[i].base);
		if (first != NULL)
			assemble(pc, n, first, a, &(*p_r)[out++]);
	}
	*n_r = out;
}

void
mime_params_parse(struct slice field, uint32_t max, struct arena *a,
    struct slice *value_r, struct mime_param **p_r, uint32_t *n_r)
{
	const char *p, *end, *q;

	field = mime_set(field);
	p = field.p;
	end = field.p + field.n;
	mime_skip_cfws(&p, end);
	for (q = p; q < end && !mime_blank(*q) && *q != ';' && *q != '(' &&
	    *q != '='; )
		q++;
	if (q < end && *q == '=')	/* no value: parameters at once */
		q = p;
	*value_r = slice_make(p, (size_t)(q - p));
	params(q, end, max, a, p_r, n_r);
}

static struct slice
type_token(const char **pp, const char *end)
{
	const char *p, *q;

	mime_skip_cfws(pp, end);
	for (p = q = *pp; q < end && *q > 32 && *q < 127 &&
	    strchr("()<>@,;:\\\"/[]?=", *q) == NULL; )
		q++;
	*pp = q;
	return slice_make(p, (size_t)(q - p));
}

int
mime_type_parse(struct slice value, uint32_t max, struct arena *a,
    struct slice *type_r, struct slice *subtype_r, struct mime_param **p_r,
    uint32_t *n_r)
{
	const char *p = value.p, *end = value.p + value.n;

	*type_r = type_token(&p, end);
	*subtype_r = slice_make(NULL, 0);
	mime_skip_cfws(&p, end);
	if (p < end && *p == '/') {
		p++;
		*subtype_r = type_token(&p, end);
	}
	if (type_r->n == 0)
		return -1;
	if (subtype_r->n == 0) {
		/* Half a type.  What isn't text is better not shown as text. */
		if (mime_is(*type_r, "multipart"))
			*subtype_r = SLICE_LIT("mixed");
		else if (mime_is(*type_r, "image") ||
		    mime_is(*type_r, "audio") || mime_is(*type_r, "video") ||
		    mime_is(*type_r, "application")) {
			*type_r = SLICE_LIT("application");
			*subtype_r = SLICE_LIT("octet-stream");
		} else if (mime_is(*type_r, "text"))
			*subtype_r = SLICE_LIT("plain");
		else
			return -1;
	}
	params(p, end, max, a, p_r, n_r);
	return 0;
}

struct slice
mime_param_ext(const struct mime_param *p, struct arena *a)
{
	static const char digits[] = "0123456789ABCDEF";
	struct slice v = p->encoded ? p->value :
	    mime_guess_utf8(a, p->value, NULL);
	char *out;
	size_t n = 7;

	if (!p->encoded && slice_eq(v, p->value)) {
		size_t i = 0;

		while (i < v.n && (unsigned char)v.p[i] < 0x80)
			i++;
		if (i == v.n)
			return v;
	}
	out = arena_alloc(a, n + v.n * 3);
	memcpy(out, "utf-8''", n);
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		/* RFC 2231 7: attribute-char */
		if (c > 32 && c < 127 && strchr("*'%()<>@,;:\\\"/[]?=", c) ==
		    NULL) {
			out[n++] = (char)c;
		} else {
			out[n++] = '%';
			out[n++] = digits[c >> 4];
			out[n++] = digits[c & 15];
		}
	}
	return slice_make(out, n);
}
