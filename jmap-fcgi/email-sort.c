/* jmap-fcgi/email-sort.c - the order of Email/query (RFC 8621 4.4.2) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/email.h"
#include "libbase/collation.h"
#include "libbase/text.h"

enum { SORTS_MAX = 16 };

enum sort_by {
	SORT_RECEIVED, SORT_SIZE, SORT_ID,
	SORT_FROM, SORT_TO, SORT_SUBJECT, SORT_SENT,	/* by item->keys */
	SORT_KEYWORD, SORT_ALL, SORT_SOME
};
struct query_sort {
	size_t n;
	struct comparator {
		enum sort_by by;
		bool descending;
		uint64_t flag;
		enum collation how;
	} by[SORTS_MAX];
};

/* In the order of enum sort_by. */
const char *const sort_options[] = {
	"receivedAt", "size", "id", "from", "to", "subject", "sentAt",
	"hasKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword", NULL
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
	by->how = COLLATION_UNICODE;
	if (coll != NULL) {
		if ((i = collation_find(js_slice(coll))) < 0)
			return unsupported(q->c, "no such collation");
		by->how = (enum collation)i;
	}
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
		s->by[s->n++] = (struct comparator){ .by = SORT_RECEIVED,
			.descending = true };
	*s_r = s;
	return 0;
}

/* ---- what the messages know -------------------------------------------- */

/* The name of the first address, or the address. */
static struct slice
first_address(const struct mime_addrs *l, struct arena *a)
{
	for (uint32_t i = l->last; i < l->n; i++) {
		struct slice name = slice_make(NULL, 0);

		if (l->a[i].kind != MIME_ADDR)
			continue;
		if (l->a[i].name.n > 0)
			name = mime_words_decode(a, l->a[i].name);
		return name.n > 0 ? name : mime_addr_email(&l->a[i], a);
	}
	return SLICE_LIT("");
}

/* A time as octets that are in its order. */
static struct slice
time_key(int64_t t, struct arena *a)
{
	uint64_t u = (uint64_t)t ^ UINT64_C(1) << 63;
	char *p = arena_alloc(a, 8);

	for (int i = 7; i >= 0; i--, u >>= 8)
		p[i] = (char)(u & 0xff);
	return slice_make(p, 8);
}

static struct slice
key_of(const struct comparator *by, const struct query_item *it,
    const struct mime_env *env, struct arena *scratch, struct arena *a)
{
	struct slice s;

	if (by->by == SORT_SENT)
		return time_key(env->sent.ok ? env->sent.t : it->received_at,
		    a);
	if (by->by == SORT_SUBJECT)
		s = env->subject.p == NULL ? SLICE_LIT("") :
		    mime_base_subject(env->subject, scratch, NULL);
	else
		s = first_address(by->by == SORT_FROM ? &env->from : &env->to,
		    scratch);
	s = collation_key(by->how, utf8_clean(scratch, s), scratch);
	return arena_slice(a, s);
}

static bool
has_key(const struct comparator *by)
{
	return by->by >= SORT_FROM && by->by <= SORT_SENT;
}

static int
load_item(struct query *q, const struct query_sort *s, struct query_item *it)
{
	struct jmap_call *c = q->c;
	struct slice *keys = arena_calloc(c->arena, s->n, sizeof(*keys));
	struct email em;
	int rc;

	memset(&em, 0, sizeof(em));
	if ((rc = email_load(c, c->req->scratch, it->email, &em.e)) == 0 &&
	    (rc = email_mime(c, &em)) == 0)
		for (size_t i = 0; i < s->n; i++)
			if (has_key(&s->by[i]))
				keys[i] = key_of(&s->by[i], it,
				    em.mime->root->env, c->req->scratch,
				    c->arena);
	arena_reset(c->req->scratch);
	it->keys = keys;
	return rc;
}

int
sort_load(struct query *q, const struct query_sort *s, struct query_item *it,
    size_t n)
{
	bool any = false;
	int rc;

	for (size_t i = 0; i < s->n; i++)
		any |= has_key(&s->by[i]);
	for (size_t i = 0; i < n && any; i++)
		if ((rc = load_item(q, s, &it[i])) < 0)
			return jmap_store_failed(q->c->req, "sort", rc);
	return 0;
}

/* ---- the order --------------------------------------------------------- */

#define CMP(x, y) ((x) < (y) ? -1 : (x) > (y))

int
sort_compare(const struct query_sort *s, const struct query_item *a,
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
		case SORT_FROM:
		case SORT_TO:
		case SORT_SUBJECT:
		case SORT_SENT:
			d = slice_cmp(a->keys[i], b->keys[i]);
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
		if (k + 1 < n && sort_compare(s, &v[k], &v[k + 1]) < 0)
			k++;
		if (sort_compare(s, &v[i], &v[k]) >= 0)
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
		if (sort_compare(s, &v[i], &v[0]) < 0) {
			swap(&v[i], &v[0]);
			sift(s, v, 0, n);
		}
	for (size_t i = n; i-- > 1;) {
		swap(&v[0], &v[i]);
		sift(s, v, 0, i);
	}
}
