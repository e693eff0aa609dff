/*
 * lmtpd/bdat.c - BDAT: the message comes in chunks of known size (RFC 3030)
 *
 * However wrong the command is, its octets are taken off the connection if it
 * says how many: they must never be read as commands.
 */
#include "config.h"

#include <string.h>

#include "libbase/log.h"
#include "lmtpd/lmtp.h"

/* "size [LAST]".  0, 1: the size is there but something else is wrong, -1. */
static int
chunk_parse(struct slice args, uint64_t *n_r, bool *last_r)
{
	const char *sp;
	struct slice rest = { "", 0 };

	args = slice_trim(args);
	if (args.n > 0 && (sp = memchr(args.p, ' ', args.n)) != NULL) {
		rest = slice_make(sp, args.n - (size_t)(sp - args.p));
		args.n -= rest.n;
		rest = slice_trim(rest);
	}
	if (slice_uint(args, UINT64_MAX, n_r) < 0)
		return -1;
	*last_r = slice_ieq(rest, SLICE_LIT("LAST"));
	return rest.n == 0 || *last_r ? 0 : 1;
}

/* Takes n octets, into the spool while *rc is 0 and there is one.  0, SIO_*. */
static int
take_octets(struct lmtp *l, uint64_t n, int *rc)
{
	struct sio *io = l->s->io;
	int timeout = (int)l->s->listener->idle_timeout_s * 1000, failed;

	while (n > 0) {
		struct slice in = sio_input(io);

		if (in.n == 0) {
			if ((failed = sio_fill(io, timeout)) < 0)
				return failed;
			continue;
		}
		if (in.n > n)
			in.n = (size_t)n;
		if (l->spool != NULL && *rc == 0)
			*rc = store_spool_add(l->spool, in.p, in.n);
		sio_consume(io, in.n);
		n -= in.n;
	}
	return 0;
}

/* What is wrong with a chunk before its octets are looked at, or NULL. */
static const char *
refusal(const struct lmtp *l, int parsed)
{
	if (parsed > 0)
		return "501 5.5.4 BDAT size [LAST]";
	if (!l->mail)
		return "503 5.5.1 MAIL goes first";
	if (l->n_rcpt == 0)
		return "503 5.5.1 No valid recipients";
	return NULL;
}

static enum lmtp_next
refuse(struct lmtp *l, uint64_t n, const char *why)
{
	int rc = STORE_E_INVALID;

	if ((l->end = take_octets(l, n, &rc)) < 0)
		return LMTP_BYE;
	/* What is missing now makes the rest of the message worthless. */
	if (l->mail && l->n_rcpt > 0) {
		l->chunked = true;
		if (l->chunk_rc == 0)
			l->chunk_rc = STORE_E_INVALID;
	}
	return lmtp_reply(l, "%s", why);
}

enum lmtp_next
cmd_bdat(struct lmtp *l, struct slice args)
{
	uint64_t n = 0, limit = l->s->conf->max_message * LMTP_EXCESS;
	int parsed, failed_before;
	const char *why;
	bool last;

	if ((parsed = chunk_parse(args, &n, &last)) < 0) {
		lmtp_reply(l, "421 4.5.2 How long is that chunk?");
		return LMTP_BYE;
	}
	if (n > limit || l->octets > limit - n) {
		lmtp_reply(l, "421 4.3.4 Message far too large");
		return LMTP_BYE;
	}
	if ((why = refusal(l, parsed)) != NULL)
		return refuse(l, n, why);
	if (!l->chunked) {
		l->chunked = true;
		lmtp_begin(l);
	}
	l->octets += n;
	failed_before = l->chunk_rc;
	if ((l->end = take_octets(l, n, &l->chunk_rc)) < 0)
		return LMTP_BYE;
	/* RFC 2033 4.2: the last one has an answer for each recipient. */
	if (last)
		lmtp_finish(l, l->chunk_rc);
	else if (failed_before < 0)
		lmtp_reply(l, "503 5.5.1 The message has failed: RSET");
	else if (l->chunk_rc < 0)
		lmtp_failure(l, l->chunk_rc);
	else
		lmtp_reply(l, "250 2.0.0 Chunk taken");
	return LMTP_CONT;
}
