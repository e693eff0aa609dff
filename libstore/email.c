/* libstore/email.c - Emails: reading them */
#include "config.h"

#include "libstore/store-int.h"

static int
memberships_read(struct kv_txn *t, const struct row_email *r,
    struct store_email *e)
{
	struct row_hot h;
	struct row_cold d;
	size_t dead = 0;
	int rc;

	for (size_t i = 0; i < r->n_in; i++) {
		struct store_membership *m = &e->in[i];

		rc = msg_read(t, r->in[i].mailbox, r->in[i].uid, &h, &d);
		if (rc == STORE_E_NOTFOUND) {
			dead++;
			continue;
		}
		if (rc < 0)
			return rc;
		m->mailbox = r->in[i].mailbox;
		m->uid = h.uid;
		m->modseq = h.modseq;
		m->deleted = (h.flags & STORE_DELETED) != 0;
		m->saved_at = d.saved;
		e->flags = h.flags & FLAG_KEYWORDS;
		if (h.modseq > e->modseq)
			e->modseq = h.modseq;
		if (d.email != e->id)
			return STORE_E_CORRUPT;
	}
	if (dead == r->n_in)
		return STORE_E_NOTFOUND;
	return dead == 0 ? 0 : STORE_E_CORRUPT;
}

int
store_email_get(struct store *st, struct arena *a, uint64_t id,
    struct store_email *e_r)
{
	struct store_email e = { .id = id };
	struct row_email r;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = email_read(t, a, id, &r)) == 0) {
		e.thread = r.thread;
		memcpy(e.blob.h, r.blob, sizeof(e.blob.h));
		memcpy(e.ref, r.ref, sizeof(e.ref));
		e.size = r.size;
		e.received_at = r.received;
		e.modseq = r.modseq;
		e.n_in = r.n_in;
		e.in = arena_calloc(a, r.n_in, sizeof(*e.in));
		rc = memberships_read(t, &r, &e);
	}
	ro_end(st);
	if (rc < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(st, "email", id) : rc;
	*e_r = e;
	return 0;
}

/* ---- the parsed message ------------------------------------------------ */

/* From the octets: the record is missing or was written by another version. */
static int
mime_reparse(struct store *st, struct arena *a, const unsigned char ref[16],
    struct mime_msg **m_r)
{
	struct store_blob *b;
	struct slice raw;
	char *copy;
	int rc;

	if ((rc = store_blob_open_ref(st, ref, &b)) < 0)
		return rc;
	copy = arena_alloc(a, (size_t)store_blob_size(b));
	rc = store_blob_read(b, 0, copy, (size_t)store_blob_size(b));
	raw = slice_make(copy, (size_t)store_blob_size(b));
	store_blob_close(&b);
	if (rc < 0)
		return rc;
	if (mime_parse(raw, &st->cf->mime, a, m_r) < 0)
		return STORE_E_CORRUPT;
	mime_measure(*m_r, raw, a);
	return 0;
}

int
store_email_mime(struct store *st, struct arena *a,
    const unsigned char ref[16], struct mime_msg **m_r)
{
	struct kv_ref r;
	struct slice meta;
	int rc;

	st->err[0] = '\0';
	row_version_clear();
	kv_ref_decode(ref, &r);
	if ((rc = kv_blob_meta(st->kv, a, &r, &meta)) < 0)
		return rc;
	if (meta.n > 0 && mime_record_decode(meta, a, m_r) == 0)
		return 0;
	return mime_reparse(st, a, ref, m_r);
}
