/* bench/corpus-text.c - names, words, dates and encodings for made-up mail */
#include "config.h"

#include <iconv.h>
#include <string.h>

#include "bench/corpus-int.h"
#include "libbase/log.h"
#include "libbase/text.h"

#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

static const char *const names[] = {
	"Ada Berg", "Bruno Castro", "Clara Dietz", "Dimitri Egorov",
	"Elsa Fontaine", "Farid Ghali", "Greta Holm", "Hugo Ibarra",
	"Ines Jansen", "Jakub Kowal", "Kaya Lindt", "Leo Marsh",
	"Mina Noor", "Nils Olsen", "Olga Petrova", "Pablo Quiroga"
};
static const char *const hosts[] = {
	"post.example.com", "mx2.example.net", "relay1.example.org",
	"smtp-out.bench.test", "gate.example.edu", "edge-7.example.com"
};
static const char *const topics[] = {
	"Minutes of Tuesday", "Order confirmation", "New timetable",
	"Nightly build broken", "Hotel for the fair", "Draft agreement",
	"About your question", "Review of the change", "Coffee machine",
	"Month in numbers", "Moving the server", "Summer party"
};
static const char *const words[] = {
	"about", "after", "again", "all", "along", "and", "any", "are", "as",
	"at", "back", "be", "before", "between", "both", "but", "by", "call",
	"change", "check", "close", "coming", "could", "copy", "day", "did",
	"each", "early", "even", "every", "file", "first", "for", "form",
	"from", "give", "good", "group", "had", "has", "have", "here", "him",
	"how", "if", "in", "into", "is", "it", "its", "just", "keep", "know",
	"last", "late", "letter", "like", "line", "list", "long", "look",
	"made", "make", "many", "may", "more", "most", "must", "name", "need",
	"new", "next", "no", "not", "note", "now", "number", "of", "off", "on",
	"one", "only", "open", "or", "order", "other", "our", "out", "over",
	"page", "part", "people", "place", "plan", "please", "point", "price",
	"project", "put", "question", "read", "reply", "room", "said", "same",
	"see", "send", "set", "she", "should", "small", "so", "some", "state",
	"still", "such", "table", "take", "team", "than", "that", "the",
	"their", "them", "then", "there", "these", "they", "thing", "think",
	"this", "time", "to", "today", "too", "two", "under", "until", "up",
	"use", "very", "was", "way", "we", "week", "well", "were", "what",
	"when", "where", "which", "while", "who", "will", "with", "word",
	"work", "would", "write", "year", "you", "your"
};
static const struct corpus_intl intl[] = {
	{ "utf-8", "Grüße vom Bodensee" }, { "utf-8", "Zażółć gęślą jaźń" },
	{ "utf-8", "夏祭りのご案内" }, { "utf-8", "Добрый вечер, коллеги" },
	{ "utf-8", "Καλημέρα σε όλους" }, { "utf-8", "Fête d'été 🎉 à Nîmes" },
	{ "utf-8", "שלום לכולם" }, { "utf-8", "نتائج الاجتماع" },
	{ "iso-8859-1", "Größe und Maß" }, { "iso-8859-1", "Mañana será otro día" },
	{ "iso-8859-1", "Brød på bordet" }, { "iso-8859-15", "Prix: 25 €, œuvre" },
	{ "windows-1252", "“Quoted” – déjà vu…" },
	{ "iso-8859-2", "Příliš žluťoučký kůň" },
	{ "koi8-r", "Расписание на неделю" }, { "windows-1251", "Отчёт готов" },
	{ "iso-2022-jp", "打ち合わせの件" }, { "iso-2022-jp", "新しい予定です" },
	{ "shift_jis", "請求書を送ります" }, { "euc-kr", "회의 일정 안내" },
	{ "gb2312", "关于会议的通知" }, { "big5", "會議通知" }
};

uint64_t
corpus_rand(struct corpus_rand *r)
{
	uint64_t z = r->s += UINT64_C(0x9e3779b97f4a7c15);	/* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t
corpus_below(struct corpus_rand *r, uint32_t n)
{
	return (uint32_t)((corpus_rand(r) >> 32) * n >> 32);
}

bool
corpus_chance(struct corpus_rand *r, uint32_t permille)
{
	return corpus_below(r, 1000) < permille;
}

uint32_t
corpus_size(struct corpus_rand *r, uint32_t median)
{
	int64_t z = 0;	/* about normal; the deviation is 65536 */
	uint64_t v;

	for (int i = 0; i < 12; i++)
		z += corpus_below(r, 65536);
	z -= 6 * 65536;
	/* median * 2^(1.7 z), the fraction of the power as a line; integers
	 * only, so that it is the same everywhere. */
	z = z * 17 / 10 + 20 * 65536;
	v = ((uint64_t)median << 8) * (65536 + (uint64_t)(z & 65535)) >> 16;
	v = z >= 20 * 65536 ? v << (z / 65536 - 20) : v >> (20 - z / 65536);
	v >>= 8;
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

const char *
corpus_name(struct corpus_rand *r)
{
	return names[corpus_below(r, COUNT(names))];
}

const char *
corpus_host(struct corpus_rand *r)
{
	return hosts[corpus_below(r, COUNT(hosts))];
}

const char *
corpus_topic(struct corpus_rand *r)
{
	return topics[corpus_below(r, COUNT(topics))];
}

const struct corpus_intl *
corpus_intl(struct corpus_rand *r)
{
	return &intl[corpus_below(r, COUNT(intl))];
}

void
corpus_line(struct corpus_rand *r, unsigned n, struct buf *out)
{
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(out, ' ');
		buf_add_str(out, words[corpus_below(r, COUNT(words))]);
	}
}

