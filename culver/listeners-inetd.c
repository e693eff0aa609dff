/* culver/listeners-inetd.c - openbsd-inetd, xinetd, and cron beside them */
#include "config.h"

#include <string.h>

#include "culver/culver.h"
#include "culver/listeners.h"

enum {
	A_MINUTE = 1000000,	/* connections; inetd stops a service past it */
	A_SECOND = 100000	/* the same of xinetd */
};

/* It makes its Unix sockets for all. */
static void
tell_open(const struct conf_listener *l, const char *path)
{
	complain("listener \"%s\": inetd has no socket-group: every user of "
	    "this host can connect to %s, unless its directory is closed",
	    l->name, path);
}

static int
inetd_line(struct maker *m, const struct conf_listener *l, const char *address)
{
	const char *path = made_unix(address);

	if (made_plain("address", path) < 0)
		return -1;
	if (path != NULL) {
		if (l->socket_group != NULL)
			tell_open(l, path);
		buf_printf(&m->b, "%s\tstream\tunix", path);
	} else
		buf_printf(&m->b, "%s\tstream\ttcp%c", address,
		    made_is_v6(address) ? '6' : '4');
	if (l->mode == CONF_ACCEPT)
		buf_printf(&m->b, "\tnowait.%d", A_MINUTE);
	else
		buf_add_str(&m->b, "\twait");
	buf_printf(&m->b, "\troot\t" CULVER_DAEMONDIR "/%s\t%s%s -l %s\n",
	    made_program(l), made_program(l), made_option(m), l->name);
	return 0;
}

int
make_inetd(struct maker *m)
{
	const struct conf *c = m->conf;

	made_begin(m, false);
	buf_add_str(&m->b, "# For openbsd-inetd with a long queue: inetd -q 4096\n");
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct conf_listener *l = &c->listeners[i];

		for (size_t k = 0; k < l->n_addresses; k++)
			if (inetd_line(m, l, l->addresses[k]) < 0)
				return -1;
	}
	if (c->push_socket != NULL) {
		if (made_plain("push-socket", c->push_socket) < 0 ||
		    made_plain("user", c->user) < 0)
			return -1;
		buf_printf(&m->b, "%s\tdgram\tunix\twait\t%s\t"
		    CULVER_DAEMONDIR "/jmap-push\tjmap-push%s\n",
		    c->push_socket, c->user != NULL ? c->user : "root",
		    made_option(m));
	}
	made_end(m, "culver-inetd.conf", false);
	return 0;
}

static void
xinetd_service(struct maker *m, const struct conf_listener *l, size_t k)
{
	const char *address = l->addresses[k], *host;
	bool each = l->mode == CONF_ACCEPT, v6 = made_is_v6(address);

	if (made_unix(address) != NULL) {
		complain("listener \"%s\": xinetd has no Unix sockets: %s is "
		    "left out", l->name, address + 5);
		return;
	}
	host = made_host(m->a, address);
	buf_printf(&m->b, "\nservice culver-%s\n{\n"
	    "\tid = culver-%s-%zu\n"
	    "\ttype = UNLISTED\n"
	    "\tflags = %s\n"
	    "\tsocket_type = stream\n"
	    "\tprotocol = tcp\n"
	    "\tbind = %s\n"
	    "\tport = %s\n", l->name, l->name, k + 1, v6 ? "IPv6" : "IPv4",
	    *host == '*' ? "0.0.0.0" : host, made_port(address));
	if (each && l->max_per_source > 0)
		buf_printf(&m->b, "\tper_source = %u\n", l->max_per_source);
	if (each)
		buf_printf(&m->b, "\tinstances = %u\n", l->max_connections);
	buf_printf(&m->b, "\tcps = %d 1\n"
	    "\twait = %s\n"
	    "\tuser = root\n"
	    "\tserver = " CULVER_DAEMONDIR "/%s\n"
	    "\tserver_args =%s -l %s\n"
	    "\tdisable = no\n"
	    "}\n", A_SECOND, each ? "no" : "yes", made_program(l),
	    made_option(m), l->name);
}

int
make_xinetd(struct maker *m)
{
	const struct conf *c = m->conf;

	made_begin(m, false);
	for (size_t i = 0; i < c->n_listeners; i++)
		for (size_t k = 0; k < c->listeners[i].n_addresses; k++)
			xinetd_service(m, &c->listeners[i], k);
	made_end(m, "culver", false);
	return 0;
}

/* What the timers of systemd do. */
int
make_cron(struct maker *m)
{
	const struct conf *c = m->conf;

	made_begin(m, false);
	buf_printf(&m->b, "17 3 * * * root %s\n", made_tool(m, "sweep"));
	if (c->sendmail != NULL || c->smtp_relay != NULL)
		buf_printf(&m->b, "* * * * * root %s\n",
		    made_tool(m, "spool"));
	if (c->push_socket != NULL)
		buf_printf(&m->b, "*/10 * * * * root " CULVER_DAEMONDIR
		    "/jmap-push%s\n", made_option(m));
	made_end(m, "culver", false);
	return 0;
}
