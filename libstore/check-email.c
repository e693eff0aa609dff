/* libstore/check-email.c - verifies Emails, threads, tombstones and blobs */
#include "config.h"

#include "libbase/io.h"
#include "libstore/check.h"

/* ---- counting by a long key -------------------------------------------- */

/* The counter of (a, blob), chained by the low numbers where hashes meet. */
static struct c_count *
counter(struct check *c, struct umap *m, uint64_t hash, uint64_t a,
    const unsigned char *blob)
{
	static const unsigned char none[ROW_BLOBID_LEN];
	struct c_count *k;
	uint32_t i;

	if (!blob)
		blob = none;
	for (i = 0; (k = umap_get(m, hash, i)); i++)
		if (k->a == a && memcmp(k->blob, blob, ROW_BLOBID_LEN) == 0)
			return k;
	k = arena_alloc(c->a, sizeof(*k));
	k->a = a;
	memcpy(k->blob, blob, ROW_BLOBID_LEN);
	umap_add(m, hash, i, k);
	return k;
}

static struct c_count *
blob_counter(struct check *c, const unsigned char *id)
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));
	return counter(c, &c->blobs, h, 0, id);
}

/* ---- Emails ------------------------------------------------------------ */

static void
email_alive_check(struct check *c, const struct row_email *r,
    struct c_email *e)
{
	struct row_hot h;
	struct row_cold d;
	bool ok = r->n_in == e->n_in && r->thread == e->thread &&
	    r->size == e->size && r->received == e->received &&
	    memcmp(r->ref, e->ref, sizeof(e->ref)) == 0;

	for (size_t i = 0; ok && i < r->n_in; i++)
		ok = msg_read(c->t, r->in[i].mailbox, r->in[i].uid, &h,
		    &d) == 0 && d.email == e->id;
	if (!ok)
		check_fault(c, "Email %llx isn't where or what its row says",
		    (unsigned long long)e->id);
	if (r->n_in > 1 && !(e->marks & ROW_MULTI))
		check_fault(c, "Email %llx: not marked as in many mailboxes",
		    (unsigned long long)e->id);
	e->has_row = true;
}

void
check_blob_use(struct check *c, const unsigned char *id)
{
	blob_counter(c, id)->n++;
}

static int
email_check(struct check *c, struct slice key, struct slice val)
{
	struct row_email r;
	struct c_count *n;
	struct c_email *e;
	uint64_t id;
	int rc;

	if (!row_key_get_u64(key, ROW_K_EMAIL, &id))
		return STORE_E_CORRUPT;
	if ((rc = row_email_get(val, c->tmp, &r)) < 0)
		return rc;
	if (row_id_modseq(id) > r.modseq || r.modseq > c->modseq)
		check_fault(c, "Email %llx: modseq out of order",
		    (unsigned long long)id);
	if ((e = umap_get(&c->emails, id, 0)))
		email_alive_check(c, &r, e);
	else
		c->n_dead++;
	for (size_t i = 0; i < r.n_hash; i++)
		counter(c, &c->msgids, r.hash[i], r.thread, NULL)->n++;
	n = blob_counter(c, r.blob);
	n->n++;
	if (e && n->mailbox == 0 && r.n_in > 0) {
		n->mailbox = r.in[0].mailbox;
		n->uid = r.in[0].uid;
	}
	return 0;
}

static struct c_thread *
thread_of(struct check *c, uint64_t id)
{
	struct c_thread *t = umap_get(&c->threads, id, 0);

	if (!t) {
		t = arena_alloc(c->a, sizeof(*t));
		t->id = id;
		umap_add(&c->threads, id, 0, t);
	}
	return t;
}

int
check_emails(struct check *c)
{
	struct c_email *e;
	struct c_thread *t;
	size_t pos = 0;
	int rc;

	if ((rc = check_rows(c, ROW_K_EMAIL, email_check)) < 0)
		return rc;
	while ((e = umap_next(&c->emails, &pos))) {
		if (!e->has_row)
			check_fault(c, "Email %llx has no row",
			    (unsigned long long)e->id);
		t = thread_of(c, e->thread);
		e->next = t->first;
		t->first = e;
		t->emails++;
	}
	return 0;
}

/* ---- threads ----------------------------------------------------------- */

static void
thread_shown(struct check *c, uint64_t mailbox, bool unread)
{
	struct c_mailbox *m = umap_get(&c->mailboxes, mailbox, 0);

	if (m) {
		m->threads++;
		m->unread_threads += unread;
	}
}

