/* bench/corpus.c - made-up mail: threads, headers, messages */
#include "config.h"

#include <string.h>

#include "bench/corpus-int.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum { THREADS = 128, REFS = 10, ID_MAX = 96 };

struct thread {
	char subject[400];
	char ids[REFS][ID_MAX];
	unsigned n;
};

struct corpus {
	struct corpus_rand r;
	struct corpus_conf cf;
	uint32_t n;			/* messages made */
	int64_t clock;			/* no real clock: same octets */
	struct thread threads[THREADS];	/* the newest ones */
	uint32_t n_threads;
};

struct corpus *
corpus_new(const struct corpus_conf *cf)
{
	struct corpus *c = xcalloc(1, sizeof(*c));

	if (cf != NULL)
		c->cf = *cf;
	if (c->cf.seed == 0)
		c->cf.seed = 1;
	if (c->cf.median == 0)
		c->cf.median = 10000;
	if (c->cf.max == 0)
		c->cf.max = 5000000;
	c->r.s = c->cf.seed;
	c->clock = 1700000000;
	return c;
}

void
corpus_free(struct corpus **c)
{
	xfree(*c);
	*c = NULL;
}

/* "ada" of "Ada Berg" */
static void
add_local(const char *name, struct buf *out)
{
	for (; *name != '\0' && *name != ' '; name++)
		buf_addc(out, (char)(*name | 0x20));
}

static void
add_mailbox(struct corpus_rand *r, const char *domain, struct buf *out)
{
	const char *name = corpus_name(r);

	switch (corpus_below(r, 12)) {
	case 0:				/* "Berg, Ada" */
		buf_printf(out, "\"%s, %.*s\" <", strchr(name, ' ') + 1,
		    (int)strcspn(name, " "), name);
		break;
	case 1:
		corpus_encoded_word(r, corpus_intl(r), out);
		buf_add_str(out, " <");
		break;
	case 2:				/* obsolete: the name as a comment */
		add_local(name, out);
		buf_printf(out, "@%s (%s)", domain, name);
		return;
	case 3:
		add_local(name, out);
		buf_printf(out, "@%s", domain);
		return;
	case 4:
		buf_printf(out, "\"%s\" <", name);
		break;
	case 5:
		buf_printf(out, "%s <\"%s\"@%s>", name, name, domain);
		return;
	default:
		buf_printf(out, "%s <", name);
		break;
	}
	add_local(name, out);
	buf_printf(out, "@%s>", domain);
}

static void
add_from(struct corpus *c, struct buf *out)
{
	buf_add_str(out, "From: ");
	if (c->n % CORPUS_FROM_EVERY == 0)
		buf_add_str(out, "Wilma Wood <wilma@example.org>");
	else
		add_mailbox(&c->r, "example.com", out);
	buf_add_str(out, "\r\n");
}

static void
add_recipients(struct corpus *c, struct buf *out)
{
	static const unsigned many[] = { 1, 1, 1, 1, 2, 2, 3, 8 };
	unsigned n = many[corpus_below(&c->r, 8)];

	buf_add_str(out, "To: ");
	if (corpus_chance(&c->r, 30)) {
		buf_add_str(out, "undisclosed-recipients:;\r\n");
		return;
	}
	if (corpus_chance(&c->r, 40))
		buf_add_str(out, "The team: ");
	else
		n |= 0x100;
	for (unsigned i = 0; i < (n & 0xff); i++) {
		if (i > 0)
			buf_add_str(out, ",\r\n\t");
		add_mailbox(&c->r, "example.org", out);
	}
	buf_add_str(out, n & 0x100 ? "\r\n" : ";\r\n");
	if (corpus_chance(&c->r, 300)) {
		buf_add_str(out, "Cc: ");
		add_mailbox(&c->r, "example.net", out);
		buf_add_str(out, "\r\n");
	}
}

static void
add_trace(struct corpus *c, struct buf *out)
{
	static const unsigned hops[] = { 1, 2, 3, 3, 4, 5, 7, 10 };
	unsigned n = hops[corpus_below(&c->r, 8)];

	buf_add_str(out, "Return-Path: <bounce@example.com>\r\n");
	for (unsigned i = 0; i < n; i++) {
		/* One draw a statement: C leaves the order of arguments open. */
		const char *from = corpus_host(&c->r);
		const char *by = corpus_host(&c->r);
		unsigned ip = corpus_below(&c->r, 254) + 1;
		unsigned id = corpus_below(&c->r, 1u << 31);

		buf_printf(out, "Received: from %s (%s [192.0.2.%u])\r\n\tby "
		    "%s with ESMTPS id %08x\r\n\tfor <user@bench.test>; ",
		    from, from, ip, by, id);
		corpus_date(c->clock + n - i, 0, out);
		buf_add_str(out, "\r\n");
	}
	if (corpus_chance(&c->r, 500)) {
		struct buf sig;

		buf_init(&sig, 4096);
		corpus_noise(&c->r, 256, &sig);
		buf_add_str(out, "DKIM-Signature: v=1; a=rsa-sha256; "
		    "c=relaxed/relaxed; d=example.com;\r\n\ts=k1; h=from:to:"
		    "subject:date; bh=");
		base64_encode(out, slice_make(sig.p, 32));
		buf_add_str(out, ";\r\n\tb=");
		for (size_t i = 0; i < 240; i += 48) {
			buf_add_str(out, i > 0 ? "\r\n\t " : "");
			base64_encode(out, slice_make(sig.p + i, 48));
		}
		buf_add_str(out, "\r\n");
		buf_release(&sig);
	}
}

