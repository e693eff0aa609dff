/* imapd/cmd-search.c - SEARCH (RFC 9051 6.4.4, RFC 7162 3.1.5, RFC 5182) */
#include "config.h"

#include "imapd/search.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum verdict { NO, YES, ASK };

struct search {
	struct search_request q;
	unsigned char *verdict;	/* by index in the view */
	size_t at;
	int rc;
};

static int
eval(struct search *r, size_t i, const struct store_msg_info *info)
{
	struct imap_session *s = r->q.cmd->s;
	struct search_msg m = {
		.s = s, .index = i,
		.m = { .st = s->x->store, .a = s->scratch, .info = info }
	};
	int v;

	arena_reset(s->scratch);
	v = search_eval(r->q.root, &m);
	fetch_msg_release(&m.m);
	if (m.rc < 0) {
		log_err("SEARCH of UID %u: %s: %s",
		    (unsigned)s->view.m[i].uid, store_error(m.rc)->text,
		    store_errmsg(s->x->store));
		r->rc = m.rc;
	}
	return v;
}

/* store_msg_scan()'s. */
static int
on_info(void *arg, const struct store_msg_info *info)
{
	struct search *r = arg;
	struct view *v = &r->q.cmd->s->view;

	while (r->at < v->n && v->m[r->at].uid < info->uid)
		r->at++;
	if (r->at < v->n && v->m[r->at].uid == info->uid &&
	    r->verdict[r->at] == ASK)
		r->verdict[r->at] = eval(r, r->at, info) == 1 ? YES : NO;
	return r->rc < 0 ? 1 : 0;
}

/* First what the view knows; it leaves few or none for the rest. */
static int
run(struct search *r)
{
	struct imap_session *s = r->q.cmd->s;
	struct view *v = &s->view;
	struct store_range *ranges = NULL;
	size_t n = 0, cap = 0;
	int rc;

	for (size_t i = 0; i < v->n; i++) {
		int known = eval(r, i, NULL);

		if (v->m[i].flags & VIEW_GONE)
			known = 0;
		r->verdict[i] = known == 1 ? YES : known == 0 ? NO : ASK;
		if (known >= 0)
			continue;
		if (n > 0 && i > 0 && r->verdict[i - 1] == ASK) {
			ranges[n - 1].to = v->m[i].uid;
			continue;
		}
		ranges = arena_grow(r->q.cmd->a, ranges, &cap, n + 1,
		    sizeof(*ranges));
		ranges[n++] = (struct store_range){ v->m[i].uid,
			v->m[i].uid };
	}
	if (n == 0 || v->dead)
		return 0;
	rc = store_msg_scan(s->x->store, v->mailbox, ranges, n, on_info, r);
	return rc == 1 ? r->rc : rc;
}

/* ---- the answer --------------------------------------------------------- */

struct found {
	uint32_t *uid, *no;	/* no: as the command counts */
	size_t n;
	uint64_t modseq;	/* the greatest of those that are returned */
};

static void
free_found(void *p)
{
	struct found *f = p;

	xfree(f->uid);
	xfree(f->no);
}

/* RFC 4731 3.2: of the MIN and MAX messages if nothing but these is returned. */
static void
find_modseq(struct search *r, struct found *f)
{
	const struct view *v = &r->q.cmd->s->view;
	bool ends = r->q.extended &&
	    (r->q.ret & (SEARCH_RET_ALL | SEARCH_RET_COUNT)) == 0;

	for (size_t i = 0; i < f->n; i++) {
		uint64_t m;

		if (ends && !(i == 0 && r->q.ret & SEARCH_RET_MIN) &&
		    !(i == f->n - 1 && r->q.ret & SEARCH_RET_MAX))
			continue;
		m = v->m[view_find(v, f->uid[i])].modseq;
		if (m > f->modseq)
			f->modseq = m;
	}
}

