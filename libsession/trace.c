/* libsession/trace.c - what one account's clients and its server say, in a file */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/trace.h"

enum {
	BEGINNING = 2048,	/* octets shown of a piece */
	BUFFER = 16 * BEGINNING,
	NAMES = 100		/* files of one process in a second */
};

struct trace {
	int fd;
	uint64_t left;		/* octets until trace-size */
};

bool
trace_wanted(const struct conf *c, const char *account)
{
	for (size_t i = 0; i < c->n_trace_accounts; i++)
		if (strcmp(c->trace_accounts[i], "*") == 0 ||
		    strcmp(c->trace_accounts[i], account) == 0)
			return true;
	return false;
}

static int
create(const struct conf *c, const char *account, const char *protocol)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32], *path;
	int fd = -1;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	for (int i = 0; i < NAMES && fd < 0; i++) {
		path = xasprintf("%s/%s.%s.%s.%ld.%d", c->trace_dir, account,
		    protocol, when, (long)getpid(), i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST) {
			log_warn("%s: %s", path, strerror(errno));
			i = NAMES;
		}
		xfree(path);
	}
	return fd;
}

struct trace *
trace_open(const struct conf *c, const char *account,
    enum conf_protocol protocol, const char *peer)
{
	struct trace *t;
	int fd;

	if (!trace_wanted(c, account) ||
	    (fd = create(c, account, conf_protocol_name(protocol))) < 0)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->fd = fd;
	t->left = c->trace_size;
	trace_put(t, "peer", slice_str(peer));
	return t;
}

static void
put_time(struct buf *b, const char *who, uint64_t n)
{
	struct timespec ts;
	struct tm tm;
	char when[16];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	buf_printf(b, "%s.%06ld %s %" PRIu64 "\n", when, ts.tv_nsec / 1000,
	    who, n);
}

/* A terminal can show it: what isn't ASCII and printable is \xNN. */
static void
put_text(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		if ((ch >= 0x20 && ch < 0x7f && ch != '\\') || ch == '\n' ||
		    ch == '\t')
			buf_addc(b, (char)ch);
		else
			buf_printf(b, "\\x%02x", ch);
	}
	if (s.n > 0 && s.p[s.n - 1] != '\n')
		buf_addc(b, '\n');
}

static void
put(struct trace *t, const char *who, struct slice s, uint64_t n)
{
	struct buf b;

	if (t == NULL || t->fd < 0)
		return;
	buf_init(&b, BUFFER);
	put_time(&b, who, n);
	put_text(&b, s);
	if (s.n < n)
		buf_printf(&b, "... %" PRIu64 " octets are not shown\n",
		    n - s.n);
	if (b.n > t->left) {
		buf_reset(&b);
		buf_add_str(&b, "the file has the size of trace-size\n");
		t->left = 0;
	} else
		t->left -= b.n;
	if (io_write_full(t->fd, b.p, b.n) < 0 || t->left == 0)
		io_close(&t->fd);
	buf_release(&b);
}

void
trace_put(struct trace *t, const char *who, struct slice octets)
{
	struct slice s = octets;

	if (s.n > BEGINNING)
		s.n = BEGINNING;
	put(t, who, s, octets.n);
}

void
trace_skip(struct trace *t, const char *who, uint64_t n)
{
	put(t, who, slice_make("", 0), n);
}

void
trace_close(struct trace **t)
{
	if (*t == NULL)
		return;
	io_close(&(*t)->fd);
	xfree(*t);
	*t = NULL;
}
