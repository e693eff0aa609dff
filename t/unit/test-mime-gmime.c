/* t/unit/test-mime-gmime.c - libmime against GMime on made-up mail */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gmime/gmime.h>

#include "bench/corpus.h"
#include "libmime/mime.h"

enum { MESSAGES = 250 };

struct run {
	struct slice raw;
	struct arena *a;
	unsigned n;		/* number of the message, for reports */
};

static void
same(const struct run *r, const char *what, struct slice got, const char *want)
{
	struct slice w = slice_str(want != NULL ? want : "");

	if (!slice_eq(got, w))
		fail_msg("message %u: %s is \"%.*s\", GMime has \"%.*s\"", r->n,
		    what, (int)(got.n < 500 ? got.n : 500), got.p,
		    (int)(w.n < 500 ? w.n : 500), w.p);
}

static void
addresses(const struct run *r, const char *what, const struct mime_addr **ad,
    const struct mime_addr *end, InternetAddressList *l)
{
	for (int i = 0; i < internet_address_list_length(l); i++) {
		InternetAddress *g = internet_address_list_get_address(l, i);

		if (*ad == end)
			fail_msg("message %u: %s has too few addresses", r->n,
			    what);
		same(r, what, mime_text(r->a, (*ad)->name),
		    internet_address_get_name(g));
		if (INTERNET_ADDRESS_IS_GROUP(g)) {
			assert_int_equal((*ad)->kind, MIME_ADDR_GROUP);
			(*ad)++;
			addresses(r, what, ad, end,
			    internet_address_group_get_members(
			    INTERNET_ADDRESS_GROUP(g)));
			assert_true(*ad < end);
			assert_int_equal((*ad)->kind, MIME_ADDR_GROUP_END);
		} else {
			assert_int_equal((*ad)->kind, MIME_ADDR);
			same(r, what, mime_addr_email(*ad, r->a),
			    internet_address_mailbox_get_addr(
			    INTERNET_ADDRESS_MAILBOX(g)));
		}
		(*ad)++;
	}
}

static void
address_list(const struct run *r, const char *what, const struct mime_addrs *l,
    InternetAddressList *g)
{
	const struct mime_addr *ad = l->a;

	if (l->n == 0) {
		assert_int_equal(internet_address_list_length(g), 0);
		return;
	}
	addresses(r, what, &ad, l->a + l->n, g);
	if (ad != l->a + l->n)
		fail_msg("message %u: %s has too many addresses", r->n, what);
}

static void
envelope(const struct run *r, const struct mime_env *e, GMimeMessage *g)
{
	GDateTime *d = g_mime_message_get_date(g);
	const char *refs = g_mime_object_get_header(GMIME_OBJECT(g),
	    "References");
	struct slice *ids;
	uint32_t n;

	same(r, "subject", mime_text(r->a, e->subject),
	    g_mime_message_get_subject(g));
	address_list(r, "from", &e->from, g_mime_message_get_from(g));
	address_list(r, "to", &e->to, g_mime_message_get_to(g));
	address_list(r, "cc", &e->cc, g_mime_message_get_cc(g));
	assert_int_equal(e->sent.ok, d != NULL);
	if (d != NULL) {
		assert_int_equal(e->sent.t, g_date_time_to_unix(d));
		assert_int_equal(e->sent.offset_min,
		    g_date_time_get_utc_offset(d) / 60000000);
	}
	mime_msgids_parse(e->message_id, 1, r->a, &ids, &n);
	same(r, "message-id", n > 0 ? ids[0] : slice_make(NULL, 0),
	    g_mime_message_get_message_id(g));
	mime_msgids_parse(e->references, 100, r->a, &ids, &n);
	if (refs != NULL) {
		GMimeReferences *gr = g_mime_references_parse(NULL, refs);

		assert_int_equal(n, g_mime_references_length(gr));
		for (uint32_t i = 0; i < n; i++)
			same(r, "references", ids[i],
			    g_mime_references_get_message_id(gr, (int)i));
		g_mime_references_free(gr);
	} else {
		assert_int_equal(n, 0);
	}
}

