/* jmap-fcgi/submission.h - what Identity, EmailSubmission and
 * VacationResponse methods share */
#ifndef JMAP_SUBMISSION_H
#define JMAP_SUBMISSION_H

#include "jmap-fcgi/type.h"
#include "libstore/submission.h"

/* A wanted change of an Identity, filled by the property setters. */
struct identity_change {
	struct store_identity v;
	unsigned set;		/* STORE_IDENTITY_* */
};
extern const struct jmap_type identity_type;

/* Makes sure that the account has a default one. */
int identity_ensure(struct jmap_call *c);
int identity_get(struct jmap_call *c);
int identity_changes(struct jmap_call *c);
int identity_set(struct jmap_call *c);

/* ---- EmailSubmission --------------------------------------------------- */

/* A wanted submission, or change of one. */
struct submission_change {
	struct store_submission v;
	bool create, has_identity, has_email, has_envelope, cancel;
	int64_t hold;		/* seconds from now */
};
extern const struct jmap_type submission_type;
/* "pending", "final", "canceled" */
const char *submission_undo_name(enum store_undo u);
/*
 * May that be sent (submission-check.c)?  Fills what v lacks: Email, thread,
 * blob, envelope, times.  NULL, or the SetError.
 */
json_t *submission_check(struct jmap_call *c, struct submission_change *ch);
/* As RFC 8621 7.5 has it, with its number. */
json_t *submission_too_large(struct jmap_call *c);

extern const struct jmap_arg submission_set_args[];
int submission_get(struct jmap_call *c);
int submission_changes(struct jmap_call *c);
int submission_query(struct jmap_call *c);
int submission_query_changes(struct jmap_call *c);
int submission_set(struct jmap_call *c);
int vacation_get(struct jmap_call *c);
int vacation_set(struct jmap_call *c);

#endif
