/* libstore/kv/btree.c - the pages of a base, a Berkeley DB Btree file */
#include "config.h"

#include <string.h>

#include "libbase/io.h"
#include "libstore/kv/be.h"
#include "libstore/kv/btree.h"

/*
 * A page, as libdb 5.3 writes it, in the order of octets of the machine:
 * 0 log position (here: the seal), 8 its number, 12 previous, 16 next page,
 * 20 entries (16 bits), 22 free space (of an overflow page: octets used),
 * 24 level, 25 type, then the items' places, 16 bits each.
 * Item: length (16), type (8), octets.  Overflow item: 2 octets, type, 1,
 * page (32), length (32).  Inner item: length, type, 1, child (32), 4, key.
 */
enum {
	ITEM_KEYDATA = 1, ITEM_OVERFLOW = 3, ITEM_DELETED = 0x80,
	KEYDATA_HEAD = 3, OVERFLOW_LEN = 12, INNER_HEAD = 12,
	META_MAGIC = 0x053162, META_VERSION = 9,
	KEY_MAX = 256, VALUE_MAX = 65536
};

static uint32_t
get32(const unsigned char *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap32(v) : v;
}

static unsigned
get16(const unsigned char *p, bool swap)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap16(v) : v;
}

/* The checksum of the head and of the checksums of four equal parts behind it,
 * which a processor can do at once. */
static uint32_t
page_sum(const unsigned char page[BT_PAGE])
{
	enum { HEAD = 32, PART = (BT_PAGE - HEAD) / 4 };
	unsigned char out[16];
	uint32_t part[4];

	crc32c_parts(page + HEAD, PART, part);
	for (size_t i = 0; i < 4; i++)
		be32_put(out + 4 * i, part[i]);
	return crc32c(crc32c(0, page + 4, HEAD - 4), out, sizeof(out));
}

void
bt_seal(unsigned char page[BT_PAGE], uint64_t gen)
{
	be32_put(page + 4, (uint32_t)gen);
	be32_put(page, page_sum(page));
}

bool
bt_sealed(const unsigned char page[BT_PAGE], uint64_t gen)
{
	return be32_get(page + 4) == (uint32_t)gen &&
	    be32_get(page) == page_sum(page);
}

int
bt_meta_decode(const unsigned char page[BT_PAGE], struct bt_meta *m)
{
	bool swap = get32(page + 12, true) == META_MAGIC;
	uint32_t last;

	if (!swap && get32(page + 12, false) != META_MAGIC)
		return -1;
	if (get32(page + 16, swap) != META_VERSION ||
	    get32(page + 20, swap) != BT_PAGE || page[24] != 0 ||
	    page[25] != BT_META || get32(page + 48, swap) != 0)
		return -1;
	last = get32(page + 32, swap);
	m->swap = swap;
	m->root = get32(page + 88, swap);
	m->pages = last + 1;
	return last < UINT32_MAX && m->root > 0 && m->root <= last ? 0 : -1;
}

int
bt_page_decode(const unsigned char page[BT_PAGE], bool swap,
    struct bt_page *g)
{
	unsigned n = get16(page + 20, swap);

	g->p = page;
	g->swap = swap;
	g->no = get32(page + 8, swap);
	g->prev = get32(page + 12, swap);
	g->next = get32(page + 16, swap);
	g->type = page[25];
	g->n = n;
	g->len = get16(page + 22, swap);
	switch (g->type) {
	case BT_LEAF:
		g->n = n / 2;
		return n % 2 == 0 && BT_HEAD + 2 * n <= BT_PAGE ? 0 : -1;
	case BT_INTERNAL:
		return n > 0 && BT_HEAD + 2 * n <= BT_PAGE ? 0 : -1;
	case BT_OVERFLOW:
		return g->len > 0 && g->len <= BT_OVER ? 0 : -1;
	default:
		return -1;
	}
}

/* The item at place k, of which at least `need` octets are in the page. */
static const unsigned char *
item_at(const struct bt_page *g, unsigned k, unsigned need)
{
	unsigned at = get16(g->p + BT_HEAD + 2 * k, g->swap);

	return at >= BT_HEAD && at + need <= BT_PAGE ? g->p + at : NULL;
}

/* Octets in the page: 0, or -1. */
static int
keydata(const struct bt_page *g, const unsigned char *item, struct slice *s_r)
{
	unsigned n = get16(item, g->swap);

	if ((size_t)(item - g->p) + KEYDATA_HEAD + n > BT_PAGE)
		return -1;
	*s_r = slice_make((const char *)item + KEYDATA_HEAD, n);
	return 0;
}

static int
row_key(const struct bt_page *g, unsigned i, struct slice *key_r)
{
	const unsigned char *k = item_at(g, 2 * i, KEYDATA_HEAD);

	if (k == NULL || (k[2] & 0x7f) != ITEM_KEYDATA ||
	    keydata(g, k, key_r) < 0)
		return -1;
	return key_r->n > 0 && key_r->n <= KEY_MAX ? 0 : -1;
}

int
bt_row(const struct bt_page *g, unsigned i, struct bt_row *r)
{
	const unsigned char *v;

	if (i >= g->n || row_key(g, i, &r->key) < 0 ||
	    (v = item_at(g, 2 * i + 1, KEYDATA_HEAD)) == NULL)
		return -1;
	r->first = 0;
	if ((v[2] & 0x7f) == ITEM_KEYDATA) {
		if (keydata(g, v, &r->val) < 0)
			return -1;
		r->len = (uint32_t)r->val.n;
	} else {
		if ((v[2] & 0x7f) != ITEM_OVERFLOW ||
		    v + OVERFLOW_LEN > g->p + BT_PAGE)
			return -1;
		r->first = get32(v + 4, g->swap);
		r->len = get32(v + 8, g->swap);
		if (r->first == 0 || r->len == 0 || r->len > VALUE_MAX)
			return -1;
	}
	return (v[2] & ITEM_DELETED) == 0;
}

static int
inner_key(const struct bt_page *g, unsigned i, struct slice *key_r)
{
	const unsigned char *k = item_at(g, i, INNER_HEAD);
	unsigned n;

	if (k == NULL)
		return -1;
	n = get16(k, g->swap);
	if ((k[2] & 0x7f) != ITEM_KEYDATA ||
	    (size_t)(k - g->p) + INNER_HEAD + n > BT_PAGE)
		return -1;
	*key_r = slice_make((const char *)k + INNER_HEAD, n);
	return 0;
}

int
bt_child(const struct bt_page *g, unsigned i, uint32_t *no_r)
{
	const unsigned char *k;

	if (i >= g->n || (k = item_at(g, i, INNER_HEAD)) == NULL)
		return -1;
	*no_r = get32(k + 4, g->swap);
	return *no_r != 0 ? 0 : -1;
}

/* The first child of an inner page has no key: it has all that is less. */
int
bt_find(const struct bt_page *g, struct slice key, unsigned *i_r)
{
	bool leaf = g->type == BT_LEAF;
	unsigned lo = leaf ? 0 : 1, hi = g->n, mid;
	struct slice k;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((leaf ? row_key(g, mid, &k) : inner_key(g, mid, &k)) < 0)
			return -1;
		c = slice_cmp(k, key);
		if (c == 0) {
			*i_r = mid;
			return 1;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*i_r = leaf ? lo : lo - 1;
	return 0;
}
