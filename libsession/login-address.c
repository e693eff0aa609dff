/* libsession/login-address.c - whom mail is for, and who may send as whom */
#include "config.h"

#include <string.h>

#include "libsession/login-int.h"

/* A quoted local part (RFC 5321 4.1.2) without its quotes. */
static struct slice
unquote(struct slice s, struct arena *a)
{
	char *p;
	size_t n = 0;

	if (s.n < 2 || s.p[0] != '"')
		return s;
	p = arena_alloc(a, s.n);
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (s.p[i] == '\\' && i + 2 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return slice_make(p, n);
}

int
login_recipient(const struct conf *c, struct slice address, struct arena *a,
    struct slice *account_r, struct slice *detail_r)
{
	struct slice local, domain, detail = { "", 0 };
	struct login_found f;
	const char *plus;
	int rc;

	login_split(address, &local, &domain);
	local = unquote(local, a);
	if (local.n == 0 || memchr(local.p, '\0', local.n) != NULL)
		return LOGIN_E_BAD;
	rc = login_find_address(c, local, domain, a, &f);
	if (rc == 1 && c->lmtp_detail &&
	    (plus = memchr(local.p, '+', local.n)) != NULL && plus > local.p) {
		size_t n = (size_t)(plus - local.p);

		detail = slice_make(plus + 1, local.n - n - 1);
		local.n = n;
		rc = login_find_address(c, local, domain, a, &f);
	}
	if (rc != 0)
		return rc < 0 ? LOGIN_E_TEMP : LOGIN_E_BAD;
	*detail_r = detail;
	*account_r = arena_slice(a, f.account.name);
	return LOGIN_OK;
}

/* ---- sending ----------------------------------------------------------- */

/* The name, or for a domain of ours the local part alone; as login_find(). */
static int
lookup_sender(const struct conf *c, struct slice local, struct slice domain,
    struct arena *a, struct login_found *f_r)
{
	struct slice whole;
	int rc;

	whole = slice_str(arena_printf(a, "%.*s@%.*s", (int)local.n, local.p,
	    (int)domain.n, domain.p));
	if ((rc = login_find(c, whole, a, f_r)) != 1)
		return rc;
	if (c->n_domains > 0 ? !login_domain_ours(c, domain) :
	    !slice_ieq(domain, slice_str(c->hostname)))
		return 1;
	return login_find(c, local, a, f_r);
}

int
login_sender(const struct conf *c, const char *account, struct slice address,
    struct arena *a)
{
	struct slice local, domain;
	struct login_found f;
	const char *plus;
	int rc;

	login_split(address, &local, &domain);
	local = unquote(local, a);
	if (local.n == 0 || domain.n == 0 ||
	    memchr(address.p, '\0', address.n) != NULL)
		return LOGIN_E_DENIED;
	rc = lookup_sender(c, local, domain, a, &f);
	if (rc == 1 && c->lmtp_detail &&
	    (plus = memchr(local.p, '+', local.n)) != NULL && plus > local.p) {
		local.n = (size_t)(plus - local.p);
		rc = lookup_sender(c, local, domain, a, &f);
	}
	if (rc < 0)
		return LOGIN_E_TEMP;
	return rc == 0 && slice_eq(f.account.name, slice_str(account)) ?
	    LOGIN_OK : LOGIN_E_DENIED;
}

int
login_may_send(const struct conf *c, const char *account, struct arena *a)
{
	struct login_found f;
	int rc = login_find(c, slice_str(account), a, &f);

	if (rc < 0)
		return LOGIN_E_TEMP;
	return rc == 0 && (f.entry.no_send || f.entry.disabled) ?
	    LOGIN_E_DENIED : LOGIN_OK;
}

int
login_own_address(const struct conf *c, const char *account, struct arena *a,
    struct slice *address_r, struct slice *name_r)
{
	const char *domain = c->n_domains > 0 ? c->domains[0] : c->hostname;
	struct slice name = slice_str(account);
	struct login_found f;
	int rc = login_find(c, name, a, &f);

	if (rc < 0)
		return LOGIN_E_TEMP;
	*name_r = rc == 0 ? arena_slice(a, f.entry.full_name) :
	    slice_make("", 0);
	*address_r = memchr(name.p, '@', name.n) != NULL ?
	    arena_slice(a, name) :
	    slice_str(arena_printf(a, "%s@%s", account, domain));
	return LOGIN_OK;
}
