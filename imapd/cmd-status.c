/* imapd/cmd-status.c - STATUS (RFC 9051 6.3.11, RFC 7162 3.1.7) */
#include "config.h"

#include "imapd/imap.h"
#include "libbase/xalloc.h"

enum {
	MESSAGES, RECENT, UIDNEXT, UIDVALIDITY, UNSEEN, DELETED, SIZE,
	HIGHESTMODSEQ, MAILBOXID, APPENDLIMIT, DELETED_STORAGE, N_ITEMS
};

static const char *const items[N_ITEMS] = {
	"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED",
	"SIZE", "HIGHESTMODSEQ", "MAILBOXID", "APPENDLIMIT",
	"DELETED-STORAGE"
};

bool
imap_status_items(struct imap_args *in, unsigned *want_r)
{
	*want_r = 0;
	do {
		int i = 0;

		while (i < N_ITEMS && !imap_args_word(in, items[i]))
			i++;
		if (i == N_ITEMS)
			return imap_args_expected(in, "a status item");
		*want_r |= 1u << i;
	} while (in->next != NULL);
	return true;
}

_Static_assert(IMAP_STATUS_RECENT == 1u << RECENT &&
    IMAP_STATUS_UIDNEXT == 1u << UIDNEXT &&
    IMAP_STATUS_UIDVALIDITY == 1u << UIDVALIDITY &&
    IMAP_STATUS_UNSEEN == 1u << UNSEEN &&
    IMAP_STATUS_HIGHESTMODSEQ == 1u << HIGHESTMODSEQ, "bits of the items");

static int
count_recent(struct store *st, const struct store_mailbox *mb, uint64_t *n_r)
{
	uint32_t from = store_recent(st, mb->id, mb->uidnext, false);
	struct store_msg *m = NULL;
	size_t n = 0;
	int rc = 0;

	if (from < mb->uidnext)
		rc = store_msgs_load(st, mb->id, from, UINT32_MAX, 0, &m, &n);
	if (rc >= 0)
		xfree(m);
	*n_r = n;
	return rc;
}

void
imap_mailboxid_put(struct enc *e, uint64_t id)
{
	char text[STORE_ID_TEXT];

	enc_raw(e, " (");
	enc_raw(e, store_id_text('M', id, text));
	enc_raw(e, ")");
}

int
imap_status_put(struct imap_cmd *cmd, struct store *st,
    const struct store_mailbox *mb, struct slice name, unsigned want)
{
	struct enc *e = &cmd->s->out;
	uint64_t v[N_ITEMS] = {
		[MESSAGES] = mb->total, [UIDNEXT] = mb->uidnext,
		[UIDVALIDITY] = mb->uidvalidity, [UNSEEN] = mb->unseen,
		[DELETED] = mb->deleted, [SIZE] = mb->size,
		[HIGHESTMODSEQ] = mb->highestmodseq,
		[APPENDLIMIT] = cmd->s->x->conf->max_message,
		/* in 1,024 octets, as STORAGE (RFC 9208 4.1.4) */
		[DELETED_STORAGE] = (mb->deleted_size + 1023) / 1024
	};
	int rc;

	if (want & IMAP_STATUS_RECENT && (rc = count_recent(st, mb,
	    &v[RECENT])) < 0)
		return rc;
	enc_raw(e, "* STATUS ");
	enc_mailbox(e, name);
	enc_open(e);
	for (int i = 0; i < N_ITEMS; i++)
		if (want & 1u << i) {
			enc_sp(e);
			enc_raw(e, items[i]);
			if (i == MAILBOXID)
				imap_mailboxid_put(e, mb->id);
			else {
				enc_raw(e, " ");
				enc_u64(e, v[i]);
			}
		}
	enc_close(e);
	enc_eol(e);
	return 0;
}

enum imap_next
cmd_status(struct imap_cmd *cmd)
{
	struct imap_args in;
	struct imap_place p;
	struct slice name;
	unsigned want;
	int rc;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_list(&cmd->args, &in, "a list of status items"))
		return imap_bad_args(cmd);
	if (!imap_status_items(&in, &want))
		return imap_bad(cmd, in.err);
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (want & IMAP_STATUS_HIGHESTMODSEQ)
		imap_enable(cmd->s, IMAP_CONDSTORE);
	if ((rc = imap_mailbox(cmd, name, STORE_RIGHT_READ, &p)) < 0 ||
	    (rc = imap_status_put(cmd, p.st, &p.mb, name, want)) < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok(cmd, "Done");
}
