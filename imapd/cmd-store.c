/* imapd/cmd-store.c - STORE (RFC 3501 6.4.6) */
#include "config.h"

#include "imapd/imap.h"
#include "libbase/xalloc.h"

struct request {
	struct seqset set;
	enum store_flag_op op;
	uint64_t flags;
	bool silent;
};

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
	struct view *v = &cmd->s->view;
	struct imap_args *args = &cmd->args, list;

	if (!imap_args_seqset(args, view_star(v, cmd->uid), &q->set) ||
	    !parse_item(args, q) ||
	    (args->next == NULL && !imap_args_expected(args, "flags"))) {
		imap_bad_args(cmd);
		return false;
	}
	if (!cmd->uid && !view_in_range(v, &q->set)) {
		imap_bad(cmd, "no message has that sequence number");
		return false;
	}
	if (args->next->type != IMAP_ARG_LIST)
		return imap_flags_parse(cmd, args, &q->flags);
	imap_args_list(args, &list, "flags");
	if (!imap_args_end(args)) {
		imap_bad_args(cmd);
		return false;
	}
	return imap_flags_parse(cmd, &list, &q->flags);
}

static uint64_t
apply(const struct request *q, uint64_t flags)
{
	switch (q->op) {
	case STORE_FLAG_ADD:
		return flags | q->flags;
	case STORE_FLAG_DEL:
		return flags & ~q->flags;
	default:
		return q->flags;
	}
}

static void
tell(struct imap_cmd *cmd, const uint32_t *uids, size_t n)
{
	struct imap_session *s = cmd->s;
	struct enc *e = &s->out;
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(&s->view, uids[i]);

		all |= k >= 0 ? s->view.m[k].flags : 0;
	}
	imap_flags_announce(s, all);
	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(&s->view, uids[i]);

		if (k < 0 || s->view.m[k].flags & VIEW_GONE)
			continue;
		enc_raw(e, "* ");
		enc_u64(e, (uint64_t)k + 1);
		enc_raw(e, " FETCH (");
		if (cmd->uid) {
			enc_raw(e, "UID ");
			enc_u64(e, uids[i]);
			enc_raw(e, " ");
		}
		enc_raw(e, "FLAGS");
		imap_flags_put(s, s->view.m[k].flags,
		    view_is_recent(&s->view, uids[i]));
		enc_close(e);
		enc_eol(e);
	}
}

enum imap_next
cmd_store(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;
	struct view *v = &s->view;
	struct request q = { 0 };
	struct imap_quiet quiet;
	uint32_t *uids, *refused;
	uint64_t *flags;
	size_t n, n_refused, missing;
	int rc = 0;

	if (!parse(cmd, &q))
		return IMAP_DONE;
	uids = view_uids(v, &q.set, cmd->uid, cmd->a, &n, &missing);
	flags = xcalloc(n + 1, sizeof(*flags));
	arena_defer(cmd->a, xfree, flags);
	for (size_t i = 0; i < n; i++)
		flags[i] = apply(&q, v->m[view_find(v, uids[i])].flags);
	if (n > 0 && !v->dead)
		rc = store_msgs_flag(s->x->store, cmd->a, v->mailbox, uids, n,
		    q.op, q.flags, UINT64_MAX, &refused, &n_refused, NULL);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return imap_store_failed(cmd, rc);
	/* What has become of them beside our change is news. */
	quiet = (struct imap_quiet){ uids, flags, n };
	if ((rc = imap_sync(s, false, &quiet)) < 0)
		return imap_store_failed(cmd, rc);
	if (!q.silent)
		tell(cmd, uids, n);
	view_uids(v, &q.set, cmd->uid, cmd->a, &n, &missing);
	if (missing > 0 && !cmd->uid)
		return imap_no(cmd, "EXPUNGEISSUED",
		    "Some of the messages were expunged");
	return imap_ok(cmd, "Stored");
}
