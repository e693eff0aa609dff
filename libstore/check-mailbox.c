/* libstore/check-mailbox.c - verifies mailboxes, their chunks and counts */
#include "config.h"

#include "libstore/check.h"

/* ---- the rows ---------------------------------------------------------- */

static int
mailbox_load(struct check *c, struct slice key, struct slice val)
{
	struct c_mailbox *m = arena_alloc(c->a, sizeof(*m));
	int rc;

	if (!row_key_get_u64(key, ROW_K_MAILBOX, &m->id))
		return STORE_E_CORRUPT;
	if ((rc = row_mailbox_get(val, &m->row)) < 0)
		return rc;
	m->row.name = arena_slice(c->a, m->row.name);
	umap_add(&c->mailboxes, m->id, 0, m);
	if (row_id_modseq(m->id) != m->row.created ||
	    m->row.created > m->row.changed || m->row.changed > c->modseq ||
	    m->row.counted > c->modseq || m->row.highestmodseq > c->modseq)
		check_fault(c, "mailbox %llx: modseqs out of order",
		    (unsigned long long)m->id);
	if (m->row.role >= STORE_ROLES)
		return STORE_E_CORRUPT;
	if (m->row.uidvalidity == 0 || m->row.uidnext == 0 ||
	    m->row.uidvalidity > c->head.uidvalidity)
		check_fault(c, "mailbox %llx: UIDVALIDITY or UIDNEXT",
		    (unsigned long long)m->id);
	return 0;
}

static int
name_check(struct check *c, struct slice key, struct slice val)
{
	struct c_mailbox *m;
	struct row_key want;
	uint64_t id;
	int rc;

	if ((rc = row_u64_get(val, &id)) < 0)
		return rc;
	m = umap_get(&c->mailboxes, id, 0);
	if (m)
		want = name_key(m->row.parent, m->row.name);
	if (!m || m->named || !slice_eq(key, row_key(&want)))
		check_fault(c, "a name of mailbox %llx that it hasn't",
		    (unsigned long long)id);
	else
		m->named = true;
	return 0;
}

static int
role_check(struct check *c, struct slice key, struct slice val)
{
	struct c_mailbox *m;
	uint64_t id;
	int rc;

	if ((rc = row_u64_get(val, &id)) < 0)
		return rc;
	m = umap_get(&c->mailboxes, id, 0);
	if (key.n != 2 || !m || m->row.role != (uint8_t)key.p[1])
		check_fault(c, "a role of mailbox %llx that it hasn't",
		    (unsigned long long)id);
	return 0;
}

/* Parents exist, without a loop, and every role has its row. */
static int
tree_check(struct check *c)
{
	struct c_mailbox *m, *p;
	size_t pos = 0;
	uint64_t id, inbox = 0;
	int rc, depth;

	while ((m = umap_next(&c->mailboxes, &pos))) {
		depth = 0;
		for (p = m; p && p->row.parent && depth <= STORE_DEPTH_MAX;
		    depth++)
			p = umap_get(&c->mailboxes, p->row.parent, 0);
		if (!p || depth >= STORE_DEPTH_MAX)
			check_fault(c, "mailbox %llx: no way to the top",
			    (unsigned long long)m->id);
		if (!m->named)
			check_fault(c, "mailbox %llx: can't be found by name",
			    (unsigned long long)m->id);
		if (m->row.role == STORE_ROLE_INBOX)
			inbox = m->id;
		if (m->row.role == STORE_ROLE_NONE)
			continue;
		arena_reset(c->tmp);
		rc = role_find(c->t, c->tmp, m->row.role, &id);
		if (rc < 0 || id != m->id)
			check_fault(c, "mailbox %llx: its role isn't its own",
			    (unsigned long long)m->id);
	}
	if (inbox == 0)
		check_fault(c, "there is no inbox");
	m = umap_get(&c->mailboxes, c->head.trash, 0);
	if (c->head.trash && (!m || m->row.role != STORE_ROLE_TRASH))
		check_fault(c, "the head names another trash");
	return 0;
}

int
check_mailboxes(struct check *c)
{
	int rc;

	if ((rc = check_rows(c, ROW_K_MAILBOX, mailbox_load)) < 0 ||
	    (rc = check_rows(c, ROW_K_NAME, name_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_ROLE, role_check)) < 0)
		return rc;
	return tree_check(c);
}

/* ---- the chunks -------------------------------------------------------- */

static struct c_email *
email_note(struct check *c, struct c_mailbox *m, const struct row_hot *h,
    const struct row_cold *d)
{
	struct c_email *e = umap_get(&c->emails, d->email, 0);

	if (!e) {
		e = arena_alloc(c->a, sizeof(*e));
		e->id = d->email;
		e->thread = d->thread;
		e->size = d->size;
		e->received = d->received;
		e->flags = h->flags & FLAG_KEYWORDS;
		e->marks = h->marks;
		e->mailbox = m->id;
		e->deleted = !flags_visible(h->flags);
		memcpy(e->ref, d->ref, sizeof(e->ref));
		umap_add(&c->emails, d->email, 0, e);
		c->messages++;
		c->size += d->size;
	} else if (e->thread != d->thread || e->size != d->size ||
	    e->received != d->received || e->marks != h->marks ||
	    e->flags != (h->flags & FLAG_KEYWORDS) ||
	    memcmp(e->ref, d->ref, sizeof(e->ref)) != 0) {
		check_fault(c, "Email %llx differs between its mailboxes",
		    (unsigned long long)e->id);
	}
	e->n_in++;
	return e;
}

