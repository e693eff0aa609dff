/* libmime/addr.c - address lists, as they are and as they should be */
#include "config.h"

#include "libmime/mime-int.h"

enum { COMMENT_DEPTH = 50, LITERAL_MAX = 80, WORD_MAX = 4096, TRIES = 4 };

enum tok {
	T_BLANK,	/* white space, and what is to be read as such */
	T_COMMENT, T_QUOTED, T_WORD,
	T_CHAR		/* one of , ; : < > @ */
};

struct reader {
	const char *begin, *end;
	const char *last_semi;	/* the last ';' there is, or NULL */
	/* Searches for an end that isn't there are costly: so many are made. */
	unsigned tries;
	struct arena *a;
};

/* One element of the list, between commas. */
struct elem {
	const char *begin, *end;
	const char *at;		/* the last '@' outside of <> */
	const char *local;	/* where the word(s) before that began */
	const char *angle, *angle_end;	/* inside of <>; NULL: there is none */
	struct slice comment, after;	/* before and behind the address */
	bool domain;		/* something came behind at */
	bool group;		/* ended by a colon */
};

/* ---- tokens ------------------------------------------------------------ */

/* Behind the comment at p, or NULL if it has no end. */
static const char *
comment_end(struct reader *r, const char *p)
{
	unsigned depth = 0;

	if (r->tries == 0)
		return NULL;
	for (; p < r->end; p++) {
		if (*p == '\\' && r->end - p > 1)
			p++;
		else if (*p == '(' && depth < COMMENT_DEPTH)
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
	}
	r->tries--;
	return NULL;
}

static const char *
quoted_end(struct reader *r, const char *p)
{
	if (r->tries == 0)
		return NULL;
	for (p++; p < r->end; p++) {
		if (*p == '\\' && r->end - p > 1)
			p++;
		else if (*p == '"')
			return p + 1;
	}
	r->tries--;
	return NULL;
}

/* "[...]", so that an IPv6 literal's colons make no group. */
static const char *
literal_end(const struct reader *r, const char *p)
{
	size_t n = (size_t)(r->end - p);
	const char *q = memchr(p, ']', n < LITERAL_MAX ? n : LITERAL_MAX);

	return q != NULL ? q + 1 : p + 1;
}

/* An encoded word is one word, whatever specials are in it. */
static const char *
encoded_end(const struct reader *r, const char *p)
{
	const char *end = r->end - p > WORD_MAX ? p + WORD_MAX : r->end;
	unsigned marks = 0;

	for (p += 2; p < end && *p > 32; p++) {
		if (*p != '?' || ++marks < 3)
			continue;
		return end - p > 1 && p[1] == '=' ? p + 2 : NULL;
	}
	return NULL;
}

static bool
special(char c)
{
	return c == ',' || c == ';' || c == ':' || c == '<' || c == '>' ||
	    c == '@';
}

static bool
word_char(char c)
{
	return !mime_blank(c) && !special(c) && c != '\0' && c != '(' &&
	    c != '"' && c != '[' && c != '\\';
}

/* The token at p (< end): its kind, and where it ends. */
static const char *
token(struct reader *r, const char *p, enum tok *k)
{
	const char *q = NULL;

	if (mime_blank(*p) || *p == '\0') {
		while (p < r->end && (mime_blank(*p) || *p == '\0'))
			p++;
		*k = T_BLANK;
		return p;
	}
	if (*p == '(' || *p == '"') {
		bool comment = *p == '(';

		q = comment ? comment_end(r, p) : quoted_end(r, p);
		/* Unbalanced ones are not there (RFC 7103 7.1.4, 7.1.6). */
		*k = q == NULL ? T_BLANK : comment ? T_COMMENT : T_QUOTED;
		return q != NULL ? q : p + 1;
	}
	*k = T_CHAR;
	if (special(*p))
		return p + 1;
	*k = T_WORD;
	if (*p == '[')
		return literal_end(r, p);
	if (*p == '\\')
		return r->end - p > 1 ? p + 2 : p + 1;
	if (*p == '=' && r->end - p > 1 && p[1] == '?' &&
	    (q = encoded_end(r, p)) != NULL)
		return q;
	for (q = p + 1; q < r->end && word_char(*q); )
		q++;
	return q;
}