static struct found *
collect(struct search *r)
{
	struct imap_cmd *cmd = r->q.cmd;
	struct view *v = &cmd->s->view;
	struct found *f = arena_calloc(cmd->a, 1, sizeof(*f));

	f->uid = xcalloc(v->n + 1, sizeof(*f->uid));
	f->no = xcalloc(v->n + 1, sizeof(*f->no));
	arena_defer(cmd->a, free_found, f);
	for (size_t i = 0; i < v->n; i++) {
		if (r->verdict[i] != YES)
			continue;
		f->uid[f->n] = v->m[i].uid;
		f->no[f->n++] = cmd->uid ? v->m[i].uid : (uint32_t)i + 1;
	}
	find_modseq(r, f);
	return f;
}

/* MIN and MAX alone save only what they return (RFC 5182 2.4). */
static void
save(struct search *r, struct found *f)
{
	unsigned ret = r->q.ret;
	bool all = (ret & (SEARCH_RET_ALL | SEARCH_RET_COUNT)) != 0 ||
	    (ret & (SEARCH_RET_MIN | SEARCH_RET_MAX)) == 0;
	size_t n = 0;

	if (all)
		n = f->n;
	else if (f->n > 0) {
		if (ret & SEARCH_RET_MIN)
			n = 1;
		if (ret & SEARCH_RET_MAX && (n == 0 || f->n > 1))
			f->uid[n++] = f->uid[f->n - 1];
	}
	view_save(&r->q.cmd->s->view, f->uid, n);
	f->uid = NULL;
}

static void
put_number(struct enc *e, const char *what, uint64_t v)
{
	enc_raw(e, what);
	enc_u64(e, v);
}

static void
put_classic(struct search *r, const struct found *f)
{
	struct enc *e = &r->q.cmd->s->out;

	enc_raw(e, "* SEARCH");
	for (size_t i = 0; i < f->n; i++)
		put_number(e, " ", f->no[i]);
	if (r->q.modseq && f->n > 0) {
		put_number(e, " (MODSEQ ", f->modseq);
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
put_extended(struct search *r, const struct found *f)
{
	struct imap_cmd *cmd = r->q.cmd;
	struct enc *e = &cmd->s->out;
	unsigned ret = r->q.ret;

	enc_raw(e, "* ESEARCH (TAG ");
	enc_string(e, cmd->tag);
	enc_raw(e, cmd->uid ? ") UID" : ")");
	if (ret & SEARCH_RET_MIN && f->n > 0)
		put_number(e, " MIN ", f->no[0]);
	if (ret & SEARCH_RET_MAX && f->n > 0)
		put_number(e, " MAX ", f->no[f->n - 1]);
	if (ret & SEARCH_RET_ALL && f->n > 0) {
		enc_raw(e, " ALL ");
		put_set(e, f->no, f->n);
	}
	if (ret & SEARCH_RET_COUNT)
		put_number(e, " COUNT ", f->n);
	if (r->q.modseq && f->modseq > 0)
		put_number(e, " MODSEQ ", f->modseq);
	enc_eol(e);
}

enum imap_next
cmd_search(struct imap_cmd *cmd)
{
	struct view *v = &cmd->s->view;
	struct search r = { .q = { .cmd = cmd } };
	struct found *f;
	int rc;

	if (!search_parse(&r.q, &cmd->args)) {
		if (r.q.ret & SEARCH_RET_SAVE && r.q.code)
			view_save(v, NULL, 0);	/* RFC 5182 2.1 */
		return r.q.code ? imap_no(cmd, r.q.code, cmd->args.err) :
		    imap_bad_args(cmd);
	}
	if (!r.q.extended && cmd->s->enabled & IMAP_REV2) {
		r.q.extended = true;	/* RFC 9051 6.4.4 */
		r.q.ret = SEARCH_RET_ALL;
	}
	if (r.q.modseq)
		imap_enable(cmd->s, IMAP_CONDSTORE);
	r.verdict = xcalloc(v->n + 1, 1);
	arena_defer(cmd->a, xfree, r.verdict);
	if ((rc = run(&r)) < 0) {
		if (r.q.ret & SEARCH_RET_SAVE)
			view_save(v, NULL, 0);
		return imap_store_failed(cmd, rc);
	}
	f = collect(&r);
	if (!r.q.extended)
		put_classic(&r, f);
	else if (r.q.ret != SEARCH_RET_SAVE)
		put_extended(&r, f);
	if (r.q.ret & SEARCH_RET_SAVE)
		save(&r, f);
	return imap_ok(cmd, "Searched");
}
