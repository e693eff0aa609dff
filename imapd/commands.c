/* imapd/commands.c - the table of commands, and the capabilities */
#include "config.h"

#include "imapd/imap.h"

static const struct imap_command commands[] = {
	/* clang-format off */
	/* name, handler, states, flags, capability, stream */
	{ "APPEND", cmd_append, IMAP_LOGGEDIN, 0, NULL, &append_stream },
	{ "AUTHENTICATE", cmd_authenticate, IMAP_NOAUTH, IMAP_NOSYNC, NULL,
	    NULL },
	{ "CANCELUPDATE", cmd_cancelupdate, IMAP_SELECTED, 0, "CONTEXT=SEARCH",
	    NULL },
	{ "CAPABILITY", cmd_capability, IMAP_ANY, 0, NULL, NULL },
	{ "CHECK", cmd_check, IMAP_SELECTED, 0, NULL, NULL },
	{ "CLOSE", cmd_close, IMAP_SELECTED, IMAP_NOSYNC, NULL, NULL },
	{ "COMPARATOR", cmd_comparator, IMAP_LOGGEDIN, 0, "I18NLEVEL=2",
	    NULL },
	{ "COMPRESS", cmd_compress, IMAP_LOGGEDIN, 0, "COMPRESS=DEFLATE",
	    NULL },
	{ "COPY", cmd_copy, IMAP_SELECTED, IMAP_SEQ |
	    IMAP_NUMBERS, NULL, NULL },
	{ "CREATE", cmd_create, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "DELETE", cmd_delete, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "DELETEACL", cmd_deleteacl, IMAP_LOGGEDIN, 0, "ACL", NULL },
	{ "ENABLE", cmd_enable, IMAP_LOGGEDIN, 0, "ENABLE", NULL },
	{ "ESEARCH", cmd_esearch, IMAP_LOGGEDIN, IMAP_SEQ, "MULTISEARCH",
	    NULL },
	{ "EXAMINE", cmd_examine, IMAP_LOGGEDIN, IMAP_NOSYNC, NULL, NULL },
	{ "EXPUNGE", cmd_expunge, IMAP_SELECTED, IMAP_WRITE, NULL, NULL },
	{ "FETCH", cmd_fetch, IMAP_SELECTED, IMAP_SEQ | IMAP_SECTIONS |
	    IMAP_NUMBERS, NULL, NULL },
	{ "GETJMAPACCESS", cmd_getjmapaccess, IMAP_LOGGEDIN, 0, "JMAPACCESS",
	    NULL },
	{ "GETACL", cmd_getacl, IMAP_LOGGEDIN, 0, "ACL", NULL },
	{ "GETMETADATA", cmd_getmetadata, IMAP_LOGGEDIN, 0, "METADATA", NULL },
	{ "GETQUOTA", cmd_getquota, IMAP_LOGGEDIN, 0, "QUOTA", NULL },
	{ "GETQUOTAROOT", cmd_getquotaroot, IMAP_LOGGEDIN, 0, "QUOTA", NULL },
	{ "ID", cmd_id, IMAP_ANY, 0, "ID", NULL },
	{ "IDLE", cmd_idle, IMAP_LOGGEDIN, 0, "IDLE", NULL },
	{ "LANGUAGE", cmd_language, IMAP_ANY, 0, "LANGUAGE", NULL },
	{ "LIST", cmd_list, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "LISTRIGHTS", cmd_listrights, IMAP_LOGGEDIN, 0, "ACL", NULL },
	{ "LOGIN", cmd_login, IMAP_NOAUTH, IMAP_NOSYNC, NULL, NULL },
	{ "LOGOUT", cmd_logout, IMAP_ANY, IMAP_NOSYNC, NULL, NULL },
	{ "LSUB", cmd_lsub, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "MOVE", cmd_move, IMAP_SELECTED, IMAP_WRITE |
	    IMAP_NUMBERS, "MOVE", NULL },
	{ "MYRIGHTS", cmd_myrights, IMAP_LOGGEDIN, 0, "ACL", NULL },
	{ "NAMESPACE", cmd_namespace, IMAP_LOGGEDIN, 0, "NAMESPACE", NULL },
	{ "NOOP", cmd_noop, IMAP_ANY, 0, NULL, NULL },
	{ "NOTIFY", cmd_notify, IMAP_LOGGEDIN, IMAP_NOSYNC | IMAP_SECTIONS,
	    "NOTIFY", NULL },
	{ "RENAME", cmd_rename, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "REPLACE", cmd_replace, IMAP_SELECTED, IMAP_WRITE |
	    IMAP_NUMBERS, "REPLACE", &append_stream },
	{ "SEARCH", cmd_search, IMAP_SELECTED, IMAP_SEQ | IMAP_RETURN |
	    IMAP_NUMBERS, NULL, NULL },
	{ "SELECT", cmd_select, IMAP_LOGGEDIN, IMAP_NOSYNC, NULL, NULL },
	{ "SETACL", cmd_setacl, IMAP_LOGGEDIN, 0, "ACL", NULL },
	{ "SETMETADATA", cmd_setmetadata, IMAP_LOGGEDIN, IMAP_LITERAL8,
	    "METADATA", NULL },
	{ "SORT", cmd_sort, IMAP_SELECTED, IMAP_SEQ | IMAP_RETURN |
	    IMAP_NUMBERS, "SORT", NULL },
	{ "SETQUOTA", cmd_setquota, IMAP_LOGGEDIN, 0, "QUOTASET", NULL },
	{ "STARTTLS", cmd_starttls, IMAP_NOAUTH, IMAP_NOSYNC, "STARTTLS",
	    NULL },
	{ "STATUS", cmd_status, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "STORE", cmd_store, IMAP_SELECTED, IMAP_SEQ | IMAP_WRITE |
	    IMAP_NUMBERS | IMAP_LITERAL8, NULL, NULL },
	{ "SUBSCRIBE", cmd_subscribe, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "THREAD", cmd_thread, IMAP_SELECTED, IMAP_SEQ |
	    IMAP_NUMBERS, "THREAD=REFERENCES", NULL },
	{ "UID COPY", cmd_copy, IMAP_SELECTED, IMAP_UID, NULL, NULL },
	{ "UID EXPUNGE", cmd_expunge, IMAP_SELECTED, IMAP_UID | IMAP_WRITE,
	    "UIDPLUS", NULL },
	{ "UID FETCH", cmd_fetch, IMAP_SELECTED, IMAP_UID | IMAP_SECTIONS,
	    NULL, NULL },
	{ "UID MOVE", cmd_move, IMAP_SELECTED, IMAP_UID | IMAP_WRITE, "MOVE",
	    NULL },
	{ "UID REPLACE", cmd_replace, IMAP_SELECTED, IMAP_UID | IMAP_WRITE,
	    "REPLACE", &append_stream },
	{ "UID SEARCH", cmd_search, IMAP_SELECTED, IMAP_UID | IMAP_RETURN, NULL, NULL },
	{ "UID SORT", cmd_sort, IMAP_SELECTED, IMAP_UID | IMAP_RETURN, "SORT", NULL },
	{ "UID STORE", cmd_store, IMAP_SELECTED, IMAP_UID | IMAP_WRITE |
	    IMAP_LITERAL8, NULL, NULL },
	{ "UID THREAD", cmd_thread, IMAP_SELECTED, IMAP_UID,
	    "THREAD=REFERENCES", NULL },
	{ "UIDBATCHES", cmd_uidbatches, IMAP_SELECTED, 0, "UIDBATCHES", NULL },
	{ "UNAUTHENTICATE", cmd_unauthenticate, IMAP_LOGGEDIN, IMAP_NOSYNC,
	    "UNAUTHENTICATE", NULL },
	{ "UNSELECT", cmd_unselect, IMAP_SELECTED, IMAP_NOSYNC, "UNSELECT",
	    NULL },
	{ "UNSUBSCRIBE", cmd_unsubscribe, IMAP_LOGGEDIN, 0, NULL, NULL },
	{ "XLIST", cmd_xlist, IMAP_LOGGEDIN, 0, "XLIST", NULL },
	/* clang-format on */
};

