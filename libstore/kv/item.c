/* libstore/kv/item.c - the items of a pack: headers, checks */
#include "config.h"

#include "libbase/io.h"
#include "libstore/kv/be.h"
#include "libstore/kv/item.h"

/* The magic is outside of the header's checksum, so that a blob is deleted by
 * writing these four octets alone. */
static const uint32_t magic_blob = 0x43754262;	  /* CuBb */
static const uint32_t magic_deleted = 0x43754264; /* CuBd */
static const uint32_t magic_record = 0x43755263;  /* CuRc */
static const uint32_t magic_dead = 0x43754476;	  /* CuDv */

uint64_t
item_frames(const struct item *it)
{
	return it->raw / ITEM_FRAME + (it->raw % ITEM_FRAME != 0);
}

uint64_t
item_body(const struct item *it)
{
	return ITEM_HEAD + it->meta_len + item_frames(it) * ITEM_FRAME_HEAD;
}

void
item_encode(const struct item *it, unsigned char out[ITEM_HEAD])
{
	memset(out, 0, ITEM_HEAD);
	be32_put(out, it->kind == ITEM_RECORD ? magic_record :
		it->kind == ITEM_DEAD	      ? magic_dead :
		it->deleted		      ? magic_deleted :
						magic_blob);
	out[8] = it->codec;
	out[9] = it->punched;
	be64_put(out + 16, it->len);
	be64_put(out + 24, it->raw);
	be64_put(out + 32, it->stored);
	be32_put(out + 40, it->meta_len);
	be32_put(out + 44, it->meta_crc);
	be32_put(out + 48, it->table_crc);
	be32_put(out + 4, crc32c(0, out + 8, ITEM_HEAD - 8));
}

/* Do the lengths agree with one another? */
static int
lengths_ok(const struct item *it)
{
	uint64_t need = ITEM_HEAD, max = UINT64_C(1) << 48;

	if (it->len < ITEM_HEAD || it->len % ITEM_ALIGN != 0 || it->len > max)
		return 0;
	if (it->kind == ITEM_DEAD)
		return 1;
	if (it->raw > max || it->stored > max || it->meta_len > ITEM_META_MAX)
		return 0;
	if (it->kind == ITEM_BLOB)
		need = item_body(it) + it->stored;
	else
		need += it->meta_len;
	if (it->stored > it->raw || (it->raw > 0 && it->stored == 0))
		return 0;
	if (it->codec == ITEM_RAW && it->stored != it->raw)
		return 0;
	return need <= it->len && it->len - need < ITEM_ALIGN;
}

int
item_decode(const unsigned char in[ITEM_HEAD], struct item *it_r)
{
	uint32_t magic = be32_get(in);
	struct item it = { 0 };

	if (magic == magic_blob || magic == magic_deleted)
		it.kind = ITEM_BLOB;
	else if (magic == magic_record)
		it.kind = ITEM_RECORD;
	else if (magic == magic_dead)
		it.kind = ITEM_DEAD;
	else
		return -1;
	if (be32_get(in + 4) != crc32c(0, in + 8, ITEM_HEAD - 8))
		return -1;
	it.deleted = magic == magic_deleted;
	it.codec = in[8];
	it.punched = in[9] != 0;
	it.len = be64_get(in + 16);
	it.raw = be64_get(in + 24);
	it.stored = be64_get(in + 32);
	it.meta_len = be32_get(in + 40);
	it.meta_crc = be32_get(in + 44);
	it.table_crc = be32_get(in + 48);
	if (it.codec > ITEM_ZSTD || !lengths_ok(&it))
		return -1;
	*it_r = it;
	return 0;
}

int
item_verify(struct slice s, struct item *it_r)
{
	struct item it;
	uint64_t n, off, sum = 0;
	const unsigned char *p = (const unsigned char *)s.p;

	if (s.n < ITEM_HEAD || item_decode(p, &it) < 0 || it.len > s.n)
		return -1;
	if (it.kind == ITEM_DEAD)
		goto good;
	if (crc32c(0, p + ITEM_HEAD, it.meta_len) != it.meta_crc)
		return -1;
	if (it.kind == ITEM_RECORD)
		goto good;
	n = item_frames(&it);
	off = item_body(&it);
	if (crc32c(0, p + ITEM_HEAD + it.meta_len, n * ITEM_FRAME_HEAD) !=
	    it.table_crc)
		return -1;
	for (uint64_t i = 0; i < n; i++) {
		struct item_frame f;

		item_frame_decode(p + ITEM_HEAD + it.meta_len +
			i * ITEM_FRAME_HEAD, &f);
		if (f.stored > it.stored - sum ||
		    crc32c(0, p + off + sum, f.stored) != f.crc)
			return -1;
		sum += f.stored;
	}
	if (sum != it.stored)
		return -1;
good:
	*it_r = it;
	return 0;
}

void
item_frame_encode(const struct item_frame *f,
    unsigned char out[ITEM_FRAME_HEAD])
{
	be32_put(out, f->stored);
	be32_put(out + 4, f->crc);
}

void
item_frame_decode(const unsigned char in[ITEM_FRAME_HEAD],
    struct item_frame *f)
{
	f->stored = be32_get(in);
	f->crc = be32_get(in + 4);
}
