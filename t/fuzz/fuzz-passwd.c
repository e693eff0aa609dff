/*
 * t/fuzz/fuzz-passwd.c - the files of passwords and tokens
 *
 * Every line is seen once whatever its length; a well-formed one is what its
 * parts make.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "libbase/io.h"
#include "libsession/passwd-int.h"
#include "libsession/token.h"
#include "t/fuzz/fuzz.h"

static int
line(void *arg, struct slice s)
{
	struct passwd_entry e;
	struct token t;

	FUZZ_CHECK(s.n == 0 || memchr(s.p, '\n', s.n) == NULL);
	*(size_t *)arg += s.n + 1;
	if (passwd_line(s, &e) == 1) {
		FUZZ_CHECK(e.name.p == s.p && e.name.n > 0 && e.hash.n > 0);
		FUZZ_CHECK(e.hash.p == e.name.p + e.name.n + 1);
		FUZZ_CHECK(memchr(e.name.p, ':', e.name.n) == NULL);
		FUZZ_CHECK(e.alias_of.n < s.n);
	}
	if (token_line(s, &t) == 1) {
		FUZZ_CHECK(t.hash.p == s.p && t.hash.n == TOKEN_HASH);
		FUZZ_CHECK(t.account.n > 0 && t.name.n < s.n);
		FUZZ_CHECK(t.protocols != 0);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("passwd", MFD_CLOEXEC);
	size_t total = 0;

	if (size > 60000)	/* of more, long lines are skipped */
		size = 60000;
	FUZZ_CHECK(fd >= 0 && io_write_full(fd, data, size) == 0);
	FUZZ_CHECK(linefile_scan(fd, 0, (off_t)size, line, &total) == 0);
	if (size > 0 && data[size - 1] != '\n')
		size++;		/* the last line has no end */
	FUZZ_CHECK(total == size);
	io_close(&fd);
	return 0;
}
