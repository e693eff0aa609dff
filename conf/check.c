/* conf/check.c - what concerns several settings, or the system */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf-int.h"
#include "libbase/text.h"

const char *
conf_check_host(const char *s)
{
	size_t n = strlen(s), label = 0;

	if (n > 253)
		return "is too long for a host name";
	for (size_t i = 0; i <= n; i++) {
		char c = s[i];

		if (c == '.' || c == '\0') {
			if (label == 0 || label > 63)
				return "is not a host name";
			label = 0;
		} else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		    (unsigned char)c >= 0x80)
			label++;
		else
			return "is not a host name";
	}
	return utf8_valid(slice_str(s)) ? NULL : "is not UTF-8";
}

static bool
port_ok(const char *s)
{
	uint64_t port;

	return slice_uint(slice_str(s), 65535, &port) == 0 && port != 0;
}

/* "127.0.0.1:143", "*:143", "[::1]:143", "unix:/path". */
const char *
conf_check_address(const char *s)
{
	static const char wrong[] =
	    "is none of IPV4:PORT, *:PORT, [IPV6]:PORT and unix:/PATH";
	const char *colon = strrchr(s, ':');
	char host[INET6_ADDRSTRLEN + 2];
	struct in6_addr a6;
	struct in_addr a4;
	size_t n;

	if (strncmp(s, "unix:", 5) == 0) {
		if (s[5] != '/')
			return "is not an absolute path";
		return strlen(s + 5) < 108 ? NULL : "is too long for a socket";
	}
	if (colon == NULL || !port_ok(colon + 1) ||
	    (n = (size_t)(colon - s)) >= sizeof(host))
		return wrong;
	memcpy(host, s, n);
	host[n] = '\0';
	if (strcmp(host, "*") == 0 || inet_pton(AF_INET, host, &a4) == 1)
		return NULL;
	if (n < 3 || host[0] != '[' || host[n - 1] != ']')
		return wrong;
	host[n - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, &a6) == 1 ? NULL : wrong;
}

const char *
conf_check_socket(const char *s)
{
	return strlen(s) < 108 ? NULL : "is too long for a socket";
}

/* As an address, of one host. */
const char *
conf_check_relay(const char *s)
{
	return *s == '*' ? "is none of IPV4:PORT, [IPV6]:PORT and unix:/PATH" :
	    conf_check_address(s);
}

int
conf_network(const char *s, unsigned char address_r[16], unsigned *bits_r)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *slash = strchr(s, '/');
	size_t n = slash != NULL ? (size_t)(slash - s) : strlen(s);
	char text[INET6_ADDRSTRLEN];
	uint64_t bits;
	unsigned off = 0;

	if (n >= sizeof(text))
		return -1;
	memcpy(text, s, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, address_r + 12) == 1) {
		memcpy(address_r, mapped, sizeof(mapped));
		off = 96;
	} else if (inet_pton(AF_INET6, text, address_r) != 1)
		return -1;
	bits = 128 - off;
	if (slash != NULL && slice_uint(slice_str(slash + 1), bits, &bits) < 0)
		return -1;
	*bits_r = off + (unsigned)bits;
	for (unsigned i = *bits_r; i < 128; i++)
		if (address_r[i / 8] & 0x80 >> i % 8)
			return -1;
	return 0;
}

const char *
conf_check_network(const char *s)
{
	unsigned char address[16];
	unsigned bits;

	return conf_network(s, address, &bits) == 0 ? NULL :
	    "is no network, such as 192.0.2.0/24 or 2001:db8::/32";
}

const char *
conf_check_folder(const char *s)
{
	size_t n = strlen(s);

	if (n == 0)
		return "is empty";
	if (n > 255)
		return "is too long";
	if (!utf8_valid(slice_str(s)))
		return "is not UTF-8";
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "has a control character";
	if (s[0] == '/' || s[n - 1] == '/' || strstr(s, "//") != NULL)
		return "has an empty part";
	if (slice_ieq(slice_str(s), SLICE_LIT("inbox")))
		return "is there in every account";
	return NULL;
}

/* A mailbox, INBOX too. */
const char *
conf_check_path(const char *s)
{
	return slice_ieq(slice_str(s), SLICE_LIT("inbox")) ? NULL :
	    conf_check_folder(s);
}

/* One directive, without its '%': how many octets it is, and at most makes; 0:
 * it is none. */
