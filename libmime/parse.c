/* libmime/parse.c - the structure pass: octets to a tree of parts */
#include "config.h"

#include <assert.h>

#include "libmime/mime-int.h"

enum { CACHED_MAX = 16 * 1024, CACHED_FIELDS = 64 };	/* of mime_msg.cached */
/* For all of a message, so that memory is bounded whatever its size. */
enum { VALUES_MAX = 4 * 1024 * 1024, PARAMS_MAX = 10000 };

struct parser {
	const char *base, *end;
	const char *pos;	/* always at the start of a line */
	uint64_t lines;		/* LF before pos */
	struct mime_limits lim;
	struct arena *a;
	struct mime_msg *msg;
	struct mime_part *last;	/* the newest part */
	uint32_t addrs_left, params_left;
	size_t values_left;	/* octets of fields that are looked into */
	/* The boundaries of the open multiparts, outermost first. */
	struct slice bounds[MIME_DEPTH_MAX + 1];
	unsigned n_bounds;
};

/* The line that ended a part. */
struct hit {
	int level;		/* index in bounds; -1: the end of the message */
	bool close;
	const char *line, *next;
	uint64_t lines;		/* LF before line */
};

static struct mime_limits
limits(const struct mime_limits *l)
{
	struct mime_limits r = { 0 };

	if (l != NULL)
		r = *l;
	if (r.depth == 0)
		r.depth = 50;
	if (r.depth > MIME_DEPTH_MAX - 1)
		r.depth = MIME_DEPTH_MAX - 1;
	if (r.parts == 0)
		r.parts = 10000;
	if (r.fields == 0)
		r.fields = 2000;
	if (r.field_len == 0)
		r.field_len = 256 * 1024;
	if (r.addrs == 0)
		r.addrs = 10000;
	if (r.params == 0)
		r.params = 64;
	return r;
}

/* ---- boundaries -------------------------------------------------------- */

/* The level whose delimiter stands at line ("--" is known), or -1.  RFC 2046
 * 5.1.1: the boundary, maybe "--", maybe blanks, and nothing else. */
static int
bound_match(const struct parser *ps, const char *line, bool *close_r)
{
	size_t left = (size_t)(ps->end - line) - 2;

	for (int i = (int)ps->n_bounds - 1; i >= 0; i--) {
		struct slice b = ps->bounds[i];
		const char *t;

		if (left < b.n || memcmp(line + 2, b.p, b.n) != 0)
			continue;
		t = line + 2 + b.n;
		if (mime_blank_line(t, ps->end)) {
			*close_r = false;
			return i;
		}
		if (ps->end - t >= 2 && t[0] == '-' && t[1] == '-' &&
		    mime_blank_line(t + 2, ps->end)) {
			*close_r = true;
			return i;
		}
	}
	return -1;
}

/* Is the line at p a delimiter?  Then *h tells of it. */
static bool
bound_at(const struct parser *ps, const char *p, uint64_t lines, struct hit *h)
{
	const char *nl;

	if (ps->n_bounds == 0 || ps->end - p < 2 || p[0] != '-' || p[1] != '-' ||
	    (h->level = bound_match(ps, p, &h->close)) < 0)
		return false;
	nl = memchr(p, '\n', (size_t)(ps->end - p));
	h->line = p;
	h->next = nl != NULL ? nl + 1 : ps->end;
	h->lines = lines;
	return true;
}

/* From pos to the next delimiter of any open multipart. */
static struct hit
scan_body(struct parser *ps)
{
	const char *p = ps->pos, *end = ps->end;
	uint64_t lines = ps->lines;
	struct hit h = { .level = -1 };

	while (p < end) {
		const char *nl;

		if (*p == '-' && bound_at(ps, p, lines, &h)) {
			ps->pos = h.next;
			ps->lines = lines + (h.next[-1] == '\n');
			return h;
		}
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL) {
			p = end;
			break;
		}
		lines++;
		p = nl + 1;
	}
	h = (struct hit){ -1, false, end, end, lines };
	ps->pos = end;
	ps->lines = lines;
	return h;
}

/* ---- headers ----------------------------------------------------------- */

struct header {			/* a header while it is read */
	struct mime_part *part;
	struct mime_env_state *env;	/* NULL: of a part, not of a message */
	const char *name, *value;	/* the field being read; NULL: none */
	size_t name_n;
	uint32_t fields;
	const char *odd;	/* lines that are no field began here ... */
	uint64_t odd_lines;	/* ... or NULL */
};

static void
content_field(struct parser *ps, struct mime_part *p, struct slice name,
    struct slice value)
{
	uint32_t max = ps->lim.params, n = p->n_params + p->n_disp_params;

