/*
 * imapd/cmd-list.c - LIST, LSUB and XLIST
 *
 * RFC 3501 6.3.8 and 6.3.9, RFC 3348 (CHILDREN), RFC 5258 (LIST-EXTENDED),
 * RFC 5819 (LIST-STATUS), RFC 6154 (SPECIAL-USE), RFC 8440 (LIST-MYRIGHTS),
 * RFC 9590 (LIST-METADATA); XLIST, which some clients of before RFC 6154 use.
 * The user's own mailboxes exist with all their parents; of other users' trees
 * he sees what he has right l on.  \NonExistent are those above that, names that
 * are still subscribed, and those above them.
 */
#include "config.h"

#include "imapd/list.h"
#include "imapd/match.h"
#include "imapd/metadata.h"

struct request {
	bool extended;
	bool sel_subscribed, sel_special, recursive;
	bool ret_subscribed, ret_status, ret_rights, ret_metadata;
	struct annotations_want want;
	unsigned status;	/* items, see imap_status_items() */
	struct slice ref;
	struct match *m;
	size_t n_m;
	bool ask_root;		/* LIST "" "": what is the separator? */
};

/* ---- arguments --------------------------------------------------------- */

static bool
selection_options(struct imap_args *v, struct request *q)
{
	bool base = false;

	while (v->next != NULL) {
		if (imap_args_word(v, "SUBSCRIBED"))
			q->sel_subscribed = q->ret_subscribed = base = true;
		else if (imap_args_word(v, "SPECIAL-USE"))
			q->sel_special = true;
		else if (imap_args_word(v, "RECURSIVEMATCH"))
			q->recursive = true;
		else if (!imap_args_word(v, "REMOTE"))
			return imap_args_expected(v, "a selection option");
	}
	if (q->recursive && !base)	/* RFC 5258 3.1 */
		return imap_args_expected(v, "SUBSCRIBED with RECURSIVEMATCH");
	return true;
}

static bool
return_options(struct imap_args *v, struct request *q)
{
	struct imap_args items;

	while (v->next != NULL) {
		if (imap_args_word(v, "SUBSCRIBED"))
			q->ret_subscribed = true;
		else if (imap_args_word(v, "MYRIGHTS"))
			q->ret_rights = true;
		else if (imap_args_word(v, "METADATA")) {
			q->ret_metadata = true;
			q->want.max = UINT64_MAX;
			if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
				return imap_args_expected(v,
				    "a list of entries");
			if (!annotations_names(v, &q->want))
				return false;
		} else if (imap_args_word(v, "STATUS")) {
			q->ret_status = true;
			if (!imap_args_list(v, &items,
			    "a list of status items"))
				return false;
			if (!imap_status_items(&items, &q->status)) {
				v->err = items.err;
				return false;
			}
		} else if (!imap_args_word(v, "CHILDREN") &&
		    !imap_args_word(v, "SPECIAL-USE"))
			return imap_args_expected(v, "a return option");
	}
	return true;
}

static bool
add_pattern(struct imap_cmd *cmd, struct imap_args *v, struct request *q,
    size_t *cap)
{
	struct slice pat;

	if (!imap_args_pattern(v, &pat))
		return false;
	if (pat.p != NULL && pat.n == 0)
		q->ask_root = true;
	if (pat.n == 0 || q->ref.p == NULL)
		return true;
	q->m = arena_grow(cmd->a, q->m, cap, q->n_m + 1, sizeof(*q->m));
	match_init(&q->m[q->n_m++], cmd->a, q->ref, pat);
	return true;
}

static bool
patterns(struct imap_cmd *cmd, struct request *q)
{
	struct imap_args in;
	size_t cap = 0;

	if (cmd->args.next == NULL || cmd->args.next->type != IMAP_ARG_LIST)
		return add_pattern(cmd, &cmd->args, q, &cap);
	q->extended = true;
	imap_args_list(&cmd->args, &in, "patterns");
	do {
		if (!add_pattern(cmd, &in, q, &cap)) {
			cmd->args.err = in.err;
			return false;
		}
	} while (in.next != NULL);
	return true;
}

static bool
parse(struct imap_cmd *cmd, struct request *q)
{
	struct imap_args *v = &cmd->args, in;

	if (v->next != NULL && v->next->type == IMAP_ARG_LIST) {
		imap_args_list(v, &in, "selection options");
		q->extended = true;
		if (!selection_options(&in, q)) {
			v->err = in.err;
			return false;
		}
	}
	if (!imap_args_reference(v, &q->ref) || !patterns(cmd, q))
		return false;
	if (imap_args_word(v, "RETURN")) {
		q->extended = true;
		if (!imap_args_list(v, &in, "a list of return options"))
			return false;
		if (!return_options(&in, q)) {
			v->err = in.err;
			return false;
		}
	}
	q->ask_root = q->ask_root && !q->extended;
	return imap_args_end(v);
}

