/* bench/corpus-body.c - bodies of made-up mail */
#include "config.h"

#include <string.h>

#include "bench/corpus-int.h"
#include "libbase/text.h"

enum { SIMPLE = 1500, DEEP = 3 };

static void
boundary(struct corpus_rand *r, char out[40])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	/* Some have to be quoted. */
	memcpy(out, corpus_chance(r, 500) ? "=_" : "--", 2);
	for (n = 2; n < 30; n++)
		out[n] = digits[corpus_below(r, 16)];
	out[n] = '\0';
}

static void
delimiter(struct buf *body, const char *b, const struct buf *head)
{
	buf_printf(body, "--%s\r\n", b);
	if (head->n > 0)
		buf_add_slice(body, buf_slice(head));
	buf_add_str(body, "\r\n");
}

/* A text/plain in one of many forms. */
static void
plain(struct corpus_rand *r, size_t size, const char *mark, struct buf *head,
    struct buf *body)
{
	struct buf text;
	uint32_t kind = corpus_below(r, 10);

	buf_init(&text, SIZE_MAX / 2);
	buf_printf(&text, "ordinary line %s\r\n", mark);
	if (kind < 4) {
		const struct corpus_intl *t = corpus_intl(r);
		struct buf raw;

		buf_init(&raw, SIZE_MAX / 2);
		buf_printf(&text, "%s\r\n", t->text);
		corpus_words(r, size, &text);
		corpus_convert(t->charset, buf_slice(&text), &raw);
		buf_printf(head, "Content-Type: text/plain; charset=%s%s%s\r\n",
		    kind % 2 ? "\"" : "", t->charset, kind % 2 ? "\"" : "");
		buf_printf(head, "Content-Transfer-Encoding: %s\r\n",
		    kind == 0 ? "base64" : kind == 1 ? "quoted-printable" :
		    "8bit");
		if (kind == 0)
			corpus_base64(buf_slice(&raw), body);
		else if (kind == 1)
			corpus_qp(buf_slice(&raw), body);
		else
			buf_add_slice(body, buf_slice(&raw));
		buf_release(&raw);
	} else {
		corpus_words(r, size, &text);
		if (kind < 7)
			buf_add_str(head, "Content-Type: text/plain; "
			    "charset=us-ascii; format=flowed\r\n");
		else if (kind < 9)
			buf_add_str(head, "Content-Type: TEXT/PLAIN "
			    "(a note); charset=UTF-8\r\n"
			    "Content-Transfer-Encoding: 7bit\r\n");
		buf_add_slice(body, buf_slice(&text));
	}
	buf_release(&text);
}

static void
html(struct corpus_rand *r, size_t size, const char *mark, struct buf *head,
    struct buf *body)
{
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	buf_printf(&text, "<!DOCTYPE html>\r\n<html><head><style>p { margin: 0 "
	    "}</style></head><body>\r\n<p>ordinary line %s &amp; Grüße</p>\r\n",
	    mark);
	while (text.n < size) {
		buf_add_str(&text, "<p style=\"color: #333\">");
		corpus_line(r, 12, &text);
		buf_add_str(&text, "</p>\r\n");
	}
	buf_add_str(&text, "</body></html>\r\n");
	buf_add_str(head, "Content-Type: text/html; charset=\"utf-8\"\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n");
	corpus_qp(buf_slice(&text), body);
	buf_release(&text);
}

static void
file_name(struct corpus_rand *r, struct buf *head)
{
	switch (corpus_below(r, 6)) {
	case 0:
		buf_add_str(head, "; filename=\"minutes.pdf\"");
		break;
	case 1:
		buf_add_str(head, ";\r\n\tfilename*=utf-8''"
		    "%C3%9Cbersicht%202026.pdf");
		break;
	case 2:
		buf_add_str(head, ";\r\n filename*0*=iso-8859-1'de'Pr%FCf;\r\n"
		    " filename*1*=bericht%20;\r\n filename*2=\"final.doc\"");
		break;
	case 3:
		buf_add_str(head, ";\r\n\tfilename=\"a \\\"quoted\\\" name.txt\"");
		break;
	case 4:
		buf_add_str(head, ";\r\n filename*0=\"a-very-long-name-of-a-\";"
		    "\r\n filename*1=\"file.tar.gz\"");
		break;
	default:
		break;
	}
}

static void
attachment(struct corpus_rand *r, size_t size, struct buf *head,
    struct buf *body)
{
	static const char *const types[] = { "application/pdf", "image/jpeg",
	    "application/octet-stream", "application/zip", "audio/mpeg" };
	struct buf raw;

	buf_printf(head, "Content-Type: %s\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment",
	    types[corpus_below(r, 5)]);
	file_name(r, head);
	buf_add_str(head, "\r\n");
	if (corpus_chance(r, 200))
		buf_add_str(head, "Content-Description: a file\r\n"
		    "Content-Language: en, de\r\n");
	buf_init(&raw, SIZE_MAX / 2);
	corpus_noise(r, size * 3 / 4 + 1, &raw);
	corpus_base64(buf_slice(&raw), body);
	buf_release(&raw);
}

/* A message inside of a message. */
static void
inner(struct corpus_rand *r, size_t size, unsigned depth, int64_t clock,
    struct buf *body)
{
	struct buf h, b;

	buf_init(&h, SIZE_MAX / 2);
	buf_init(&b, SIZE_MAX / 2);
	corpus_entity(r, size, "inside", depth + 1, clock, &h, &b);
	buf_printf(body, "From: %s <inner@example.net>\r\n", corpus_name(r));
	buf_printf(body, "To: list@example.org\r\nSubject: Fwd: %s\r\nDate: ",
	    corpus_topic(r));
	corpus_date(clock - 90000, corpus_below(r, 24), body);
	buf_printf(body, "\r\nMessage-ID: <fw%x@example.net>\r\n",
	    (unsigned)corpus_below(r, 1u << 30));
	buf_add_slice(body, buf_slice(&h));
	buf_add_str(body, "\r\n");
	buf_add_slice(body, buf_slice(&b));
	buf_release(&h);
	buf_release(&b);
}