	if (max > ps->params_left)
		max = ps->params_left;
	mime_content_field(p, name, value, max, ps->a);
	n = p->n_params + p->n_disp_params - n;
	ps->params_left -= n < ps->params_left ? n : ps->params_left;
}

/* The field being read ends at end. */
static void
field_end(struct parser *ps, struct header *hd, const char *end)
{
	struct slice name = { hd->name, hd->name_n };
	struct slice v = { hd->value, 0 };

	if (hd->name == NULL)
		return;
	hd->name = NULL;
	if (++hd->fields > ps->lim.fields) {
		ps->msg->limited = true;
		return;
	}
	while (end > v.p && mime_blank(end[-1]))
		end--;
	v.n = (size_t)(end - v.p);
	if (v.n > ps->lim.field_len) {
		ps->msg->limited = true;
		v.n = ps->lim.field_len;
	}
	if (v.n > ps->values_left) {
		ps->msg->limited = true;
		return;
	}
	if (hd->env != NULL && mime_env_field(hd->env, name, v, ps->a)) {
		ps->values_left -= v.n;
	} else if (name.n > 8 && mime_is(slice_make(name.p, 8), "content-")) {
		ps->values_left -= v.n;
		content_field(ps, hd->part, name, v);
	}
}

enum line_kind { LINE_GO_ON, LINE_END_BEFORE, LINE_END_AFTER };

/* One line of a header that is not empty and no delimiter. */
static enum line_kind
header_line(struct parser *ps, struct header *hd, const char *start,
    const char *p, const char *prev)
{
	const char *value;
	bool first = hd->name == NULL && hd->fields == 0;
	size_t n;

	if (mime_wsp(*p)) {
		if (!first)
			return LINE_GO_ON;
		return mime_blank_line(p, ps->end) ? LINE_END_AFTER :
		    LINE_END_BEFORE;
	}
	if ((n = mime_field_line(p, ps->end, &value)) > 0) {
		field_end(ps, hd, p);
		hd->name = p;
		hd->name_n = n;
		hd->value = value;
		hd->odd = NULL;
		return LINE_GO_ON;
	}
	if (first) {
		struct slice rest = { p, (size_t)(ps->end - p) };

		/* mbox leftovers; any other line means that there is none. */
		return p == start && hd->env != NULL &&
		    (slice_starts(rest, SLICE_LIT("From ")) ||
		    slice_starts(rest, SLICE_LIT(">From "))) ?
		    LINE_GO_ON : LINE_END_BEFORE;
	}
	/* After a line of blanks it is the body's first (RFC 7103 7.3). */
	if (prev != NULL && mime_wsp(*prev) && mime_blank_line(prev, ps->end))
		return LINE_END_BEFORE;
	if (hd->odd == NULL) {
		hd->odd = p;
		hd->odd_lines = ps->lines;
	}
	return LINE_GO_ON;
}

/* The header stopped without an empty line, at h or at the end of input. */
static bool
header_cut(struct parser *ps, struct header *hd, bool at_bound, struct hit *h)
{
	if (hd->odd != NULL) {
		/* RFC 7103 7.2: neither an empty line nor another field came,
		 * so the first odd line began the body. */
		field_end(ps, hd, hd->odd);
		ps->pos = hd->odd;
		ps->lines = hd->odd_lines;
		return false;
	}
	field_end(ps, hd, ps->pos);
	if (at_bound) {
		ps->lines = h->lines + (h->next[-1] == '\n');
		ps->pos = h->next;
		return true;
	}
	*h = (struct hit){ -1, false, ps->end, ps->end, ps->lines };
	return true;
}

/*
 * Reads the header at pos.  True: the part ended within it, by *h.  Else pos
 * is where the body begins.
 */
static bool
scan_header(struct parser *ps, struct header *hd, struct hit *h)
{
	const char *start = ps->pos, *prev = NULL;

	while (ps->pos < ps->end) {
		const char *p = ps->pos, *nl, *next;
		enum line_kind k;

		if (*p == '-' && bound_at(ps, p, ps->lines, h))
			return header_cut(ps, hd, true, h);
		nl = memchr(p, '\n', (size_t)(ps->end - p));
		next = nl != NULL ? nl + 1 : ps->end;
		if (nl == p || (nl == p + 1 && *p == '\r'))
			k = LINE_END_AFTER;
		else
			k = header_line(ps, hd, start, p, prev);
		if (k == LINE_END_BEFORE) {
			field_end(ps, hd, p);
			return false;
		}
		ps->pos = next;
		ps->lines += nl != NULL;
		if (k == LINE_END_AFTER) {
			field_end(ps, hd, p);
			return false;
		}
		prev = p;
	}
	return header_cut(ps, hd, false, h);
}

/* ---- parts ------------------------------------------------------------- */

