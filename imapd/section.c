/* imapd/section.c - the octets of BODY[section]<partial> (RFC 9051 6.4.5.1) */
#include "config.h"

#include "imapd/fetch.h"

enum { PIECE = 64 * 1024 };

/* ---- what a message consists of ---------------------------------------- */

int
fetch_msg_mime(struct fetch_msg *m)
{
	if (m->mime != NULL)
		return 0;
	return store_email_mime(m->st, m->a, m->info->ref, &m->mime);
}

int
fetch_msg_blob(struct fetch_msg *m)
{
	if (m->blob != NULL)
		return 0;
	return store_blob_open_ref(m->st, m->info->ref, &m->blob);
}

void
fetch_msg_release(struct fetch_msg *m)
{
	store_blob_close(&m->blob);
}

/* ---- finding the octets ------------------------------------------------ */

/* HEADER and TEXT of a path are those of the message in that part. */
static const struct mime_part *
section_part(const struct mime_msg *mime, const struct fetch_section *sec)
{
	const struct mime_part *p;

	if (sec->n_path == 0)
		return mime->root;
	p = mime_part_find(mime, sec->path, sec->n_path);
	if (p == NULL || sec->text == SECTION_ALL ||
	    sec->text == SECTION_MIME)
		return p;
	return p->kind == MIME_MESSAGE ? p->child : NULL;
}

void
section_clip(const struct fetch_section *sec, struct fetch_data *d)
{
	uint64_t from;

	if (!sec->partial)
		return;
	from = sec->from < d->len ? sec->from : d->len;
	d->off += from;
	d->len -= from;
	if (d->len > sec->len)
		d->len = sec->len;
	if (d->built)
		d->text = slice_make(d->text.p + from, (size_t)d->len);
}

static bool
all_cached(const struct fetch_section *sec)
{
	for (size_t i = 0; i < sec->n_names; i++)
		if (!mime_header_cached(sec->names[i]))
			return false;
	return sec->text == SECTION_FIELDS;
}

static void
release(void *p)
{
	buf_release(p);
}

static int
prepare_fields(struct fetch_msg *m, const struct fetch_section *sec,
    const struct mime_part *part, struct fetch_data *d)
{
	struct buf *out = arena_alloc(m->a, sizeof(*out));
	struct slice header, raw;
	int rc;

	if (part == m->mime->root && m->mime->cached.p != NULL &&
	    all_cached(sec))
		header = m->mime->cached;
	else {
		if ((rc = fetch_msg_blob(m)) < 0 ||
		    (rc = store_blob_octets(m->blob, &raw)) < 0)
			return rc;
		if (part->header_off > raw.n ||
		    part->header_len > raw.n - part->header_off)
			return STORE_E_CORRUPT;
		header = mime_part_header(part, raw);
	}
	buf_init(out, header.n + 4);
	arena_defer(m->a, release, out);
	if (mime_header_filter(header, sec->names, sec->n_names,
	    sec->text == SECTION_FIELDS_NOT, out) < 0)
		return STORE_E_TOOBIG;
	d->built = true;
	d->text = slice_make(out->p ? out->p : "", out->n);
	d->len = out->n;
	return 0;
}

int
section_prepare(struct fetch_msg *m, const struct fetch_section *sec,
    struct fetch_data *d_r)
{
	const struct mime_part *p;
	struct fetch_data d = { 0 };
	int rc;

	if (sec->n_path == 0 && sec->text == SECTION_ALL)
		d.len = m->info->size;
	else {
		if ((rc = fetch_msg_mime(m)) < 0)
			return rc;
		p = section_part(m->mime, sec);
		if (p == NULL)
			d.nil = true;
		else if (sec->text == SECTION_FIELDS ||
		    sec->text == SECTION_FIELDS_NOT) {
			if ((rc = prepare_fields(m, sec, p, &d)) < 0)
				return rc;
		} else if (sec->text == SECTION_HEADER ||
		    sec->text == SECTION_MIME) {
			d.off = p->header_off;
			d.len = p->header_len;
		} else {
			d.off = p->body_off;
			d.len = p->body_len;
		}
	}
	section_clip(sec, &d);
	if (!d.nil && !d.built && d.len > 0) {
		if ((rc = fetch_msg_blob(m)) < 0)
			return rc;
		if (d.off > store_blob_size(m->blob) ||
		    d.len > store_blob_size(m->blob) - d.off)
			return STORE_E_CORRUPT;
	}
	*d_r = d;
	return 0;
}

/* ---- writing them ------------------------------------------------------ */

void
section_put_label(struct enc *e, const struct fetch_section *sec)
{
	static const char *const text[] = {
		"", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT",
		"MIME"
	};

	enc_raw(e, "[");
	for (size_t i = 0; i < sec->n_path; i++) {
		if (i > 0)
			enc_raw(e, ".");
		enc_u64(e, sec->path[i]);
	}
	if (sec->n_path > 0 && sec->text != SECTION_ALL)
		enc_raw(e, ".");
	enc_raw(e, text[sec->text]);
	if (sec->n_names > 0) {
		enc_open(e);
		for (size_t i = 0; i < sec->n_names; i++) {
			enc_sp(e);
			enc_astring(e, sec->names[i]);
		}
		enc_close(e);
	}
	enc_raw(e, "]");
	if (sec->partial) {
		enc_raw(e, "<");
		enc_u64(e, sec->from);
		enc_raw(e, ">");
	}
}

/* 1: sent from the file; 0: not possible. */
static int
send_file(struct fetch_msg *m, struct enc *e, const struct fetch_data *d)
{
	struct slice all;
	uint64_t off;
	int fd;

	if (d->len < PIECE || e->io == NULL || sio_secure(e->io) ||
	    store_blob_raw(m->blob, d->off, &fd, &off) != 1 ||
	    store_blob_octets(m->blob, &all) < 0 ||
	    all.n < d->off || all.n - d->off < d->len ||
	    memchr(all.p + d->off, '\0', (size_t)d->len) != NULL)
		return 0;
	enc_spill(e);
	return sio_send_file(e->io, fd, off, d->len) < 0 ? STORE_E_IO : 1;
}

int
section_put(struct fetch_msg *m, struct enc *e, const struct fetch_data *d)
{
	uint64_t done = 0;
	char *piece;
	int rc;

	if (d->nil) {
		enc_raw(e, "NIL");
		return 0;
	}
	enc_literal(e, d->len);
	if (d->built) {
		enc_octets(e, d->text);
		return 0;
	}
	if (d->len == 0)
		return 0;
	if ((rc = send_file(m, e, d)) != 0)
		return rc < 0 ? rc : 0;
	piece = arena_alloc(m->a, d->len < PIECE ? (size_t)d->len : PIECE);
	while (done < d->len) {
		size_t n = d->len - done < PIECE ? (size_t)(d->len - done) :
		    PIECE;

		if ((rc = store_blob_read(m->blob, d->off + done, piece,
		    n)) < 0)
			return rc;
		enc_octets(e, slice_make(piece, n));
		done += n;
		if (e->io != NULL && sio_failed(e->io))
			return STORE_E_IO;
	}
	return 0;
}
