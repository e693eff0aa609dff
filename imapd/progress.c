/* imapd/progress.c - INPROGRESS (RFC 9585): a word while a command takes long */
#include "config.h"

#include "imapd/imap.h"
#include "libbase/text.h"

void
imap_progress(struct imap_cmd *cmd, uint64_t done, uint64_t goal)
{
	struct enc *e = &cmd->s->out;
	int64_t every = cmd->s->x->conf->imap_progress_ms;
	int64_t now = time_mono_ms();

	if (every == 0 || now - cmd->heard < every)
		return;
	cmd->heard = now;
	enc_raw(e, "* OK [INPROGRESS (");
	enc_string(e, cmd->tag);
	if (goal > 0) {
		enc_sp(e);
		enc_u64(e, done);
		enc_sp(e);
		enc_u64(e, goal);
	} else {
		enc_raw(e, " NIL NIL");
	}
	enc_raw(e, ")] ");
	enc_say(e, "Still at it");
	enc_eol(e);
	enc_spill(e);
	sio_flush(cmd->s->x->io);
}
