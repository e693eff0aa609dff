/* libstore/rows.c - the rows of an account: keys and values as octets */
#include "config.h"

#include <stdio.h>

#include <assert.h>

#include "libstore/rows.h"

/* ---- keys -------------------------------------------------------------- */

static void
key_octets(struct row_key *k, const void *p, size_t n)
{
	assert(k->n + n <= sizeof(k->b));
	memcpy(k->b + k->n, p, n);
	k->n += n;
}

static void
key_be(struct row_key *k, uint64_t v, int octets)
{
	assert(k->n + (size_t)octets <= sizeof(k->b));
	for (int i = octets - 1; i >= 0; i--)
		k->b[k->n++] = (unsigned char)(v >> (8 * i));
}

struct row_key
row_key_kind(int kind)
{
	struct row_key k = { .n = 1 };

	k.b[0] = (unsigned char)kind;
	return k;
}

struct row_key
row_key_u64(int kind, uint64_t a)
{
	struct row_key k = row_key_kind(kind);

	key_be(&k, a, 8);
	return k;
}

struct row_key
row_key_u64_u32(int kind, uint64_t a, uint32_t b)
{
	struct row_key k = row_key_u64(kind, a);

	key_be(&k, b, 4);
	return k;
}

struct row_key
row_key_u64_u64(int kind, uint64_t a, uint64_t b)
{
	struct row_key k = row_key_u64(kind, a);

	key_be(&k, b, 8);
	return k;
}

struct row_key
row_key_changed(uint64_t modseq, uint64_t mailbox, uint32_t first)
{
	struct row_key k = row_key_u64_u64(ROW_K_CHANGED, modseq, mailbox);

	key_be(&k, first, 4);
	return k;
}

struct row_key
row_key_name(uint64_t parent, const unsigned char hash[ROW_NAME_HASH])
{
	struct row_key k = row_key_u64(ROW_K_NAME, parent);

	key_octets(&k, hash, ROW_NAME_HASH);
	return k;
}

struct row_key
row_key_meta(uint64_t mailbox, const unsigned char hash[ROW_NAME_HASH])
{
	struct row_key k = row_key_u64(ROW_K_META, mailbox);

	key_octets(&k, hash, ROW_NAME_HASH);
	return k;
}

struct row_key
row_key_role(int role)
{
	struct row_key k = row_key_kind(ROW_K_ROLE);

	key_be(&k, (uint64_t)role, 1);
	return k;
}

struct row_key
row_key_subscription(const unsigned char hash[ROW_NAME_HASH])
{
	struct row_key k = row_key_kind(ROW_K_SUBSCRIPTION);

	key_octets(&k, hash, ROW_NAME_HASH);
	return k;
}

struct row_key
row_key_blob(const unsigned char id[ROW_BLOBID_LEN])
{
	struct row_key k = row_key_kind(ROW_K_BLOB);

	key_octets(&k, id, ROW_BLOBID_LEN);
	return k;
}

struct row_key
row_key_due(int64_t due, const unsigned char id[ROW_BLOBID_LEN])
{
	struct row_key k = row_key_u64(ROW_K_DUE, (uint64_t)due);

	key_octets(&k, id, ROW_BLOBID_LEN);
	return k;
}

struct row_key
row_key_after(struct row_key k)
{
	while (k.n > 0 && k.b[k.n - 1] == 0xff)
		k.n--;
	if (k.n > 0)
		k.b[k.n - 1]++;
	return k;
}

static uint64_t
be_get(const unsigned char *p, int octets)
{
	uint64_t v = 0;

	for (int i = 0; i < octets; i++)
		v = v << 8 | p[i];
	return v;
}

static const unsigned char *
key_body(struct slice k, int kind, size_t n)
{
	const unsigned char *p = (const unsigned char *)k.p;

	return k.n == n + 1 && p[0] == kind ? p + 1 : NULL;
}

bool
row_key_get_u64(struct slice k, int kind, uint64_t *a_r)
{
	const unsigned char *p = key_body(k, kind, 8);

	if (!p)
		return false;
	*a_r = be_get(p, 8);
	return true;
}

bool
row_key_get_u64_u32(struct slice k, int kind, uint64_t *a_r, uint32_t *b_r)
{
	const unsigned char *p = key_body(k, kind, 12);

	if (!p)
		return false;
	*a_r = be_get(p, 8);
	*b_r = (uint32_t)be_get(p + 8, 4);
	return true;
}

