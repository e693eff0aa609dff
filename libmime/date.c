/* libmime/date.c - dates in header fields, RFC 5322 3.3 and what is seen */
#include "config.h"

#include "libbase/text.h"
#include "libmime/mime-int.h"

struct parts {
	int year, month, day;		/* -1: not seen */
	int hour, min, sec;
	bool zone, numeric_zone, pm, am;
	int offset;			/* minutes */
};

static int
month_of(struct slice w)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	if (w.n < 3)
		return -1;
	for (int i = 0; i < 12; i++)
		if (mime_lower(w.p[0]) == (unsigned char)names[i * 3] &&
		    mime_lower(w.p[1]) == (unsigned char)names[i * 3 + 1] &&
		    mime_lower(w.p[2]) == (unsigned char)names[i * 3 + 2])
			return i + 1;
	return -1;
}

/* RFC 5322 4.3; other names are as -0000. */
static int
zone_of(struct slice w)
{
	static const struct {
		const char *name;
		int hours;
	} t[] = {
		{ "est", -5 }, { "edt", -4 }, { "cst", -6 }, { "cdt", -5 },
		{ "mst", -7 }, { "mdt", -6 }, { "pst", -8 }, { "pdt", -7 }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (mime_is(w, t[i].name))
			return t[i].hours * 60;
	return 0;
}

static void
take_word(struct parts *d, struct slice w)
{
	int m = month_of(w);

	if (m > 0 && d->month < 0) {
		d->month = m;
	} else if (mime_is(w, "pm") || mime_is(w, "am")) {
		d->pm = mime_is(w, "pm");
		d->am = !d->pm;
	} else if (d->hour >= 0 && !d->zone) {
		d->zone = true;
		d->offset = zone_of(w);
	}
}

/* "+hhmm" or "+hh:mm"; the sign is at p. */
static const char *
take_zone(struct parts *d, const char *p, const char *end)
{
	int sign = *p == '-' ? -1 : 1, v = 0, n = 0;

	for (p++; p < end && n < 4 && ((*p >= '0' && *p <= '9') ||
	    (*p == ':' && n == 2)); p++) {
		if (*p == ':')
			continue;
		v = v * 10 + (*p - '0');
		n++;
	}
	if (n <= 2)
		v *= 100;
	if (n == 3 || v % 100 > 59 || v > 2359)
		v = 0;
	d->offset = sign * (v / 100 * 60 + v % 100);
	d->zone = d->numeric_zone = true;
	return p;
}

static const char *
number(const char *p, const char *end, int *v_r, int *digits_r)
{
	int v = 0, n = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++, n++)
		if (v < 100000)
			v = v * 10 + (*p - '0');
	*v_r = v;
	*digits_r = n;
	return p;
}

/* "hh:mm[:ss[.frac]]", the hour is read; blanks may be around the colons. */
static const char *
take_time(struct parts *d, const char *p, const char *end, int hour)
{
	int n;

	d->hour = hour;
	d->min = d->sec = 0;
	for (int i = 0; i < 2; i++) {
		const char *q = p;

		mime_skip_cfws(&q, end);
		if (q == end || (*q != ':' && *q != '.'))
			break;
		q++;
		mime_skip_cfws(&q, end);
		if (q == end || *q < '0' || *q > '9')
			break;
		p = number(q, end, i == 0 ? &d->min : &d->sec, &n);
	}
	if (end - p > 1 && *p == '.')
		p = number(p + 1, end, &hour, &n);
	return p;
}

/* RFC 5322 4.3: years of two and three digits. */
static int
full_year(int v, int digits)
{
	if (digits == 2)
		return v < 50 ? v + 2000 : v + 1900;
	return digits == 3 ? v + 1900 : v;
}

static const char *
take_number(struct parts *d, const char *p, const char *end)
{
	int v, n;
	const char *q;

	p = number(p, end, &v, &n);
	q = p;
	mime_skip_cfws(&q, end);
	if (q < end && *q == ':' && d->hour < 0)
		return take_time(d, q, end, v);
	if (n == 4 && d->day < 0 && d->month < 0 && d->year < 0 &&
	    end - p >= 3 && *p == '-' && p[1] >= '0' && p[1] <= '9') {
		d->year = v;				/* ISO 8601 */
		p = number(p + 1, end, &d->month, &n);
		if (p < end && *p == '-')
			p = number(p + 1, end, &d->day, &n);
		return end - p > 1 && (*p == 'T' || *p == 't') ? p + 1 : p;
	}
	if (d->day < 0 && n <= 2)
		d->day = v;
	else if (d->year < 0 && n >= 2)
		d->year = full_year(v, n);
	return p;
}

static void
scan(struct parts *d, const char *p, const char *end)
{
	while (p < end) {
		const char *q;

		mime_skip_cfws(&p, end);
		if (p == end)
			return;
		for (q = p; q < end && mime_lower(*q) >= 'a' &&
		    mime_lower(*q) <= 'z'; )
			q++;
		if (q > p) {
			take_word(d, slice_make(p, (size_t)(q - p)));
			p = q;
		} else if (*p >= '0' && *p <= '9') {
			p = take_number(d, p, end);
		} else if ((*p == '+' || *p == '-') && d->hour >= 0 &&
		    !d->numeric_zone && end - p > 1 && p[1] >= '0' &&
		    p[1] <= '9') {
			p = take_zone(d, p, end);
		} else {
			p++;
		}
	}
}

struct mime_date
mime_date_parse(struct slice value)
{
	struct parts d = { -1, -1, -1, -1, 0, 0, false, false, false, false, 0 };
	struct mime_date r = { 0 };

	if (value.n > 256)
		value.n = 256;
	if (value.n > 0)
		scan(&d, value.p, value.p + value.n);
	if (d.year < 0 || d.month < 0 || d.day < 0 || d.year > 9999 ||
	    !time_date_ok(d.year, d.month, d.day))
		return r;
	if (d.hour < 0)
		d.hour = 0;
	if (d.pm && d.hour < 12)
		d.hour += 12;
	else if (d.am && d.hour == 12)
		d.hour = 0;
	if (d.hour > 23 || d.min > 59 || d.sec > 60)
		return r;
	r.ok = true;
	r.offset_min = (int16_t)d.offset;
	r.t = time_days(d.year, d.month, d.day) * 86400 + d.hour * 3600 +
	    d.min * 60 + d.sec - (int64_t)d.offset * 60;
	return r;
}
