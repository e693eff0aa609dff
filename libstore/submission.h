/*
 * libstore/submission.h - what an account has for sending mail (RFC 8621 6 ff.)
 *
 * A part of the API of store.h, whose rules hold here too.
 */
#ifndef STORE_SUBMISSION_H
#define STORE_SUBMISSION_H

#include "libstore/store.h"

struct store_address {
	struct slice name;	/* p NULL: none */
	struct slice email;
};
struct store_addresses {
	bool present;		/* else it is null */
	struct store_address *a;
	size_t n;
};

/* ---- identities -------------------------------------------------------- */

enum {
	STORE_IDENTITIES_MAX = 100,		/* of an account */
	STORE_IDENTITY_ADDRESSES_MAX = 100	/* of a list */
};
enum {	/* what is to be set */
	STORE_IDENTITY_NAME = 1, STORE_IDENTITY_TEXT = 2,
	STORE_IDENTITY_HTML = 4, STORE_IDENTITY_REPLY_TO = 8,
	STORE_IDENTITY_BCC = 16, STORE_IDENTITY_ALL = 31
};
struct store_identity {
	uint64_t id, modseq;
	bool is_default;	/* may not be destroyed */
	struct slice name, email;
	struct slice text_signature, html_signature;
	struct store_addresses reply_to, bcc;
};
/* In the order of their creation. */
int store_identity_list(struct store *st, struct arena *a,
    struct store_identity **v_r, size_t *n_r);
int store_identity_get(struct store *st, struct arena *a, uint64_t id,
    struct store_identity *v_r);
/* LIMIT, TOOBIG (all of it together), INVALID (no address, a list too long). */
int store_identity_create(struct store *st, const struct store_identity *v,
    uint64_t *id_r);
/* Sets what the bits of set name; the address stays. */
int store_identity_update(struct store *st, uint64_t id,
    const struct store_identity *v, unsigned set);
/* DENIED: it is the default one. */
int store_identity_destroy(struct store *st, uint64_t id);
/* Makes sure that the default one is of that address; of another one that was it
 * may now be destroyed.  Changes nothing where it is. */
int store_identity_default(struct store *st, struct slice name,
    struct slice email);

#endif
