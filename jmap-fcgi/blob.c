/* jmap-fcgi/blob.c - blobs and parts of blobs by their JMAP ids */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "jmap-fcgi/blob.h"
#include "libbase/xalloc.h"

enum { PIECE = 64 << 10, HASH_TEXT = STORE_BLOBID_LEN - 1 };

void
blob_part_text(const struct store_blobid *parent, const struct mime_part *p,
    char out[BLOB_TEXT_MAX])
{
	char id[STORE_BLOBID_LEN + 1];

	store_blobid_text(parent, id);
	snprintf(out, BLOB_TEXT_MAX, "P%s_%" PRIx64 "_%" PRIx64 "_%x",
	    id + 1, p->body_off, p->body_len, (unsigned)p->encoding);
}

/* The part that has exactly this id. */
static int
find_part(struct blob *b, const struct mime_limits *lim, struct slice text)
{
	struct arena *a;
	struct mime_msg *m;
	struct mime_part *p;
	struct slice raw;
	int rc;

	if ((rc = store_blob_octets(b->b, &raw)) < 0)
		return rc;
	a = arena_new(0);
	mime_parse(raw, lim, a, &m);
	rc = STORE_E_NOTFOUND;
	for (p = m->root; p != NULL; p = mime_part_next(p)) {
		char id[BLOB_TEXT_MAX];

		blob_part_text(&b->id, p, id);
		if (p->kind == MIME_MULTIPART ||
		    !slice_eq(text, slice_str(id)))
			continue;
		b->off = p->body_off;
		b->len = p->body_len;
		b->enc = p->encoding;
		rc = 0;
		break;
	}
	arena_free(&a);
	return rc;
}

/* Counts what decoding gives. */
static int
measure(void *arg, const void *p, size_t n)
{
	uint64_t *size = arg;

	(void)p;
	*size += n;
	return 0;
}

int
blob_open(struct store *st, const struct mime_limits *lim, struct slice text,
    struct blob *b_r)
{
	char whole[STORE_BLOBID_LEN];
	int rc;

	memset(b_r, 0, sizeof(*b_r));
	if (text.n < STORE_BLOBID_LEN || text.n >= BLOB_TEXT_MAX)
		return STORE_E_NOTFOUND;
	b_r->is_part = text.p[0] == 'P';
	if (!b_r->is_part && text.n != STORE_BLOBID_LEN)
		return STORE_E_NOTFOUND;
	memcpy(whole, text.p, sizeof(whole));
	if (b_r->is_part)
		whole[0] = 'G';
	if (store_blobid_from(slice_make(whole, sizeof(whole)),
	    &b_r->id) < 0)
		return STORE_E_NOTFOUND;
	if ((rc = store_blob_open(st, &b_r->id, &b_r->b)) < 0)
		return rc;
	b_r->len = b_r->size = store_blob_size(b_r->b);
	b_r->enc = MIME_ENC_BINARY;
	if (b_r->is_part) {
		rc = find_part(b_r, lim, text);
		b_r->size = 0;
		if (rc == 0)
			rc = blob_each(b_r, measure, &b_r->size);
	}
	if (rc < 0)
		blob_close(b_r);
	return rc;
}

void
blob_close(struct blob *b)
{
	if (b->b != NULL)
		store_blob_close(&b->b);
}

/* One piece through the decoder to fn. */
static int
decode(struct mime_decoder *d, struct slice in, struct buf *out,
    int (*fn)(void *arg, const void *p, size_t n), void *arg)
{
	buf_reset(out);
	if ((in.p != NULL ? mime_decoder_feed(d, in, out) :
	    mime_decoder_finish(d, out)) < 0)
		return STORE_E_NOMEM;
	return out->n > 0 ? fn(arg, out->p, out->n) : 0;
}

int
blob_each(struct blob *b, int (*fn)(void *arg, const void *p, size_t n),
    void *arg)
{
	bool plain = b->enc < MIME_ENC_BASE64 || b->enc == MIME_ENC_UNKNOWN;
	char *p = xmalloc(PIECE);
	struct mime_decoder d;
	struct buf out;
	int rc = 0;

	buf_init(&out, 4 * PIECE);
	mime_decoder_init(&d, b->enc);
	for (uint64_t at = 0; at < b->len && rc >= 0; at += PIECE) {
		size_t n = b->len - at < PIECE ? (size_t)(b->len - at) : PIECE;

		rc = store_blob_read(b->b, b->off + at, p, n);
		if (rc >= 0 && plain)
			rc = fn(arg, p, n);
		else if (rc >= 0)
			rc = decode(&d, slice_make(p, n), &out, fn, arg);
	}
	if (rc >= 0 && !plain)
		rc = decode(&d, slice_make(NULL, 0), &out, fn, arg);
	buf_release(&out);
	xfree(p);
	return rc < 0 ? rc : 0;
}
