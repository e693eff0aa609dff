/* imapd/resync.c - what changed since the client was here last (RFC 7162 3.2) */
#include "config.h"

#include "imapd/imap.h"

/* ---- the argument of QRESYNC -------------------------------------------- */

static uint64_t
count(const struct seqset *set)
{
	uint64_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += (uint64_t)set->r[i].to - set->r[i].from + 1;
	return n;
}

/* known-sequence-set SP known-uid-set, without "*" */
static bool
parse_match(struct imap_args *v, struct imap_resync *r)
{
	struct imap_args in;

	if (!imap_args_list(v, &in, "sequence match data"))
		return false;
	if (imap_args_seqset(&in, 0, &r->seq) &&
	    imap_args_seqset(&in, 0, &r->uid) && imap_args_end(&in) &&
	    count(&r->seq) != count(&r->uid))
		in.err = "expected as many UIDs as sequence numbers";
	v->err = in.err;
	return in.err == NULL;
}

static bool
has_star(const struct imap_arg *arg)
{
	return arg != NULL && arg->type == IMAP_ARG_ATOM &&
	    memchr(arg->s.p, '*', arg->s.n) != NULL;
}

bool
imap_resync_parse(struct imap_args *v, struct imap_resync *r_r)
{
	*r_r = (struct imap_resync){ 0 };
	if (!imap_args_number(v, &r_r->uidvalidity, "a UIDVALIDITY") ||
	    !imap_args_number64(v, &r_r->since, "a mod-sequence"))
		return false;
	if (v->next != NULL && v->next->type == IMAP_ARG_ATOM &&
	    (has_star(v->next) || !imap_args_seqset(v, 0, &r_r->known)))
		return imap_args_expected(v, "known UIDs, without \"*\"");
	if (v->next != NULL && !parse_match(v, r_r))
		return false;
	return imap_args_end(v);
}

/* ---- what vanished ------------------------------------------------------ */

struct ranges {
	struct arena *a;
	struct store_range *r;
	size_t n, cap;
};

static void
add(struct ranges *g, uint32_t from, uint32_t to)
{
	if (from > to)
		return;
	if (g->n > 0 && g->r[g->n - 1].to + 1 == from) {
		g->r[g->n - 1].to = to;
		return;
	}
	g->r = arena_grow(g->a, g->r, &g->cap, g->n + 1, sizeof(*g->r));
	g->r[g->n++] = (struct store_range){ from, to };
}

/* UIDs of the set, above floor, that aren't in the view: all that could have
 * been there once. */
static void
add_missing(struct ranges *g, const struct view *v, const struct seqset *set,
    uint32_t floor)
{
	size_t at = 0;

	for (size_t i = 0; i < set->n; i++) {
		uint32_t from = set->r[i].from, to = set->r[i].to;

		if (from <= floor)
			from = floor + 1;
		if (to >= v->uidnext)
			to = v->uidnext - 1;
		while (at < v->n && v->m[at].uid < from)
			at++;
		for (; at < v->n && v->m[at].uid <= to; at++) {
			add(g, from, v->m[at].uid - 1);
			from = v->m[at].uid + 1;
		}
		add(g, from, to);
	}
}

static int
vanished(struct imap_cmd *cmd, const struct seqset *set, uint64_t since,
    uint32_t floor)
{
	struct imap_session *s = cmd->s;
	struct ranges g = { .a = cmd->a };
	uint32_t *uids;
	size_t n;
	int rc;

	rc = store_vanished(imap_store(s), cmd->a, s->view.mailbox, since, &uids,
	    &n);
	if (rc == STORE_E_TOOOLD || rc == STORE_E_INVALID)
		add_missing(&g, &s->view, set, floor);
	else if (rc < 0)
		return rc;
	else
		for (size_t i = 0; i < n; i++)
			if (seqset_has(set, uids[i]))
				add(&g, uids[i], uids[i]);
	imap_vanished_put(s, true, g.r, g.n);
	return 0;
}

int
imap_tell_vanished(struct imap_cmd *cmd, const struct seqset *set,
    uint64_t since)
{
	return vanished(cmd, set, since, 0);
}

/*
 * The greatest UID that has the sequence number that the client knows it by:
 * nothing below it is missing (RFC 7162 3.2.5.2).  0: none.
 */
static uint32_t
match(const struct view *v, const struct imap_resync *r)
{
	uint32_t best = 0;
	size_t i = 0, j = 0;
	uint64_t oi = 0, oj = 0;	/* offsets in the present ranges */

	while (i < r->seq.n && j < r->uid.n) {
		const struct store_range *s = &r->seq.r[i], *u = &r->uid.r[j];
		uint64_t n = (uint64_t)s->to - s->from + 1 - oi;
		uint64_t m = (uint64_t)u->to - u->from + 1 - oj;
		uint64_t run = n < m ? n : m;

		for (uint64_t k = 0; k < run; k++) {
			uint64_t seq = s->from + oi + k;

			if (seq > v->n)
				return best;
			if (v->m[seq - 1].uid == u->from + oj + k)
				best = v->m[seq - 1].uid;
		}
		oi = run == n ? 0 : oi + run;
		oj = run == m ? 0 : oj + run;
		i += run == n;
		j += run == m;
	}
	return best;
}

int
imap_resync(struct imap_cmd *cmd, const struct imap_resync *r)
{
	struct imap_session *s = cmd->s;
	struct view *v = &s->view;
	struct store_range all = { 1, v->uidnext - 1 };
	struct seqset set = r->known.n > 0 ? r->known :
	    (struct seqset){ &all, 1 };
	uint64_t since = r->since;
	int rc;

	if (r->uidvalidity != v->uidvalidity || v->uidnext <= 1)
		return 0;
	/* A mod-sequence that nobody has given out tells nothing. */
	if (since > v->modseq)
		since = 0;
	if ((rc = vanished(cmd, &set, since, match(v, r))) < 0)
		return rc;
	for (size_t i = 0; i < v->n && !sio_failed(s->x->io); i++)
		if (v->m[i].modseq > since && seqset_has(&set, v->m[i].uid))
			imap_tell_flags(s, i, true, true);
	return 0;
}
