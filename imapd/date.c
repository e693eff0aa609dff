/* imapd/date.c - dates in commands */
#include "config.h"

#include "imapd/date.h"
#include "libbase/text.h"

/* n digits at the front of s, which is cut. */
static int
digits(struct slice *s, size_t n, int *v_r)
{
	uint64_t v;

	if (s->n < n || slice_uint(slice_make(s->p, n), 9999, &v) < 0)
		return -1;
	*s = slice_make(s->p + n, s->n - n);
	*v_r = (int)v;
	return 0;
}

static int
letter(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return -1;
	*s = slice_make(s->p + 1, s->n - 1);
	return 0;
}

/* "-Jul-1996" */
static int
month_year(struct slice *s, int *m_r, int *y_r)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (letter(s, '-') < 0 || s->n < 3)
		return -1;
	for (*m_r = 1; *m_r <= 12; (*m_r)++)
		if (slice_ieq(slice_make(s->p, 3),
		    slice_make(names + (*m_r - 1) * 3, 3)))
			break;
	*s = slice_make(s->p + 3, s->n - 3);
	return *m_r > 12 || letter(s, '-') < 0 ? -1 : digits(s, 4, y_r);
}

int
imap_date(struct slice s, int64_t *days_r)
{
	size_t n = s.n > 1 && s.p[1] >= '0' && s.p[1] <= '9' ? 2 : 1;
	int d, m, y;

	if (digits(&s, n, &d) < 0 || month_year(&s, &m, &y) < 0 || s.n > 0 ||
	    !time_date_ok(y, m, d))
		return -1;
	*days_r = time_days(y, m, d);
	return 0;
}

int
imap_date_time(struct slice s, int64_t *t_r)
{
	size_t n = s.n > 0 && s.p[0] == ' ' ? 1 : 2;
	int d, m, y, hour, min, sec, zone, sign;

	if (n == 1)
		s = slice_make(s.p + 1, s.n - 1);
	if (digits(&s, n, &d) < 0 || month_year(&s, &m, &y) < 0 ||
	    letter(&s, ' ') < 0 || digits(&s, 2, &hour) < 0 ||
	    letter(&s, ':') < 0 || digits(&s, 2, &min) < 0 ||
	    letter(&s, ':') < 0 || digits(&s, 2, &sec) < 0 ||
	    letter(&s, ' ') < 0)
		return -1;
	sign = letter(&s, '-') == 0 ? -1 : 1;
	if (sign > 0 && letter(&s, '+') < 0)
		return -1;
	if (digits(&s, 4, &zone) < 0 || s.n > 0 || !time_date_ok(y, m, d) ||
	    hour > 23 || min > 59 || sec > 60 || zone % 100 > 59)
		return -1;
	*t_r = time_days(y, m, d) * 86400 + hour * 3600 + min * 60 + sec -
	    (int64_t)sign * (zone / 100 * 60 + zone % 100) * 60;
	return 0;
}