/* ---- texts ------------------------------------------------------------- */

/* Appends the inside of a quoted string or comment. */
static size_t
unquote(char *out, const char *p, const char *end)
{
	size_t n = 0;

	for (; p < end; p++) {
		if (*p == '\r' || *p == '\n' || *p == '\0')
			continue;
		if (*p == '\\' && end - p > 1)
			p++;
		if (*p != '\0' && *p != '\r' && *p != '\n')
			out[n++] = *p;
	}
	return n;
}

static struct slice
unquoted(struct reader *r, const char *p, const char *end)
{
	char *out;

	for (const char *q = p; q < end; q++) {
		if (*q != '\\' && *q != '\r' && *q != '\n' && *q != '\0')
			continue;
		out = arena_alloc(r->a, (size_t)(end - p));
		return slice_trim(slice_make(out, unquote(out, p, end)));
	}
	return slice_trim(slice_make(p, (size_t)(end - p)));
}

/* Is the text its own value: words with single spaces, nothing else? */
static bool
plain(const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p == '"' || *p == '(' || *p == '\\' || *p == '\0' ||
		    *p == '>' || *p == '\r' || *p == '\n' || *p == '\t')
			return false;
		if (*p == ' ' && end - p > 1 && p[1] == ' ')
			return false;
	}
	return true;
}

/*
 * The tokens from p to end as one text: without comments and quotes, blanks
 * as sep (0: none).
 */
static struct slice
joined(struct reader *r, const char *p, const char *end, char sep)
{
	struct slice s = slice_trim(slice_make(p, (size_t)(end - p)));
	struct reader part = *r;
	char *out;
	size_t n = 0;
	bool gap = false;

	if (s.n == 0)
		return SLICE_LIT("");
	part.begin = p = s.p;
	part.end = end = s.p + s.n;
	part.tries = TRIES;
	if (plain(p, end) && (sep != 0 || memchr(p, ' ', s.n) == NULL))
		return s;
	if (*p == '"' && quoted_end(&part, p) == end)
		return unquoted(r, p + 1, end - 1);
	out = arena_alloc(r->a, s.n + 1);
	while (p < end) {
		enum tok k;
		const char *q = token(&part, p, &k);

		if (k == T_BLANK || k == T_COMMENT) {
			gap = n > 0;
		} else if (k != T_CHAR || *p != '>') {	/* one too many */
			if (gap && sep != 0)
				out[n++] = sep;
			gap = false;
			if (k == T_QUOTED)
				n += unquote(out + n, p + 1, q - 1);
			else
				n += unquote(out + n, p, q);
		}
		p = q;
	}
	return slice_trim(slice_make(out, n));
}

/* ---- elements ---------------------------------------------------------- */

static void
add(struct reader *r, struct mime_addrs *l, uint32_t max,
    const struct mime_addr *ad)
{
	if (l->n - l->last >= max)
		return;
	l->a = arena_grow(r->a, l->a, &l->cap, (size_t)l->n + 1, sizeof(*l->a));
	l->a[l->n++] = *ad;
}

/* The inside of "<...>" at p (behind '<'); *next_r: behind it. */
static void
read_angle(struct reader *r, const char *p, struct elem *e,
    const char **next_r)
{
	bool route;

	while (p < r->end && (*p == '<' || mime_blank(*p)))
		p++;			/* RFC 7103 7.1.2 */
	/* The commas of "<@a,@b:c@d>" are the route's. */
	route = p < r->end && *p == '@';
	e->angle = p;
	while (p < r->end) {
		enum tok k;
		const char *q;

		if (*p == '>' || *p == ';' || (*p == ',' && !route))
			break;		/* RFC 7103 7.1.3, 7.1.5 */
		if (*p == '<')		/* the last one was none */
			e->angle = p + 1;
		if (*p == ':')
			route = false;
		q = token(r, p, &k);
		p = q;
	}
	e->angle_end = p;
	while (p < r->end && *p == '>')
		p++;
	*next_r = p;
}

