/* bench/store.c - how fast the store is, in mailboxes of several sizes
 *
 * Each row is measured in turn in each account, so that what else the machine
 * does hits all sizes alike; the median is shown, with its target, and how it
 * grows: the exponent of the mailbox's size, by least squares.
 */
#include "config.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/store-int.h"
#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/sys.h"

enum { TIMES_MAX = 101, SIZES_MAX = 8 };

enum unit { MICRO, RATE, OCTETS, COUNT };
enum target {
	NONE,
	AT_MOST,	/* value: in the row's unit */
	AT_LEAST,
	BULK_LOAD,	/* 600 us a 100,000; 12 ms a million */
	TIMES_RAW	/* value times the row raw */
};

static const struct row {
	const char *name;
	bench_fn *fn;
	int times;
	uint32_t least;		/* messages that it needs */
	enum unit unit;
	int flushes;		/* it makes exactly so many; -1: any */
	enum target target;
	double value;
	bench_fn *raw;		/* what the disk alone takes for it */
} rows[] = {
	/* clang-format off */
	{ "raw: 100 octets, fdatasync",	m_raw_100,	41, 0, MICRO, -1,
	    NONE, 0, NULL },
	{ "raw: 20 KB, fdatasync",	m_raw_20k,	41, 0, MICRO, -1,
	    NONE, 0, NULL },
	{ "raw: 20 KB, 8 processes, a file",	m_raw_one,	5, 0, RATE, -1,
	    NONE, 0, NULL },
	{ "raw: 20 KB, 8 processes, 8 files",	m_raw_many,	5, 0, RATE, -1,
	    NONE, 0, NULL },
	{ "open, find INBOX, close",	m_open,		21, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "the same, 100 changes later",	m_reopen,	11, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "heap of an open account",	m_memory,	3, 0, OCTETS, 0,
	    NONE, 0, NULL },
	{ "mailbox get",		m_mailbox,	41, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "load all UIDs and flags",	m_load,		21, 0, MICRO, 0,
	    BULK_LOAD, 0, NULL },
	{ "load the last 100",		m_load_100,	41, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "load what changed: one",	m_load_since,	41, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "a message's facts",		m_info,		41, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "spool 20 KB (hash, parse, zstd)",	m_spool,	21, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "append 20 KB",		m_append,	41, 0, RATE, 1,
	    AT_LEAST, 3500, m_raw_20k },
	{ "append, 8 processes, an account",	m_writers_one,	5, 0, RATE, -1,
	    AT_LEAST, 3500, m_raw_one },
	{ "append, 8 processes, 8 accounts",	m_writers_many,	5, 0, RATE, -1,
	    AT_LEAST, 8000, m_raw_many },
	{ "Email get",			m_email,	41, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "Email's structure",		m_mime,		41, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "one flag",			m_flag,		41, 0, MICRO, 1,
	    TIMES_RAW, 1.3, m_raw_100 },
	{ "10,000 x \\Flagged",	m_flags,	9, BENCH_BULK, MICRO, 1,
	    AT_MOST, 1500, NULL },
	{ "10,000 x \\Seen, threads of 4",	m_flags_seen,	5, BENCH_BULK,
	    MICRO, 1, NONE, 0, NULL },
	{ "expunge of 10,000",		m_expunge,	5, BENCH_BULK, MICRO, 1,
	    AT_MOST, 1500, NULL },
	{ "copy of 1,000",		m_copy,		5, BENCH_COPY, MICRO, 1,
	    NONE, 0, NULL },
	{ "move of 1,000",		m_move,		5, BENCH_COPY, MICRO, 1,
	    NONE, 0, NULL },
	{ "changes: 50 new",		m_changes,	5, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "refresh after a foreign change",	m_refresh,	41, 0, MICRO, 0,
	    NONE, 0, NULL },
	{ "wake-up of a watcher",	m_wake,		41, 0, MICRO, -1,
	    AT_MOST, 1000, NULL },
	{ "wake-ups by one change",	m_wakes,	5, 0, COUNT, -1,
	    NONE, 0, NULL },
	{ "forced upkeep",		m_compact,	3, 0, MICRO, -1,
	    NONE, 0, NULL },
	{ "worst flag beside a compaction",	m_compact_wait,	3, 0, MICRO, -1,
	    AT_MOST, 2000, NULL },
	{ "worst flag without one",	m_compact_none,	3, 0, MICRO, -1,
	    NONE, 0, NULL },
	{ "sweep of 10,000, compaction",	m_sweep,	1, BENCH_BULK,
	    MICRO, -1, NONE, 0, NULL },
	/* clang-format on */
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct result {
	double us[SIZES_MAX];	/* NAN: not measured */
	double raw[SIZES_MAX];	/* the row's raw one, measured in between */
	unsigned flushes;	/* the most that it made */
};

double
bench_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

void
bench_start(struct bench *b)
{
	b->flushes = 0;
	b->begun = bench_us();
}

void
bench_stop(struct bench *b, unsigned times)
{
	b->us = (bench_us() - b->begun) / times;
	b->flushed = b->flushes;
}

static int
count_call(void *arg, enum sys_call c, int fd, size_t *n)
{
	struct bench *b = arg;

	(void)fd;
	(void)n;
	if (c == SYS_FDATASYNC || c == SYS_FSYNC)
		b->flushes++;
	if (c == SYS_PWRITE)
		b->last_write = bench_us();
	return 0;
}

/* ---- measuring --------------------------------------------------------- */

static int
cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *t, int n)
{
	qsort(t, (size_t)n, sizeof(*t), cmp);
	return t[n / 2];
}

