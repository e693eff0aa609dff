/*
 * jmap-fcgi/logins.c - logins that were right a moment ago
 *
 * HTTP sends the password with each request.  What login_verify() said yes to
 * is remembered for a short time in this process's memory, as a keyed hash,
 * and only as long as the files of passwords and tokens are the same.
 */
#include "config.h"

#include <pthread.h>
#include <sys/stat.h>

#include "jmap-fcgi/web.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/session.h"

enum { SLOTS = 1024, KEEP_MS = 60000, FILES = 2 };

struct stamp {		/* of a file; zero: there is none */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct login {
	unsigned char mac[SHA256_LEN];	/* of the header field's value */
	int64_t until;
	struct stamp file[FILES];
	char *user, *by, *account;
	int64_t ends;		/* of its token, seconds since 1970 */
};

struct logins {
	const char *file[FILES];
	int64_t keep_ms;
	unsigned char key[SHA256_LEN];
	pthread_mutex_t lock;
	struct stamp now[FILES];	/* when they were looked at last */
	int64_t looked;		/* since when it is this generation */
	uint64_t generation;
	struct login slot[SLOTS];
};

struct logins *
logins_new(const struct conf *cf)
{
	struct logins *l = xcalloc(1, sizeof(*l));

	l->file[0] = cf->passwd_file;
	l->file[1] = cf->token_file;
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
	xfree(s->by);
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

static void
stamps_get(const struct logins *l, struct stamp s[FILES])
{
	struct stat st;

	memset(s, 0, FILES * sizeof(*s));
	for (int i = 0; i < FILES; i++) {
		if (stat(l->file[i], &st) < 0)
			continue;	/* none is another one, too */
		s[i].dev = st.st_dev;
		s[i].ino = st.st_ino;
		s[i].size = st.st_size;
		s[i].mtime = st.st_mtim;
	}
}

static bool
stamps_same(const struct stamp a[FILES], const struct stamp b[FILES])
{
	for (int i = 0; i < FILES; i++)
		if (a[i].dev != b[i].dev || a[i].ino != b[i].ino ||
		    a[i].size != b[i].size ||
		    a[i].mtime.tv_sec != b[i].mtime.tv_sec ||
		    a[i].mtime.tv_nsec != b[i].mtime.tv_nsec)
			return false;
	return true;
}

/* The slot of a header value; what goes with it is only in *want. */
static struct login *
find(struct logins *l, struct slice header, struct login *want)
{
	size_t i;

	memset(want, 0, sizeof(*want));
	if (l->keep_ms == 0)
		return NULL;
	stamps_get(l, want->file);
	hmac_sha256(slice_make((const char *)l->key, sizeof(l->key)), header,
	    want->mac);
	i = (size_t)want->mac[0] << 8 | want->mac[1];
	return &l->slot[i % SLOTS];
}

static bool
same(const struct login *a, const struct login *b)
{
	return secret_eq(a->mac, b->mac, sizeof(a->mac)) &&
	    stamps_same(a->file, b->file);
}

bool
logins_get(struct logins *l, struct slice header, struct arena *a,
    struct login_who *who_r)
{
	struct login want, *s = find(l, header, &want);
	bool yes;

	if (s == NULL)
		return false;
	pthread_mutex_lock(&l->lock);
	yes = s->user != NULL && s->until > time_mono_ms() &&
	    (s->ends == 0 || s->ends > time(NULL)) && same(s, &want);
	if (yes) {
		who_r->user = slice_str(arena_strdup(a, s->user));
		who_r->by = slice_str(arena_strdup(a, s->by));
		who_r->account = slice_str(arena_strdup(a, s->account));
		who_r->until = s->ends;
	}
	pthread_mutex_unlock(&l->lock);
	return yes;
}

void
logins_put(struct logins *l, struct slice header, const struct login_who *who)
{
	struct login want, *s = find(l, header, &want);

	if (s == NULL)
		return;
	want.until = time_mono_ms() + l->keep_ms;
	want.ends = who->until;
	want.user = xstrndup(who->user.p, who->user.n);
	want.by = xstrndup(who->by.p, who->by.n);
	want.account = xstrndup(who->account.p, who->account.n);
	pthread_mutex_lock(&l->lock);
	slot_clear(s);
	*s = want;
	pthread_mutex_unlock(&l->lock);
}

uint64_t
logins_generation(struct logins *l)
{
	int64_t now = time_mono_ms();
	struct stamp s[FILES];
	uint64_t n;

	stamps_get(l, s);
	pthread_mutex_lock(&l->lock);
	if (!stamps_same(s, l->now) || now - l->looked >= KEEP_MS) {
		memcpy(l->now, s, sizeof(s));
		l->looked = now;
		l->generation++;
	}
	n = l->generation;
	pthread_mutex_unlock(&l->lock);
	return n;
}
