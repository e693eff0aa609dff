/* culver/priv.c - work on the store as its owner, on files as the caller */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "culver/culver.h"
#include "libbase/log.h"

static struct {
	bool on;
	uid_t uid;
	gid_t gid;
} service;

int
priv_init(const struct conf *c)
{
	struct passwd *pw;

	if (!c->user || geteuid() != 0)
		return 0;
	errno = 0;
	pw = getpwnam(c->user);
	if (!pw) {
		complain("%s: user = \"%s\": no such user", c->path, c->user);
		return -1;
	}
	if (pw->pw_uid == 0)
		return 0;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0) {
		complain("groups of %s: %s", c->user, strerror(errno));
		return -1;
	}
	service.on = true;
	service.uid = pw->pw_uid;
	service.gid = pw->pw_gid;
	priv_service();
	return 0;
}

void
priv_service(void)
{
	if (!service.on || geteuid() == service.uid)
		return;
	if (setegid(service.gid) < 0 || seteuid(service.uid) < 0)
		fatal("becoming the service user: %s", strerror(errno));
}

void
priv_caller(void)
{
	if (!service.on || geteuid() == 0)
		return;
	if (seteuid(0) < 0 || setegid(0) < 0)
		fatal("becoming root again: %s", strerror(errno));
}
