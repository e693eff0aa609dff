/*
 * jmap-fcgi/logins.c - logins that were right a moment ago
 *
 * HTTP sends the password with each request.  What login_verify() said yes to
 * is remembered for a short time in this process's memory, as a keyed hash,
 * and only as long as the password file is the same.
 */
#include "config.h"

#include <pthread.h>
#include <sys/stat.h>

#include "jmap-fcgi/web.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum { SLOTS = 1024, KEEP_MS = 60000 };

struct stamp {		/* of the password file */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct login {
	unsigned char mac[SHA256_LEN];	/* of the header field's value */
	int64_t until;
	struct stamp file;
	char *user, *account;
};

struct logins {
	const char *file;
	int64_t keep_ms;
	unsigned char key[SHA256_LEN];
	pthread_mutex_t lock;
	struct stamp now;	/* when it was looked at last */
	uint64_t generation;
	struct login slot[SLOTS];
};

struct logins *
logins_new(const struct conf *cf)
{
	struct logins *l = xcalloc(1, sizeof(*l));

	l->file = cf->passwd_file;
	l->keep_ms = (int64_t)cf->auth_cache_s * 1000;
	if (l->keep_ms > KEEP_MS)
		l->keep_ms = KEEP_MS;
	random_bytes(l->key, sizeof(l->key));
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

static void
slot_clear(struct login *s)
{
	xfree(s->user);
	xfree(s->account);
	memset(s, 0, sizeof(*s));
}

void
logins_free(struct logins **l)
{
	if (*l == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		slot_clear(&(*l)->slot[i]);
	pthread_mutex_destroy(&(*l)->lock);
	xfree_secret(*l, sizeof(**l));
	*l = NULL;
}

static int
stamp_get(const char *file, struct stamp *s)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return -1;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->size = st.st_size;
	s->mtime = st.st_mtim;
	return 0;
}

static bool
stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->mtime.tv_sec == b->mtime.tv_sec &&
	    a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* The slot of a header value; what goes with it is only in *want. */
static struct login *
find(struct logins *l, struct slice header, struct login *want)
{
	size_t i;

	memset(want, 0, sizeof(*want));
	if (l->keep_ms == 0 || stamp_get(l->file, &want->file) < 0)
		return NULL;
	hmac_sha256(slice_make((const char *)l->key, sizeof(l->key)), header,
	    want->mac);
	i = (size_t)want->mac[0] << 8 | want->mac[1];
	return &l->slot[i % SLOTS];
}

static bool
same(const struct login *a, const struct login *b)
{
	return secret_eq(a->mac, b->mac, sizeof(a->mac)) &&
	    stamp_same(&a->file, &b->file);
}

bool
logins_get(struct logins *l, struct slice header, struct arena *a,
    struct slice *user_r, struct slice *account_r)
{
	struct login want, *s = find(l, header, &want);
	bool yes;

	if (s == NULL)
		return false;
	pthread_mutex_lock(&l->lock);
	yes = s->user != NULL && s->until > time_mono_ms() && same(s, &want);
	if (yes) {
		*user_r = slice_str(arena_strdup(a, s->user));
		*account_r = slice_str(arena_strdup(a, s->account));
	}
	pthread_mutex_unlock(&l->lock);
	return yes;
}

void
logins_put(struct logins *l, struct slice header, struct slice user,
    struct slice account)
{
	struct login want, *s = find(l, header, &want);

	if (s == NULL)
		return;
	want.until = time_mono_ms() + l->keep_ms;
	want.user = xstrndup(user.p, user.n);
	want.account = xstrndup(account.p, account.n);
	pthread_mutex_lock(&l->lock);
	slot_clear(s);
	*s = want;
	pthread_mutex_unlock(&l->lock);
}

uint64_t
logins_generation(struct logins *l)
{
	struct stamp s;
	uint64_t n;

	memset(&s, 0, sizeof(s));
	(void)stamp_get(l->file, &s);	/* none is another one, too */
	pthread_mutex_lock(&l->lock);
	if (!stamp_same(&s, &l->now)) {
		l->now = s;
		l->generation++;
	}
	n = l->generation;
	pthread_mutex_unlock(&l->lock);
	return n;
}