enum { CAP_ALWAYS, CAP_BEFORE, CAP_AFTER };

static const struct {
	const char *name;
	int when;
} capabilities[] = {
	/* clang-format off */
	{ "IMAP4rev1",		CAP_ALWAYS },
	{ "IMAP4rev2",		CAP_ALWAYS },
	{ "LITERAL+",		CAP_ALWAYS },
	{ "SASL-IR",		CAP_BEFORE },
	{ "ENABLE",		CAP_ALWAYS },
	{ "ID",			CAP_ALWAYS },
	{ "IDLE",		CAP_ALWAYS },
	{ "LANGUAGE",		CAP_ALWAYS },
	{ "ACL",		CAP_AFTER },
	{ "ANNOTATE-EXPERIMENT-1", CAP_AFTER },
	{ "BINARY",		CAP_AFTER },
	{ "CATENATE",		CAP_AFTER },
	{ "CHILDREN",		CAP_AFTER },
	{ "CONDSTORE",		CAP_AFTER },
	{ "CONTEXT=SEARCH",	CAP_AFTER },
	{ "CONTEXT=SORT",	CAP_AFTER },
	{ "CREATE-SPECIAL-USE",	CAP_AFTER },
	{ "ESEARCH",		CAP_AFTER },
	{ "ESORT",		CAP_AFTER },
	{ "FILTERS",		CAP_AFTER },
	{ "I18NLEVEL=2",	CAP_AFTER },
	{ "INPROGRESS",		CAP_AFTER },
	{ "LIST-EXTENDED",	CAP_AFTER },
	{ "LIST-METADATA",	CAP_AFTER },
	{ "LIST-MYRIGHTS",	CAP_AFTER },
	{ "LIST-STATUS",	CAP_AFTER },
	{ "METADATA",		CAP_AFTER },
	{ "MOVE",		CAP_AFTER },
	{ "MULTIAPPEND",	CAP_AFTER },
	{ "MULTISEARCH",	CAP_AFTER },
	{ "NAMESPACE",		CAP_AFTER },
	{ "NOTIFY",		CAP_AFTER },
	{ "OBJECTID",		CAP_AFTER },
	{ "PARTIAL",		CAP_AFTER },
	{ "PREVIEW",		CAP_AFTER },
	{ "QRESYNC",		CAP_AFTER },
	{ "QUOTA",		CAP_AFTER },
	{ "QUOTA=RES-ANNOTATION-STORAGE", CAP_AFTER },
	{ "QUOTA=RES-MAILBOX",	CAP_AFTER },
	{ "QUOTA=RES-MESSAGE",	CAP_AFTER },
	{ "QUOTA=RES-STORAGE",	CAP_AFTER },
	{ "REPLACE",		CAP_AFTER },
	{ "RIGHTS=kxten",	CAP_AFTER },
	{ "SAVEDATE",		CAP_AFTER },
	{ "SEARCH=FUZZY",	CAP_AFTER },
	{ "SEARCHRES",		CAP_AFTER },
	{ "SORT",		CAP_AFTER },
	{ "SORT=DISPLAY",	CAP_AFTER },
	{ "SPECIAL-USE",	CAP_AFTER },
	{ "STATUS=SIZE",	CAP_AFTER },
	{ "THREAD=ORDEREDSUBJECT", CAP_AFTER },
	{ "THREAD=REFERENCES",	CAP_AFTER },
	{ "THREAD=REFS",	CAP_AFTER },
	{ "UIDBATCHES",		CAP_AFTER },
	{ "UIDONLY",		CAP_AFTER },
	{ "UIDPLUS",		CAP_AFTER },
	{ "UNAUTHENTICATE",	CAP_AFTER },
	{ "UNSELECT",		CAP_AFTER },
	{ "UTF8=ACCEPT",	CAP_AFTER },
	{ "WITHIN",		CAP_AFTER },
	{ "XLIST",		CAP_AFTER },
	/* clang-format on */
};

