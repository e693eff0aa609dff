/* imapd/cmd-idle.c - IDLE (RFC 2177), woken by the store's watch */
#include "config.h"

#include "imapd/imap.h"
#include "libbase/log.h"

static void
free_watch(void *p)
{
	struct store_watch *w = p;

	store_watch_free(&w);
}

static enum imap_next
idle_wake(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;
	void *cookie;
	int rc;

	while (store_watch_next(cmd->state, &cookie) > 0)
		;
	if ((rc = imap_sync(s, true, NULL)) == STORE_E_FENCED ||
	    rc == STORE_E_UNKNOWN) {
		imap_bye(s, "UNAVAILABLE", store_error(rc)->text);
		return IMAP_BYE;
	}
	return IMAP_MORE;
}

static enum imap_next
idle_notify(struct imap_cmd *cmd)
{
	return imap_notify_wake(cmd->s, true) ? IMAP_MORE : IMAP_BYE;
}

static enum imap_next
idle_line(struct imap_cmd *cmd, struct slice line)
{
	if (!slice_ieq(line, SLICE_LIT("DONE")))
		return imap_bad(cmd, "expected DONE");
	return imap_ok(cmd, "Idled");
}

enum imap_next
cmd_idle(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;
	struct store_watch *w;
	int rc;

	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (s->notify != NULL) {	/* the same events (RFC 5465 4) */
		cmd->wake_fd = imap_notify_fd(s);
		cmd->wake = idle_notify;
	} else {
		if ((rc = store_watch_new(&s->x->store_conf, false, &w)) < 0)
			return imap_store_failed(cmd, rc);
		arena_defer(cmd->a, free_watch, w);
		/* First watch, then look: nothing falls between. */
		if ((rc = store_watch_add(w, imap_store(s), NULL)) < 0)
			return imap_store_failed(cmd, rc);
		cmd->state = w;
		cmd->wake_fd = store_watch_fd(w);
		cmd->wake = idle_wake;
	}
	cmd->silence_ms = (int64_t)s->x->listener->keepalive_s * 1000;
	cmd->line = idle_line;
	enc_raw(&s->out, "+ ");
	enc_say(&s->out, "idling");
	enc_eol(&s->out);
	return cmd->wake(cmd);
}
