/* imapd/args.c - taking a command's arguments out of the tree */
#include "config.h"

#include "imapd/args.h"
#include "imapd/chars.h"
#include "imapd/language.h"
#include "libbase/text.h"
#include "libbase/utf7.h"

static bool
all(struct slice s, bool (*fn)(char))
{
	for (size_t i = 0; i < s.n; i++)
		if (!fn(s.p[i]))
			return false;
	return s.n > 0;
}

bool
imap_args_expected(struct imap_args *v, const char *what)
{
	if (v->err != NULL)
		return false;
	if (v->next != NULL)
		v->err = arena_printf(v->a,
		    language_text("expected %s at octet %zu"),
		    language_text(what), (size_t)v->next->pos);
	else
		v->err = arena_printf(v->a,
		    language_text("expected %s, not the end"),
		    language_text(what));
	return false;
}

bool
imap_args_end(struct imap_args *v)
{
	if (v->err == NULL && v->next != NULL)
		v->err = arena_printf(v->a,
		    language_text("expected nothing more at octet %zu"),
		    (size_t)v->next->pos);
	return v->err == NULL;
}

bool
imap_args_atom(struct imap_args *v, struct slice *s_r, const char *what)
{
	if (v->next == NULL || v->next->type != IMAP_ARG_ATOM ||
	    !all(v->next->s, imap_is_atom))
		return imap_args_expected(v, what);
	*s_r = v->next->s;
	v->next = v->next->next;
	return true;
}

static bool
is_string(const struct imap_arg *arg)
{
	return arg != NULL && (arg->type == IMAP_ARG_QUOTED ||
	    arg->type == IMAP_ARG_LITERAL);
}

bool
imap_args_string(struct imap_args *v, struct slice *s_r, const char *what)
{
	if (!is_string(v->next))
		return imap_args_expected(v, what);
	*s_r = v->next->s;
	v->next = v->next->next;
	return true;
}

bool
imap_args_astring(struct imap_args *v, struct slice *s_r, const char *what)
{
	if (!is_string(v->next) && (v->next == NULL ||
	    v->next->type != IMAP_ARG_ATOM ||
	    !all(v->next->s, imap_is_astring)))
		return imap_args_expected(v, what);
	*s_r = v->next->s;
	v->next = v->next->next;
	return true;
}

bool
imap_args_nstring(struct imap_args *v, struct slice *s_r, const char *what)
{
	if (v->next != NULL && v->next->type == IMAP_ARG_ATOM &&
	    slice_ieq(v->next->s, SLICE_LIT("NIL"))) {
		*s_r = (struct slice){ NULL, 0 };
		v->next = v->next->next;
		return true;
	}
	return imap_args_string(v, s_r, what);
}

static bool
name_utf8(struct imap_args *v, struct slice raw, struct slice *s_r,
    struct slice *wide_r)
{
	struct slice wide = raw;

	if (!v->utf8 && utf7_decode(raw, false, v->a, &wide) < 0)
		return imap_args_expected(v,
		    "a mailbox name in modified UTF-7");
	for (size_t i = 0; v->utf8 && i < wide.n; i++)
		if ((unsigned char)wide.p[i] < ' ' || wide.p[i] == 0x7f)
			return imap_args_expected(v,
			    "a mailbox name without control characters");
	if (utf8_nfc(wide, v->a, s_r) < 0)
		return imap_args_expected(v, "a mailbox name in UTF-8");
	if (wide_r != NULL)
		*wide_r = wide;
	return true;
}

bool
imap_args_name(struct imap_args *v, struct slice *s_r, struct slice *raw_r)
{
	struct imap_args before = *v;
	struct slice raw;

	if (!imap_args_astring(v, &raw, "a mailbox name"))
		return false;
	if (name_utf8(&before, raw, s_r, raw_r))
		return true;
	v->err = before.err;
	return false;
}

bool
imap_args_mailbox(struct imap_args *v, struct slice *s_r)
{
	return imap_args_name(v, s_r, NULL);
}

/* RFC 9051 6.3.9: a pattern is silently ignored if no name can match it. */
static void
decode_or_ignore(struct imap_args *v, struct slice *s_r)
{
	if (name_utf8(v, v->next->s, s_r, NULL)) {
		if (s_r->p == NULL)
			*s_r = SLICE_LIT("");
		return;
	}
	*s_r = (struct slice){ NULL, 0 };
	v->err = NULL;
}

