/* libsession/mta.c - handing mail over to the mail transfer agent */
#include "config.h"

#include <string.h>

#include "libbase/buf.h"
#include "libbase/text.h"
#include "libmime/mime.h"
#include "libsession/mta-int.h"

enum { TIMEOUT_S = 300 };

bool
mta_configured(const struct conf *c)
{
	return c->smtp_relay != NULL || c->sendmail != NULL;
}

struct slice
mta_line(struct arena *a, struct slice text)
{
	struct slice s = utf8_clean(a, text);
	size_t n = s.n < MTA_REPLY_MAX ? s.n : utf8_cut(s, MTA_REPLY_MAX);
	char *p = arena_strndup(a, s.p, n);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 32 || p[i] == 127)
			p[i] = ' ';
	return slice_trim(slice_make(p, n));
}

int
mta_all(struct mta_mail *m, int rc, enum mta_stage stage, int code,
    struct slice reply)
{
	for (size_t i = 0; i < m->n_rcpt; i++) {
		/* One that was refused before is so for its own reason. */
		if (m->rcpt[i].code >= 500)
			continue;
		m->rcpt[i].code = code;
		m->rcpt[i].reply = reply;
	}
	m->stage = stage;
	m->reply = reply;
	return rc;
}

int
mta_send(const struct conf *c, struct mta_mail *m, struct arena *a)
{
	int64_t deadline = time_mono_ms() +
	    (int64_t)(m->timeout_s ? m->timeout_s : TIMEOUT_S) * 1000;

	for (size_t i = 0; i < m->n_rcpt; i++) {
		m->rcpt[i].code = 0;
		m->rcpt[i].reply = slice_make("", 0);
	}
	if (c->smtp_relay != NULL)
		return mta_smtp(c->smtp_relay, c->hostname, m, deadline, a);
	if (c->sendmail != NULL)
		return mta_sendmail(c->sendmail, m, deadline, a);
	return mta_all(m, MTA_E_TEMP, MTA_AT_CONNECT, 451,
	    SLICE_LIT("451 4.3.5 No way to send mail is configured"));
}

/* A bare LF or CR would let some see an end where others don't. */
static struct slice
with_crlf(struct slice octets, struct arena *a)
{
	struct mime_crlf crlf = { .cr = false };
	struct buf out;

	if (mime_crlf_clean(&crlf, octets))
		return octets;
	buf_init(&out, 2 * octets.n + 2);
	mime_crlf_feed(&crlf, octets, &out);
	mime_crlf_finish(&crlf, &out);
	octets = arena_slice(a, buf_slice(&out));
	buf_release(&out);
	return octets;
}

struct slice
mta_message(struct slice octets, struct arena *a)
{
	struct mime_fields it;
	struct mime_field f;
	const char *from;
	char *p = NULL;
	size_t n = 0, k;

	/* First, since it may make a field of what was none. */
	octets = with_crlf(octets, a);
	from = octets.p;
	mime_fields_init(&it, octets);
	while (mime_fields_next(&it, &f)) {
		if (!slice_ieq(f.name, SLICE_LIT("Bcc")))
			continue;
		if (p == NULL)
			p = arena_alloc(a, octets.n);
		k = (size_t)(f.raw.p - from);
		memcpy(p + n, from, k);
		n += k;
		from = f.raw.p + f.raw.n;
	}
	if (p == NULL)
		return octets.p != NULL ? octets : slice_make("", 0);
	k = octets.n - (size_t)(from - octets.p);
	memcpy(p + n, from, k);
	return slice_make(p, n + k);
}
