/* imapd/cmd-uidbatches.c - UIDBATCHES (RFC 10022) */
#include "config.h"

#include "imapd/imap.h"

enum { SIZE_MIN = 500 };

/* "3:7": which batches, the newest one being the first. */
static bool
parse_range(struct imap_args *v, uint32_t *from_r, uint32_t *to_r)
{
	struct slice s, from, to;
	uint64_t a, b;
	const char *colon;

	*from_r = 1;
	*to_r = UINT32_MAX;
	if (v->next == NULL)
		return true;
	if (!imap_args_atom(v, &s, "a range of batches"))
		return false;
	colon = memchr(s.p, ':', s.n);
	if (colon == NULL)
		colon = s.p + s.n;
	from = slice_make(s.p, (size_t)(colon - s.p));
	to = colon < s.p + s.n ? slice_make(colon + 1,
	    s.n - from.n - 1) : slice_make(s.p, 0);
	if (slice_uint(from, UINT32_MAX, &a) < 0 || a == 0 ||
	    slice_uint(to, UINT32_MAX, &b) < 0 || b == 0) {
		v->err = "expected a range of batches like 1:10";
		return false;
	}
	*from_r = (uint32_t)a;
	*to_r = (uint32_t)b;
	return true;
}

/*
 * Each batch has size messages, the last one what is left.  Together they cover
 * all UIDs from the greatest one down to 1: a batch begins right below the one
 * before it.
 */
static void
put_batches(struct enc *e, const struct view *v, uint32_t size, uint32_t from,
    uint32_t to)
{
	size_t n = v->n;
	uint32_t high = n > 0 ? v->m[n - 1].uid : 0;
	const char *sep = " ";

	for (uint32_t i = 1; n > 0 && i <= to; i++) {
		uint32_t low = n > size ? v->m[n - size].uid : 1;

		if (i >= from) {
			enc_raw(e, sep);
			enc_u64(e, high);
			if (low < high) {
				enc_raw(e, ":");
				enc_u64(e, low);
			}
			sep = ",";
		}
		high = low - 1;
		n = n > size ? n - size : 0;
	}
}

enum imap_next
cmd_uidbatches(struct imap_cmd *cmd)
{
	struct enc *e = &cmd->s->out;
	uint32_t size, from, to;

	if (!imap_args_number(&cmd->args, &size, "the size of a batch") ||
	    !parse_range(&cmd->args, &from, &to) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (to < from) {
		imap_bad(cmd, "The range goes backwards");
		cmd->code = "CLIENTBUG";
		return IMAP_DONE;
	}
	if (size < SIZE_MIN)
		return imap_no(cmd, "TOOFEW",
		    "A batch has 500 messages at least");
	enc_raw(e, "* UIDBATCHES (TAG ");
	enc_string(e, cmd->tag);
	enc_raw(e, ")");
	put_batches(e, &cmd->s->view, size, from, to);
	enc_eol(e);
	return imap_ok(cmd, "Listed");
}
