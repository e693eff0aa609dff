/*
 * t/fuzz/fuzz-kv-base.c - reading a base, page by page
 *
 * The input is pages as mailstore(5) has them; each is sealed and gets its
 * number, so that what is behind the seal is reached.  Property: whatever is in
 * them, scans end; and if both directions do so without an error, they give as
 * many rows.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/btree.h"
#include "t/fuzz/fuzz.h"

enum { PAGES = 40 };
extern uint64_t octets_sum;

static char path[] = "/tmp/fuzz-kv-base.XXXXXX";

static void
leave(void)
{
	(void)rmdir(path);
}

static int
directory(void)
{
	static int fd = -1;

	if (fd < 0) {
		if (mkdtemp(path) == NULL || atexit(leave) != 0)
			abort();
		fd = open(path, O_RDONLY | O_DIRECTORY);
	}
	return fd;
}

uint64_t octets_sum;	/* so that they are read */

/* The number of rows; every octet of them is looked at. */
static size_t
scan(struct base *b, int reverse, int *rc_r)
{
	uint64_t sum = octets_sum;
	struct base_cursor *c;
	struct slice key, val, got;
	size_t n = 0;

	if (base_cursor_open(b, slice_make(NULL, 0), reverse, &c) < 0)
		abort();
	while ((*rc_r = base_cursor_next(c, &key, &val)) == 1) {
		sum += crc32c(0, key.p, key.n) + crc32c(0, val.p, val.n);
		if (n++ % 16 == 0 && base_get(b, key, &got) == 1)
			sum += crc32c(0, got.p, got.n);
	}
	base_cursor_close(&c);
	octets_sum = sum;
	return n;
}

static void
ignore(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	size_t n = size / BT_PAGE < PAGES ? size / BT_PAGE : PAGES, a, z;
	unsigned char *p = xmalloc(n * BT_PAGE + 1);
	struct base *b;
	char err[200];
	int fd, rc, rc2;

	memcpy(p, data, n * BT_PAGE);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(p + i * BT_PAGE + 8, &i, sizeof(i));
		bt_seal(p + i * BT_PAGE, 1);
	}
	fd = openat(directory(), "base.1", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		goto out;
	if (io_pwrite_full(fd, p, n * BT_PAGE, 0) == 0 &&
	    base_open(directory(), 1, n * BT_PAGE, &b, err,
		sizeof(err)) == 0) {
		a = scan(b, 0, &rc);
		z = scan(b, 1, &rc2);
		if (rc == 0 && rc2 == 0 && a != z && base_verify(b, ignore,
			NULL) == 0 && base_errmsg(b)[0] == '\0')
			abort();
		base_close(&b);
	}
	io_close(&fd);
	(void)unlinkat(directory(), "base.1", 0);
out:
	xfree(p);
	return 0;
}
