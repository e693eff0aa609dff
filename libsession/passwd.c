/* libsession/passwd.c - the password file: finding, hashing, checking */
#include "config.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/passwd-int.h"
#include "libstore/store.h"

enum {
	PIECE = 65536,		/* of a scan */
	NARROW = 4096,		/* octets that a search reads at once */
	PASSWORD_MAX = CRYPT_MAX_PASSPHRASE_SIZE - 1
};

int
passwd_name(struct slice name, struct arena *a, struct slice *out_r)
{
	bool ascii = true;
	char *p;

	if (name.n == 0 || name.n > STORE_ACCOUNT_MAX)
		return -1;
	p = arena_strndup(a, name.p, name.n);
	for (size_t i = 0; i < name.n; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
		ascii = ascii && (unsigned char)p[i] < 0x80;
	}
	*out_r = slice_make(p, name.n);
	if (!ascii && utf8_fold(*out_r, a, out_r) < 0)
		return -1;
	return store_account_ok(*out_r) ? 0 : -1;
}

/* The part before the next c, which is taken off *s with it. */
static struct slice
cut(struct slice *s, char c)
{
	const char *p = s->n > 0 ? memchr(s->p, c, s->n) : NULL;
	struct slice part = *s;

	if (p == NULL) {
		*s = slice_make(NULL, 0);
		return part;
	}
	part.n = (size_t)(p - s->p);
	*s = slice_make(p + 1, s->n - part.n - 1);
	return part;
}

int
passwd_line(struct slice line, struct passwd_entry *e_r)
{
	struct slice rest = line, word;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		rest.n--;
	if (rest.n == 0 || line.p[0] == '#')
		return 0;
	memset(e_r, 0, sizeof(*e_r));
	e_r->name = cut(&rest, ':');
	e_r->hash = cut(&rest, ':');
	if (e_r->name.n == 0 || e_r->hash.n == 0)
		return -1;
	while (rest.n > 0) {
		word = cut(&rest, ',');
		if (slice_eq(word, SLICE_LIT("disabled")))
			e_r->disabled = true;
		else if (slice_eq(word, SLICE_LIT("no-send")))
			e_r->no_send = true;
		else if (slice_starts(word, SLICE_LIT("alias-of=")) &&
		    word.n > 9)
			e_r->alias_of = slice_make(word.p + 9, word.n - 9);
		else if (slice_starts(word, SLICE_LIT("name=")) &&
		    utf8_valid(word))
			e_r->full_name = slice_make(word.p + 5, word.n - 5);
		else
			return -1;	/* not understood: not obeyed */
	}
	return 1;
}

int
passwd_scan(int fd, off_t off, off_t end,
    int (*fn)(void *arg, struct slice line), void *arg)
{
	size_t size = end - off < PIECE ? (size_t)(end - off) : PIECE, n = 0;
	char *p = xmalloc(size + 1);
	bool skip = false;	/* within a line that is too long */
	int rc = 0;

	while (rc == 0 && (off < end || n > 0)) {
		size_t want = size - n, i = 0;
		const char *nl;

		if ((off_t)want > end - off)
			want = (size_t)(end - off);
		if (want > 0 && io_pread_full(fd, p + n, want, off) < 0) {
			errno = errno != 0 ? errno : EIO;
			rc = -1;
			break;
		}
		off += (off_t)want;
		n += want;
		while (rc == 0 && i < n &&
		    (nl = memchr(p + i, '\n', n - i)) != NULL) {
			if (!skip)
				rc = fn(arg, slice_make(p + i,
				    (size_t)(nl - p) - i));
			skip = false;
			i = (size_t)(nl - p) + 1;
		}
		if (rc == 0 && off == end && i < n) {	/* no last '\n' */
			if (!skip)
				rc = fn(arg, slice_make(p + i, n - i));
			i = n;
		}
		if (i == 0 && n == size) {
			skip = true;
			i = n;
		}
		memmove(p, p + i, n - i);
		n -= i;
	}
	xfree(p);
	return rc;
}

struct search {
	struct slice name;
	struct arena *a;
	struct passwd_entry *e_r;
};

static int
match(void *arg, struct slice line)
{
	struct search *s = arg;
	struct passwd_entry e;

	if (!slice_starts(line, s->name) || line.n <= s->name.n ||
	    line.p[s->name.n] != ':' || line.n > PASSWD_LINE_MAX)
		return 0;
	if (passwd_line(arena_slice(s->a, line), &e) != 1) {
		log_err("the password file's line of %.*s is malformed",
		    (int)s->name.n, s->name.p);
		errno = EINVAL;
		return -1;
	}
	*s->e_r = e;
	return 1;
}

/* Does the head say that the file is in order, and truly? */
static bool
is_sorted(int fd, off_t size)
{
	char head[PASSWD_HEAD_LEN], want[PASSWD_HEAD_LEN + 1];

	if (size < PASSWD_HEAD_LEN ||
	    io_pread_full(fd, head, sizeof(head), 0) < 0)
		return false;
	snprintf(want, sizeof(want), PASSWD_HEAD "%012lld\n",
	    (long long)size);
	return memcmp(head, want, sizeof(head)) == 0;
}

/*
 * Narrows [*lo, *hi), which begins and ends at a line, until it is small.  0,
 * 1: the lines are not in order after all, -1 with errno.
 */
