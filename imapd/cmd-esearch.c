/* imapd/cmd-esearch.c - ESEARCH in several mailboxes (RFC 7377) */
#include "config.h"

#include "imapd/list.h"
#include "imapd/search.h"
#include "libbase/xalloc.h"

struct multi {
	struct imap_cmd *cmd;
	struct listing l;
	bool *chosen;		/* by index of the listing */
	bool others;		/* mailboxes beside the selected one were named */
	bool selected;
	struct imap_args keys;	/* CHARSET and the conditions */
	struct search_request options;
};

/* ---- which mailboxes ------------------------------------------------------ */

enum depth { ITSELF, CHILDREN, ALL_BELOW };

static bool
is_below(const struct listing *l, size_t i, size_t top, enum depth depth)
{
	if (i == top)
		return true;
	if (depth == ITSELF)
		return false;
	for (i = l->e[i].parent; i != SIZE_MAX; i = l->e[i].parent) {
		if (i == top)
			return true;
		if (depth == CHILDREN)
			return false;
	}
	return false;
}

/* What isn't there is passed over (RFC 5465 6.6). */
static void
choose_path(struct multi *x, struct slice path, enum depth depth)
{
	const struct listing *l = &x->l;

	if (slice_ieq(path, SLICE_LIT("INBOX")))
		path = SLICE_LIT("INBOX");
	for (size_t top = 0; top < l->n; top++) {
		if (!slice_eq(l->e[top].path, path))
			continue;
		for (size_t i = 0; i < l->n; i++)
			x->chosen[i] = x->chosen[i] ||
			    is_below(l, i, top, depth);
	}
}

/* A mailbox, or a list of them. */
static bool
named(struct multi *x, struct imap_args *v, enum depth depth)
{
	struct imap_args in;
	struct slice path;

	if (v->next == NULL || v->next->type != IMAP_ARG_LIST) {
		if (!imap_args_mailbox(v, &path))
			return false;
		choose_path(x, path, depth);
		return true;
	}
	imap_args_list(v, &in, "mailboxes");
	do {
		if (!imap_args_mailbox(&in, &path)) {
			v->err = in.err;
			return false;
		}
		choose_path(x, path, depth);
	} while (in.next != NULL);
	return true;
}

static void
choose_all(struct multi *x, bool inbox, bool subscribed)
{
	for (size_t i = 0; i < x->l.n; i++) {
		const struct store_mailbox *mb = x->l.e[i].mb;

		x->chosen[i] = x->chosen[i] ||
		    (subscribed ? mb->subscribed : !x->l.e[i].owner &&
		    !x->l.e[i].nonexistent &&
		    (!inbox || mb->role == STORE_ROLE_INBOX));
	}
}

static bool
source(struct multi *x, struct imap_args *in)
{
	x->others = true;
	if (imap_args_word(in, "personal"))
		choose_all(x, false, false);
	else if (imap_args_word(in, "inboxes"))
		choose_all(x, true, false);
	else if (imap_args_word(in, "subscribed"))
		choose_all(x, false, true);
	else if (imap_args_word(in, "subtree"))
		return named(x, in, ALL_BELOW);
	else if (imap_args_word(in, "subtree-one"))
		return named(x, in, CHILDREN);
	else if (imap_args_word(in, "mailboxes"))
		return named(x, in, ITSELF);
	else
		return imap_args_expected(in, "a source of mailboxes");
	return true;
}

