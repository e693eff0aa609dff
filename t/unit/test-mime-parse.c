/* t/unit/test-mime-parse.c - structure, limits, record, JMAP's bodies */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench/corpus.h"
#include "t/mime/dump.h"

#define S(x) slice_str(x)

static int
setup(void **state)
{
	*state = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	struct arena *a = *state;

	arena_free(&a);
	return 0;
}

/* LF to CRLF. */
static struct slice
wire(struct arena *a, const char *text)
{
	struct mime_crlf c = { false };
	struct slice r;
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	mime_crlf_feed(&c, S(text), &b);
	r = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return r;
}

static struct mime_msg *
parsed(struct arena *a, struct slice raw, const struct mime_limits *lim)
{
	struct mime_msg *m;

	mime_parse(raw, lim, a, &m);
	assert_null(mime_tree_fault(m, raw));
	mime_measure(m, raw, a);
	return m;
}

static void
dumps_as(const struct mime_msg *m, struct slice raw, const char *want)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	mime_dump(m, raw, &b);
	if (!slice_eq(buf_slice(&b), S(want)))
		fail_msg("got\n%.*sshould be\n%s", (int)b.n, b.p, want);
	buf_release(&b);
}

/* RFC 2049 appendix A, with data instead of the ellipses. */
static const char complex_example[] =
    "MIME-Version: 1.0\nFrom: Nathaniel Borenstein <nsb@nsb.fv.com>\n"
    "To: Ned Freed <ned@innosoft.com>\n"
    "Date: Fri, 07 Oct 1994 16:15:05 -0700 (PDT)\n"
    "Subject: A multipart example\nContent-Type: multipart/mixed;\n"
    "              boundary=unique-boundary-1\n\n"
    "This is the preamble area of a multipart message.\n\n"
    "--unique-boundary-1\n\n  ... Some text ...\n\n"
    "--unique-boundary-1\nContent-type: text/plain; charset=US-ASCII\n\n"
    "explicit\n\n"
    "--unique-boundary-1\n"
    "Content-Type: multipart/parallel; boundary=unique-boundary-2\n\n"
    "--unique-boundary-2\nContent-Type: audio/basic\n"
    "Content-Transfer-Encoding: base64\n\nYXVkaW8=\n\n"
    "--unique-boundary-2\nContent-Type: image/jpeg\n"
    "Content-Transfer-Encoding: base64\n\naW1hZ2U=\n\n"
    "--unique-boundary-2--\n\n"
    "--unique-boundary-1\nContent-type: text/enriched\n\n"
    "This is <bold>enriched</bold>\n\n"
    "--unique-boundary-1\nContent-Type: message/rfc822\n\n"
    "From: (mailbox in US-ASCII)\nTo: (address in US-ASCII)\n"
    "Subject: (subject in US-ASCII)\n"
    "Content-Type: Text/plain; charset=ISO-8859-1\n"
    "Content-Transfer-Encoding: Quoted-printable\n\nf=FCr\n\n"
    "--unique-boundary-1--\n";

static const char complex_dump[] =
    "- multipart/mixed {5} boundary=\"unique-boundary-1\"\n"
    "  subject=\"A multipart example\" from=[Nathaniel Borenstein "
    "<nsb@nsb.fv.com>] to=[Ned Freed <ned@innosoft.com>] "
    "sent=1994-10-07T23:15:05Z-420\n"
    "1 text/plain* lines=1 body=\"  ... Some text ...\\n\"\n"
    "2 text/plain charset=\"US-ASCII\" lines=1 body=\"explicit\\n\"\n"
    "3 multipart/parallel {2} boundary=\"unique-boundary-2\"\n"
    "3.1 audio/basic cte=base64 lines=1 body=\"YXVkaW8=\\n\"\n"
    "3.2 image/jpeg cte=base64 lines=1 body=\"aW1hZ2U=\\n\"\n"
    "4 text/enriched lines=1 body=\"This is <bold>enriched</bold>\\n\"\n"
    "5 message/rfc822 {1}\n"
    "5.1 Text/plain charset=\"ISO-8859-1\" cte=qp lines=1 "
    "body=\"f=FCr\\n\" text=\"für\\l\" decoded=5\n"
    "  subject=\"(subject in US-ASCII)\" from=[] to=[]\n"
    "= attachment preview=\"... Some text ...\"\n";

