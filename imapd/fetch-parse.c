/* imapd/fetch-parse.c - what FETCH asks for (RFC 9051 fetch-att) */
#include "config.h"

#include "imapd/fetch.h"

static struct fetch_item *
add(struct imap_args *v, struct fetch_request *q, enum fetch_kind kind)
{
	struct fetch_item *item;

	q->items = arena_grow(v->a, q->items, &q->cap, q->n + 1,
	    sizeof(*q->items));
	item = &q->items[q->n++];
	*item = (struct fetch_item){ .kind = kind, .peek = true };
	if (kind > q->most)
		q->most = kind;
	if (kind == FETCH_FLAGS)
		q->wants_flags = true;
	if (kind == FETCH_MODSEQ)
		q->wants_modseq = true;
	return item;
}

/* ---- sections ---------------------------------------------------------- */

/* "1.2.HEADER" */
static bool
section_spec(struct arena *a, struct slice s, struct fetch_section *sec)
{
	static const struct {
		const char *name;
		enum section_text text;
	} names[] = {
		{ "HEADER", SECTION_HEADER },
		{ "HEADER.FIELDS", SECTION_FIELDS },
		{ "HEADER.FIELDS.NOT", SECTION_FIELDS_NOT },
		{ "TEXT", SECTION_TEXT },
		{ "MIME", SECTION_MIME },
	};
	size_t cap = 0;

	while (s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9') {
		size_t n = 0;
		uint64_t v;

		while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
			n++;
		if (slice_uint(slice_make(s.p, n), UINT32_MAX, &v) < 0 ||
		    v == 0)
			return false;
		sec->path = arena_grow(a, sec->path, &cap, sec->n_path + 1,
		    sizeof(*sec->path));
		sec->path[sec->n_path++] = (uint32_t)v;
		if (n == s.n)
			return true;
		if (s.p[n] != '.')
			return false;
		s = slice_make(s.p + n + 1, s.n - n - 1);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_ieq(s, slice_str(names[i].name))) {
			sec->text = names[i].text;
			return sec->text != SECTION_MIME || sec->n_path > 0;
		}
	return false;
}

bool
fetch_section_url(struct arena *a, struct slice s, struct fetch_section *sec)
{
	const char *sp = s.n > 0 ? memchr(s.p, ' ', s.n) : NULL;
	size_t n = sp ? (size_t)(sp - s.p) : s.n, cap = 0;
	bool fields;

	if (!section_spec(a, slice_make(s.p, n), sec))
		return false;
	fields = sec->text == SECTION_FIELDS ||
	    sec->text == SECTION_FIELDS_NOT;
	if (fields != (sp != NULL))
		return false;
	if (sp == NULL)
		return true;
	s = slice_make(sp + 1, s.n - n - 1);
	if (s.n < 3 || s.p[0] != '(' || s.p[s.n - 1] != ')')
		return false;
	for (size_t i = 1, from = 1; i < s.n; i++) {
		if (s.p[i] != ' ' && i < s.n - 1)
			continue;
		if (i == from)
			return false;
		sec->names = arena_grow(a, sec->names, &cap, sec->n_names + 1,
		    sizeof(*sec->names));
		sec->names[sec->n_names++] = slice_make(s.p + from, i - from);
		from = i + 1;
	}
	return true;
}

static bool
field_names(struct imap_args *v, struct fetch_section *sec)
{
	struct imap_args in;
	size_t cap = 0;

	if (!imap_args_list(v, &in, "a list of header fields"))
		return false;
	do {
		struct slice name;

		if (!imap_args_astring(&in, &name, "a header field")) {
			v->err = in.err;
			return false;
		}
		sec->names = arena_grow(v->a, sec->names, &cap,
		    sec->n_names + 1, sizeof(*sec->names));
		sec->names[sec->n_names++] = name;
	} while (in.next != NULL);
	return true;
}

/* "0.1024" */
static bool
partial(struct slice s, struct fetch_section *sec)
{
	const char *dot = s.n > 0 ? memchr(s.p, '.', s.n) : NULL;
	size_t n = dot ? (size_t)(dot - s.p) : 0;

	sec->partial = true;
	return dot != NULL &&
	    slice_uint(slice_make(s.p, n), INT64_MAX, &sec->from) == 0 &&
	    slice_uint(slice_make(dot + 1, s.n - n - 1), INT64_MAX,
	    &sec->len) == 0 && sec->len > 0;
}

