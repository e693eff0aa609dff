/* libbase/time.c - dates without the C library's zones */
#include "config.h"

#include "libbase/text.h"

/* Counts from 1 March of year 0, so that the leap day is a year's last. */
int64_t
time_days(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
time_civil(int64_t days, int *year_r, int *month_r, int *day_r)
{
	/* Years which an int holds. */
	int64_t most = INT64_C(146097) * 5000000;
	int64_t z = (days > most ? most : days < -most ? -most : days) + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day_r = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month_r = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year_r = (int)(yoe + era * 400 + (*month_r <= 2));
}

bool
time_date_ok(int year, int month, int day)
{
	static const int len[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return year >= 0 && year <= 9999 && month >= 1 && month <= 12 &&
	    day >= 1 && day <= len[month - 1] + (month == 2 && leap);
}

int64_t
time_day(int64_t t, int *second_r)
{
	int64_t day = t / 86400 - (t % 86400 < 0);

	if (second_r != NULL)
		*second_r = (int)(t % 86400 + (t % 86400 < 0 ? 86400 : 0));
	return day;
}

int
time_rfc3339(struct buf *out, int64_t t)
{
	int64_t days;
	int year, month, day, s;

	/* Years 0000 to 9999 are what the form can carry. */
	if (t < INT64_C(-62167219200))
		t = INT64_C(-62167219200);
	if (t > INT64_C(253402300799))
		t = INT64_C(253402300799);
	days = time_day(t, &s);
	time_civil(days, &year, &month, &day);
	return buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
	    day, s / 3600, s / 60 % 60, s % 60);
}

/* n decimal digits at the front of *s. */
static int
digits(struct slice *s, size_t n, int *v_r)
{
	uint64_t v;

	if (s->n < n || slice_uint(slice_make(s->p, n), 9999, &v) < 0)
		return -1;
	*v_r = (int)v;
	s->p += n;
	s->n -= n;
	return 0;
}

static int
mark(struct slice *s, const char *any)
{
	if (s->n == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL)
		return -1;
	s->p++;
	s->n--;
	return s->p[-1];
}

int
time_rfc3339_parse(struct slice s, int64_t *t_r, int *off_min_r)
{
	int y, mo, d, h, mi, sec, oh = 0, om = 0, sign;

	if (digits(&s, 4, &y) < 0 || mark(&s, "-") < 0 ||
	    digits(&s, 2, &mo) < 0 || mark(&s, "-") < 0 ||
	    digits(&s, 2, &d) < 0 || mark(&s, "Tt") < 0 ||
	    digits(&s, 2, &h) < 0 || mark(&s, ":") < 0 ||
	    digits(&s, 2, &mi) < 0 || mark(&s, ":") < 0 ||
	    digits(&s, 2, &sec) < 0)
		return -1;
	if (s.n > 0 && s.p[0] == '.') {
		size_t n = 1;

		while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
			n++;
		if (n == 1)
			return -1;
		s = slice_make(s.p + n, s.n - n);
	}
	if ((sign = mark(&s, "Zz+-")) < 0)
		return -1;
	if (sign == '+' || sign == '-') {
		if (digits(&s, 2, &oh) < 0 || mark(&s, ":") < 0 ||
		    digits(&s, 2, &om) < 0)
			return -1;
	}
	if (s.n > 0 || !time_date_ok(y, mo, d) || h > 23 || mi > 59 ||
	    sec > 60 || oh > 23 || om > 59)
		return -1;
	om = (oh * 60 + om) * (sign == '-' ? -1 : 1);
	*t_r = time_days(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec -
	    (int64_t)om * 60;
	if (off_min_r != NULL)
		*off_min_r = om;
	return 0;
}

int64_t
time_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