static void
test_rfc2049(void **state)
{
	struct slice raw = wire(*state, complex_example);
	struct mime_msg *m = parsed(*state, raw, NULL);
	const struct mime_part *p;

	dumps_as(m, raw, complex_dump);
	/* Octets and lines as IMAP counts them. */
	p = mime_part_by_id(m, 7);
	assert_non_null(p);
	assert_int_equal(p->kind, MIME_MESSAGE);
	assert_int_equal(p->body_lines, 7);
	assert_true(slice_starts(mime_part_body(p, raw), S("From: (mailbox")));
	assert_true(slice_eq(mime_part_header(p, raw),
	    S("Content-Type: message/rfc822\r\n\r\n")));
	assert_null(mime_part_by_id(m, 9));
	assert_true(slice_starts(m->cached, S("From: Nathaniel")));
}

/* RFC 2046 5.1.1 */
static void
test_rfc2046(void **state)
{
	struct slice raw = wire(*state,
	    "Content-Type: multipart/mixed; boundary=\"simple boundary\"\n\n"
	    "This is the preamble.\n\n--simple boundary\n\n"
	    "This is implicitly typed plain US-ASCII text.\n"
	    "It does NOT end with a linebreak.\n--simple boundary\n"
	    "Content-type: text/plain; charset=us-ascii\n\n"
	    "This is explicitly typed plain US-ASCII text.\n"
	    "It DOES end with a linebreak.\n\n--simple boundary--\n\n"
	    "This is the epilogue.  It is also to be ignored.\n");
	struct mime_msg *m = parsed(*state, raw, NULL);
	struct slice one = mime_part_body(m->root->child, raw);
	struct slice two = mime_part_body(m->root->child->next, raw);

	assert_int_equal(m->n_parts, 3);
	assert_true(slice_eq(slice_make(one.p + one.n - 10, 10),
	    S("linebreak.")));
	assert_true(slice_eq(slice_make(two.p + two.n - 12, 12),
	    S("linebreak.\r\n")));
	assert_int_equal(m->root->child->body_lines, 1);
	assert_int_equal(m->root->child->next->body_lines, 2);
}

static void
test_find(void **state)
{
	static const struct {
		uint32_t path[4];
		size_t n;
		int id;
	} t[] = {
		{ { 0 }, 0, 0 }, { { 1 }, 1, 1 }, { { 3 }, 1, 3 },
		{ { 3, 2 }, 2, 5 }, { { 5 }, 1, 7 }, { { 5, 1 }, 2, 8 },
		{ { 0 }, 1, -1 }, { { 6 }, 1, -1 }, { { 1, 1 }, 2, -1 },
		{ { 3, 3 }, 2, -1 }, { { 5, 2 }, 2, -1 }, { { 5, 1, 1 }, 3, -1 },
	};
	struct slice raw = wire(*state, complex_example);
	struct mime_msg *m = parsed(*state, raw, NULL);
	const struct mime_part *p;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p = mime_part_find(m, t[i].path, t[i].n);
		assert_int_equal(p == NULL ? -1 : (int)p->id, t[i].id);
	}
	/* A message that is not multipart has part 1. */
	m = parsed(*state, wire(*state, "Subject: s\n\nb\n"), NULL);
	assert_ptr_equal(mime_part_find(m, (uint32_t[]){ 1 }, 1), m->root);
	assert_null(mime_part_find(m, (uint32_t[]){ 1, 1 }, 2));
	assert_null(mime_part_find(m, (uint32_t[]){ 2 }, 1));
}

/* ---- limits ------------------------------------------------------------ */

