/*
 * imapd/context.c - CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267): searches that
 * go on, from UPDATE to CANCELUPDATE or until the mailbox is selected no more
 *
 * A context keeps its command's arguments, with the arena that they are in, and
 * the UIDs of its result.
 */
#include "config.h"

#include "imapd/context.h"
#include "libbase/xalloc.h"

enum {
	CONTEXTS_MAX = 16,
	ARGUMENTS_MAX = 1024 * 1024,	/* octets of one's arguments */
	MEMBERS_MAX = 2 * 1000 * 1000	/* of all in a session */
};

void
imap_noupdate(struct imap_session *s, struct slice tag, const char *text)
{
	enc_raw(&s->out, "* NO [NOUPDATE ");
	enc_string(&s->out, tag);
	enc_raw(&s->out, "] ");
	enc_say(&s->out, text);
	enc_eol(&s->out);
}

void
context_fail(struct imap_session *s, struct context *c, const char *text)
{
	imap_noupdate(s, c->tag, text);
	c->state = CONTEXT_OVER;
}

bool
context_has(const struct imap_session *s, struct slice tag)
{
	for (const struct context *c = s->contexts; c != NULL; c = c->next)
		if (c->state == CONTEXT_LIVE && slice_eq(c->tag, tag))
			return true;
	return false;
}

void
context_grow(struct context *c, size_t n)
{
	if (c->n + n <= c->cap)
		return;
	c->cap = c->n + n + c->n / 4;
	c->m = xreallocarray(c->m, c->cap, sizeof(*c->m));
}

/* ---- the beginning ----------------------------------------------------- */

/* Numbers and "$" are what they are now (RFC 5267 4.3). */
static void
pin(struct search_node *n, const struct view *v, struct arena *a)
{
	struct seqset set = { 0 };
	size_t cap = 0;

	for (struct search_node *k = n->child; k != NULL; k = k->next)
		pin(k, v, a);
	if (n->kind != SEARCH_SEQ && n->kind != SEARCH_SAVED)
		return;
	for (size_t i = 0; i < v->n; i++)
		if (n->kind == SEARCH_SEQ ? seqset_has(&n->set,
		    (uint32_t)i + 1) : view_is_saved(v, v->m[i].uid))
			seqset_add(&set, &cap, a, v->m[i].uid);
	n->kind = SEARCH_UID;
	n->set = set;
	n->name = slice_make(NULL, 0);
}

/* Why there can't be one, or NULL. */
static const char *
refused(const struct search *r)
{
	const struct imap_session *s = r->q.cmd->s;
	size_t n = 0;

	for (const struct context *c = s->contexts; c != NULL; c = c->next)
		n += c->state == CONTEXT_LIVE;
	if (n >= CONTEXTS_MAX)
		return "Too many contexts";
	if (r->q.fuzzy)
		return "FUZZY is of the moment";
	if (r->q.within)
		return "OLDER and YOUNGER change with time alone";
	if (arena_used(r->q.cmd->a) > ARGUMENTS_MAX)
		return "The search is too big to go on";
	return NULL;
}

struct search *
context_begin(struct search *r)
{
	struct imap_cmd *cmd = r->q.cmd;
	struct imap_session *s = cmd->s;
	const char *why;
	struct context *c;
	struct search *copy;

	if (!(r->q.ret & SEARCH_RET_UPDATE))
		return r;
	if ((why = refused(r)) != NULL) {
		imap_noupdate(s, cmd->tag, why);
		return r;
	}
	pin(r->q.root, &s->view, cmd->a);
	c = xcalloc(1, sizeof(*c));
	c->a = s->a;
	c->tag = cmd->tag;
	c->uid = cmd->uid;
	c->root = r->q.root;
	c->fetch = r->q.update;
	c->next = s->contexts;
	s->contexts = c;
	s->a = cmd->a = arena_new(0);
	copy = arena_alloc(cmd->a, sizeof(*copy));
	*copy = *r;
	copy->context = c;
	return copy;
}

void
context_found(struct search *r, const struct sort_order *o)
{
	struct imap_session *s = r->q.cmd->s;
	struct context *c = r->context;
	size_t members = r->n;

	if (c == NULL)
		return;
	for (const struct context *k = s->contexts; k != NULL; k = k->next)
		members += k->n;
	if (r->q.cmd->limited != 0 || members > MEMBERS_MAX) {
		context_fail(s, c, "Too many messages");
		return;
	}
	context_grow(c, r->n + 1);
	memcpy(c->m, r->uid, r->n * sizeof(*c->m));
	c->n = r->n;
	c->sorted = o != NULL;
	if (o != NULL)
		c->o = *o;
	c->last = s->star = view_star(&s->view, true);
	c->state = CONTEXT_LIVE;
}

/* ---- the end ----------------------------------------------------------- */

void
imap_contexts_end(struct imap_session *s, bool all)
{
	struct context **at = &s->contexts, *c;

	while ((c = *at) != NULL) {
		if (!all && c->state == CONTEXT_LIVE) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		arena_free(&c->a);
		xfree(c->m);
		xfree(c);
	}
	if (s->contexts == NULL) {
		xfree(s->stale);
		s->stale = NULL;
		s->n_stale = s->cap_stale = 0;
	}
}

void
imap_unselect(struct imap_session *s)
{
	for (struct context *c = s->contexts; c != NULL; c = c->next)
		c->state = CONTEXT_OVER;
	view_close(&s->view);
}

void
imap_contexts_uidonly(struct imap_session *s)
{
	for (struct context *c = s->contexts; c != NULL; c = c->next)
		if (c->state == CONTEXT_LIVE && !c->uid)
			context_fail(s, c, "There are no numbers any more");
}

/* Tags that aren't known may be of contexts that ended by themselves. */
enum imap_next
cmd_cancelupdate(struct imap_cmd *cmd)
{
	struct slice tag;

	do {
		if (!imap_args_string(&cmd->args, &tag, "a tag in quotes"))
			return imap_bad_args(cmd);
		for (struct context *c = cmd->s->contexts; c; c = c->next)
			if (slice_eq(c->tag, tag))
				c->state = CONTEXT_OVER;
	} while (cmd->args.next != NULL);
	return imap_ok(cmd, "No further updates");
}
