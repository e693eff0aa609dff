/* libstore/repair-settle.c - which Emails live, and in which mailboxes */
#include "config.h"

#include "libstore/repair.h"

static bool
row_has(const struct rp_email *e, uint64_t mailbox, uint32_t uid)
{
	for (size_t i = 0; i < e->row.n_in; i++)
		if (e->row.in[i].mailbox == mailbox && e->row.in[i].uid == uid)
			return true;
	return false;
}

/* Slots that say something else than the Email's row: the row was written with
 * them, so one of both is older. */
static void
slots_settle(struct repair *r, struct rp_email *e)
{
	for (struct rp_msg *g = e->msg; g; g = g->next) {
		if (g->m->gone || umap_get(&r->removed, g->m->id, g->uid) ||
		    umap_get(&r->dead, e->id, 0))
			g->drop = true;
		if (g->drop || !e->has_row)
			continue;
		/* Once in a mailbox, and there where the row says. */
		for (struct rp_msg *o = e->msg; o; o = o->next)
			if (o != g && !o->drop && o->m == g->m &&
			    (row_has(e, o->m->id, o->uid) ||
			    (!row_has(e, g->m->id, g->uid) &&
			    o->uid > g->uid)))
				g->drop = true;
	}
}

static bool
has_msg(const struct rp_email *e, uint64_t mailbox)
{
	for (struct rp_msg *g = e->msg; g; g = g->next)
		if (!g->drop && g->m->id == mailbox)
			return true;
	return false;
}

/* A membership that only the row tells: 1, 0 if it is gone, or -1 if its chunk
 * may be lost. */
static int
row_in_settle(struct repair *r, struct rp_email *e, const struct row_in *in)
{
	struct rp_slot *s = umap_get(&r->slots, in->mailbox, in->uid);
	struct rp_msg *g;

	if ((s && s->dead) || umap_get(&r->removed, in->mailbox, in->uid) ||
	    umap_get(&r->gone, in->mailbox, 0) ||
	    umap_get(&r->dead, e->id, 0))
		return 0;
	if (has_msg(e, in->mailbox))
		return 1;
	if (!s)
		return -1;
	g = rp_msg(r, rp_mailbox(r, in->mailbox), in->uid, e);
	g->flags = s->flags;
	g->modseq = s->modseq;
	g->saved = e->received;
	return 1;
}

static unsigned
living(const struct rp_email *e)
{
	unsigned n = 0;

	for (const struct rp_msg *g = e->msg; g; g = g->next)
		n += !g->drop;
	return n;
}

/* The keywords are the same everywhere: those of the last change. */
static void
flags_settle(const struct repair *r, struct rp_email *e)
{
	uint64_t known = 0x1f, newest = 0;

	if (r->n_keyword > 0)
		known |= ((UINT64_C(1) << r->n_keyword) - 1) << 6;
	for (struct rp_msg *g = e->msg; g; g = g->next)
		if (!g->drop && g->modseq >= newest) {
			newest = g->modseq;
			e->flags = g->flags & FLAG_KEYWORDS & known;
		}
	for (struct rp_msg *g = e->msg; g; g = g->next)
		g->flags = e->flags | (g->flags & STORE_DELETED);
}

/* Of an Email whose memberships no chunk tells. */
static void
ghosts_revive(struct repair *r, struct rp_email *e)
{
	for (size_t i = 0; i < e->row.n_in; i++) {
		const struct row_in *in = &e->row.in[i];
		struct rp_msg *g;

		if (row_in_settle(r, e, in) != -1)
			continue;
		g = rp_msg(r, rp_mailbox(r, in->mailbox), in->uid, e);
		g->flags = e->flags;
		g->saved = e->received;
		rp_say(r, "Email %llx: its flags in a mailbox are lost",
		    (unsigned long long)e->id);
	}
}

struct ghosts {
	struct rp_email **e;
	size_t n, cap;
};

static void
email_settle(struct repair *r, struct rp_email *e, struct ghosts *gh)
{
	bool ghost = false;

	slots_settle(r, e);
	for (size_t i = 0; i < e->row.n_in; i++)
		ghost |= row_in_settle(r, e, &e->row.in[i]) == -1;
	flags_settle(r, e);
	if (ghost) {
		gh->e = arena_grow(r->a, gh->e, &gh->cap, gh->n + 1,
		    sizeof(*gh->e));
		gh->e[gh->n++] = e;
	} else if (living(e) == 0) {
		e->dead = true;
		r->n_dead += e->has_row;
	}
}

static void
ghost_settle(struct repair *r, struct rp_email *e, bool all_dead_known)
{
	struct rp_msg *g;

	/* The head counts the destroyed ones: if all were met, this isn't. */
	if (all_dead_known) {
		ghosts_revive(r, e);
		return;
	}
	if (living(e) > 0)
		return;
	g = rp_msg(r, rp_recovered(r), 0, e);
	g->saved = e->received;
	rp_say(r, "Email %llx: its mailbox is lost, or it was destroyed; "
	    "it is in the mailbox Recovered", (unsigned long long)e->id);
}

int
rp_settle(struct repair *r)
{
	struct ghosts gh = { 0 };
	struct rp_email *e;
	struct rp_mailbox *m;
	size_t pos = 0;
	bool all;

	while ((m = umap_next(&r->mailboxes, &pos)))
		m->gone = umap_get(&r->gone, m->id, 0) != NULL;
	/* The rows of the mailboxes are not added to while they are walked. */
	for (pos = 0; (e = umap_next(&r->emails, &pos));)
		email_settle(r, e, &gh);
	all = r->have_head && r->n_dead >= r->head.dead;
	for (size_t i = 0; i < gh.n; i++)
		ghost_settle(r, gh.e[i], all);
	return 0;
}