static const struct {
	const char *name, *label;
	enum fetch_kind kind;
	bool peek;
} brackets[] = {
	{ "BODY", "BODY", FETCH_SECTION, false },
	{ "BODY.PEEK", "BODY", FETCH_SECTION, true },
	{ "BINARY", "BINARY", FETCH_BINARY, false },
	{ "BINARY.PEEK", "BINARY", FETCH_BINARY, true },
	{ "BINARY.SIZE", "BINARY.SIZE", FETCH_BINARY_SIZE, true },
};
#define N_BRACKETS (sizeof(brackets) / sizeof(brackets[0]))

static bool
parse_section(struct imap_args *v, struct fetch_request *q)
{
	const struct imap_arg *arg = v->next;
	struct imap_args in = { .next = arg->first, .a = v->a };
	struct fetch_item *item;
	struct slice spec;
	size_t i = 0;

	while (i < N_BRACKETS && !slice_ieq(arg->s, slice_str(brackets[i].name)))
		i++;
	if (i == N_BRACKETS)
		return imap_args_expected(v, "BODY or BINARY");
	item = add(v, q, brackets[i].kind);
	item->peek = brackets[i].peek;
	item->label = brackets[i].label;
	item->bracket = true;
	if (!item->peek)
		q->sets_seen = true;
	if (in.next != NULL) {
		if (!imap_args_atom(&in, &spec, "a section") ||
		    ((!section_spec(v->a, spec, &item->sec) ||
		    (item->kind != FETCH_SECTION &&
		    item->sec.text != SECTION_ALL)) &&
		    (in.next = arg->first,
		    !imap_args_expected(&in, "a section"))) ||
		    ((item->sec.text == SECTION_FIELDS ||
		    item->sec.text == SECTION_FIELDS_NOT) &&
		    !field_names(&in, &item->sec)) ||
		    !imap_args_end(&in)) {
			v->err = in.err;
			return false;
		}
	}
	if (arg->partial.p != NULL && (item->kind == FETCH_BINARY_SIZE ||
	    !partial(arg->partial, &item->sec)))
		return imap_args_expected(v, "a partial range <from.count>");
	v->next = arg->next;
	return true;
}

/* ---- items ------------------------------------------------------------- */

/* PREVIEW (LAZY), RFC 8970 3.1: no preview costs anything here, so that all
 * are sent. */
static bool
preview_lazy(struct imap_args *v)
{
	struct imap_args in;

	if (v->next == NULL || v->next->type != IMAP_ARG_LIST ||
	    v->next->first == NULL ||
	    v->next->first->type != IMAP_ARG_ATOM ||
	    !slice_ieq(v->next->first->s, SLICE_LIT("LAZY")))
		return true;
	imap_args_list(v, &in, "LAZY");
	while (imap_args_word(&in, "LAZY"))
		;
	v->err = in.err;
	if (in.next != NULL)
		return imap_args_expected(v, "LAZY alone");
	return true;
}