/* What an Email of the thread should count. */
static int
thread_add(struct check *c, const struct c_email *e, uint64_t trash,
    struct row_thread *n, uint64_t *sum_r)
{
	uint32_t seen = 0, in_trash = 0;
	struct row_email r;
	struct row_hot h;
	int rc;

	if ((rc = email_read(c->t, c->tmp, e->id, &r)) < 0)
		return rc;
	for (size_t i = 0; i < r.n_in; i++) {
		rc = msg_read(c->t, r.in[i].mailbox, r.in[i].uid, &h, NULL);
		if (rc < 0)
			return rc;
		if (!flags_visible(h.flags))
			continue;
		seen++;
		in_trash += r.in[i].mailbox == trash;
		*sum_r += r.in[i].mailbox;
	}
	n->emails++;
	n->unread += flags_unread(e->flags) && seen > in_trash;
	n->unread_trash += flags_unread(e->flags) && in_trash > 0;
	return 0;
}

static int
thread_recompute(struct check *c, const struct c_thread *t, uint64_t trash,
    struct row_thread *n, uint64_t *sum_r)
{
	int rc;

	memset(n, 0, sizeof(*n));
	*sum_r = 0;
	for (struct c_email *e = t->first; e; e = e->next) {
		if ((rc = thread_add(c, e, trash, n, sum_r)) < 0)
			return rc;
	}
	return 0;
}

static bool
touches(const struct row_thread *r, uint64_t mailbox)
{
	for (size_t i = 0; i < r->n_in; i++)
		if (r->in[i].mailbox == mailbox)
			return true;
	return false;
}