/* ---- choice ------------------------------------------------------------ */

static bool
matches(const struct request *q, struct slice path)
{
	for (size_t i = 0; i < q->n_m; i++)
		if (match_name(&q->m[i], path))
			return true;
	return false;
}

static void
choose(struct listing *l, const struct request *q)
{
	for (size_t i = l->n; i > 0; i--) {	/* children before parents */
		struct entry *e = &l->e[i - 1], *up;

		e->matched = matches(q, e->path);
		e->selected = (!e->nonexistent || q->sel_subscribed) &&
		    (!q->sel_subscribed || e->mb->subscribed) &&
		    (!q->sel_special || listing_role(e->mb->role) != NULL);
		if (e->parent == SIZE_MAX)
			continue;
		up = &l->e[e->parent];
		up->below = up->below || e->below || e->selected;
		up->below_unmatched = up->below_unmatched ||
		    e->below_unmatched || (e->selected && !e->matched);
	}
}

/* ---- answers ----------------------------------------------------------- */

/* As clients of XLIST know them. */
static const char *
xlist_role(enum store_role role)
{
	switch (role) {
	case STORE_ROLE_INBOX:
		return "\\Inbox";
	case STORE_ROLE_ALL:
		return "\\AllMail";
	case STORE_ROLE_JUNK:
		return "\\Spam";
	case STORE_ROLE_FLAGGED:
		return "\\Starred";
	default:
		return listing_role(role);
	}
}

void
list_entry_put(struct imap_cmd *cmd, const char *word, const struct entry *e,
    const char *extra, bool childinfo, struct slice raw)
{
	struct enc *out = &cmd->s->out;
	const char *role = word[2] == 'X' ? xlist_role(e->mb->role) :
	    listing_role(e->mb->role);

	enc_raw(out, word);
	enc_open(out);
	if (extra != NULL) {
		enc_sp(out);
		enc_raw(out, extra);
	}
	if (e->nonexistent) {
		enc_sp(out);
		enc_raw(out, "\\NonExistent");
	} else if (!(e->rights & STORE_RIGHT_READ) && word[3] != 'S') {
		/* RFC 9051 6.3.9.2, RFC 5819 2; of LSUB it says another thing */
		enc_sp(out);
		enc_raw(out, "\\Noselect");
	}
	if (e->has_children || !e->nonexistent) {
		enc_sp(out);
		enc_raw(out, e->has_children ? "\\HasChildren" :
		    "\\HasNoChildren");
	}
	if (role != NULL) {
		enc_sp(out);
		enc_raw(out, role);
	}
	enc_close(out);
	enc_raw(out, " \"/\" ");
	enc_mailbox(out, e->path);
	if (childinfo)
		enc_raw(out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
	if (raw.p != NULL && !slice_eq(raw, e->path)) {
		enc_raw(out, " (\"OLDNAME\" (");
		enc_mailbox(out, raw);
		enc_raw(out, "))");
	}
	enc_eol(out);
}

int
imap_list_put(struct imap_cmd *cmd, struct store *st, uint64_t mailbox,
    struct slice raw, bool even_same)
{
	struct listing l = { 0 };
	int rc;

	if (!(cmd->s->enabled & IMAP_REV2))
		return 0;
	rc = st == cmd->s->x->store ? listing_load(cmd, &l) :
	    listing_owner(cmd, &l, st);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < l.n; i++) {
		const struct entry *e = &l.e[i];

		if (e->mb->id == mailbox &&
		    (even_same || !slice_eq(raw, e->path)))
			list_entry_put(cmd, "* LIST", e, e->mb->subscribed ?
			    "\\Subscribed" : NULL, false, raw);
	}
	return 0;
}

void
imap_list_deleted(struct imap_cmd *cmd, struct slice name, struct slice raw)
{
	static const struct store_mailbox none;
	struct entry e = { .mb = &none, .path = name, .nonexistent = true };

	if (cmd->s->enabled & IMAP_REV2 && !slice_eq(raw, name))
		list_entry_put(cmd, "* LIST", &e, NULL, false, raw);
}

static bool
is_listed(const struct request *q, const struct entry *e)
{
	if (!e->matched || e->selected)
		return e->matched;
	/* RFC 5258 3.5: on the way to what doesn't match itself. */
	return e->below_unmatched && (q->recursive ||
	    (e->nonexistent && !q->sel_subscribed && !q->sel_special));
}

