/* imapd/metadata.h - annotations by their IMAP names (RFC 5464) */
#ifndef IMAPD_METADATA_H
#define IMAPD_METADATA_H

#include "imapd/imap.h"

struct annotations {	/* of one mailbox, or of the server */
	struct store_metadata *v;
	size_t n;
	enum store_role role;
	bool server;
};
/* at NULL: of the server.  enum store_rc. */
int annotations_load(struct imap_cmd *cmd, const struct imap_place *at,
    struct annotations *r);

enum { DEPTH_0, DEPTH_1, DEPTH_INFINITY };
struct annotations_want {
	struct slice *name;	/* "/private/comment" */
	size_t n;
	int depth;
	uint64_t max;		/* octets of a value */
	uint64_t longest;	/* result: of those beyond max */
};
/* The names of entries: one, or a list.  false: in->err says why. */
bool annotations_names(struct imap_args *in, struct annotations_want *w);
/* A value, NIL if p is NULL; a literal8 if it has a NUL. */
void imap_value_put(struct enc *e, struct slice v);
/* The METADATA response with those that are wanted; NIL for what isn't there. */
void annotations_put(struct imap_cmd *cmd, struct slice mailbox,
    const struct annotations *r, struct annotations_want *w);

#endif
