/* libstore/email-add.c - bringing mail in: new Emails */
#include "config.h"

#include "libbase/xalloc.h"
#include "libstore/store-int.h"

struct add_item {
	const struct store_new *v;
	const unsigned char *id;	/* blob id */
	struct store_spool *own;	/* made from a blob that isn't parsed */
	struct kv_blob *blob;		/* to be put; or NULL: it is there */
	struct kv_blob *dup;		/* of the present attempt */
	struct msgids ids;
	uint64_t size;
};

struct add_arg {
	struct add_item *item;
	size_t n;
	struct store_added *added;
	bool replace;		/* this goes in the same change */
	uint64_t mailbox;
	uint32_t uid;
};

/* ---- before the transaction -------------------------------------------- */

static void
item_from_spool(struct add_item *it, const struct store_spool *sp)
{
	it->id = spool_hash(sp);
	it->blob = spool_blob(sp);
	it->ids = *spool_msgids(sp);
	it->size = store_spool_size(sp);
}

/* A blob that came as an upload, or whose record is of another version. */
static int
item_reparse(struct store *st, struct add_item *it, const struct row_blob *r)
{
	struct store_blob *b;
	char piece[16384];
	uint64_t off = 0;
	int rc;

	if ((rc = store_blob_open_ref(st, r->ref, &b)) < 0)
		return rc;
	it->own = store_spool_new(st->cf, true, 0);
	while (rc == 0 && off < store_blob_size(b)) {
		size_t n = sizeof(piece);

		if (n > store_blob_size(b) - off)
			n = (size_t)(store_blob_size(b) - off);
		if ((rc = store_blob_read(b, off, piece, n)) == 0)
			rc = store_spool_add(it->own, piece, n);
		off += n;
	}
	store_blob_close(&b);
	if (rc == 0)
		rc = store_spool_done(it->own);
	if (rc == 0)
		item_from_spool(it, it->own);
	return rc;
}

static int
item_from_blob(struct store *st, struct add_item *it)
{
	struct row_blob r;
	struct mime_msg *m;
	struct arena *a;
	struct kv_ref ref;
	struct slice meta;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = blob_row(t, st->ra, it->v->blob->h, &r);
	ro_end(st);
	if (rc < 0)
		return rc;
	if (!(r.marks & ROW_BLOB_PARSED))
		return item_reparse(st, it, &r);
	a = arena_new(0);
	kv_ref_decode(r.ref, &ref);
	if ((rc = kv_blob_meta(st->kv, a, &ref, &meta)) == 0) {
		if (mime_record_decode(meta, a, &m) == 0) {
			msgids_of(m, a, &it->ids);
			it->id = it->v->blob->h;
			it->size = r.size;
		} else {
			rc = item_reparse(st, it, &r);
		}
	}
	arena_free(&a);
	return rc;
}

static int
item_prepare(struct store *st, struct add_item *it)
{
	const struct store_new *v = it->v;

	if (v->n_mailboxes == 0 || v->n_mailboxes > ROW_IN_MAX)
		return STORE_E_INVALID;
	for (size_t i = 0; i < v->n_mailboxes; i++)
		for (size_t j = 0; j < i; j++)
			if (v->mailboxes[i] == v->mailboxes[j])
				return STORE_E_INVALID;
	if (!v->spool)
		return v->blob ? item_from_blob(st, it) : STORE_E_INVALID;
	if (!spool_blob(v->spool) || !spool_is_message(v->spool))
		return STORE_E_INVALID;
	item_from_spool(it, v->spool);
	return 0;
}

/* ---- in the transaction ------------------------------------------------ */

/* Another copy, which has the parsed message beside it, takes its place. */
static int
blob_replace(struct work *w, const struct add_item *it, struct row_blob *r)
{
	struct row_due d = { .state = ROW_DUE_DYING };
	int64_t due = w->now + store_retention(w->st);
	int rc;

	memcpy(d.ref, r->ref, sizeof(d.ref));
	if (r->due != 0 && (rc = work_del(w, row_key_due(r->due, it->id))) < 0)
		return rc;
	r->due = 0;
	return due_add(w, it->id, &d, &due);
}

static int
add_blob(struct work *w, struct add_item *it, struct row_blob *r)
{
	struct kv_ref ref;
	int rc;

	rc = blob_row(w->t, w->a, it->id, r);
	if (rc == STORE_E_NOTFOUND && it->blob) {
		memset(r, 0, sizeof(*r));
	} else if (rc < 0) {
		return rc;
	} else if (r->marks & ROW_BLOB_PARSED || !it->blob) {
		return blob_use(w, it->id, r);
	} else if ((rc = blob_replace(w, it, r)) < 0) {
		return rc;
	}
	kv_blob_free(&it->dup);
	it->dup = kv_blob_dup(it->blob);
	if ((rc = kv_blob_put(w->t, it->dup, &ref)) < 0)
		return rc;
	kv_ref_encode(&ref, r->ref);
	r->marks = ROW_BLOB_PARSED;
	r->size = it->size;
	return blob_use(w, it->id, r);
}

