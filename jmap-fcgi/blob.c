/* jmap-fcgi/blob.c - blobs and parts of blobs by their JMAP ids */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/blob.h"
#include "libbase/xalloc.h"

enum { PIECE = 64 << 10 };

static void
part_text(const char *prefix, size_t n, uint64_t base,
    const struct mime_part *p, char out[BLOB_TEXT_MAX])
{
	snprintf(out, BLOB_TEXT_MAX, "%.*s_%" PRIx64 "_%" PRIx64 "_%x",
	    (int)n, prefix, base + p->body_off, p->body_len,
	    (unsigned)p->encoding);
}

void
blob_part_text(const struct store_blobid *parent, const struct mime_part *p,
    char out[BLOB_TEXT_MAX])
{
	char id[STORE_BLOBID_LEN + 1];

	store_blobid_text(parent, id);
	id[0] = 'P';
	part_text(id, STORE_BLOBID_LEN, 0, p, out);
}

static bool
is_plain(const struct blob *b)
{
	return b->enc < MIME_ENC_BASE64 || b->enc == MIME_ENC_UNKNOWN;
}

/* Where the n-th "_" after the whole's id is; text.n: there are fewer. */
static size_t
mark(struct slice text, unsigned n)
{
	size_t i;

	for (i = STORE_BLOBID_LEN; i < text.n; i++)
		if (text.p[i] == '_' && n-- == 0)
			break;
	return i;
}

int
blob_inner_text(const struct blob *b, const struct mime_part *p,
    char out[BLOB_TEXT_MAX])
{
	struct slice own = slice_str(b->text);

	if (!b->is_part) {
		blob_part_text(&b->id, p, out);
		return 0;
	}
	/* Octets of the same message, or of the same nested one. */
	if (is_plain(b)) {
		part_text(own.p, mark(own, b->nested ? 3 : 0), b->off, p, out);
		return 0;
	}
	if (b->nested)
		return -1;
	part_text(own.p, own.n, 0, p, out);
	return 0;
}

/* The part of raw that has exactly this id, which begins with prefix. */
static int
find_part(struct blob *b, const struct mime_limits *lim, struct slice raw,
    struct slice prefix, struct slice text)
{
	struct arena *a = arena_new(0);
	struct mime_msg *m;
	struct mime_part *p;
	int rc = STORE_E_NOTFOUND;

	mime_parse(raw, lim, a, &m);
	for (p = m->root; p != NULL; p = mime_part_next(p)) {
		char id[BLOB_TEXT_MAX];

		part_text(prefix.p, prefix.n, 0, p, id);
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

/* text is that of a part, or of a part of one. */
static int
open_part(struct blob *b, const struct mime_limits *lim, struct slice text)
{
	struct slice outer = slice_make(text.p, mark(text, 3)), raw;
	int rc;

	if ((rc = store_blob_octets(b->b, &raw)) < 0)
		return rc;
	rc = find_part(b, lim, raw, slice_make(text.p, STORE_BLOBID_LEN),
	    outer);
	if (rc < 0 || outer.n == text.n)
		return rc;
	if (is_plain(b))
		return STORE_E_NOTFOUND;
	if ((rc = blob_octets(b, &raw)) < 0)
		return rc;
	b->outer = b->decoded;
	memset(&b->decoded, 0, sizeof(b->decoded));
	b->nested = true;
	return find_part(b, lim, raw, outer, text);
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
	int rc = 0;

	memset(b_r, 0, sizeof(*b_r));
	if (text.n < STORE_BLOBID_LEN || text.n >= BLOB_TEXT_MAX)
		return STORE_E_NOTFOUND;
	b_r->is_part = text.p[0] == 'P';
	if (!b_r->is_part && text.n != STORE_BLOBID_LEN)
		return STORE_E_NOTFOUND;
	memcpy(b_r->text, text.p, text.n);
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
		rc = open_part(b_r, lim, text);
		b_r->size = 0;
		if (rc == 0)
			rc = blob_each(b_r, measure, &b_r->size);
	}
	if (rc < 0)
		blob_close(b_r);
	return rc;
}

int
blob_open_in(struct account *ac, const struct mime_limits *lim,
    struct slice text, struct blob *b_r)
{
	int rc = blob_open(ac->st, lim, text, b_r);

	if (rc == 0 && !account_has_blob(ac, &b_r->id,
	    store_blob_size(b_r->b))) {
		blob_close(b_r);
		rc = STORE_E_NOTFOUND;
	}
	return rc;
}

void
blob_close(struct blob *b)
{
	if (b->b != NULL)
		store_blob_close(&b->b);
	buf_release(&b->outer);
	buf_release(&b->decoded);
}

static int
add_octets(void *arg, const void *p, size_t n)
{
	return buf_add(arg, p, n) < 0 ? STORE_E_NOMEM : 0;
}

int
blob_octets(struct blob *b, struct slice *s_r)
{
	struct slice raw = buf_slice(&b->outer);
	int rc;

	if (is_plain(b)) {
		if (!b->nested && (rc = store_blob_octets(b->b, &raw)) < 0)
			return rc;
		if (b->off > raw.n || b->len > raw.n - b->off)
			return STORE_E_CORRUPT;
		*s_r = b->len > 0 ? slice_make(raw.p + b->off, b->len) :
		    SLICE_LIT("");
		return 0;
	}
	if (b->decoded.p == NULL) {
		buf_init(&b->decoded, SIZE_MAX / 2);
		if ((rc = blob_each(b, add_octets, &b->decoded)) < 0)
			return rc;
	}
	*s_r = b->decoded.n > 0 ? buf_slice(&b->decoded) : SLICE_LIT("");
	return 0;
}

/* Stored octets. */
static int
read_piece(struct blob *b, uint64_t off, char *p, size_t n)
{
	if (!b->nested)
		return store_blob_read(b->b, off, p, n);
	memcpy(p, b->outer.p + off, n);
	return 0;
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
	bool plain = is_plain(b);
	char *p = xmalloc(PIECE);
	struct mime_decoder d;
	struct buf out;
	int rc = 0;

	buf_init(&out, 4 * PIECE);
	mime_decoder_init(&d, b->enc);
	for (uint64_t at = 0; at < b->len && rc >= 0; at += PIECE) {
		size_t n = b->len - at < PIECE ? (size_t)(b->len - at) : PIECE;

		rc = read_piece(b, b->off + at, p, n);
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

struct range {
	uint64_t skip, left;
	int (*fn)(void *arg, const void *p, size_t n);
	void *arg;
};
enum { RANGE_END = -1000 };	/* no enum store_rc */

static int
range_piece(void *arg, const void *p, size_t n)
{
	struct range *r = arg;
	const char *at = p;
	int rc = 0;

	if (n <= r->skip) {
		r->skip -= n;
		return 0;
	}
	at += r->skip;
	n -= (size_t)r->skip;
	r->skip = 0;
	n = n < r->left ? n : (size_t)r->left;
	r->left -= n;
	if (n > 0)
		rc = r->fn(r->arg, at, n);
	return rc == 0 && r->left == 0 ? RANGE_END : rc;
}

int
blob_range(struct blob *b, uint64_t off, uint64_t len,
    int (*fn)(void *arg, const void *p, size_t n), void *arg)
{
	struct range r = { off, len, fn, arg };
	struct blob some = *b;
	int rc;

	if (len == 0)
		return 0;
	if (is_plain(b)) {
		some.off += off;
		some.len = len;
		return blob_each(&some, fn, arg);
	}
	rc = blob_each(b, range_piece, &r);
	return rc == RANGE_END ? 0 : rc;
}
