/* culver/cmd-pw.c - culver pw, auth test: a password's hash, and is it right? */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"
#include "libsession/session.h"

enum { O_STDIN, O_JSON, O_RANDOM };	/* pw */
enum { O_PROTOCOL = 2 };		/* auth test */

static const struct opt pw_opts[] = {
	{ "password-stdin", NULL, "it is the first line of standard input" },
	{ "json", NULL, "as a JSON object" },
	{ "random", NULL, "make one" },
	{ NULL, NULL, NULL }
};
static const struct opt auth_opts[] = {
	{ "password-stdin", NULL, "it is the first line of standard input" },
	{ "json", NULL, "as a JSON object" },
	{ "protocol", "NAME", "imap (the default), jmap or pop3" },
	{ NULL, NULL, NULL }
};

static void
put_hash(struct slice hash, const char *random, bool json)
{
	json_t *o;

	if (!json && random)
		printf("%s:%.*s\n", random, (int)hash.n, hash.p);
	else if (!json)
		printf("%.*s\n", (int)hash.n, hash.p);
	if (!json)
		return;
	o = json_object();
	if (random)
		json_object_set_new(o, "password", json_string(random));
	row_text(o, "hash", hash);
	row_alone(o);
}

static int
run_pw(struct culver *c, const struct args *a)
{
	struct arena *ar = arena_new(0);
	bool random = a->val[O_RANDOM] != NULL;
	struct slice hash;
	char *pw = NULL;
	int code = EXIT_PERM;

	if (random)
		pw = password_random();
	else if (password_get("a new password", a->val[O_STDIN] != NULL, false,
	    &pw) < 0)
		goto out;
	if (passwd_hash(c->conf, slice_str(pw), ar, &hash) < 0) {
		complain("the password can't be hashed: is hash = \"%s\" a "
		    "method of crypt(5)?", c->conf->hash);
		goto out;
	}
	put_hash(hash, random ? pw : NULL, a->val[O_JSON] != NULL);
	code = 0;
out:
	if (pw)
		xfree_secret(pw, strlen(pw));
	arena_free(&ar);
	return code;
}

/* ---- auth test --------------------------------------------------------- */

static int
protocol(const struct args *a, enum conf_protocol *p_r)
{
	const char *name = a->val[O_PROTOCOL];
	int found = name ? conf_protocol_find(name) : CONF_IMAP;

	*p_r = (enum conf_protocol)found;
	if (found >= 0 && found != CONF_LMTP)
		return 0;
	complain("--protocol: imap, jmap or pop3, not \"%s\"", name);
	return -1;
}

static const char *
meaning(int rc)
{
	switch (rc) {
	case LOGIN_OK:
		return "accepted";
	case LOGIN_E_BAD:
		return "wrong name or password";
	case LOGIN_E_DENIED:
		return "refused: disabled, over, or not by this protocol";
	default:
		return "the password file is out of reach";
	}
}

static void
tell(const struct args *a, int rc, const struct login_who *who)
{
	json_t *o;

	if (a->val[O_JSON]) {
		o = json_object();
		row_text(o, "user", slice_str(a->pos[0]));
		json_object_set_new(o, "ok", json_boolean(rc == LOGIN_OK));
		json_object_set_new(o, "result", json_string(meaning(rc)));
		if (rc == LOGIN_OK)
			row_text(o, "account", who->account);
		row_alone(o);
		return;
	}
	put_clean(slice_str(a->pos[0]));
	printf(": %s", meaning(rc));
	if (rc == LOGIN_OK) {
		fputs(", account ", stdout);
		put_clean(who->account);
	}
	putchar('\n');
}

static int
run_auth(struct culver *c, const struct args *a)
{
	struct login_who who = { .account = { NULL, 0 } };
	enum conf_protocol p;
	struct arena *ar;
	char *pw = NULL;
	uint32_t ms;
	int rc;

	if (protocol(a, &p) < 0)
		return EXIT_PERM;
	rc = a->val[O_STDIN] ? password_stdin(&pw) :
	    password_once(a->pos[0], &pw);
	if (rc < 0)
		return EXIT_PERM;
	ar = arena_new(0);
	/* The table of right passwords is the servers': root makes none. */
	c->conf->auth_cache_s = 0;
	priv_caller();
	rc = login_verify(c->conf, p, slice_str(a->pos[0]), slice_str(pw),
	    "stdio", ar, &who, &ms);
	priv_service();
	tell(a, rc, &who);
	xfree_secret(pw, strlen(pw));
	arena_free(&ar);
	return rc == LOGIN_OK ? 0 : rc == LOGIN_E_TEMP ? EXIT_TEMP : EXIT_PERM;
}

const struct command cmd_pw = {
	"pw", "", "print the hash of a password", pw_opts, 0, 0, run_pw
};
const struct command cmd_auth_test = {
	"auth test", "NAME", "does a password open an account?", auth_opts, 1,
	1, run_auth
};