static int
thread_check(struct check *c, struct slice key, struct slice val)
{
	struct row_thread r, n;
	struct c_thread *t;
	uint64_t id, sum, says = 0;
	int rc;

	if (!row_key_get_u64(key, ROW_K_THREAD, &id))
		return STORE_E_CORRUPT;
	if ((rc = row_thread_get(val, c->tmp, &r)) < 0)
		return rc;
	t = thread_of(c, id);
	t->has_row = true;
	if ((rc = thread_recompute(c, t, r.trash, &n, &sum)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	for (size_t i = 0; i < r.n_in; i++) {
		says += r.in[i].mailbox * r.in[i].emails;
		thread_shown(c, r.in[i].mailbox, r.in[i].mailbox == r.trash ?
		    r.unread_trash > 0 : r.unread > 0);
	}
	if (says != sum || n.emails != r.emails || n.unread != r.unread ||
	    n.unread_trash != r.unread_trash)
		check_fault(c, "thread %llx: its header counts wrong",
		    (unsigned long long)id);
	if (r.trash != c->head.trash && !c->jobs &&
	    (touches(&r, r.trash) || touches(&r, c->head.trash)))
		check_fault(c, "thread %llx: counted for another trash",
		    (unsigned long long)id);
	return 0;
}

static int
member_check(struct check *c, struct slice key, struct slice val)
{
	struct c_email *e;
	uint64_t thread, email, when;
	int rc;

	if (!row_key_get_u64_u64(key, ROW_K_MEMBER, &thread, &email))
		return STORE_E_CORRUPT;
	if ((rc = row_u64_get(val, &when)) < 0)
		return rc;
	e = umap_get(&c->emails, email, 0);
	if (!e || e->thread != thread || e->received != (int64_t)when)
		check_fault(c, "thread %llx has no Email %llx",
		    (unsigned long long)thread, (unsigned long long)email);
	thread_of(c, thread)->members++;
	return 0;
}

static int
msgid_check(struct check *c, struct slice key, struct slice val)
{
	uint64_t hash, thread;
	uint32_t n;
	int rc;

	if (!row_key_get_u64_u64(key, ROW_K_MSGID, &hash, &thread))
		return STORE_E_CORRUPT;
	if ((rc = row_u32_get(val, &n)) < 0)
		return rc;
	if (counter(c, &c->msgids, hash, thread, NULL)->n != n)
		check_fault(c, "thread %llx: a message id is counted wrong",
		    (unsigned long long)thread);
	counter(c, &c->msgids, hash, thread, NULL)->n = 0;
	return 0;
}

static void
thread_finish(struct check *c, const struct c_thread *t)
{
	uint8_t want = t->has_row ? ROW_THREADED : 0;

	if (t->members != (t->has_row ? t->emails : 0) ||
	    (!t->has_row && t->emails != 1))
		check_fault(c, "thread %llx: %u Emails, %u members",
		    (unsigned long long)t->id, t->emails, t->members);
	for (struct c_email *e = t->first; e; e = e->next) {
		if ((e->marks & ROW_THREADED) != want)
			check_fault(c, "Email %llx: the mark of its thread",
			    (unsigned long long)e->id);
		if (t->has_row)
			continue;
		if (!e->deleted)
			thread_shown(c, e->mailbox, flags_unread(e->flags));
		if (e->id != t->id || e->n_in != 1)
			check_fault(c, "thread %llx should have a header",
			    (unsigned long long)t->id);
	}
}

int
check_threads(struct check *c)
{
	struct c_thread *t;
	struct c_count *k;
	size_t pos = 0;
	int rc;

	if ((rc = check_rows(c, ROW_K_THREAD, thread_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_MEMBER, member_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_MSGID, msgid_check)) < 0)
		return rc;
	while ((t = umap_next(&c->threads, &pos)))
		thread_finish(c, t);
	for (pos = 0; (k = umap_next(&c->msgids, &pos));)
		if (k->n != 0)
			check_fault(c, "thread %llx: a message id has no row",
			    (unsigned long long)k->a);
	return 0;
}

/* ---- tombstones -------------------------------------------------------- */

static int
tomb_check(void *arg, const struct row_tomb *t)
{
	struct check *c = arg;
	struct c_mailbox *m = umap_get(&c->mailboxes, t->mailbox, 0);

	if (t->kind == ROW_TOMB_MAILBOX) {
		if (m)
			check_fault(c, "mailbox %llx was destroyed",
			    (unsigned long long)t->mailbox);
		return 0;
	}
	if (m && t->uid >= m->row.uidnext)
		check_fault(c, "mailbox %llx: a tombstone of UID %u of the "
		    "future",
		    (unsigned long long)t->mailbox, t->uid);
	if (t->kind == ROW_TOMB_DESTROYED &&
	    umap_get(&c->emails, t->email, 0))
		check_fault(c, "Email %llx was destroyed",
		    (unsigned long long)t->email);
	return 0;
}

static int
tombs_check(struct check *c, struct slice key, struct slice val)
{
	uint64_t modseq;
	uint32_t part;
	int64_t when;

	if (!row_key_get_u64_u32(key, ROW_K_TOMB, &modseq, &part))
		return STORE_E_CORRUPT;
	if (modseq > c->modseq)
		check_fault(c, "tombstones of modseq %llu",
		    (unsigned long long)modseq);
	return row_tombs_get(val, &when, tomb_check, c);
}

int
check_tombs(struct check *c)
{
	return check_rows(c, ROW_K_TOMB, tombs_check);
}

/* ---- blobs ------------------------------------------------------------- */

static int
blob_hash(struct kv_reader *r, unsigned char out[SHA256_LEN])
{
	struct sha256 *h = sha256_new();
	uint64_t off = 0, size = kv_reader_size(r);
	char piece[16384];
	int rc = 0;

	while (rc == 0 && off < size) {
		size_t n = sizeof(piece);

		if (n > size - off)
			n = (size_t)(size - off);
		if ((rc = kv_reader_read(r, off, piece, n)) == 0)
			sha256_add(h, piece, n);
		off += n;
	}
	sha256_finish(&h, out);
	return rc;
}

/* Is it still what the newest rows tell?  It may have been swept. */
static bool
blob_is_now(struct check *c, const unsigned char *id, const struct row_blob *b)
{
	struct kv_txn *t = NULL;
	struct row_blob now;
	struct kv *kv;
	bool same = true;

	if (kv_reopen(c->st->kv, &kv) < 0)
		return true;
	if (kv_begin(kv, KV_RO, &t) == 0) {
		same = blob_row(t, c->tmp, id, &now) == 0 &&
		    memcmp(now.ref, b->ref, sizeof(now.ref)) == 0;
		kv_abort(&t);
	}
	kv_close(&kv);
	return same;
}

/* Whose octets they are, and what is wrong with them. */
static void
blob_fault(struct check *c, const unsigned char *id, const struct row_blob *b,
    const char *what)
{
	struct c_count *n = blob_counter(c, id);
	struct c_mailbox *m = umap_get(&c->mailboxes, n->mailbox, 0);
	struct kv_ref ref;

	if (!blob_is_now(c, id, b))
		return;
	kv_ref_decode(b->ref, &ref);
	if (m)
		check_fault(c, "mailbox %.*s, UID %u: the message %s "
		    "(pack.%u at %llu)", (int)m->row.name.n, m->row.name.p,
		    n->uid, what, ref.pack, (unsigned long long)ref.off);
	else
		check_fault(c, "a blob of %llu octets, in no mailbox, %s "
		    "(pack.%u at %llu)", (unsigned long long)b->size, what,
		    ref.pack, (unsigned long long)ref.off);
}

static bool
not_readable(int rc)
{
	return rc == STORE_E_IO || rc == STORE_E_NOMEM;
}

/* Negative: it can't be read just now, which isn't the blob's fault. */
static int
blob_read_check(struct check *c, const unsigned char *id,
    const struct row_blob *b)
{
	unsigned char hash[SHA256_LEN];
	struct kv_reader *r;
	struct mime_msg *m;
	struct kv_ref ref;
	int rc;

	kv_ref_decode(b->ref, &ref);
	if ((rc = kv_reader_open(c->st->kv, &ref, &r)) < 0) {
		if (not_readable(rc))
			return rc;
		blob_fault(c, id, b, "can't be read");
		return 0;
	}
	if (kv_reader_size(r) != b->size)
		blob_fault(c, id, b, "has another length");
	else if ((rc = blob_hash(r, hash)) < 0 && not_readable(rc))
		;
	else if (rc < 0 || memcmp(hash, id, ROW_BLOBID_LEN) != 0)
		blob_fault(c, id, b, "isn't what it was");
	else if (b->marks & ROW_BLOB_PARSED &&
	    mime_record_decode(kv_reader_meta(r), c->tmp, &m) == 0 &&
	    m->size != b->size)
		blob_fault(c, id, b, "has a record of another size");
	kv_reader_close(&r);
	return not_readable(rc) ? rc : 0;
}

static int
blob_check(struct check *c, struct slice key, struct slice val)
{
	unsigned char id[ROW_BLOBID_LEN];
	struct row_blob b;
	struct row_key k;
	struct c_count *n;
	struct slice v;
	int rc;

	if (!row_key_get_blob(key, id))
		return STORE_E_CORRUPT;
	if ((rc = row_blob_get(val, &b)) < 0)
		return rc;
	if (c->read_blobs && (rc = blob_read_check(c, id, &b)) < 0)
		return rc;
	n = blob_counter(c, id);
	if (n->n != b.count)
		check_fault(c, "a blob is used by %u Emails, not by %u", n->n,
		    b.count);
	n->n = 0;
	k = row_key_due(b.due, id);
	if (b.due != 0 &&
	    (rc = kv_get(c->t, c->tmp, row_key(&k), &v)) < 0) {
		if (not_readable(rc))
			return rc;
		check_fault(c, "a blob that nobody uses isn't in the queue");
	}
	return 0;
}

static int
due_check(struct check *c, struct slice key, struct slice val)
{
	unsigned char id[ROW_BLOBID_LEN];
	struct row_due d;
	struct row_blob b;
	int64_t due;
	int rc;

	if (!row_key_get_due(key, &due, id))
		return STORE_E_CORRUPT;
	if ((rc = row_due_get(val, &d)) < 0)
		return rc;
	rc = blob_row(c->t, c->tmp, id, &b);
	if (not_readable(rc))
		return rc;
	if (d.state == ROW_DUE_WAITING && (rc < 0 || b.due != due ||
	    memcmp(b.ref, d.ref, sizeof(b.ref)) != 0))
		check_fault(c, "the queue has a blob that is not due");
	if (d.state == ROW_DUE_DYING && rc == 0 &&
	    memcmp(b.ref, d.ref, sizeof(b.ref)) == 0)
		check_fault(c, "the queue has a blob that is in use");
	return 0;
}

int
check_blobs(struct check *c)
{
	struct c_count *n;
	size_t pos = 0;
	int rc;

	if ((rc = check_rows(c, ROW_K_BLOB, blob_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_DUE, due_check)) < 0)
		return rc;
	while ((n = umap_next(&c->blobs, &pos)))
		if (n->n != 0)
			check_fault(c, "%u Emails use a blob that isn't there",
			    n->n);
	return 0;
}
