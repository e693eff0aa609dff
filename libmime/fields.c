/* libmime/fields.c - header fields as octets: walk, find, filter */
#include "config.h"

#include "libmime/mime-int.h"

size_t
mime_field_line(const char *p, const char *end, const char **value_r)
{
	const char *q = p;
	size_t n;

	/* RFC 5322 2.2: printable US-ASCII except the colon. */
	while (q < end && *q > 32 && *q < 127 && *q != ':')
		q++;
	if ((n = (size_t)(q - p)) == 0)
		return 0;
	while (q < end && mime_wsp(*q))		/* RFC 5322 4.5, RFC 7103 7.4 */
		q++;
	if (q == end || *q != ':')
		return 0;
	*value_r = q + 1;
	return n;
}

bool
mime_blank_line(const char *p, const char *end)
{
	while (p < end && (mime_wsp(*p) || *p == '\r'))
		p++;
	return p == end || *p == '\n';
}

/* An empty line, which ends a header? */
static bool
empty_line(const char *p, const char *end)
{
	return p == end || *p == '\n' ||
	    (*p == '\r' && end - p > 1 && p[1] == '\n');
}

static const char *
next_line(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl != NULL ? nl + 1 : end;
}

void
mime_fields_init(struct mime_fields *it, struct slice header)
{
	it->p = header.p;
	it->end = header.n > 0 ? header.p + header.n : header.p;
}

int
mime_fields_next(struct mime_fields *it, struct mime_field *f_r)
{
	const char *p = it->p, *end = it->end, *q, *value, *last, *other;
	size_t n = 0;

	while (p < end && !empty_line(p, end) &&
	    (n = mime_field_line(p, end, &value)) == 0)
		p = next_line(p, end);
	if (p >= end || n == 0) {
		it->p = end;
		return 0;
	}
	q = next_line(p, end);
	while (q < end && !empty_line(q, end) && (mime_wsp(*q) ||
	    mime_field_line(q, end, &other) == 0))
		q = next_line(q, end);
	it->p = q;
	f_r->raw = slice_make(p, (size_t)(q - p));
	f_r->name = slice_make(p, n);
	last = q;
	if (last > value && last[-1] == '\n')
		last--;
	if (last > value && last[-1] == '\r')
		last--;
	f_r->value = slice_make(value, (size_t)(last - value));
	return 1;
}

int
mime_field_find(struct slice header, const char *name, int nth,
    struct mime_field *f_r)
{
	struct slice want = slice_str(name);
	struct mime_fields it;
	struct mime_field f;
	int seen = 0, found = 0;

	mime_fields_init(&it, header);
	while (mime_fields_next(&it, &f) == 1) {
		if (!slice_ieq(f.name, want))
			continue;
		if (nth >= 0 && seen++ < nth)
			continue;
		*f_r = f;
		found = 1;
		if (nth >= 0)
			break;
	}
	return found;
}

static bool
listed(struct slice name, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(name, names[i]))
			return true;
	return false;
}

int
mime_header_filter(struct slice header, const struct slice *names,
    size_t n_names, bool not, struct buf *out)
{
	struct mime_fields it;
	struct mime_field f;

	mime_fields_init(&it, header);
	while (mime_fields_next(&it, &f) == 1) {
		if (listed(f.name, names, n_names) == not)
			continue;
		if (buf_add_slice(out, f.raw) < 0)
			return -1;
		/* The last field of a header that just stops. */
		if (f.raw.p[f.raw.n - 1] != '\n' && buf_add_str(out, "\r\n") < 0)
			return -1;
	}
	return buf_add_str(out, "\r\n");
}

/* What clients ask for in lists of messages. */
static const char *const cached[] = {
	"to", "cc", "bcc", "date", "from", "sender", "list-id", "subject",
	"priority", "reply-to", "x-mailer", "list-post", "importance",
	"message-id", "newsgroups", "precedence", "references", "x-priority",
	"in-reply-to", "x-spam-flag", "content-type", "x-spam-status",
	"list-unsubscribe"
};

bool
mime_header_cached(struct slice name)
{
	for (size_t i = 0; name.n > 0 && i < sizeof(cached) / sizeof(cached[0]);
	    i++)
		if (cached[i][0] == (char)mime_lower(name.p[0]) &&
		    mime_is(name, cached[i]))
			return true;
	return false;
}