static int
narrow(int fd, struct slice name, off_t *lo, off_t *hi)
{
	char p[NARROW];

	while (*hi - *lo > NARROW) {
		off_t mid = *lo + (*hi - *lo) / 2;
		size_t want = *hi - mid < NARROW ? (size_t)(*hi - mid) : NARROW;
		struct slice line;
		const char *nl, *end, *colon;

		if (io_pread_full(fd, p, want, mid) < 0)
			return -1;
		if ((nl = memchr(p, '\n', want)) == NULL)
			return 1;
		nl++;
		line = slice_make(nl, want - (size_t)(nl - p));
		end = line.n > 0 ? memchr(nl, '\n', line.n) : NULL;
		colon = line.n > 0 ? memchr(nl, ':', line.n) : NULL;
		if (end != NULL && *nl == '#') {
			*lo = mid + (nl - p);	/* comments go first */
			continue;
		}
		if (end == NULL || colon == NULL || colon > end)
			return 1;
		line.n = (size_t)(colon - nl);
		mid += nl - p;
		if (slice_cmp(name, line) < 0)
			*hi = mid;
		else
			*lo = mid;
	}
	return 0;
}

static int
find_in(int fd, struct search *s)
{
	struct stat st;
	off_t lo, hi;
	int rc;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > PASSWD_FILE_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (is_sorted(fd, st.st_size)) {
		lo = PASSWD_HEAD_LEN;
		hi = st.st_size;
		if ((rc = narrow(fd, s->name, &lo, &hi)) < 0)
			return -1;
		if (rc == 0)
			return passwd_scan(fd, lo, hi, match, s);
	}
	return passwd_scan(fd, 0, st.st_size, match, s);
}

int
passwd_find(const struct conf *c, struct slice name, struct arena *a,
    struct passwd_entry *e_r)
{
	struct search s = { name, a, e_r };
	int fd, rc, e;

	if ((fd = open(c->passwd_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return -1;
	rc = find_in(fd, &s);
	e = errno;
	io_close(&fd);
	errno = e;
	return rc < 0 ? -1 : rc == 1 ? 0 : 1;
}

struct listing {
	int (*fn)(void *arg, const struct passwd_entry *e);
	void *arg;
	bool stopped;
	int rc;
};

static int
list_line(void *arg, struct slice line)
{
	struct listing *l = arg;
	struct passwd_entry e;
	int rc = line.n > PASSWD_LINE_MAX ? -1 : passwd_line(line, &e);

	if (rc < 0)
		log_warn("the password file has a malformed line: %.*s",
		    (int)(line.n < 40 ? strcspn(line.p, ":") : 40), line.p);
	if (rc != 1)
		return 0;
	l->rc = l->fn(l->arg, &e);
	l->stopped = l->rc != 0;
	return l->stopped;
}

int
passwd_list(const struct conf *c,
    int (*fn)(void *arg, const struct passwd_entry *e), void *arg)
{
	struct listing l = { .fn = fn, .arg = arg };
	struct stat st;
	int fd, rc = -1, e;

	if ((fd = open(c->passwd_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return -1;
	if (fstat(fd, &st) == 0)
		rc = passwd_scan(fd, 0, st.st_size, list_line, &l);
	e = errno;
	io_close(&fd);
	errno = e;
	return l.stopped ? l.rc : rc;
}

/* ---- hashes ------------------------------------------------------------ */

/* crypt_r(3) of octets; NULL if that can't be.  *data_r is wiped and freed by
 * crypt_done(). */
static const char *
crypt_octets(struct slice password, const char *setting,
    struct crypt_data **data_r)
{
	char text[PASSWORD_MAX + 1];
	const char *out;

	*data_r = NULL;
	if (password.n > PASSWORD_MAX ||
	    (password.n > 0 && memchr(password.p, '\0', password.n) != NULL))
		return NULL;
	if (password.n > 0)
		memcpy(text, password.p, password.n);
	text[password.n] = '\0';
	*data_r = xcalloc(1, sizeof(**data_r));
	out = crypt_r(text, setting, *data_r);
	secret_wipe(text, sizeof(text));
	return out != NULL && out[0] != '*' ? out : NULL;
}

static void
crypt_done(struct crypt_data *data)
{
	xfree_secret(data, sizeof(*data));
}

int
passwd_hash(const struct conf *c, struct slice password, struct arena *a,
    struct slice *hash_r)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = NULL;
	const char *hash;

	if (crypt_gensalt_rn(c->hash, c->hash_cost, NULL, 0, setting,
		sizeof(setting)) == NULL)
		return -1;
	hash = crypt_octets(password, setting, &data);
	if (hash != NULL)
		*hash_r = arena_slice(a, slice_str(hash));
	crypt_done(data);
	return hash != NULL ? 0 : -1;
}

int
passwd_check(struct slice hash, struct slice password)
{
	char setting[CRYPT_OUTPUT_SIZE];
	struct crypt_data *data = NULL;
	const char *out;
	int same;

	if (hash.n == 0 || hash.n >= sizeof(setting))
		return 0;
	memcpy(setting, hash.p, hash.n);
	setting[hash.n] = '\0';
	out = crypt_octets(password, setting, &data);
	same = out != NULL && strlen(out) == hash.n &&
	    secret_eq(out, hash.p, hash.n);
	crypt_done(data);
	return same;
}

void
passwd_check_dummy(const struct conf *c, struct slice password)
{
	static const char salt[32] = "only the time that it takes...";
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = NULL;

	if (crypt_gensalt_rn(c->hash, c->hash_cost, salt, sizeof(salt), setting,
		sizeof(setting)) == NULL)
		return;
	if (password.n > PASSWORD_MAX)
		password.n = PASSWORD_MAX;
	crypt_octets(password, setting, &data);
	crypt_done(data);
}
