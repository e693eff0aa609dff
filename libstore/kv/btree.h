/* libstore/kv/btree.h - the pages of a base, a Berkeley DB Btree file */
#ifndef STORE_KV_BTREE_H
#define STORE_KV_BTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"

/*
 * Berkeley DB trusts a page as it is, and walks off its end where it is
 * damaged.  So it only writes: each page of the finished file is sealed, in the
 * eight octets where a log's position would be, and reading is done here.
 * Everything takes octets of unknown honesty.
 */
enum {
	BT_PAGE = 4096,
	BT_HEAD = 26,
	BT_OVER = BT_PAGE - BT_HEAD,	/* octets of a value in one page */
	BT_INTERNAL = 3, BT_LEAF = 5, BT_OVERFLOW = 7, BT_META = 9
};

/* Enters the generation of the file and the checksum. */
void bt_seal(unsigned char page[BT_PAGE], uint64_t gen);
/* Is it sealed, of that generation? */
bool bt_sealed(const unsigned char page[BT_PAGE], uint64_t gen);

/* The file's first page: 0, or -1. */
struct bt_meta {
	bool swap;		/* written on a machine of the other order */
	uint32_t root, pages;
};
int bt_meta_decode(const unsigned char page[BT_PAGE], struct bt_meta *m_r);

struct bt_page {
	const unsigned char *p;
	bool swap;
	uint8_t type;
	uint32_t no, prev, next;
	unsigned n;		/* rows, or children */
	unsigned len;		/* BT_OVERFLOW: octets of the value */
};
/* The head of a page: 0, or -1. */
int bt_page_decode(const unsigned char page[BT_PAGE], bool swap,
    struct bt_page *g_r);

/* Row i of a leaf: 1, 0 if it was deleted, or -1.  A value that isn't in the
 * leaf has first != 0: the page where it begins. */
struct bt_row {
	struct slice key, val;
	uint32_t first, len;
};
int bt_row(const struct bt_page *g, unsigned i, struct bt_row *r_r);
/* Child i of an inner page: 0, or -1. */
int bt_child(const struct bt_page *g, unsigned i, uint32_t *no_r);
/* Leaf: the first row with a key that isn't less (*i_r may be n); 1: that very
 * key.  Inner page: the child where the key is.  -1: damaged. */
int bt_find(const struct bt_page *g, struct slice key, unsigned *i_r);

#endif