bool
row_key_get_u64_u64(struct slice k, int kind, uint64_t *a_r, uint64_t *b_r)
{
	const unsigned char *p = key_body(k, kind, 16);

	if (!p)
		return false;
	*a_r = be_get(p, 8);
	*b_r = be_get(p + 8, 8);
	return true;
}

bool
row_key_get_changed(struct slice k, uint64_t *modseq_r, uint64_t *mailbox_r,
    uint32_t *first_r)
{
	const unsigned char *p = key_body(k, ROW_K_CHANGED, 20);

	if (!p)
		return false;
	*modseq_r = be_get(p, 8);
	*mailbox_r = be_get(p + 8, 8);
	*first_r = (uint32_t)be_get(p + 16, 4);
	return true;
}

bool
row_key_get_meta(struct slice k, uint64_t *mailbox_r,
    unsigned char hash_r[ROW_NAME_HASH])
{
	const unsigned char *p = key_body(k, ROW_K_META, 8 + ROW_NAME_HASH);

	if (!p)
		return false;
	*mailbox_r = be_get(p, 8);
	memcpy(hash_r, p + 8, ROW_NAME_HASH);
	return true;
}

bool
row_key_get_blob(struct slice k, unsigned char id_r[ROW_BLOBID_LEN])
{
	const unsigned char *p = key_body(k, ROW_K_BLOB, ROW_BLOBID_LEN);

	if (!p)
		return false;
	memcpy(id_r, p, ROW_BLOBID_LEN);
	return true;
}

bool
row_key_get_due(struct slice k, int64_t *due_r,
    unsigned char id_r[ROW_BLOBID_LEN])
{
	const unsigned char *p = key_body(k, ROW_K_DUE, 8 + ROW_BLOBID_LEN);

	if (!p)
		return false;
	*due_r = (int64_t)be_get(p, 8);
	memcpy(id_r, p + 8, ROW_BLOBID_LEN);
	return true;
}

/* ---- values ------------------------------------------------------------ */

/* Begins a value; every encoder starts on an empty buffer. */
static void
val_begin(struct buf *b)
{
	buf_reset(b);
	buf_addc(b, ROW_VERSION);
}

static int
val_end(const struct buf *b)
{
	return b->overflow ? STORE_E_TOOBIG : 0;
}

/* What was refused last; see row_version_text(). */
static _Thread_local char refused[96];

int
row_version(unsigned char version, const char *what)
{
	if (version == ROW_VERSION)
		return 0;
	if (version == 0)
		return STORE_E_CORRUPT;
	snprintf(refused, sizeof(refused),
	    "the row of %s has version %u, newer than %u", what,
	    (unsigned)version, (unsigned)ROW_VERSION);
	return STORE_E_VERSION;
}

const char *
row_version_text(void)
{
	return refused;
}

void
row_version_clear(void)
{
	refused[0] = '\0';
}

static int
val_open(struct slice v, const char *what, struct cur *c_r)
{
	*c_r = cur_make(v);
	return row_version(cur_u8(c_r), what);
}

static int
val_close(const struct cur *c)
{
	return cur_ok(c) && cur_left(c) == 0 ? 0 : STORE_E_CORRUPT;
}

static bool
cur_bool(struct cur *c)
{
	uint8_t v = cur_u8(c);

	if (v > 1)
		c->bad = true;
	return v == 1;
}

static void
cur_copy(struct cur *c, void *out, size_t n)
{
	struct slice s = cur_bytes(c, n);

	if (s.n == n)
		memcpy(out, s.p, n);
	else
		memset(out, 0, n);
}

/* A count of things of which each takes at least size octets. */
static size_t
cur_count(struct cur *c, size_t size, size_t max)
{
	uint64_t n = cur_varint(c);

	if (n > max || n > cur_left(c) / size) {
		c->bad = true;
		return 0;
	}
	return (size_t)n;
}

int
row_head_put(struct buf *b, const struct row_head *h)
{
	val_begin(b);
	buf_add_be64(b, h->account);
	for (int i = 0; i < ROW_TXN_RING; i++)
		buf_add_be32(b, h->txn[i]);
	buf_add_be64(b, h->horizon);
	buf_add_be64(b, h->swept);
	buf_add_be64(b, h->dead);
	buf_add_be64(b, h->size);
	buf_add_be64(b, h->messages);
	buf_add_be32(b, h->mailboxes);
	buf_add_be64(b, h->size_limit);
	buf_add_be64(b, h->message_limit);
	buf_add_be64(b, h->email_modseq);
	buf_add_be64(b, h->mailbox_modseq);
	buf_add_be64(b, h->thread_modseq);
	buf_add_be64(b, h->trash);
	buf_add_be32(b, h->uidvalidity);
	return val_end(b);
}

