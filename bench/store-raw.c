/* bench/store-raw.c - what the disk can do: bench/store without the store */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/store-int.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { PER_WRITER = 50 };

static int
raw_open(const struct bench *b, unsigned i)
{
	char *path = xasprintf("%s/raw.%u", b->conf.mail_dir, i);
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		fatal("%s: can't open it", path);
	xfree(path);
	return fd;
}

static void
raw_unlink(const struct bench *b)
{
	for (unsigned i = 0; i < BENCH_WRITERS; i++) {
		char *path = xasprintf("%s/raw.%u", b->conf.mail_dir, i);

		(void)unlink(path);
		xfree(path);
	}
}

static void
append(int fd, size_t n)
{
	static const char text[BENCH_BODY];

	if (io_write_full(fd, text, n) < 0 || fdatasync(fd) < 0)
		fatal("raw append failed");
}

static void
raw(struct bench *b, size_t n)
{
	static int fd = -1;

	if (fd < 0) {
		fd = raw_open(b, 0);
		raw_unlink(b);
	}
	bench_start(b);
	append(fd, n);
	bench_stop(b, 1);
}

void
m_raw_100(struct bench *b, struct bench_account *c)
{
	(void)c;
	raw(b, 100);
}

void
m_raw_20k(struct bench *b, struct bench_account *c)
{
	(void)c;
	raw(b, BENCH_BODY);
}

/* ---- several processes ------------------------------------------------- */

struct raw_crowd {
	bool one;		/* file for all */
	int fd;
};

static void
raw_prepare(struct bench *b, unsigned i, void *arg)
{
	struct raw_crowd *r = arg;

	r->fd = raw_open(b, r->one ? 0 : i);
}

/* One at a time, as in an account. */
static void
raw_run(struct bench *b, unsigned i, void *arg)
{
	struct raw_crowd *r = arg;
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)b;
	(void)i;
	for (int k = 0; k < PER_WRITER; k++) {
		fl.l_type = F_WRLCK;
		if (r->one && fcntl(r->fd, F_OFD_SETLKW, &fl) < 0)
			fatal("raw lock failed");
		append(r->fd, BENCH_BODY);
		fl.l_type = F_UNLCK;
		if (r->one && fcntl(r->fd, F_OFD_SETLK, &fl) < 0)
			fatal("raw lock failed");
	}
}

static void
raw_crowd(struct bench *b, bool one)
{
	struct raw_crowd r = { .one = one, .fd = -1 };
	struct bench_crowd cr = { .prepare = raw_prepare, .run = raw_run,
	    .arg = &r, .n = BENCH_WRITERS };
	double us = bench_crowd(b, &cr);

	b->us = us / (PER_WRITER * BENCH_WRITERS);
	raw_unlink(b);
}

void
m_raw_one(struct bench *b, struct bench_account *c)
{
	(void)c;
	raw_crowd(b, true);
}

void
m_raw_many(struct bench *b, struct bench_account *c)
{
	(void)c;
	raw_crowd(b, false);
}