static int
add_one(struct work *w, struct add_item *it, struct store_added *added,
    bool quota)
{
	const struct store_new *v = it->v;
	struct email_seed s = { 0 };
	struct w_mailbox *m;
	struct row_blob r;
	struct w_email *e;
	uint32_t uid;
	int rc;

	if ((rc = keywords_known(w, v->flags)) < 0 ||
	    (quota && (rc = quota_room(w, it->size)) < 0))
		return rc;
	/* Before a blob is written for nothing. */
	for (size_t i = 0; i < v->n_mailboxes; i++)
		if ((rc = w_mailbox(w, v->mailboxes[i], &m)) < 0)
			return rc;
	if (v->once.n > 0 && (rc = once_claim(w, v->mailboxes[0], v->once,
	    v->received_at == INT64_MIN ? w->now : v->received_at,
	    v->once_s)) < 0)
		return rc;
	if ((rc = add_blob(w, it, &r)) < 0)
		return rc;
	s.blob = it->id;
	s.ref = r.ref;
	s.size = it->size;
	s.received = v->received_at == INT64_MIN ? w->now : v->received_at;
	s.ids = &it->ids;
	if ((rc = email_make(w, &s, &e)) < 0)
		return rc;
	for (size_t i = 0; i < v->n_mailboxes; i++) {
		if ((rc = w_mailbox(w, v->mailboxes[i], &m)) < 0)
			return rc;
		if (i == 0 && v->uid > m->row.uidnext)
			m->row.uidnext = v->uid;
		if ((rc = email_join(w, e, m, v->flags, &uid)) < 0)
			return rc;
		if (i == 0)
			added->uid = uid;
	}
	added->email = e->id;
	added->thread = e->row.thread;
	added->size = it->size;
	memcpy(added->blob.h, it->id, sizeof(added->blob.h));
	return 0;
}

/* First it is added: the new one may be of the old one's thread. */
static int
replace(struct work *w, struct add_arg *add)
{
	uint64_t size = w->head.size, messages = w->head.messages;
	struct w_mailbox *m;
	struct w_msg g = { 0 };
	int rc;

	if ((rc = w_mailbox(w, add->mailbox, &m)) < 0 ||
	    (rc = w_msg(w, m, add->uid, &g)) < 0 ||
	    (rc = add_one(w, &add->item[0], &add->added[0], false)) < 0)
		return rc;
	/* It may be in the same chunk. */
	g = (struct w_msg){ 0 };
	if ((rc = w_mailbox(w, add->mailbox, &m)) < 0 ||
	    (rc = w_msg(w, m, add->uid, &g)) < 0 ||
	    (rc = msg_remove(w, &g)) < 0)
		return rc;
	return quota_after(w, size, messages);
}

static int
add_all(struct work *w, void *arg)
{
	struct add_arg *add = arg;
	int rc;

	if (add->replace)
		return replace(w, add);
	for (size_t i = 0; i < add->n; i++)
		if ((rc = add_one(w, &add->item[i], &add->added[i], true)) < 0)
			return rc;
	return 0;
}

static int
add_run(struct store *st, struct add_arg *add, const struct store_new *v,
    struct store_added *added_r, uint64_t *modseq_r)
{
	size_t n = add->n;
	int rc = 0;

	add->item = xcalloc(n ? n : 1, sizeof(*add->item));
	add->added = xcalloc(n ? n : 1, sizeof(*add->added));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		add->item[i].v = &v[i];
		rc = item_prepare(st, &add->item[i]);
	}
	if (rc == 0)
		rc = store_run(st, 0, add_all, add, modseq_r);
	if (rc == 0 && added_r)
		memcpy(added_r, add->added, n * sizeof(*added_r));
	for (size_t i = 0; i < n; i++) {
		kv_blob_free(&add->item[i].dup);
		store_spool_free(&add->item[i].own);
	}
	xfree(add->item);
	xfree(add->added);
	return rc;
}

int
store_email_add(struct store *st, const struct store_new *v, size_t n,
    struct store_added *added_r, uint64_t *modseq_r)
{
	struct add_arg add = { .n = n };

	return add_run(st, &add, v, added_r, modseq_r);
}

int
store_email_replace(struct store *st, const struct store_new *v,
    uint64_t mailbox, uint32_t uid, struct store_added *added_r,
    uint64_t *modseq_r)
{
	struct add_arg add = {
		.n = 1, .replace = true, .mailbox = mailbox, .uid = uid
	};

	return add_run(st, &add, v, added_r, modseq_r);
}