/* One time of a row, and of what it is compared with: the disk is not always
 * the same. */
static void
measure_one(struct bench *b, struct bench_account *c, const struct row *r,
    struct result *res, double *t, double *raw)
{
	arena_reset(b->a);
	r->fn(b, c);
	*t = b->us;
	if (r->flushes >= 0 && b->flushed > res->flushes)
		res->flushes = b->flushed;
	if (r->raw != NULL) {
		r->raw(b, c);
		*raw = b->us;
	}
}

static void
measure(struct bench *b, struct bench_account *acct, size_t n,
    const struct row *r, struct result *res)
{
	static double t[SIZES_MAX][TIMES_MAX], raw[SIZES_MAX][TIMES_MAX];

	for (int k = -1; k < r->times; k++)	/* the first warms up */
		for (size_t s = 0; s < n; s++)
			if (acct[s].messages >= r->least)
				measure_one(b, &acct[s], r, res,
				    &t[s][k < 0 ? 0 : k],
				    &raw[s][k < 0 ? 0 : k]);
	for (size_t s = 0; s < n; s++) {
		res->us[s] = res->raw[s] = NAN;
		if (acct[s].messages < r->least)
			continue;
		res->us[s] = median(t[s], r->times);
		if (r->raw != NULL)
			res->raw[s] = median(raw[s], r->times);
	}
}

/* NAN: of fewer than two sizes, or nothing that grows. */
static double
exponent(const struct bench_account *acct, size_t n, const double *us)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, k = 0, d;

	for (size_t s = 0; s < n; s++) {
		double x = log((double)acct[s].messages), y = log(us[s]);

		if (!isfinite(y))
			continue;
		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
		k++;
	}
	d = k * sxx - sx * sx;
	return k < 2 || d <= 0 ? NAN : (k * sxy - sx * sy) / d;
}

/* ---- showing ----------------------------------------------------------- */

static double
shown(const struct row *r, double us)
{
	return r->unit == RATE ? 1e6 / us : us;
}

/* The most that a row may be (the least, of a rate); NAN: anything. */
static double
limit(const struct row *r, const struct result *res, size_t s,
    uint32_t messages)
{
	switch (r->target) {
	case AT_MOST:
	case AT_LEAST:
		return r->value;
	case BULK_LOAD:
		return messages >= 1000000 ? 12e-3 * messages :
		    messages >= 100000 ? 6e-3 * messages : 600;
	case TIMES_RAW:
		return r->value * res[r - rows].raw[s];
	case NONE:
		break;
	}
	return NAN;
}

