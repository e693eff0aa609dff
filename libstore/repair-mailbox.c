/* libstore/repair-mailbox.c - a tree of mailboxes, and who is in them */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "libbase/xalloc.h"
#include "libstore/repair.h"

enum {
	UID_MARGIN = 1000,	/* UIDs that somebody may have seen */
	/* The first thing that an account gets is its inbox. */
	FIRST_ID = 1 << ROW_ID_SHIFT
};

/* What can be found out of a mailbox whose row is lost. */
static void
lost_describe(struct repair *r, struct rp_mailbox *m)
{
	enum store_role role = STORE_ROLE_NONE;
	char text[STORE_ID_TEXT], name[64];
	uint64_t *id;

	for (int i = 1; i < STORE_ROLES; i++)
		if ((id = umap_get(&r->roles, (uint64_t)i, 0)) && *id == m->id)
			role = (enum store_role)i;
	if (m->id == FIRST_ID)
		role = STORE_ROLE_INBOX;
	snprintf(name, sizeof(name), "Recovered %s",
	    store_id_text('M', m->id, text));
	m->row.name = arena_slice(r->a, slice_str(name));
	m->row.role = (uint8_t)role;
	m->row.subscribed = true;
	if (role == STORE_ROLE_INBOX)
		m->row.name = SLICE_LIT("INBOX");
	/* Its UIDs may have been given to others since. */
	m->row.uidvalidity = ++r->head.uidvalidity;
	m->row.uidnext = 1;
	rp_say(r, "the mailbox %s is lost, it comes back as \"%.*s\"", text,
	    (int)m->row.name.n, m->row.name.p);
}

/* Parents that are there, no loops, not too deep. */
static void
parent_settle(struct repair *r, struct rp_mailbox *m)
{
	struct rp_mailbox *p = m;
	int depth = 0;

	for (; p && p->row.parent && depth < STORE_DEPTH_MAX; depth++) {
		p = umap_get(&r->mailboxes, p->row.parent, 0);
		if (p && p->gone)
			p = NULL;
	}
	if (p && depth < STORE_DEPTH_MAX && m->row.role != STORE_ROLE_INBOX)
		return;
	if (m->row.parent != 0 && m->row.role != STORE_ROLE_INBOX)
		rp_say(r, "the mailbox %.*s has no parent any more",
		    (int)m->row.name.n, m->row.name.p);
	m->row.parent = 0;
}

struct tree {
	struct umap role;
	struct umap name;	/* by the beginning of the key's hash */
};

static bool
name_taken(struct tree *t, struct rp_mailbox *m)
{
	struct row_key k = name_key(m->row.parent, m->row.name);
	uint64_t h;

	memcpy(&h, k.b + 9, sizeof(h));
	h ^= m->row.parent;
	if (umap_get(&t->name, h, 0))
		return true;
	umap_add(&t->name, h, 0, m);
	return false;
}

static void
name_settle(struct repair *r, struct tree *t, struct rp_mailbox *m)
{
	char text[STORE_ID_TEXT], *name;
	struct slice nfc;

	if (m->row.role != STORE_ROLE_NONE &&
	    umap_get(&t->role, m->row.role, 0))
		m->row.role = STORE_ROLE_NONE;
	if (m->row.role != STORE_ROLE_NONE)
		umap_add(&t->role, m->row.role, 0, m);
	if (mailbox_name_ok(m->row.name, r->a, &nfc)) {
		m->row.name = nfc;
		if (!name_taken(t, m))
			return;
	}
	name = xasprintf("Recovered %s", store_id_text('M', m->id, text));
	m->row.name = arena_slice(r->a, slice_str(name));
	xfree(name);
	rp_say(r, "a mailbox is now called \"%.*s\"", (int)m->row.name.n,
	    m->row.name.p);
	(void)name_taken(t, m);
}

static int
by_id(const void *a, const void *b)
{
	const struct rp_mailbox *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

/* In the order in which they were made, the inbox first. */
static void
tree_settle(struct repair *r)
{
	struct rp_mailbox **all, *m;
	struct tree t;
	size_t pos = 0, n = 0;

	umap_init(&t.role, r->a);
	umap_init(&t.name, r->a);
	all = arena_calloc(r->a, r->mailboxes.n, sizeof(*all));
	while ((m = umap_next(&r->mailboxes, &pos)))
		if (!m->gone)
			all[n++] = m;
	if (n > 1)
		qsort(all, n, sizeof(*all), by_id);
	for (size_t i = 0; i < n; i++)
		if (all[i]->lost)
			lost_describe(r, all[i]);
	for (size_t i = 0; i < n; i++)
		parent_settle(r, all[i]);
	for (int inbox = 1; inbox >= 0; inbox--)
		for (size_t i = 0; i < n; i++)
			if ((all[i]->row.role == STORE_ROLE_INBOX) == inbox)
				name_settle(r, &t, all[i]);
	r->head.trash = 0;
	for (size_t i = 0; i < n; i++)
		if (all[i]->row.role == STORE_ROLE_TRASH)
			r->head.trash = all[i]->id;
}

/* ---- UIDs --------------------------------------------------------------- */

static int
by_uid(const void *a, const void *b)
{
	const struct rp_msg *const *x = a, *const *y = b;
	uint32_t u = (*x)->uid - 1, v = (*y)->uid - 1;	/* 0: the last */

	if (u != v)
		return u < v ? -1 : 1;
	return (*x)->e->id < (*y)->e->id ? -1 : (*x)->e->id > (*y)->e->id;
}

/* New UIDs for what has none, or one that another has. */
static void
uids_settle(struct rp_mailbox *m)
{
	uint32_t next = m->row.uidnext, last = 0;

	if (next <= m->last_uid)
		next = m->last_uid + 1;
	if (next > UINT32_MAX - UID_MARGIN)
		next = UINT32_MAX - UID_MARGIN;
	next += UID_MARGIN;
	if (m->n_msg > 1)
		qsort(m->msg, m->n_msg, sizeof(*m->msg), by_uid);
	for (size_t i = 0; i < m->n_msg; i++) {
		struct rp_msg *g = m->msg[i];

		if (g->uid == last || g->uid == 0)
			g->uid = next++;
		else
			last = g->uid;
	}
	if (m->n_msg > 1)
		qsort(m->msg, m->n_msg, sizeof(*m->msg), by_uid);
	m->row.uidnext = next;
}

int
rp_mailboxes(struct repair *r)
{
	struct rp_mailbox *m;
	struct rp_email *e;
	bool inbox = false;
	size_t pos = 0;

	while ((e = umap_next(&r->emails, &pos)))
		for (struct rp_msg *g = e->msg; g && !e->dead; g = g->next) {
			if (g->drop)
				continue;
			m = g->m;
			m->msg = arena_grow(r->a, m->msg, &m->cap_msg,
			    m->n_msg + 1, sizeof(*m->msg));
			m->msg[m->n_msg++] = g;
			e->n_msg++;
		}
	for (pos = 0; (m = umap_next(&r->mailboxes, &pos));) {
		/* Only dead slots tell of it: it was destroyed long ago. */
		if (m->lost && m->n_msg == 0 && m->id != FIRST_ID)
			m->gone = true;
		inbox |= !m->gone && m->row.role == STORE_ROLE_INBOX;
	}
	if (!inbox && !umap_get(&r->mailboxes, FIRST_ID, 0))
		(void)rp_mailbox(r, FIRST_ID);
	tree_settle(r);
	for (pos = 0; (m = umap_next(&r->mailboxes, &pos));)
		if (!m->gone)
			uids_settle(m);
	return 0;
}
