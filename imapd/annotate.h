/* imapd/annotate.h - annotations of messages (RFC 5257) */
#ifndef IMAPD_ANNOTATE_H
#define IMAPD_ANNOTATE_H

#include "imapd/imap.h"
#include "imapd/match.h"
#include "libmime/mime.h"

enum {	/* attributes */
	ANNOTATE_VALUE_PRIV = 1, ANNOTATE_VALUE_SHARED = 2,
	ANNOTATE_SIZE_PRIV = 4, ANNOTATE_SIZE_SHARED = 8,
	ANNOTATE_VALUE = ANNOTATE_VALUE_PRIV | ANNOTATE_VALUE_SHARED,
	ANNOTATE_SIZE = ANNOTATE_SIZE_PRIV | ANNOTATE_SIZE_SHARED
};

struct annotate_entry {
	struct slice name;	/* as it was written */
	bool wild;		/* it has "*" or "%": then m */
	struct match m;		/* in lower case */
};

/* What a FETCH asks for: (entries attributes). */
struct annotate_want {
	struct annotate_entry *e;
	size_t n;
	unsigned attributes;
};
/* What follows ANNOTATION.  false: v->err says why. */
bool annotate_want_parse(struct imap_args *v, struct annotate_want *w);

/* An Email's annotations that the user may see. */
struct annotations_of {
	struct store_metadata *v;
	size_t n;
};
int annotate_load(struct imap_session *s, struct store *st, struct arena *a,
    uint64_t email, struct annotations_of *r);
/* "ANNOTATION (/comment (value.priv "x"))" */
void annotate_put(struct imap_session *s, struct arena *a,
    const struct annotations_of *have, const struct annotate_want *w);

/* The values that STORE and APPEND set. */
struct annotate_set {
	struct store_metadata *v;
	size_t n, cap;
	bool any_shared;
};
/* The list after ANNOTATION. */
bool annotate_set_parse(struct imap_args *v, struct annotate_set *set);
/* May they be set with these rights, are they short enough?  false: answered. */
bool annotate_set_allowed(struct imap_cmd *cmd, struct store *st,
    const struct annotate_set *set, unsigned rights);
/* NO with the codes of RFC 5257. */
enum imap_next annotate_failed(struct imap_cmd *cmd, struct store *st, int rc);

/* SEARCH's key: an entry, which of its values, and a text in it. */
struct annotate_find {
	struct annotate_entry entry;
	unsigned attributes;
	bool nil;		/* there is none */
	struct mime_needle *needle;
};
/* The entry and "value", "value.priv" or "value.shared". */
bool annotate_find_parse(struct imap_args *v, struct annotate_find *f);
bool annotate_finds(const struct annotations_of *have,
    const struct annotate_find *f, struct arena *a);
/* The value of an entry; absent if there is none. */
struct slice annotate_value(const struct annotations_of *have,
    const struct annotate_find *f, struct arena *a);

/* Tells the names of what others changed after the modseq since (RFC 5257 4.3),
 * of these messages of the view. */
void annotate_tell(struct imap_session *s, const uint32_t *uids, size_t n,
    uint64_t since);

#endif
