/* libsession/penalty.c - failed logins of one address, whatever the connection */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libsession/peer.h"
#include "libsession/penalty.h"
#include "libsession/run-file.h"

enum {
	SETS = 4096,		/* of the table */
	WAYS = 8,		/* entries of a set */
	PREFIX6 = 8		/* octets of an IPv6 address that count */
};

struct entry {	/* on disk; of this machine only */
	unsigned char address[16];
	int64_t since;		/* the window's begin, seconds since 1970 */
	uint32_t failures;
	uint32_t unused;
};

/* The set of an address in the open table. */
struct place {
	int fd;
	off_t off;
	unsigned char address[16];
	struct entry set[WAYS];
	int64_t now;
};

/* What counts of it; false: nothing does. */
static bool
counted(const struct conf *c, const char *peer, unsigned char out[16])
{
	if (c->address_failures == 0 || !peer_address(peer, out) ||
	    peer_is_loopback(out) ||
	    peer_in(out, c->address_exempt, c->n_address_exempt))
		return false;
	if (!IN6_IS_ADDR_V4MAPPED((struct in6_addr *)(void *)out))
		memset(out + PREFIX6, 0, 16 - PREFIX6);
	return true;
}

/* Finds the set of an address, with a lock on it.  false: nothing is counted. */
static bool
place_open(struct place *p, const struct conf *c, const char *peer)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_len = sizeof(p->set) };
	struct timespec ts;

	p->fd = -1;
	if (!counted(c, peer, p->address) ||
	    (p->fd = run_file_open(c, "auth.failures")) < 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &ts);
	p->now = ts.tv_sec;
	p->off = (off_t)(crc32c(0, p->address, sizeof(p->address)) % SETS *
	    sizeof(p->set));
	fl.l_start = p->off;
	while (fcntl(p->fd, F_OFD_SETLKW, &fl) < 0)
		if (errno != EINTR)
			return false;
	memset(p->set, 0, sizeof(p->set));
	/* Short where nothing was written yet. */
	return pread(p->fd, p->set, sizeof(p->set), p->off) >= 0;
}

/* Not one from before the clock was set back. */
static bool
counts(const struct place *p, const struct entry *e, const struct conf *c)
{
	return e->failures > 0 && e->since <= p->now &&
	    p->now - e->since < c->address_window_s;
}

/* The entry of the address; NULL: it has none that counts. */
static struct entry *
find(struct place *p, const struct conf *c)
{
	for (int i = 0; i < WAYS; i++)
		if (counts(p, &p->set[i], c) && memcmp(p->set[i].address,
		    p->address, sizeof(p->address)) == 0)
			return &p->set[i];
	return NULL;
}

/* One that doesn't count any more, or else the one that failed least. */
static struct entry *
make(struct place *p, const struct conf *c)
{
	struct entry *e = &p->set[0];

	for (int i = 0; i < WAYS; i++) {
		if (!counts(p, &p->set[i], c)) {
			e = &p->set[i];
			break;
		}
		if (p->set[i].failures < e->failures)
			e = &p->set[i];
	}
	memset(e, 0, sizeof(*e));
	memcpy(e->address, p->address, sizeof(e->address));
	e->since = p->now;
	return e;
}

bool
penalty_over(const struct conf *c, const char *peer)
{
	const struct entry *e = NULL;
	struct place p;

	if (place_open(&p, c, peer))
		e = find(&p, c);
	io_close(&p.fd);	/* with the lock */
	return e != NULL && e->failures >= c->address_failures;
}

void
penalty_add(const struct conf *c, const char *peer)
{
	struct place p;
	struct entry *e;

	if (place_open(&p, c, peer)) {
		if ((e = find(&p, c)) == NULL)
			e = make(&p, c);
		if (e->failures < UINT32_MAX)
			e->failures++;
		if (e->failures == c->address_failures)
			log_warn("logins from %s are refused: %u failures",
			    peer, e->failures);
		if (io_pwrite_full(p.fd, e, sizeof(*e),
		    p.off + (off_t)((size_t)(e - p.set) * sizeof(*e))) < 0)
			log_debug("auth.failures: %s", strerror(errno));
	}
	io_close(&p.fd);
}
