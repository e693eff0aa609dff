/* libstore/errors.c - what each result code is called outside */
#include "config.h"

#include <stddef.h>

#include "libbase/io.h"
#include "libstore/errors.h"

/* IMAP: RFC 5530, 9051 and 9208; JMAP: RFC 8620 and 8621; POP3: RFC 2449 and
 * 3206; LMTP: RFC 5321 and 3463.  The row of IO is the first. */
static const struct store_error errors[] = {
	/* clang-format off */
	{ STORE_E_IO, "SERVERBUG", "serverFail", "SYS/TEMP", "451 4.3.0",
	    "Internal error, try later", 1 },
	{ STORE_E_NOTFOUND, "NONEXISTENT", "notFound", "SYS/PERM", "550 5.1.1",
	    "No such object", 0 },
	{ STORE_E_FENCED, "UNAVAILABLE", "serverUnavailable", "SYS/TEMP",
	    "451 4.3.2", "The account is not available here now", 1 },
	{ STORE_E_BUSY, "INUSE", "serverUnavailable", "IN-USE", "451 4.3.2",
	    "The account is busy, try later", 1 },
	{ STORE_E_CONFLICT, "INUSE", "serverUnavailable", "SYS/TEMP",
	    "451 4.3.2", "The account is busy, try later", 1 },
	{ STORE_E_UNKNOWN, "UNAVAILABLE", "serverPartialFail", "SYS/TEMP",
	    "451 4.3.0", "It is not known whether that was done", 0 },
	{ STORE_E_EXISTS, "ALREADYEXISTS", "alreadyExists", "SYS/PERM",
	    "550 5.3.0", "It exists already", 0 },
	{ STORE_E_NOMEM, "SERVERBUG", "serverFail", "SYS/TEMP", "451 4.3.0",
	    "Out of memory, try later", 1 },
	{ STORE_E_NOSPACE, "UNAVAILABLE", "serverUnavailable", "SYS/TEMP",
	    "452 4.3.1", "No space left, try later", 1 },
	{ STORE_E_QUOTA, "OVERQUOTA", "overQuota", "SYS/PERM", "452 4.2.2",
	    "The account's quota is exceeded", 0 },
	{ STORE_E_LIMIT, "LIMIT", "limit", "SYS/PERM", "452 4.5.3",
	    "A limit is reached", 0 },
	{ STORE_E_TOOBIG, "TOOBIG", "tooLarge", "SYS/PERM", "552 5.3.4",
	    "Too large", 0 },
	{ STORE_E_INVALID, "CANNOT", "invalidArguments", "SYS/PERM",
	    "501 5.5.4", "Not acceptable", 0 },
	{ STORE_E_CORRUPT, "CORRUPTION", "serverFail", "SYS/PERM", "451 4.3.0",
	    "The stored data is damaged", 0 },
	{ STORE_E_VERSION, "UNAVAILABLE", "serverUnavailable", "SYS/PERM",
	    "451 4.3.5", "The stored data is of a newer version", 0 },
	{ STORE_E_HASCHILD, "HASCHILDREN", "mailboxHasChild", "SYS/PERM",
	    "550 5.3.0", "The mailbox has children", 0 },
	{ STORE_E_NOTEMPTY, "CANNOT", "mailboxHasEmail", "SYS/PERM",
	    "550 5.3.0", "The mailbox is not empty", 0 },
	{ STORE_E_TOOOLD, "CANNOT", "cannotCalculateChanges", "SYS/PERM",
	    "550 5.3.0", "That state is too old", 0 },
	{ STORE_E_DENIED, "NOPERM", "forbidden", "SYS/PERM", "550 5.7.1",
	    "Not permitted", 0 },
	/* clang-format on */
};

int
store_errno_rc(int e)
{
	return io_full(e) ? STORE_E_NOSPACE : STORE_E_IO;
}

const struct store_error *
store_error(int rc)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].rc == rc)
			return &errors[i];
	return &errors[0];
}