static void
test_limits(void **state)
{
	static const char text[] = "Subject: long subject\n"
	    "To: a@x, b@x, c@x\nX-1: 1\nFrom: a@x\n"
	    "Content-Type: multipart/mixed; boundary=b; c=d; e=f\n\n"
	    "--b\n\none\n--b\n\ntwo\n--b\n\nthree\n--b--\n";
	struct slice raw = wire(*state, text);
	struct mime_limits lim = { .parts = 3 };
	struct mime_msg *m = parsed(*state, raw, &lim);

	/* The rest is one opaque part. */
	assert_true(m->limited);
	assert_int_equal(m->n_parts, 3);
	assert_true(mime_part_is(m->root->child->next, "application",
	    "octet-stream"));
	assert_true(slice_eq(mime_part_body(m->root->child->next, raw),
	    S("\r\ntwo\r\n--b\r\n\r\nthree\r\n--b--\r\n")));
	lim = (struct mime_limits){ .depth = 1 };
	m = parsed(*state, raw, &lim);
	assert_false(m->limited);
	lim = (struct mime_limits){ .fields = 2 };
	m = parsed(*state, raw, &lim);
	assert_true(m->limited);
	assert_true(m->root->type_implied);
	assert_int_equal(m->root->env->to.n, 3);
	assert_false(m->root->env->from.present);
	lim = (struct mime_limits){ .field_len = 4, .addrs = 2 };
	m = parsed(*state, raw, &lim);
	assert_true(m->limited);
	assert_true(slice_eq(m->root->env->subject, S("lon")));
	assert_int_equal(m->root->env->to.n, 1);
	lim = (struct mime_limits){ .addrs = 2 };
	m = parsed(*state, raw, &lim);
	assert_int_equal(m->root->env->to.n, 2);
	assert_int_equal(m->root->env->from.n, 1);	/* some are kept for it */
	lim = (struct mime_limits){ .params = 2 };
	m = parsed(*state, raw, &lim);
	assert_int_equal(m->root->n_params, 2);
}

/* Hostile messages are parsed in time in proportion to their size. */
static void
test_hostile(void **state)
{
	static const char *const units[] = { "--b\n", "--b\n\n", "--\n", "a: b\n",
	    "Content-Type: message/rfc822\n\n", "To: a@b,,,;,\n", "-", "\n",
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
	    "--b\nContent-Type: multipart/mixed; boundary=b\nx\n",
	    "From: (((((((((((\n", "no colon\n", " \n" };

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct arena *a = arena_new(0);
		struct mime_msg *m;
		struct buf b;

		buf_init(&b, SIZE_MAX / 2);
		buf_add_str(&b,
		    "Content-Type: multipart/mixed; boundary=b\n\n--b\n");
		while (b.n < 1 << 20)
			buf_add_str(&b, units[i]);
		mime_parse(buf_slice(&b), NULL, a, &m);
		assert_null(mime_tree_fault(m, buf_slice(&b)));
		assert_true(m->n_parts <= 10000);
		buf_release(&b);
		arena_free(&a);
	}
}

