/*
 * t/fuzz/fuzz-mime-header.c - any octets as header fields and their values
 *
 * Texts come out as UTF-8 without line ends, lists have their groups closed,
 * dates are within the calendar, fields are in the header one after another.
 */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libmime/mime.h"
#include "t/fuzz/fuzz.h"

static bool
has(struct slice s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

static void
texts(struct slice in, struct arena *a)
{
	struct slice s = mime_unfold(a, in), octets, nfc;

	FUZZ_CHECK(s.n <= in.n);
	FUZZ_CHECK(!has(s, '\r') && !has(s, '\n') && !has(s, '\0'));
	s = mime_text(a, in);
	FUZZ_CHECK(utf8_valid(s));
	FUZZ_CHECK(!has(s, '\r') && !has(s, '\n') && !has(s, '\0'));
	s = mime_text_octets(a, in, &octets);
	FUZZ_CHECK(utf8_valid(s));
	FUZZ_CHECK(utf8_nfc(s, a, &nfc) == 0 && slice_eq(nfc, mime_text(a, in)));
	FUZZ_CHECK(octets.p == NULL || octets.n <= in.n);
	s = mime_words_decode(a, in);
	FUZZ_CHECK(utf8_valid(s));
	FUZZ_CHECK(!has(s, '\r') && !has(s, '\n') && !has(s, '\0'));
	s = mime_base_subject(in, a, NULL);
	FUZZ_CHECK(utf8_valid(s));
	FUZZ_CHECK(s.n == 0 || (s.p[0] != ' ' && s.p[s.n - 1] != ' '));
}

static void
params(struct slice in, struct arena *a)
{
	struct mime_param *p;
	struct slice value;
	uint32_t n;

	mime_params_parse(in, 8, a, &value, &p, &n);
	FUZZ_CHECK(n <= 8);
	FUZZ_CHECK(!has(value, ';'));
	for (uint32_t i = 0; i < n; i++) {
		FUZZ_CHECK(p[i].name.n > 0 && p[i].value.p != NULL);
		FUZZ_CHECK(!has(p[i].value, '\n') || p[i].encoded);
		FUZZ_CHECK(!p[i].encoded || utf8_valid(p[i].value));
		for (uint32_t k = 0; k < i; k++)
			FUZZ_CHECK(!slice_ieq(p[i].name, p[k].name));
	}
}

static void
addrs(struct slice in, uint32_t max, struct arena *a)
{
	struct mime_addrs l;
	bool in_group = false;

	mime_addrs_parse(in, max, a, &l);
	FUZZ_CHECK(l.n <= max && l.last == 0 && l.present);
	for (uint32_t i = 0; i < l.n; i++) {
		const struct mime_addr *ad = &l.a[i];

		if (ad->kind != MIME_ADDR) {
			FUZZ_CHECK(in_group == (ad->kind == MIME_ADDR_GROUP_END));
			in_group = !in_group;
			continue;
		}
		FUZZ_CHECK(ad->mailbox.p != NULL && ad->domain.p != NULL);
		FUZZ_CHECK(!has(ad->name, '\r') && !has(ad->name, '\n') &&
		    !has(ad->name, '\0'));
		FUZZ_CHECK(!has(ad->mailbox, '\n') && !has(ad->domain, '\n'));
		FUZZ_CHECK(!has(ad->mailbox, '\0') && !has(ad->domain, '\0'));
		mime_addr_email(ad, a);
	}
	FUZZ_CHECK(!in_group);
}

static void
others(struct slice in, struct arena *a)
{
	struct mime_date d = mime_date_parse(in);
	struct slice *ids;
	uint32_t n;
	int y, m, day;

	if (d.ok) {
		time_civil((d.t + d.offset_min * 60 - 1) / 86400, &y, &m, &day);
		FUZZ_CHECK(y >= -1 && y <= 10000);
		FUZZ_CHECK(d.offset_min > -1440 && d.offset_min < 1440);
	}
	mime_msgids_parse(in, 3, a, &ids, &n);
	FUZZ_CHECK(n <= 3);
	for (uint32_t i = 0; i < n; i++)
		FUZZ_CHECK(ids[i].n > 0 && !has(ids[i], '\n') &&
		    !has(ids[i], '<') && !has(ids[i], ' '));
}

static void
fields(struct slice in, struct arena *a)
{
	struct mime_fields it;
	struct mime_field f, g;
	const char *at = in.p;
	struct slice names[1];
	struct buf out;
	size_t all = 0, n = 0;

	(void)a;
	mime_fields_init(&it, in);
	while (mime_fields_next(&it, &f) == 1) {
		FUZZ_CHECK(f.raw.p >= at);
		at = f.raw.p + f.raw.n;
		FUZZ_CHECK(at <= in.p + in.n);
		FUZZ_CHECK(f.name.p == f.raw.p && f.name.n > 0);
		FUZZ_CHECK(f.value.p > f.name.p &&
		    f.value.p + f.value.n <= at);
		all += f.raw.n + (at[-1] != '\n' ? 2 : 0);
		if (n++ == 0)
			names[0] = f.name;
	}
	buf_init(&out, SIZE_MAX / 2);
	FUZZ_CHECK(mime_header_filter(in, names, 0, true, &out) == 0);
	FUZZ_CHECK(out.n == all + 2);
	if (n > 0) {
		size_t with;

		buf_reset(&out);
		FUZZ_CHECK(mime_header_filter(in, names, 1, false, &out) == 0);
		with = out.n - 2;
		buf_reset(&out);
		FUZZ_CHECK(mime_header_filter(in, names, 1, true, &out) == 0);
		FUZZ_CHECK(with + out.n - 2 == all);
	}
	if (mime_field_find(in, "subject", 0, &f) == 1) {
		FUZZ_CHECK(mime_field_find(in, "subject", -1, &g) == 1);
		FUZZ_CHECK(g.raw.p >= f.raw.p);
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct arena *a = arena_new(0);

	texts(in, a);
	params(in, a);
	addrs(in, 1000, a);
	addrs(in, 3, a);
	others(in, a);
	fields(in, a);
	arena_free(&a);
	return 0;
}
