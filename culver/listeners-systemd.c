/* culver/listeners-systemd.c - units of systemd, and the directories for them */
#include "config.h"

#include <string.h>

#include "culver/culver.h"
#include "culver/listeners.h"

enum {	/* what a service needs */
	PROGRAMS = 1,	/* starts others', with rights of their own */
	NETWORK = 2,	/* connects to other hosts, or to a port of this one */
	PROCESSES = 4,	/* one or more for each connection */
	NETLINK = 8,		/* looks at routes */
	KEY = 16		/* is started as root, to read the TLS key */
};

struct unit {
	const char *name;	/* without its suffix */
	const char *what;	/* the description */
	const char *man;
	const char *command;
	unsigned needs;
	uint32_t tasks;		/* at most; 0: systemd's own limit */
};

static bool
in_home(const char *path)
{
	return path != NULL && (strncmp(path, "/home/", 6) == 0 ||
	    strncmp(path, "/root/", 6) == 0 ||
	    strncmp(path, "/run/user/", 10) == 0);
}

static bool
any_in_home(const struct maker *m)
{
	const struct conf *c = m->conf;
	const char *const paths[] = { c->mail_dir, c->run_dir, c->module_dir,
		c->passwd_file, c->token_file, c->certificate, c->key, c->ocsp,
		c->client_ca, c->client_crl, c->ticket_key, c->log,
		m->conf_path, CULVER_DAEMONDIR "/" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (in_home(paths[i]))
			return true;
	for (size_t i = 0; i < c->n_certs; i++)
		if (in_home(c->certs[i].certificate) || in_home(c->certs[i].key))
			return true;
	return false;
}

/* What may be written: all else isn't. */
static void
put_paths(struct maker *m)
{
	const struct conf *c = m->conf;
	const char *slash = *c->log == '/' ? strrchr(c->log, '/') : NULL;

	buf_printf(&m->b, "ProtectSystem=strict\nReadWritePaths=%s %s\n",
	    c->mail_dir, c->run_dir);
	if (c->n_trace_accounts > 0)
		buf_printf(&m->b, "ReadWritePaths=-%s\n", c->trace_dir);
	if (slash != NULL && slash > c->log)
		buf_printf(&m->b, "ReadWritePaths=%.*s\n",
		    (int)(slash - c->log), c->log);
}

/* From the start: who starts programs would lose what they are, and a log that
 * is a file is root's. */
static bool
as_user(const struct maker *m, const struct unit *u)
{
	return m->conf->user != NULL && *m->conf->log != '/' &&
	    !(u->needs & (KEY | PROGRAMS));
}

/* A service whose programs have rights of their own (sendmail, PAM) can't be
 * held by what they would inherit. */
static void
put_alone(struct maker *m, const struct unit *u)
{
	put_paths(m);
	buf_printf(&m->b, "CapabilityBoundingSet=%s\n", as_user(m, u) ? "" :
	    "CAP_SETUID CAP_SETGID CAP_DAC_READ_SEARCH");
	buf_printf(&m->b,
	    "NoNewPrivileges=yes\n"
	    "SystemCallFilter=@system-service\n"
	    "SystemCallFilter=~@resources @privileged\n"
	    "SystemCallFilter=%ssetrlimit prlimit64 landlock_create_ruleset "
	    "landlock_add_rule landlock_restrict_self seccomp\n"
	    "MemoryDenyWriteExecute=yes\n", as_user(m, u) ? "" : "@setuid ");
	buf_add_str(&m->b,
	    "ProcSubset=pid\n");
	if (!(u->needs & NETWORK))	/* its sockets come from outside */
		buf_add_str(&m->b, "PrivateNetwork=yes\n"
		    "RestrictAddressFamilies=AF_UNIX\n");
	else
		buf_printf(&m->b, "RestrictAddressFamilies=AF_UNIX AF_INET "
		    "AF_INET6%s\n", u->needs & NETLINK ? " AF_NETLINK" : "");
}

static void
put_hardening(struct maker *m, const struct unit *u)
{
	if (u->needs & PROGRAMS)
		buf_add_str(&m->b, "# sendmail or PAM are to be started as who "
		    "they are: no narrower than this.\n"
		    "ProtectSystem=full\n");
	else
		put_alone(m, u);
	buf_printf(&m->b, "ProtectHome=%s\n", any_in_home(m) ? "no" : "yes");
	buf_add_str(&m->b,
	    "PrivateDevices=yes\n"
	    "PrivateTmp=yes\n"
	    "PrivateMounts=yes\n"
	    "ProtectProc=invisible\n"
	    "ProtectClock=yes\n"
	    "ProtectControlGroups=yes\n"
	    "ProtectHostname=yes\n"
	    "ProtectKernelLogs=yes\n"
	    "ProtectKernelModules=yes\n"
	    "ProtectKernelTunables=yes\n"
	    "DevicePolicy=closed\n"
	    "KeyringMode=private\n"
	    "LockPersonality=yes\n"
	    "RemoveIPC=yes\n"
	    "RestrictNamespaces=yes\n"
	    "RestrictRealtime=yes\n"
	    "RestrictSUIDSGID=yes\n"
	    "SystemCallArchitectures=native\n"
	    "UMask=0077\n");
}

static void
put_service(struct maker *m, const struct unit *u, const char *suffix,
    const char *unit_lines, const char *service_lines)
{
	made_begin(m, false);
	buf_printf(&m->b, "[Unit]\nDescription=Culver: %s\n"
	    "Documentation=man:%s(8) man:culver.conf(5)\n%s\n[Service]\n"
	    "ExecStart=%s\n%s", u->what, u->man, unit_lines, u->command,
	    service_lines);
	if (u->needs & PROCESSES)
		buf_add_str(&m->b, "LimitNOFILE=20000\n");
	if (u->tasks > 0)
		buf_printf(&m->b, "TasksMax=%u\n", u->tasks);
	if (as_user(m, u))
		buf_printf(&m->b, "User=%s\n", m->conf->user);
	else
		buf_add_str(&m->b, "# It is started as root to read the key, "
		    "and becomes the user of the\n# configuration.\n");
	put_hardening(m, u);
	made_end(m, arena_printf(m->a, "%s%s.service", u->name, suffix), false);
}

/* A line of the socket for each address. */
static int
put_addresses(struct maker *m, const struct conf_listener *l)
{
	bool v6 = false, bound = false, local = false;

	for (size_t i = 0; i < l->n_addresses; i++) {
		const char *a = l->addresses[i], *path = made_unix(a);

		if (path != NULL) {
			if (made_plain("address", path) < 0)
				return -1;
			buf_printf(&m->b, "ListenStream=%s\n", path);
			local = true;
			continue;
		}
		v6 = v6 || made_is_v6(a);
		bound = bound || (*a != '*' && strncmp(a, "[::]", 4) != 0);
		buf_printf(&m->b, "ListenStream=%s%s\n",
		    *a == '*' ? "0.0.0.0" : "", *a == '*' ? a + 1 : a);
	}
	if (v6)
		buf_add_str(&m->b, "BindIPv6Only=ipv6-only\n");
	if (bound)	/* before the interface is there */
		buf_add_str(&m->b, "FreeBind=yes\n");
	if (local && l->socket_group != NULL)
		buf_printf(&m->b, "SocketGroup=%s\n", l->socket_group);
	if (local)
		buf_add_str(&m->b, "SocketMode=0660\n");
	return 0;
}

static const char *
describe(const struct maker *m, const struct conf_listener *l)
{
	static const char *const names[] = { [CONF_IMAP] = "IMAP",
		[CONF_POP3] = "POP3", [CONF_LMTP] = "mail delivery",
		[CONF_JMAP] = "JMAP" };

	return arena_printf(m->a, "%s (%s)", names[l->protocol], l->name);
}

static int
put_socket(struct maker *m, const struct conf_listener *l)
{
	bool each = l->mode == CONF_ACCEPT;

	made_begin(m, false);
	buf_printf(&m->b, "[Unit]\nDescription=Culver: %s\n"
	    "Documentation=man:culver.conf(5)\n\n[Socket]\n", describe(m, l));
	if (put_addresses(m, l) < 0 ||
	    made_plain("socket-group", l->socket_group) < 0)
		return -1;
	buf_printf(&m->b, "Backlog=%u\nFileDescriptorName=%s\nAccept=%s\n",
	    l->backlog, l->name, each ? "yes" : "no");
	if (each) {	/* the daemon counts, where it waits */
		buf_printf(&m->b, "MaxConnections=%u\n", l->max_connections);
		if (l->max_per_source > 0)
			buf_printf(&m->b, "MaxConnectionsPerSource=%u\n",
			    l->max_per_source);
		buf_add_str(&m->b, "# Many clients are no fault: the socket is "
		    "not to be closed for them.\nTriggerLimitIntervalSec=0\n");
	}
	buf_add_str(&m->b, "\n[Install]\nWantedBy=sockets.target\n");
	made_end(m, arena_printf(m->a, "culver-%s.socket", l->name), false);
	return 0;
}

/* smtp-relay is a socket of Unix, or not. */
static bool
relay_by_network(const struct conf *c)
{
	return c->smtp_relay != NULL && made_unix(c->smtp_relay) == NULL;
}

static unsigned
needs_of(const struct maker *m, const struct conf_listener *l)
{
	const struct conf *c = m->conf;
	bool login = l->protocol != CONF_LMTP;
	bool sends = l->protocol == CONF_LMTP || l->protocol == CONF_JMAP;
	unsigned needs = PROCESSES;

	if (l->protocol == CONF_IMAP || l->protocol == CONF_POP3)
		needs |= KEY;
	if ((login && (c->auth_command != NULL || c->pam_service != NULL)) ||
	    (sends && c->sendmail != NULL))
		needs |= PROGRAMS;
	if ((login && c->oauth_introspection != NULL) ||
	    (sends && relay_by_network(c)))
		needs |= NETWORK;
	return needs;
}

static int
put_listener(struct maker *m, const struct conf_listener *l)
{
	bool each = l->mode == CONF_ACCEPT;
	struct unit u = {
		.name = arena_printf(m->a, "culver-%s", l->name),
		.what = describe(m, l),
		.man = made_program(l),
		.command = made_command(m, l),
		.needs = needs_of(m, l),
		/* A process each, and who waits; jmap-fcgi has threads. */
		.tasks = each ? 64 : l->max_connections + 1024
	};

	if (l->n_addresses == 0) {
		complain("listener \"%s\" has no address: left out", l->name);
		return 0;
	}
	if (put_socket(m, l) < 0)
		return -1;
	if (each)
		put_service(m, &u, "@", "CollectMode=inactive-or-failed\n", "");
	else
		put_service(m, &u, "",
		    "# It exits when idle, and the socket starts it again.\n",
		    "");
	return 0;
}

static void
put_timer(struct maker *m, const char *name, const char *what,
    const char *when)
{
	made_begin(m, false);
	buf_printf(&m->b, "[Unit]\nDescription=Culver: %s\n\n[Timer]\n%s\n"
	    "[Install]\nWantedBy=timers.target\n", what, when);
	made_end(m, arena_printf(m->a, "%s.timer", name), false);
}

/* What is done while nobody is connected. */
static void
put_upkeep(struct maker *m)
{
	const struct conf *c = m->conf;
	struct unit sweep = { "culver-sweep", "removes what is past its time",
		"culver", made_tool(m, "sweep"), 0, 0 };
	struct unit spool = { "culver-spool", "sends what is due", "culver",
		made_tool(m, "spool"), (c->sendmail ? PROGRAMS : 0) |
		(relay_by_network(c) ? NETWORK : 0), 0 };

	put_service(m, &sweep, "", "", "Type=oneshot\nNice=10\n"
	    "IOSchedulingClass=idle\n");
	put_timer(m, sweep.name, sweep.what, "OnCalendar=daily\n"
	    "RandomizedDelaySec=3h\nPersistent=yes\n");
	if (c->sendmail == NULL && c->smtp_relay == NULL)
		return;
	put_service(m, &spool, "", "", "Type=oneshot\n");
	put_timer(m, spool.name, spool.what, "OnCalendar=minutely\n"
	    "AccuracySec=10s\n");
}

static int
put_push(struct maker *m)
{
	const struct conf *c = m->conf;
	const char *command = arena_printf(m->a,
	    CULVER_DAEMONDIR "/jmap-push%s", made_option(m));
	struct unit push = { "culver-push", "pushes of JMAP", "jmap-push",
		command, NETWORK | NETLINK | PROCESSES, 0 };
	struct unit missed = { "culver-push-missed", "pushes that were missed",
		"jmap-push", command, NETWORK | NETLINK, 0 };

	if (c->push_socket == NULL)
		return 0;
	if (made_plain("push-socket", c->push_socket) < 0)
		return -1;
	made_begin(m, false);
	buf_printf(&m->b, "[Unit]\nDescription=Culver: %s\n\n[Socket]\n"
	    "ListenDatagram=%s\nSocketMode=0600\n", push.what, c->push_socket);
	if (c->user != NULL)
		buf_printf(&m->b, "SocketUser=%s\n", c->user);
	buf_add_str(&m->b, "\n[Install]\nWantedBy=sockets.target\n");
	made_end(m, "culver-push.socket", false);
	put_service(m, &push, "", "", "");
	put_service(m, &missed, "", "", "Type=oneshot\n");
	put_timer(m, missed.name, missed.what, "OnBootSec=2min\n"
	    "OnUnitInactiveSec=10min\nAccuracySec=1min\n");
	return 0;
}

int
make_systemd(struct maker *m)
{
	const struct conf *c = m->conf;

	if (made_plain("mail-dir", c->mail_dir) < 0 ||
	    made_plain("run-dir", c->run_dir) < 0 ||
	    made_plain("user", c->user) < 0 ||
	    made_plain("trace-dir", c->trace_dir) < 0 ||
	    made_plain("log", c->log) < 0)
		return -1;
	for (size_t i = 0; i < c->n_listeners; i++)
		if (put_listener(m, &c->listeners[i]) < 0)
			return -1;
	put_upkeep(m);
	return put_push(m);
}

int
make_tmpfiles(struct maker *m)
{
	const struct conf *c = m->conf;
	const char *user = c->user != NULL ? c->user : "root";

	if (made_plain("mail-dir", c->mail_dir) < 0 ||
	    made_plain("run-dir", c->run_dir) < 0 ||
	    made_plain("user", user) < 0)
		return -1;
	made_begin(m, false);
	/* Others pass through it to the sockets. */
	buf_printf(&m->b, "d %s 0755 %s - -\nd %s :0700 :%s - -\n", c->run_dir,
	    user, c->mail_dir, user);
	made_end(m, "culver.conf", false);
	return 0;
}