/* The arena is bounded whatever is in a message. */
static void
test_memory(void **state)
{
	static const char *const units[] = {
		"--b\r\nContent-Type: message/rfc822\r\n\r\nTo: a,b,c\r\n"
		"Cc: d\r\nBcc: e\r\nFrom: f\r\nSender: g\r\n\r\n",
		"--b\r\nContent-Type: a/b;c=d;e=f;g=h;i=j;k=l;m=n;o=p;q=r;s=t\r\n"
		"Content-Language: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\r\n\r\n",
		"--b\r\nContent-Description: a\r\n b\r\n c\r\n d\r\n\r\n",
		"--b\r\n\r\n"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct arena *a = arena_new(0);
		struct mime_msg *m;
		struct buf b;

		buf_init(&b, SIZE_MAX / 2);
		buf_add_str(&b,
		    "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
		while (b.n < 4 << 20)
			buf_add_str(&b, units[i]);
		mime_parse(buf_slice(&b), NULL, a, &m);
		if (mime_tree_fault(m, buf_slice(&b)) != NULL)
			fail_msg("%zu: %s", i, mime_tree_fault(m, buf_slice(&b)));
		assert_true(m->limited);
		assert_true(arena_used(a) < 50 << 20);
		buf_release(&b);
		arena_free(&a);
	}
}

/* ---- JMAP -------------------------------------------------------------- */

static void
letters(const struct mime_part **v, size_t n, struct slice raw, char *out)
{
	for (size_t i = 0; i < n; i++)
		*out++ = mime_part_body(v[i], raw).p[0];
	*out = '\0';
}

/* The example of RFC 8621 4.1.4. */
static void
test_bodies(void **state)
{
	static const char text[] =
	    "Content-Type: multipart/mixed; boundary=1\n\n"
	    "--1\nContent-Type: text/plain\nContent-Disposition: inline\n\nA\n"
	    "--1\nContent-Type: multipart/mixed; boundary=2\n\n"
	    "--2\nContent-Type: multipart/alternative; boundary=3\n\n"
	    "--3\nContent-Type: multipart/mixed; boundary=4\n\n"
	    "--4\nContent-Type: text/plain\nContent-Disposition: inline\n\nB\n"
	    "--4\nContent-Type: image/jpeg\nContent-Disposition: inline\n\nC\n"
	    "--4\nContent-Type: text/plain\nContent-Disposition: inline\n\nD\n"
	    "--4--\n--3\nContent-Type: multipart/related; boundary=5\n\n"
	    "--5\nContent-Type: text/html\n\nE\n"
	    "--5\nContent-Type: image/jpeg\n\nF\n--5--\n--3--\n"
	    "--2\nContent-Type: image/jpeg\n"
	    "Content-Disposition: attachment\n\nG\n"
	    "--2\nContent-Type: application/x-excel\n\nH\n"
	    "--2\nContent-Type: message/rfc822\n\nJ: j\n\nj\n--2--\n"
	    "--1\nContent-Type: text/plain\nContent-Disposition: inline\n\nK\n"
	    "--1--\n";
	struct slice raw = wire(*state, text);
	struct mime_msg *m = parsed(*state, raw, NULL);
	struct mime_bodies b;
	char s[20];

	mime_bodies(m, *state, &b);
	letters(b.text, b.n_text, raw, s);
	assert_string_equal(s, "ABCDK");
	letters(b.html, b.n_html, raw, s);
	assert_string_equal(s, "AEK");
	letters(b.attached, b.n_attached, raw, s);
	assert_string_equal(s, "CFGHJ");
	assert_true(m->has_attachment);
}

static void
test_has_attachment(void **state)
{
	static const struct {
		const char *part;
		bool has;
	} t[] = {
		{ "text/plain\n\nx", false }, { "image/png\n\nx", false },
		{ "image/png\nContent-Disposition: attachment\n\nx", true },
		{ "application/pdf\n\nx", true },
		{ "application/pdf\nContent-Disposition: INLINE\n\nx", false },
		{ "application/pgp-signature\n\nx", false },
		{ "text/plain; name=a\n\nx", true },
		{ "text/csv\n\nx", true }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b;

		buf_init(&b, 10000);
		buf_printf(&b, "Content-Type: multipart/mixed; boundary=b\n\n"
		    "--b\n\ntext\n--b\nContent-Type: %s\n--b--\n", t[i].part);
		buf_addc(&b, '\0');
		assert_int_equal(parsed(*state, wire(*state, b.p),
		    NULL)->has_attachment, t[i].has);
		buf_release(&b);
	}
}

static void
test_part_text(void **state)
{
	struct slice raw = wire(*state, "Content-Type: text/html; "
	    "charset=utf-8\n\n<p>ü</p>\n<p>x</p>");
	struct mime_msg *m = parsed(*state, raw, NULL);
	struct mime_value v;

	mime_part_text(m->root, raw, 0, *state, &v);
	assert_true(slice_eq(v.text, S("<p>ü</p>\n<p>x</p>")));
	assert_false(v.truncated);
	assert_false(v.encoding_problem);
	mime_part_text(m->root, raw, 4, *state, &v);	/* inside of ü */
	assert_true(slice_eq(v.text, S("<p>")));
	assert_true(v.truncated);
	mime_part_text(m->root, raw, 7, *state, &v);	/* inside of </p> */
	assert_true(slice_eq(v.text, S("<p>ü")));
	mime_part_text(m->root, raw, 100, *state, &v);
	assert_false(v.truncated);
}

static void
test_preview(void **state)
{
	static const struct {
		const char *msg, *out;
	} t[] = {
		{ "\na\n\n  b\t c\n", "a b c" },
		{ "\n> quoted\nanswer\n-- \nsignature\n", "answer" },
		{ "\n> only\n> quotes\n", "> only > quotes" },
		{ "Content-Type: text/html\n\n<title>t</title><p>a&nbsp;&zwnj;"
		  "&nbsp;b", "a b" },
		{ "Content-Type: application/pdf\n\nx", "" },
		{ "Content-Type: text/html\n\n<style>x</style>", "" },
		{ "Content-Type: multipart/alternative; boundary=b\n\n--b\n"
		  "Content-Type: text/html\n\n<b>h</b>\n--b\n\np\n--b--\n", "p" },
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\n--b\n\n"
		  "second\n--b--\n", "second" }
	};
	struct buf b;
	struct mime_msg *m;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		m = parsed(*state, wire(*state, t[i].msg), NULL);
		if (!slice_eq(m->preview, S(t[i].out)))
			fail_msg("%s: %.*s", t[i].out, (int)m->preview.n,
			    m->preview.p);
	}
	/* 256 characters, however long they are. */
	buf_init(&b, SIZE_MAX / 2);
	buf_add_str(&b, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (unsigned i = 0; i < 1000; i++)
		buf_add_str(&b, "🎉");
	m = parsed(*state, buf_slice(&b), NULL);
	assert_int_equal(m->preview.n, 256 * 4);
	/* A long quotation, or a long style, before the text. */
	buf_reset(&b);
	buf_add_str(&b, "\r\n");
	for (unsigned i = 0; i < 1000; i++)
		buf_add_str(&b, "> quoted\r\n");
	buf_add_str(&b, "answer\r\n");
	m = parsed(*state, buf_slice(&b), NULL);
	assert_true(slice_eq(m->preview, S("answer")));
	buf_reset(&b);
	buf_add_str(&b, "Content-Type: text/html\r\n\r\n<style>");
	for (unsigned i = 0; i < 10000; i++)
		buf_add_str(&b, "p { a: b }\r\n");
	buf_add_str(&b, "</style>answer");
	m = parsed(*state, buf_slice(&b), NULL);
	assert_true(slice_eq(m->preview, S("answer")));
	buf_release(&b);
}

