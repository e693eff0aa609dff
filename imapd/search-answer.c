/* imapd/search-answer.c - SEARCH, SORT and ESEARCH responses, what "$" keeps */
#include "config.h"

#include <stdlib.h>

#include "imapd/search.h"

/* RFC 4731 3.2: of the MIN and MAX messages if nothing but these is returned. */
static void
find_modseq(struct search *r)
{
	const struct view *v = &r->q.cmd->s->view;
	bool ends = r->q.extended &&
	    (r->q.ret & (SEARCH_RET_ALL | SEARCH_RET_COUNT)) == 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t m;

		if (ends && !(i == 0 && r->q.ret & SEARCH_RET_MIN) &&
		    !(i == r->n - 1 && r->q.ret & SEARCH_RET_MAX))
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

/* MIN and MAX alone save only what they return (RFC 5182 2.4). */
static void
save(struct search *r)
{
	unsigned ret = r->q.ret;
	bool all = (ret & (SEARCH_RET_ALL | SEARCH_RET_COUNT)) != 0 ||
	    (ret & (SEARCH_RET_MIN | SEARCH_RET_MAX)) == 0;
	size_t n = 0;

	if (all)
		n = r->n;
	else if (r->n > 0) {
		if (ret & SEARCH_RET_MIN)
			n = 1;
		if (ret & SEARCH_RET_MAX && (n == 0 || r->n > 1))
			r->uid[n++] = r->uid[r->n - 1];
	}
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

/* RFC 4731 3.1 */
static void
put_extended(struct search *r)
{
	struct imap_cmd *cmd = r->q.cmd;
	struct enc *e = &cmd->s->out;
	unsigned ret = r->q.ret;

	enc_raw(e, "* ESEARCH (TAG ");
	enc_string(e, cmd->tag);
	enc_raw(e, cmd->uid ? ") UID" : ")");
	if (ret & SEARCH_RET_MIN && r->n > 0)
		put_number(e, " MIN ", r->no[0]);
	if (ret & SEARCH_RET_MAX && r->n > 0)
		put_number(e, " MAX ", r->no[r->n - 1]);
	if (ret & SEARCH_RET_ALL && r->n > 0) {
		enc_raw(e, " ALL ");
		put_set(e, r->no, r->n);
	}
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
	else if (r->q.ret != SEARCH_RET_SAVE)
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
	return r->q.code ? imap_no(cmd, r->q.code, cmd->args.err) :
	    imap_bad_args(cmd);
}
