/* imapd/append.h - the messages of an APPEND, as they come */
#ifndef IMAPD_APPEND_H
#define IMAPD_APPEND_H

#include "imapd/annotate.h"
#include "imapd/imap.h"

enum { APPEND_MAX = 100 };	/* messages of one command */

struct append_msg {
	struct store_spool *spool;
	int rc;			/* the first failure of the spool */
	bool nul;		/* in a literal; */
	bool binary;		/* which was a literal8 */
	const struct imap_arg *list;	/* of CATENATE or UTF8, or NULL */
	const struct imap_arg *last;	/* its last member that was looked at */
	struct slice bad_url;	/* the first that leads nowhere; p NULL: none */
};

struct append {
	struct append_msg *m;
	size_t n, cap;
	bool checked;		/* the mailbox is there */
	struct imap_place to;	/* that mailbox */
};

/* The command's state; made at the first call. */
struct append *append_state(struct imap_cmd *cmd);
/* How many messages this command may have, and the code of NO for more. */
size_t append_most(struct imap_cmd *cmd, const char **code_r);
/* A new message, put at that index.  NULL: they are too many. */
struct append_msg *append_new(struct imap_cmd *cmd, size_t at);

/* ---- catenate.c (RFC 4469) --------------------------------------------- */

/*
 * Goes on in the list: puts what the URLs lead to into the spool.  text: a
 * literal comes now, which TEXT (*keep_r false) or URL has to precede.  NULL,
 * or what is wrong with the list.
 */
const char *catenate_go_on(struct imap_cmd *cmd, struct append_msg *m,
    bool text, bool *keep_r);

/* ---- url.c (RFC 5092) -------------------------------------------------- */

/* Adds the octets that a relative message URL leads to.  1: it leads nowhere;
 * 0; enum store_rc. */
int url_append(struct imap_cmd *cmd, struct slice url,
    struct store_spool *spool);

#endif