/* All fields, name and raw value; for the root of a message GMime has the
 * Content-* fields with the part. */
static void
fields(const struct run *r, const struct mime_part *p, GMimeObject *g,
    GMimeMessage *msg)
{
	GMimeHeaderList *lists[2] = {
		msg != NULL ? g_mime_object_get_header_list(GMIME_OBJECT(msg)) :
		    NULL,
		g_mime_object_get_header_list(g)
	};
	int at[2] = { 0, 0 };
	struct mime_fields it;
	struct mime_field f;

	mime_fields_init(&it, mime_part_header(p, r->raw));
	while (mime_fields_next(&it, &f) == 1) {
		int k = lists[0] == NULL || slice_istarts(f.name,
		    SLICE_LIT("Content-"));
		GMimeHeader *h;
		const char *v;

		assert_true(at[k] < g_mime_header_list_get_count(lists[k]));
		h = g_mime_header_list_get_header_at(lists[k], at[k]++);
		same(r, "field name", f.name, g_mime_header_get_name(h));
		v = g_mime_header_get_raw_value(h);
		assert_true(slice_eq(slice_trim(f.value),
		    slice_trim(slice_str(v))));
	}
	for (int k = 0; k < 2; k++)
		if (lists[k] != NULL)
			assert_int_equal(at[k],
			    g_mime_header_list_get_count(lists[k]));
}

static void
params(const struct run *r, const struct mime_part *p, GMimeObject *g)
{
	GMimeContentType *ct = g_mime_object_get_content_type(g);
	GMimeParamList *l = g_mime_content_type_get_parameters(ct);

	assert_true(slice_ieq(p->type,
	    slice_str(g_mime_content_type_get_media_type(ct))));
	assert_true(slice_ieq(p->subtype,
	    slice_str(g_mime_content_type_get_media_subtype(ct))));
	/* GMime adds a charset where there is no Content-Type. */
	if (!p->type_implied)
		assert_int_equal(p->n_params, g_mime_param_list_length(l));
	for (uint32_t i = 0; i < p->n_params; i++) {
		GMimeParam *gp = g_mime_param_list_get_parameter_at(l, (int)i);

		same(r, "parameter", p->params[i].name,
		    g_mime_param_get_name(gp));
		same(r, "parameter", mime_words_decode(r->a,
		    p->params[i].value), g_mime_param_get_value(gp));
	}
}

/* The octets of a stream or of what is decoded from it. */
static struct slice
content(const struct run *r, GMimeDataWrapper *w, bool decoded)
{
	GMimeStream *mem = g_mime_stream_mem_new();
	struct slice s = { "", 0 };
	GByteArray *b;

	if (w != NULL && decoded)
		g_mime_data_wrapper_write_to_stream(w, mem);
	else if (w != NULL)
		g_mime_stream_write_to_stream(g_mime_data_wrapper_get_stream(w),
		    mem);
	b = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
	if (b->len > 0)
		s = arena_slice(r->a, slice_make((char *)b->data, b->len));
	g_object_unref(mem);
	return s;
}

static void
leaf(const struct run *r, const struct mime_part *p, GMimePart *g)
{
	GMimeDataWrapper *w = g_mime_part_get_content(g);
	struct slice raw = mime_part_body(p, r->raw), cid;
	const char *id = g_mime_part_get_content_id(g);

	if (!slice_eq(raw, content(r, w, false)))
		fail_msg("message %u: part %u: raw octets", r->n,
		    (unsigned)p->id);
	if (!slice_eq(mime_decode(p->encoding, raw, r->a, NULL),
	    content(r, w, true)))
		fail_msg("message %u: part %u: decoded octets", r->n,
		    (unsigned)p->id);
	same(r, "file name", mime_part_name(p, r->a),
	    g_mime_part_get_filename(g));
	cid = p->content_id;
	if (cid.n > 2)
		cid = slice_make(cid.p + 1, cid.n - 2);
	same(r, "content id", cid, id);
	same(r, "description", p->description,
	    g_mime_part_get_content_description(g));
}

