/* lmtpd/trace.c - the header fields that are put before a message */
#include "config.h"

#include "libbase/buf.h"
#include "libbase/text.h"
#include "lmtpd/lmtp.h"

enum { HEAD_MAX = 8192 };

/* RFC 5322 3.3, in universal time. */
static void
add_date(struct buf *b, int64_t t)
{
	static const char *const day[] = { "Thu", "Fri", "Sat", "Sun", "Mon",
		"Tue", "Wed" }, *const month[] = { "Jan", "Feb", "Mar", "Apr",
		"May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int y, m, d, s;
	int64_t days = time_day(t, &s);

	time_civil(days, &y, &m, &d);
	buf_printf(b, "%s, %d %s %04d %02d:%02d:%02d +0000", day[days % 7], d,
	    month[m - 1], y, s / 3600, s / 60 % 60, s % 60);
}

void
lmtp_trace(struct lmtp *l, struct store_spool *sp, const struct lmtp_rcpt *r)
{
	const struct session *s = l->s;
	struct buf b;

	buf_init(&b, HEAD_MAX);
	buf_printf(&b, "Return-Path: <%.*s>\r\n", (int)l->sender.n,
	    l->sender.p);
	if (r != NULL)
		buf_printf(&b, "Delivered-To: %.*s\r\n", (int)r->address.n,
		    r->address.p);
	buf_printf(&b, "Received: from %.*s (%s)\r\n\tby %s with %s;\r\n\t",
	    (int)(l->client.n < 255 ? l->client.n : 255), l->client.p, s->peer,
	    s->conf->hostname, l->utf8 ? "UTF8LMTP" : "LMTP");
	add_date(&b, l->arrived);
	buf_add_str(&b, "\r\n");
	store_spool_add(sp, b.p, b.n);	/* a failure stays */
	buf_release(&b);
}
