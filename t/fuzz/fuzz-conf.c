/*
 * t/fuzz/fuzz-conf.c - culver.conf
 *
 * What is accepted is printed, read again, and printed the same; what is
 * refused has a reason, one line a fault.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "conf/conf.h"
#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/fuzz/fuzz.h"

static struct conf *
load(struct slice text)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct conf *c = NULL;
	char path[64], *err = NULL;

	FUZZ_CHECK(fd >= 0 && io_write_full(fd, text.p, text.n) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (conf_load(path, &c, &err) < 0) {
		FUZZ_CHECK(c == NULL && strlen(err) > strlen(path));
		for (const char *p = err; *p != '\0'; p = strchr(p, '\n') + 1)
			FUZZ_CHECK(strncmp(p, path, strlen(path)) == 0);
		xfree(err);
	} else
		FUZZ_CHECK(err == NULL);
	io_close(&fd);
	return c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c = load(slice_make((const char *)data, size)), *again;
	struct buf one, two;

	if (c == NULL)
		return 0;
	buf_init(&one, 16 << 20);
	buf_init(&two, 16 << 20);
	conf_print(c, &one);
	again = load(buf_slice(&one));
	FUZZ_CHECK(again != NULL);
	conf_print(again, &two);
	FUZZ_CHECK(slice_eq(buf_slice(&one), buf_slice(&two)));
	conf_free(&c);
	conf_free(&again);
	buf_release(&one);
	buf_release(&two);
	return 0;
}
