/* libstore/blob.c - blobs: their names, who uses them, reading them */
#include "config.h"

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

/* ---- names ------------------------------------------------------------- */

void
store_blobid_text(const struct store_blobid *b, char out[STORE_BLOBID_LEN + 1])
{
	struct buf t;

	buf_init(&t, STORE_BLOBID_LEN);
	buf_addc(&t, 'G');
	base64url_encode(&t, slice_make((const char *)b->h, sizeof(b->h)));
	memcpy(out, t.p, STORE_BLOBID_LEN);
	out[STORE_BLOBID_LEN] = '\0';
	buf_release(&t);
}

static int
base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int
store_blobid_from(struct slice s, struct store_blobid *b_r)
{
	if (s.n != STORE_BLOBID_LEN || s.p[0] != 'G')
		return -1;
	for (int i = 0; i < 8; i++) {
		uint32_t v = 0;

		for (int j = 0; j < 4; j++) {
			int d = base64url_value(s.p[1 + i * 4 + j]);

			if (d < 0)
				return -1;
			v = v << 6 | (uint32_t)d;
		}
		b_r->h[i * 3] = (unsigned char)(v >> 16);
		b_r->h[i * 3 + 1] = (unsigned char)(v >> 8);
		b_r->h[i * 3 + 2] = (unsigned char)v;
	}
	return 0;
}

/* ---- rows -------------------------------------------------------------- */

int
blob_row(struct kv_txn *t, struct arena *a,
    const unsigned char id[ROW_BLOBID_LEN], struct row_blob *r_r)
{
	struct row_key k = row_key_blob(id);
	struct slice v;
	int rc;

	if ((rc = kv_get(t, a, row_key(&k), &v)) < 0)
		return rc;
	return row_blob_get(v, r_r);
}

int
blob_save(struct work *w, const unsigned char id[ROW_BLOBID_LEN],
    const struct row_blob *r)
{
	row_blob_put(&w->st->val, r);
	return work_put(w, row_key_blob(id));
}

int64_t
store_retention(const struct store *st)
{
	return st->cf->retention_s ? st->cf->retention_s : 7 * 86400;
}

int
due_add(struct work *w, const unsigned char id[ROW_BLOBID_LEN],
    const struct row_due *d, int64_t *due)
{
	struct slice v;
	int rc;

	/* The same content may be in the queue with another reference. */
	while ((rc = work_get(w, row_key_due(*due, id), &v)) == 0)
		++*due;
	if (rc != STORE_E_NOTFOUND)
		return rc;
	row_due_put(&w->st->val, d);
	return work_put(w, row_key_due(*due, id));
}

int
blob_use(struct work *w, const unsigned char id[ROW_BLOBID_LEN],
    struct row_blob *r)
{
	int rc;

	if (r->due != 0 && (rc = work_del(w, row_key_due(r->due, id))) < 0)
		return rc;
	if (r->count == UINT32_MAX)
		return STORE_E_LIMIT;
	r->due = 0;
	r->count++;
	return blob_save(w, id, r);
}

int
blob_unuse(struct work *w, const unsigned char id[ROW_BLOBID_LEN])
{
	struct row_due d = { .state = ROW_DUE_WAITING };
	struct row_blob r;
	int rc;

	if ((rc = blob_row(w->t, w->a, id, &r)) < 0 || r.count == 0)
		return rc == STORE_E_NOTFOUND || rc == 0 ?
		    store_corrupt(w->st, "blob", 0) : rc;
	if (--r.count == 0) {
		/* It was kept with the Email that is swept now. */
		r.due = w->now;
		memcpy(d.ref, r.ref, sizeof(d.ref));
		if ((rc = due_add(w, id, &d, &r.due)) < 0)
			return rc;
	}
	return blob_save(w, id, &r);
}

/* ---- uploads ----------------------------------------------------------- */

struct upload_arg {
	struct store_spool *sp;
	struct kv_blob *b;
};

