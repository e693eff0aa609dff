/* libsession/sasl.c - SASL mechanisms: PLAIN (RFC 4616) and LOGIN */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/session-int.h"

struct sasl {
	struct session *s;
	int (*step)(struct sasl *sasl, struct slice in, struct slice *out_r);
	unsigned round;		/* messages of the client so far */
	char *user;		/* LOGIN: from the first round */
};

/* authzid NUL authcid NUL password */
static int
plain(struct sasl *sasl, struct slice in, struct slice *out_r)
{
	struct slice part[3];
	const char *p = in.p, *end;

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
login(struct sasl *sasl, struct slice in, struct slice *out_r)
{
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

const char *
sasl_mechanisms(const struct session *s)
{
	return s->plaintext_ok ? "PLAIN LOGIN" : "";
}

int
sasl_start(struct session *s, struct slice mech, struct sasl **sasl_r)
{
	struct sasl *sasl;
	bool is_plain = slice_ieq(mech, SLICE_LIT("PLAIN"));

	if (!is_plain && !slice_ieq(mech, SLICE_LIT("LOGIN")))
		return LOGIN_E_MECH;
	if (!s->plaintext_ok)
		return LOGIN_E_CRYPT;
	sasl = xcalloc(1, sizeof(*sasl));
	sasl->s = s;
	sasl->step = is_plain ? plain : login;
	*sasl_r = sasl;
	return LOGIN_OK;
}

int
sasl_step(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *challenge_r)
{
	int rc = sasl->step(sasl, in, challenge_r);

	(void)a;	/* for mechanisms whose challenges are made */
	if (in.p != NULL)
		sasl->round++;
	return rc;
}

void
sasl_free(struct sasl **sasl)
{
	if (*sasl == NULL)
		return;
	xfree((*sasl)->user);
	xfree(*sasl);
	*sasl = NULL;
}
