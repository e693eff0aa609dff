/* libsession/stats.c - counters that all processes share */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/stats.h"

#define MAGIC "CULVSTAT"
enum { FORMAT = 1, SIZE = 4096 };

struct file {
	char magic[8];
	uint32_t version, counters;
	_Atomic uint64_t v[STATS_PROTOCOLS][STATS_N];
};
_Static_assert(sizeof(struct file) <= SIZE, "the counters fit the file");

const char *const stats_names[STATS_N] = { "sessions", "tls_sessions",
	"logins", "login_failures", "commands", "refused_commands",
	"received_bytes", "sent_bytes", "session_milliseconds" };

static const struct file head = { .magic = MAGIC, .version = FORMAT,
	.counters = STATS_PROTOCOLS * STATS_N };
enum { HEAD = offsetof(struct file, v) };

/* Is it whole, and ours? */
static bool
is_good(int fd)
{
	char got[HEAD];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == SIZE && io_pread_full(fd, got, HEAD, 0) == 0 &&
	    memcmp(got, &head, HEAD) == 0;
}

/* A whole file is linked to its name: nobody sees a part of one, and the first
 * of several processes wins.  0, or -1. */
static int
make(const char *path)
{
	char *tmp = xasprintf("%s.%ld", path, (long)getpid());
	static const char zero[SIZE];
	int rc = -1, fd;

	unlink(tmp);
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && io_pwrite_full(fd, zero, SIZE, 0) == 0 &&
	    io_pwrite_full(fd, &head, HEAD, 0) == 0 &&
	    (link(tmp, path) == 0 || errno == EEXIST))
		rc = 0;
	unlink(tmp);
	io_close(&fd);
	xfree(tmp);
	return rc;
}

int
stats_open(const struct conf *c)
{
	char *path = xasprintf("%s/stats", c->run_dir);
	int fd = -1;

	for (int i = 0; i < 3 && fd < 0; i++) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && is_good(fd))
			break;
		if (fd >= 0)	/* of another version, or damaged */
			unlink(path);
		io_close(&fd);
		if (make(path) < 0)
			break;
	}
	xfree(path);
	return fd;
}

void
stats_add(int fd, enum conf_protocol p, const uint64_t add[STATS_N])
{
	struct file *f;

	/* Whoever truncated it since would kill who touches the pages. */
	if (fd < 0 || !is_good(fd))
		return;
	f = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f == MAP_FAILED)
		return;
	for (int i = 0; i < STATS_N; i++)
		if (add[i] != 0)
			atomic_fetch_add_explicit(&f->v[p][i], add[i],
			    memory_order_relaxed);
	munmap(f, SIZE);
}

int
stats_read(const struct conf *c, uint64_t v[STATS_PROTOCOLS][STATS_N])
{
	char *path = xasprintf("%s/stats", c->run_dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = -1;

	memset(v, 0, sizeof(*v) * STATS_PROTOCOLS);
	if (fd < 0)
		rc = errno == ENOENT ? 1 : -1;
	else if (!is_good(fd))
		rc = 1;
	else
		rc = io_pread_full(fd, v, sizeof(*v) * STATS_PROTOCOLS, HEAD);
	io_close(&fd);
	xfree(path);
	return rc;
}