static size_t
uidl_directive(const char *s, size_t *made_r)
{
	size_t n = 0, width = 0;

	if (*s == 'e' || *s == '%') {
		*made_r = *s == 'e' ? 16 : 1;
		return 1;
	}
	while (s[n] >= '0' && s[n] <= '9' && n < 3)
		width = width * 10 + (size_t)(s[n++] - '0');
	if (n > 0 && s[n] != 'x' && s[n] != 'X')
		return 0;
	n += s[n] == 'x' || s[n] == 'X';
	*made_r = width > 10 ? width : 10;
	return s[n] == 'u' || s[n] == 'v' ? n + 1 : 0;
}

/* RFC 1939 7: 1 to 70 octets of 0x21 to 0x7e, of each message another one. */
const char *
conf_check_uidl(const char *s)
{
	size_t total = 0, made, n;
	bool unique = false;

	for (; *s != '\0'; s++) {
		made = 1;
		if (*s == '%') {
			if ((n = uidl_directive(s + 1, &made)) == 0)
				return "has a directive that is none of %e, "
				    "%u, %v, %08Xu and the like";
			s += n;
			unique = unique || *s == 'e' || *s == 'u';
		} else if (*s <= ' ' || *s > '~') {
			return "has a character that a unique-id can't have";
		}
		total += made;
	}
	if (total > 70)
		return "makes more than 70 characters";
	return unique ? NULL : "has neither %e nor %u";
}

const char *
conf_check_url(const char *s)
{
	const char *rest = NULL;

	if (strncmp(s, "https://", 8) == 0)
		rest = s + 8;
	else if (strncmp(s, "http://", 7) == 0)
		rest = s + 7;
	if (rest == NULL || *rest == '\0' || *rest == '/' ||
	    strpbrk(s, " \"<>?#") != NULL)
		return "is not an https:// or http:// URL";
	return s[strlen(s) - 1] == '/' ? "ends with a slash" : NULL;
}

/* Secrets go there: without TLS to this host alone. */
const char *
conf_check_secure_url(const char *s)
{
	static const char *const local[] = {
		"http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:",
		"http://[::1]/"
	};
	bool ok = strncmp(s, "https://", 8) == 0 && s[8] != '\0' &&
	    s[8] != '/';

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		ok = ok || strncmp(s, local[i], strlen(local[i])) == 0;
	for (size_t i = 0; s[i] != '\0'; i++)
		ok = ok && s[i] > ' ' && s[i] <= '~';
	return ok ? NULL : "is not an https:// URL";
}

/* RFC 6454 6.2, and "*" for any. */
const char *
conf_check_origin(const char *s)
{
	static const char wrong[] = "is neither * nor an origin, such as "
	    "https://webmail.example.org";
	const char *host = strstr(s, "://");

	if (strcmp(s, "*") == 0)
		return NULL;
	for (size_t i = 0; s[i] != '\0'; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return wrong;
	return host == NULL || host == s || host[3] == '\0' ||
	    strpbrk(host + 3, "/?#*\"") != NULL ? wrong : NULL;
}

/* RFC 8292 2.1 */
const char *
conf_check_contact(const char *s)
{
	for (size_t i = 0; s[i] != '\0'; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			return "is not a URI";
	return strncmp(s, "mailto:", 7) == 0 ||
	    strncmp(s, "https://", 8) == 0 ? NULL :
	    "is not a mailto: or https:// URI";
}

const char *
conf_check_account(const char *s)
{
	/* Only root can become another user, so only it needs to know. */
	if (geteuid() != 0)
		return NULL;
	return getpwnam(s) != NULL ? NULL : "is not a user of this system";
}

const char *
conf_check_scram(const char *s)
{
	return strcmp(s, "SHA-256") == 0 || strcmp(s, "SHA-1") == 0 ? NULL :
	    "is neither SHA-256 nor SHA-1";
}

const char *
conf_check_group(const char *s)
{
	if (geteuid() != 0)
		return NULL;
	return getgrnam(s) != NULL ? NULL : "is not a group of this system";
}

/* Other programs' files are named so. */
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789._-"

static void
listener_defaults(struct conf_listener *v)
{
	if (v->idle_timeout_s != 0)
		return;
	switch (v->protocol) {
	case CONF_IMAP:
		v->idle_timeout_s = 1860;	/* RFC 9051 5.4: >= 30 min */
		break;
	case CONF_POP3:
		v->idle_timeout_s = 600;	/* RFC 1939 3: >= 10 min */
		break;
	case CONF_LMTP:
	case CONF_JMAP:
		v->idle_timeout_s = 300;	/* RFC 5321 4.5.3.2: 5 min */
	}
}

void
conf_check_listener(struct conf_loader *l, size_t i)
{
	struct conf_listener *v = &l->listeners[i];
	int line = l->listener_line[i];

	if (*v->name == '\0')
		conf_fault(l, line, "listener: the name is empty");
	if (strspn(v->name, NAME_CHARS) != strlen(v->name) ||
	    v->name[0] == '.' || v->name[0] == '-')
		conf_fault(l, line, "listener \"%.200s\": a name has letters, "
		    "digits, and within it . _ -", v->name);
	if (conf_key_line(&l->sec_listener, "protocol") == 0) {
		conf_fault(l, line, "listener \"%.200s\": protocol is missing",
		    v->name);
		return;
	}
	if (v->tls != CONF_TLS_NONE &&
	    (v->protocol == CONF_LMTP || v->protocol == CONF_JMAP))
		conf_fault(l, l->tls_line[i],
		    "listener \"%.200s\": tls must be none for this protocol",
		    v->name);
	if (v->mode == CONF_ACCEPT && v->protocol == CONF_JMAP)
		conf_fault(l, line, "listener \"%.200s\": jmap knows only "
		    "mode = \"wait\"", v->name);
	listener_defaults(v);
}

static bool
has_address(const struct conf_listener *v, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v->addresses[i], address) == 0)
			return true;
	return false;
}

