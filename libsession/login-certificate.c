/* libsession/login-certificate.c - the account that a client's certificate is for */
#include "config.h"

#include "libbase/text.h"
#include "libsession/login-int.h"

enum { NAMES_MAX = 16 };	/* of a certificate that are looked at */

/* The i-th name that may be a login name: 1, in the arena, or n 0 where it is none
 * of ours; 0: there are no more. */
static int
name_of(const struct session *s, unsigned i, struct arena *a,
    struct slice *name_r)
{
	bool common = s->conf->client_name == CONF_CLIENT_CN;
	char text[LOGIN_USER_MAX + 1];

	if (i >= NAMES_MAX || sio_tls_peer_name(s->io, common, i, text,
		sizeof(text)) < 0)
		return 0;
	*name_r = arena_slice(a, slice_str(text));
	if (!utf8_valid(*name_r))
		name_r->n = 0;
	return 1;
}

static int
find(const struct conf *c, struct slice name, struct arena *a,
    struct login_found *f)
{
	struct slice local, domain;

	if (name.n == 0 || name.n > LOGIN_USER_MAX)
		return 1;
	login_split(name, &local, &domain);
	return login_find_address(c, local, domain, a, f);
}

int
login_certificate(struct session *s, struct slice authzid, struct arena *a,
    struct login_who *who)
{
	enum conf_protocol proto = s->listener->protocol;
	struct login_found f, mine = { .entry.disabled = true }, as = mine;
	bool chosen = false, found = false;
	const char *why;
	struct slice name;
	int rc = find(s->conf, authzid, a, &as);

	if (rc < 0)
		return LOGIN_E_TEMP;
	*who = (struct login_who){ .user = SLICE_LIT("-") };
	for (unsigned i = 0; !chosen && name_of(s, i, a, &name) > 0; i++) {
		if (i == 0)
			who->user = name;
		if ((rc = find(s->conf, name, a, &f)) < 0)
			return LOGIN_E_TEMP;
		chosen = rc == 0 && (authzid.n == 0 || slice_eq(
			f.account.name, as.account.name));
		if (chosen || (rc == 0 && !found)) {
			who->user = name;
			mine = f;
		}
		found = found || rc == 0;
	}
	if (!found) {
		login_log_failed("failed", who->user, s->peer, proto,
		    "the certificate is no account's");
		return LOGIN_E_BAD;
	}
	if (login_may_enter(&mine, proto, &why) != LOGIN_OK) {
		login_log_failed("refused", who->user, s->peer, proto, why);
		return LOGIN_E_DENIED;
	}
	who->account = arena_slice(a, mine.account.name);
	who->by = slice_str(arena_printf(a, LOGIN_BY_CERTIFICATE "%.*s",
	    (int)who->user.n, who->user.p));
	return LOGIN_OK;
}
