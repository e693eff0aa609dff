/* jmap-fcgi/email-sort.c - the order of Email/query (RFC 8621 4.4.2) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/email.h"
#include "libbase/collation.h"

enum { SORTS_MAX = 16 };

enum sort_by {
	SORT_RECEIVED, SORT_SIZE, SORT_ID, SORT_KEYWORD, SORT_ALL, SORT_SOME
};
struct query_sort {
	size_t n;
	struct comparator {
		enum sort_by by;
		bool descending;
		uint64_t flag;
	} by[SORTS_MAX];
};

/* In the order of enum sort_by. */
const char *const sort_options[] = {
	"receivedAt", "size", "id", "hasKeyword", "allInThreadHaveKeyword",
	"someInThreadHaveKeyword", NULL
};

static bool
known(const char *const *list, struct slice s, int *index_r)
{
	for (int i = 0; list[i] != NULL; i++)
		if (slice_eq(s, slice_str(list[i]))) {
			*index_r = i;
			return true;
		}
	return false;
}

static int
bad(struct jmap_call *c, const char *what)
{
	return jmap_bad(c, "sort: %s", what);
}

static int
unsupported(struct jmap_call *c, const char *what)
{
	c->desc = what;
	return JMAP_E_SORT;
}

static int
parse_keyword(struct query *q, json_t *v, struct comparator *by)
{
	struct slice s = js_slice(json_object_get(v, "keyword"));
	int rc;

	if (!email_keyword_ok(s))
		return bad(q->c, "keyword is missing or not a keyword");
	if ((rc = email_keyword_bit(q->c, s, &by->flag)) < 0)
		return jmap_store_failed(q->c->req, "keyword", rc);
	if (by->by != SORT_KEYWORD)
		q->want_threads = true;
	return 0;
}

static int
parse_one(struct query *q, json_t *v, struct comparator *by)
{
	struct slice name = js_slice(json_object_get(v, "property"));
	json_t *asc = json_object_get(v, "isAscending");
	json_t *coll = json_object_get(v, "collation");
	int i;

	if (!json_is_object(v) || name.p == NULL)
		return bad(q->c, "not a Comparator");
	if (asc != NULL && !json_is_boolean(asc))
		return bad(q->c, "isAscending must be true or false");
	if (coll != NULL && !json_is_string(coll))
		return bad(q->c, "collation must be a string");
	/* Our properties are not strings: it makes no difference. */
	if (coll != NULL && collation_find(js_slice(coll)) < 0)
		return unsupported(q->c, "no such collation");
	if (!known(sort_options, name, &i))
		return unsupported(q->c, "no such property to sort by");
	by->by = (enum sort_by)i;
	by->descending = json_is_false(asc);
	if (by->by >= SORT_KEYWORD)
		return parse_keyword(q, v, by);
	return 0;
}

int
sort_parse(struct query *q, json_t *v, struct query_sort **s_r)
{
	struct query_sort *s = arena_alloc(q->c->arena, sizeof(*s));
	json_t *item;
	size_t i;
	int rc;

	json_array_foreach(v, i, item) {
		if (s->n == SORTS_MAX)
			return unsupported(q->c, "too many comparators");
		if ((rc = parse_one(q, item, &s->by[s->n++])) < 0)
			return rc;
	}
	if (s->n == 0)		/* newest first */
		s->by[s->n++] = (struct comparator){ SORT_RECEIVED, true, 0 };
	*s_r = s;
	return 0;
}

#define CMP(x, y) ((x) < (y) ? -1 : (x) > (y))

static int
compare(const struct query_sort *s, const struct query_item *a,
    const struct query_item *b)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct comparator *by = &s->by[i];
		int d = 0;

		switch (by->by) {
		case SORT_RECEIVED:
			d = CMP(a->received_at, b->received_at);
			break;
		case SORT_SIZE:
			d = CMP(a->size, b->size);
			break;
		case SORT_ID:
			d = CMP(a->email, b->email);
			break;
		case SORT_KEYWORD:
			d = CMP(a->flags & by->flag, b->flags & by->flag);
			break;
		case SORT_ALL:
			d = CMP(a->tf->all & by->flag, b->tf->all & by->flag);
			break;
		case SORT_SOME:
			d = CMP(a->tf->some & by->flag,
			    b->tf->some & by->flag);
			break;
		}
		if (d != 0)
			return by->descending ? -d : d;
	}
	/* The same order in each query: newest first, as in the default. */
	return CMP(b->email, a->email);
}

static void
swap(struct query_item *a, struct query_item *b)
{
	struct query_item t = *a;

	*a = *b;
	*b = t;
}

static void
sift(const struct query_sort *s, struct query_item *v, size_t i, size_t n)
{
	for (;;) {
		size_t k = 2 * i + 1;

		if (k >= n)
			return;
		if (k + 1 < n && compare(s, &v[k], &v[k + 1]) < 0)
			k++;
		if (compare(s, &v[i], &v[k]) >= 0)
			return;
		swap(&v[i], &v[k]);
		i = k;
	}
}

/*
 * A heap of the n first ones, its root the last of them; then a heap sort of
 * these.  For a page of a large mailbox nearly one comparison a message; never
 * worse than n log n, whatever the order.
 */
void
sort_items(struct query *q, const struct query_sort *s, size_t n)
{
	struct query_item *v = q->item;

	if (n > q->n)
		n = q->n;
	if (n == 0)
		return;
	for (size_t i = n / 2; i-- > 0;)
		sift(s, v, i, n);
	for (size_t i = n; i < q->n; i++)
		if (compare(s, &v[i], &v[0]) < 0) {
			swap(&v[i], &v[0]);
			sift(s, v, 0, n);
		}
	for (size_t i = n; i-- > 1;) {
		swap(&v[0], &v[i]);
		sift(s, v, 0, i);
	}
}