/* The address k of listener i stands in no listener before, nor before it. */
static void
check_duplicates(struct conf_loader *l, size_t i)
{
	const struct conf_listener *v = &l->listeners[i];

	for (size_t k = 0; k < v->n_addresses; k++) {
		bool twice = has_address(v, k, v->addresses[k]);

		for (size_t j = 0; j < i && !twice; j++)
			twice = has_address(&l->listeners[j],
			    l->listeners[j].n_addresses, v->addresses[k]);
		if (twice)
			conf_fault(l, l->address_line[i],
			    "listener \"%.200s\": address %s is given twice",
			    v->name, v->addresses[k]);
	}
}

/* A file that must be there.  One that this user may not see is not a fault:
 * the daemons read it as root. */
static void
check_file_at(struct conf_loader *l, int line, const char *name,
    const char *path)
{
	struct stat st;

	if (path == NULL)
		return;
	if (stat(path, &st) < 0) {
		if (errno != EACCES)
			conf_fault(l, line, "%s: %s: %s", name, path,
			    strerror(errno));
	} else if (!S_ISREG(st.st_mode))
		conf_fault(l, line, "%s: %s: not a regular file", name, path);
}

static void
check_file(struct conf_loader *l, const char *name, const char *path)
{
	check_file_at(l, conf_key_line(&l->top, name), name, path);
}

static void
check_certs(struct conf_loader *l)
{
	const struct conf *c = l->c;

	check_file(l, "certificate", c->certificate);
	check_file(l, "key", c->key);
	check_file(l, "ocsp-response", c->ocsp);
	if (c->certificate != NULL && c->key == NULL)
		conf_fault(l, conf_key_line(&l->top, "certificate"),
		    "certificate: needs a key too");
	if (c->certificate == NULL && c->key != NULL)
		conf_fault(l, conf_key_line(&l->top, "key"),
		    "key: needs a certificate too");
	for (size_t i = 0; i < c->n_certs; i++) {
		const struct conf_cert *t = &l->certs[i];
		int line = l->cert_line[i];

		if (t->certificate == NULL || t->key == NULL)
			conf_fault(l, line, "tls \"%.200s\": needs a "
			    "certificate and a key", t->name);
		if (c->certificate == NULL)
			conf_fault(l, line, "tls \"%.200s\": needs a "
			    "certificate outside of sections, for clients "
			    "that name no host", t->name);
		check_file_at(l, line, "certificate", t->certificate);
		check_file_at(l, line, "key", t->key);
		check_file_at(l, line, "ocsp-response", t->ocsp);
	}
}

static void
check_section(struct conf_loader *l, size_t i)
{
	struct conf_listener *v = &l->listeners[i];

	if (v->tls_section == NULL)
		return;
	for (size_t k = 0; k < l->c->n_certs && v->cert == 0; k++)
		if (strcmp(l->certs[k].name, v->tls_section) == 0)
			v->cert = k + 1;
	if (v->cert == 0)
		conf_fault(l, l->listener_line[i], "listener \"%.200s\": there "
		    "is no section tls \"%.200s\"", v->name, v->tls_section);
}

