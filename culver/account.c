/* culver/account.c - the accounts that commands are about */
#include "config.h"

#include "culver/culver.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"

char *
account_name(struct slice given)
{
	struct arena *a = arena_new(0);
	struct slice name;
	char *p = NULL;

	if (passwd_name(given, a, &name) == 0) {
		p = xstrndup(name.p, name.n);
	} else {
		complain("\"%.*s\" can't be the name of an account",
		    (int)(given.n < 200 ? given.n : 200), given.p);
	}
	arena_free(&a);
	return p;
}

int
account_open(struct culver *c, const char *given, struct store **st_r)
{
	char *name = account_name(slice_str(given));
	int rc, code = EXIT_PERM;

	if (name) {
		rc = store_open(&c->store_conf, name, st_r);
		code = rc < 0 ? complain_store(name, rc, NULL) : 0;
	}
	xfree(name);
	return code;
}
