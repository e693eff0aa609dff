/* bench/mime.c - how fast libmime is on a corpus */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/corpus.h"
#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "libmime/mime.h"

enum { MESSAGES = 2000, RECORD_MAX = 1 << 20 };

struct set {
	struct slice *raw, *record;
	size_t n;
	uint64_t octets, record_octets;
};

/* Of this process: others on the machine don't count. */
static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
load(struct set *s, struct arena *a, uint32_t median, bool small)
{
	struct corpus_conf cf = { .median = median, .small = small };
	struct corpus *c = corpus_new(&cf);
	struct buf b;

	*s = (struct set){ .n = MESSAGES };
	s->raw = arena_calloc(a, s->n, sizeof(*s->raw));
	s->record = arena_calloc(a, s->n, sizeof(*s->record));
	buf_init(&b, SIZE_MAX / 2);
	for (size_t i = 0; i < s->n; i++) {
		buf_reset(&b);
		corpus_next(c, &b);
		s->raw[i] = arena_slice(a, buf_slice(&b));
		s->octets += b.n;
	}
	buf_release(&b);
	corpus_free(&c);
}

/* Runs fn over the set until a second is over; seconds for one round. */
static double
rounds(struct set *s, void (*fn)(struct set *, size_t, struct arena *))
{
	struct arena *a = arena_new(0);
	double start = now(), end;
	unsigned n = 0;

	do {
		for (size_t i = 0; i < s->n; i++) {
			fn(s, i, a);
			arena_reset(a);
		}
		n++;
		end = now();
	} while (end - start < 1);
	arena_free(&a);
	return (end - start) / n;
}

static void
do_parse(struct set *s, size_t i, struct arena *a)
{
	struct mime_msg *m;

	mime_parse(s->raw[i], NULL, a, &m);
}

static void
do_measure(struct set *s, size_t i, struct arena *a)
{
	struct mime_msg *m;

	mime_parse(s->raw[i], NULL, a, &m);
	mime_measure(m, s->raw[i], a);
}

static void
do_decode(struct set *s, size_t i, struct arena *a)
{
	struct mime_msg *m;

	if (mime_record_decode(s->record[i], a, &m) < 0)
		abort();
}

static struct mime_needle *needle;

static void
do_search(struct set *s, size_t i, struct arena *a)
{
	struct mime_msg *m;

	mime_parse(s->raw[i], NULL, a, &m);
	if (mime_needle_in_msg(needle, m, s->raw[i], true))
		abort();
}

/* A text that no message has. */
static void
search(struct set *s, struct arena *a)
{
	static const struct slice text = { "no such w\xc3\xb6rd", 13 };
	double t;

	mime_needle_new(text, a, &needle);
	t = rounds(s, do_search);
	printf("  search, folded    %8.0f MB/s\n", (double)s->octets / t / 1e6);
	for (int c = 0; c < COLLATION_N; c++) {
		if (mime_needle_collated(text, (enum collation)c, a,
		    &needle) < 0)
			continue;
		t = rounds(s, do_search);
		printf("  %-17s %8.0f MB/s\n",
		    collation_name((enum collation)c),
		    (double)s->octets / t / 1e6);
	}
}

static void
records(struct set *s, struct arena *a)
{
	struct arena *tmp = arena_new(0);
	struct buf b;

	buf_init(&b, RECORD_MAX);
	for (size_t i = 0; i < s->n; i++) {
		struct mime_msg *m;

		mime_parse(s->raw[i], NULL, tmp, &m);
		mime_measure(m, s->raw[i], tmp);
		buf_reset(&b);
		if (mime_record_encode(m, RECORD_MAX, &b) < 0)
			abort();
		s->record[i] = arena_slice(a, buf_slice(&b));
		s->record_octets += b.n;
		arena_reset(tmp);
	}
	buf_release(&b);
	arena_free(&tmp);
}

static void
run(const char *name, uint32_t median, bool small)
{
	struct arena *a = arena_new(0);
	struct set s;
	double t;

	load(&s, a, median, small);
	records(&s, a);
	printf("%s: %zu messages, %.1f MB\n", name, s.n,
	    (double)s.octets / 1e6);
	t = rounds(&s, do_parse);
	printf("  structure pass    %8.0f MB/s  %8.2f us a message\n",
	    (double)s.octets / t / 1e6, t / (double)s.n * 1e6);
	t = rounds(&s, do_measure);
	printf("  with preview etc. %8.0f MB/s  %8.2f us a message\n",
	    (double)s.octets / t / 1e6, t / (double)s.n * 1e6);
	t = rounds(&s, do_decode);
	printf("  record            %8.0f ns to decode, %.0f octets\n",
	    t / (double)s.n * 1e9, (double)s.record_octets / (double)s.n);
	search(&s, a);
	arena_free(&a);
}

int
main(void)
{
	run("ordinary mail (median 10 KB)", 10000, false);
	run("small mail (1 KB)", 0, true);
	run("big mail (median 200 KB)", 200000, false);
	return 0;
}