static void
check_tls(struct conf_loader *l)
{
	struct conf *c = l->c;

	check_certs(l);
	check_file(l, "client-ca-file", c->client_ca);
	check_file(l, "client-crl-file", c->client_crl);
	if (c->ticket_key == NULL)
		c->ticket_key = arena_printf(l->a, "%s/ticket.key", c->run_dir);
	for (size_t i = 0; i < c->n_listeners; i++) {
		struct conf_listener *v = &l->listeners[i];
		bool can = v->protocol == CONF_IMAP ||
		    v->protocol == CONF_POP3;

		if (v->tls != CONF_TLS_NONE && c->certificate == NULL)
			conf_fault(l, l->tls_line[i],
			    "listener \"%.200s\": tls needs a certificate",
			    v->name);
		if (l->tls_line[i] == 0 && can && c->certificate != NULL)
			v->tls = CONF_TLS_STARTTLS;
		check_section(l, i);
		if (v->client == CONF_CLIENT_NONE)
			continue;
		if (v->tls == CONF_TLS_NONE)
			conf_fault(l, l->listener_line[i], "listener "
			    "\"%.200s\": client-certificate needs tls",
			    v->name);
		if (c->client_ca == NULL)
			conf_fault(l, l->listener_line[i], "listener "
			    "\"%.200s\": client-certificate needs a "
			    "client-ca-file", v->name);
	}
}

/* The cost is understood by each method in its own way (crypt(5)). */
static void
check_hash(struct conf_loader *l)
{
	static const struct {
		const char *prefix;
		uint32_t min, max;
	} t[] = {
		{ "$y$", 1, 11 }, { "$gy$", 1, 11 }, { "$7$", 6, 11 },
		{ "$2b$", 4, 31 }, { "$6$", 1000, 10000000 },
		{ "$5$", 1000, 10000000 },
		{ "{SCRAM-SHA-256}", 4096, 10000000 },
		{ "{SCRAM-SHA-1}", 4096, 10000000 }
	};
	uint32_t cost = l->c->hash_cost;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (strcmp(l->c->hash, t[i].prefix) == 0 && cost != 0 &&
		    (cost < t[i].min || cost > t[i].max))
			conf_fault(l, conf_key_line(&l->top, "hash-cost"),
			    "hash-cost: %u is out of range %u to %u of hash %s",
			    cost, t[i].min, t[i].max, t[i].prefix);
}

/* A token of any issuer, or for any service, is not to let anybody in. */
static void
check_oauth(struct conf_loader *l)
{
	const struct conf *c = l->c;
	int line = conf_key_line(&l->top, "oauth-keys");

	check_file(l, "oauth-keys", c->oauth_keys);
	check_file(l, "oauth-secret-file", c->oauth_secret_file);
	check_file(l, "oauth-ca-file", c->oauth_ca_file);
	if (c->oauth_keys != NULL && c->oauth_issuer == NULL)
		conf_fault(l, line, "oauth-keys: needs oauth-issuer too");
	if (c->oauth_keys != NULL && c->oauth_audience == NULL)
		conf_fault(l, line, "oauth-keys: needs oauth-audience too");
	if (c->oauth_secret_file != NULL && c->oauth_client == NULL)
		conf_fault(l, conf_key_line(&l->top, "oauth-secret-file"),
		    "oauth-secret-file: needs oauth-client too");
}

static void
check_folders(struct conf_loader *l)
{
	const struct conf_folder *f = l->folders;

	for (size_t i = 0; i < l->c->n_folders; i++)
		for (size_t j = 0; j < i; j++)
			if (f[i].role != NULL && f[j].role != NULL &&
			    strcmp(f[i].role, f[j].role) == 0)
				conf_fault(l, l->folder_line[i],
				    "folder \"%s\": \"%s\" has the role %s "
				    "already",
				    f[i].name, f[j].name, f[i].role);
}

void
conf_check(struct conf_loader *l)
{
	struct conf *c = l->c;
	char host[256];

	if (c->hostname == NULL) {
		if (gethostname(host, sizeof(host)) < 0 ||
		    memchr(host, '\0', sizeof(host)) == NULL ||
		    conf_check_host(host) != NULL)
			conf_fault(l, 0,
			    "hostname: this host has no usable name; set it");
		else
			c->hostname = arena_strdup(l->a, host);
	}
	check_tls(l);
	check_hash(l);
	check_oauth(l);
	check_file(l, "auth-command", c->auth_command);
	check_folders(l);
	for (size_t i = 0; i < c->n_listeners; i++)
		check_duplicates(l, i);
}
