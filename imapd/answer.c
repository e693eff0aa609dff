/* imapd/answer.c - the tagged answer of a command */
#include "config.h"

#include "imapd/imap.h"
#include "libbase/log.h"

static enum imap_next
answer(struct imap_cmd *cmd, enum imap_status status, const char *code,
    const char *text)
{
	cmd->status = status;
	cmd->code = code;
	cmd->text = text;
	return IMAP_DONE;
}

enum imap_next
imap_ok(struct imap_cmd *cmd, const char *text)
{
	return answer(cmd, IMAP_S_OK, NULL, text);
}

enum imap_next
imap_ok_code(struct imap_cmd *cmd, const char *code, const char *text)
{
	return answer(cmd, IMAP_S_OK, code, text);
}

enum imap_next
imap_no(struct imap_cmd *cmd, const char *code, const char *text)
{
	return answer(cmd, IMAP_S_NO, code, text);
}

enum imap_next
imap_bad(struct imap_cmd *cmd, const char *text)
{
	return answer(cmd, IMAP_S_BAD, NULL, text);
}

enum imap_next
imap_bad_args(struct imap_cmd *cmd)
{
	return imap_bad(cmd, cmd->args.err ? cmd->args.err :
	    "bad arguments");
}

enum imap_next
imap_uid_required(struct imap_cmd *cmd)
{
	return answer(cmd, IMAP_S_BAD, "UIDREQUIRED",
	    "Messages have UIDs alone after ENABLE UIDONLY");
}

enum imap_next
imap_store_failed(struct imap_cmd *cmd, int rc)
{
	const struct store_error *e = store_error(rc);
	struct imap_session *s = cmd->s;

	if (e->retry || rc == STORE_E_CORRUPT || rc == STORE_E_UNKNOWN ||
	    rc == STORE_E_FENCED)
		log_err("%s: %s: %s", cmd->row->name, e->text,
		    s->x->store ? store_errmsg(imap_store(s)) : "");
	if (rc == STORE_E_FENCED || rc == STORE_E_UNKNOWN) {
		imap_bye(s, "UNAVAILABLE", e->text);
		return IMAP_BYE;
	}
	return imap_no(cmd, e->imap, e->text);
}

void
imap_answer(struct imap_cmd *cmd)
{
	static const char *const word[] = { "", " OK ", " NO ", " BAD " };
	struct enc *e = &cmd->s->out;

	if (cmd->status != IMAP_S_NONE)
		session_command(cmd->s->x,
		    cmd->row != NULL ? cmd->row->name : "-",
		    cmd->status == IMAP_S_OK ? NULL : cmd->text);
	if (cmd->status == IMAP_S_NONE)
		return;
	imap_limit_tell(cmd);
	if (cmd->tag.n > 0)
		enc_text(e, cmd->tag);
	else
		enc_raw(e, "*");
	enc_raw(e, word[cmd->status]);
	if (cmd->code != NULL) {
		enc_raw(e, "[");
		enc_raw(e, cmd->code);
		enc_raw(e, "] ");
	}
	enc_say(e, cmd->text);
	enc_eol(e);
}
