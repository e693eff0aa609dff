/* libmime/subject.c - message ids and base subjects, for threads */
#include "config.h"

#include "libbase/text.h"
#include "libmime/mime-int.h"

enum { SUBJECT_MAX = 4096 };	/* so that the repeated steps stay cheap */

/* ---- message ids ------------------------------------------------------- */

/* An id without what folding put into it. */
static struct slice
squeezed(struct slice s, struct arena *a)
{
	size_t n = 0, i;
	char *p;

	for (i = 0; i < s.n && !mime_blank(s.p[i]) && s.p[i] != '\0'; )
		i++;
	if (i == s.n)
		return s;
	p = arena_alloc(a, s.n);
	for (i = 0; i < s.n; i++)
		if (!mime_blank(s.p[i]) && s.p[i] != '\0')
			p[n++] = s.p[i];
	return slice_make(p, n);
}

/* The next "<...>" behind *p, comments and quoted strings passed over. */
static bool
id_next(const char **pp, const char *end, struct slice *id_r)
{
	const char *p = *pp, *q;

	while (p < end && *p != '<') {
		if (*p == '"') {
			q = memchr(p + 1, '"', (size_t)(end - p - 1));
			p = q != NULL ? q + 1 : p + 1;
		} else {
			p++;
		}
	}
	if (p == end)
		return false;
	for (q = ++p; q < end && *q != '>' && *q != '<'; )
		q++;
	*id_r = slice_make(p, (size_t)(q - p));
	*pp = q < end && *q == '>' ? q + 1 : q;
	return true;
}

static bool
bare_id(struct slice s)
{
	bool at = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == '<' || s.p[i] == '>')
			return false;
		at |= s.p[i] == '@';
	}
	return at;
}

void
mime_msgids_parse(struct slice value, uint32_t max, struct arena *a,
    struct slice **ids_r, uint32_t *n_r)
{
	struct slice s = slice_trim(mime_set(value)), id;
	const char *p = s.p, *end = s.p + s.n;
	size_t n = 0, cap = 0;
	struct slice *ids = NULL;

	while (p < end && id_next(&p, end, &id)) {
		id = squeezed(id, a);
		if (id.n == 0)
			continue;
		ids = arena_grow(a, ids, &cap, n + 1, sizeof(*ids));
		ids[n++] = id;
	}
	/* A single id without its brackets. */
	if (n == 0 && bare_id(s)) {
		ids = arena_alloc(a, sizeof(*ids));
		ids[n++] = s;
	}
	if (n > max) {
		/* The first is the thread's, the last are the nearest. */
		if (max > 1)
			memmove(ids + 1, ids + (n - max + 1),
			    (max - 1) * sizeof(*ids));
		n = max;
	}
	*ids_r = ids;
	*n_r = (uint32_t)n;
}

/* ---- base subject, RFC 5256 2.1 and 5 ---------------------------------- */

/* subj-blob at the front: its length with the blanks behind, or 0. */
static size_t
blob(struct slice s)
{
	size_t i;

	if (s.n == 0 || s.p[0] != '[')
		return 0;
	for (i = 1; i < s.n && s.p[i] != '[' && s.p[i] != ']'; )
		i++;
	if (i == s.n || s.p[i] != ']')
		return 0;
	for (i++; i < s.n && s.p[i] == ' '; )
		i++;
	return i;
}

/* subj-refwd at the front: its length, or 0. */
static size_t
refwd(struct slice s)
{
	size_t i;

	if (slice_istarts(s, SLICE_LIT("re")))
		i = 2;
	else if (slice_istarts(s, SLICE_LIT("fwd")))
		i = 3;
	else if (slice_istarts(s, SLICE_LIT("fw")))
		i = 2;
	else
		return 0;
	while (i < s.n && s.p[i] == ' ')
		i++;
	i += blob(slice_make(s.p + i, s.n - i));
	return i < s.n && s.p[i] == ':' ? i + 1 : 0;
}

static struct slice
skip(struct slice s, size_t n)
{
	return slice_make(s.p + n, s.n - n);
}

/* Step 2: subj-trailer. */
static struct slice
trailers(struct slice s, bool *reply)
{
	for (;;) {
		if (s.n > 0 && s.p[s.n - 1] == ' ') {
			s.n--;
		} else if (s.n >= 5 &&
		    mime_is(slice_make(s.p + s.n - 5, 5), "(fwd)")) {
			s.n -= 5;
			*reply = true;
		} else {
			return s;
		}
	}
}

/* Steps 3 to 5: subj-leader and subj-blob. */
static struct slice
leaders(struct slice s, bool *reply)
{
	for (;;) {
		size_t n = 0, b, r;

		if (s.n > 0 && s.p[0] == ' ') {
			s = skip(s, 1);
			continue;
		}
		while ((b = blob(skip(s, n))) > 0)
			n += b;
		if ((r = refwd(skip(s, n))) > 0) {
			*reply = true;
			s = skip(s, n + r);
			continue;
		}
		/* A blob goes only if something is left. */
		if ((b = blob(s)) == 0 || b == s.n)
			return s;
		s = skip(s, b);
	}
}

/* Blanks are one space each. */
static struct slice
spaced(struct slice s, struct arena *a)
{
	char *p = arena_alloc(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!mime_blank(s.p[i]))
			p[n++] = s.p[i];
		else if (n == 0 || p[n - 1] != ' ')
			p[n++] = ' ';
	}
	return slice_make(p, n);
}

struct slice
mime_base_subject(struct slice subject, struct arena *a, bool *reply_r)
{
	return mime_base_subject_of(mime_text(a, subject), a, reply_r);
}

struct slice
mime_base_subject_of(struct slice text, struct arena *a, bool *reply_r)
{
	struct slice s = mime_set(text);
	bool reply = false;

	s.n = utf8_cut(s, SUBJECT_MAX);
	s = spaced(s, a);
	for (;;) {
		s = leaders(trailers(s, &reply), &reply);
		if (s.n < 6 || !slice_istarts(s, SLICE_LIT("[fwd:")) ||
		    s.p[s.n - 1] != ']')
			break;
		reply = true;
		s = slice_make(s.p + 5, s.n - 6);
	}
	if (reply_r != NULL)
		*reply_r = reply;
	return s;
}
