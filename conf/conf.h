/* conf/conf.h - culver.conf, read once into a plain structure (culver.conf(5)) */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/log.h"
#include "libbase/slice.h"

enum conf_protocol {
	CONF_IMAP, CONF_POP3, CONF_LMTP, CONF_JMAP
};
/* "imap", "pop3", "lmtp", "jmap". */
const char *conf_protocol_name(enum conf_protocol p);
int conf_protocol_find(const char *name);	/* -1: none of them */
enum conf_failure {
	CONF_TEMPORARY, CONF_PERMANENT
};
enum conf_pop3_delete {
	CONF_POP3_EXPUNGE, CONF_POP3_FLAG, CONF_POP3_TRASH
};
enum conf_detail {
	CONF_DETAIL_NONE, CONF_DETAIL_POSTED, CONF_DETAIL_ANY
};
enum conf_tls {
	CONF_TLS_NONE, CONF_TLS_STARTTLS, CONF_TLS_IMPLICIT
};
enum conf_mode {	/* what a superserver hands over */
	CONF_WAIT,	/* the listening socket */
	CONF_ACCEPT	/* each connection, to a process of its own */
};
enum conf_client {	/* a TLS client's certificate */
	CONF_CLIENT_NONE, CONF_CLIENT_OPTIONAL, CONF_CLIENT_REQUIRED
};
enum conf_client_name {	/* where it has the login name */
	CONF_CLIENT_EMAIL, CONF_CLIENT_CN
};

/* A "listener NAME { ... }" section: what a program started with -l NAME serves. */
struct conf_listener {
	const char *name;
	enum conf_protocol protocol;
	enum conf_tls tls;
	enum conf_client client;
	const char *tls_section;	/* its certificate is the first; or NULL */
	size_t cert;		/* of conf.certs, from 1; 0: the one outside */
	const char *const *addresses;	/* "127.0.0.1:143", "[::1]:143",
					 * "unix:/run/culver/lmtp" */
	size_t n_addresses;
	enum conf_mode mode;
	uint32_t backlog;
	const char *socket_group;	/* of Unix sockets; or NULL */
	const char *const *proxies;	/* networks of those who send PROXY */
	size_t n_proxies;
	bool plaintext_login;	/* LOGIN without TLS also from other hosts */
	uint32_t max_connections;	/* at once */
	uint32_t max_per_source;	/* of one address; 0: no limit */
	uint32_t login_timeout_s;	/* until authenticated */
	uint32_t keepalive_s;	/* imap: a word to who idles; 0: none */
	uint32_t idle_timeout_s;	/* authenticated, silent (RFC: >= 1800) */
	uint32_t linger_s;	/* wait mode: exit after this long without a
				 * connection */
};

/* A "tls NAME { ... }" section: a certificate for the host names in it. */
struct conf_cert {
	const char *name;
	const char *certificate, *key, *ocsp;
};

struct conf_folder {	/* "folder NAME { role = ... }": for new accounts */
	const char *name;
	const char *role;	/* JMAP role name, or NULL */
};

/*
 * "192.0.2.0/24", "2001:db8::/32", or an address alone; IPv4 as IPv6 maps it
 * (RFC 4291 2.5.5.2).  0, or -1: it is none, or has bits beyond its prefix.
 */
int conf_network(const char *s, unsigned char address_r[16],
    unsigned *bits_r);

struct conf {
	const char *path;	/* the file it came from */
	const char *hostname;	/* in greetings; default gethostname */
	const char *mail_dir, *run_dir, *module_dir;
	const char *passwd_file, *token_file;
	const char *user;	/* to become when started as root; or NULL */
	bool confine;	/* Landlock and seccomp, libsession/confine.h */
	const char *log;	/* log_open()'s target */
	enum log_level log_level;
	const char *trace_dir;
	const char *const *trace_accounts;	/* "*": all */
	size_t n_trace_accounts;
	uint64_t trace_size;	/* octets of a file */
	const char *engine;	/* storage engine, "bdb" */
	uint32_t lock_wait_s;
	bool any_fs;
	uint32_t retention_s, journal_retention_s, upload_ttl_s;
	uint64_t quota_size, quota_messages;	/* of new accounts; 0: none */
	const struct conf_folder *folders;
	size_t n_folders;

	/* limits */
	uint64_t max_message;		/* octets of one message */
	uint32_t max_line;		/* of one command line */
	uint64_t max_command_memory;	/* arena of one command or request */
	uint32_t max_mailboxes;
	uint32_t mime_depth, mime_parts, mime_headers, mime_header_len;

	/* tls */
	const char *certificate, *key;	/* PEM files; NULL: no TLS */
	const char *ocsp;		/* a response about it, or NULL */
	const struct conf_cert *certs;	/* more of them, by SNI */
	size_t n_certs;
	const char *ticket_key;		/* shared by the processes */
	uint32_t ticket_lifetime_s;	/* then there is a new one; 0: never */
	const char *tls_priority;	/* GnuTLS priority string */
	const char *client_ca, *client_crl;	/* PEM, or NULL */
	enum conf_client_name client_name;