static int
upload_put(struct work *w, struct upload_arg *u, struct row_blob *r)
{
	struct kv_ref ref;
	int rc;

	kv_blob_free(&u->b);
	u->b = kv_blob_dup(spool_blob(u->sp));
	if ((rc = kv_blob_put(w->t, u->b, &ref)) < 0)
		return rc;
	memset(r, 0, sizeof(*r));
	kv_ref_encode(&ref, r->ref);
	r->marks = spool_is_message(u->sp) ? ROW_BLOB_PARSED : 0;
	r->size = store_spool_size(u->sp);
	return 0;
}

static int
upload_one(struct work *w, void *arg)
{
	struct upload_arg *u = arg;
	const unsigned char *id = spool_hash(u->sp);
	struct row_due d = { .state = ROW_DUE_WAITING };
	struct row_blob r;
	uint32_t ttl = w->st->cf->upload_ttl_s;
	int64_t due = w->now + (ttl ? ttl : 86400);
	int rc;

	rc = blob_row(w->t, w->a, id, &r);
	if (rc == STORE_E_NOTFOUND)
		rc = upload_put(w, u, &r);
	else if (rc == 0 && (r.count > 0 || r.due >= due))
		return 0;
	if (rc < 0)
		return rc;
	if (r.due != 0 && (rc = work_del(w, row_key_due(r.due, id))) < 0)
		return rc;
	r.due = due;
	memcpy(d.ref, r.ref, sizeof(d.ref));
	if ((rc = due_add(w, id, &d, &r.due)) < 0)
		return rc;
	return blob_save(w, id, &r);
}

int
store_upload(struct store *st, struct store_spool *sp,
    struct store_blobid *blob_r)
{
	struct upload_arg u = { .sp = sp };
	int rc;

	if (!spool_blob(sp))
		return STORE_E_INVALID;
	rc = store_run(st, 0, upload_one, &u, NULL);
	kv_blob_free(&u.b);
	if (rc == 0)
		memcpy(blob_r->h, spool_hash(sp), sizeof(blob_r->h));
	return rc;
}

/* ---- reading ----------------------------------------------------------- */

struct store_blob {
	struct kv_reader *r;
	char *octets;
};

static int
blob_open(struct store *st, const unsigned char ref[ROW_REF_LEN],
    struct store_blob **b_r)
{
	struct store_blob *b = xcalloc(1, sizeof(*b));
	struct kv_ref r;
	int rc;

	kv_ref_decode(ref, &r);
	if ((rc = kv_reader_open(st->kv, &r, &b->r)) < 0) {
		xfree(b);
		return rc;
	}
	*b_r = b;
	return 0;
}

int
store_blob_open(struct store *st, const struct store_blobid *id,
    struct store_blob **b_r)
{
	struct row_blob r;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = blob_row(t, st->ra, id->h, &r);
	ro_end(st);
	if (rc < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(st, "blob", 0) : rc;
	return blob_open(st, r.ref, b_r);
}

int
store_blob_open_ref(struct store *st, const unsigned char ref[16],
    struct store_blob **b_r)
{
	st->err[0] = '\0';
	row_version_clear();
	return blob_open(st, ref, b_r);
}

void
store_blob_close(struct store_blob **b)
{
	if (!*b)
		return;
	kv_reader_close(&(*b)->r);
	xfree((*b)->octets);
	xfree(*b);
	*b = NULL;
}

uint64_t
store_blob_size(const struct store_blob *b)
{
	return kv_reader_size(b->r);
}

int
store_blob_read(struct store_blob *b, uint64_t off, void *p, size_t n)
{
	return kv_reader_read(b->r, off, p, n);
}

int
store_blob_raw(struct store_blob *b, uint64_t off, int *fd_r,
    uint64_t *fd_off_r)
{
	return kv_reader_raw(b->r, off, fd_r, fd_off_r);
}

int
store_blob_octets(struct store_blob *b, struct slice *s_r)
{
	size_t n = (size_t)kv_reader_size(b->r);
	int rc;

	if (!b->octets) {
		b->octets = xmalloc(n ? n : 1);
		if ((rc = kv_reader_read(b->r, 0, b->octets, n)) < 0) {
			xfree(b->octets);
			b->octets = NULL;
			return rc;
		}
	}
	*s_r = slice_make(b->octets, n);
	return 0;
}
