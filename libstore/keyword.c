/* libstore/keyword.c - keywords: names and their bits */
#include "config.h"

#include "libstore/store-int.h"

static const char *const system_names[] = {
	"$seen", "$answered", "$flagged", "$draft"
};

enum { SYSTEM_NAMES = sizeof(system_names) / sizeof(system_names[0]) };

static int
keywords_read(struct kv_txn *t, struct arena *a,
    struct slice name_r[ROW_KEYWORDS], size_t *n_r)
{
	struct row_key k = row_key_kind(ROW_K_KEYWORDS);
	struct slice v;
	int rc;

	*n_r = 0;
	if ((rc = kv_get(t, a, row_key(&k), &v)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	return row_keywords_get(v, name_r, n_r);
}

int
keywords_known(struct work *w, uint64_t flags)
{
	struct slice name[ROW_KEYWORDS];
	size_t n;
	int rc;

	if (flags & 0x20)
		return STORE_E_INVALID;
	if (flags >> STORE_KEYWORD_FIRST == 0)
		return 0;
	if ((rc = keywords_read(w->t, w->a, name, &n)) < 0)
		return rc;
	if (n < ROW_KEYWORDS && flags >> (STORE_KEYWORD_FIRST + n) != 0)
		return STORE_E_INVALID;
	return 0;
}

int
store_keywords(struct store *st, struct arena *a, struct slice **names_r,
    size_t *n_r)
{
	struct slice name[ROW_KEYWORDS], *out;
	struct kv_txn *t;
	size_t n;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = keywords_read(t, a, name, &n);
	ro_end(st);
	if (rc < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(st, "keywords", 0) : rc;
	out = arena_calloc(a, STORE_KEYWORD_FIRST + n, sizeof(*out));
	for (int i = 0; i < SYSTEM_NAMES; i++)
		out[i] = slice_str(system_names[i]);
	if (n > 0)
		memcpy(out + STORE_KEYWORD_FIRST, name, n * sizeof(*out));
	*names_r = out;
	*n_r = STORE_KEYWORD_FIRST + n;
	return 0;
}

/* RFC 8621 4.1.1. */
static bool
keyword_ok(struct slice s)
{
	if (s.n == 0 || s.n > ROW_KEYWORD_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e ||
		    strchr("(){]%*\"\\", s.p[i]))
			return false;
	return true;
}

static uint64_t
keyword_in(struct slice s, const struct slice *name, size_t n)
{
	for (int i = 0; i < SYSTEM_NAMES; i++)
		if (slice_ieq(s, slice_str(system_names[i])))
			return UINT64_C(1) << i;
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(s, name[i]))
			return UINT64_C(1) << (STORE_KEYWORD_FIRST + i);
	return 0;
}

struct keyword_arg {
	const struct slice *name;
	size_t n;
	uint64_t *bit;
};

/* How many of them have no bit. */
static size_t
keywords_find(struct keyword_arg *k, const struct slice *known, size_t n_known)
{
	size_t missing = 0;

	for (size_t i = 0; i < k->n; i++) {
		k->bit[i] = keyword_in(k->name[i], known, n_known);
		missing += k->bit[i] == 0;
	}
	return missing;
}

/* All of them or none: a name has its bit for good. */
static int
keywords_make(struct work *w, void *arg)
{
	struct slice name[ROW_KEYWORDS];
	struct keyword_arg *k = arg;
	size_t n;
	int rc;

	if ((rc = keywords_read(w->t, w->a, name, &n)) < 0)
		return rc;
	if (keywords_find(k, name, n) == 0)
		return 0;
	for (size_t i = 0; i < k->n; i++) {
		if ((k->bit[i] = keyword_in(k->name[i], name, n)) != 0)
			continue;
		if (n == ROW_KEYWORDS)
			return STORE_E_LIMIT;
		name[n] = k->name[i];
		k->bit[i] = UINT64_C(1) << (STORE_KEYWORD_FIRST + n++);
	}
	row_keywords_put(&w->st->val, name, n);
	return work_put(w, row_key_kind(ROW_K_KEYWORDS));
}

int
store_keyword_bits(struct store *st, const struct slice *name, size_t n,
    bool create, uint64_t *bit_r)
{
	struct keyword_arg k = { name, n, bit_r };
	struct slice known[ROW_KEYWORDS];
	size_t n_known, missing = 0;
	struct kv_txn *t;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (!keyword_ok(name[i]))
			return STORE_E_INVALID;
	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = keywords_read(t, st->ra, known, &n_known)) == 0)
		missing = keywords_find(&k, known, n_known);
	ro_end(st);
	if (rc == 0 && missing > 0 && create)
		rc = store_run(st, 0, keywords_make, &k, NULL);
	return rc;
}

int
store_keyword_bit(struct store *st, struct slice name, bool create,
    uint64_t *bit_r)
{
	uint64_t bit = 0;
	int rc;

	if ((rc = store_keyword_bits(st, &name, 1, create, &bit)) < 0)
		return rc;
	if (bit == 0)
		return STORE_E_NOTFOUND;
	*bit_r = bit;
	return 0;
}
