/* imapd/search-answer.c - SEARCH, SORT and ESEARCH responses, what "$" keeps */
#include "config.h"

#include <stdlib.h>

#include "imapd/search.h"

/* Options that ask for nothing in the answer. */
enum { HINTS = SEARCH_RET_CONTEXT | SEARCH_RET_UPDATE };

/* Is result i in an answer which has neither ALL nor COUNT?  What is saved and
 * of which MODSEQ is told is the same then (RFC 4731 3.2, RFC 5182 2.4, RFC
 * 9394 3.2). */
static bool
is_told(const struct search *r, size_t i)
{
	unsigned ret = r->q.ret;
	size_t from, to;

	if ((ret & SEARCH_RET_MIN && i == 0) ||
	    (ret & SEARCH_RET_MAX && i == r->n - 1))
		return true;
	if (!(ret & SEARCH_RET_PARTIAL))
		return false;
	imap_partial_range(&r->q.partial, r->n, &from, &to);
	return i >= from && i < to;
}

static void
find_modseq(struct search *r)
{
	const struct view *v = &r->q.cmd->s->view;
	bool some = r->q.extended &&
	    (r->q.ret & (SEARCH_RET_ALL | SEARCH_RET_COUNT)) == 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t m;

		if (some && !is_told(r, i))
			continue;
		m = v->m[view_find(v, r->uid[i])].modseq;
		if (m > r->modseq)
			r->modseq = m;
	}
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
save(struct search *r)
{
	unsigned ret = r->q.ret;
	bool all = (ret & (SEARCH_RET_ALL | SEARCH_RET_COUNT)) != 0 ||
	    (ret & ~HINTS) == SEARCH_RET_SAVE;
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (all || is_told(r, i))
			r->uid[n++] = r->uid[i];
	/* "$" is a set: it has no order. */
	qsort(r->uid, n, sizeof(*r->uid), compare);
	view_save(&r->q.cmd->s->view, r->uid, n);
	r->uid = NULL;
}

static void
put_number(struct enc *e, const char *what, uint64_t v)
{
	enc_raw(e, what);
	enc_u64(e, v);
}

static void
put_classic(struct search *r, const char *word)
{
	struct enc *e = &r->q.cmd->s->out;

	enc_raw(e, word);
	for (size_t i = 0; i < r->n; i++)
		put_number(e, " ", r->no[i]);
	if (r->q.modseq && r->n > 0) {
		put_number(e, " (MODSEQ ", r->modseq);
		enc_raw(e, ")");
	}
	enc_eol(e);
}

static void
put_set(struct enc *e, const uint32_t *no, size_t n)
{
	struct buf text;

	buf_init(&text, 64 * 1024 * 1024);
	seqset_print(&text, no, n);
	enc_text(e, slice_make(text.p, text.n));
	buf_release(&text);
}

/* " PARTIAL (-1:-100 1:3,5)" */
static void
put_partial(struct search *r)
{
	struct enc *e = &r->q.cmd->s->out;
	size_t from, to;

	imap_partial_range(&r->q.partial, r->n, &from, &to);
	enc_raw(e, " PARTIAL (");
	enc_text(e, r->q.partial.text);
	enc_raw(e, " ");
	if (from < to)
		put_set(e, r->no + from, to - from);
	else
		enc_raw(e, "NIL");
	enc_raw(e, ")");
}

/* " RELEVANCY (4 99 42)": of all, or of those that PARTIAL tells. */
static void
put_relevancy(struct search *r)
{
	struct enc *e = &r->q.cmd->s->out;
	size_t from = 0, to = r->n;

	if (r->q.ret & SEARCH_RET_PARTIAL)
		imap_partial_range(&r->q.partial, r->n, &from, &to);
	enc_raw(e, " RELEVANCY (");
	for (size_t i = from; i < to; i++)
		put_number(e, i > from ? " " : "", r->score[i]);
	enc_raw(e, ")");
}

/* RFC 4731 3.1 */
static void
put_extended(struct search *r)
{
	struct imap_cmd *cmd = r->q.cmd;
	struct enc *e = &cmd->s->out;
	unsigned ret = r->q.ret;

	enc_raw(e, "* ESEARCH (TAG ");
	enc_string(e, cmd->tag);
	if (r->mailbox.p != NULL) {
		enc_raw(e, " MAILBOX ");
		enc_mailbox(e, r->mailbox);
		put_number(e, " UIDVALIDITY ", cmd->s->view.uidvalidity);
	}
	enc_raw(e, cmd->uid ? ") UID" : ")");
	if (ret & SEARCH_RET_MIN && r->n > 0)
		put_number(e, " MIN ", r->no[0]);
	if (ret & SEARCH_RET_MAX && r->n > 0)
		put_number(e, " MAX ", r->no[r->n - 1]);
	if (ret & SEARCH_RET_ALL && r->n > 0) {
		enc_raw(e, " ALL ");
		put_set(e, r->no, r->n);
	}
	if (ret & SEARCH_RET_PARTIAL)
		put_partial(r);
	if (ret & SEARCH_RET_RELEVANCY)
		put_relevancy(r);
	if (ret & SEARCH_RET_COUNT)
		put_number(e, " COUNT ", r->n);
	if (r->q.modseq && r->modseq > 0)
		put_number(e, " MODSEQ ", r->modseq);
	enc_eol(e);
}

void
search_answer(struct search *r, const char *word)
{
	struct imap_session *s = r->q.cmd->s;

	if (!r->q.extended && s->enabled & IMAP_REV2) {
		r->q.extended = true;	/* RFC 9051 6.4.4 */
		r->q.ret = SEARCH_RET_ALL;
	}
	find_modseq(r);
	if (!r->q.extended)
		put_classic(r, word);
	else if ((r->q.ret & ~HINTS) != SEARCH_RET_SAVE)
		put_extended(r);
	if (r->q.ret & SEARCH_RET_SAVE)
		save(r);
}

enum imap_next
search_failed(struct search *r, int rc)
{
	struct imap_cmd *cmd = r->q.cmd;

	/* RFC 5182 2.1: NO empties it, BAD leaves it. */
	if (r->q.ret & SEARCH_RET_SAVE && (rc < 0 || r->q.code != NULL))
		view_save(&cmd->s->view, NULL, 0);
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	if (r->q.numbers)
		return imap_uid_required(cmd);
	if (r->q.bad) {
		imap_bad_args(cmd);
		cmd->code = r->q.code;
		return IMAP_DONE;
	}
	return r->q.code ? imap_no(cmd, r->q.code, cmd->args.err) :
	    imap_bad_args(cmd);
}
