/* imapd/cmd-store.c - STORE (RFC 9051 6.4.6, RFC 7162 3.1.3, RFC 5257) */
#include "config.h"

#include "imapd/annotate.h"
#include "libbase/xalloc.h"

struct request {
	struct seqset set;
	enum store_flag_op op;
	uint64_t flags, mask;
	bool silent, conditional;
	uint64_t since;		/* UNCHANGEDSINCE */
	bool annotate;
	struct annotate_set annotations;	/* in place of flags */
};

/* store-modifiers of RFC 4466 2.5 */
static bool
parse_modifiers(struct imap_args *v, struct request *q)
{
	struct imap_args in;

	q->since = UINT64_MAX;
	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return true;
	imap_args_list(v, &in, "modifiers");
	q->conditional = imap_args_word(&in, "UNCHANGEDSINCE");
	if (!q->conditional)
		imap_args_expected(&in, "UNCHANGEDSINCE");
	else if (imap_args_number64(&in, &q->since, "a mod-sequence"))
		imap_args_end(&in);
	v->err = in.err;
	return in.err == NULL;
}

static bool
parse_item(struct imap_args *v, struct request *q)
{
	static const struct {
		const char *word;
		enum store_flag_op op;
		bool silent;
	} items[] = {
		{ "FLAGS", STORE_FLAG_SET, false },
		{ "FLAGS.SILENT", STORE_FLAG_SET, true },
		{ "+FLAGS", STORE_FLAG_ADD, false },
		{ "+FLAGS.SILENT", STORE_FLAG_ADD, true },
		{ "-FLAGS", STORE_FLAG_DEL, false },
		{ "-FLAGS.SILENT", STORE_FLAG_DEL, true },
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (imap_args_word(v, items[i].word)) {
			q->op = items[i].op;
			q->silent = items[i].silent;
			return true;
		}
	return imap_args_expected(v, "FLAGS, +FLAGS or -FLAGS");
}

/* false: answered. */
static bool
parse(struct imap_cmd *cmd, struct request *q)
{
	struct imap_args *args = &cmd->args, list;

	if (!imap_set(cmd, &q->set))
		return false;
	if (!parse_modifiers(args, q)) {
		imap_bad_args(cmd);
		return false;
	}
	if (imap_args_word(args, "ANNOTATION")) {
		q->annotate = true;
		if (annotate_set_parse(args, &q->annotations) &&
		    imap_args_end(args))
			return true;
		imap_bad_args(cmd);
		return false;
	}
	if (!parse_item(args, q) ||
	    (args->next == NULL && !imap_args_expected(args, "flags"))) {
		imap_bad_args(cmd);
		return false;
	}
	if (args->next->type != IMAP_ARG_LIST)
		return imap_flags_parse(cmd, imap_store(cmd->s),
		    cmd->s->view.rights, args, &q->flags);
	imap_args_list(args, &list, "flags");
	if (!imap_args_end(args)) {
		imap_bad_args(cmd);
		return false;
	}
	return imap_flags_parse(cmd, imap_store(cmd->s), cmd->s->view.rights,
	    &list, &q->flags);
}

static uint64_t
apply(const struct request *q, uint64_t flags)
{
	switch (q->op) {
	case STORE_FLAG_ADD:
		return flags | (q->flags & q->mask);
	case STORE_FLAG_DEL:
		return flags & ~(q->flags & q->mask);
	default:
		return (flags & ~q->mask) | (q->flags & q->mask);
	}
}

/* The client learns what has become of its messages: of all if it wants that
 * (or CONDSTORE is on: a new MODSEQ), else of those it would be wrong about. */
static void
tell(struct imap_cmd *cmd, const struct request *q, const uint32_t *uids,
    const uint64_t *flags, size_t n)
{
	struct imap_session *s = cmd->s;
	struct view *v = &s->view;
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(v, uids[i]);

		all |= k >= 0 ? v->m[k].flags : 0;
	}
	imap_flags_announce(s, all);
	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(v, uids[i]);
		bool wrong;

		if (k < 0 || v->m[k].flags & VIEW_GONE)
			continue;
		wrong = v->m[k].flags != flags[i];
		if (!q->silent || wrong || s->enabled & IMAP_CONDSTORE)
			imap_tell_flags(s, (size_t)k, cmd->uid ||
			    s->enabled & (IMAP_REV2 | IMAP_CONDSTORE),
			    !q->silent || wrong);	/* RFC 7162 3.2.4 */
	}
}