/* [IN (...)]; without it the selected mailbox alone. */
static bool
parse_sources(struct multi *x)
{
	struct imap_args *v = &x->cmd->args, in;

	if (!imap_args_word(v, "IN")) {
		x->selected = true;
		return true;
	}
	if (!imap_args_list(v, &in, "a list of sources"))
		return false;
	do {
		if (imap_args_word(&in, "selected"))
			x->selected = true;
		else if (!source(x, &in)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	return true;
}

/* false: answered. */
static bool
parse(struct multi *x)
{
	struct imap_cmd *cmd = x->cmd;
	struct search_request *q = &x->options;
	struct imap_args *v = &cmd->args;
	bool ok;

	q->cmd = cmd;
	ok = parse_sources(x) && search_parse_return(q, v);
	x->keys = *v;
	/* Once as a rehearsal: what is wrong is wrong in every mailbox. */
	ok = ok && (!imap_args_word(v, "CHARSET") ||
	    search_parse_charset(q, v)) && search_parse_keys(q, v);
	if (q->numbers)
		imap_uid_required(cmd);
	else if (!ok && q->code != NULL && !q->bad)
		imap_no(cmd, q->code, v->err);
	else if (!ok)
		imap_bad_args(cmd);
	else if (x->selected && cmd->s->view.mailbox == 0)
		imap_bad(cmd, "select a mailbox first");
	else if (x->others && q->ret & SEARCH_RET_SAVE)
		imap_bad(cmd, "SAVE is for the selected mailbox alone");
	else
		return true;
	return false;
}

/* ---- the search ------------------------------------------------------------ */

/* In the mailbox that is in view. */
static int
search(struct multi *x, struct slice path)
{
	struct imap_cmd *cmd = x->cmd;
	struct search *r = arena_calloc(cmd->a, 1, sizeof(*r));
	struct imap_args v = x->keys;
	int rc;

	r->q.cmd = cmd;
	if (imap_args_word(&v, "CHARSET"))
		search_parse_charset(&r->q, &v);
	search_parse_keys(&r->q, &v);	/* it went well before */
	r->q.extended = true;
	r->q.ret = x->options.ret ? x->options.ret : SEARCH_RET_ALL;
	r->q.partial = x->options.partial;
	r->mailbox = path;
	if ((rc = search_run(r)) < 0 || cmd->limited != 0)
		return rc;
	if (r->n > 0 || r->q.ret & SEARCH_RET_SAVE)
		search_answer(r, NULL);
	return 0;
}

/* One that isn't selected comes into view for the time. */
static int
search_other(struct multi *x, const struct entry *e)
{
	struct imap_session *s = x->cmd->s;
	struct view selected = s->view;
	struct store *st = s->x->store;
	int rc = 0;

	if (e->nonexistent || !(e->rights & STORE_RIGHT_READ))
		return 0;
	s->others.held = selected.st;
	if (e->owner != NULL &&
	    (rc = imap_other(s, slice_str(e->owner), &st)) < 0)
		return rc;
	s->view = (struct view){ 0 };
	rc = view_open(&s->view, st, x->cmd->a, e->mb, e->path, true);
	if (rc >= 0)
		rc = search(x, e->path);
	view_close(&s->view);
	s->view = selected;
	return rc;
}

/* Is that the account that the mailbox is in? */
static bool
is_of(const struct imap_session *s, const struct entry *e)
{
	const struct store *st = s->view.st;

	return e->owner ? strcmp(e->owner, store_account_name(st)) == 0 :
	    st == s->x->store;
}

static int
search_all(struct multi *x)
{
	uint64_t mine = x->cmd->s->view.mailbox;
	bool found = false;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < x->l.n; i++) {
		const struct entry *e = &x->l.e[i];
		bool here = mine != 0 && e->mb->id == mine &&
		    is_of(x->cmd->s, e);

		found = found || here;
		if (here && (x->selected || x->chosen[i]))
			rc = search(x, e->path);
		else if (x->chosen[i])
			rc = search_other(x, e);
		if (sio_failed(x->cmd->s->x->io) || x->cmd->limited != 0)
			break;
		/* It was deleted meanwhile. */
		rc = rc == STORE_E_NOTFOUND ? 0 : rc;
	}
	/* He may read it, but not know that it is there. */
	if (rc >= 0 && x->selected && !found)
		rc = search(x, x->cmd->s->view.path);
	return rc;
}

enum imap_next
cmd_esearch(struct imap_cmd *cmd)
{
	struct multi x = { .cmd = cmd };
	int rc;

	cmd->uid = true;	/* RFC 7377 2.1: always UIDs */
	if ((rc = listing_load(cmd, &x.l)) < 0 ||
	    (rc = listing_others(cmd, &x.l)) < 0 ||
	    (rc = listing_subscribed(cmd, &x.l, false)) < 0)
		return imap_store_failed(cmd, rc);
	x.chosen = arena_calloc(cmd->a, x.l.n + 1, sizeof(*x.chosen));
	if (!parse(&x))
		return IMAP_DONE;
	if (x.options.ret & SEARCH_RET_UPDATE)
		imap_noupdate(cmd->s, cmd->tag, "ESEARCH doesn't go on");
	if ((rc = search_all(&x)) < 0)
		return imap_store_failed(cmd, rc);
	if (cmd->limited != 0)
		return imap_over_limit(cmd,
		    cmd->s->x->conf->imap_message_limit);
	return imap_ok(cmd, "Searched");
}