static struct mime_part *
part_new(struct parser *ps, struct mime_part *parent)
{
	struct mime_part *p = arena_alloc(ps->a, sizeof(*p));

	p->parent = parent;
	p->id = ps->msg->n_parts++;
	p->number = 1;
	p->decoded_len = MIME_SIZE_UNKNOWN;
	p->header_off = p->body_off = (uint64_t)(ps->pos - ps->base);
	if (parent != NULL) {
		p->depth = parent->depth + 1;
		p->number = ++parent->n_children;
		if (parent->child == NULL)
			parent->child = p;
		else
			ps->last->next = p;
	}
	return p;
}

/* Sets the ends of p from what ended it. */
static void
part_end(struct parser *ps, struct mime_part *p, uint64_t lines_before,
    const struct hit *h)
{
	const char *body = ps->base + p->body_off, *end = h->line;
	uint64_t lines = h->lines - lines_before;

	/* The line end before a delimiter is the delimiter's. */
	if (h->level >= 0 && end > body && end[-1] == '\n') {
		end--;
		lines--;
		if (end > body && end[-1] == '\r')
			end--;
	}
	p->body_len = (uint64_t)(end - body);
	p->body_lines = lines;
}

static void
opaque(struct parser *ps, struct mime_part *p)
{
	ps->msg->limited = true;
	p->type = SLICE_LIT("application");
	p->subtype = SLICE_LIT("octet-stream");
	p->type_implied = true;
	p->params = NULL;
	p->n_params = 0;
}

/* A multipart in which no part was found shows its body as one text. */
static void
implied_child(struct parser *ps, struct mime_part *p)
{
	struct mime_part *c = part_new(ps, p);

	c->header_off = c->body_off = p->body_off;
	c->body_len = p->body_len;
	c->body_lines = p->body_lines;
	c->encoding = p->encoding;
	c->encoding_name = p->encoding_name;
	mime_content_default(c, false);
}

static struct hit parse_entity(struct parser *ps, struct mime_part *p,
    bool message, bool digest);

static struct hit
parse_multipart(struct parser *ps, struct mime_part *p, struct slice bound)
{
	bool digest = mime_is(p->subtype, "digest");
	int level = (int)ps->n_bounds;
	struct hit h;

	ps->bounds[ps->n_bounds++] = bound;
	h = scan_body(ps);			/* the preamble */
	while (h.level == level && !h.close) {
		struct mime_part *c = part_new(ps, p);

		h = parse_entity(ps, c, false, digest);
		ps->last = c;
	}
	ps->n_bounds = (unsigned)level;
	if (h.level == level)			/* the epilogue */
		h = scan_body(ps);
	return h;
}

/* An encoded message can't be given by offsets.  But base64 has no colon: a
 * message which only claims to be encoded is seen through. */
static bool
message_readable(const struct parser *ps, const struct mime_part *p)
{
	const char *value;

	if (p->encoding == MIME_ENC_BASE64)
		return mime_field_line(ps->pos, ps->end, &value) > 0;
	return p->encoding != MIME_ENC_QP && p->encoding != MIME_ENC_UUENCODE;
}

static struct hit
parse_message(struct parser *ps, struct mime_part *p)
{
	struct mime_part *c;
	struct hit h;

	p->kind = MIME_MESSAGE;
	c = part_new(ps, p);
	h = parse_entity(ps, c, true, false);
	ps->last = c;
	return h;
}

/*
 * The empty line of a header can be the line end that belongs to a delimiter.
 * Then a message inside of p, which has no body, ends before it.
 */
static void
clip(const struct mime_part *p)
{
	uint64_t end = p->body_off + p->body_len;

	if (p->child->body_off <= end)
		return;
	for (struct mime_part *c = p->child; c != NULL; c = c->child) {
		if (c->header_off > end)
			c->header_off = end;
		if (c->header_len > end - c->header_off)
			c->header_len = end - c->header_off;
		c->body_off = c->header_off + c->header_len;
		c->body_len = c->body_lines = 0;
	}
}

/* Reads the body of p by its type. */
static struct hit
parse_body(struct parser *ps, struct mime_part *p)
{
	bool multi = mime_is(p->type, "multipart");
	bool message = mime_part_is(p, "message", "rfc822") ||
	    mime_part_is(p, "message", "global");
	uint64_t lines = ps->lines;
	struct slice bound;
	struct hit h;

	if ((multi || message) && p->depth >= ps->lim.depth) {
		opaque(ps, p);
		multi = message = false;
	}
	if (message && message_readable(ps, p)) {
		h = parse_message(ps, p);
	} else if (multi) {
		p->kind = MIME_MULTIPART;
		bound = mime_param(p->params, p->n_params, "boundary");
		while (bound.n > 0 && mime_blank(bound.p[bound.n - 1]))
			bound.n--;
		h = bound.n > 0 ? parse_multipart(ps, p, bound) : scan_body(ps);
	} else {
		h = scan_body(ps);
	}
	part_end(ps, p, lines, &h);
	if (p->kind == MIME_MESSAGE)
		clip(p);
	if (multi && p->child == NULL)
		implied_child(ps, p);
	return h;
}