/* Text in one piece, and as GMime converts it. */
static void
text(const struct run *r, const struct mime_part *p, GMimePart *g)
{
	struct mime_value v;
	char *want;
	struct buf lf;

	if (!GMIME_IS_TEXT_PART(g))
		return;
	want = g_mime_text_part_get_text(GMIME_TEXT_PART(g));
	mime_part_text(p, r->raw, 0, r->a, &v);
	buf_init(&lf, SIZE_MAX / 2);
	for (const char *s = want; s != NULL && *s != '\0'; s++)
		if (*s != '\r')
			buf_addc(&lf, *s);
	buf_addc(&lf, '\0');
	same(r, "text", v.text, lf.p);
	assert_false(v.encoding_problem);
	buf_release(&lf);
	g_free(want);
}

static void message(const struct run *r, const struct mime_part *p,
    GMimeMessage *g);

static void
entity(const struct run *r, const struct mime_part *p, GMimeObject *g,
    GMimeMessage *msg)
{
	fields(r, p, g, msg);
	params(r, p, g);
	if (GMIME_IS_MULTIPART(g)) {
		const struct mime_part *c = p->child;
		int n = g_mime_multipart_get_count(GMIME_MULTIPART(g));

		assert_int_equal(p->kind, MIME_MULTIPART);
		assert_int_equal(p->n_children, n);
		for (int i = 0; i < n; i++, c = c->next)
			entity(r, c, g_mime_multipart_get_part(
			    GMIME_MULTIPART(g), i), NULL);
	} else if (GMIME_IS_MESSAGE_PART(g)) {
		assert_int_equal(p->kind, MIME_MESSAGE);
		message(r, p->child, g_mime_message_part_get_message(
		    GMIME_MESSAGE_PART(g)));
	} else {
		assert_int_equal(p->kind, MIME_LEAF);
		leaf(r, p, GMIME_PART(g));
		text(r, p, GMIME_PART(g));
	}
}

static void
message(const struct run *r, const struct mime_part *p, GMimeMessage *g)
{
	assert_non_null(p->env);
	envelope(r, p->env, g);
	entity(r, p, g_mime_message_get_mime_part(g), g);
}

static void
one(unsigned n, struct slice raw)
{
	struct run r = { raw, arena_new(0), n };
	GMimeStream *mem = g_mime_stream_mem_new_with_buffer(raw.p, raw.n);
	GMimeParser *parser = g_mime_parser_new_with_stream(mem);
	GMimeMessage *g = g_mime_parser_construct_message(parser, NULL);
	struct mime_msg *m;

	assert_non_null(g);
	mime_parse(raw, NULL, r.a, &m);
	message(&r, m->root, g);
	g_object_unref(g);
	g_object_unref(parser);
	g_object_unref(mem);
	arena_free(&r.a);
}

static void
corpus(uint64_t seed, uint32_t median, bool small)
{
	struct corpus_conf cf = { .seed = seed, .median = median,
	    .max = 100000, .small = small };
	struct corpus *c = corpus_new(&cf);
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	for (unsigned i = 1; i <= MESSAGES; i++) {
		buf_reset(&b);
		assert_int_equal(corpus_next(c, &b), 0);
		one(i, buf_slice(&b));
	}
	buf_release(&b);
	corpus_free(&c);
}

static void
test_ordinary(void **state)
{
	(void)state;
	corpus(1, 6000, false);
}

static void
test_complex(void **state)
{
	(void)state;
	corpus(7, 20000, false);
}

static void
test_small(void **state)
{
	(void)state;
	corpus(2, 0, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_complex),
		cmocka_unit_test(test_small),
	};

	g_mime_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
