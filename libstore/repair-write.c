/* libstore/repair-write.c - all rows of a repaired account, anew */
#include "config.h"

#include "libbase/io.h"
#include "libstore/repair.h"

enum { PORTION = 4 * 1024 * 1024 };

/* ---- rows --------------------------------------------------------------- */

static int
put(struct repair *r, struct row_key k, struct slice val)
{
	int rc;

	r->octets += k.n + val.n;
	if (r->octets > PORTION) {
		if ((rc = kv_commit(&r->t, NULL)) < 0 ||
		    (rc = kv_begin(r->st->kv, KV_RW, &r->t)) < 0)
			return rc;
		r->octets = k.n + val.n;
	}
	return kv_put(r->t, row_key(&k), val);
}

static int
put_val(struct repair *r, struct row_key k)
{
	if (r->st->val.overflow)
		return STORE_E_TOOBIG;
	return put(r, k, buf_slice(&r->st->val));
}

int
rp_put(struct repair *r, struct row_key k)
{
	return put_val(r, k);
}

static int
put_u64(struct repair *r, struct row_key k, uint64_t v)
{
	row_u64_put(&r->st->val, v);
	return put_val(r, k);
}

/* ---- threads ------------------------------------------------------------ */

static struct rp_thread *
thread_get(struct repair *r, uint64_t id)
{
	struct rp_thread *t = umap_get(&r->threads, id, 0);

	if (!t) {
		t = arena_alloc(r->a, sizeof(*t));
		umap_add(&r->threads, id, 0, t);
	}
	return t;
}

static void
hashes_note(struct repair *r, struct rp_email *e)
{
	for (size_t i = 0; i < e->n_hash; i++) {
		uint64_t *th = umap_get(&r->hashes, e->hash[i], 0);

		if (!th) {
			th = arena_alloc(r->a, sizeof(*th));
			umap_add(&r->hashes, e->hash[i], 0, th);
			*th = e->thread;
		} else if (e->thread < *th)
			*th = e->thread;
	}
}

static void
thread_join(struct repair *r, struct rp_email *e)
{
	struct rp_thread *t = thread_get(r, e->thread);

	e->next = t->first;
	t->first = e;
	t->n++;
}

/* A thread has the id of one of its Emails. */
static void
thread_name(struct rp_thread *t, uint64_t id)
{
	uint64_t least = UINT64_MAX;

	for (struct rp_email *e = t->first; e; e = e->next) {
		if (e->id == id)
			least = 0;
		if (e->id < least)
			least = e->id;
	}
	t->id = least == 0 ? id : least;
	for (struct rp_email *e = t->first; e; e = e->next)
		e->thread = t->id;
	t->header = t->n > 1 || t->first->n_msg > 1;
}

/* By what the Emails know; who knows nothing, by its message ids. */
static void
threads_make(struct repair *r)
{
	struct umap old = { 0 };
	struct rp_thread *t;
	struct rp_email *e;
	size_t pos = 0;
	uint64_t *th;

	while ((e = umap_next(&r->emails, &pos)))
		if (!e->dead && !e->fresh) {
			e->thread = e->thread ? e->thread : e->id;
			thread_join(r, e);
		}
	old = r->threads;
	for (pos = 0; (t = umap_next(&old, &pos));)
		thread_name(t, t->first->thread);
	/* Under their own names. */
	umap_init(&r->threads, r->a);
	for (pos = 0; (t = umap_next(&old, &pos));)
		umap_add(&r->threads, t->id, 0, t);
	for (pos = 0; (e = umap_next(&r->emails, &pos));)
		if (!e->dead && !e->fresh)
			hashes_note(r, e);
	for (pos = 0; (e = umap_next(&r->emails, &pos));) {
		if (e->dead || !e->fresh)
			continue;
		e->thread = e->id;
		for (size_t i = 0; i < e->n_hash; i++)
			if ((th = umap_get(&r->hashes, e->hash[i], 0)) &&
			    *th < e->thread)
				e->thread = *th;
		thread_join(r, e);
		t = thread_get(r, e->thread);
		t->id = e->thread;
		thread_name(t, t->id);
		hashes_note(r, e);
	}
}

static struct row_thread_in *
thread_in(struct repair *r, struct row_thread *h, size_t *cap, uint64_t mailbox)
{
	for (size_t i = 0; i < h->n_in; i++)
		if (h->in[i].mailbox == mailbox)
			return &h->in[i];
	if (h->n_in == ROW_THREAD_IN_MAX)
		return NULL;
	h->in = arena_grow(r->a, h->in, cap, h->n_in + 1, sizeof(*h->in));
	h->in[h->n_in] = (struct row_thread_in){ .mailbox = mailbox };
	return &h->in[h->n_in++];
}

