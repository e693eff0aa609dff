/* lmtpd/report.c - delivery status notifications, for submissions (RFC 3464) */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libmime/mime.h"
#include "lmtpd/report.h"

enum {
	STATUS_MAX = 256 << 10,	/* octets that are looked at */
	RCPTS_MAX = 1000,
	REPLY_MAX = 500
};

/* "type; value" -> value, if the type is one of these two. */
static struct slice
typed(struct slice v, struct slice type, struct slice other)
{
	const char *semi = v.n > 0 ? memchr(v.p, ';', v.n) : NULL;
	struct slice t = v;

	if (semi == NULL)
		return slice_make(NULL, 0);
	t.n = (size_t)(semi - v.p);
	t = slice_trim(t);
	if (!slice_ieq(t, type) && !slice_ieq(t, other))
		return slice_make(NULL, 0);
	return slice_trim(slice_make(semi + 1, v.n -
	    (size_t)(semi + 1 - v.p)));
}

/* One line of clean text. */
static struct slice
clean(struct slice s, struct arena *a)
{
	char *p;

	s = utf8_clean(a, mime_unfold(a, s));
	s.n = utf8_cut(s, REPLY_MAX);
	p = arena_strndup(a, s.p, s.n);
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)p[i] < 32 || p[i] == 127)
			p[i] = ' ';
	return slice_trim(slice_make(p, s.n));
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "5.1.1", of that class. */
static bool
status_ok(struct slice s, char class)
{
	unsigned dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.')
			dots++;
		else if (!is_digit(s.p[i]))
			return false;
	}
	return s.n >= 5 && s.n <= 9 && dots == 2 && s.p[0] == class &&
	    s.p[1] == '.' && is_digit(s.p[2]) && is_digit(s.p[s.n - 1]);
}

struct group {
	struct slice original, final, action, status, diagnostic;
};

/* RFC 8621 7: the reply of SMTP, or one that looks like it. */
static struct slice
reply_of(const struct group *g, bool yes, struct arena *a)
{
	struct slice d = clean(typed(g->diagnostic, SLICE_LIT("smtp"),
	    SLICE_LIT("smtp")), a), s = g->status;

	if (d.n > 4 && is_digit(d.p[0]) && is_digit(d.p[1]) &&
	    is_digit(d.p[2]) && (d.p[3] == ' ' || d.p[3] == '-') &&
	    (d.p[0] == '2') == yes)
		return d;
	if (!status_ok(s, yes ? '2' : '5'))
		s = yes ? SLICE_LIT("2.0.0") : SLICE_LIT("5.0.0");
	return slice_str(arena_printf(a, "%s %.*s %s", yes ? "250" : "550",
	    (int)s.n, s.p, yes ? "Delivered" : "Not delivered"));
}

static void
take_group(const struct group *g, struct report *r, size_t *cap,
    struct arena *a)
{
	bool failed = slice_ieq(g->action, SLICE_LIT("failed"));
	bool yes = slice_ieq(g->action, SLICE_LIT("delivered"));
	struct slice to = typed(g->original, SLICE_LIT("rfc822"),
	    SLICE_LIT("utf-8"));
	struct store_rcpt *rcpt;

	if (to.n == 0)
		to = typed(g->final, SLICE_LIT("rfc822"), SLICE_LIT("utf-8"));
	if (to.n == 0 || r->n == RCPTS_MAX)
		return;
	r->rcpt = arena_grow(a, r->rcpt, cap, r->n + 1, sizeof(*r->rcpt));
	rcpt = &r->rcpt[r->n++];
	memset(rcpt, 0, sizeof(*rcpt));
	rcpt->to.email = to;
	rcpt->delivered = failed ? STORE_DELIVERED_NO :
	    yes ? STORE_DELIVERED_YES : STORE_DELIVERED_UNKNOWN;
	if (failed || yes)
		rcpt->reply = reply_of(g, yes, a);
}

static void
take_field(const struct mime_field *f, struct report *r, struct group *g,
    struct arena *a)
{
	const struct {
		const char *name;
		struct slice *to;
	} names[] = {
		{ "Original-Envelope-Id", &r->envid },
		{ "Original-Recipient", &g->original },
		{ "Final-Recipient", &g->final }, { "Action", &g->action },
		{ "Status", &g->status },
		{ "Diagnostic-Code", &g->diagnostic }
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_ieq(f->name, slice_str(names[i].name)))
			*names[i].to = slice_trim(mime_unfold(a, f->value));
}

/* Groups of fields with empty lines between them. */
static void
take_status(struct slice s, struct report *r, struct arena *a)
{
	size_t cap = 0;

	while (s.n > 0) {
		const char *end = memmem(s.p, s.n, "\r\n\r\n", 4);
		size_t n = end != NULL ? (size_t)(end - s.p) + 2 : s.n;
		struct group g;
		struct mime_fields it;
		struct mime_field f;

		memset(&g, 0, sizeof(g));
		mime_fields_init(&it, slice_make(s.p, n));
		while (mime_fields_next(&it, &f))
			take_field(&f, r, &g, a);
		take_group(&g, r, &cap, a);
		n += end != NULL ? 2 : 0;
		s = slice_make(s.p + n, s.n - n);
	}
}

int
report_parse(struct slice octets, struct arena *a, struct report *r_r)
{
	const struct mime_part *p;
	struct mime_msg *m;
	struct slice body;

	memset(r_r, 0, sizeof(*r_r));
	mime_parse(octets, NULL, a, &m);
	if (!mime_part_is(m->root, "multipart", "report"))
		return 0;
	for (p = m->root->child; p != NULL; p = p->next)
		if (mime_part_is(p, "message", "delivery-status") ||
		    mime_part_is(p, "message", "global-delivery-status"))
			break;
	if (p == NULL || p->body_len > STATUS_MAX)
		return 0;
	body = mime_decode(p->encoding, mime_part_body(p, octets), a, NULL);
	take_status(body, r_r, a);
	return r_r->envid.n > 0;
}