int
row_head_get(struct slice v, struct row_head *h_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "the head", &c)) < 0)
		return rc;
	h_r->account = cur_be64(&c);
	for (int i = 0; i < ROW_TXN_RING; i++)
		h_r->txn[i] = cur_be32(&c);
	h_r->horizon = cur_be64(&c);
	h_r->swept = cur_be64(&c);
	h_r->dead = cur_be64(&c);
	h_r->size = cur_be64(&c);
	h_r->messages = cur_be64(&c);
	h_r->mailboxes = cur_be32(&c);
	h_r->size_limit = cur_be64(&c);
	h_r->message_limit = cur_be64(&c);
	h_r->email_modseq = cur_be64(&c);
	h_r->mailbox_modseq = cur_be64(&c);
	h_r->thread_modseq = cur_be64(&c);
	h_r->trash = cur_be64(&c);
	h_r->uidvalidity = cur_be32(&c);
	return val_close(&c);
}

int
row_mailbox_put(struct buf *b, const struct row_mailbox *m)
{
	val_begin(b);
	buf_add_be64(b, m->parent);
	buf_addc(b, (char)m->role);
	buf_addc(b, m->subscribed);
	buf_add_be32(b, m->sort_order);
	buf_add_be32(b, m->uidvalidity);
	buf_add_be32(b, m->uidnext);
	buf_add_be64(b, m->highestmodseq);
	buf_add_be64(b, m->created);
	buf_add_be64(b, m->changed);
	buf_add_be64(b, m->counted);
	buf_add_be32(b, m->total);
	buf_add_be32(b, m->unread);
	buf_add_be32(b, m->unseen);
	buf_add_be32(b, m->deleted);
	buf_add_be32(b, m->threads);
	buf_add_be32(b, m->unread_threads);
	buf_add_be64(b, m->size);
	buf_add_be64(b, m->deleted_size);
	buf_add_lstr(b, m->name);
	return val_end(b);
}

int
row_mailbox_get(struct slice v, struct row_mailbox *m_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "a mailbox", &c)) < 0)
		return rc;
	m_r->parent = cur_be64(&c);
	m_r->role = cur_u8(&c);
	m_r->subscribed = cur_bool(&c);
	m_r->sort_order = cur_be32(&c);
	m_r->uidvalidity = cur_be32(&c);
	m_r->uidnext = cur_be32(&c);
	m_r->highestmodseq = cur_be64(&c);
	m_r->created = cur_be64(&c);
	m_r->changed = cur_be64(&c);
	m_r->counted = cur_be64(&c);
	m_r->total = cur_be32(&c);
	m_r->unread = cur_be32(&c);
	m_r->unseen = cur_be32(&c);
	m_r->deleted = cur_be32(&c);
	m_r->threads = cur_be32(&c);
	m_r->unread_threads = cur_be32(&c);
	m_r->size = cur_be64(&c);
	m_r->deleted_size = cur_be64(&c);
	m_r->name = cur_lstr(&c);
	if (m_r->name.n == 0 || m_r->name.n > ROW_NAME_MAX)
		return STORE_E_CORRUPT;
	return val_close(&c);
}

int
row_u64_put(struct buf *b, uint64_t v)
{
	val_begin(b);
	buf_add_be64(b, v);
	return val_end(b);
}

int
row_u64_get(struct slice v, uint64_t *v_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "a name, role or thread's member", &c)) < 0)
		return rc;
	*v_r = cur_be64(&c);
	return val_close(&c);
}

int
row_u32_put(struct buf *b, uint32_t v)
{
	val_begin(b);
	buf_add_be32(b, v);
	return val_end(b);
}

int
row_u32_get(struct slice v, uint32_t *v_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "a message id or job", &c)) < 0)
		return rc;
	*v_r = cur_be32(&c);
	return val_close(&c);
}

int
row_email_put(struct buf *b, const struct row_email *e)
{
	val_begin(b);
	buf_add(b, e->blob, sizeof(e->blob));
	buf_add(b, e->ref, sizeof(e->ref));
	buf_add_be64(b, e->thread);
	buf_add_be64(b, e->size);
	buf_add_be64(b, (uint64_t)e->received);
	buf_add_be64(b, e->modseq);
	buf_add_varint(b, e->n_in);
	for (size_t i = 0; i < e->n_in; i++) {
		buf_add_be64(b, e->in[i].mailbox);
		buf_add_be32(b, e->in[i].uid);
	}
	buf_add_varint(b, e->n_hash);
	for (size_t i = 0; i < e->n_hash; i++)
		buf_add_be64(b, e->hash[i]);
	return val_end(b);
}

