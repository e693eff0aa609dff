/* jmap-fcgi/email-header.c - header fields and their forms (RFC 8621 4.1.2) */
#include "config.h"

#include "jmap-fcgi/email.h"
#include "libbase/text.h"

enum { ADDRS_MAX = 10000, IDS_MAX = 10000, VALUES_MAX = 10000 };

static const struct {
	const char *name;
	enum header_form form;
} forms[] = {
	{ "Raw", FORM_RAW }, { "Text", FORM_TEXT },
	{ "Addresses", FORM_ADDRESSES },
	{ "GroupedAddresses", FORM_GROUPED }, { "MessageIds", FORM_IDS },
	{ "Date", FORM_DATE }, { "URLs", FORM_URLS },
};

/* The fields of RFC 5322 and 2369, and the forms that they may have. */
#define T (1u << FORM_TEXT)
#define A (1u << FORM_ADDRESSES | 1u << FORM_GROUPED)
#define I (1u << FORM_IDS)
#define D (1u << FORM_DATE)
#define U (1u << FORM_URLS)
static const struct {
	const char *name;
	unsigned forms;
} fields[] = {
	{ "Subject", T }, { "Comments", T }, { "Keywords", T },
	{ "From", A }, { "Sender", A }, { "Reply-To", A }, { "To", A },
	{ "Cc", A }, { "Bcc", A }, { "Resent-From", A },
	{ "Resent-Sender", A }, { "Resent-Reply-To", A }, { "Resent-To", A },
	{ "Resent-Cc", A }, { "Resent-Bcc", A },
	{ "Message-ID", I }, { "In-Reply-To", I }, { "References", I },
	{ "Resent-Message-ID", I }, { "Date", D }, { "Resent-Date", D },
	{ "List-Help", U }, { "List-Unsubscribe", U },
	{ "List-Subscribe", U }, { "List-Post", U }, { "List-Owner", U },
	{ "List-Archive", U }, { "Return-Path", 0 }, { "Received", 0 },
};
#undef T
#undef A
#undef I
#undef D
#undef U

static bool
form_allowed(struct slice field, enum header_form form)
{
	if (form == FORM_RAW)
		return true;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (slice_ieq(field, slice_str(fields[i].name)))
			return (fields[i].forms & 1u << form) != 0;
	return true;
}

static bool
take_suffix(struct slice *s, struct slice suffix)
{
	if (s->n < suffix.n || memcmp(s->p + s->n - suffix.n, suffix.p,
	    suffix.n) != 0)
		return false;
	s->n -= suffix.n;
	return true;
}

static int
parse_form(struct slice *s, enum header_form *form_r)
{
	const char *as = memchr(s->p, ':', s->n);
	struct slice name;

	*form_r = FORM_RAW;
	if (as == NULL)
		return 0;
	name = slice_make(as + 1, s->n - (size_t)(as - s->p) - 1);
	s->n = (size_t)(as - s->p);
	if (!slice_starts(name, SLICE_LIT("as")))
		return -1;
	name = slice_make(name.p + 2, name.n - 2);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!slice_eq(name, slice_str(forms[i].name)))
			continue;
		*form_r = forms[i].form;
		return 0;
	}
	return -1;
}

int
header_prop_parse(struct slice name, struct header_prop *h_r,
    const char **desc_r)
{
	static const struct slice prefix = { "header:", 7 };

	*desc_r = NULL;
	if (!slice_starts(name, prefix))
		return -1;
	name = slice_make(name.p + prefix.n, name.n - prefix.n);
	h_r->all = take_suffix(&name, SLICE_LIT(":all"));
	if (parse_form(&name, &h_r->form) < 0) {
		*desc_r = "no such header form";
		return -1;
	}
	if (name.n == 0 || name.n >= sizeof(h_r->field)) {
		*desc_r = "not a header field name";
		return -1;
	}
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 33 || name.p[i] > 126) {
			*desc_r = "not a header field name";
			return -1;
		}
	if (!form_allowed(name, h_r->form)) {
		*desc_r = "this form is not allowed for this header field";
		return -1;
	}
	memcpy(h_r->field, name.p, name.n);
	h_r->field[name.n] = '\0';
	return 0;
}

/* ---- the forms --------------------------------------------------------- */

/* RFC 8621 4.1.2.1: NUL is dropped, what is not UTF-8 is replaced. */
static json_t *
raw_value(struct arena *a, struct slice v)
{
	char *p;
	size_t n = 0;

	if (v.n == 0 || memchr(v.p, '\0', v.n) == NULL)
		return js_str(v);
	p = arena_alloc(a, v.n);
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != '\0')
			p[n++] = v.p[i];
	return js_str(slice_make(p, n));
}

static json_t *
display_name(struct arena *a, struct slice name)
{
	if (name.p != NULL)
		name = mime_text(a, name);
	return name.n > 0 ? js_str(name) : json_null();
}

static json_t *
address(struct arena *a, const struct mime_addr *ad)
{
	json_t *o = json_object();

	js_put(o, "name", display_name(a, ad->name));
	js_put(o, "email", js_str(mime_addr_email(ad, a)));
	return o;
}

json_t *
header_addresses(struct arena *a, const struct mime_addr *ad, uint32_t n)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < n; i++)
		if (ad[i].kind == MIME_ADDR)
			json_array_append_new(list, address(a, &ad[i]));
	return list;
}