void
corpus_words(struct corpus_rand *r, size_t size, struct buf *out)
{
	size_t end = out->n + size;

	while (out->n < end && !out->overflow) {
		corpus_line(r, 6 + corpus_below(r, 8), out);
		buf_add_str(out, corpus_chance(r, 120) ? "\r\n\r\n" : "\r\n");
	}
}

void
corpus_date(int64_t t, unsigned style, struct buf *out)
{
	static const char wday[] = "ThuFriSatSunMonTueWed";
	static const char mon[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const struct {
		const char *name;
		int minutes;
	} zones[] = {
		{ "+0000", 0 }, { "+0200", 120 }, { "-0700", -420 },
		{ "GMT", 0 }, { "EST", -300 }, { "+0530", 330 }
	};
	int64_t local = t + zones[style % 6].minutes * 60, days = local / 86400;
	int y, m, d, s = (int)(local % 86400);

	time_civil(days, &y, &m, &d);
	buf_printf(out, "%.3s, %d %.3s %d %02d:%02d:%02d %s%s",
	    wday + days % 7 * 3, d, mon + (m - 1) * 3, y, s / 3600,
	    s / 60 % 60, s % 60, zones[style % 6].name,
	    style / 6 % 4 == 3 ? " (local time)" : "");
}

void
corpus_convert(const char *charset, struct slice s, struct buf *out)
{
	iconv_t cd = iconv_open(charset, "UTF-8");
	char *in = (char *)(uintptr_t)s.p, *to = buf_reserve(out, s.n * 3 + 16);
	size_t left = s.n, room = s.n * 3 + 16, before = room;

	if (cd == (iconv_t)-1 || to == NULL)
		fatal("corpus: no conversion to %s", charset);
	if (iconv(cd, &in, &left, &to, &room) == (size_t)-1 ||
	    iconv(cd, NULL, NULL, &to, &room) == (size_t)-1)
		fatal("corpus: text not in %s", charset);
	out->n += before - room;
	iconv_close(cd);
}

void
corpus_encoded_word(struct corpus_rand *r, const struct corpus_intl *t,
    struct buf *out)
{
	struct buf raw;

	buf_init(&raw, 4096);
	corpus_convert(t->charset, slice_str(t->text), &raw);
	if (corpus_chance(r, 500)) {
		buf_printf(out, "=?%s?B?", t->charset);
		base64_encode(out, buf_slice(&raw));
	} else {
		buf_printf(out, "=?%s?q?", t->charset);
		for (size_t i = 0; i < raw.n; i++) {
			unsigned char c = (unsigned char)raw.p[i];

			if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z'))
				buf_addc(out, (char)c);
			else if (c == ' ')
				buf_addc(out, '_');
			else
				buf_printf(out, "=%02X", c);
		}
	}
	buf_add_str(out, "?=");
	buf_release(&raw);
}

void
corpus_base64(struct slice s, struct buf *out)
{
	while (s.n > 0) {
		size_t n = s.n < 57 ? s.n : 57;

		base64_encode(out, slice_make(s.p, n));
		buf_add_str(out, "\r\n");
		s.p += n;
		s.n -= n;
	}
}

void
corpus_qp(struct slice s, struct buf *out)
{
	unsigned col = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool end = s.n - i > 1 && s.p[i + 1] == '\r';

		if (c == '\r' && s.n - i > 1 && s.p[i + 1] == '\n') {
			buf_add_str(out, "\r\n");
			col = 0;
			i++;
			continue;
		}
		if (col > 72) {
			buf_add_str(out, "=\r\n");
			col = 0;
		}
		if (c == '=' || c >= 127 || c < 32 || (c == ' ' && end)) {
			buf_printf(out, "=%02X", c);
			col += 3;
		} else {
			buf_addc(out, (char)c);
			col++;
		}
	}
}

void
corpus_noise(struct corpus_rand *r, size_t n, struct buf *out)
{
	while (n > 0) {
		uint64_t v = corpus_rand(r);
		size_t k = n < sizeof(v) ? n : sizeof(v);

		for (size_t i = 0; i < k; i++, v >>= 8)
			buf_addc(out, (char)(v & 0xff));
		n -= k;
	}
}
