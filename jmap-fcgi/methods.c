/* jmap-fcgi/methods.c - the table of methods */
#include "config.h"

#include "jmap-fcgi/methods.h"

#include "jmap-fcgi/blob-methods.h"
#include "jmap-fcgi/email-text.h"
#include "jmap-fcgi/email.h"
#include "jmap-fcgi/mailbox.h"
#include "jmap-fcgi/mdn.h"
#include "jmap-fcgi/push.h"
#include "jmap-fcgi/quota.h"
#include "jmap-fcgi/submission.h"

static const struct jmap_arg mailbox_set_args[] = {
	{ "onDestroyRemoveEmails", ARG_BOOL, 0 },
	{ NULL, 0, 0 }
};

#define RO METHOD_ACCOUNT
#define SHARED (METHOD_ACCOUNT | METHOD_SHARED)
#define RW (METHOD_ACCOUNT | METHOD_WRITE)
#define SHARED_RW (METHOD_ACCOUNT | METHOD_SHARED | METHOD_WRITE)
const struct jmap_method jmap_methods[] = {
	/* clang-format off */
	{ "Blob/copy",		CAP_CORE, blob_copy,	blob_copy_args, NULL, RW },
	{ "Blob/get",		CAP_BLOB, blob_get,	blob_get_args, NULL, SHARED },
	{ "Blob/lookup",	CAP_BLOB, blob_lookup,	blob_lookup_args, NULL, SHARED },
	{ "Blob/upload",	CAP_BLOB, blob_upload,	blob_upload_args, NULL, RW },
	{ "Core/echo",		CAP_CORE, core_echo,	NULL, NULL, METHOD_ANY },
	{ "Email/changes",	CAP_MAIL, email_changes, type_changes_args, NULL, SHARED },
	{ "Email/copy",		CAP_MAIL, email_copy,	email_copy_args, NULL, SHARED_RW },
	{ "Email/get",		CAP_MAIL, email_get,	type_get_args, email_get_args, SHARED },
	{ "Email/import",	CAP_MAIL, email_import,	email_import_args, NULL, SHARED_RW },
	{ "Email/parse",	CAP_MAIL, email_parse,	email_parse_args, email_get_args, SHARED },
	{ "Email/query",	CAP_MAIL, email_query,	window_args, email_query_args, SHARED },
	{ "Email/queryChanges",	CAP_MAIL, email_query_changes, query_changes_args, email_query_args, SHARED },
	{ "Email/set",		CAP_MAIL, email_set,	type_set_args, NULL, SHARED_RW },
	{ "EmailSubmission/changes", CAP_SUBMISSION, submission_changes, type_changes_args, NULL, RO },
	{ "EmailSubmission/get", CAP_SUBMISSION, submission_get, type_get_args, NULL, RO },
	{ "EmailSubmission/query", CAP_SUBMISSION, submission_query, window_args, NULL, RO },
	{ "EmailSubmission/queryChanges", CAP_SUBMISSION, submission_query_changes, query_changes_args, NULL, RO },
	{ "EmailSubmission/set", CAP_SUBMISSION, submission_set, type_set_args, submission_set_args, RW },
	{ "Identity/changes",	CAP_SUBMISSION, identity_changes, type_changes_args, NULL, RO },
	{ "Identity/get",	CAP_SUBMISSION, identity_get, type_get_args, NULL, RO },
	{ "Identity/set",	CAP_SUBMISSION, identity_set, type_set_args, NULL, RW },
	{ "MDN/parse",		CAP_MDN, mdn_parse,	mdn_parse_args, NULL, RO },
	{ "MDN/send",		CAP_MDN, mdn_send,	mdn_send_args, NULL, RW },
	{ "Mailbox/changes",	CAP_MAIL, mailbox_changes, type_changes_args, NULL, SHARED },
	{ "Mailbox/get",	CAP_MAIL, mailbox_get,	type_get_args, NULL, SHARED },
	{ "Mailbox/query",	CAP_MAIL, mailbox_query, window_args, mailbox_query_args, SHARED },
	{ "Mailbox/queryChanges", CAP_MAIL, mailbox_query_changes, query_changes_args, mailbox_query_args, SHARED },
	{ "Mailbox/set",	CAP_MAIL, mailbox_set,	type_set_args, mailbox_set_args, SHARED_RW },
	{ "PushSubscription/get", CAP_CORE, push_get,	type_get_args, NULL, 0 },
	{ "PushSubscription/set", CAP_CORE, push_set,	push_set_args, NULL, METHOD_WRITE },
	{ "Quota/changes",	CAP_QUOTA, quota_changes, type_changes_args, NULL, RO },
	{ "Quota/get",		CAP_QUOTA, quota_get,	type_get_args, NULL, RO },
	{ "Quota/query",	CAP_QUOTA, quota_query,	window_args, NULL, RO },
	{ "Quota/queryChanges",	CAP_QUOTA, quota_query_changes, query_changes_args, NULL, RO },
	{ "SearchSnippet/get",	CAP_MAIL, snippet_get,	snippet_get_args, NULL, SHARED },
	{ "Thread/changes",	CAP_MAIL, thread_changes, type_changes_args, NULL, SHARED },
	{ "Thread/get",		CAP_MAIL, thread_get,	type_get_args, NULL, SHARED },
	{ "VacationResponse/get", CAP_VACATION, vacation_get, type_get_args, NULL, RO },
	{ "VacationResponse/set", CAP_VACATION, vacation_set, type_set_args, NULL, RW },
	/* clang-format on */
};
#undef RO
#undef SHARED
#undef RW
#undef SHARED_RW
const size_t n_jmap_methods = sizeof(jmap_methods) / sizeof(jmap_methods[0]);

const struct jmap_method *
jmap_method(struct slice name)
{
	for (size_t i = 0; i < n_jmap_methods; i++)
		if (slice_eq(name, slice_str(jmap_methods[i].name)))
			return &jmap_methods[i];
	return NULL;
}
