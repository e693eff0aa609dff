/* imapd/seqset.c - sets of sequence numbers or UIDs */
#include "config.h"

#include <stdlib.h>

#include "imapd/seqset.h"

/* One seq-number.  0, or -1; zero isn't a number of a message. */
static int
number(struct slice *s, uint32_t star, uint32_t *v_r)
{
	size_t n = 0;
	uint64_t v;

	if (s->n > 0 && s->p[0] == '*') {
		*v_r = star;
		n = 1;
	} else {
		while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
			n++;
		if (slice_uint(slice_make(s->p, n), UINT32_MAX, &v) < 0 ||
		    v == 0)
			return -1;
		*v_r = (uint32_t)v;
	}
	*s = slice_make(s->p + n, s->n - n);
	return 0;
}

static int
by_from(const void *a, const void *b)
{
	const struct store_range *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static void
normalize(struct seqset *set)
{
	size_t out = 0;

	if (set->n == 0)
		return;
	qsort(set->r, set->n, sizeof(set->r[0]), by_from);
	for (size_t i = 1; i < set->n; i++) {
		struct store_range *last = &set->r[out];

		if (last->to == UINT32_MAX || set->r[i].from <= last->to + 1) {
			if (set->r[i].to > last->to)
				last->to = set->r[i].to;
		} else
			set->r[++out] = set->r[i];
	}
	set->n = out + 1;
}

int
seqset_parse(struct slice s, uint32_t star, struct arena *a,
    struct seqset *set_r)
{
	struct seqset set = { NULL, 0 };
	size_t cap = 0;

	for (;;) {
		struct store_range r;

		if (number(&s, star, &r.from) < 0)
			return -1;
		r.to = r.from;
		if (s.n > 0 && s.p[0] == ':') {
			s = slice_make(s.p + 1, s.n - 1);
			if (number(&s, star, &r.to) < 0)
				return -1;
		}
		if (r.from > r.to)
			r = (struct store_range){ r.to, r.from };
		if (r.from == 0)	/* "*" where there is nothing */
			r.from = r.to;
		if (r.to != 0) {
			set.r = arena_grow(a, set.r, &cap, set.n + 1,
			    sizeof(set.r[0]));
			set.r[set.n++] = r;
		}
		if (s.n == 0)
			break;
		if (s.p[0] != ',')
			return -1;
		s = slice_make(s.p + 1, s.n - 1);
	}
	normalize(&set);
	*set_r = set;
	return 0;
}

void
seqset_add(struct seqset *set, size_t *cap, struct arena *a, uint32_t v)
{
	if (set->n > 0 && set->r[set->n - 1].to + 1 == v) {
		set->r[set->n - 1].to = v;
		return;
	}
	set->r = arena_grow(a, set->r, cap, set->n + 1, sizeof(*set->r));
	set->r[set->n++] = (struct store_range){ v, v };
}

bool
seqset_has(const struct seqset *set, uint32_t v)
{
	size_t lo = 0, hi = set->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v < set->r[mid].from)
			hi = mid;
		else if (v > set->r[mid].to)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

uint32_t
seqset_max(const struct seqset *set)
{
	return set->n > 0 ? set->r[set->n - 1].to : 0;
}

void
seqset_print(struct buf *out, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t j = i + 1;

		while (j < n && v[j] == v[j - 1] + 1)
			j++;
		if (i > 0)
			buf_addc(out, ',');
		buf_add_u64(out, v[i]);
		if (j - i > 1) {
			buf_addc(out, ':');
			buf_add_u64(out, v[j - 1]);
		}
		i = j;
	}
}
