/* libsession/token.c - tokens: passwords of single programs */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/linefile.h"
#include "libsession/passwd.h"
#include "libsession/protocols.h"
#include "libsession/passwd.h"
#include "libsession/protocols.h"
#include "libsession/token.h"

#define PREFIX "cvr-"
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";

bool
token_form(struct slice text)
{
	if (text.n != TOKEN_TEXT || !slice_starts(text, SLICE_LIT(PREFIX)))
		return false;
	for (size_t i = sizeof(PREFIX) - 1; i < text.n; i++)
		if (text.p[i] == '\0' || strchr(alphabet, text.p[i]) == NULL)
			return false;
	return true;
}

/* ---- lines ------------------------------------------------------------- */

static bool
hash_ok(struct slice s)
{
	unsigned char octets[TOKEN_HASH / 2];

	return hex_decode(s, octets, sizeof(octets)) == 0;
}

static bool
take_key(struct token *t, struct slice word)
{
	struct slice value = word, key = slice_cut(&value, '=');

	if (slice_eq(key, SLICE_LIT("for")))
		return protocols_parse(value, '+', &t->protocols);
	if (slice_eq(key, SLICE_LIT("made")))
		return time_rfc3339_parse(value, &t->made, NULL) == 0;
	if (slice_eq(key, SLICE_LIT("until")))
		return time_rfc3339_parse(value, &t->until, NULL) == 0;
	if (slice_eq(key, SLICE_LIT("name"))) {
		t->name = value;
		return utf8_valid(value);
	}
	return false;	/* not understood: not obeyed */
}

int
token_line(struct slice line, struct token *t_r)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0 || line.p[0] == '#')
		return 0;
	*t_r = (struct token){ .protocols = PROTOCOLS_ALL };
	t_r->hash = slice_cut(&line, ':');
	t_r->account = slice_cut(&line, ':');
	if (!hash_ok(t_r->hash) || t_r->account.n == 0)
		return -1;
	while (line.n > 0)
		if (!take_key(t_r, slice_cut(&line, ',')))
			return -1;
	return 1;
}

static int
parse_key(struct slice line, struct slice *key_r)
{
	struct token t;
	int rc = token_line(line, &t);

	if (rc == 1)
		*key_r = t.hash;
	return rc;
}

static struct linefile
linefile(const struct conf *c)
{
	return (struct linefile){ c->token_file, "#culver-tokens sorted ",
		c->user, parse_key };
}

/* ---- reading ----------------------------------------------------------- */

int
token_find_hash(const struct conf *c, struct slice hash, struct arena *a,
    struct token *t_r)
{
	struct linefile f = linefile(c);
	struct slice line;
	int rc = linefile_find(&f, hash, a, &line);

	if (rc < 0 && errno == ENOENT)
		return 1;
	if (rc < 0)
		log_err("%s: %s", c->token_file, strerror(errno));
	if (rc != 0)
		return rc;
	if (token_line(line, t_r) == 1)
		return 0;
	log_err("%s: the line of %.8s... is malformed", c->token_file, hash.p);
	return -1;
}

static struct slice
hash_of(struct slice text, struct arena *a)
{
	unsigned char hash[SHA256_LEN];
	struct buf hex;
	struct slice s;

	sha256_of(text, hash);
	buf_init(&hex, TOKEN_HASH);
	hex_encode(&hex, slice_make((const char *)hash, sizeof(hash)));
	s = arena_slice(a, buf_slice(&hex));
	buf_release(&hex);
	return s;
}

int
token_find(const struct conf *c, struct slice text, struct arena *a,
    struct token *t_r)
{
	return token_form(text) ? token_find_hash(c, hash_of(text, a), a, t_r) :
	    1;
}

bool
token_good(const struct token *t, enum conf_protocol proto, int64_t now)
{
	return (t->protocols & 1U << proto) != 0 &&
	    (t->until == 0 || now < t->until);
}

struct listing {
	const struct conf *conf;
	int (*fn)(void *arg, const struct token *t);
	void *arg;
};

static int
list_line(void *arg, struct slice line)
{
	struct listing *l = arg;
	struct token t;
	int rc = line.n > LINEFILE_LINE_MAX ? -1 : token_line(line, &t);

	if (rc < 0)
		log_warn("%s has a malformed line: %.*s", l->conf->token_file,
		    line.n < 8 ? (int)line.n : 8, line.p);
	return rc == 1 ? l->fn(l->arg, &t) : 0;
}

int
token_list(const struct conf *c, int (*fn)(void *arg, const struct token *t),
    void *arg)
{
	struct listing l = { c, fn, arg };
	struct linefile f = linefile(c);
	int rc = linefile_each(&f, list_line, &l);

	return rc < 0 && errno == ENOENT ? 0 : rc;
}

/* ---- writing ----------------------------------------------------------- */

void
token_make(struct token *t, struct arena *a, char text[TOKEN_TEXT + 1])
{
	enum { N = TOKEN_TEXT - (sizeof(PREFIX) - 1) };
	unsigned char r[N];
	char *p = text + sizeof(PREFIX) - 1;

	memcpy(text, PREFIX, sizeof(PREFIX) - 1);
	random_bytes(r, sizeof(r));
	for (size_t i = 0; i < N; i++)
		p[i] = alphabet[r[i] & 31];
	p[N] = '\0';
	secret_wipe(r, sizeof(r));
	t->hash = hash_of(slice_make(text, TOKEN_TEXT), a);
}

static void
add_time(struct buf *b, const char *key, int64_t t)
{
	if (t == 0)
		return;
	buf_add_str(b, key);
	time_rfc3339(b, t);
}

int
token_put(const struct conf *c, const struct token *t)
{
	struct linefile f = linefile(c);
	struct linefile_line l;
	struct buf b;
	int rc = -1, err = EINVAL;

	buf_init(&b, LINEFILE_LINE_MAX);
	buf_add_slice(&b, t->hash);
	buf_addc(&b, ':');
	buf_add_slice(&b, t->account);
	buf_add_str(&b, ":for=");
	protocols_put(&b, t->protocols);
	add_time(&b, ",made=", t->made);
	add_time(&b, ",until=", t->until);
	if (t->name.n > 0) {
		buf_add_str(&b, ",name=");
		buf_add_slice(&b, t->name);
	}
	if (!b.overflow && passwd_full_name_ok(t->name)) {
		l = (struct linefile_line){ t->hash, buf_slice(&b) };
		rc = linefile_update(&f, &l, 1);
		err = errno;
	}
	buf_release(&b);
	errno = err;
	return rc;
}

int
token_delete(const struct conf *c, const struct slice *hash, size_t n)
{
	struct linefile f = linefile(c);
	struct arena *a = arena_new(0);
	struct linefile_line *v = arena_calloc(a, n, sizeof(*v));
	int rc, err;

	for (size_t i = 0; i < n; i++)
		v[i].key = hash[i];
	rc = linefile_update(&f, v, n);
	err = errno;
	arena_free(&a);
	errno = err;
	return rc;
}
