/* libsession/login-scram.c - logins by a proof, not by a password */
#include "config.h"

#include <string.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/login-int.h"
#include "libsession/penalty.h"
#include "libsession/secret.h"

enum { KEY = 32 };

/* Nobody has these, but whoever asks gets the same ones each time: a salt that
 * comes from the name and a secret.  It lies with the mail, to outlive a
 * restart. */
static void
made_up(const struct conf *c, struct slice name, enum scram_hash h,
    struct scram_keys *k)
{
	char *path = xasprintf("%s/.scram-key", c->mail_dir);
	unsigned char key[KEY] = { 0 }, mac[SHA256_LEN];

	if (secret_file(c, path, key, sizeof(key)) < 0)
		random_bytes(key, sizeof(key));
	hmac_sha256(slice_make((char *)key, sizeof(key)), name, mac);
	*k = (struct scram_keys){ .hash = h, .n = scram_len(h),
		.salt_n = SCRAM_SALT,
		.iterations = passwd_scram_iterations(c) };
	memcpy(k->salt, mac, SCRAM_SALT);
	secret_wipe(key, sizeof(key));
	xfree(path);
}

int
login_keys(struct session *s, struct slice user, enum scram_hash h,
    struct arena *a, struct login_found *f_r, struct scram_keys *k_r)
{
	struct slice local, domain, hash;
	int rc = 1;

	if (login_too_many(s->conf, s->listener->protocol, user, s->peer))
		return LOGIN_E_ADDRESS;
	if (user.n <= LOGIN_USER_MAX) {
		login_split(user, &local, &domain);
		rc = login_find_address(s->conf, local, domain, a, f_r);
	}
	if (rc < 0)
		return LOGIN_E_TEMP;
	if (rc == 0) {
		hash = f_r->entry.hash;
		/* An alias has its account's password or one of its own. */
		if (slice_eq(hash, SLICE_LIT("*")))
			hash = f_r->account.hash;
		if (scram_parse(hash, k_r) == 0 && k_r->hash == h)
			return 1;
	}
	made_up(s->conf, user, h, k_r);
	return 0;
}

int
login_proved(struct session *s, const struct login_found *f,
    struct slice user, struct slice authzid, struct arena *a)
{
	enum conf_protocol proto = s->listener->protocol;
	struct login_who who = { .user = user, .by = user };
	const char *why;

	if (f == NULL) {
		login_log_failed("failed", user, s->peer, proto, "wrong proof");
		penalty_add(s->conf, s->peer);
		return login_finish(s, LOGIN_E_BAD, &who, authzid,
		    s->conf->failure_delay_ms, a);
	}
	if (login_may_enter(f, proto, &why) != LOGIN_OK) {
		login_log_failed("refused", user, s->peer, proto, why);
		return login_finish(s, LOGIN_E_DENIED, &who, authzid, 0, a);
	}
	who.account = f->account.name;
	return login_finish(s, LOGIN_OK, &who, authzid, 0, a);
}