static int
thread_count(struct repair *r, const struct rp_thread *t, struct row_thread *h)
{
	struct row_thread_in *in;
	size_t cap = 0;

	*h = (struct row_thread){ .trash = r->head.trash, .emails = t->n };
	for (struct rp_email *e = t->first; e; e = e->next) {
		unsigned seen = 0, trash = 0;

		for (struct rp_msg *g = e->msg; g; g = g->next) {
			if (g->drop || !flags_visible(g->flags))
				continue;
			seen++;
			trash += g->m->id == r->head.trash;
			if (!(in = thread_in(r, h, &cap, g->m->id)))
				return STORE_E_LIMIT;
			in->emails++;
		}
		h->unread += flags_unread(e->flags) && seen > trash;
		h->unread_trash += flags_unread(e->flags) && trash > 0;
	}
	return 0;
}

static int
thread_write(struct repair *r, const struct rp_thread *t)
{
	struct row_thread h;
	int rc;

	if ((rc = thread_count(r, t, &h)) < 0)
		return rc;
	for (size_t i = 0; i < h.n_in; i++) {
		struct rp_mailbox *m = umap_get(&r->mailboxes,
		    h.in[i].mailbox, 0);

		m->row.threads++;
		m->row.unread_threads += h.in[i].mailbox == h.trash ?
		    h.unread_trash > 0 : h.unread > 0;
	}
	if (!t->header)
		return 0;
	row_thread_put(&r->st->val, &h);
	if ((rc = put_val(r, row_key_u64(ROW_K_THREAD, t->id))) < 0)
		return rc;
	for (struct rp_email *e = t->first; e; e = e->next) {
		rc = put_u64(r, row_key_u64_u64(ROW_K_MEMBER, t->id, e->id),
		    (uint64_t)e->received);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- mailboxes ---------------------------------------------------------- */

static void
message_count(struct rp_mailbox *m, const struct rp_msg *g)
{
	struct row_mailbox *row = &m->row;

	row->total++;
	row->size += g->e->size;
	row->unread += flags_unread(g->flags) && flags_visible(g->flags);
	row->unseen += !(g->flags & STORE_SEEN);
	if (!flags_visible(g->flags)) {
		row->deleted++;
		row->deleted_size += g->e->size;
	}
}

static int
chunk_write(struct repair *r, struct rp_mailbox *m, struct rp_msg **g,
    uint32_t n)
{
	uint32_t cap = n <= 4 ? 4 : n <= 16 ? 16 : n <= 64 ? 64 : ROW_CHUNK_MAX;
	struct row_chunk c = { .cap = cap, .used = n, .live = n,
		.max = r->modseq };
	unsigned char *hot, *cold;
	uint32_t first = g[0]->uid;
	int rc;

	arena_reset(r->tmp);
	hot = arena_alloc(r->tmp, row_hot_len(cap));
	cold = arena_alloc(r->tmp, row_cold_len(cap));
	row_hot_put_head(hot, &c);
	row_cold_put_head(cold, cap);
	for (uint32_t i = 0; i < n; i++) {
		const struct rp_email *e = g[i]->e;
		const struct rp_thread *t = umap_get(&r->threads, e->thread, 0);
		struct row_hot h = { .uid = g[i]->uid, .flags = g[i]->flags,
			.modseq = r->modseq };
		struct row_cold d = { .email = e->id, .thread = e->thread,
			.size = e->size, .received = e->received,
			.saved = g[i]->saved };

		h.marks = (uint8_t)((t->header ? ROW_THREADED : 0) |
		    (e->n_msg > 1 ? ROW_MULTI : 0));
		memcpy(d.ref, e->ref, sizeof(d.ref));
		row_hot_put_slot(hot, i, &h);
		row_cold_put_slot(cold, i, &d);
		message_count(m, g[i]);
	}
	rc = put(r, row_key_u64_u32(ROW_K_HOT, m->id, first),
	    slice_make((const char *)hot, row_hot_len(cap)));
	if (rc == 0)
		rc = put(r, row_key_u64_u32(ROW_K_COLD, m->id, first),
		    slice_make((const char *)cold, row_cold_len(cap)));
	if (rc == 0) {
		buf_reset(&r->st->val);
		buf_addc(&r->st->val, ROW_VERSION);
		rc = put_val(r, row_key_changed(c.max, m->id, first));
	}
	return rc;
}

static int
chunks_write(struct repair *r, struct rp_mailbox *m)
{
	size_t n;
	int rc;

	m->row.total = m->row.unread = m->row.unseen = m->row.deleted = 0;
	m->row.threads = m->row.unread_threads = 0;
	m->row.size = m->row.deleted_size = 0;
	for (size_t i = 0; i < m->n_msg; i += n) {
		n = m->n_msg - i;
		n = n < ROW_CHUNK_MAX ? n : ROW_CHUNK_MAX;
		rc = chunk_write(r, m, m->msg + i, (uint32_t)n);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
mailbox_write(struct repair *r, struct rp_mailbox *m)
{
	int rc;

	m->row.highestmodseq = m->row.changed = m->row.counted = r->modseq;
	m->row.created = row_id_modseq(m->id);
	if (m->n_acl > 0) {
		row_acl_put(&r->st->val, m->acl, m->n_acl);
		rc = put_val(r, row_key_u64(ROW_K_ACL, m->id));
		if (rc < 0)
			return rc;
	}
	row_mailbox_put(&r->st->val, &m->row);
	if ((rc = put_val(r, row_key_u64(ROW_K_MAILBOX, m->id))) < 0 ||
	    (rc = put_u64(r, name_key(m->row.parent, m->row.name), m->id)) < 0)
		return rc;
	if (m->row.role == STORE_ROLE_NONE)
		return 0;
	return put_u64(r, row_key_role(m->row.role), m->id);
}

/* ---- Emails, blobs ------------------------------------------------------ */

static int
msgid_write(struct repair *r, uint64_t hash, uint64_t thread)
{
	struct row_key k = row_key_u64_u64(ROW_K_MSGID, hash, thread);
	struct slice v;
	uint32_t n = 0;
	int rc;

	arena_reset(r->tmp);
	rc = kv_get(r->t, r->tmp, row_key(&k), &v);
	if (rc == 0)
		rc = row_u32_get(v, &n);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return rc;
	row_u32_put(&r->st->val, n + 1);
	return put_val(r, k);
}

static int
email_write(struct repair *r, struct rp_email *e)
{
	struct row_email row = { .thread = e->thread, .size = e->size,
		.received = e->received, .modseq = r->modseq,
		.hash = e->hash, .n_hash = e->n_hash };
	int rc;

	memcpy(row.blob, e->content->id, sizeof(row.blob));
	memcpy(row.ref, e->ref, sizeof(row.ref));
	row.in = arena_calloc(r->a, e->n_msg, sizeof(*row.in));
	for (struct rp_msg *g = e->msg; g; g = g->next)
		if (!g->drop)
			row.in[row.n_in++] =
			    (struct row_in){ g->m->id, g->uid };
	row_email_put(&r->st->val, &row);
	if ((rc = put_val(r, row_key_u64(ROW_K_EMAIL, e->id))) < 0)
		return rc;
	for (size_t i = 0; i < e->n_hash; i++)
		if ((rc = msgid_write(r, e->hash[i], e->thread)) < 0)
			return rc;
	r->head.messages++;
	r->head.size += e->size;
	return 0;
}

static int
content_write(struct repair *r, const struct rp_content *c)
{
	struct row_blob b = { .marks = c->marks, .count = c->count };
	struct row_due d = { .state = ROW_DUE_WAITING };
	int64_t now = store_now(r->st);
	int rc;

	if (!c->blob || (c->count == 0 && !c->waiting && !c->dead))
		return 0;
	b.size = c->blob->size;
	memcpy(b.ref, c->blob->ref, sizeof(b.ref));
	if (c->count == 0) {
		b.due = c->waiting && c->due ? c->due :
		    now + store_retention(r->st);
		memcpy(d.ref, b.ref, sizeof(d.ref));
		row_due_put(&r->st->val, &d);
		if ((rc = put_val(r, row_key_due(b.due, c->id))) < 0)
			return rc;
	}
	row_blob_put(&r->st->val, &b);
	return put_val(r, row_key_blob(c->id));
}

/* Unless it is in use after all. */
static int
dying_write(struct repair *r, const struct rp_dying *y)
{
	struct row_due d = { .state = ROW_DUE_DYING };
	struct rp_content *c = rp_content(r, y->id);
	struct row_key k = row_key_due(y->due, y->id);
	struct slice v;

	arena_reset(r->tmp);
	if ((c->blob && memcmp(c->blob->ref, y->ref, sizeof(y->ref)) == 0) ||
	    kv_get(r->t, r->tmp, row_key(&k), &v) == 0)
		return 0;
	memcpy(d.ref, y->ref, sizeof(d.ref));
	row_due_put(&r->st->val, &d);
	return put_val(r, k);
}

static int
head_write(struct repair *r)
{
	struct row_head *h = &r->head;

	if (!r->have_head) {
		rp_say(r, "the account's head is lost: it gets a new id");
		random_bytes(&h->account, sizeof(h->account));
	}
	h->horizon = h->swept = r->modseq;
	h->email_modseq = h->mailbox_modseq = h->thread_modseq = r->modseq;
	h->dead = 0;
	row_head_put(&r->st->val, h);
	return put_val(r, row_key_kind(ROW_K_HEAD));
}

/* ---- all ---------------------------------------------------------------- */

static int
write_emails(struct repair *r)
{
	struct rp_content *c;
	struct rp_mailbox *m;
	struct rp_thread *t;
	struct rp_email *e;
	size_t pos = 0;
	int rc;

	while ((e = umap_next(&r->emails, &pos)))
		if (!e->dead) {
			e->size = e->content->blob->size;
			memcpy(e->ref, e->content->blob->ref, sizeof(e->ref));
		}
	threads_make(r);
	r->head.messages = r->head.size = 0;
	for (pos = 0; (e = umap_next(&r->emails, &pos));)
		if (!e->dead && (rc = email_write(r, e)) < 0)
			return rc;
	for (pos = 0; (c = umap_next(&r->contents, &pos));)
		if ((rc = content_write(r, c)) < 0)
			return rc;
	for (size_t i = 0; i < r->n_dying; i++)
		if ((rc = dying_write(r, &r->dying[i])) < 0)
			return rc;
	for (pos = 0; (m = umap_next(&r->mailboxes, &pos));)
		if (!m->gone && (rc = chunks_write(r, m)) < 0)
			return rc;
	for (pos = 0; (t = umap_next(&r->threads, &pos));)
		if ((rc = thread_write(r, t)) < 0)
			return rc;
	return 0;
}

/* Of mailboxes and Emails that are there, and of the account. */
static int
meta_write(struct repair *r)
{
	struct row_meta_sum sum = { r->modseq, 0 };
	int rc;

	for (size_t i = 0; i < r->n_meta; i++) {
		struct rp_meta *e = &r->meta[i];
		struct rp_mailbox *m = umap_get(&r->mailboxes, e->mailbox, 0);
		struct rp_email *mail = umap_get(&r->emails, e->mailbox, 0);

		if (e->mailbox != 0 && (m == NULL || m->gone) &&
		    (mail == NULL || mail->dead))
			continue;
		e->m.modseq = r->modseq;
		sum.size += meta_size(&e->m);
		row_meta_put(&r->st->val, &e->m);
		rc = put_val(r, meta_key(e->mailbox, e->m.user, e->m.name));
		if (rc < 0)
			return rc;
	}
	if (sum.size == 0)
		return 0;
	row_meta_sum_put(&r->st->val, &sum);
	return put_val(r, row_key_kind(ROW_K_META));
}

/* Of names that no mailbox got. */
static int
write_subscriptions(struct repair *r)
{
	uint64_t id;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n_subscribed; i++) {
		rc = path_find(r->t, r->tmp, r->subscribed[i], &id);
		if (rc != STORE_E_NOTFOUND)
			continue;
		row_path_put(&r->st->val, r->subscribed[i]);
		rc = put_val(r, subscription_key(r->subscribed[i]));
	}
	return rc;
}

static int
write_rest(struct repair *r)
{
	struct rp_mailbox *m;
	size_t pos = 0;
	int rc;

	r->head.mailboxes = 0;
	while ((m = umap_next(&r->mailboxes, &pos))) {
		if (m->gone)
			continue;
		r->head.mailboxes++;
		if ((rc = mailbox_write(r, m)) < 0)
			return rc;
	}
	if ((rc = meta_write(r)) < 0 || (rc = rp_write_objects(r)) < 0)
		return rc;
	if (r->n_keyword > 0) {
		row_keywords_put(&r->st->val, r->keyword, r->n_keyword);
		rc = put_val(r, row_key_kind(ROW_K_KEYWORDS));
		if (rc < 0)
			return rc;
	}
	if ((rc = write_subscriptions(r)) < 0)
		return rc;
	return head_write(r);
}

int
rp_write(struct repair *r)
{
	struct slice none = { NULL, 0 };
	int rc;

	if ((rc = kv_begin(r->st->kv, KV_RW, &r->t)) < 0)
		return rc;
	rc = kv_del_range(r->t, none, none);
	if (rc == 0)
		rc = write_emails(r);
	if (rc == 0)
		rc = write_rest(r);
	if (rc == 0)
		return kv_commit(&r->t, NULL);
	kv_abort(&r->t);
	return rc;
}
