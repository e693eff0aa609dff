/* culver/listeners-s6.c - service directories for s6-svscan */
#include "config.h"

#include <grp.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/listeners.h"

/* A socket of this group; "" for none. */
static const char *
as_group(const struct maker *m, const struct conf_listener *l)
{
	const struct group *g;

	if (l->socket_group == NULL)
		return "";
	if ((g = getgrnam(l->socket_group)) == NULL) {
		complain("listener \"%s\": there is no group \"%s\"", l->name,
		    l->socket_group);
		return NULL;
	}
	return arena_printf(m->a, "s6-applyuidgid -g %lu ",
	    (unsigned long)g->gr_gid);
}

/* s6-ipcserver and s6-tcpserver are for each connection; their binders hand
 * the socket itself over. */
static int
put_run(struct maker *m, const struct conf_listener *l, const char *address)
{
	const char *path = made_unix(address), *group = as_group(m, l);
	bool each = l->mode == CONF_ACCEPT;
	const char *host = "";

	if (group == NULL)
		return -1;
	buf_printf(&m->b, "exec 2>&1\nexec %ss6-%sserver%s", group,
	    path != NULL ? "ipc" : "tcp", each ? "" : "-socketbinder");
	buf_printf(&m->b, " -b %u", l->backlog);
	if (each) {
		buf_printf(&m->b, " -c %u", l->max_connections);
		if (l->max_per_source > 0 && path == NULL)
			buf_printf(&m->b, " -C %u", l->max_per_source);
	}
	if (path != NULL)
		buf_add_str(&m->b, each ? " -a 0660" : " -a 0660 -B");
	else {
		host = made_host(m->a, address);
		host = *host == '*' ? "0.0.0.0" : host;
	}
	if (path != NULL)
		buf_printf(&m->b, " -- %s", path);
	else
		buf_printf(&m->b, " -- %s %s", host, made_port(address));
	buf_printf(&m->b, " \\\n    %s\n", made_command(m, l));
	return 0;
}

int
make_s6(struct maker *m)
{
	const struct conf *c = m->conf;

	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct conf_listener *l = &c->listeners[i];

		for (size_t k = 0; k < l->n_addresses; k++) {
			const char *nth = k == 0 ? "" :
			    arena_printf(m->a, "-%zu", k + 1);

			if (made_plain("address", made_unix(l->addresses[k])) < 0)
				return -1;
			made_begin(m, true);
			if (put_run(m, l, l->addresses[k]) < 0)
				return -1;
			made_end(m, arena_printf(m->a, "culver-%s%s/run",
			    l->name, nth), true);
		}
	}
	return 0;
}
