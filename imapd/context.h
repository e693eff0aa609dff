/* imapd/context.h - searches whose result is kept up to date (RFC 5267) */
#ifndef IMAPD_CONTEXT_H
#define IMAPD_CONTEXT_H

#include "imapd/keys.h"

enum context_state {
	CONTEXT_FRESH,		/* its command isn't through */
	CONTEXT_LIVE,
	CONTEXT_OVER		/* to be freed before the next command */
};

struct context {
	struct context *next;
	enum context_state state;
	struct arena *a;	/* of the command's arguments */
	struct slice tag;
	bool uid;		/* the client counts in UIDs, not in numbers */
	struct search_node *root;
	struct fetch_request *fetch;	/* of new messages in it; NULL: none */
	bool sorted;
	struct sort_order o;
	uint32_t *m;		/* UIDs of the result, as it is ordered */
	size_t n, cap;
	uint32_t last;		/* the greatest UID that was looked at */
};

/* NO [NOUPDATE]: it is over. */
void context_fail(struct imap_session *s, struct context *c, const char *text);
/* Makes room for n more. */
void context_grow(struct context *c, size_t n);
/* Is it in the result?  Not for sorted ones. */
bool context_finds(const struct context *c, uint32_t uid, size_t *at_r);
/* "* ESEARCH (TAG "a") UID" */
void context_put_head(struct imap_session *s, const struct context *c);
/* A message as the client counts. */
uint32_t context_number(const struct imap_session *s, const struct context *c,
    uint32_t uid);
/* "* ESEARCH (TAG "a") UID REMOVEFROM (0 1:3)"; uids ascending. */
void context_put_set(struct imap_session *s, const struct context *c,
    const char *what, const uint32_t *uids, size_t n);

/* ---- context-sort.c ---------------------------------------------------- */

/* Takes those that are marked out of a sorted result, and tells. */
void context_sorted_remove(struct imap_session *s, struct context *c,
    const bool *mark);
/* Puts messages into it, and tells.  enum store_rc. */
int context_sorted_add(struct imap_session *s, struct context *c,
    const uint32_t *uids, size_t n);

#endif