static void
test_part_name(void **state)
{
	static const struct {
		const char *fields, *out;
	} t[] = {
		{ "Content-Type: a/b; name=x", "x" },
		{ "Content-Type: a/b; name=x\nContent-Disposition: attachment; "
		  "filename=y", "y" },
		{ "Content-Disposition: attachment; filename*=utf-8''%C3%BC",
		  "ü" },
		{ "Content-Type: a/b; name=\"=?utf-8?b?w7w=?= "
		  "=?utf-8?q?.txt?=\"", "ü.txt" },
		{ "Content-Disposition: inline; filename=\"a\\\"b\"", "a\"b" },
		{ "Content-Disposition: inline; filename*=utf-8''a%0Ab%00c",
		  "a bc" },
		{ "Content-Disposition: inline; filename*=utf-8''"
		  "%3D%3Futf-8%3FQ%3Fno%3F%3D", "=?utf-8?Q?no?=" },
		{ "Content-Type: a/b", NULL },
		{ "Content-Type: a/b; name=\"\"", NULL }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice s;
		struct buf b;

		buf_init(&b, 10000);
		buf_printf(&b, "%s\n\nx\n", t[i].fields);
		buf_addc(&b, '\0');
		s = mime_part_name(parsed(*state, wire(*state, b.p), NULL)->root,
		    *state);
		if (t[i].out == NULL)
			assert_null(s.p);
		else if (!slice_eq(s, S(t[i].out)))
			fail_msg("%s: %.*s", t[i].out, (int)s.n, s.p);
		buf_release(&b);
	}
}