	/* login */
	const char *hash;		/* crypt(3) prefix for new passwords: "$y$" */
	const char *const *scram;	/* "SHA-256", "SHA-1": offered */
	size_t n_scram;
	uint32_t hash_cost;		/* 0: the library's default */
	const char *const *masters;	/* accounts that may log in as any */
	size_t n_masters;
	uint32_t address_failures, address_window_s;	/* 0: no limit */
	const char *const *address_exempt;	/* networks without one */
	size_t n_address_exempt;
	const char *pop3_mailbox, *pop3_uidl;	/* a path; a pattern */
	enum conf_pop3_delete pop3_delete;
	uint32_t pop3_login_delay_s;
	const char *oauth_keys;		/* PEM or JWK set, or NULL */
	const char *oauth_issuer, *oauth_audience, *oauth_claim, *oauth_scope;
	const char *oauth_introspection;	/* URL, or NULL */
	const char *oauth_client, *oauth_secret_file, *oauth_ca_file;
	const char *auth_command;	/* NULL: none */
	const char *pam_service;	/* NULL: no PAM */
	const char *pam_dir;		/* NULL: the system's */
	uint32_t auth_cache_s;		/* 0: off */
	uint32_t metadata_value, metadata_entries;
	uint64_t metadata_size;
	const char *const *admins;	/* who may set quotas */
	size_t n_admins;
	const char *admin_address;	/* a URL; NULL: none */
	const char *stem_language;	/* "english"; "none" */
	uint32_t imap_message_limit;	/* messages of one command; 0: any */
	uint32_t imap_save_limit;	/* that COPY and APPEND may make */
	const char *imap_language;	/* preferred by us, RFC 5255 3.2 */
	uint32_t imap_notify_max;	/* mailboxes, or NOTIFY is refused */
	uint32_t imap_progress_ms;	/* a long command's silence; 0: any */
	uint32_t failure_delay_ms;
	uint32_t max_failures;		/* then the connection ends */

	/* jmap: limits of the session object, RFC 8620 section 2 */
	const char *jmap_url;		/* NULL: from the request (Host) */
	uint64_t jmap_max_size_upload, jmap_max_size_request;
	uint32_t jmap_max_concurrent_upload, jmap_max_concurrent_requests;
	uint32_t jmap_max_calls, jmap_max_objects_in_get,
	    jmap_max_objects_in_set;
	uint32_t jmap_threads;
	uint32_t jmap_streams, jmap_streams_per_user;
	uint64_t jmap_max_memory;	/* of responses being made */
	uint64_t jmap_upload_rate;	/* octets a second; 0: any */
	uint32_t jmap_upload_grace_s;
	uint64_t jmap_query_cache;	/* octets; 0: none */
	const char *const *jmap_origins;	/* of pages that may use JMAP; "*": all */
	size_t n_jmap_origins;

	/* sending; neither sendmail nor smtp_relay: none */
	const char *sendmail;		/* a program with that interface */
	const char *smtp_relay;		/* "127.0.0.1:25", "unix:/path" */
	uint32_t max_recipients;	/* of a submission */
	uint32_t max_delayed_send_s;	/* 0: none */
	uint32_t send_retry_s;		/* after the first failure */
	uint32_t send_give_up_s;
	uint32_t outbox_poll_s;		/* jmap-fcgi looks what is due */
	uint32_t vacation_interval_s;	/* between two to one sender */

	/* push subscriptions */
	const char *push_socket;	/* wakes jmap-push; NULL: none */
	const char *push_contact;	/* a URI, for push services; or NULL */
	uint32_t push_expires_s;	/* no later than that from now */
	uint32_t push_retry_s;		/* after the first failure */
	bool push_private;		/* private addresses are allowed */
	const char *push_ca_file;	/* PEM; NULL: the system's */

	/* lmtp */
	bool lmtp_detail;		/* user+detail@ goes to user */
	enum conf_detail lmtp_detail_folder;	/* ... and which folder */
	bool lmtp_delivered_to;		/* the field names the recipient */
	uint32_t lmtp_once_s;		/* duplicates; 0: are delivered */
	enum conf_failure lmtp_over_quota, lmtp_disk_full;
	const char *const *domains;	/* that are accepted; none: any */
	size_t n_domains;

	const struct conf_listener *listeners;
	size_t n_listeners;
};

/*
 * Reads and checks path.  0, or -1 and in *err_r a line "file:line: what is
 * wrong" for each fault (xmalloc'ed; without "line:" where it concerns none):
 * unknown key, wrong type, value out of range, unreadable file, a reference
 * that leads nowhere.
 */
int conf_load(const char *path, struct conf **c_r, char **err_r);
void conf_free(struct conf **c);
/* Lives as long as c: for what is derived from it, at start-up. */
struct arena *conf_arena(const struct conf *c);
const struct conf_listener *conf_listener(const struct conf *c,
    const char *name);
/* The compiled-in default path, sysconfdir/culver/culver.conf. */
const char *conf_default_path(void);
/* Prints all settings with their values, defaults included, in the file's own
 * syntax (culver config). */
struct buf;
void conf_print(const struct conf *c, struct buf *out);
/* The same as a JSON object; sections are arrays of objects with their name. */
void conf_print_json(const struct conf *c, struct buf *out);

#endif
