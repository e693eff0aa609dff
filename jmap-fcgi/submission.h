/* jmap-fcgi/submission.h - what Identity and EmailSubmission methods share */
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

#endif