static void
read_comment(struct reader *r, struct elem *e, const char *p, const char *q)
{
	struct slice *to = e->domain || e->angle != NULL ? &e->after :
	    &e->comment;

	if (to->n == 0)
		*to = unquoted(r, p + 1, q - 1);
}

/* Does the word at p go on with the one that ended at prev_end ("a . b")? */
static bool
goes_on(const char *p, const char *prev_end, bool gap)
{
	return prev_end != NULL &&
	    (!gap || *p == '.' || prev_end[-1] == '.');
}

/* Reads up to the next separator; returns where that is (or the end). */
static const char *
read_elem(struct reader *r, const char *p, struct elem *e)
{
	const char *prev_end = NULL, *word = NULL, *q;
	bool gap = false;
	enum tok k;

	*e = (struct elem){ .begin = p };
	for (; p < r->end; p = q) {
		q = token(r, p, &k);
		if (k == T_BLANK || k == T_COMMENT) {
			if (k == T_COMMENT)
				read_comment(r, e, p, q);
			gap = true;
			continue;
		}
		if (k == T_CHAR) {
			if (*p == ',' || *p == ';')
				break;
			if (*p == ':' && e->at == NULL && e->angle == NULL &&
			    r->last_semi != NULL && p < r->last_semi) {
				e->group = true;
				break;
			}
			if (*p == '<' && e->angle == NULL) {
				e->end = p;
				read_angle(r, q, e, &q);
			} else if (*p == '@' && e->angle == NULL) {
				e->at = p;
				e->local = word;
				gap = false;
			}
			continue;
		}
		e->domain = e->at != NULL;
		if (!goes_on(p, prev_end, gap))
			word = p;
		prev_end = q;
		gap = false;
	}
	if (e->end == NULL)
		e->end = p;
	return p;
}

/* "local@domain" between p and end, maybe with a route before. */
static void
addr_spec(struct reader *r, const char *p, const char *end,
    struct mime_addr *ad)
{
	struct reader part = *r;
	const char *at = NULL, *colon = NULL, *q;
	enum tok k;

	part.end = end;
	part.tries = TRIES;
	while (p < end && mime_blank(*p))
		p++;
	for (q = p; q < end; ) {
		const char *next = token(&part, q, &k);

		if (k == T_CHAR && *q == '@')
			at = q;
		else if (k == T_CHAR && *q == ':' && *p == '@' && colon == NULL)
			colon = q;
		q = next;
	}
	if (colon != NULL) {
		ad->route = joined(r, p, colon, 0);
		p = colon + 1;
	}
	if (at == NULL || at < p) {
		ad->mailbox = joined(r, p, end, ' ');
		ad->domain = SLICE_LIT("");
		return;
	}
	ad->mailbox = joined(r, p, at, 0);
	ad->domain = joined(r, at + 1, end, 0);
}

/* An element without "<>". */
static void
bare(struct reader *r, const struct elem *e, struct mime_addr *ad)
{
	if (e->at == NULL) {
		struct slice s = joined(r, e->begin, e->end, ' ');

		/* One word is somebody here (RFC 7103 7.1.7), several are a
		 * name without an address. */
		ad->mailbox = ad->domain = SLICE_LIT("");
		if (memchr(s.p, ' ', s.n) == NULL)
			ad->mailbox = s;
		else
			ad->name = s;
		return;
	}
	addr_spec(r, e->local != NULL ? e->local : e->begin, e->end, ad);
	if (e->local != NULL && e->local > e->begin)
		ad->name = joined(r, e->begin, e->local, ' ');
}

