/* lmtpd/data.c - DATA: the message comes in */
#include "config.h"

#include <time.h>

#include "lmtpd/dots.h"
#include "lmtpd/lmtp.h"

/*
 * Reads the message to its dot.  0: it is all read, *rc_r tells how the spool
 * took it; SIO_*: the connection is over.
 */
static int
receive(struct lmtp *l, int *rc_r)
{
	struct sio *io = l->s->io;
	int timeout = (int)l->s->listener->idle_timeout_s * 1000, rc;
	uint64_t total = 0, limit = l->s->conf->max_message * LMTP_EXCESS;
	struct dots d;

	*rc_r = 0;
	dots_init(&d);
	for (;;) {
		struct slice in = sio_input(io), out;
		size_t used = 0;

		while (used < in.n && !d.done) {
			used += dots_next(&d,
			    slice_make(in.p + used, in.n - used), &out);
			total += out.n;
			if (*rc_r == 0 && out.n > 0)
				*rc_r = store_spool_add(l->spool, out.p,
				    out.n);
		}
		sio_consume(io, used);
		if (d.done)
			return 0;
		if (total > limit) {
			lmtp_reply(l, "421 4.3.4 Message far too large");
			return SIO_ERROR;
		}
		if ((rc = sio_fill(io, timeout)) < 0)
			return rc;
	}
}

void
lmtp_begin(struct lmtp *l)
{
	bool name = l->s->conf->lmtp_delivered_to;
	size_t copies = 0;

	for (size_t i = 0; i < l->n_rcpt; i++)
		copies += l->rcpt[i].same == i;
	l->spool = store_spool_new(&l->s->store_conf, true, 0);
	l->arrived = (int64_t)time(NULL);
	l->apart = name && copies > 1;
	if (!l->apart)
		lmtp_trace(l, l->spool, name ? &l->rcpt[0] : NULL);
}

enum lmtp_next
cmd_data(struct lmtp *l, struct slice args)
{
	int rc;

	if (slice_trim(args).n > 0)
		return lmtp_reply(l, "501 5.5.4 DATA takes no argument");
	if (!l->mail)
		return lmtp_reply(l, "503 5.5.1 MAIL goes first");
	if (l->chunked)	/* RFC 3030 section 3 */
		return lmtp_reply(l, "503 5.5.1 BDAT goes on");
	if (l->n_rcpt == 0)
		return lmtp_reply(l, "503 5.5.1 No valid recipients");
	lmtp_reply(l, "354 End with a dot");
	lmtp_begin(l);
	if ((l->end = receive(l, &rc)) < 0)
		return LMTP_BYE;
	lmtp_finish(l, rc);
	return LMTP_CONT;
}
