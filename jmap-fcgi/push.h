/* jmap-fcgi/push.h - PushSubscription (RFC 8620 7.2) */
#ifndef JMAP_PUSH_H
#define JMAP_PUSH_H

#include "jmap-fcgi/type.h"
#include "libstore/push.h"

/* A wanted subscription, or change of one. */
struct push_change {
	struct store_push v;
	unsigned set;		/* STORE_PUSH_SET_* */
	bool has_expires;	/* not null */
};
extern const struct jmap_type push_type;
/* These methods have no account: the user's own.  unknownMethod where nothing
 * would push. */
int push_begin(struct jmap_call *c);
/*
 * The subscription, if it was made with the credentials of this request and has
 * not expired; NOTFOUND.
 */
int push_load(struct jmap_call *c, uint64_t id, struct store_push *v_r);
/* What tells the credentials from others, STORE_PUSH_CREDENTIAL octets. */
int push_credential(struct jmap_call *c, const unsigned char **out_r);

extern const struct jmap_arg push_set_args[];
int push_get(struct jmap_call *c);
int push_set(struct jmap_call *c);

#endif
