/* culver/uidlist.c - a Maildir's UIDs, as Dovecot keeps them */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "culver/uidlist.h"
#include "libbase/text.h"

static int
by_name(const void *a, const void *b)
{
	return slice_cmp(((const struct uidlist_row *)a)->name,
	    ((const struct uidlist_row *)b)->name);
}

/* Without ":2,FS". */
static struct slice
unique_part(struct slice name)
{
	const char *colon = memchr(name.p, ':', name.n);

	return colon != NULL ? slice_make(name.p, (size_t)(colon - name.p)) :
	    name;
}

static uint32_t
validity(struct slice head)
{
	uint64_t v = 0;

	if (!slice_eq(slice_cut(&head, ' '), SLICE_LIT("3")))
		return 0;
	while (head.n > 0) {
		struct slice w = slice_cut(&head, ' ');

		if (w.n > 1 && w.p[0] == 'V' && slice_uint(slice_make(w.p + 1,
			w.n - 1), UINT32_MAX, &v) < 0)
			v = 0;
	}
	return (uint32_t)v;
}

void
uidlist_parse(struct slice text, struct arena *a, struct uidlist *l_r)
{
	size_t cap = 0;

	*l_r = (struct uidlist){ .uidvalidity = validity(slice_cut(&text,
		'\n')) };
	while (l_r->uidvalidity != 0 && text.n > 0) {
		struct slice line = slice_cut(&text, '\n');
		const char *colon = line.n > 0 ? memmem(line.p, line.n, " :",
		    2) : NULL;
		struct slice name;
		uint64_t uid;

		if (colon == NULL || slice_uint(slice_cut(&line, ' '),
			UINT32_MAX - 1, &uid) < 0 || uid == 0)
			continue;
		/* line is what follows the UID: it ends where it did. */
		name = unique_part(slice_make(colon + 2,
		    (size_t)(line.p + line.n - (colon + 2))));
		if (name.n == 0)
			continue;
		l_r->v = arena_grow(a, l_r->v, &cap, l_r->n + 1,
		    sizeof(*l_r->v));
		l_r->v[l_r->n++] = (struct uidlist_row){ name, (uint32_t)uid };
	}
	if (l_r->n > 0)
		qsort(l_r->v, l_r->n, sizeof(*l_r->v), by_name);
}

uint32_t
uidlist_find(const struct uidlist *l, const char *name)
{
	struct uidlist_row key = { .name = unique_part(slice_str(name)) }, *row;

	row = l->n > 0 ? bsearch(&key, l->v, l->n, sizeof(*l->v), by_name) :
			 NULL;
	return row != NULL ? row->uid : 0;
}
