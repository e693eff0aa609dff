/* conf/keys.c - the tables of all settings, culver.conf(5) */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "conf/conf-int.h"

#define TOP(f) offsetof(struct conf, f)
#define LSN(f) offsetof(struct conf_listener, f)
#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define TIB (KIB * GIB)
enum { DAY = 86400, YEAR = 366 * DAY };

static const struct conf_word levels[] = {
	{ "error", LOG_L_ERR }, { "warning", LOG_L_WARN },
	{ "notice", LOG_L_NOTICE }, { "info", LOG_L_INFO },
	{ "debug", LOG_L_DEBUG }, { NULL, 0 }
};
static const struct conf_word engines[] = {
	{ "bdb", 0 }, { "mem", 0 }, { "chaos", 0 }, { "chaos:mem", 0 },
	{ NULL, 0 }
};
/* libstemmer's */
static const struct conf_word stems[] = {
	{ "none", 0 }, { "arabic", 0 }, { "basque", 0 }, { "catalan", 0 },
	{ "danish", 0 }, { "dutch", 0 }, { "english", 0 }, { "finnish", 0 },
	{ "french", 0 }, { "german", 0 }, { "greek", 0 }, { "hindi", 0 },
	{ "hungarian", 0 }, { "indonesian", 0 }, { "irish", 0 },
	{ "italian", 0 }, { "lithuanian", 0 }, { "nepali", 0 },
	{ "norwegian", 0 }, { "portuguese", 0 }, { "romanian", 0 },
	{ "russian", 0 }, { "serbian", 0 }, { "spanish", 0 },
	{ "swedish", 0 }, { "tamil", 0 }, { "turkish", 0 }, { NULL, 0 }
};
static const struct conf_word hashes[] = {
	{ "$y$", 0 }, { "$gy$", 0 }, { "$7$", 0 }, { "$2b$", 0 },
	{ "$6$", 0 }, { "$5$", 0 }, { "{SCRAM-SHA-256}", 0 },
	{ "{SCRAM-SHA-1}", 0 }, { NULL, 0 }
};
static const struct conf_word languages[] = {	/* of imapd */
	{ "de", 0 }, { "en", 0 }, { "fr", 0 }, { NULL, 0 }
};
static const struct conf_word protocols[] = {
	{ "imap", CONF_IMAP }, { "pop3", CONF_POP3 }, { "lmtp", CONF_LMTP },
	{ "jmap", CONF_JMAP }, { NULL, 0 }
};
static const struct conf_word tls[] = {
	{ "none", CONF_TLS_NONE }, { "starttls", CONF_TLS_STARTTLS },
	{ "implicit", CONF_TLS_IMPLICIT }, { NULL, 0 }
};
static const struct conf_word modes[] = {
	{ "wait", CONF_WAIT }, { "accept", CONF_ACCEPT }, { NULL, 0 }
};
static const struct conf_word clients[] = {
	{ "none", CONF_CLIENT_NONE }, { "optional", CONF_CLIENT_OPTIONAL },
	{ "required", CONF_CLIENT_REQUIRED }, { NULL, 0 }
};
static const struct conf_word client_names[] = {
	{ "email", CONF_CLIENT_EMAIL }, { "common-name", CONF_CLIENT_CN },
	{ NULL, 0 }
};
static const struct conf_word failures[] = {
	{ "temporary", CONF_TEMPORARY }, { "permanent", CONF_PERMANENT },
	{ NULL, 0 }
};
static const struct conf_word deletes[] = {	/* of pop3d */
	{ "expunge", CONF_POP3_EXPUNGE }, { "flag", CONF_POP3_FLAG },
	{ "trash", CONF_POP3_TRASH }, { NULL, 0 }
};
static const struct conf_word details[] = {
	{ "none", CONF_DETAIL_NONE }, { "posted", CONF_DETAIL_POSTED },
	{ "any", CONF_DETAIL_ANY }, { NULL, 0 }
};
static const struct conf_word roles[] = {
	{ "archive", 0 }, { "drafts", 0 }, { "flagged", 0 },
	{ "important", 0 }, { "junk", 0 }, { "sent", 0 }, { "trash", 0 },
	{ NULL, 0 }
};