static void
add_list(struct corpus *c, struct buf *out)
{
	static const char *const lists[] = { "hackers", "news", "talk" };
	const char *l = lists[corpus_below(&c->r, 3)];

	buf_printf(out, "List-Id: %s of the project <%s.lists.example.org>\r\n"
	    "List-Post: <mailto:%s@lists.example.org>\r\n"
	    "List-Unsubscribe: <https://lists.example.org/leave/%s>,\r\n\t"
	    "<mailto:%s-leave@lists.example.org>\r\nPrecedence: list\r\n",
	    l, l, l, l, l);
}

/* Subject and threading fields; takes part in a thread. */
static void
add_thread(struct corpus *c, struct buf *out)
{
	struct corpus_rand *r = &c->r;
	bool reply = c->n_threads > 0 && corpus_chance(r, 550);
	uint32_t have = c->n_threads < THREADS ? c->n_threads : THREADS;
	struct thread *t = &c->threads[c->n_threads % THREADS];
	struct buf s;
	size_t n;

	buf_init(&s, sizeof(t->subject) - 1);
	if (reply) {
		t = &c->threads[corpus_below(r, have)];
	} else {
		*t = (struct thread){ .n = 0 };
		c->n_threads++;
		if (corpus_chance(r, 220))
			corpus_encoded_word(r, corpus_intl(r), &s);
		else if (corpus_chance(r, 40))	/* 8 bits in the header */
			buf_add_str(&s, corpus_intl(r)->text);
		else {
			buf_add_str(&s, corpus_topic(r));
			buf_printf(&s, " %u",
			    (unsigned)corpus_below(r, 9999) + 1);
		}
		n = s.n < sizeof(t->subject) ? s.n : 0;
		memcpy(t->subject, s.p, n);
		t->subject[n] = '\0';
	}
	buf_printf(out, "Subject: %s%s%s\r\n", reply ? "Re: " : "", t->subject,
	    c->n % CORPUS_SUBJECT_EVERY == 0 ? " marmalade" : "");
	if (reply) {
		buf_printf(out, "In-Reply-To: <%s>\r\nReferences:",
		    t->ids[t->n - 1]);
		for (unsigned i = 0; i < t->n; i++)
			buf_printf(out, "%s <%s>", i > 0 ? "\r\n" : "",
			    t->ids[i]);
		buf_add_str(out, "\r\n");
	}
	if (t->n == REFS) {
		memmove(t->ids[1], t->ids[2], (REFS - 2) * sizeof(t->ids[0]));
		t->n--;
	}
	buf_reset(&s);
	buf_printf(&s, "%u.%08x@", (unsigned)c->n,
	    (unsigned)corpus_below(r, UINT32_MAX));
	buf_add_str(&s, corpus_host(r));
	memcpy(t->ids[t->n], s.p, s.n);
	t->ids[t->n++][s.n] = '\0';
	buf_add_str(out, "Message-ID: <");
	buf_add_slice(out, buf_slice(&s));
	buf_add_str(out, ">\r\n");
	buf_release(&s);
}

static const char *
mark(const struct corpus *c)
{
	return c->n % CORPUS_BODY_EVERY == 0 ? "pangolin" : "badger";
}

static void
small(struct corpus *c, struct buf *out)
{
	struct corpus_rand *r = &c->r;

	buf_printf(out, "Received: from %s", corpus_host(r));
	buf_printf(out, " by %s\r\n", corpus_host(r));
	buf_printf(out, "\twith ESMTP id %08x; ",
	    (unsigned)corpus_below(r, 1u << 31));
	corpus_date(c->clock, 0, out);
	buf_add_str(out, "\r\n");
	add_from(c, out);
	buf_add_str(out, "To: user@bench.test\r\nDate: ");
	corpus_date(c->clock, 0, out);
	buf_add_str(out, "\r\n");
	add_thread(c, out);
	buf_printf(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\n\r\nordinary line %s\r\n", mark(c));
	corpus_words(r, 100 + corpus_below(r, 600), out);
}

static void
full(struct corpus *c, struct buf *out)
{
	uint32_t size = corpus_size(&c->r, c->cf.median);
	struct buf body;

	if (size > c->cf.max / 20 * 19)
		size = c->cf.max / 20 * 19;
	add_trace(c, out);
	add_from(c, out);
	add_recipients(c, out);
	buf_add_str(out, "Date: ");
	corpus_date(c->clock, corpus_below(&c->r, 24), out);
	buf_add_str(out, "\r\n");
	add_thread(c, out);
	if (corpus_chance(&c->r, 250))
		add_list(c, out);
	if (corpus_chance(&c->r, 80))
		for (unsigned i = 0; i < 40; i++) {
			buf_printf(out, "X-Report-%u: ", i);
			corpus_line(&c->r, 9, out);
			buf_add_str(out, "\r\n");
		}
	buf_add_str(out, "User-Agent: mkcorpus\r\nMIME-Version: 1.0\r\n");
	buf_init(&body, SIZE_MAX / 2);
	corpus_entity(&c->r, size > 1700 ? size - 1500 : 200, mark(c), 0,
	    c->clock, out, &body);
	buf_add_str(out, "\r\n");
	buf_add_slice(out, buf_slice(&body));
	buf_release(&body);
}

int
corpus_next(struct corpus *c, struct buf *out)
{
	c->n++;
	c->clock += 30 + corpus_below(&c->r, 4000);
	if (c->cf.small)
		small(c, out);
	else
		full(c, out);
	return out->overflow ? -1 : 0;
}
