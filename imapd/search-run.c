/* imapd/search-run.c - which messages meet the conditions of a SEARCH */
#include "config.h"

#include "imapd/search.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum verdict { NO, YES, ASK };

static int
eval(struct search *r, size_t i, const struct store_msg_info *info)
{
	struct imap_session *s = r->q.cmd->s;
	struct search_msg m = {
		.s = s, .index = i,
		.m = { .st = imap_store(s), .a = s->scratch, .info = info }
	};
	int v;

	arena_reset(s->scratch);
	v = search_eval(r->q.root, &m);
	fetch_msg_release(&m.m);
	if (m.rc < 0) {
		log_err("SEARCH of UID %u: %s: %s",
		    (unsigned)s->view.m[i].uid, store_error(m.rc)->text,
		    store_errmsg(imap_store(s)));
		r->rc = m.rc;
	}
	if (r->scores != NULL && v == 1)
		r->scores[i] = (unsigned char)(m.n_scores ?
		    m.scores / m.n_scores : 100);
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
	/* Of a search in many mailboxes nobody knows how many are left. */
	imap_progress(r->q.cmd, r->at, r->mailbox.p == NULL ? v->n : 0);
	if (r->at < v->n && v->m[r->at].uid == info->uid &&
	    r->verdict[r->at] == ASK)
		r->verdict[r->at] = eval(r, r->at, info) == 1 ? YES : NO;
	return r->rc < 0 ? 1 : 0;
}

static bool
in_sets(const struct search_node *root, const struct view *v, size_t i)
{
	for (const struct search_node *n = root->child; n; n = n->next)
		if ((n->kind == SEARCH_SEQ &&
		    !seqset_has(&n->set, (uint32_t)i + 1)) ||
		    (n->kind == SEARCH_UID &&
		    !seqset_has(&n->set, v->m[i].uid)) ||
		    (n->kind == SEARCH_SAVED &&
		    !view_is_saved(v, v->m[i].uid)))
			return false;
	return true;
}

/* Where to begin: MESSAGELIMIT counts the messages that are looked at, i.e.
 * those of the outermost sets (RFC 9738 3.1). */
static size_t
begin(struct search *r)
{
	struct imap_cmd *cmd = r->q.cmd;
	const struct view *v = &cmd->s->view;
	uint32_t most = cmd->s->x->conf->imap_message_limit;
	size_t first = 0, n = 0;

	if (most == 0 || v->n <= most)
		return 0;
	for (size_t i = v->n; i-- > 0;) {
		if (v->m[i].flags & VIEW_GONE || !in_sets(r->q.root, v, i))
			continue;
		if (n++ == most) {
			cmd->limited = v->m[first].uid;
			return first;
		}
		first = i;
	}
	return 0;
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

	for (size_t i = begin(r); i < v->n; i++) {
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
	rc = store_msg_scan(imap_store(s), v->mailbox, ranges, n, on_info, r);
	return rc == 1 ? r->rc : rc;
}

void
search_release(struct search *r)
{
	xfree(r->verdict);
	xfree(r->scores);
	xfree(r->score);
	xfree(r->uid);
	xfree(r->no);
	r->verdict = r->scores = r->score = NULL;
	r->uid = r->no = NULL;
}

static void
free_found(void *p)
{
	search_release(p);
}

int
search_run(struct search *r)
{
	struct imap_cmd *cmd = r->q.cmd;
	struct view *v = &cmd->s->view;
	int rc;

	r->verdict = xcalloc(v->n + 1, 1);
	if (r->q.fuzzy)
		r->scores = xcalloc(v->n + 1, 1);
	arena_defer(cmd->a, free_found, r);
	if ((rc = run(r)) < 0)
		return rc;
	r->uid = xcalloc(v->n + 1, sizeof(*r->uid));
	r->no = xcalloc(v->n + 1, sizeof(*r->no));
	if (r->q.fuzzy)
		r->score = xcalloc(v->n + 1, 1);
	for (size_t i = 0; i < v->n; i++) {
		if (r->verdict[i] != YES)
			continue;
		if (r->score != NULL)
			r->score[r->n] = r->scores[i];
		r->uid[r->n] = v->m[i].uid;
		r->no[r->n++] = cmd->uid ? v->m[i].uid : (uint32_t)i + 1;
	}
	return 0;
}
