/* bench/mkcorpus.c - writes a corpus as .eml files or as an mbox */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/corpus.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

static const char usage[] =
    "usage: mkcorpus -n COUNT [-s SEED] [-m MEDIAN] [-M MAX] [-S]\n"
    "                (-d DIRECTORY | -o MBOX)\n"
    "  -S  small messages of about 1 KB;  -o -  to standard output\n";

static uint32_t
number(const char *s)
{
	uint64_t v;

	if (slice_uint(slice_str(s), UINT32_MAX, &v) < 0)
		fatal_perm("%s: not a number", s);
	return (uint32_t)v;
}

static void
write_eml(const char *dir, uint32_t n, const struct buf *msg)
{
	char *path = xasprintf("%s/%07u.eml", dir, (unsigned)n);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || io_write_full(fd, msg->p, msg->n) < 0)
		fatal("%s: %s", path, strerror(errno));
	io_close(&fd);
	xfree(path);
}

/* mboxrd: LF line ends, one '>' more before "From ". */
static void
write_mbox(int fd, const struct buf *msg, struct buf *tmp)
{
	const char *p = msg->p, *end = msg->p + msg->n;

	buf_reset(tmp);
	buf_add_str(tmp, "From bench@bench.test Tue Nov 14 22:13:20 2023\n");
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *q = p;
		size_t n = nl != NULL ? (size_t)(nl - p) : (size_t)(end - p);

		while (*q == '>' && q < end - 1)
			q++;
		if (slice_starts(slice_make(q, (size_t)(end - q)),
		    SLICE_LIT("From ")))
			buf_addc(tmp, '>');
		buf_add(tmp, p, n > 0 && p[n - 1] == '\r' ? n - 1 : n);
		buf_addc(tmp, '\n');
		p = nl != NULL ? nl + 1 : end;
	}
	buf_addc(tmp, '\n');
	if (io_write_full(fd, tmp->p, tmp->n) < 0)
		fatal("mbox: %s", strerror(errno));
}

struct options {
	struct corpus_conf cf;
	const char *dir, *mbox;
	uint32_t count;
};

static int
options(int argc, char **argv, struct options *o)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:s:m:M:Sd:o:")) != -1)
		switch (opt) {
		case 'n':
			o->count = number(optarg);
			break;
		case 's':
			o->cf.seed = number(optarg);
			break;
		case 'm':
			o->cf.median = number(optarg);
			break;
		case 'M':
			o->cf.max = number(optarg);
			break;
		case 'S':
			o->cf.small = true;
			break;
		case 'd':
			o->dir = optarg;
			break;
		case 'o':
			o->mbox = optarg;
			break;
		default:
			return -1;
		}
	return optind == argc && o->count > 0 &&
	    (o->dir == NULL) != (o->mbox == NULL) ? 0 : -1;
}

static int
open_out(const struct options *o)
{
	int fd = -1;

	if (o->dir != NULL) {
		if (io_mkdirs(o->dir, 0755) < 0)
			fatal("%s: %s", o->dir, strerror(errno));
		return -1;
	}
	if (strcmp(o->mbox, "-") == 0)
		return STDOUT_FILENO;
	fd = open(o->mbox, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		fatal("%s: %s", o->mbox, strerror(errno));
	return fd;
}

int
main(int argc, char **argv)
{
	struct options o = { .count = 0 };
	uint64_t octets = 0;
	struct corpus *c;
	struct buf msg, tmp;
	int fd;

	if (options(argc, argv, &o) < 0) {
		fputs(usage, stderr);
		return EXIT_PERM;
	}
	fd = open_out(&o);
	buf_init(&msg, SIZE_MAX / 2);
	buf_init(&tmp, SIZE_MAX / 2);
	c = corpus_new(&o.cf);
	for (uint32_t i = 1; i <= o.count; i++) {
		buf_reset(&msg);
		corpus_next(c, &msg);
		octets += msg.n;
		if (o.dir != NULL)
			write_eml(o.dir, i, &msg);
		else
			write_mbox(fd, &msg, &tmp);
	}
	corpus_free(&c);
	buf_release(&msg);
	buf_release(&tmp);
	fprintf(stderr, "%u messages, %.1f MB\n", (unsigned)o.count,
	    (double)octets / 1e6);
	return 0;
}