/* "MODIFIED 1,3": those refused by UNCHANGEDSINCE; NULL if there are none. */
static const char *
modified(struct imap_cmd *cmd, uint32_t *uids, size_t n)
{
	struct view *v = &cmd->s->view;
	struct buf text;
	const char *code;
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(v, uids[i]);

		if (k >= 0)
			uids[m++] = cmd->uid ? uids[i] : (uint32_t)k + 1;
	}
	if (m == 0)
		return NULL;
	buf_init(&text, 16 * 1024 * 1024);
	buf_add_str(&text, "MODIFIED ");
	seqset_print(&text, uids, m);
	code = arena_strndup(cmd->a, text.p, text.n);
	buf_release(&text);
	return code;
}

static enum imap_next
answer(struct imap_cmd *cmd, const struct request *q, uint32_t *refused,
    size_t n_refused)
{
	const char *code = modified(cmd, refused, n_refused);
	size_t n, missing;

	view_uids(&cmd->s->view, &q->set, cmd->uid, cmd->a, &n, &missing);
	if (missing > 0 && !cmd->uid)
		return imap_no(cmd, code ? code : "EXPUNGEISSUED",
		    "Some of the messages were expunged");
	if (code != NULL)
		return imap_ok_code(cmd, code,
		    "Some of the messages have changed");
	return imap_ok(cmd, "Stored");
}

/* STORE of annotations (RFC 5257 4.3). */
static enum imap_next
annotate(struct imap_cmd *cmd, struct request *q)
{
	struct imap_session *s = cmd->s;
	struct view *v = &s->view;
	uint32_t *uids, *refused = NULL;
	size_t n, n_refused = 0, missing;
	int rc = 0;

	if (!annotate_set_allowed(cmd, v->st, &q->annotations, v->rights))
		return IMAP_DONE;
	uids = view_uids(v, &q->set, cmd->uid, cmd->a, &n, &missing);
	n = imap_limit(cmd, &uids, n);
	if (n > 0 && !v->dead)
		rc = store_msgs_annotate(v->st, cmd->a, v->mailbox, uids, n,
		    s->x->account, q->annotations.v, q->annotations.n,
		    q->since, &refused, &n_refused);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return annotate_failed(cmd, v->st, rc);
	if ((rc = imap_sync(s, false, NULL)) < 0)
		return imap_store_failed(cmd, rc);
	return answer(cmd, q, refused, n_refused);
}

enum imap_next
cmd_store(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;
	struct view *v = &s->view;
	struct request q = { 0 };
	struct imap_quiet quiet;
	uint32_t *uids, *refused = NULL;
	uint64_t *flags;
	size_t n, n_refused = 0, missing;
	int rc = 0;

	if (!parse(cmd, &q))
		return IMAP_DONE;
	if (q.conditional)
		imap_enable(s, IMAP_CONDSTORE);
	if (q.annotate)
		return annotate(cmd, &q);
	q.mask = imap_flags_allowed(v->rights);
	if (q.mask == 0 || (q.flags != 0 && (q.flags & q.mask) == 0))
		return imap_no(cmd, "NOPERM",
		    "You may not change these flags");
	uids = view_uids(v, &q.set, cmd->uid, cmd->a, &n, &missing);
	n = imap_limit(cmd, &uids, n);
	flags = xcalloc(n + 1, sizeof(*flags));
	arena_defer(cmd->a, xfree, flags);
	for (size_t i = 0; i < n; i++)
		flags[i] = apply(&q, v->m[view_find(v, uids[i])].flags);
	if (n > 0 && !v->dead)
		rc = store_msgs_flag_some(v->st, cmd->a, v->mailbox, uids,
		    n, q.op, q.flags & q.mask, q.mask, q.since, &refused, &n_refused, NULL);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return imap_store_failed(cmd, rc);
	/* Of these it is told below. */
	quiet = (struct imap_quiet){ uids, NULL, n };
	if ((rc = imap_sync(s, false, &quiet)) < 0)
		return imap_store_failed(cmd, rc);
	tell(cmd, &q, uids, flags, n);
	return answer(cmd, &q, refused, n_refused);
}
