/* libsession/oauth.c - access tokens: the files, and the module that checks */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/module.h"
#include "libsession/oauth-int.h"
#include "libsession/oauth.h"

enum { KEYS_MAX = 1024 * 1024, SECRET_MAX = 4096 };

bool
oauth_on(const struct conf *c)
{
	return c->oauth_keys != NULL || c->oauth_introspection != NULL;
}

static int
slurp(const char *path, size_t max, struct arena *a, struct slice *s_r,
    const char **why_r)
{
	if (path == NULL || io_slurp(path, max, a, s_r) == 0)
		return 0;
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	return -1;
}

static int
result(int rc)
{
	return rc == OAUTH_OK ? LOGIN_OK : rc == OAUTH_BAD ? LOGIN_E_BAD :
	    rc == OAUTH_DENIED ? LOGIN_E_DENIED : LOGIN_E_TEMP;
}

int
oauth_verify(const struct conf *c, struct slice token, struct arena *a,
    struct oauth_found *f_r)
{
	struct oauth_request q = {
		.token = token, .now = time(NULL),
		.issuer = c->oauth_issuer, .audience = c->oauth_audience,
		.claim = c->oauth_claim, .scope = c->oauth_scope,
		.introspection = c->oauth_introspection,
		.client = c->oauth_client, .ca_file = c->oauth_ca_file
	};
	const struct oauth_module *m;
	const struct module want = { OAUTH_MODULE_VERSION, sizeof(*m) };
	struct oauth_answer *ans;
	int rc;

	*f_r = (struct oauth_found){ .why = NULL };
	if (slurp(c->oauth_keys, KEYS_MAX, a, &q.keys, &f_r->why) < 0 ||
	    slurp(c->oauth_secret_file, SECRET_MAX, a, &q.secret,
		&f_r->why) < 0 ||
	    (m = module_load(c->module_dir, "oauth", "culver_oauth_module", want, a,
		&f_r->why)) == NULL)
		return LOGIN_E_TEMP;
	q.secret = slice_trim(q.secret);
	ans = arena_alloc(a, sizeof(*ans));
	rc = result(m->verify(&q, ans));
	if (q.secret.n > 0)
		secret_wipe((char *)(uintptr_t)q.secret.p, q.secret.n);
	f_r->user = slice_str(ans->user);
	f_r->client = slice_str(ans->client);
	f_r->until = ans->until;
	f_r->why = ans->why;
	return rc;
}