struct kit {			/* a multipart being made */
	struct corpus_rand *r;
	char bound[40];
	struct buf *body, head, part;
};

static void
kit_add(struct kit *k)
{
	delimiter(k->body, k->bound, &k->head);
	buf_add_slice(k->body, buf_slice(&k->part));
	buf_add_str(k->body, "\r\n");
	buf_reset(&k->head);
	buf_reset(&k->part);
}

static void
alternative(struct kit *k, size_t size, const char *mark)
{
	plain(k->r, size / 3, mark, &k->head, &k->part);
	kit_add(k);
	html(k->r, size / 2, mark, &k->head, &k->part);
	kit_add(k);
}

static void
related(struct kit *k, size_t size, const char *mark)
{
	struct buf raw;

	html(k->r, size / 2, mark, &k->head, &k->part);
	kit_add(k);
	buf_init(&raw, SIZE_MAX / 2);
	corpus_noise(k->r, size / 3 + 1, &raw);
	buf_printf(&k->head, "Content-Type: image/png; name=\"=?utf-8?q?f=C3="
	    "BCr_dich.png?=\"\r\nContent-Transfer-Encoding: base64\r\n"
	    "Content-ID: <img%u@example.com>\r\n"
	    "Content-Disposition: inline\r\n", (unsigned)raw.n);
	corpus_base64(buf_slice(&raw), &k->part);
	buf_release(&raw);
	kit_add(k);
}

static void
mixed(struct kit *k, size_t size, const char *mark, unsigned depth,
    int64_t clock)
{
	size_t text = size / 4 < 20000 ? size / 4 : 20000, left = size - text;
	uint32_t n = 1 + corpus_below(k->r, 3);

	corpus_entity(k->r, text, mark, depth + 1, clock, &k->head, &k->part);
	kit_add(k);
	for (uint32_t i = 0; i < n; i++) {
		attachment(k->r, left / n, &k->head, &k->part);
		kit_add(k);
	}
}

static void
forward(struct kit *k, size_t size, const char *mark, unsigned depth,
    int64_t clock)
{
	plain(k->r, size / 3, mark, &k->head, &k->part);
	kit_add(k);
	buf_add_str(&k->head, "Content-Type: message/rfc822\r\n"
	    "Content-Disposition: attachment\r\n");
	inner(k->r, size / 2, depth, clock, &k->part);
	kit_add(k);
}

static void
digest(struct kit *k, size_t size, const char *mark, unsigned depth,
    int64_t clock)
{
	buf_add_str(&k->head, "Content-Type: text/plain\r\n");
	buf_printf(&k->part, "ordinary line %s\r\n", mark);
	kit_add(k);
	for (unsigned i = 0; i < 3; i++) {
		inner(k->r, size / 4, depth + 1, clock, &k->part);
		kit_add(k);
	}
}

static void
report(struct kit *k, size_t size, const char *mark)
{
	plain(k->r, size / 2, mark, &k->head, &k->part);
	kit_add(k);
	buf_add_str(&k->head, "Content-Type: message/delivery-status\r\n");
	buf_printf(&k->part, "Reporting-MTA: dns; %s\r\n\r\n"
	    "Final-Recipient: rfc822; nobody@example.com\r\n"
	    "Action: failed\r\nStatus: 5.1.1\r\n", corpus_host(k->r));
	kit_add(k);
	buf_add_str(&k->head, "Content-Type: text/rfc822-headers\r\n");
	buf_printf(&k->part, "From: %s <a@example.com>\r\n",
	    corpus_name(k->r));
	buf_printf(&k->part, "Subject: %s\r\n", corpus_topic(k->r));
	kit_add(k);
}

void
corpus_entity(struct corpus_rand *r, size_t size, const char *mark,
    unsigned depth, int64_t clock, struct buf *head, struct buf *body)
{
	struct kit k = { .r = r, .body = body };
	uint32_t kind = corpus_below(r, 100);
	const char *sub;

	if (size < SIMPLE || kind < 34 || depth > DEEP) {
		plain(r, size, mark, head, body);
		return;
	}
	boundary(r, k.bound);
	buf_init(&k.head, SIZE_MAX / 2);
	buf_init(&k.part, SIZE_MAX / 2);
	if (corpus_chance(r, 300))
		buf_add_str(body, "This is a message in MIME format.\r\n");
	if (kind < 60 || size < 6000) {
		sub = "alternative";
		alternative(&k, size, mark);
	} else if (kind < 66) {
		sub = "related; type=\"text/html\"";
		related(&k, size, mark);
	} else if (kind < 74) {
		sub = "mixed";
		forward(&k, size, mark, depth, clock);
	} else if (kind < 77) {
		sub = "digest";
		digest(&k, size, mark, depth, clock);
	} else if (kind < 80) {
		sub = "report; report-type=delivery-status";
		report(&k, size, mark);
	} else {
		sub = "mixed";
		mixed(&k, size, mark, depth, clock);
	}
	buf_printf(head, "Content-Type: multipart/%s;\r\n\tboundary=\"%s\"\r\n",
	    sub, k.bound);
	buf_printf(body, "--%s--\r\n", k.bound);
	if (corpus_chance(r, 100))
		buf_add_str(body, "That was all.\r\n");
	buf_release(&k.head);
	buf_release(&k.part);
}
