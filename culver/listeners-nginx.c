/* culver/listeners-nginx.c - nginx before jmap-fcgi */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/listeners.h"

enum { ZONE_MIB = 10 };

/* All that jmap-fcgi listens on.  How many, or -1 after a complaint. */
static int
put_upstream(struct maker *m)
{
	const struct conf *c = m->conf;
	int n = 0;

	buf_add_str(&m->b, "upstream culver_jmap {\n");
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct conf_listener *l = &c->listeners[i];

		for (size_t k = 0; l->protocol == CONF_JMAP &&
		     k < l->n_addresses; k++, n++) {
			const char *a = l->addresses[k];

			if (made_plain("address", made_unix(a)) < 0)
				return -1;
			buf_printf(&m->b, "\tserver %s%s;\n",
			    *a == '*' ? "127.0.0.1" : "",
			    *a == '*' ? a + 1 : a);
		}
	}
	buf_add_str(&m->b, "}\n");
	return n;
}

/* Whom to believe about the client's address, and how much one may have. */
static int
put_limits(struct maker *m)
{
	const struct conf *c = m->conf;
	bool any = false;

	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct conf_listener *l = &c->listeners[i];

		if (l->protocol != CONF_JMAP)
			continue;
		for (size_t k = 0; k < l->n_proxies; k++, any = true)
			buf_printf(&m->b, "\tset_real_ip_from %s;\n",
			    l->proxies[k]);
		if (l->max_per_source > 0)
			buf_printf(&m->b, "\tlimit_conn culver_source %u;\n",
			    l->max_per_source);
	}
	if (any)
		buf_add_str(&m->b, "\treal_ip_header X-Forwarded-For;\n"
		    "\treal_ip_recursive on;\n");
	return 0;
}

static bool
is_limited(const struct conf *c)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].protocol == CONF_JMAP &&
		    c->listeners[i].max_per_source > 0)
			return true;
	return false;
}

/* The host of jmap-url, else of the greetings. */
static const char *
server_name(const struct maker *m)
{
	const char *url = m->conf->jmap_url, *host;

	if (url == NULL)
		return m->conf->hostname;
	host = strstr(url, "://") + 3;
	return arena_strndup(m->a, host, strcspn(host, ":/"));
}

static int
put_server(struct maker *m)
{
	const struct conf *c = m->conf;
	const char *name = server_name(m);

	if (made_plain("hostname", name) < 0 ||
	    made_plain("certificate", c->certificate) < 0 ||
	    made_plain("key", c->key) < 0)
		return -1;
	if (is_limited(c))
		buf_printf(&m->b, "limit_conn_zone $binary_remote_addr "
		    "zone=culver_source:%dm;\n", ZONE_MIB);
	buf_printf(&m->b, "\nserver {\n"
	    "\tlisten 443 ssl http2;\n"
	    "\tlisten [::]:443 ssl http2;\n"
	    "\tserver_name %s;\n"
	    "\tssl_certificate %s;\n"
	    "\tssl_certificate_key %s;\n"
	    "\tssl_protocols TLSv1.2 TLSv1.3;\n"
	    "\tssl_session_cache shared:culver:10m;\n", name, c->certificate,
	    c->key != NULL ? c->key : c->certificate);
	if (put_limits(m) < 0)
		return -1;
	buf_printf(&m->b, "\tclient_max_body_size %" PRIu64 ";\n"
	    "\tset $culver_socket culver_jmap;\n"
	    "\tinclude " CULVER_PKGDATADIR "/culver-locations.conf;\n"
	    "}\n", c->jmap_max_size_request);
	return 0;
}

int
make_nginx(struct maker *m)
{
	int n;

	made_begin(m, false);
	if ((n = put_upstream(m)) < 0)
		return -1;
	if (n == 0) {
		complain("no listener for jmap has an address");
		return -1;
	}
	if (m->conf->certificate == NULL) {
		complain("no certificate is configured: nginx needs one");
		return -1;
	}
	if (put_server(m) < 0)
		return -1;
	made_end(m, "culver.conf", false);
	return 0;
}
