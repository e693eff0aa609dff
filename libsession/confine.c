/* libsession/confine.c - the files that a process may still open: Landlock */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/confine.h"

/* The kernel's ABI, linux/landlock.h; older headers lack the newer half. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define BIT(n) (UINT64_C(1) << (n))

enum { RULESET_VERSION = 1, RULE_PATH = 1 };

/* What can be done with files... */
#define FS_READ_FILE BIT(2)
#define FS_READ_DIR BIT(3)
#define FS_WRITE_FILE BIT(1)
#define FS_REFER BIT(13)	/* ABI 2 */
#define FS_TRUNCATE BIT(14)	/* ABI 3 */
#define FS_IOCTL_DEV BIT(15)	/* ABI 5 */
#define FS_ABI_1 (BIT(13) - 1)
/* ... of which mail needs: no devices, no programs. */
#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_WRITE (FS_READ | FS_WRITE_FILE | BIT(4) /* remove dir */ | \
	BIT(5) /* remove file */ | BIT(7) /* make dir */ | \
	BIT(8) /* make file */ | BIT(9) /* make socket */ | FS_REFER | \
	FS_TRUNCATE)
/* What a rule for a file that isn't a directory may hold. */
#define FS_OF_FILE (BIT(0) | FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | \
	FS_IOCTL_DEV)
#define NET_BIND BIT(0)		/* ABI 4 */
#define NET_CONNECT BIT(1)
#define SCOPE_ALL (BIT(0) | BIT(1))	/* ABI 6: abstract sockets, signals */

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct rules {
	int fd;
	uint64_t handled;
};

static void
missing(const char *what)
{
	static bool said;

	if (!said)
		log_info("not confined: %s: %s", what, strerror(errno));
	said = true;
}

long
confine_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    RULESET_VERSION);
}

/* A ruleset that allows nothing.  0, or -1: this kernel has none. */
static int
rules_open(struct rules *r, uint64_t net)
{
	long abi = confine_abi();
	struct ruleset_attr a = { .fs = FS_ABI_1 };
	size_t n = sizeof(a.fs);

	if (abi < 1) {
		missing("Landlock");
		return -1;
	}
	if (abi >= 2)
		a.fs |= FS_REFER;
	if (abi >= 3)
		a.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		a.net = net;
		n = offsetof(struct ruleset_attr, scoped);
	}
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		a.scoped = SCOPE_ALL;
		n = sizeof(a);
	}
	r->handled = a.fs;
	r->fd = (int)syscall(SYS_landlock_create_ruleset, &a, n, 0);
	if (r->fd < 0)
		missing("Landlock");
	return r->fd < 0 ? -1 : 0;
}

/* path: NULL, or one that isn't there, is left out. */
static void
allow(const struct rules *r, const char *path, uint64_t access)
{
	struct path_attr p = { .access = access & r->handled };
	struct stat st;

	if (path == NULL)
		return;
	if ((p.fd = open(path, O_PATH | O_CLOEXEC)) < 0)
		return;
	if (fstat(p.fd, &st) < 0 || !S_ISDIR(st.st_mode))
		p.access &= FS_OF_FILE;
	if (syscall(SYS_landlock_add_rule, r->fd, RULE_PATH, &p, 0) < 0)
		log_warn("confine: %s: %s", path, strerror(errno));
	close(p.fd);
}

/* The directory of a file that others replace by renaming. */
static void
allow_beside(const struct rules *r, const char *file, uint64_t access)
{
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;
	char *dir;

	/* Not the whole system, whatever is configured. */
	if (slash == NULL || slash == file) {
		allow(r, file, access);
		return;
	}
	dir = xstrndup(file, (size_t)(slash - file));
	allow(r, dir, access);
	xfree(dir);
}

static void
rules_enforce(struct rules *r)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_landlock_restrict_self, r->fd, 0) < 0)
		missing("Landlock");
	io_close(&r->fd);
}

/* Modules, and what iconv(3) loads; time zones, devices. */
static void
allow_system(const struct rules *r, const struct conf *c)
{
	static const char *const read_only[] = { "/usr/lib", "/lib", "/lib64",
		"/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
		"/etc/ld.so.cache", "/etc/localtime", "/etc/gcrypt",
		"/etc/gnutls", "/dev/urandom",
		/* malloc(3) */
		"/proc/sys/vm/overcommit_memory",
		"/sys/devices/system/cpu/online" };

	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		allow(r, read_only[i], FS_READ);
	allow(r, c->module_dir, FS_READ);
	allow(r, "/dev/null", FS_READ_FILE | FS_WRITE_FILE);
	if (XALLOC_ASAN)	/* its own reports */
		allow(r, "/proc", FS_READ);
}

/* To find a host, and to believe its certificate. */
static void
allow_network(const struct rules *r, const struct conf *c)
{
	static const char *const read_only[] = { "/etc/resolv.conf",
		"/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf",
		"/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/ssl",
		"/etc/pki", "/etc/passwd", "/etc/group",
		"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/run/systemd/resolve", "/run/nscd" };

	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		allow(r, read_only[i], FS_READ);
	allow_beside(r, c->oauth_ca_file, FS_READ);
	allow_beside(r, c->oauth_secret_file, FS_READ);
	allow_beside(r, c->push_ca_file, FS_READ);
}

bool
confine_starts_programs(const struct conf *c, enum confine_who who)
{
	if ((who == CONFINE_LOGIN || who == CONFINE_SERVICE) &&
	    (c->auth_command != NULL || c->pam_service != NULL))
		return true;
	return (who == CONFINE_DELIVERY || who == CONFINE_SERVICE) &&
	    c->sendmail != NULL;
}

void
confine_files(const struct conf *c, enum confine_who who)
{
	bool net = who != CONFINE_LOGIN || c->oauth_introspection != NULL;
	struct rules r;

	if (!c->confine || confine_starts_programs(c, who) ||
	    rules_open(&r, net ? NET_BIND : NET_BIND | NET_CONNECT) < 0)
		return;
	allow(&r, c->mail_dir, FS_WRITE);
	allow(&r, c->run_dir, FS_WRITE);
	if (c->n_trace_accounts > 0)
		allow(&r, c->trace_dir, FS_WRITE);
	allow_beside(&r, c->path, FS_READ);
	allow_beside(&r, c->passwd_file, FS_READ);
	allow_beside(&r, c->token_file, FS_READ);
	allow_beside(&r, c->certificate, FS_READ);
	allow_beside(&r, c->key, FS_READ);
	allow_beside(&r, c->ticket_key, FS_READ);
	allow_beside(&r, c->oauth_keys, FS_READ);
	if (c->log[0] == '/')	/* lmtpd opens it again */
		allow(&r, c->log, FS_WRITE_FILE);
	allow_system(&r, c);
	if (net)
		allow_network(&r, c);
	rules_enforce(&r);
}

void
confine_account(const struct conf *c, const char *account)
{
	static const char *const hints[] = { ".push", ".outbox" };
	struct rules r;
	char *path;

	if (!c->confine || rules_open(&r, NET_BIND | NET_CONNECT) < 0)
		return;
	path = xasprintf("%s/%s", c->mail_dir, account);
	allow(&r, path, FS_WRITE);
	xfree(path);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		path = xasprintf("%s/%s", c->mail_dir, hints[i]);
		allow(&r, path, FS_WRITE);
		xfree(path);
	}
	allow_system(&r, c);
	rules_enforce(&r);
}
