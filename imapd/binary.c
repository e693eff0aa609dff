/* imapd/binary.c - parts without their transfer encoding (RFC 3516 4.2) */
#include "config.h"

#include "imapd/fetch.h"

enum { PIECE = 64 * 1024 };

int
binary_prepare(struct fetch_msg *m, const struct fetch_item *item,
    struct fetch_data *d_r)
{
	const struct fetch_section *sec = &item->sec;
	struct fetch_data d = { 0 };
	int rc;

	if ((rc = fetch_msg_mime(m)) < 0)
		return rc;
	if (sec->n_path == 0) {	/* a message as such has no encoding */
		d.len = m->mime->size;
	} else if ((d.part = mime_part_find(m->mime, sec->path,
	    sec->n_path)) == NULL) {
		d.nil = true;
	} else {
		if (d.part->encoding == MIME_ENC_UNKNOWN)
			return STORE_E_INVALID;
		d.len = d.part->decoded_len;
		if (d.len == MIME_SIZE_UNKNOWN)
			return STORE_E_CORRUPT;
	}
	section_clip(sec, &d);
	if (item->kind == FETCH_BINARY && d.len > 0 &&
	    (rc = fetch_msg_blob(m)) < 0)
		return rc;
	*d_r = d;
	return 0;
}

struct window {			/* [off, off + len) of what is decoded */
	struct enc *e;
	uint64_t off, len, at;
};

static void
window_put(struct window *w, struct slice s)
{
	uint64_t from = w->at < w->off ? w->off - w->at : 0;

	w->at += s.n;
	if (from >= s.n)
		return;
	s = slice_make(s.p + from, s.n - (size_t)from);
	if (s.n > w->len)
		s.n = (size_t)w->len;
	w->len -= s.n;
	enc_octets8(w->e, s);
}

/* The part's octets through its decoder, as far as the window wants them. */
static int
decode(struct fetch_msg *m, const struct mime_part *p, struct window *w)
{
	char *piece = arena_alloc(m->a, PIECE);
	struct mime_decoder dec;
	struct buf out;
	uint64_t done = 0;
	int rc = 0;

	/* No decoder makes more than it is fed and what it held back. */
	buf_init(&out, 2 * PIECE);
	mime_decoder_init(&dec, p->encoding);
	while (rc == 0 && done < p->body_len && w->len > 0) {
		size_t n = p->body_len - done < PIECE ?
		    (size_t)(p->body_len - done) : PIECE;

		if ((rc = store_blob_read(m->blob, p->body_off + done, piece,
		    n)) < 0)
			break;
		done += n;
		if (mime_decoder_feed(&dec, slice_make(piece, n), &out) < 0 ||
		    (done == p->body_len &&
		    mime_decoder_finish(&dec, &out) < 0))
			rc = STORE_E_CORRUPT;
		if (out.n > 0)
			window_put(w, buf_slice(&out));
		buf_reset(&out);
		if (w->e->io != NULL && sio_failed(w->e->io))
			rc = STORE_E_IO;
	}
	buf_release(&out);
	/* The literal was announced: it can't end early. */
	return rc == 0 && w->len > 0 ? STORE_E_CORRUPT : rc;
}

int
binary_put(struct fetch_msg *m, struct enc *e, const struct fetch_data *d)
{
	struct window w = { .e = e, .off = d->off, .len = d->len };

	if (d->nil) {
		enc_raw(e, "NIL");
		return 0;
	}
	enc_raw(e, "~");
	enc_literal(e, d->len);
	if (d->len == 0)
		return 0;
	if (d->part == NULL) {
		const struct mime_part all = {
			.encoding = MIME_ENC_BINARY, .body_len = m->mime->size
		};

		return decode(m, &all, &w);
	}
	return decode(m, d->part, &w);
}
