/* imapd/cmd-thread.c - THREAD (RFC 5256; REFS: draft-ietf-morg-inthread) */
#include "config.h"

#include "imapd/keys.h"
#include "imapd/tree.h"
#include "libbase/xalloc.h"

enum { REFS_MAX = 100 };

static struct slice *
keep(struct arena *a, const struct slice *ids, uint32_t n)
{
	struct slice *out = arena_calloc(a, n, sizeof(*out));

	for (uint32_t i = 0; i < n; i++)
		out[i] = arena_slice(a, ids[i]);
	return out;
}

struct gather {
	struct search *r;
	struct tree_msg *m;
};

/* References, or else the first id of In-Reply-To. */
static void
references(struct fetch_msg *m, struct arena *a, struct tree_msg *t)
{
	const struct mime_env *env = m->mime->root->env;
	struct slice *ids;
	uint32_t n = 0;

	if (env->message_id.p != NULL) {
		mime_msgids_parse(env->message_id, 1, m->a, &ids, &n);
		if (n > 0)
			t->id = arena_slice(a, ids[0]);
	}
	n = 0;
	if (env->references.p != NULL)
		mime_msgids_parse(env->references, REFS_MAX, m->a, &ids, &n);
	if (n == 0 && env->in_reply_to.p != NULL) {
		mime_msgids_parse(env->in_reply_to, REFS_MAX, m->a, &ids, &n);
		n = n > 0 ? 1 : 0;
	}
	if (n > 0)
		t->refs = keep(a, ids, n);
	t->n_refs = n;
}

static int
on_message(void *arg, struct fetch_msg *m, size_t i)
{
	struct gather *g = arg;
	struct tree_msg *t = &g->m[i];
	struct arena *a = g->r->q.cmd->a;
	enum collation c = g->r->q.cmd->s->collation;
	struct key_value sent;
	int rc;

	if ((rc = key_get(m, KEY_DATE, c, a, &sent)) < 0 ||
	    (rc = key_subject(m, c, a, &t->subject, &t->reply)) < 0)
		return rc;
	t->sent = sent.n;
	t->arrived = m->info->received_at;
	references(m, a, t);
	return 0;
}

static bool
parse(struct imap_cmd *cmd, struct search_request *q, enum tree_kind *kind_r)
{
	static const char *const names[] = {
		[TREE_ORDEREDSUBJECT] = "ORDEREDSUBJECT",
		[TREE_REFERENCES] = "REFERENCES", [TREE_REFS] = "REFS"
	};
	struct imap_args *v = &cmd->args;

	for (int k = TREE_ORDEREDSUBJECT; k <= TREE_REFS; k++)
		if (imap_args_word(v, names[k])) {
			*kind_r = (enum tree_kind)k;
			return search_parse_charset(q, v) &&
			    search_parse_keys(q, v);
		}
	return imap_args_expected(v, "a threading algorithm");
}

static void
answer(struct search *r, enum tree_kind kind, const struct tree_msg *m)
{
	struct enc *e = &r->q.cmd->s->out;
	struct buf text;
	struct tree t;

	enc_raw(e, "* THREAD");
	if (r->n > 0) {
		tree_make(&t, kind, m, r->n);
		enc_raw(e, " ");
		buf_init(&text, 64 * 1024 * 1024);
		tree_print(&t, r->no, &text);
		enc_text(e, buf_slice(&text));
		buf_release(&text);
		tree_free(&t);
	}
	enc_eol(e);
}

enum imap_next
cmd_thread(struct imap_cmd *cmd)
{
	struct search *r = arena_calloc(cmd->a, 1, sizeof(*r));
	struct gather g = { .r = r };
	enum tree_kind kind = TREE_REFERENCES;
	int rc;

	r->q.cmd = cmd;
	if (!parse(cmd, &r->q, &kind))
		return search_failed(r, 0);
	if ((rc = search_run(r)) < 0)
		return search_failed(r, rc);
	if (cmd->limited != 0)
		return imap_over_limit(cmd,
		    cmd->s->x->conf->imap_message_limit);
	g.m = xcalloc(r->n + 1, sizeof(*g.m));
	rc = keys_scan(r, on_message, &g);
	if (rc >= 0 || rc == STORE_E_NOTFOUND)
		answer(r, kind, g.m);
	xfree(g.m);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return search_failed(r, rc);
	return imap_ok(cmd, "Threaded");
}