static void
take_elem(struct reader *r, const struct elem *e, uint32_t max,
    struct mime_addrs *l)
{
	struct mime_addr ad = { .kind = MIME_ADDR };

	if (e->angle != NULL) {
		addr_spec(r, e->angle, e->angle_end, &ad);
		ad.name = joined(r, e->begin, e->end, ' ');
	} else {
		bare(r, e, &ad);
	}
	if (ad.name.n == 0)
		ad.name = e->after.n > 0 ? e->after : e->comment;
	if (ad.name.n == 0)
		ad.name = slice_make(NULL, 0);
	/* "(nobody)", ", ,": nothing */
	if (e->angle == NULL && ad.mailbox.n == 0 && ad.domain.n == 0 &&
	    (ad.name.n == 0 || joined(r, e->begin, e->end, ' ').n == 0))
		return;
	add(r, l, max, &ad);
}

void
mime_addrs_append(struct slice value, uint32_t max, struct arena *a,
    struct mime_addrs *l)
{
	struct reader r = { NULL, NULL, NULL, TRIES, a };
	struct mime_addr end = { .kind = MIME_ADDR_GROUP_END };
	const char *p;
	bool in_group = false;
	struct elem e;

	l->present = true;
	l->last = l->n;
	if (value.n == 0)
		return;
	r.begin = p = value.p;
	r.end = value.p + value.n;
	r.last_semi = memrchr(value.p, ';', value.n);
	while (p < r.end && l->n - l->last < max) {
		p = read_elem(&r, p, &e);
		if (e.group) {
			struct mime_addr g = { .kind = MIME_ADDR_GROUP };

			if (in_group)
				add(&r, l, max, &end);
			g.name = joined(&r, e.begin, p, ' ');
			/* Its end must fit too. */
			if (l->n - l->last + 2 > max)
				return;
			add(&r, l, max, &g);
			in_group = true;
		} else {
			take_elem(&r, &e, max - in_group, l);
			if (in_group && p < r.end && *p == ';') {
				add(&r, l, max, &end);
				in_group = false;
			}
		}
		p += p < r.end;
	}
	if (in_group)
		add(&r, l, max, &end);
}

void
mime_addrs_parse(struct slice value, uint32_t max, struct arena *a,
    struct mime_addrs *l_r)
{
	*l_r = (struct mime_addrs){ 0 };
	mime_addrs_append(value, max, a, l_r);
}

/* RFC 5322 3.2.3 dot-atom-text, with RFC 6532's UTF-8. */
static bool
dot_atom(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 32 || c == 127 || memchr("()<>[]:;@\\,\"", c, 12))
			return false;
		if (c == '.' && (i == 0 || i + 1 == s.n || s.p[i + 1] == '.'))
			return false;
	}
	return s.n > 0;
}

struct slice
mime_addr_email(const struct mime_addr *ad, struct arena *a)
{
	size_t n = 0;
	char *p;

	if (ad->domain.n == 0 && (ad->mailbox.n == 0 || dot_atom(ad->mailbox)))
		return ad->mailbox.n > 0 ? ad->mailbox : SLICE_LIT("");
	p = arena_alloc(a, ad->mailbox.n * 2 + ad->domain.n + 3);
	if (dot_atom(ad->mailbox)) {
		memcpy(p, ad->mailbox.p, n = ad->mailbox.n);
	} else {
		p[n++] = '"';
		for (size_t i = 0; i < ad->mailbox.n; i++) {
			char c = ad->mailbox.p[i];

			if (c == '"' || c == '\\')
				p[n++] = '\\';
			p[n++] = c;
		}
		p[n++] = '"';
	}
	if (ad->domain.n > 0) {
		p[n++] = '@';
		memcpy(p + n, ad->domain.p, ad->domain.n);
		n += ad->domain.n;
	}
	return slice_make(p, n);
}
