/* libmime/content.c - the Content-* fields of a part */
#include "config.h"

#include "libmime/mime-int.h"

enum { LANGUAGES_MAX = 32 };

enum mime_encoding
mime_encoding_from(struct slice name)
{
	static const struct {
		const char *name;
		enum mime_encoding enc;
	} t[] = {
		{ "7bit", MIME_ENC_7BIT }, { "8bit", MIME_ENC_8BIT },
		{ "binary", MIME_ENC_BINARY }, { "base64", MIME_ENC_BASE64 },
		{ "quoted-printable", MIME_ENC_QP },
		{ "x-uuencode", MIME_ENC_UUENCODE },
		{ "x-uue", MIME_ENC_UUENCODE }, { "uuencode", MIME_ENC_UUENCODE },
		/* seen in the wild */
		{ "7-bit", MIME_ENC_7BIT }, { "8-bit", MIME_ENC_8BIT },
		{ "us-ascii", MIME_ENC_7BIT }, { "ascii", MIME_ENC_7BIT },
		{ "utf-8", MIME_ENC_8BIT }, { "none", MIME_ENC_8BIT },
		{ "base-64", MIME_ENC_BASE64 }, { "", MIME_ENC_7BIT }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (mime_is(name, t[i].name))
			return t[i].enc;
	return MIME_ENC_UNKNOWN;
}

/* The first token of a value, without comments. */
static struct slice
first_token(struct slice v)
{
	const char *p = v.p, *end = v.p + v.n, *q;

	mime_skip_cfws(&p, end);
	if (p < end && *p == '"') {		/* seen: "base64" */
		q = ++p;
		while (q < end && *q != '"')
			q++;
		return slice_make(p, (size_t)(q - p));
	}
	for (q = p; q < end && !mime_blank(*q) && *q != ';' && *q != '('; )
		q++;
	return slice_make(p, (size_t)(q - p));
}

static void
take_type(struct mime_part *p, struct slice v, uint32_t max, struct arena *a)
{
	if (p->type.p != NULL ||
	    mime_type_parse(v, max, a, &p->type, &p->subtype, &p->params,
	    &p->n_params) == 0)
		return;
	p->type = p->subtype = slice_make(NULL, 0);
}

static void
take_disposition(struct mime_part *p, struct slice v, uint32_t max,
    struct arena *a)
{
	struct slice value;

	if (p->disposition.p != NULL)
		return;
	mime_params_parse(v, max, a, &value, &p->disp_params,
	    &p->n_disp_params);
	/* RFC 2183 2.8: an unusable one is as an attachment. */
	p->disposition = value.n > 0 ? value : SLICE_LIT("attachment");
}

/* RFC 3282: tags with commas and comments between. */
static void
take_languages(struct mime_part *p, struct slice v, struct arena *a)
{
	const char *s = v.p, *end = v.p + v.n, *q;
	size_t cap = 0;

	if (p->languages != NULL)
		return;
	while (p->n_languages < LANGUAGES_MAX) {
		mime_skip_cfws(&s, end);
		if (s == end)
			break;
		if (*s == ',') {
			s++;
			continue;
		}
		for (q = s; q < end && *q != ',' && !mime_blank(*q); )
			q++;
		p->languages = arena_grow(a, p->languages, &cap,
		    p->n_languages + 1, sizeof(*p->languages));
		p->languages[p->n_languages++] =
		    slice_make(s, (size_t)(q - s));
		s = q;
	}
}

static void
take_text(struct slice *to, struct slice v, struct arena *a)
{
	if (to->p == NULL)
		*to = slice_trim(mime_unfold(a, v));
}

/* A URI: RFC 2557 4.4.1 lets it be folded anywhere. */
static void
take_location(struct slice *to, struct slice v, struct arena *a)
{
	char *p;
	size_t n = 0;

	if (to->p != NULL)
		return;
	v = slice_trim(mime_unfold(a, v));
	p = arena_alloc(a, v.n);
	for (size_t i = 0; i < v.n; i++)
		if (!mime_blank(v.p[i]))
			p[n++] = v.p[i];
	*to = slice_make(p, n);
}

void
mime_content_field(struct mime_part *p, struct slice name, struct slice value,
    uint32_t max_params, struct arena *a)
{
	struct slice rest = { name.p + 8, name.n - 8 };

	/* The first field of a name counts: it is what others show. */
	if (mime_is(rest, "type")) {
		take_type(p, value, max_params, a);
	} else if (mime_is(rest, "transfer-encoding")) {
		if (p->encoding_name.p == NULL) {
			p->encoding_name = first_token(value);
			p->encoding = mime_encoding_from(p->encoding_name);
		}
	} else if (mime_is(rest, "disposition")) {
		take_disposition(p, value, max_params, a);
	} else if (mime_is(rest, "id")) {
		take_text(&p->content_id, value, a);
	} else if (mime_is(rest, "description")) {
		take_text(&p->description, value, a);
	} else if (mime_is(rest, "md5")) {
		take_text(&p->md5, value, a);
	} else if (mime_is(rest, "language")) {
		take_languages(p, value, a);
	} else if (mime_is(rest, "location")) {
		take_location(&p->location, value, a);
	}
}

void
mime_content_default(struct mime_part *p, bool digest)
{
	p->type_implied = true;
	p->type = digest ? SLICE_LIT("message") : SLICE_LIT("text");
	p->subtype = digest ? SLICE_LIT("rfc822") : SLICE_LIT("plain");
	p->params = NULL;
	p->n_params = 0;
}
