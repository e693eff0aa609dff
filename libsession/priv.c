/* libsession/priv.c - the user that a daemon becomes */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/session-int.h"

enum { GROUPS_MAX = 65536 };

int
priv_lookup(struct priv *p, const char *user)
{
	const struct passwd *pw;
	int n = 16;

	*p = (struct priv){ .set = false };
	if (user == NULL || geteuid() != 0)
		return 0;
	errno = ENOENT;
	if ((pw = getpwnam(user)) == NULL)
		return -1;
	p->uid = pw->pw_uid;
	p->gid = pw->pw_gid;
	do {
		p->n_groups = n;
		p->groups = xreallocarray(p->groups, (size_t)n,
		    sizeof(*p->groups));
		if (getgrouplist(user, p->gid, p->groups, &n) >= 0)
			break;
	} while (n > p->n_groups && n < GROUPS_MAX);
	p->n_groups = n < p->n_groups ? n : p->n_groups;
	p->set = true;
	return 0;
}

void
priv_drop(const struct priv *p)
{
	if (!p->set)
		return;
	if (setgroups((size_t)p->n_groups, p->groups) < 0 ||
	    setresgid(p->gid, p->gid, p->gid) < 0 ||
	    setresuid(p->uid, p->uid, p->uid) < 0)
		fatal_perm("cannot become user %ld: %s", (long)p->uid,
		    strerror(errno));
}

/* No core files, no tracing by others: there are passwords in memory. */
static void
hide(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void
priv_become(const char *user)
{
	struct priv p;

	if (priv_lookup(&p, user) < 0)
		fatal_perm("there is no user %s", user);
	priv_drop(&p);
	priv_release(&p);
	hide();
}

void
priv_release(struct priv *p)
{
	xfree(p->groups);
	*p = (struct priv){ .set = false };
}

void
priv_harden(bool programs)
{
	hide();
	if (!programs)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