bool
imap_args_reference(struct imap_args *v, struct slice *s_r)
{
	struct imap_args before = *v;

	if (!imap_args_astring(v, s_r, "a mailbox name"))
		return false;
	decode_or_ignore(&before, s_r);
	return true;
}

bool
imap_args_pattern(struct imap_args *v, struct slice *s_r)
{
	if (!is_string(v->next) && (v->next == NULL ||
	    v->next->type != IMAP_ARG_ATOM ||
	    !all(v->next->s, imap_is_list_char)))
		return imap_args_expected(v, "a mailbox pattern");
	decode_or_ignore(v, s_r);
	v->next = v->next->next;
	return true;
}

bool
imap_args_number(struct imap_args *v, uint32_t *n_r, const char *what)
{
	uint64_t n;

	if (v->next == NULL || v->next->type != IMAP_ARG_ATOM ||
	    slice_uint(v->next->s, UINT32_MAX, &n) < 0)
		return imap_args_expected(v, what);
	*n_r = (uint32_t)n;
	v->next = v->next->next;
	return true;
}

bool
imap_args_number64(struct imap_args *v, uint64_t *n_r, const char *what)
{
	if (v->next == NULL || v->next->type != IMAP_ARG_ATOM ||
	    slice_uint(v->next->s, INT64_MAX, n_r) < 0)
		return imap_args_expected(v, what);
	v->next = v->next->next;
	return true;
}

/* "500" or "-500" */
static bool
partial_end(struct slice s, bool *minus_r, uint32_t *n_r)
{
	uint64_t n;

	*minus_r = s.n > 0 && s.p[0] == '-';
	if (*minus_r)
		s = slice_make(s.p + 1, s.n - 1);
	if (slice_uint(s, UINT32_MAX, &n) < 0 || n == 0)
		return false;
	*n_r = (uint32_t)n;
	return true;
}

bool
imap_args_partial(struct imap_args *v, struct imap_partial *p_r)
{
	struct slice s = v->next != NULL && v->next->type == IMAP_ARG_ATOM ?
	    v->next->s : (struct slice){ NULL, 0 };
	const char *colon = s.n > 0 ? memchr(s.p, ':', s.n) : NULL;
	size_t n = colon ? (size_t)(colon - s.p) : 0;
	bool minus, minus2;

	if (colon == NULL || !partial_end(slice_make(s.p, n), &minus,
	    &p_r->from) || !partial_end(slice_make(colon + 1, s.n - n - 1),
	    &minus2, &p_r->to) || minus != minus2)
		return imap_args_expected(v, "a range like 1:500 or -1:-100");
	if (p_r->from > p_r->to) {
		uint32_t t = p_r->from;

		p_r->from = p_r->to;
		p_r->to = t;
	}
	p_r->given = true;
	p_r->from_end = minus;
	p_r->text = s;
	v->next = v->next->next;
	return true;
}

void
imap_partial_range(const struct imap_partial *p, size_t n, size_t *from_r,
    size_t *to_r)
{
	size_t from = p->from - 1 < n ? p->from - 1 : n;
	size_t to = p->to < n ? p->to : n;

	*from_r = p->from_end ? n - to : from;
	*to_r = p->from_end ? n - from : to;
}

bool
imap_args_list(struct imap_args *v, struct imap_args *in_r, const char *what)
{
	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return imap_args_expected(v, what);
	*in_r = (struct imap_args){ v->next->first, v->a, NULL, v->utf8 };
	v->next = v->next->next;
	return true;
}

bool
imap_args_seqset(struct imap_args *v, uint32_t star, struct seqset *set_r)
{
	if (v->next == NULL || v->next->type != IMAP_ARG_ATOM ||
	    seqset_parse(v->next->s, star, v->a, set_r) < 0)
		return imap_args_expected(v, "a set of numbers");
	v->next = v->next->next;
	return true;
}

bool
imap_args_word(struct imap_args *v, const char *word)
{
	if (v->next == NULL || v->next->type != IMAP_ARG_ATOM ||
	    !slice_ieq(v->next->s, slice_str(word)))
		return false;
	v->next = v->next->next;
	return true;
}
