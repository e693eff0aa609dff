/*
 * bench/store.c - how fast the store is, in mailboxes of two sizes
 *
 * Usage: bench/store [-e ENGINE] [-r ROW] [DIRECTORY [MESSAGES]].  Medians; a
 * row may not grow with the mailbox, but for those that touch all of it.
 * ROW: only rows that have this in their name.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/store.h"

enum { TIMES = 41, BATCH = 1000, BODY = 20000, BULK = 10000 };

struct bench {
	struct store_conf conf;
	struct store *st;
	struct arena *a;
	char name[32];
	uint64_t inbox;
	uint32_t messages, serial;
	uint32_t uid[BULK];
	uint64_t last;		/* Email */
};

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
must(struct bench *b, int rc, const char *what)
{
	if (rc < 0)
		fatal("%s: %d: %s", what, rc, b->st ? store_errmsg(b->st) : "");
}

static struct store_spool *
spool_new(struct bench *b, size_t body)
{
	struct store_spool *sp = store_spool_new(&b->conf, true, 0);
	uint32_t k = b->serial++;
	char *text = xasprintf("Message-ID: <%u@bench>\r\n"
	    "References: <%u@bench> <%u@bench>\r\nFrom: a@example.org\r\n"
	    "Subject: Re: number %u\r\n\r\n", k, k - k % 4, k - k % 2, k / 4);
	char line[80];

	must(b, store_spool_add(sp, text, strlen(text)), "spool");
	xfree(text);
	for (size_t i = 0; i < body; i += 72) {
		random_bytes(line, 72);
		for (int j = 0; j < 70; j++)
			line[j] = (char)('a' + (unsigned char)line[j] % 26);
		memcpy(line + 70, "\r\n", 2);
		must(b, store_spool_add(sp, line, 72), "spool");
	}
	must(b, store_spool_done(sp), "spool");
	return sp;
}

static void
fill(struct bench *b, uint32_t n)
{
	struct store_new *v = xcalloc(BATCH, sizeof(*v));

	while (n > 0) {
		uint32_t k = n < BATCH ? n : BATCH;

		for (uint32_t i = 0; i < k; i++) {
			v[i] = (struct store_new){ .mailboxes = &b->inbox,
			    .n_mailboxes = 1, .received_at = b->serial };
			v[i].spool = spool_new(b, 72);
		}
		must(b, store_email_add(b->st, v, k, NULL, NULL), "add");
		for (uint32_t i = 0; i < k; i++)
			store_spool_free(&v[i].spool);
		n -= k;
	}
	xfree(v);
	must(b, store_idle(b->st, true), "idle");
}

static void
start(struct bench *b, uint32_t messages)
{
	struct store_mailbox mb;

	b->messages = messages;
	b->serial = 0;
	snprintf(b->name, sizeof(b->name), "bench%u", messages);
	must(b, store_account_create(&b->conf, b->name), "create");
	must(b, store_open(&b->conf, b->name, &b->st), "open");
	must(b, store_mailbox_find(b->st, b->a, slice_str("INBOX"), &mb),
	    "find");
	b->inbox = mb.id;
	fill(b, messages);
}

static void
stop(struct bench *b)
{
	store_close(&b->st);
	(void)store_account_delete(&b->conf, b->name);
}

/* ---- what is measured: microseconds of one ----------------------------- */

static double
m_append(struct bench *b)
{
	struct store_new v = { .mailboxes = &b->inbox, .n_mailboxes = 1,
	    .received_at = b->serial };
	struct store_added r;
	double t;

	v.spool = spool_new(b, BODY);
	t = now_us();
	must(b, store_email_add(b->st, &v, 1, &r, NULL), "add");
	t = now_us() - t;
	store_spool_free(&v.spool);
	b->last = r.email;
	return t;
}

static double
m_flag(struct bench *b)
{
	uint32_t uid = b->messages / 2 + b->serial++ % 100;
	double t = now_us();

	must(b, store_msgs_flag(b->st, b->a, b->inbox, &uid, 1,
	    b->serial % 2 ? STORE_FLAG_ADD : STORE_FLAG_DEL, STORE_SEEN,
	    UINT64_MAX, NULL, NULL, NULL), "flag");
	return now_us() - t;
}

static double
bulk(struct bench *b, uint64_t flags)
{
	static bool on;
	uint32_t n = b->messages < BULK ? b->messages : BULK;
	double t;

	for (uint32_t i = 0; i < n; i++)
		b->uid[i] = i + 1;
	on = !on;
	t = now_us();
	must(b, store_msgs_flag(b->st, b->a, b->inbox, b->uid, n,
	    on ? STORE_FLAG_ADD : STORE_FLAG_DEL, flags, UINT64_MAX, NULL,
	    NULL, NULL), "flags");
	t = now_us() - t;
	must(b, store_idle(b->st, false), "idle");
	return t;
}

static double
m_bulk_flagged(struct bench *b)
{
	return bulk(b, STORE_FLAGGED);
}

static double
m_bulk_seen(struct bench *b)
{
	return bulk(b, STORE_SEEN);
}

static double
m_load(struct bench *b)
{
	struct store_msg *m;
	double t = now_us();
	size_t n;

	must(b, store_msgs_load(b->st, b->inbox, 1, UINT32_MAX, 0, &m, &n),
	    "load");
	t = now_us() - t;
	xfree(m);
	return t;
}

static double
m_get(struct bench *b)
{
	struct store_email e;
	double t = now_us();

	must(b, store_email_get(b->st, b->a, b->last, &e), "get");
	return now_us() - t;
}

