/*
 * imapd/cmd-select.c - SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3, 6.4;
 * RFC 7162 3.1.8, 3.2.5)
 */
#include "config.h"

#include "imapd/imap.h"

static void
put_code(struct enc *e, const char *code, uint64_t v, const char *text)
{
	enc_raw(e, "* OK [");
	enc_raw(e, code);
	enc_raw(e, " ");
	enc_u64(e, v);
	enc_raw(e, "] ");
	enc_say(e, text);
	enc_eol(e);
}

static size_t
first_unseen(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (!(v->m[i].flags & STORE_SEEN))
			return i + 1;
	return 0;
}

static int
tell_selected(struct imap_cmd *cmd, struct slice raw)
{
	struct imap_session *s = cmd->s;
	bool rev1 = !(s->enabled & IMAP_REV2);
	struct view *v = &s->view;
	struct enc *e = &s->out;
	size_t unseen = first_unseen(v);

	imap_flags_tell(s);
	v->told_exists = v->n;
	v->told_recent = view_count_recent(v);
	enc_raw(e, "* ");
	enc_u64(e, v->n);
	enc_raw(e, " EXISTS");
	enc_eol(e);
	if (rev1) {
		enc_raw(e, "* ");
		enc_u64(e, v->told_recent);
		enc_raw(e, " RECENT");
		enc_eol(e);
	}
	if (rev1 && unseen > 0 && !(s->enabled & IMAP_UIDONLY))
		put_code(e, "UNSEEN", unseen, "First unseen message");
	put_code(e, "UIDVALIDITY", v->uidvalidity, "UIDs are valid");
	put_code(e, "UIDNEXT", v->uidnext, "Predicted next UID");
	enc_raw(e, "* OK [MAILBOXID");
	imap_mailboxid_put(e, v->mailbox);
	enc_raw(e, "] ");
	enc_say(e, "The mailbox's id");
	enc_eol(e);
	put_code(e, "HIGHESTMODSEQ", v->highest, "Highest mod-sequence");
	if (v->readonly) {	/* RFC 5257 4.1 */
		enc_raw(e, "* OK [ANNOTATIONS READ-ONLY] ");
		enc_say(e, "Annotations can't be changed");
		enc_eol(e);
	} else
		put_code(e, "ANNOTATIONS", store_metadata_max(v->st),
		    "Octets of an annotation");
	return imap_list_put(cmd, v->st, v->mailbox, raw, true);
}

struct params {
	bool condstore, qresync, annotate;
	struct imap_resync resync;
};

/* select-params of RFC 4466 2.1. */
static bool
parse_params(struct imap_cmd *cmd, struct params *p)
{
	struct imap_args *v = &cmd->args, in, list;

	if (v->next == NULL)
		return true;
	if (!imap_args_list(v, &in, "a list of parameters"))
		return false;
	do {
		if (imap_args_word(&in, "CONDSTORE"))
			p->condstore = true;
		else if (imap_args_word(&in, "ANNOTATE"))
			p->annotate = true;
		else if (!p->qresync && imap_args_word(&in, "QRESYNC")) {
			p->qresync = true;
			if (!(cmd->s->enabled & IMAP_QRESYNC))
				in.err = "QRESYNC has to be enabled first";
			else if (imap_args_list(&in, &list,
			    "UIDVALIDITY and a mod-sequence") &&
			    !imap_resync_parse(&list, &p->resync))
				in.err = list.err;
		} else
			imap_args_expected(&in, "CONDSTORE, QRESYNC or "
			    "ANNOTATE");
	} while (in.err == NULL && in.next != NULL);
	v->err = in.err;
	return in.err == NULL && imap_args_end(v);
}

static enum imap_next
select_mailbox(struct imap_cmd *cmd, bool readonly)
{
	struct imap_session *s = cmd->s;
	struct imap_place at;
	struct params p = { 0 };
	struct slice name, raw;
	int rc;

	if (!imap_args_name(&cmd->args, &name, &raw) || !parse_params(cmd, &p))
		return imap_bad_args(cmd);
	if (p.resync.seq.n > 0 && s->enabled & IMAP_UIDONLY)
		return imap_uid_required(cmd);
	/* RFC 3501 6.3.1: a failed SELECT leaves no mailbox selected. */
	if (s->view.mailbox != 0) {
		enc_raw(&s->out, "* OK [CLOSED] ");
		enc_say(&s->out, "The mailbox is closed");
		enc_eol(&s->out);
	}
	imap_unselect(s);
	if (p.condstore)
		imap_enable(s, IMAP_CONDSTORE);
	if ((rc = imap_mailbox(cmd, name, STORE_RIGHT_READ, &at)) < 0 ||
	    (rc = view_open(&s->view, at.st, cmd->a, &at.mb, name,
	    readonly || !(at.rights & STORE_RIGHT_SEEN))) < 0)
		return imap_store_failed(cmd, rc);
	s->view.rights = at.rights;
	/* RFC 4314 5.2 */
	readonly = readonly || !(at.rights & (STORE_RIGHT_INSERT |
	    STORE_RIGHT_EXPUNGE | STORE_RIGHT_SEEN | STORE_RIGHT_WRITE |
	    STORE_RIGHT_TRASH));
	s->view.readonly = readonly;
	s->view.annotate = p.annotate;
	imap_modseqs(s);
	if ((rc = imap_flags_load(s)) < 0 ||
	    (rc = tell_selected(cmd, raw)) < 0 ||
	    (p.qresync && (rc = imap_resync(cmd, &p.resync)) < 0)) {
		imap_unselect(s);
		return imap_store_failed(cmd, rc);
	}
	return imap_ok_code(cmd, readonly ? "READ-ONLY" : "READ-WRITE",
	    "Selected");
}

enum imap_next
cmd_select(struct imap_cmd *cmd)
{
	return select_mailbox(cmd, false);
}

enum imap_next
cmd_examine(struct imap_cmd *cmd)
{
	return select_mailbox(cmd, true);
}

enum imap_next
cmd_unselect(struct imap_cmd *cmd)
{
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	imap_unselect(cmd->s);
	return imap_ok(cmd, "Unselected");
}

/* Expunges without telling (RFC 3501 6.4.2). */
enum imap_next
cmd_close(struct imap_cmd *cmd)
{
	struct view *v = &cmd->s->view;
	uint32_t *gone;
	size_t n = 0;
	int rc = 0;

	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (!v->readonly && imap_rights_check(cmd->s) >= 0 && !v->dead &&
	    imap_may(cmd->s, STORE_RIGHT_EXPUNGE))
		rc = store_msgs_expunge(imap_store(cmd->s), cmd->a, v->mailbox,
		    NULL, 0, &gone, &n, NULL);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return imap_store_failed(cmd, rc);
	/* No HIGHESTMODSEQ: there may be changes up to it that the client
	 * hasn't been told of (RFC 7162 3.2.8). */
	imap_unselect(cmd->s);
	return imap_ok(cmd, "Closed");
}
