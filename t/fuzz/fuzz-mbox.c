/*
 * t/fuzz/fuzz-mbox.c - mbox files, and the names of Maildir folders
 *
 * Whatever the file, no more comes out than went in, and every message that
 * begins ends.  What mbox_write() writes mbox_read() reads back, octet by octet.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "culver/culver.h"
#include "culver/mbox.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/utf7.h"
#include "libbase/xalloc.h"
#include "t/fuzz/fuzz.h"

struct got {
	struct buf b;
	size_t begun, ended;
	uint64_t flags;
	int64_t date;
};

static int
got_begin(void *arg)
{
	struct got *g = arg;

	FUZZ_CHECK(g->begun == g->ended);
	g->begun++;
	return 0;
}

static int
got_add(void *arg, const char *p, size_t n)
{
	struct got *g = arg;

	FUZZ_CHECK(g->begun == g->ended + 1);
	FUZZ_CHECK(buf_add(&g->b, p, n) == 0);
	return 0;
}

static int
got_end(void *arg, const struct mbox_meta *m, uint64_t offset)
{
	struct got *g = arg;

	(void)offset;
	FUZZ_CHECK(g->begun == ++g->ended);
	g->flags = m->flags;
	g->date = m->date;
	return 0;
}

static void
got_progress(void *arg, uint64_t octets)
{
	(void)arg;
	(void)octets;
}

/* rc of mbox_read; the octets of all messages are in g->b. */
static int
read_all(struct slice in, enum mbox_format f, size_t max, struct got *g)
{
	struct mbox_sink sink = {
		g, got_begin, got_add, got_end, got_progress
	};
	int fd = memfd_create("mbox", MFD_CLOEXEC), rc;

	FUZZ_CHECK(fd >= 0 && io_write_full(fd, in.p, in.n) == 0);
	FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
	*g = (struct got){ .begun = 0 };
	buf_init(&g->b, max);
	rc = mbox_read(fd, f, &sink);
	io_close(&fd);
	return rc;
}

/* As the store has it: every line end is CR LF, and no CR is anywhere else. */
static struct slice
as_stored(struct slice in, struct arena *a)
{
	char *p = arena_alloc(a, in.n * 2 + 1);
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\r')
			continue;
		if (in.p[i] == '\n')
			p[n++] = '\r';
		p[n++] = in.p[i];
	}
	return slice_make(p, n);
}

static void
round_trip(struct slice msg, uint64_t flags, bool crlf, struct arena *a)
{
	struct mbox_meta m = {
		.date = 1795341600, .flags = flags,
		.keywords = flags & 8 ? SLICE_LIT(" one two") : slice_str(NULL)
	};
	struct slice back;
	struct got g;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	FUZZ_CHECK(f != NULL);
	for (int i = 0; i < 2; i++)
		mbox_write(f, msg, &m, crlf);
	FUZZ_CHECK(fclose(f) == 0);
	FUZZ_CHECK(read_all(slice_make(text, n), MBOX_AUTO, n, &g) == 0);
	FUZZ_CHECK(g.ended == 2 && g.flags == flags && g.date == m.date);
	back = as_stored(slice_make(g.b.p ? g.b.p : "", g.b.n), a);
	FUZZ_CHECK(back.n == 2 * msg.n);
	FUZZ_CHECK(memcmp(back.p, msg.p, msg.n) == 0);
	FUZZ_CHECK(memcmp(back.p + msg.n, msg.p, msg.n) == 0);
	FUZZ_CHECK(!crlf || g.b.n == back.n);
	buf_release(&g.b);
	xfree(text);
}

static void
names(struct slice in, struct arena *a)
{
	struct slice wide, back;
	struct buf out;

	buf_init(&out, 16 << 20);
	if (utf7_decode(in, true, a, &wide) == 0 && utf8_valid(wide)) {
		FUZZ_CHECK(utf7_encode(&out, wide, "./") == 0);
		FUZZ_CHECK(utf7_decode(slice_make(out.p ? out.p : "", out.n),
		    true, a, &back) == 0);
		FUZZ_CHECK(slice_eq(back, wide));
	}
	buf_reset(&out);
	if (utf8_valid(in) && memchr(in.p, '\0', in.n) == NULL) {
		FUZZ_CHECK(utf7_encode(&out, in, "./") == 0);
		FUZZ_CHECK(memchr(out.p ? out.p : "", '.', out.n) == NULL);
		FUZZ_CHECK(utf7_decode(slice_make(out.p ? out.p : "", out.n),
		    true, a, &back) == 0);
		FUZZ_CHECK(slice_eq(back, in));
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(size ? (const char *)data : "", size);
	struct arena *a = arena_new(0);
	struct got g;
	uint64_t flags = size ? data[0] & 0x1f : 0;

	for (int f = MBOX_AUTO; f <= MBOX_CL2; f++) {
		(void)read_all(in, (enum mbox_format)f, size, &g);
		FUZZ_CHECK(g.begun == g.ended);
		buf_release(&g.b);
	}
	round_trip(as_stored(in, a), flags, false, a);
	round_trip(as_stored(in, a), flags, true, a);
	names(in, a);
	arena_free(&a);
	return 0;
}
