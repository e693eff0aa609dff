/* jmap-fcgi/quota.h - Quota (RFC 9425) */
#ifndef JMAP_QUOTA_H
#define JMAP_QUOTA_H

#include "jmap-fcgi/type.h"
#include "libsession/changed.h"

int quota_get(struct jmap_call *c);
int quota_changes(struct jmap_call *c);
int quota_query(struct jmap_call *c);
int quota_query_changes(struct jmap_call *c);

/* ---- the objects (quota.c), for quota-query.c -------------------------- */

enum { QUOTA_N = 3 };
struct quota {
	uint64_t id;
	const char *name, *resource, *type;
	uint64_t used, limit;	/* limit 0: there is no such quota */
};
void quota_list(const struct store_usage *u, struct quota q[QUOTA_N]);
int quota_usage(struct jmap_call *c, struct store_usage *u_r);
/* -1: it isn't a state string. */
int quota_state_parse(struct slice s, struct store_usage *u_r);
/* All of them are about mail. */
bool quota_shown(const struct jmap_call *c);
void quota_put_state(struct jmap_call *c, const char *key,
    const struct store_usage *u);
extern const struct jmap_type quota_type;

#endif
