/* libstore/email-change.c - changing and destroying Emails (RFC 8621 4.6) */
#include "config.h"

#include "libstore/store-int.h"

struct change_arg {
	const struct store_email_set *s;
	size_t n, pos, next;
	int *rc;
};

/* A set of mailboxes. */
struct mbset {
	uint64_t *id;
	size_t n;
};

static bool
mbset_has(const struct mbset *s, uint64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->id[i] == id)
			return true;
	return false;
}

static void
mbset_add(struct mbset *s, uint64_t id)
{
	if (!mbset_has(s, id))
		s->id[s->n++] = id;
}

static void
mbset_del(struct mbset *s, uint64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->id[i] == id)
			s->id[i--] = s->id[--s->n];
}

/* Where the Email is, and where it is to be. */
static int
change_plan(struct work *w, const struct w_email *e,
    const struct store_email_set *s, struct mbset *now, struct mbset *want)
{
	struct w_mailbox *m;
	int rc;

	now->n = want->n = 0;
	if (s->n_add > ROW_IN_MAX)
		return STORE_E_LIMIT;
	now->id = arena_calloc(w->a, e->row.n_in, sizeof(*now->id));
	want->id = arena_calloc(w->a, e->row.n_in + s->n_add,
	    sizeof(*want->id));
	for (size_t i = 0; i < e->row.n_in; i++)
		mbset_add(now, e->row.in[i].mailbox);
	for (size_t i = 0; i < now->n && !s->set_mailboxes; i++)
		mbset_add(want, now->id[i]);
	for (size_t i = 0; i < s->n_add; i++) {
		if ((rc = w_mailbox(w, s->mailboxes_add[i], &m)) < 0)
			return rc;
		mbset_add(want, s->mailboxes_add[i]);
	}
	for (size_t i = 0; i < s->n_del && !s->set_mailboxes; i++)
		mbset_del(want, s->mailboxes_del[i]);
	if (want->n == 0)
		return STORE_E_INVALID;
	return want->n > ROW_IN_MAX ? STORE_E_LIMIT : 0;
}

/* The message that an Email is in a mailbox. */
static int
member_msg(struct work *w, struct w_email *e, uint64_t mailbox,
    struct w_msg *g)
{
	struct w_mailbox *m;
	int rc = STORE_E_NOTFOUND;

	memset(g, 0, sizeof(*g));
	for (size_t i = 0; i < e->row.n_in; i++)
		if (e->row.in[i].mailbox == mailbox) {
			if ((rc = w_mailbox(w, mailbox, &m)) == 0)
				rc = w_msg(w, m, e->row.in[i].uid, g);
			break;
		}
	return rc == STORE_E_NOTFOUND ?
	    store_corrupt(w->st, "email", e->id) : rc;
}

static int
change_flags(struct work *w, struct w_email *e,
    const struct store_email_set *s, uint64_t old, uint64_t *flags_r)
{
	uint64_t flags = s->set_flags ? s->flags_add :
	    (old | s->flags_add) & ~s->flags_del;
	struct w_msg g;
	int rc;

	*flags_r = flags &= FLAG_KEYWORDS;
	if (flags == old)
		return 0;
	if ((rc = member_msg(w, e, e->row.in[0].mailbox, &g)) < 0)
		return rc;
	rc = msg_set_flags(w, &g, flags | (g.hot.flags & STORE_DELETED));
	return rc < 0 ? rc : 0;
}

/* Leaving one mailbox and entering another at once is a move. */
static int
change_mailboxes(struct work *w, struct w_email *e, uint64_t flags,
    const struct mbset *now, const struct mbset *want)
{
	struct w_mailbox *m;
	struct w_msg g;
	size_t i, out = 0;
	uint32_t uid;
	int rc;

	for (i = 0; i < want->n; i++) {
		if (mbset_has(now, want->id[i]))
			continue;
		if ((rc = w_mailbox(w, want->id[i], &m)) < 0)
			return rc;
		while (out < now->n && mbset_has(want, now->id[out]))
			out++;
		if (out == now->n) {
			rc = email_join(w, e, m, flags, &uid);
		} else {
			rc = member_msg(w, e, now->id[out++], &g);
			if (rc == 0)
				rc = msg_move(w, &g, m, flags, &uid);
		}
		if (rc < 0)
			return rc;
	}
	for (; out < now->n; out++) {
		if (mbset_has(want, now->id[out]))
			continue;
		if ((rc = member_msg(w, e, now->id[out], &g)) < 0 ||
		    (rc = msg_remove(w, &g)) < 0)
			return rc;
	}
	return 0;
}

static int
change_destroy(struct work *w, struct w_email *e)
{
	struct mbset now = { .n = 0 };
	struct w_msg g;
	int rc;

	now.id = arena_calloc(w->a, e->row.n_in, sizeof(*now.id));
	for (size_t i = 0; i < e->row.n_in; i++)
		mbset_add(&now, e->row.in[i].mailbox);
	for (size_t i = 0; i < now.n; i++)
		if ((rc = member_msg(w, e, now.id[i], &g)) < 0 ||
		    (rc = msg_remove(w, &g)) < 0)
			return rc;
	return 0;
}

/* 0 and the answer in *rc_r, where nothing is changed if that is negative; or
 * negative: all of the transaction is void. */
static int
change_one(struct work *w, const struct store_email_set *s, int *rc_r)
{
	struct mbset now = { NULL, 0 }, want = { NULL, 0 };
	struct w_email *e;
	uint64_t old, flags;
	int rc;

	if ((rc = w_email(w, s->id, &e)) < 0 ||
	    (rc = email_flags(w, e, &old)) < 0) {
		*rc_r = rc;
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	}
	*rc_r = 0;
	if (s->destroy)
		return change_destroy(w, e);
	rc = (old & s->flags_unless) != 0 ? STORE_E_DENIED :
	    keywords_known(w, s->flags_add);
	if (rc == 0)
		rc = change_plan(w, e, s, &now, &want);
	if (rc < 0) {
		*rc_r = rc;
		return rc == STORE_E_INVALID || rc == STORE_E_NOTFOUND ||
		    rc == STORE_E_LIMIT || rc == STORE_E_DENIED ? 0 : rc;
	}
	if ((rc = change_flags(w, e, s, old, &flags)) < 0)
		return rc;
	return change_mailboxes(w, e, flags, &now, &want);
}

static int
change_portion(struct work *w, void *arg)
{
	struct change_arg *c = arg;
	int rc;

	for (c->next = c->pos; c->next < c->n && !work_full(w); c->next++)
		if ((rc = change_one(w, &c->s[c->next], &c->rc[c->next])) < 0)
			return rc;
	return c->next < c->n;
}

int
store_email_change(struct store *st, const struct store_email_set *s,
    size_t n, int *rc_r, uint64_t *modseq_r)
{
	struct change_arg c = { .s = s, .n = n, .rc = rc_r };
	int rc;

	do {
		rc = store_run(st, KV_FREES, change_portion, &c, modseq_r);
		c.pos = c.next;
	} while (rc > 0);
	return rc;
}
