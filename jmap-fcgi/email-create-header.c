/* jmap-fcgi/email-create-header.c - header fields out of their JSON forms (RFC
 * 8621 4.1.2) */
#include "config.h"

#include "jmap-fcgi/email-create.h"
#include "libbase/text.h"
#include "libmime/write.h"

enum { RAW_MAX = 64 << 10, RAW_LINE_MAX = 998 };

bool
create_name_add(struct create_names *s, struct slice name)
{
	for (size_t i = 0; i < s->n; i++)
		if (slice_ieq(s->v[i], name))
			return false;
	if (s->n < s->cap)
		s->v[s->n++] = name;
	return true;
}

/* ASCII; a line end only where the next line goes on with something. */
static int
put_raw(struct mime_writer *w, struct slice s)
{
	size_t line = w->col;
	bool ink = true;

	if (s.p == NULL || s.n > RAW_MAX)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\r') {
			if (!ink || s.n - i < 3 || s.p[i + 1] != '\n' ||
			    (s.p[i + 2] != ' ' && s.p[i + 2] != '\t'))
				return -1;
			line = 0;
			ink = false;
			i++;
			continue;
		}
		if ((c < 32 && c != '\t') || c == 127 || ++line > RAW_LINE_MAX)
			return -1;
		ink = ink || (c != ' ' && c != '\t');
	}
	mime_write_more(w, s);
	return ink ? 0 : -1;
}

static int
put_addresses(struct mime_writer *w, json_t *list, bool more)
{
	json_t *o, *name;
	size_t i, n = json_array_size(list);

	if (!json_is_array(list))
		return -1;
	json_array_foreach(list, i, o) {
		name = json_object_get(o, "name");
		if (name != NULL && !json_is_string(name) &&
		    !json_is_null(name))
			return -1;
		if (mime_write_address(w, js_slice(name),
		    js_slice(json_object_get(o, "email")),
		    more || i + 1 < n) < 0)
			return -1;
	}
	return 0;
}

static int
put_group(struct mime_writer *w, json_t *o, bool more)
{
	json_t *name = json_object_get(o, "name");
	json_t *list = json_object_get(o, "addresses");

	if (name == NULL || json_is_null(name))	/* no group: some addresses */
		return json_array_size(list) > 0 ?
		    put_addresses(w, list, more) : -1;
	if (!json_is_string(name) || json_string_length(name) == 0 ||
	    mime_write_phrase(w, js_slice(name)) < 0)
		return -1;
	mime_write_more(w, SLICE_LIT(":"));
	if (put_addresses(w, list, false) < 0)
		return -1;
	mime_write_more(w, more ? SLICE_LIT(";,") : SLICE_LIT(";"));
	return 0;
}

static int
put_groups(struct mime_writer *w, json_t *list)
{
	json_t *o;
	size_t i, n = json_array_size(list);

	if (!json_is_array(list) || n == 0)
		return -1;
	json_array_foreach(list, i, o)
		if (put_group(w, o, i + 1 < n) < 0)
			return -1;
	return 0;
}

/* "<x>" for message ids and URLs: nothing in x that would end it. */
static int
put_angles(struct mime_writer *w, json_t *list, const char *separator)
{
	json_t *v;
	size_t i, n = json_array_size(list);

	if (!json_is_array(list) || n == 0)
		return -1;
	json_array_foreach(list, i, v) {
		struct slice s = js_slice(v);
		struct buf b;

		if (s.n == 0 || s.n > RAW_LINE_MAX - 4)
			return -1;
		for (size_t k = 0; k < s.n; k++)
			if (s.p[k] < 33 || s.p[k] > 126 || s.p[k] == '<' ||
			    s.p[k] == '>')
				return -1;
		buf_init(&b, s.n + 8);
		buf_addc(&b, '<');
		buf_add_slice(&b, s);
		buf_addc(&b, '>');
		if (i + 1 < n)
			buf_add_str(&b, separator);
		mime_write_token(w, buf_slice(&b));
		buf_release(&b);
	}
	return 0;
}

static int
put_date(struct mime_writer *w, struct slice s)
{
	int64_t t;
	int zone;

	if (s.p == NULL || time_rfc3339_parse(s, &t, &zone) < 0)
		return -1;
	mime_write_date(w, t, zone);
	return 0;
}

static int
put_one(struct buf *out, const struct header_prop *h, json_t *v)
{
	struct mime_writer w;
	int rc = -1;

	mime_write_begin(&w, out, slice_str(h->field));
	switch (h->form) {
	case FORM_RAW:
		rc = put_raw(&w, js_slice(v));
		break;
	case FORM_TEXT:
		rc = json_is_string(v) ? mime_write_text(&w, js_slice(v)) : -1;
		break;
	case FORM_ADDRESSES:
		rc = json_array_size(v) > 0 ? put_addresses(&w, v, false) : -1;
		break;
	case FORM_GROUPED:
		rc = put_groups(&w, v);
		break;
	case FORM_IDS:
		rc = put_angles(&w, v, "");
		break;
	case FORM_DATE:
		rc = put_date(&w, js_slice(v));
		break;
	case FORM_URLS:
		rc = put_angles(&w, v, ",");
		break;
	}
	mime_write_end(&w);
	return rc < 0 || out->overflow ? -1 : 0;
}

int
create_field(struct buf *out, const struct header_prop *h, json_t *v)
{
	json_t *one;
	size_t i;

	for (const char *p = h->field; *p != '\0'; p++)
		if (*p < 33 || *p > 126 || *p == ':')
			return -1;
	if (json_is_null(v))
		return 0;
	if (!h->all)	/* an empty list of addresses is as good as null */
		return h->form == FORM_ADDRESSES && json_is_array(v) &&
		    json_array_size(v) == 0 ? 0 : put_one(out, h, v);
	if (!json_is_array(v))
		return -1;
	json_array_foreach(v, i, one)
		if (put_one(out, h, one) < 0)
			return -1;
	return 0;
}
