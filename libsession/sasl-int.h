/* libsession/sasl-int.h - between the SASL mechanisms */
#ifndef SESSION_SASL_INT_H
#define SESSION_SASL_INT_H

#include "libsession/session-int.h"

struct sasl {
	struct session *s;
	const struct sasl_mech *mech;
	unsigned round;		/* messages of the client so far */
	char *user;		/* LOGIN: from the first round */
	int rc;			/* OAuth: how it ends, once that is told */
};

struct sasl_mech {
	const char *name;
	/* Can it be used now? */
	bool (*on)(const struct session *s);
	/* As sasl_step(); in.p NULL: nothing was said yet. */
	int (*step)(struct sasl *sasl, struct arena *a, struct slice in,
	    struct slice *out_r);
};

/* RFC 7628, and what Google had before it. */
bool sasl_oauth_on(const struct session *s);
int sasl_oauthbearer(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r);
int sasl_xoauth2(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r);

#endif
