/* culver/import-date.c - when a message came, by its header */
#include "config.h"

#include "culver/import.h"
#include "libmime/mime.h"

/* The next field of a header, folded lines included; false at its end. */
static bool
next_field(struct slice *s, struct slice *f_r)
{
	size_t i = 0;

	if (s->n == 0 || s->p[0] == '\r' || s->p[0] == '\n')
		return false;
	for (;;) {
		const char *nl = memchr(s->p + i, '\n', s->n - i);

		i = nl ? (size_t)(nl - s->p) + 1 : s->n;
		if (i == s->n || (s->p[i] != ' ' && s->p[i] != '\t'))
			break;
	}
	*f_r = slice_make(s->p, i);
	s->p += i;
	s->n -= i;
	return true;
}

static bool
value(struct slice field, const char *name, struct slice *v_r)
{
	struct slice n = slice_str(name);

	if (!slice_istarts(field, n))
		return false;
	*v_r = slice_make(field.p + n.n, field.n - n.n);
	return true;
}

static bool
parse(struct slice v, int64_t *t_r)
{
	struct mime_date d = mime_date_parse(v);

	if (d.ok)
		*t_r = d.t;
	return d.ok;
}

int
import_header_date(struct slice message, int64_t *t_r)
{
	struct slice f, v, date = { NULL, 0 };

	while (next_field(&message, &f)) {
		if (value(f, "Received:", &v)) {
			/* The date follows the last semicolon. */
			const char *semi = memrchr(v.p, ';', v.n);

			if (!semi)
				continue;
			v.n -= (size_t)(semi + 1 - v.p);
			v.p = semi + 1;
			if (parse(v, t_r))
				return 0;
		} else if (!date.p && value(f, "Date:", &v)) {
			date = v;
		}
	}
	return date.p && parse(date, t_r) ? 0 : -1;
}
