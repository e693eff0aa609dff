/* libsession/sasl-int.h - between the SASL mechanisms */
#ifndef SESSION_SASL_INT_H
#define SESSION_SASL_INT_H

#include "libsession/login-int.h"
#include "libsession/session-int.h"

struct sasl {
	struct session *s;
	const struct sasl_mech *mech;
	unsigned round;		/* messages of the client so far */
	char *user;		/* LOGIN: from the first round */
	int rc;			/* OAuth: how it ends, once that is told */
	void *state;		/* the mechanism's own */
	void (*forget)(void *state);
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

/* A saslname without its "=2C" and "=3D" (RFC 5801 4); false: it is none. */
bool sasl_name(struct slice s, struct arena *a, struct slice *out_r);

bool sasl_scram_256_on(const struct session *s);
bool sasl_scram_1_on(const struct session *s);
bool sasl_scram_256_plus_on(const struct session *s);
bool sasl_scram_1_plus_on(const struct session *s);
int sasl_scram_256(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r);
int sasl_scram_1(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r);
int sasl_scram_256_plus(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r);
int sasl_scram_1_plus(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r);

#endif