int
row_email_get(struct slice v, struct arena *a, struct row_email *e_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "an Email", &c)) < 0)
		return rc;
	cur_copy(&c, e_r->blob, sizeof(e_r->blob));
	cur_copy(&c, e_r->ref, sizeof(e_r->ref));
	e_r->thread = cur_be64(&c);
	e_r->size = cur_be64(&c);
	e_r->received = (int64_t)cur_be64(&c);
	e_r->modseq = cur_be64(&c);
	e_r->n_in = cur_count(&c, 12, ROW_IN_MAX);
	e_r->in = arena_calloc(a, e_r->n_in, sizeof(*e_r->in));
	for (size_t i = 0; i < e_r->n_in; i++) {
		e_r->in[i].mailbox = cur_be64(&c);
		e_r->in[i].uid = cur_be32(&c);
	}
	e_r->n_hash = cur_count(&c, 8, ROW_HASH_MAX);
	e_r->hash = arena_calloc(a, e_r->n_hash, sizeof(*e_r->hash));
	for (size_t i = 0; i < e_r->n_hash; i++)
		e_r->hash[i] = cur_be64(&c);
	return e_r->n_in == 0 ? STORE_E_CORRUPT : val_close(&c);
}

int
row_thread_put(struct buf *b, const struct row_thread *t)
{
	val_begin(b);
	buf_add_be64(b, t->trash);
	buf_add_be32(b, t->emails);
	buf_add_be32(b, t->unread);
	buf_add_be32(b, t->unread_trash);
	buf_add_varint(b, t->n_in);
	for (size_t i = 0; i < t->n_in; i++) {
		buf_add_be64(b, t->in[i].mailbox);
		buf_add_be32(b, t->in[i].emails);
	}
	return val_end(b);
}

int
row_thread_get(struct slice v, struct arena *a, struct row_thread *t_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "a thread", &c)) < 0)
		return rc;
	t_r->trash = cur_be64(&c);
	t_r->emails = cur_be32(&c);
	t_r->unread = cur_be32(&c);
	t_r->unread_trash = cur_be32(&c);
	t_r->n_in = cur_count(&c, 12, ROW_THREAD_IN_MAX);
	t_r->in = arena_calloc(a, t_r->n_in, sizeof(*t_r->in));
	for (size_t i = 0; i < t_r->n_in; i++) {
		t_r->in[i].mailbox = cur_be64(&c);
		t_r->in[i].emails = cur_be32(&c);
		if (t_r->in[i].emails == 0 || t_r->in[i].emails > t_r->emails)
			return STORE_E_CORRUPT;
	}
	if (t_r->emails == 0 || t_r->unread > t_r->emails ||
	    t_r->unread_trash > t_r->emails)
		return STORE_E_CORRUPT;
	return val_close(&c);
}

int
row_blob_put(struct buf *b, const struct row_blob *r)
{
	val_begin(b);
	buf_addc(b, (char)r->marks);
	buf_add(b, r->ref, sizeof(r->ref));
	buf_add_be64(b, r->size);
	buf_add_be32(b, r->count);
	buf_add_be64(b, (uint64_t)r->due);
	return val_end(b);
}

int
row_blob_get(struct slice v, struct row_blob *r_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "a blob", &c)) < 0)
		return rc;
	r_r->marks = cur_u8(&c);
	cur_copy(&c, r_r->ref, sizeof(r_r->ref));
	r_r->size = cur_be64(&c);
	r_r->count = cur_be32(&c);
	r_r->due = (int64_t)cur_be64(&c);
	/* Either somebody uses it, or it is in the queue. */
	if (r_r->marks > ROW_BLOB_PARSED || r_r->due < 0 ||
	    (r_r->count == 0) != (r_r->due != 0))
		return STORE_E_CORRUPT;
	return val_close(&c);
}

int
row_due_put(struct buf *b, const struct row_due *d)
{
	val_begin(b);
	buf_addc(b, (char)d->state);
	buf_add(b, d->ref, sizeof(d->ref));
	return val_end(b);
}