static json_t *
new_group(json_t *list, json_t *name)
{
	json_t *g = json_object(), *members = json_array();

	js_put(g, "name", name);
	js_put(g, "addresses", members);
	json_array_append_new(list, g);
	return members;
}

static json_t *
grouped(struct arena *a, const struct mime_addrs *l)
{
	json_t *list = json_array(), *members = NULL;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct mime_addr *ad = &l->a[i];

		switch (ad->kind) {
		case MIME_ADDR_GROUP:
			members = new_group(list, display_name(a, ad->name));
			break;
		case MIME_ADDR_GROUP_END:
			members = NULL;
			break;
		case MIME_ADDR:
			if (members == NULL)
				members = new_group(list, json_null());
			json_array_append_new(members, address(a, ad));
			break;
		}
	}
	return list;
}

static json_t *
message_ids(struct arena *a, struct slice v)
{
	struct slice *ids;
	uint32_t n;
	json_t *list;

	mime_msgids_parse(v, IDS_MAX, a, &ids, &n);
	if (n == 0)
		return json_null();
	list = json_array();
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, js_str(ids[i]));
	return list;
}

json_t *
header_date(const struct mime_date *d)
{
	struct buf b;
	json_t *v;
	int off = d->offset_min;

	if (!d->ok)
		return json_null();
	buf_init(&b, 64);
	if (time_rfc3339(&b, d->t + (int64_t)off * 60) < 0 || b.n == 0) {
		buf_release(&b);
		return json_null();
	}
	if (off != 0) {		/* in place of the Z */
		b.n--;
		buf_printf(&b, "%c%02d:%02d", off < 0 ? '-' : '+',
		    (off < 0 ? -off : off) / 60, (off < 0 ? -off : off) % 60);
	}
	v = js_str(buf_slice(&b));
	buf_release(&b);
	return v;
}

/* Past blanks and comments; -1 in an open comment. */
static int
skip_cfws(struct slice v, size_t *i)
{
	int depth = 0;

	for (; *i < v.n; (*i)++) {
		char c = v.p[*i];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '\\' && depth > 0)
			(*i)++;
		else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' &&
		    c != '\n')
			break;
	}
	return depth == 0 ? 0 : -1;
}

/* RFC 2369 section 2: a list of <URL>, blanks in it do not count.  Some leave
 * out the commas. */
static json_t *
urls(struct arena *a, struct slice v)
{
	json_t *list = json_array();
	size_t i = 0;

	for (;;) {
		char *url;
		size_t n = 0;

		if (skip_cfws(v, &i) < 0 || i >= v.n || v.p[i] != '<')
			break;
		url = arena_alloc(a, v.n - i);
		for (i++; i < v.n && v.p[i] != '>'; i++)
			if (strchr(" \t\r\n", v.p[i]) == NULL)
				url[n++] = v.p[i];
		if (i++ >= v.n || n == 0)
			break;
		json_array_append_new(list, js_str(slice_make(url, n)));
		if (skip_cfws(v, &i) < 0)
			break;
		if (i >= v.n)
			return list;
		if (v.p[i] == ',')
			i++;
		if (json_array_size(list) >= IDS_MAX)
			break;
	}
	json_decref(list);
	return json_null();
}

json_t *
header_value(struct arena *a, enum header_form form, struct slice value)
{
	struct mime_addrs l;
	struct mime_date d;

	memset(&l, 0, sizeof(l));
	switch (form) {
	case FORM_RAW:
		break;
	case FORM_TEXT:
		return js_str(mime_text(a, value));
	case FORM_ADDRESSES:
		mime_addrs_parse(value, ADDRS_MAX, a, &l);
		return header_addresses(a, l.a, l.n);
	case FORM_GROUPED:
		mime_addrs_parse(value, ADDRS_MAX, a, &l);
		return grouped(a, &l);
	case FORM_IDS:
		return message_ids(a, value);
	case FORM_DATE:
		d = mime_date_parse(value);
		return header_date(&d);
	case FORM_URLS:
		return urls(a, mime_unfold(a, value));
	}
	return raw_value(a, value);
}

json_t *
header_prop_get(struct arena *a, const struct header_prop *h,
    struct slice header)
{
	struct mime_fields it;
	struct mime_field f;
	json_t *list;

	if (!h->all) {
		if (mime_field_find(header, h->field, -1, &f) != 1)
			return json_null();
		return header_value(a, h->form, f.value);
	}
	list = json_array();
	mime_fields_init(&it, header);
	while (mime_fields_next(&it, &f) == 1 &&
	    json_array_size(list) < VALUES_MAX)
		if (slice_ieq(f.name, slice_str(h->field)))
			json_array_append_new(list,
			    header_value(a, h->form, f.value));
	return list;
}

json_t *
header_list(struct arena *a, struct slice header)
{
	struct mime_fields it;
	struct mime_field f;
	json_t *list = json_array(), *o;

	mime_fields_init(&it, header);
	while (mime_fields_next(&it, &f) == 1 &&
	    json_array_size(list) < VALUES_MAX) {
		o = json_object();
		js_put(o, "name", js_str(f.name));
		js_put(o, "value", raw_value(a, f.value));
		json_array_append_new(list, o);
	}
	return list;
}