/* What a part without a body needs by its type. */
static void
parse_nothing(struct parser *ps, struct mime_part *p)
{
	bool multi = mime_is(p->type, "multipart");
	struct mime_part *c;

	if (!multi && !mime_part_is(p, "message", "rfc822") &&
	    !mime_part_is(p, "message", "global"))
		return;
	if (p->depth >= ps->lim.depth) {
		opaque(ps, p);
	} else if (multi) {
		p->kind = MIME_MULTIPART;
		implied_child(ps, p);
	} else {
		p->kind = MIME_MESSAGE;
		c = part_new(ps, p);
		c->header_off = c->body_off = p->body_off;
		c->env = arena_alloc(ps->a, sizeof(*c->env));
		mime_content_default(c, false);
	}
}

/* All that is left, as one part without a header. */
static struct hit
parse_rest(struct parser *ps, struct mime_part *p)
{
	uint64_t lines = ps->lines;
	struct hit h;

	opaque(ps, p);
	ps->n_bounds = 0;
	h = scan_body(ps);
	part_end(ps, p, lines, &h);
	return h;
}

/*
 * A part at pos: header and body.  message: it is the root of a message and
 * has an envelope.  Returns the delimiter that ended it, pos is behind that.
 */
static struct hit
parse_entity(struct parser *ps, struct mime_part *p, bool message, bool digest)
{
	struct header hd = { .part = p };
	struct mime_env_state es = { .addrs_left = &ps->addrs_left };
	const char *start = ps->pos;
	struct hit h = { .level = -1 };
	bool ended;

	if (message) {
		p->env = es.env = arena_alloc(ps->a, sizeof(*es.env));
		hd.env = &es;
	}
	if (p->id + 1 >= ps->lim.parts && p->parent != NULL)
		return parse_rest(ps, p);
	ended = scan_header(ps, &hd, &h);
	if (message)
		mime_env_finish(&es, ps->a);
	if (p->type.p == NULL)
		mime_content_default(p, digest);
	if (!ended) {
		p->header_len = (uint64_t)(ps->pos - start);
		p->body_off = p->header_off + p->header_len;
		return parse_body(ps, p);
	}
	/* No body.  The line end before a delimiter is the delimiter's. */
	part_end(ps, p, h.lines, &h);
	p->header_len = p->body_len;
	p->body_off = p->header_off + p->header_len;
	p->body_len = p->body_lines = 0;
	parse_nothing(ps, p);
	return h;
}

/* ---- the message ------------------------------------------------------- */

/* Copies the fields which mime_header_cached() names. */
static struct slice
cached_fields(const struct parser *ps, struct slice header)
{
	struct slice f[CACHED_FIELDS];
	struct mime_fields it;
	struct mime_field one;
	size_t n = 0, len = 0;
	char *p, *to;

	mime_fields_init(&it, header);
	while (mime_fields_next(&it, &one) == 1) {
		if (!mime_header_cached(one.name))
			continue;
		if (n == CACHED_FIELDS || len + one.raw.n > CACHED_MAX)
			return slice_make(NULL, 0);
		f[n++] = one.raw;
		len += one.raw.n;
	}
	p = to = arena_alloc(ps->a, len);
	for (size_t i = 0; i < n; i++) {
		memcpy(to, f[i].p, f[i].n);
		to += f[i].n;
	}
	return slice_make(p, len);
}

int
mime_parse(struct slice raw, const struct mime_limits *lim, struct arena *a,
    struct mime_msg **m_r)
{
	struct mime_msg *m = arena_alloc(a, sizeof(*m));
	struct parser parser, *ps = &parser;
	struct mime_bodies b;

	if (raw.p == NULL)
		raw = SLICE_LIT("");
	/* Not zeroed whole: it is big. */
	ps->base = ps->pos = raw.p;
	ps->end = raw.p + raw.n;
	ps->lines = 0;
	ps->last = NULL;
	ps->n_bounds = 0;
	ps->lim = limits(lim);
	ps->addrs_left = ps->lim.addrs;
	ps->params_left = PARAMS_MAX;
	ps->values_left = VALUES_MAX;
	ps->a = a;
	ps->msg = m;
	m->size = raw.n;
	m->root = part_new(ps, NULL);
	parse_entity(ps, m->root, true, false);
	assert(m->root->body_off + m->root->body_len == raw.n);
	m->cached = cached_fields(ps, mime_part_header(m->root, raw));
	mime_bodies(m, a, &b);
	m->has_attachment = mime_has_attachment(&b);
	*m_r = m;
	return 0;
}
