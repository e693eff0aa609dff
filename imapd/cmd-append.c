/* imapd/cmd-append.c - APPEND (RFC 3501 6.3.11, RFC 4315, RFC 7888) */
#include "config.h"

#include "imapd/date.h"
#include "imapd/imap.h"

struct append {
	struct store_spool *spool;
	int rc;			/* the first failure of the spool */
	bool nul, binary;
};

static void
free_spool(void *p)
{
	struct append *ap = p;

	store_spool_free(&ap->spool);
}

/* ---- the literal ------------------------------------------------------- */

static enum imap_literal_rc
refuse(struct imap_cmd *cmd, const char *code, const char *text)
{
	cmd->s->parser.code = code;
	cmd->s->parser.err = text;
	return IMAP_LIT_REFUSE;
}

static bool
over_quota(struct store *st, uint64_t size)
{
	struct store_usage u;

	if (store_usage(st, &u) < 0)
		return false;
	return (u.size_limit > 0 && u.size + size > u.size_limit) ||
	    (u.message_limit > 0 && u.messages >= u.message_limit);
}

/* Whatever can be refused is refused before the client sends the message. */
static enum imap_literal_rc
append_begin(struct imap_cmd *cmd, uint64_t size, bool binary)
{
	struct imap_session *s = cmd->s;
	struct store *st = s->x->store;
	struct imap_args args = cmd->args;
	struct store_mailbox mb;
	struct append *ap;
	struct slice name;
	int rc;

	if (cmd->state != NULL)
		return refuse(cmd, NULL, "one message at a time, please");
	if (!imap_args_mailbox(&args, &name))
		return refuse(cmd, NULL, args.err);
	if (size > s->x->conf->max_message)
		return refuse(cmd, "TOOBIG", "The message is too big");
	if ((rc = store_refresh(st)) == 0 || rc == 1)
		rc = store_mailbox_find(st, cmd->a, name, &mb);
	if (rc == STORE_E_NOTFOUND)
		return refuse(cmd, "TRYCREATE", "There is no such mailbox");
	if (rc < 0)
		return refuse(cmd, store_error(rc)->imap,
		    store_error(rc)->text);
	if (over_quota(st, size))
		return refuse(cmd, "OVERQUOTA", "The quota is used up");
	ap = arena_alloc(cmd->a, sizeof(*ap));
	ap->spool = store_spool_new(&s->x->store_conf, true, 0);
	ap->binary = binary;
	arena_defer(cmd->a, free_spool, ap);
	cmd->state = ap;
	return IMAP_LIT_STREAM;
}

static void
append_octets(struct imap_cmd *cmd, struct slice s)
{
	struct append *ap = cmd->state;

	if (memchr(s.p, '\0', s.n) != NULL)
		ap->nul = true;
	if (ap->rc == 0 && !ap->nul)
		ap->rc = store_spool_add(ap->spool, s.p, s.n);
}

static void
append_end(struct imap_cmd *cmd)
{
	(void)cmd;	/* what is left is done when the line has ended */
}

const struct imap_stream append_stream = {
	append_begin, append_octets, append_end
};

/* ---- the command ------------------------------------------------------- */

/* [flag-list] [date-time] literal */
static bool
parse(struct imap_cmd *cmd, struct slice *name_r, struct imap_args *flags_r,
    int64_t *date_r)
{
	struct imap_args *v = &cmd->args;
	struct slice date;

	*flags_r = (struct imap_args){ .a = cmd->a };
	*date_r = INT64_MIN;
	if (!imap_args_mailbox(v, name_r))
		return false;
	if (v->next != NULL && v->next->type == IMAP_ARG_LIST)
		imap_args_list(v, flags_r, "flags");
	if (v->next != NULL && v->next->type == IMAP_ARG_QUOTED) {
		if (imap_date_time(v->next->s, date_r) < 0)
			return imap_args_expected(v, "a date and time like "
			    "\"17-Jul-1996 02:44:25 -0700\"");
		imap_args_string(v, &date, "a date and time");
	}
	if (v->next == NULL || v->next->type != IMAP_ARG_STREAM)
		return imap_args_expected(v, "the message as a literal");
	v->next = v->next->next;
	return imap_args_end(v);
}

static enum imap_next
add(struct imap_cmd *cmd, struct store_new *new, struct store_mailbox *mb)
{
	struct store_added added;
	int rc;

	new->mailboxes = &mb->id;
	new->n_mailboxes = 1;
	rc = store_email_add(cmd->s->x->store, new, 1, &added, NULL);
	if (rc == STORE_E_NOTFOUND)
		return imap_no(cmd, "TRYCREATE", "There is no such mailbox");
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok_code(cmd, arena_printf(cmd->a, "APPENDUID %u %u",
	    (unsigned)mb->uidvalidity, (unsigned)added.uid), "Appended");
}

enum imap_next
cmd_append(struct imap_cmd *cmd)
{
	struct append *ap = cmd->state;
	struct store_new new = { 0 };
	struct store_mailbox mb;
	struct imap_args flags;
	struct slice name;
	int rc;

	if (!parse(cmd, &name, &flags, &new.received_at))
		return imap_bad_args(cmd);
	/* RFC 3516 4.3: what isn't text has to be encoded. */
	if (ap->nul && ap->binary)
		return imap_no(cmd, "UNKNOWN-CTE",
		    "A message with NUL can't be kept");
	if (ap->nul)
		return imap_bad(cmd, "NUL in the message");
	if (!imap_flags_parse(cmd, &flags, &new.flags))
		return IMAP_DONE;
	if ((rc = ap->rc) < 0 || (rc = store_spool_done(ap->spool)) < 0)
		return imap_store_failed(cmd, rc);
	if (store_spool_size(ap->spool) == 0)
		return imap_no(cmd, NULL, "The message is empty");
	rc = store_mailbox_find(cmd->s->x->store, cmd->a, name, &mb);
	if (rc == STORE_E_NOTFOUND)
		return imap_no(cmd, "TRYCREATE", "There is no such mailbox");
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	new.spool = ap->spool;
	return add(cmd, &new, &mb);
}
