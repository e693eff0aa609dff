/* libsession/passwd.c - the password file: finding, hashing, checking */
#include "config.h"

#include <crypt.h>
#include <errno.h>
#include <string.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/passwd-int.h"
#include "libsession/protocols.h"
#include "libsession/scheme.h"
#include "libsession/scram.h"
#include "libstore/store.h"

enum {
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

int
passwd_line(struct slice line, struct passwd_entry *e_r)
{
	struct slice rest = line, word;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		rest.n--;
	if (rest.n == 0 || line.p[0] == '#')
		return 0;
	memset(e_r, 0, sizeof(*e_r));
	e_r->name = slice_cut(&rest, ':');
	e_r->hash = slice_cut(&rest, ':');
	if (e_r->name.n == 0 || e_r->hash.n == 0)
		return -1;
	while (rest.n > 0) {
		word = slice_cut(&rest, ',');
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
		else if (slice_starts(word, SLICE_LIT("for=")) &&
		    protocols_parse(slice_make(word.p + 4, word.n - 4), '+',
			&e_r->protocols))
			continue;
		else
			return -1;	/* not understood: not obeyed */
	}
	return 1;
}

static int
parse(struct slice line, struct slice *key_r)
{
	struct passwd_entry e;
	int rc = passwd_line(line, &e);

	*key_r = e.name;
	return rc;
}

struct linefile
passwd_linefile(const struct conf *c)
{
	return (struct linefile){ c->passwd_file, "#culver-passwd sorted ",
		c->user, parse };
}

int
passwd_find(const struct conf *c, struct slice name, struct arena *a,
    struct passwd_entry *e_r)
{
	struct linefile f = passwd_linefile(c);
	struct slice line;
	int rc = linefile_find(&f, name, a, &line);

	if (rc != 0)
		return rc;
	if (passwd_line(line, e_r) == 1)
		return 0;
	log_err("the password file's line of %.*s is malformed", (int)name.n,
	    name.p);
	errno = EINVAL;
	return -1;
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
	int rc = line.n > LINEFILE_LINE_MAX ? -1 : passwd_line(line, &e);

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
	struct linefile f = passwd_linefile(c);
	int rc = linefile_each(&f, list_line, &l);

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

uint32_t
passwd_scram_iterations(const struct conf *c)
{
	return strncmp(c->hash, "{SCRAM", 6) == 0 && c->hash_cost > 0 ?
	    c->hash_cost : SCRAM_ITERATIONS;
}

int
passwd_hash(const struct conf *c, struct slice password, struct arena *a,
    struct slice *hash_r)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = NULL;
	const char *hash;

	if (c->hash[0] == '{')
		return scram_make(strcmp(c->hash, "{SCRAM-SHA-1}") == 0 ?
			SCRAM_SHA_1 : SCRAM_SHA_256, password,
		    passwd_scram_iterations(c), a, hash_r);
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

	if (hash.n > 0 && hash.p[0] == '{')
		return scheme_check(hash, password);
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
	struct scram_keys k = { .hash = SCRAM_SHA_256, .n = SHA256_LEN,
		.salt_n = SCRAM_SALT, .iterations = passwd_scram_iterations(c) };

	if (c->hash[0] == '{') {
		k.hash = strcmp(c->hash, "{SCRAM-SHA-1}") == 0 ? SCRAM_SHA_1 :
								 SCRAM_SHA_256;
		k.n = scram_len(k.hash);
		(void)scram_check(&k, password);
		return;
	}
	if (crypt_gensalt_rn(c->hash, c->hash_cost, salt, sizeof(salt), setting,
		sizeof(setting)) == NULL)
		return;
	if (password.n > PASSWORD_MAX)
		password.n = PASSWORD_MAX;
	crypt_octets(password, setting, &data);
	crypt_done(data);
}
