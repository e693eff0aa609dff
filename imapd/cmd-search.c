/* imapd/cmd-search.c - SEARCH (RFC 3501 6.4.4) */
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

enum imap_next
cmd_search(struct imap_cmd *cmd)
{
	struct view *v = &cmd->s->view;
	struct search r = { .q = { .cmd = cmd } };
	struct enc *e = &cmd->s->out;
	int rc;

	if (!search_parse(&r.q, &cmd->args))
		return r.q.code ? imap_no(cmd, r.q.code, cmd->args.err) :
		    imap_bad_args(cmd);
	r.verdict = xcalloc(v->n + 1, 1);
	arena_defer(cmd->a, xfree, r.verdict);
	if ((rc = run(&r)) < 0)
		return imap_store_failed(cmd, rc);
	enc_raw(e, "* SEARCH");
	for (size_t i = 0; i < v->n; i++) {
		if (r.verdict[i] != YES)
			continue;
		enc_raw(e, " ");
		enc_u64(e, cmd->uid ? v->m[i].uid : i + 1);
	}
	enc_eol(e);
	return imap_ok(cmd, "Searched");
}