static int
put_metadata(struct imap_cmd *cmd, const struct request *q,
    const struct entry *e, struct store *st)
{
	struct imap_place at = { .st = st, .mb = *e->mb };
	struct annotations_want want = q->want;
	struct annotations r;
	int rc;

	if ((rc = annotations_load(cmd, &at, &r)) == 0)
		annotations_put(cmd, e->path, &r, &want);
	return rc;
}

/* What was asked for beside the name. */
static int
put_more(struct imap_cmd *cmd, const struct request *q, const struct entry *e)
{
	struct store *st = cmd->s->x->store;
	int rc;

	if (q->ret_rights && !e->nonexistent)
		imap_myrights_put(cmd, e->path, e->rights);
	if (!(q->ret_status || q->ret_metadata) ||
	    !(e->rights & STORE_RIGHT_READ))
		return 0;
	if (e->owner != NULL &&
	    (rc = imap_other(cmd->s, slice_str(e->owner), &st)) < 0)
		return rc;
	if (q->ret_metadata && (rc = put_metadata(cmd, q, e, st)) < 0)
		return rc;
	return q->ret_status ? imap_status_put(cmd, st, e->mb, e->path,
	    q->status) : 0;
}

enum imap_next
cmd_list(struct imap_cmd *cmd)
{
	struct request q = { 0 };
	struct listing l;
	int rc;

	if (!parse(cmd, &q))
		return imap_bad_args(cmd);
	if (q.status & IMAP_STATUS_HIGHESTMODSEQ)
		imap_enable(cmd->s, IMAP_CONDSTORE);
	if (q.ask_root) {
		enc_raw(&cmd->s->out, "* LIST (\\Noselect) \"/\" \"\"");
		enc_eol(&cmd->s->out);
		return imap_ok(cmd, "Listed");
	}
	if ((rc = listing_load(cmd, &l)) < 0 ||
	    (rc = listing_others(cmd, &l)) < 0 || (q.ret_subscribed &&
	    (rc = listing_subscribed(cmd, &l, q.sel_subscribed)) < 0))
		return imap_store_failed(cmd, rc);
	choose(&l, &q);
	for (size_t i = 0; i < l.n; i++) {
		const struct entry *e = &l.e[i];

		if (!is_listed(&q, e))
			continue;
		list_entry_put(cmd, "* LIST", e, q.ret_subscribed &&
		    e->mb->subscribed ? "\\Subscribed" :
		    e->nonexistent ? "\\Noselect" : NULL,
		    q.recursive && e->below, (struct slice){ NULL, 0 });
		if (e->selected)
			(void)put_more(cmd, &q, e);
	}
	return imap_ok(cmd, "Listed");
}

/*
 * "%" that stops at a parent which isn't subscribed itself, above one that is,
 * shows the parent as \Noselect (RFC 3501 6.3.9).
 */
enum imap_next
cmd_lsub(struct imap_cmd *cmd)
{
	struct request q = { .sel_subscribed = true };
	struct listing l;
	size_t cap = 0;
	int rc;

	if (!imap_args_reference(&cmd->args, &q.ref) ||
	    !add_pattern(cmd, &cmd->args, &q, &cap) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if ((rc = listing_load(cmd, &l)) < 0 ||
	    (rc = listing_others(cmd, &l)) < 0 || (q.sel_subscribed &&
	    (rc = listing_subscribed(cmd, &l, q.sel_subscribed)) < 0))
		return imap_store_failed(cmd, rc);
	choose(&l, &q);
	for (size_t i = 0; i < l.n; i++) {
		const struct entry *e = &l.e[i];

		if (e->matched && (e->selected || e->below_unmatched))
			list_entry_put(cmd, "* LSUB", e,
			    e->selected ? NULL : "\\Noselect", false,
			    (struct slice){ NULL, 0 });
	}
	return imap_ok(cmd, "Listed");
}

enum imap_next
cmd_xlist(struct imap_cmd *cmd)
{
	struct request q = { 0 };
	struct listing l;
	size_t cap = 0;
	int rc;

	if (!imap_args_reference(&cmd->args, &q.ref) ||
	    !add_pattern(cmd, &cmd->args, &q, &cap) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if ((rc = listing_load(cmd, &l)) < 0)
		return imap_store_failed(cmd, rc);
	choose(&l, &q);
	for (size_t i = 0; i < l.n; i++)
		if (l.e[i].matched)
			list_entry_put(cmd, "* XLIST", &l.e[i], NULL, false,
			    (struct slice){ NULL, 0 });
	return imap_ok(cmd, "Listed");
}
