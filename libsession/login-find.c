/* libsession/login-find.c - whom a name or an address means */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "libbase/log.h"
#include "libsession/login-int.h"

int
login_find(const struct conf *c, struct slice name, struct arena *a,
    struct login_found *f_r)
{
	struct slice canon;
	int rc;

	if (passwd_name(name, a, &canon) < 0)
		return 1;
	if ((rc = passwd_find(c, canon, a, &f_r->entry)) != 0) {
		if (rc < 0)
			log_err("%s: %s", c->passwd_file, strerror(errno));
		return rc;
	}
	f_r->account = f_r->entry;
	if (f_r->entry.alias_of.n == 0)
		return 0;
	rc = passwd_name(f_r->entry.alias_of, a, &canon) < 0 ?
	    1 : passwd_find(c, canon, a, &f_r->account);
	if (rc != 0 || f_r->account.alias_of.n > 0) {
		log_err("%s: alias %.*s leads to no account", c->passwd_file,
		    (int)f_r->entry.name.n, f_r->entry.name.p);
		return -1;
	}
	return 0;
}

bool
login_domain_ours(const struct conf *c, struct slice domain)
{
	for (size_t i = 0; i < c->n_domains; i++)
		if (slice_ieq(domain, slice_str(c->domains[i])))
			return true;
	return c->n_domains == 0;
}

int
login_find_address(const struct conf *c, struct slice local, struct slice domain,
    struct arena *a, struct login_found *f_r)
{
	struct slice whole;
	int rc;

	if (domain.n > 0) {
		whole = slice_str(arena_printf(a, "%.*s@%.*s", (int)local.n,
		    local.p, (int)domain.n, domain.p));
		if ((rc = login_find(c, whole, a, f_r)) != 1)
			return rc;
		if (!login_domain_ours(c, domain))
			return 1;
	}
	return login_find(c, local, a, f_r);
}

void
login_split(struct slice s, struct slice *local_r, struct slice *domain_r)
{
	*local_r = s;
	*domain_r = slice_make(NULL, 0);
	for (size_t i = s.n; i > 0; i--) {
		if (s.p[i - 1] == '@') {
			local_r->n = i - 1;
			*domain_r = slice_make(s.p + i, s.n - i);
			return;
		}
	}
}