static double
m_mime(struct bench *b)
{
	struct store_email e;
	struct mime_msg *m;
	double t;

	must(b, store_email_get(b->st, b->a, b->last, &e), "get");
	t = now_us();
	must(b, store_email_mime(b->st, b->a, e.ref, &m), "mime");
	return now_us() - t;
}

static double
m_changes(struct bench *b)
{
	struct store_change *c;
	uint64_t since = store_modseq(b->st), s;
	double t;
	size_t n;
	bool more;

	for (int i = 0; i < 50; i++)
		fill(b, 1);
	t = now_us();
	must(b, store_changes(b->st, b->a, STORE_T_EMAIL, since, 0, &c, &n, &s,
	    &more), "changes");
	t = now_us() - t;
	if (n != 50)
		fatal("%zu changes instead of 50", n);
	return t;
}

static double
m_since(struct bench *b)
{
	struct store_msg *m;
	uint64_t since = store_modseq(b->st);
	double t;
	size_t n;

	(void)m_flag(b);
	t = now_us();
	must(b, store_msgs_load(b->st, b->inbox, 1, UINT32_MAX, since, &m, &n),
	    "since");
	t = now_us() - t;
	xfree(m);
	return t;
}

static double
m_open(struct bench *b)
{
	struct store_mailbox mb;
	struct store *st;
	double t = now_us();

	must(b, store_open(&b->conf, b->name, &st), "open");
	must(b, store_mailbox_find(st, b->a, slice_str("INBOX"), &mb),
	    "find");
	store_close(&st);
	return now_us() - t;
}

/* For comparison: an append of 500 octets and fdatasync(). */
static double
m_raw(struct bench *b)
{
	static int fd = -1;
	char path[300], text[500] = "raw";
	double t;

	if (fd < 0) {
		snprintf(path, sizeof(path), "%s/raw", b->conf.mail_dir);
		fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		unlink(path);
	}
	t = now_us();
	if (io_write_full(fd, text, sizeof(text)) < 0 || fdatasync(fd) < 0)
		fatal("raw append");
	return now_us() - t;
}

static double
m_expunge(struct bench *b)
{
	uint32_t n = b->messages < BULK ? b->messages : BULK;
	struct store_mailbox mb;
	double t;

	must(b, store_mailbox_get(b->st, b->a, b->inbox, &mb), "get");
	for (uint32_t i = 0; i < n; i++)
		b->uid[i] = mb.uidnext - n + i;
	must(b, store_msgs_flag(b->st, b->a, b->inbox, b->uid, n,
	    STORE_FLAG_ADD, STORE_DELETED, UINT64_MAX, NULL, NULL, NULL),
	    "flags");
	t = now_us();
	must(b, store_msgs_expunge(b->st, b->a, b->inbox, NULL, 0, NULL, NULL,
	    NULL), "expunge");
	t = now_us() - t;
	fill(b, n);
	return t;
}

static double
m_sweep(struct bench *b)
{
	double t;

	(void)m_expunge(b);
	t = now_us();
	must(b, store_idle(b->st, true), "idle");
	return now_us() - t;
}

static const struct {
	const char *name;
	double (*fn)(struct bench *b);
	int times;
} rows[] = {
	/* clang-format off */
	{ "raw append of 500 octets, fdatasync",	m_raw,		TIMES },
	{ "append 20 KB, with its thread",	m_append,	TIMES },
	{ "one flag",				m_flag,		TIMES },
	{ "10,000 x \\Flagged",			m_bulk_flagged,	9 },
	{ "10,000 x \\Seen, threads of 4",	m_bulk_seen,	9 },
	{ "open, find INBOX, close",		m_open,		TIMES },
	{ "load the mailbox",			m_load,		TIMES },
	{ "load what changed: one flag",	m_since,	TIMES },
	{ "email_get",				m_get,		TIMES },
	{ "email_mime",				m_mime,		TIMES },
	{ "changes: 50 new",			m_changes,	5 },
	{ "expunge of 10,000",			m_expunge,	3 },
	{ "idle: sweep of 10,000, compaction",	m_sweep,	1 },
	/* clang-format on */
};

static double
measure(struct bench *b, size_t i)
{
	double t[TIMES];

	for (int k = 0; k < rows[i].times; k++) {
		arena_reset(b->a);
		t[k] = rows[i].fn(b);
	}
	qsort(t, (size_t)rows[i].times, sizeof(t[0]), cmp);
	return t[rows[i].times / 2];
}

int
main(int argc, char **argv)
{
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	uint32_t size[2] = { 1000, 100000 };
	struct bench b = { .conf = { .any_fs = true } };
	double us[2][N];

	const char *only = "";
	int opt;

	while ((opt = getopt(argc, argv, "e:r:")) != -1) {
		if (opt == 'e')
			b.conf.engine = optarg;
		else if (opt == 'r')
			only = optarg;
		else
			return EXIT_PERM;
	}
	b.conf.mail_dir = optind < argc ? argv[optind] : "bench-store";
	if (optind + 1 < argc)
		size[1] = (uint32_t)strtoul(argv[optind + 1], NULL, 10);
	if (io_mkdirs(b.conf.mail_dir, 0700) < 0)
		fatal_perm("%s", b.conf.mail_dir);
	b.a = arena_new(0);
	for (int s = 0; s < 2; s++) {
		start(&b, size[s]);
		for (size_t i = 0; i < N; i++)
			if (strstr(rows[i].name, only))
				us[s][i] = measure(&b, i);
		stop(&b);
	}
	printf("%-40s %8u %8u  messages; median us\n", "", size[0], size[1]);
	for (size_t i = 0; i < N; i++)
		if (strstr(rows[i].name, only))
			printf("%-40s %8.1f %8.1f\n", rows[i].name, us[0][i],
			    us[1][i]);
	arena_free(&b.a);
	return 0;
}