/* clang-format off */
const struct conf_key conf_top_keys[] = {
	{ "hostname", CONF_K_STR, TOP(hostname), 0, NULL, 0, 0, NULL, conf_check_host },
	{ "mail-dir", CONF_K_PATH, TOP(mail_dir), 0, CULVER_LOCALSTATEDIR "/lib/culver/mail", 0, 0, NULL, NULL },
	{ "run-dir", CONF_K_PATH, TOP(run_dir), 0, CULVER_LOCALSTATEDIR "/run/culver", 0, 0, NULL, NULL },
	{ "module-dir", CONF_K_PATH, TOP(module_dir), 0, CULVER_PKGLIBDIR, 0, 0, NULL, NULL },
	{ "passwd-file", CONF_K_PATH, TOP(passwd_file), 0, CULVER_SYSCONFDIR "/culver/passwd", 0, 0, NULL, NULL },
	{ "token-file", CONF_K_PATH, TOP(token_file), 0, CULVER_SYSCONFDIR "/culver/tokens", 0, 0, NULL, NULL },
	{ "user", CONF_K_STR, TOP(user), 0, NULL, 0, 0, NULL, conf_check_account },
	{ "confine", CONF_K_BOOL, TOP(confine), 0, "true", 0, 0, NULL, NULL },
	{ "log", CONF_K_LOG, TOP(log), 0, "syslog", 0, 0, NULL, NULL },
	{ "log-level", CONF_K_ENUM, TOP(log_level), 0, "info", 0, 0, levels, NULL },
	{ "trace-dir", CONF_K_PATH, TOP(trace_dir), 0, CULVER_LOCALSTATEDIR "/lib/culver/trace", 0, 0, NULL, NULL },
	{ "trace-accounts", CONF_K_LIST, TOP(trace_accounts), TOP(n_trace_accounts), NULL, 0, 0, NULL, NULL },
	{ "trace-size", CONF_K_SIZE64, TOP(trace_size), 0, "10M", 4 * KIB, TIB, NULL, NULL },
	{ "engine", CONF_K_WORD, TOP(engine), 0, "bdb", 0, 0, engines, NULL },
	{ "lock-wait", CONF_K_TIME32, TOP(lock_wait_s), 0, "30s", 1, 3600, NULL, NULL },
	{ "any-fs", CONF_K_BOOL, TOP(any_fs), 0, "false", 0, 0, NULL, NULL },
	{ "retention", CONF_K_TIME32, TOP(retention_s), 0, "7d", 60, 10 * YEAR, NULL, NULL },
	{ "journal-retention", CONF_K_TIME32, TOP(journal_retention_s), 0, "7d", 0, 10 * YEAR, NULL, NULL },
	{ "upload-ttl", CONF_K_TIME32, TOP(upload_ttl_s), 0, "1d", 60, YEAR, NULL, NULL },
	{ "quota-size", CONF_K_SIZE64, TOP(quota_size), 0, "0", 0, 1024 * TIB, NULL, NULL },
	{ "quota-messages", CONF_K_NUM64, TOP(quota_messages), 0, "0", 0, UINT32_MAX, NULL, NULL },
	/* limits */
	{ "max-message", CONF_K_SIZE64, TOP(max_message), 0, "70M", 64 * KIB, GIB, NULL, NULL },
	{ "max-line", CONF_K_SIZE32, TOP(max_line), 0, "64K", 1000, MIB, NULL, NULL },
	{ "max-command-memory", CONF_K_SIZE64, TOP(max_command_memory), 0, "32M", MIB, 16 * GIB, NULL, NULL },
	{ "max-mailboxes", CONF_K_NUM32, TOP(max_mailboxes), 0, "100000", 1, 10000000, NULL, NULL },
	{ "mime-depth", CONF_K_NUM32, TOP(mime_depth), 0, "50", 1, 1000, NULL, NULL },
	{ "mime-parts", CONF_K_NUM32, TOP(mime_parts), 0, "10000", 1, 1000000, NULL, NULL },
	{ "mime-headers", CONF_K_NUM32, TOP(mime_headers), 0, "2000", 10, 1000000, NULL, NULL },
	{ "mime-header-len", CONF_K_SIZE32, TOP(mime_header_len), 0, "256K", KIB, 64 * MIB, NULL, NULL },
	/* TLS */
	{ "certificate", CONF_K_PATH, TOP(certificate), 0, NULL, 0, 0, NULL, NULL },
	{ "key", CONF_K_PATH, TOP(key), 0, NULL, 0, 0, NULL, NULL },
	{ "ocsp-response", CONF_K_PATH, TOP(ocsp), 0, NULL, 0, 0, NULL, NULL },
	{ "client-ca-file", CONF_K_PATH, TOP(client_ca), 0, NULL, 0, 0, NULL, NULL },
	{ "client-crl-file", CONF_K_PATH, TOP(client_crl), 0, NULL, 0, 0, NULL, NULL },
	{ "client-name", CONF_K_ENUM, TOP(client_name), 0, "email", 0, 0, client_names, NULL },
	{ "ticket-lifetime", CONF_K_TIME32, TOP(ticket_lifetime_s), 0, "1d", 0, 7 * DAY, NULL, NULL },
	{ "ticket-key", CONF_K_PATH, TOP(ticket_key), 0, NULL, 0, 0, NULL, NULL },
	{ "tls-priority", CONF_K_STR, TOP(tls_priority), 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE", 0, 0, NULL, NULL },
	/* login */
	{ "hash", CONF_K_WORD, TOP(hash), 0, "$y$", 0, 0, hashes, NULL },
	{ "hash-cost", CONF_K_NUM32, TOP(hash_cost), 0, "0", 0, 10000000, NULL, NULL },
	{ "scram", CONF_K_LIST, TOP(scram), TOP(n_scram), NULL, 0, 0, NULL, conf_check_scram },
	{ "auth-cache", CONF_K_TIME32, TOP(auth_cache_s), 0, "10m", 0, DAY, NULL, NULL },
	{ "auth-command", CONF_K_PATH, TOP(auth_command), 0, NULL, 0, 0, NULL, NULL },
	{ "pam-service", CONF_K_STR, TOP(pam_service), 0, NULL, 0, 0, NULL, NULL },
	{ "pam-dir", CONF_K_PATH, TOP(pam_dir), 0, NULL, 0, 0, NULL, NULL },
	{ "failure-delay-ms", CONF_K_NUM32, TOP(failure_delay_ms), 0, "2000", 0, 60000, NULL, NULL },
	{ "max-failures", CONF_K_NUM32, TOP(max_failures), 0, "5", 1, 1000, NULL, NULL },
	{ "masters", CONF_K_LIST, TOP(masters), TOP(n_masters), NULL, 0, 0, NULL, NULL },
	{ "address-failures", CONF_K_NUM32, TOP(address_failures), 0, "100", 0, 1000000, NULL, NULL },
	{ "address-exempt", CONF_K_LIST, TOP(address_exempt), TOP(n_address_exempt), NULL, 0, 0, NULL, conf_check_network },
	{ "address-window", CONF_K_TIME32, TOP(address_window_s), 0, "10m", 1, DAY, NULL, NULL },
	/* OAuth 2.0 */
	{ "oauth-keys", CONF_K_PATH, TOP(oauth_keys), 0, NULL, 0, 0, NULL, NULL },
	{ "oauth-issuer", CONF_K_STR, TOP(oauth_issuer), 0, NULL, 0, 0, NULL, NULL },
	{ "oauth-audience", CONF_K_STR, TOP(oauth_audience), 0, NULL, 0, 0, NULL, NULL },
	{ "oauth-claim", CONF_K_STR, TOP(oauth_claim), 0, "email", 0, 0, NULL, NULL },
	{ "oauth-scope", CONF_K_STR, TOP(oauth_scope), 0, NULL, 0, 0, NULL, NULL },
	{ "oauth-introspection", CONF_K_STR, TOP(oauth_introspection), 0, NULL, 0, 0, NULL, conf_check_secure_url },
	{ "oauth-client", CONF_K_STR, TOP(oauth_client), 0, NULL, 0, 0, NULL, NULL },
	{ "oauth-secret-file", CONF_K_PATH, TOP(oauth_secret_file), 0, NULL, 0, 0, NULL, NULL },
	{ "oauth-ca-file", CONF_K_PATH, TOP(oauth_ca_file), 0, NULL, 0, 0, NULL, NULL },
	/* IMAP */
	{ "metadata-value", CONF_K_SIZE32, TOP(metadata_value), 0, "32K", KIB, 60 * KIB, NULL, NULL },
	{ "metadata-entries", CONF_K_NUM32, TOP(metadata_entries), 0, "1000", 10, 10000, NULL, NULL },
	{ "metadata-size", CONF_K_SIZE64, TOP(metadata_size), 0, "16M", 64 * KIB, GIB, NULL, NULL },
	{ "admins", CONF_K_LIST, TOP(admins), TOP(n_admins), NULL, 0, 0, NULL, NULL },
	{ "admin-address", CONF_K_STR, TOP(admin_address), 0, NULL, 0, 0, NULL, NULL },
	{ "stem-language", CONF_K_WORD, TOP(stem_language), 0, "english", 0, 0, stems, NULL },
	{ "imap-message-limit", CONF_K_NUM32, TOP(imap_message_limit), 0, "1000000", 0, UINT32_MAX, NULL, NULL },
	{ "imap-save-limit", CONF_K_NUM32, TOP(imap_save_limit), 0, "0", 0, UINT32_MAX, NULL, NULL },
	{ "imap-language", CONF_K_WORD, TOP(imap_language), 0, "en", 0, 0, languages, NULL },
	{ "imap-notify-max", CONF_K_NUM32, TOP(imap_notify_max), 0, "20000", 1, 10000000, NULL, NULL },
	{ "imap-progress-ms", CONF_K_NUM32, TOP(imap_progress_ms), 0, "10000", 0, 3600000, NULL, NULL },
	/* POP3 */
	{ "pop3-mailbox", CONF_K_STR, TOP(pop3_mailbox), 0, "INBOX", 0, 0, NULL, conf_check_path },
	{ "pop3-uidl", CONF_K_STR, TOP(pop3_uidl), 0, "%e", 0, 0, NULL, conf_check_uidl },
	{ "pop3-delete", CONF_K_ENUM, TOP(pop3_delete), 0, "expunge", 0, 0, deletes, NULL },
	{ "pop3-login-delay", CONF_K_TIME32, TOP(pop3_login_delay_s), 0, "0", 0, DAY, NULL, NULL },
	/* JMAP */
	{ "jmap-url", CONF_K_STR, TOP(jmap_url), 0, NULL, 0, 0, NULL, conf_check_url },
	{ "jmap-max-size-upload", CONF_K_SIZE64, TOP(jmap_max_size_upload), 0, "70M", 64 * KIB, GIB, NULL, NULL },
	{ "jmap-max-size-request", CONF_K_SIZE64, TOP(jmap_max_size_request), 0, "10M", 64 * KIB, GIB, NULL, NULL },
	{ "jmap-max-concurrent-upload", CONF_K_NUM32, TOP(jmap_max_concurrent_upload), 0, "4", 1, 1000, NULL, NULL },
	{ "jmap-max-concurrent-requests", CONF_K_NUM32, TOP(jmap_max_concurrent_requests), 0, "8", 1, 1000, NULL, NULL },
	{ "jmap-max-calls", CONF_K_NUM32, TOP(jmap_max_calls), 0, "64", 1, 10000, NULL, NULL },
	{ "jmap-max-objects-in-get", CONF_K_NUM32, TOP(jmap_max_objects_in_get), 0, "5000", 1, 1000000, NULL, NULL },
	{ "jmap-max-objects-in-set", CONF_K_NUM32, TOP(jmap_max_objects_in_set), 0, "5000", 1, 1000000, NULL, NULL },
	{ "jmap-threads", CONF_K_NUM32, TOP(jmap_threads), 0, "32", 1, 1024, NULL, NULL },
	{ "jmap-streams", CONF_K_NUM32, TOP(jmap_streams), 0, "4096", 1, 1000000, NULL, NULL },
	{ "jmap-streams-per-user", CONF_K_NUM32, TOP(jmap_streams_per_user), 0, "32", 1, 100000, NULL, NULL },
	{ "jmap-max-memory", CONF_K_SIZE64, TOP(jmap_max_memory), 0, "512M", MIB, TIB, NULL, NULL },
	{ "jmap-upload-rate", CONF_K_SIZE64, TOP(jmap_upload_rate), 0, "4K", 0, GIB, NULL, NULL },
	{ "jmap-upload-grace", CONF_K_TIME32, TOP(jmap_upload_grace_s), 0, "30s", 1, 3600, NULL, NULL },
	{ "jmap-query-cache", CONF_K_SIZE64, TOP(jmap_query_cache), 0, "64M", 0, TIB, NULL, NULL },
	{ "jmap-origins", CONF_K_LIST, TOP(jmap_origins), TOP(n_jmap_origins), NULL, 0, 0, NULL, conf_check_origin },
	/* sending */
	{ "sendmail", CONF_K_PATH, TOP(sendmail), 0, NULL, 0, 0, NULL, NULL },
	{ "smtp-relay", CONF_K_STR, TOP(smtp_relay), 0, NULL, 0, 0, NULL, conf_check_relay },
	{ "max-recipients", CONF_K_NUM32, TOP(max_recipients), 0, "200", 1, 1000, NULL, NULL },
	{ "max-delayed-send", CONF_K_TIME32, TOP(max_delayed_send_s), 0, "30d", 0, YEAR, NULL, NULL },
	{ "send-retry", CONF_K_TIME32, TOP(send_retry_s), 0, "1m", 1, DAY, NULL, NULL },
	{ "send-give-up", CONF_K_TIME32, TOP(send_give_up_s), 0, "2d", 1, 30 * DAY, NULL, NULL },
	{ "outbox-poll", CONF_K_TIME32, TOP(outbox_poll_s), 0, "30s", 1, 3600, NULL, NULL },
	{ "vacation-interval", CONF_K_TIME32, TOP(vacation_interval_s), 0, "7d", 1, YEAR, NULL, NULL },
	/* push subscriptions */
	{ "push-socket", CONF_K_PATH, TOP(push_socket), 0, NULL, 0, 0, NULL, conf_check_socket },
	{ "push-contact", CONF_K_STR, TOP(push_contact), 0, NULL, 0, 0, NULL, conf_check_contact },
	{ "push-expires", CONF_K_TIME32, TOP(push_expires_s), 0, "30d", 2 * DAY, YEAR, NULL, NULL },
	{ "push-retry", CONF_K_TIME32, TOP(push_retry_s), 0, "30s", 1, 3600, NULL, NULL },
	{ "push-private", CONF_K_BOOL, TOP(push_private), 0, "false", 0, 0, NULL, NULL },
	{ "push-ca-file", CONF_K_PATH, TOP(push_ca_file), 0, NULL, 0, 0, NULL, NULL },
	/* LMTP */
	{ "lmtp-detail", CONF_K_BOOL, TOP(lmtp_detail), 0, "true", 0, 0, NULL, NULL },
	{ "lmtp-detail-folder", CONF_K_ENUM, TOP(lmtp_detail_folder), 0, "none", 0, 0, details, NULL },
	{ "lmtp-delivered-to", CONF_K_BOOL, TOP(lmtp_delivered_to), 0, "true", 0, 0, NULL, NULL },
	{ "lmtp-once", CONF_K_TIME32, TOP(lmtp_once_s), 0, "0", 0, 30 * DAY, NULL, NULL },
	{ "lmtp-over-quota", CONF_K_ENUM, TOP(lmtp_over_quota), 0, "temporary", 0, 0, failures, NULL },
	{ "lmtp-disk-full", CONF_K_ENUM, TOP(lmtp_disk_full), 0, "temporary", 0, 0, failures, NULL },
	{ "domains", CONF_K_LIST, TOP(domains), TOP(n_domains), NULL, 0, 0, NULL, conf_check_host },
	{ NULL, CONF_K_STR, 0, 0, NULL, 0, 0, NULL, NULL }
};

const struct conf_key conf_listener_keys[] = {
	{ "protocol", CONF_K_ENUM, LSN(protocol), 0, NULL, 0, 0, protocols, NULL },
	{ "tls", CONF_K_ENUM, LSN(tls), 0, NULL, 0, 0, tls, NULL },
	{ "tls-section", CONF_K_STR, LSN(tls_section), 0, NULL, 0, 0, NULL, NULL },
	{ "client-certificate", CONF_K_ENUM, LSN(client), 0, "none", 0, 0, clients, NULL },
	{ "address", CONF_K_LIST, LSN(addresses), LSN(n_addresses), NULL, 0, 0, NULL, conf_check_address },
	{ "mode", CONF_K_ENUM, LSN(mode), 0, "wait", 0, 0, modes, NULL },
	{ "backlog", CONF_K_NUM32, LSN(backlog), 0, "4096", 1, 65535, NULL, NULL },
	{ "socket-group", CONF_K_STR, LSN(socket_group), 0, NULL, 0, 0, NULL, conf_check_group },
	{ "proxies", CONF_K_LIST, LSN(proxies), LSN(n_proxies), NULL, 0, 0, NULL, conf_check_network },
	{ "plaintext-login", CONF_K_BOOL, LSN(plaintext_login), 0, "false", 0, 0, NULL, NULL },
	{ "max-connections", CONF_K_NUM32, LSN(max_connections), 0, "1000", 1, 1000000, NULL, NULL },
	{ "max-connections-per-source", CONF_K_NUM32, LSN(max_per_source), 0, "0", 0, 1000000, NULL, NULL },
	{ "login-timeout", CONF_K_TIME32, LSN(login_timeout_s), 0, "1m", 1, 3600, NULL, NULL },
	{ "idle-timeout", CONF_K_TIME32, LSN(idle_timeout_s), 0, NULL, 1, DAY, NULL, NULL },
	{ "keepalive", CONF_K_TIME32, LSN(keepalive_s), 0, "2m", 0, DAY, NULL, NULL },
	{ "linger", CONF_K_TIME32, LSN(linger_s), 0, "1m", 1, DAY, NULL, NULL },
	{ NULL, CONF_K_STR, 0, 0, NULL, 0, 0, NULL, NULL }
};

const struct conf_key conf_folder_keys[] = {
	{ "role", CONF_K_WORD, offsetof(struct conf_folder, role), 0, NULL, 0, 0, roles, NULL },
	{ NULL, CONF_K_STR, 0, 0, NULL, 0, 0, NULL, NULL }
};

const struct conf_key conf_cert_keys[] = {
	{ "certificate", CONF_K_PATH, offsetof(struct conf_cert, certificate), 0, NULL, 0, 0, NULL, NULL },
	{ "key", CONF_K_PATH, offsetof(struct conf_cert, key), 0, NULL, 0, 0, NULL, NULL },
	{ "ocsp-response", CONF_K_PATH, offsetof(struct conf_cert, ocsp), 0, NULL, 0, 0, NULL, NULL },
	{ NULL, CONF_K_STR, 0, 0, NULL, 0, 0, NULL, NULL }
};
/* clang-format on */

const char *
conf_protocol_name(enum conf_protocol p)
{
	const struct conf_word *w = protocols;

	while (w->text != NULL && w->value != (int)p)
		w++;
	return w->text != NULL ? w->text : "-";
}

int
conf_protocol_find(const char *name)
{
	for (const struct conf_word *w = protocols; w->text != NULL; w++)
		if (strcmp(name, w->text) == 0)
			return w->value;
	return -1;
}
