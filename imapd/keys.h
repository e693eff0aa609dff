/* imapd/keys.h - what messages are sorted and threaded by (RFC 5256 2, 5957) */
#ifndef IMAPD_KEYS_H
#define IMAPD_KEYS_H

#include "imapd/search.h"

enum key {
	KEY_ARRIVAL, KEY_SIZE,		/* the message's row knows */
	KEY_DATE, KEY_CC, KEY_FROM, KEY_TO, KEY_SUBJECT, KEY_DISPLAYFROM,
	KEY_DISPLAYTO,			/* the structure knows */
	KEY_RELEVANCY,			/* the search knows (RFC 6203) */
	KEY_ANNOTATION			/* RFC 5257 4.5 */
};

struct key_value {
	int64_t n;
	struct slice s;		/* the comparator's key; absent for numbers */
};

/* Of one message; text in the arena, which the message's must outlive.
 * enum store_rc. */
int key_get(struct fetch_msg *m, enum key k, enum collation c, struct arena *a,
    struct key_value *v_r);
/* descending: the comparator's order of texts is the other way round. */
int key_compare(const struct key_value *x, const struct key_value *y,
    bool descending);
enum { CRITERIA_MAX = 16 };
struct sort_order {
	enum key key[CRITERIA_MAX];
	bool reverse[CRITERIA_MAX];
	struct annotate_find annotation[CRITERIA_MAX];
	size_t n;
	struct imap_session *s;
	enum collation collation;
	bool descending;
};
/* All n keys of one message, as key_get(). */
int order_get(const struct sort_order *o, struct fetch_msg *m, struct arena *a,
    struct key_value *v_r);
/* Of two messages' keys; 0: they are equal. */
int order_compare(const struct sort_order *o, const struct key_value *x,
    const struct key_value *y);

/* The comparator's key of the base subject (RFC 5256 2.1); *reply_r: a reply or
 * a forward. */
int key_subject(struct fetch_msg *m, enum collation c, struct arena *a,
    struct slice *s_r, bool *reply_r);

/*
 * Calls fn for each message that was found, by UID; i is its index in r->uid.
 * mime and blob are of the message alone, m->a is reset in between.
 */
int keys_scan(struct search *r,
    int (*fn)(void *arg, struct fetch_msg *m, size_t i), void *arg);

#endif
