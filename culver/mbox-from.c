/* culver/mbox-from.c - From_ lines and the dates in them */
#include "config.h"

#include "culver/mbox.h"
#include "libbase/text.h"

enum { FROM_MAX = 1024, TOKENS = 32 };

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char weekdays[] = "sunmontuewedthufrisat";

struct fromdate {
	int year, month, day, hour, min, sec, off;
	bool have_year;
};

/* The number of a three-letter name, from 0; -1. */
static int
name3(const char *table, struct slice s)
{
	char low[3];

	if (s.n != 3)
		return -1;
	for (int i = 0; i < 3; i++) {
		low[i] = s.p[i];
		if (low[i] >= 'A' && low[i] <= 'Z')
			low[i] = (char)(low[i] - 'A' + 'a');
	}
	for (int i = 0; table[i]; i += 3) {
		if (memcmp(table + i, low, 3) == 0)
			return i / 3;
	}
	return -1;
}

static int
number(struct slice s, size_t min_digits, size_t max_digits, int max)
{
	uint64_t v;

	if (s.n < min_digits || s.n > max_digits ||
	    slice_uint(s, (uint64_t)max, &v) < 0)
		return -1;
	return (int)v;
}

/* "10:00:00" or "10:00" */
static bool
clock_time(struct slice s, struct fromdate *d)
{
	if (s.n < 4 || s.n > 8)
		return false;
	for (size_t i = 0, start = 0, part = 0; i <= s.n; i++) {
		int v;

		if (i < s.n && s.p[i] != ':')
			continue;
		v = number(slice_make(s.p + start, i - start), 1, 2,
		    part == 0 ? 23 : part == 1 ? 59 : 60);
		if (v < 0 || part > 2)
			return false;
		if (part == 0)
			d->hour = v;
		else if (part == 1)
			d->min = v;
		else
			d->sec = v;
		part++;
		start = i + 1;
		if (i == s.n && part < 2)
			return false;
	}
	return true;
}

/* A zone's offset in minutes; unknown names are UTC.  False: not a zone. */
static bool
zone(struct slice s, int *off_r)
{
	static const struct { const char *name; int hours; } names[] = {
		{ "UT", 0 }, { "UTC", 0 }, { "GMT", 0 }, { "EST", -5 },
		{ "EDT", -4 }, { "CST", -6 }, { "CDT", -5 }, { "MST", -7 },
		{ "MDT", -6 }, { "PST", -8 }, { "PDT", -7 }, { "CET", 1 },
		{ "CEST", 2 }, { "MET", 1 }, { "MEST", 2 }, { "BST", 1 },
	};
	int h, m;

	if (s.n == 5 && (s.p[0] == '+' || s.p[0] == '-')) {
		h = number(slice_make(s.p + 1, 2), 2, 2, 23);
		m = number(slice_make(s.p + 3, 2), 2, 2, 59);
		if (h < 0 || m < 0)
			return false;
		*off_r = (h * 60 + m) * (s.p[0] == '-' ? -1 : 1);
		return true;
	}
	if (s.n < 1 || s.n > 5)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	}
	*off_r = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_eq(slice_str(names[i].name), s))
			*off_r = names[i].hours * 60;
	}
	return true;
}

static bool
year(struct slice s, struct fromdate *d)
{
	int v = number(s, 4, 4, 9999);

	if (v < 1900 && s.n == 2) {
		v = number(s, 2, 2, 99);
		v += v < 0 ? 0 : v < 70 ? 2000 : 1900;
	}
	if (v < 1900)
		return false;
	d->year = v;
	d->have_year = true;
	return true;
}

/* "Sun Nov 22 10:00:00 [zone] 2026 [zone]", from the weekday on. */
static bool
asctime_like(const struct slice *t, size_t n, struct fromdate *d)
{
	if (n < 5 || name3(weekdays, t[0]) < 0)
		return false;
	d->month = name3(months, t[1]) + 1;
	d->day = number(t[2], 1, 2, 31);
	if (d->month < 1 || d->day < 1 || !clock_time(t[3], d))
		return false;
	for (size_t i = 4; i < n && i < 7; i++) {
		if (!d->have_year && year(t[i], d))
			continue;
		if (!zone(t[i], &d->off))
			break;
	}
	return d->have_year;
}

/* "Sun, 22 Nov 2026 10:00:00 +0000" */
static bool
rfc822_like(const struct slice *t, size_t n, struct fromdate *d)
{
	struct slice wd = t[0];

	if (n < 5)
		return false;
	if (wd.n == 4 && wd.p[3] == ',')
		wd.n = 3;
	if (name3(weekdays, wd) < 0)
		return false;
	d->day = number(t[1], 1, 2, 31);
	d->month = name3(months, t[2]) + 1;
	if (d->month < 1 || d->day < 1 || !year(t[3], d) ||
	    !clock_time(t[4], d))
		return false;
	if (n > 5)
		(void)zone(t[5], &d->off);
	return true;
}

static size_t
split(struct slice s, struct slice *t)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < TOKENS;) {
		size_t start;

		while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
			i++;
		start = i;
		while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t')
			i++;
		if (i > start)
			t[n++] = slice_make(s.p + start, i - start);
	}
	return n;
}

bool
mbox_from_line(struct slice line, int64_t *date_r)
{
	struct slice t[TOKENS];
	size_t n;

	if (line.n > FROM_MAX || !slice_starts(line, SLICE_LIT("From ")))
		return false;
	n = split(slice_trim(slice_make(line.p + 5, line.n - 5)), t);
	for (size_t i = 0; i + 5 <= n; i++) {
		struct fromdate d = { 0 };

		if (!asctime_like(t + i, n - i, &d)) {
			d = (struct fromdate){ 0 };
			if (!rfc822_like(t + i, n - i, &d))
				continue;
		}
		if (!time_date_ok(d.year, d.month, d.day))
			continue;
		*date_r = time_days(d.year, d.month, d.day) * 86400 +
		    d.hour * 3600 + d.min * 60 + d.sec - d.off * 60;
		return true;
	}
	return false;
}