static const char *
verdict(const struct row *r, const struct result *res, size_t n,
    const struct bench_account *acct)
{
	const struct result *mine = &res[r - rows];
	const char *v = "";

	if (r->flushes >= 0 && mine->flushes != (unsigned)r->flushes)
		return "OVER: flushes";
	for (size_t s = 0; s < n; s++) {
		double l = limit(r, res, s, acct[s].messages);
		double x = shown(r, mine->us[s]);

		if (isnan(l) || isnan(x))
			continue;
		if (r->unit == RATE ? x < l : x > l)
			return "OVER";
		v = "ok";
	}
	return v;
}

static void
print_target(const struct row *r)
{
	char t[24] = "";

	switch (r->target) {
	case AT_MOST:
	case AT_LEAST:
		snprintf(t, sizeof(t), "%s %.0f", r->target == AT_MOST ? "<=" :
		    ">=", r->value);
		break;
	case TIMES_RAW:
		snprintf(t, sizeof(t), "<= %.1f raw", r->value);
		break;
	case BULK_LOAD:
		snprintf(t, sizeof(t), "<= 600/12000");
		break;
	case NONE:
		break;
	}
	printf(" %12s", t);
}

static void
print_head(const struct bench_account *acct, size_t n)
{
	double load[3] = { 0 };

	(void)getloadavg(load, 3);
	printf("load %.2f %.2f %.2f\n%-33s %2s", load[0], load[1], load[2],
	    "median", "");
	for (size_t s = 0; s < n; s++)
		printf(" %8u", acct[s].messages);
	printf(" %6s %6s %12s\n", "grows", "flush", "target");
}

static void
print_row(const struct row *r, const struct result *res,
    const struct bench_account *acct, size_t n)
{
	static const char *const unit[] = { "us", "/s", "B", "" };
	const struct result *mine = &res[r - rows];
	double grows = exponent(acct, n, mine->us);

	printf("%-33s %2s", r->name, unit[r->unit]);
	for (size_t s = 0; s < n; s++)
		if (isnan(mine->us[s]))
			printf(" %8s", "-");
		else
			printf(" %8.*f", r->unit == MICRO || r->unit == COUNT,
			    shown(r, mine->us[s]));
	if (isnan(grows))
		printf(" %6s", "-");
	else
		printf(" %6.2f", grows);
	if (r->flushes >= 0)
		printf(" %6u", mine->flushes);
	else
		printf(" %6s", "");
	print_target(r);
	printf(" %s\n", verdict(r, res, n, acct));
	(void)fflush(stdout);
}

/* How much more than the disk alone. */
static void
print_ratios(const struct result *res, size_t n, const char *only)
{
	printf("time, by that of the disk alone, measured in between\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		if (r->raw == NULL || strstr(r->name, only) == NULL)
			continue;
		printf("%-33s %2s", r->name, "");
		for (size_t s = 0; s < n; s++)
			printf(" %8.2f", res[i].us[s] /
			    res[i].raw[s]);
		printf("\n");
	}
}

/* The bench's own quotes and backslashes are few. */
static void
json_text(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', f);
		putc(*s, f);
	}
	putc('"', f);
}

static void
json_number(FILE *f, double x)
{
	if (isfinite(x))
		fprintf(f, "%.3f", x);
	else
		fprintf(f, "null");
}

static void
write_json(const char *path, const struct result *res,
    const struct bench_account *acct, size_t n, const double load[3])
{
	static const char *const unit[] = { "us", "/s", "octets", "" };
	FILE *f = fopen(path, "we");

	if (f == NULL)
		fatal_perm("%s: can't write it", path);
	fprintf(f, "{\"load\": [%.2f, %.2f, %.2f],\n\"sizes\": [", load[0],
	    load[1], load[2]);
	for (size_t s = 0; s < n; s++)
		fprintf(f, "%s%u", s > 0 ? ", " : "", acct[s].messages);
	fprintf(f, "],\n\"rows\": [");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		fprintf(f, "%s\n{\"name\": ", i > 0 ? "," : "");
		json_text(f, r->name);
		fprintf(f, ", \"unit\": \"%s\", \"median\": [", unit[r->unit]);
		for (size_t s = 0; s < n; s++) {
			fprintf(f, "%s", s > 0 ? ", " : "");
			json_number(f, shown(r, res[i].us[s]));
		}
		fprintf(f, "], \"limit\": [");
		for (size_t s = 0; s < n; s++) {
			fprintf(f, "%s", s > 0 ? ", " : "");
			json_number(f, limit(r, res, s, acct[s].messages));
		}
		fprintf(f, "], \"exponent\": ");
		json_number(f, exponent(acct, n, res[i].us));
		fprintf(f, ", \"verdict\": \"%s\"}", verdict(r, res, n, acct));
	}
	fprintf(f, "\n]}\n");
	if (fclose(f) != 0)
		fatal("%s: can't write it", path);
}

