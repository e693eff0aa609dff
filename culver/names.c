/* culver/names.c - the accounts that a command is about, and moments */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "culver/culver.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"

void
names_add(struct names *l, const char *name, size_t len)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = xstrndup(name, len);
}

void
names_release(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		xfree(l->v[i]);
	xfree(l->v);
	*l = (struct names){ NULL, 0, 0 };
}

int
names_given(struct names *l, const char *const *v, size_t n)
{
	int code = 0;

	for (size_t i = 0; i < n; i++) {
		char *name = account_name(slice_str(v[i]));

		if (name)
			names_add(l, name, strlen(name));
		else
			code = EXIT_PERM;
		xfree(name);
	}
	return code;
}

static void
add_dir(void *arg, const char *name)
{
	names_add(arg, name, strlen(name));
}

static int
add_login(void *arg, const struct passwd_entry *e)
{
	if (e->alias_of.n == 0)
		names_add(arg, e->name.p, e->name.n);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
unique(struct names *l)
{
	size_t k = 0;

	if (l->n == 0)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_name);
	for (size_t i = 1; i < l->n; i++) {
		if (strcmp(l->v[k], l->v[i]) == 0)
			xfree(l->v[i]);
		else
			l->v[++k] = l->v[i];
	}
	l->n = k + 1;
}

int
names_all(struct culver *c, bool logins, struct names *l)
{
	int rc;

	rc = store_account_list(&c->store_conf, add_dir, l);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return complain_store(c->conf->mail_dir, rc, NULL);
	if (logins) {
		priv_caller();
		rc = passwd_list(c->conf, add_login, l);
		priv_service();
		if (rc < 0 && errno != ENOENT) {
			complain("%s: %s", c->conf->passwd_file,
			    strerror(errno));
			return EXIT_TEMP;
		}
	}
	unique(l);
	return 0;
}

/* n digits of s. */
static bool
digits(struct slice *s, size_t n, int *v_r)
{
	uint64_t v;

	if (s->n < n || slice_uint(slice_make(s->p, n), 9999, &v) < 0)
		return false;
	*s = slice_make(s->p + n, s->n - n);
	*v_r = (int)v;
	return true;
}

static bool
mark(struct slice *s, const char *any)
{
	if (s->n == 0 || strchr(any, s->p[0]) == NULL)
		return false;
	*s = slice_make(s->p + 1, s->n - 1);
	return true;
}

static bool
local_time(struct slice s, int64_t *t_r)
{
	struct tm tm = { .tm_isdst = -1 };
	int y, mo, d, h = 0, mi = 0, sec = 0;
	time_t t;

	if (!digits(&s, 4, &y) || !mark(&s, "-") || !digits(&s, 2, &mo) ||
	    !mark(&s, "-") || !digits(&s, 2, &d) || !time_date_ok(y, mo, d))
		return false;
	if (s.n > 0 && (!mark(&s, "T t") || !digits(&s, 2, &h) ||
	    !mark(&s, ":") || !digits(&s, 2, &mi)))
		return false;
	if (s.n > 0 && (!mark(&s, ":") || !digits(&s, 2, &sec)))
		return false;
	if (s.n > 0 || h > 23 || mi > 59 || sec > 60)
		return false;
	tm.tm_year = y - 1900;
	tm.tm_mon = mo - 1;
	tm.tm_mday = d;
	tm.tm_hour = h;
	tm.tm_min = mi;
	tm.tm_sec = sec;
	if ((t = mktime(&tm)) == (time_t)-1)
		return false;
	*t_r = (int64_t)t;
	return true;
}

int
args_time(const struct opt *o, const char *text, int64_t *t_r)
{
	if (time_rfc3339_parse(slice_str(text), t_r, NULL) == 0 ||
	    local_time(slice_str(text), t_r))
		return 0;
	complain("--%s: a time like 2026-11-23T10:00 or 2026-11-23T10:00:00Z, "
	    "not \"%s\"", o->name, text);
	return -1;
}

void
put_time(int64_t t)
{
	char text[40];
	time_t tt = (time_t)t;
	struct tm tm;

	if (localtime_r(&tt, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm) == 0)
		snprintf(text, sizeof(text), "%lld", (long long)t);
	fputs(text, stdout);
}