/* ---- record ------------------------------------------------------------ */

static void
round_trip(struct slice raw)
{
	struct arena *a = arena_new(0);
	struct mime_msg *m = parsed(a, raw, NULL), *again;
	struct buf rec, one, two;

	buf_init(&rec, SIZE_MAX / 2);
	buf_init(&one, SIZE_MAX / 2);
	buf_init(&two, SIZE_MAX / 2);
	assert_int_equal(mime_record_encode(m, 1 << 20, &rec), 0);
	assert_int_equal(mime_record_decode(buf_slice(&rec), a, &again), 0);
	mime_dump(m, raw, &one);
	mime_dump(again, raw, &two);
	assert_true(slice_eq(buf_slice(&one), buf_slice(&two)));
	assert_null(mime_tree_fault(again, raw));
	assert_true(slice_eq(m->cached, again->cached));
	assert_true(slice_eq(m->preview, again->preview));
	/* Cut off anywhere it is refused. */
	for (size_t n = 0; n < rec.n; n++)
		assert_int_equal(mime_record_decode(slice_make(rec.p, n), a,
		    &again), -1);
	buf_addc(&rec, '\0');
	assert_int_equal(mime_record_decode(buf_slice(&rec), a, &again), -1);
	rec.p[0]++;
	rec.n--;
	assert_int_equal(mime_record_decode(buf_slice(&rec), a, &again), -1);
	buf_release(&rec);
	buf_release(&one);
	buf_release(&two);
	arena_free(&a);
}

static void
test_record(void **state)
{
	struct corpus_conf cf = { .median = 3000, .max = 30000, .seed = 3 };
	struct corpus *c = corpus_new(&cf);
	struct buf b;

	round_trip(wire(*state, complex_example));
	round_trip(S(""));
	round_trip(S("Date: Thu, 1 Jan 1900 00:00:00 -1100\r\n\r\n"));
	buf_init(&b, SIZE_MAX / 2);
	for (unsigned i = 0; i < 60; i++) {
		buf_reset(&b);
		corpus_next(c, &b);
		round_trip(buf_slice(&b));
	}
	buf_release(&b);
	corpus_free(&c);
}

/* What doesn't fit is kept as an opaque message, with what fits. */
static void
test_record_max(void **state)
{
	struct buf b, rec;
	struct mime_msg *m, *again;

	buf_init(&b, SIZE_MAX / 2);
	buf_add_str(&b, "Subject: subject\r\nFrom: a@x\r\nTo: ");
	for (unsigned i = 0; i < 500; i++)
		buf_printf(&b, "someone%u@host%u.example,\r\n ", i, i);
	buf_add_str(&b, "z@x\r\n\r\nbody\r\n");
	m = parsed(*state, buf_slice(&b), NULL);
	buf_init(&rec, SIZE_MAX / 2);
	assert_int_equal(mime_record_encode(m, 511, &rec), -1);
	assert_int_equal(mime_record_encode(m, 600, &rec), 0);
	assert_true(rec.n <= 600);
	assert_int_equal(mime_record_decode(buf_slice(&rec), *state, &again), 0);
	assert_true(again->limited);
	assert_int_equal(again->size, b.n);
	assert_int_equal(again->n_parts, 1);
	assert_true(slice_eq(again->root->env->subject, S("subject")));
	assert_int_equal(again->root->env->from.n, 1);
	assert_true(slice_eq(again->preview, S("body")));
	assert_true(slice_eq(mime_part_body(again->root, buf_slice(&b)),
	    S("body\r\n")));
	buf_release(&rec);
	buf_init(&rec, 300);
	assert_int_equal(mime_record_encode(m, 600, &rec), 0);
	buf_release(&rec);
	buf_init(&rec, 20);
	assert_int_equal(mime_record_encode(m, 600, &rec), -1);
	buf_release(&rec);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rfc2049, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rfc2046, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_memory),
		cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_has_attachment, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_part_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_preview, setup, teardown),
		cmocka_unit_test_setup_teardown(test_part_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record_max, setup,
		    teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