/* ---- the program ------------------------------------------------------- */

static const char usage[] =
    "usage: bench/store [--sizes N,N,...] [--row TEXT] [--engine ENGINE]\n"
    "                   [--json FILE] [--watchers N] [DIRECTORY]\n";

static const struct option options[] = {
	{ "sizes", required_argument, NULL, 's' },
	{ "row", required_argument, NULL, 'r' },
	{ "engine", required_argument, NULL, 'e' },
	{ "json", required_argument, NULL, 'j' },
	{ "watchers", required_argument, NULL, 'w' },
	{ 0 }
};

static uint32_t
number(struct slice s, uint32_t least)
{
	uint64_t v;

	if (slice_uint(s, 100000000, &v) < 0 || v < least)
		fatal_perm("%.*s: not a number of %u or more", (int)s.n, s.p,
		    (unsigned)least);
	return (uint32_t)v;
}

static size_t
sizes_parse(const char *text, uint32_t *size)
{
	size_t n = 0;

	for (;;) {
		size_t k = strcspn(text, ",");

		if (n == SIZES_MAX)
			fatal_perm("more than %d sizes", SIZES_MAX);
		size[n++] = number(slice_make(text, k), 1000);
		if (text[k] == '\0')
			return n;
		text += k + 1;
	}
}

static void
run(struct bench *b, const uint32_t *size, size_t n, const char *only,
    const char *json)
{
	struct bench_account acct[SIZES_MAX];
	struct result res[ROWS];
	double load[3] = { 0 };
	char name[40];

	for (size_t s = 0; s < n; s++) {
		double t = bench_us();

		snprintf(name, sizeof(name), "bench%u", size[s]);
		bench_create(b, &acct[s], name, size[s]);
		fprintf(stderr, "%u messages: %.1f s\n", size[s],
		    (bench_us() - t) / 1e6);
	}
	print_head(acct, n);
	for (size_t i = 0; i < ROWS; i++) {
		res[i] = (struct result){ 0 };
		for (size_t s = 0; s < n; s++)
			res[i].us[s] = res[i].raw[s] = NAN;
		if (strstr(rows[i].name, only) == NULL)
			continue;
		measure(b, acct, n, &rows[i], &res[i]);
		print_row(&rows[i], res, acct, n);
	}
	(void)getloadavg(load, 3);
	print_ratios(res, n, only);
	if (json != NULL)
		write_json(json, res, acct, n, load);
	for (size_t s = 0; s < n; s++)
		bench_remove(b, &acct[s]);
}

int
main(int argc, char **argv)
{
	uint32_t size[SIZES_MAX] = { 1000, 100000 };
	struct bench b = { .conf = { .any_fs = true }, .n_watchers = 1 };
	struct sys_hook hook = { .before = count_call, .arg = &b };
	const char *only = "", *json = NULL;
	size_t n = 2;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case 's':
			n = sizes_parse(optarg, size);
			break;
		case 'r':
			only = optarg;
			break;
		case 'e':
			b.conf.engine = optarg;
			break;
		case 'j':
			json = optarg;
			break;
		case 'w':
			b.n_watchers = number(slice_str(optarg), 1);
			break;
		default:
			fputs(usage, stderr);
			return EXIT_PERM;
		}
	b.conf.mail_dir = optind < argc ? argv[optind] : "bench-store";
	if (io_mkdirs(b.conf.mail_dir, 0700) < 0)
		fatal_perm("%s: can't make it", b.conf.mail_dir);
	b.a = arena_new(0);
	sys_hook = &hook;
	run(&b, size, n, only, json);
	arena_free(&b.a);
	return 0;
}