static void
slot_check(struct check *c, struct c_mailbox *m, const struct row_chunk *hot,
    const struct row_hot *h, const struct row_cold *d)
{
	if (h->uid <= m->last_uid || h->uid >= m->row.uidnext)
		check_fault(c, "mailbox %llx: UID %u out of order",
		    (unsigned long long)m->id, h->uid);
	m->last_uid = h->uid;
	if (h->modseq > hot->max || h->modseq == 0)
		check_fault(c, "mailbox %llx: UID %u has a modseq beyond its "
		    "chunk's", (unsigned long long)m->id, h->uid);
	if (h->marks & ROW_DEAD)
		return;
	if (h->flags & 0x20)
		check_fault(c, "mailbox %llx: UID %u has an unknown flag",
		    (unsigned long long)m->id, h->uid);
	m->total++;
	m->size += d->size;
	m->unread += flags_unread(h->flags) && flags_visible(h->flags);
	m->unseen += !(h->flags & STORE_SEEN);
	if (h->flags & STORE_DELETED) {
		m->deleted++;
		m->deleted_size += d->size;
	}
	email_note(c, m, h, d);
}

static int
chunk_check(struct check *c, struct slice key, struct slice val)
{
	struct c_mailbox *m;
	struct row_chunk hot;
	struct row_hot h;
	struct row_cold d;
	struct row_key g;
	struct peek p;
	struct slice v;
	uint64_t mb;
	uint32_t first;
	int rc;

	if (!row_key_get_u64_u32(key, ROW_K_HOT, &mb, &first))
		return STORE_E_CORRUPT;
	if ((rc = row_hot_check(val, first, &hot)) < 0)
		return rc;
	c->n_chunks++;
	if (!(m = umap_get(&c->mailboxes, mb, 0))) {
		check_fault(c, "a chunk of no mailbox");
		return 0;
	}
	if (hot.max > m->row.highestmodseq)
		check_fault(c, "mailbox %llx: HIGHESTMODSEQ is below a "
		    "chunk's", (unsigned long long)mb);
	g = row_key_changed(hot.max, mb, first);
	if (kv_get(c->t, c->tmp, row_key(&g), &v) < 0)
		check_fault(c, "mailbox %llx: chunk %u isn't among the "
		    "changed ones", (unsigned long long)mb, first);
	rc = peek_open(c->t, mb, first, true, &p);
	for (size_t i = 0; rc == 0 && i < p.hot.used; i++) {
		row_hot_slot(&p.hot, i, &h);
		row_cold_slot(&p.cold, i, &d);
		slot_check(c, m, &hot, &h, &d);
	}
	peek_close(&p);
	return rc;
}

static int
row_counted(struct check *c, struct slice key, struct slice val)
{
	(void)key;
	(void)val;
	c->n_chunks--;
	return 0;
}

int
check_chunks(struct check *c)
{
	uint64_t n;
	int rc;

	if ((rc = check_rows(c, ROW_K_HOT, chunk_check)) < 0)
		return rc;
	n = c->n_chunks;
	if ((rc = check_rows(c, ROW_K_COLD, row_counted)) < 0)
		return rc;
	if (c->n_chunks != 0)
		check_fault(c, "cold chunks without hot ones");
	c->n_chunks = n;
	if ((rc = check_rows(c, ROW_K_CHANGED, row_counted)) < 0)
		return rc;
	if (c->n_chunks != 0)
		check_fault(c, "changed chunks that don't exist");
	return 0;
}

/* ---- the counts -------------------------------------------------------- */

static void
count_check(struct check *c, const struct c_mailbox *m, const char *what,
    uint64_t says, uint64_t is)
{
	if (says != is)
		check_fault(c, "mailbox %llx: %s is %llu, should be %llu",
		    (unsigned long long)m->id, what,
		    (unsigned long long)says, (unsigned long long)is);
}

int
check_counts(struct check *c)
{
	struct c_mailbox *m;
	size_t pos = 0;

	while ((m = umap_next(&c->mailboxes, &pos))) {
		const struct row_mailbox *r = &m->row;

		count_check(c, m, "total", r->total, m->total);
		count_check(c, m, "unread", r->unread, m->unread);
		count_check(c, m, "unseen", r->unseen, m->unseen);
		count_check(c, m, "deleted", r->deleted, m->deleted);
		count_check(c, m, "threads", r->threads, m->threads);
		count_check(c, m, "unread threads", r->unread_threads,
		    m->unread_threads);
		count_check(c, m, "size", r->size, m->size);
		count_check(c, m, "size of the deleted", r->deleted_size,
		    m->deleted_size);
	}
	return 0;
}