static bool
parse_word(struct imap_args *v, struct fetch_request *q)
{
	static const struct {
		const char *word;
		enum fetch_kind kind;
		enum section_text text;
		bool seen;
	} items[] = {
		{ "UID", FETCH_UID, SECTION_ALL, false },
		{ "FLAGS", FETCH_FLAGS, SECTION_ALL, false },
		{ "MODSEQ", FETCH_MODSEQ, SECTION_ALL, false },
		{ "INTERNALDATE", FETCH_INTERNALDATE, SECTION_ALL, false },
		{ "RFC822.SIZE", FETCH_SIZE, SECTION_ALL, false },
		{ "SAVEDATE", FETCH_SAVEDATE, SECTION_ALL, false },
		{ "EMAILID", FETCH_EMAILID, SECTION_ALL, false },
		{ "THREADID", FETCH_THREADID, SECTION_ALL, false },
		{ "ENVELOPE", FETCH_ENVELOPE, SECTION_ALL, false },
		{ "BODY", FETCH_BODY, SECTION_ALL, false },
		{ "BODYSTRUCTURE", FETCH_BODYSTRUCTURE, SECTION_ALL, false },
		{ "PREVIEW", FETCH_PREVIEW, SECTION_ALL, false },
		{ "RFC822", FETCH_SECTION, SECTION_ALL, true },
		{ "RFC822.HEADER", FETCH_SECTION, SECTION_HEADER, false },
		{ "RFC822.TEXT", FETCH_SECTION, SECTION_TEXT, true },
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (imap_args_word(v, items[i].word)) {
			struct fetch_item *item = add(v, q, items[i].kind);

			item->sec.text = items[i].text;
			if (items[i].kind == FETCH_SECTION) {
				item->label = items[i].word;
				item->peek = !items[i].seen;
				q->sets_seen = q->sets_seen || items[i].seen;
			}
			return items[i].kind != FETCH_PREVIEW ||
			    preview_lazy(v);
		}
	return imap_args_expected(v, "a data item");
}

/* RFC 5257 4.2 */
static bool
parse_annotation(struct imap_args *v, struct fetch_request *q)
{
	struct annotate_want *w = arena_calloc(v->a, 1, sizeof(*w));

	add(v, q, FETCH_ANNOTATION)->annotations = w;
	return annotate_want_parse(v, w);
}

static bool
parse_item(struct imap_args *v, struct fetch_request *q)
{
	if (imap_args_word(v, "ANNOTATION"))
		return parse_annotation(v, q);
	if (v->next != NULL && v->next->type == IMAP_ARG_SECTION)
		return parse_section(v, q);
	return parse_word(v, q);
}

static bool
parse_macro(struct imap_args *v, struct fetch_request *q)
{
	static const char *const words[] = { "FAST", "ALL", "FULL" };

	for (size_t i = 0; i < 3; i++) {
		if (!imap_args_word(v, words[i]))
			continue;
		add(v, q, FETCH_FLAGS);
		add(v, q, FETCH_INTERNALDATE);
		add(v, q, FETCH_SIZE);
		if (i > 0)
			add(v, q, FETCH_ENVELOPE);
		if (i > 1)
			add(v, q, FETCH_BODY);
		return true;
	}
	return false;
}

bool
fetch_parse_list(struct imap_args *in, struct fetch_request *q_r)
{
	do {
		if (!parse_item(in, q_r))
			return false;
	} while (in->next != NULL);
	return true;
}

static bool
parse_items(struct imap_args *v, struct fetch_request *q)
{
	struct imap_args in;

	if (parse_macro(v, q))
		return true;
	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return parse_item(v, q);
	imap_args_list(v, &in, "data items");
	if (!fetch_parse_list(&in, q)) {
		v->err = in.err;
		return false;
	}
	return true;
}

/* fetch-modifiers of RFC 4466 2.4 */
static bool
parse_modifiers(struct imap_args *v, struct fetch_request *q)
{
	struct imap_args in;

	if (v->next == NULL)
		return true;
	if (!imap_args_list(v, &in, "modifiers"))
		return false;
	do {
		if (imap_args_word(&in, "CHANGEDSINCE")) {
			q->changed = true;
			imap_args_number64(&in, &q->since, "a mod-sequence");
		} else if (imap_args_word(&in, "VANISHED"))
			q->vanished = true;
		else if (!q->partial.given && imap_args_word(&in, "PARTIAL"))
			imap_args_partial(&in, &q->partial);
		else
			imap_args_expected(&in,
			    "CHANGEDSINCE, VANISHED or PARTIAL");
	} while (in.err == NULL && in.next != NULL);
	if (in.err == NULL && q->vanished && !q->changed)
		in.err = "VANISHED needs CHANGEDSINCE";
	v->err = in.err;
	return in.err == NULL;
}

void
fetch_want(struct arena *a, struct fetch_request *q, enum fetch_kind kind)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->items[i].kind == kind)
			return;
	q->items = arena_grow(a, q->items, &q->cap, q->n + 1,
	    sizeof(*q->items));
	memmove(q->items + 1, q->items, q->n * sizeof(*q->items));
	q->items[0] = (struct fetch_item){ .kind = kind, .peek = true };
	q->n++;
	if (kind > q->most)
		q->most = kind;
	if (kind == FETCH_MODSEQ)
		q->wants_modseq = true;
}

bool
fetch_parse(struct imap_args *v, struct fetch_request *q_r)
{
	return parse_items(v, q_r) && parse_modifiers(v, q_r) &&
	    imap_args_end(v);
}