const struct imap_command *
imap_command_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_ieq(name, slice_str(commands[i].name)))
			return &commands[i];
	return NULL;
}

static void
cap_add(struct buf *out, const char *name)
{
	if (out->n > 0)
		buf_addc(out, ' ');
	buf_add_str(out, name);
}

/* " AUTH=X" for each mechanism that may be used now. */
static void
cap_auth(struct imap_session *s, struct buf *out)
{
	const char *m = sasl_mechanisms(s->x);

	while (*m != '\0') {
		size_t n = strcspn(m, " ");

		if (n > 0) {
			cap_add(out, "AUTH=");
			buf_add(out, m, n);
		}
		m += n + (m[n] == ' ');
	}
}

void
imap_capabilities(struct imap_session *s, struct buf *out)
{
	bool in = imap_state(s) != IMAP_NOAUTH;

	for (size_t i = 0; i < sizeof(capabilities) /
	    sizeof(capabilities[0]); i++)
		if (capabilities[i].when == CAP_ALWAYS ||
		    (capabilities[i].when == CAP_AFTER) == in)
			cap_add(out, capabilities[i].name);
	if (in) {
		if (!s->compressed)
			cap_add(out, "COMPRESS=DEFLATE");
		cap_add(out, "APPENDLIMIT=");
		buf_add_u64(out, s->x->conf->max_message);
		if (s->x->conf->imap_message_limit != 0)
			cap_add(out, "MESSAGELIMIT=");
		else if (s->x->conf->imap_save_limit != 0)
			cap_add(out, "SAVELIMIT=");
		if (imap_limit_save(s) != 0)
			buf_add_u64(out, imap_limit_save(s));
		if (imap_is_admin(s))
			cap_add(out, "QUOTASET");
		if (s->x->conf->jmap_url != NULL)
			cap_add(out, "JMAPACCESS");
		return;
	}
	if (s->x->tls_offered)
		cap_add(out, "STARTTLS");
	if (!s->x->plaintext_ok)
		cap_add(out, "LOGINDISABLED");
	cap_auth(s, out);
}
