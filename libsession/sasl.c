/* libsession/sasl.c - SASL (RFC 4422): the mechanisms, PLAIN (RFC 4616), LOGIN */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/sasl-int.h"

/* authzid NUL authcid NUL password */
static int
plain(struct sasl *sasl, struct arena *a, struct slice in, struct slice *out_r)
{
	struct slice part[3];
	const char *p = in.p, *end;

	(void)a;
	if (in.p == NULL) {
		if (sasl->round > 0)
			return LOGIN_E_SYNTAX;
		*out_r = SLICE_LIT("");
		return LOGIN_MORE;
	}
	end = p + in.n;
	for (int i = 0; i < 3; i++) {
		const char *nul = p < end ?
		    memchr(p, '\0', (size_t)(end - p)) : NULL;

		/* Two NULs, the second one before the last part. */
		if ((nul == NULL) != (i == 2))
			return LOGIN_E_SYNTAX;
		part[i] = slice_make(p, (size_t)((nul ? nul : end) - p));
		p = nul != NULL ? nul + 1 : end;
	}
	if (part[1].n == 0 || part[2].n == 0 || !utf8_valid(in))
		return LOGIN_E_SYNTAX;
	return login_check(sasl->s, part[1], part[2], part[0]);
}

/* draft-murchison-sasl-login: obsolete, and all that some clients know. */
static int
login(struct sasl *sasl, struct arena *a, struct slice in, struct slice *out_r)
{
	(void)a;
	if (in.p == NULL) {
		if (sasl->round > 0)
			return LOGIN_E_SYNTAX;
		*out_r = SLICE_LIT("Username:");
		return LOGIN_MORE;
	}
	if (sasl->user == NULL) {
		if (in.n == 0 || memchr(in.p, '\0', in.n) != NULL)
			return LOGIN_E_SYNTAX;
		sasl->user = xstrndup(in.p, in.n);
		*out_r = SLICE_LIT("Password:");
		return LOGIN_MORE;
	}
	return login_check(sasl->s, slice_str(sasl->user), in,
	    slice_make(NULL, 0));
}

/* RFC 4422 appendix A: the client is who its certificate says. */
static int
external(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r)
{
	(void)a;
	if (in.p == NULL && sasl->round == 0) {
		*out_r = SLICE_LIT("");
		return LOGIN_MORE;
	}
	if (in.p == NULL || !utf8_valid(in) ||
	    (in.n > 0 && memchr(in.p, '\0', in.n) != NULL))
		return LOGIN_E_SYNTAX;
	return login_external(sasl->s, in);
}

static bool
external_on(const struct session *s)
{
	return s->certified;
}

static bool
plaintext_on(const struct session *s)
{
	return s->plaintext_ok;
}

static const struct sasl_mech mechs[] = {
	{ "EXTERNAL", external_on, external },
	{ "SCRAM-SHA-256-PLUS", sasl_scram_256_plus_on, sasl_scram_256_plus },
	{ "SCRAM-SHA-1-PLUS", sasl_scram_1_plus_on, sasl_scram_1_plus },
	{ "SCRAM-SHA-256", sasl_scram_256_on, sasl_scram_256 },
	{ "SCRAM-SHA-1", sasl_scram_1_on, sasl_scram_1 },
	{ "PLAIN", plaintext_on, plain },
	{ "LOGIN", plaintext_on, login },
	{ "OAUTHBEARER", sasl_oauth_on, sasl_oauthbearer },
	{ "XOAUTH2", sasl_oauth_on, sasl_xoauth2 },
};
enum { N_MECHS = sizeof(mechs) / sizeof(mechs[0]) };

bool
sasl_name(struct slice s, struct arena *a, struct slice *out_r)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		p[n] = s.p[i];
		if (s.p[i] == '=') {
			if (s.n - i < 3)
				return false;
			if (memcmp(s.p + i, "=2C", 3) == 0)
				p[n] = ',';
			else if (memcmp(s.p + i, "=3D", 3) != 0)
				return false;
			i += 2;
		}
		n++;
	}
	*out_r = slice_make(p, n);
	return true;
}

const char *
sasl_mechanisms(struct session *s)
{
	char *p = s->mechanisms;

	s->mechanisms[0] = '\0';
	for (size_t i = 0; i < N_MECHS; i++)
		if (mechs[i].on(s))
			p += snprintf(p, sizeof(s->mechanisms) -
			    (size_t)(p - s->mechanisms), "%s%s",
			    p > s->mechanisms ? " " : "", mechs[i].name);
	return s->mechanisms;
}

int
sasl_start(struct session *s, struct slice name, struct sasl **sasl_r)
{
	const struct sasl_mech *m = NULL;
	struct sasl *sasl;

	for (size_t i = 0; i < N_MECHS; i++)
		if (slice_ieq(name, slice_str(mechs[i].name)))
			m = &mechs[i];
	if (m == NULL)
		return LOGIN_E_MECH;
	if (!m->on(s))
		return s->plaintext_ok ? LOGIN_E_MECH : LOGIN_E_CRYPT;
	sasl = xcalloc(1, sizeof(*sasl));
	sasl->s = s;
	sasl->mech = m;
	*sasl_r = sasl;
	return LOGIN_OK;
}

int
sasl_step(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *challenge_r)
{
	int rc = sasl->mech->step(sasl, a, in, challenge_r);

	if (in.p != NULL)
		sasl->round++;
	return rc;
}

void
sasl_free(struct sasl **sasl)
{
	if (*sasl == NULL)
		return;
	if ((*sasl)->forget != NULL)
		(*sasl)->forget((*sasl)->state);
	xfree((*sasl)->user);
	xfree(*sasl);
	*sasl = NULL;
}
