/* libsession/authcache.c - passwords that were verified a short while ago */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/authcache.h"
#include "libsession/run-file.h"
#include "libsession/secret.h"

enum {
	KEY_LEN = 32,
	MAC_LEN = 24,
	SETS = 1024,		/* of the table */
	WAYS = 4,		/* entries of a set */
	INPUT_MAX = 65536
};

struct entry {	/* on disk; of this machine only */
	int64_t until;		/* seconds since 1970 */
	unsigned char mac[MAC_LEN];
};

/* The place of a login in the open table. */
struct place {
	int fd;
	off_t off;
	unsigned char key[KEY_LEN], tag[SHA256_LEN];
	struct entry set[WAYS];
	int64_t now;
};

static bool
key_read(const struct conf *c, unsigned char key[KEY_LEN])
{
	char *path = xasprintf("%s/auth.key", c->run_dir);
	int rc = secret_file(c, path, key, KEY_LEN);

	if (rc < 0)
		log_debug("%s: %s; every password takes its full time", path,
		    strerror(errno));
	xfree(path);
	return rc == 0;
}

/* MAC over all that must be the same, each with its length. */
static void
tag(struct place *p, struct slice name, struct slice password,
    struct slice line)
{
	struct slice part[3] = { name, password, line };
	struct buf b;

	buf_init(&b, INPUT_MAX);
	for (int i = 0; i < 3; i++) {
		buf_add_be32(&b, (uint32_t)part[i].n);
		buf_add_slice(&b, part[i]);
	}
	hmac_sha256(slice_make((char *)p->key, KEY_LEN), buf_slice(&b), p->tag);
	if (b.p != NULL)
		secret_wipe(b.p, b.n);
	buf_release(&b);
}

static void
mac(const struct place *p, int64_t until, unsigned char out[MAC_LEN])
{
	unsigned char text[SHA256_LEN + sizeof(until)], full[SHA256_LEN];

	memcpy(text, p->tag, SHA256_LEN);
	memcpy(text + SHA256_LEN, &until, sizeof(until));
	hmac_sha256(slice_make((const char *)p->key, KEY_LEN),
	    slice_make((char *)text, sizeof(text)), full);
	memcpy(out, full, MAC_LEN);
}

/* Finds the set of a login.  false: there is no cache. */
static bool
place_open(struct place *p, const struct conf *c, struct slice name,
    struct slice password, struct slice line)
{
	struct timespec ts;
	uint32_t set;

	p->fd = -1;
	if (c->auth_cache_s == 0 || name.n > 1024 || password.n > 1024 ||
	    line.n > 4096 || !key_read(c, p->key) ||
	    (p->fd = run_file_open(c, "auth.cache")) < 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &ts);
	p->now = ts.tv_sec;
	tag(p, name, password, line);
	memcpy(&set, p->tag, sizeof(set));
	p->off = (off_t)(set % SETS * sizeof(p->set));
	memset(p->set, 0, sizeof(p->set));
	/* Short where nothing was written yet. */
	return pread(p->fd, p->set, sizeof(p->set), p->off) >= 0;
}

static void
place_close(struct place *p)
{
	io_close(&p->fd);
	secret_wipe(p, sizeof(*p));
}

int
authcache_get(const struct conf *c, struct slice name, struct slice password,
    struct slice line)
{
	struct place p;
	unsigned char want[MAC_LEN];
	int found = 0;

	if (place_open(&p, c, name, password, line)) {
		for (int i = 0; i < WAYS; i++) {
			/* Not one from before the clock was set back. */
			if (p.set[i].until <= p.now ||
			    p.set[i].until > p.now + c->auth_cache_s)
				continue;
			mac(&p, p.set[i].until, want);
			found |= secret_eq(want, p.set[i].mac, MAC_LEN);
		}
	}
	place_close(&p);
	return found;
}

void
authcache_put(const struct conf *c, struct slice name, struct slice password,
    struct slice line)
{
	struct place p;
	struct entry e;
	int oldest = 0;

	if (place_open(&p, c, name, password, line)) {
		for (int i = 1; i < WAYS; i++)
			if (p.set[i].until < p.set[oldest].until)
				oldest = i;
		e.until = p.now + c->auth_cache_s;
		mac(&p, e.until, e.mac);
		if (io_pwrite_full(p.fd, &e, sizeof(e),
			p.off + (off_t)((size_t)oldest * sizeof(e))) < 0)
			log_debug("auth.cache: %s", strerror(errno));
	}
	place_close(&p);
}