int
row_due_get(struct slice v, struct row_due *d_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "a blob in the deletion queue", &c)) < 0)
		return rc;
	d_r->state = cur_u8(&c);
	cur_copy(&c, d_r->ref, sizeof(d_r->ref));
	return d_r->state > ROW_DUE_DYING ? STORE_E_CORRUPT : val_close(&c);
}

int
row_keywords_put(struct buf *b, const struct slice *name, size_t n)
{
	val_begin(b);
	buf_add_varint(b, n);
	for (size_t i = 0; i < n; i++)
		buf_add_lstr(b, name[i]);
	return val_end(b);
}

int
row_keywords_get(struct slice v, struct slice name_r[ROW_KEYWORDS],
    size_t *n_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "the keywords", &c)) < 0)
		return rc;
	*n_r = cur_count(&c, 2, ROW_KEYWORDS);
	for (size_t i = 0; i < *n_r; i++) {
		name_r[i] = cur_lstr(&c);
		if (name_r[i].n == 0 || name_r[i].n > ROW_KEYWORD_MAX)
			return STORE_E_CORRUPT;
	}
	return val_close(&c);
}

int
row_path_put(struct buf *b, struct slice path)
{
	val_begin(b);
	buf_add_lstr(b, path);
	return val_end(b);
}

int
row_path_get(struct slice v, struct slice *path_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "a subscription", &c)) < 0)
		return rc;
	*path_r = cur_lstr(&c);
	if (path_r->n == 0 || path_r->n > ROW_PATH_MAX)
		return STORE_E_CORRUPT;
	return val_close(&c);
}

int
row_acl_put(struct buf *b, const struct row_acl *v, size_t n)
{
	val_begin(b);
	buf_add_varint(b, n);
	for (size_t i = 0; i < n; i++) {
		buf_add_lstr(b, v[i].who);
		buf_add_varint(b, v[i].rights);
	}
	return val_end(b);
}

int
row_acl_get(struct slice v, struct arena *a, struct row_acl **v_r, size_t *n_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "an ACL", &c)) < 0)
		return rc;
	if ((*n_r = cur_count(&c, 3, ROW_ACL_MAX)) == 0)
		return STORE_E_CORRUPT;
	*v_r = arena_calloc(a, *n_r, sizeof(**v_r));
	for (size_t i = 0; i < *n_r; i++) {
		struct row_acl *e = &(*v_r)[i];
		uint64_t rights;

		e->who = cur_lstr(&c);
		rights = cur_varint(&c);
		if (e->who.n == 0 || e->who.n > ROW_WHO_MAX || rights == 0 ||
		    rights > ROW_RIGHTS_ALL ||
		    (i > 0 && slice_cmp(e[-1].who, e->who) >= 0))
			return STORE_E_CORRUPT;
		e->rights = (uint32_t)rights;
	}
	return val_close(&c);
}

int
row_meta_put(struct buf *b, const struct row_meta *m)
{
	val_begin(b);
	buf_add_varint(b, m->modseq);
	buf_addc(b, m->gone);
	buf_add_lstr(b, m->user);
	buf_add_lstr(b, m->name);
	buf_add_lstr(b, m->value);
	return val_end(b);
}

int
row_meta_get(struct slice v, struct row_meta *m_r)
{
	struct cur c;
	unsigned gone;
	int rc;

	if ((rc = val_open(v, "an annotation", &c)) < 0)
		return rc;
	m_r->modseq = cur_varint(&c);
	gone = cur_u8(&c);
	m_r->gone = gone != 0;
	m_r->user = cur_lstr(&c);
	m_r->name = cur_lstr(&c);
	m_r->value = cur_lstr(&c);
	if (gone > 1 || m_r->user.n > ROW_WHO_MAX || m_r->name.n == 0 ||
	    m_r->name.n > ROW_META_NAME_MAX ||
	    m_r->value.n > ROW_META_VALUE_MAX)
		return STORE_E_CORRUPT;
	return val_close(&c);
}

int
row_meta_sum_put(struct buf *b, const struct row_meta_sum *m)
{
	val_begin(b);
	buf_add_varint(b, m->modseq);
	buf_add_varint(b, m->size);
	return val_end(b);
}

int
row_meta_sum_get(struct slice v, struct row_meta_sum *m_r)
{
	struct cur c;
	int rc;

	if ((rc = val_open(v, "the annotations' sum", &c)) < 0)
		return rc;
	m_r->modseq = cur_varint(&c);
	m_r->size = cur_varint(&c);
	return val_close(&c);
}
