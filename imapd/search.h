/* imapd/search.h - SEARCH: a tree of conditions, and how it is asked */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "imapd/fetch.h"
#include "imapd/imap.h"
#include "libmime/fuzzy.h"
#include "libmime/mime.h"

enum search_kind {
	SEARCH_AND, SEARCH_OR, SEARCH_NOT,
	/* the view knows */
	SEARCH_ALL, SEARCH_SEQ, SEARCH_UID, SEARCH_FLAG, SEARCH_MODSEQ,
	SEARCH_SAVED, SEARCH_RECENT,
	/* the message's row knows */
	SEARCH_BEFORE, SEARCH_ON, SEARCH_SINCE, SEARCH_SAVEDBEFORE,
	SEARCH_SAVEDON, SEARCH_SAVEDSINCE, SEARCH_OLDER, SEARCH_YOUNGER,
	SEARCH_EMAILID, SEARCH_THREADID, SEARCH_LARGER, SEARCH_SMALLER,
	SEARCH_ANNOTATION,
	/* the structure and the header know */
	SEARCH_SENTBEFORE, SEARCH_SENTON, SEARCH_SENTSINCE, SEARCH_HEADER,
	/* the octets know */
	SEARCH_BODY, SEARCH_TEXT
};

struct search_node {
	enum search_kind kind;
	unsigned cost;		/* 0: the view is enough */
	struct search_node *child, *next;	/* AND, OR, NOT */
	struct seqset set;
	uint64_t flag;		/* FLAG: the bit, 0: a keyword that nothing has */
	bool off;		/* FLAG, RECENT: not set */
	int64_t days;		/* dates */
	uint64_t size;		/* sizes; MODSEQ; ids */
	int64_t since;		/* OLDER, YOUNGER: a time */
	struct slice name;	/* HEADER: the field; FLAG: the keyword; UID:
				 * the set, as it was written */
	struct mime_needle *needle;
	struct annotate_find *annotation;
	struct mime_fuzzy *fuzzy;	/* in place of needle (RFC 6203) */
};

enum {	/* RETURN options (RFC 9051 6.4.4) */
	SEARCH_RET_MIN = 1, SEARCH_RET_MAX = 2, SEARCH_RET_ALL = 4,
	SEARCH_RET_COUNT = 8, SEARCH_RET_SAVE = 16, SEARCH_RET_PARTIAL = 32,
	SEARCH_RET_CONTEXT = 64, SEARCH_RET_UPDATE = 128,	/* RFC 5267 */
	SEARCH_RET_RELEVANCY = 256	/* RFC 6203 */
};

struct search_request {
	struct imap_cmd *cmd;
	bool extended;		/* RETURN was given: ESEARCH */
	unsigned ret;		/* SEARCH_RET_MIN, ... */
	struct imap_partial partial;
	struct slice charset;
	bool numbers;		/* of messages, with UIDONLY */
	const char *code;	/* BADCHARSET: NO with it rather than BAD */
	bool bad;		/* BAD with it all the same */
	unsigned depth;
	unsigned filters;	/* that this is in */
	bool modseq;		/* MODSEQ is a condition: the answer has it */
	bool within;		/* so is OLDER or YOUNGER */
	unsigned in_fuzzy;	/* depth of FUZZY that this is in */
	bool fuzzy;		/* there was any */
	struct fetch_request *update;	/* data items of UPDATE, or NULL */
	struct search_node *root;
};

struct search {
	struct search_request q;
	/* what was found, in the order in which it is told */
	uint32_t *uid, *no;	/* no: as the command counts */
	unsigned char *score;	/* 1-100, with FUZZY; else NULL */
	size_t n;
	uint64_t modseq;	/* the greatest of those that are returned */
	struct slice mailbox;	/* p NULL, or the answer names it (RFC 7377) */
	/* search-run.c's */
	unsigned char *verdict;	/* by index in the view */
	unsigned char *scores;	/* likewise, with FUZZY */
	size_t at;
	int rc;
	struct context *context;	/* of UPDATE, or NULL */
};

/* ---- search-parse.c ---------------------------------------------------- */

/* The arguments of SEARCH.  false: v->err is set, perhaps q->code. */
bool search_parse(struct search_request *q, struct imap_args *v);
/* Parts of it, of which SORT and THREAD have others in between: RETURN, the
 * name of a charset, the conditions. */
bool search_parse_return(struct search_request *q, struct imap_args *v);
bool search_parse_charset(struct search_request *q, struct imap_args *v);
bool search_parse_keys(struct search_request *q, struct imap_args *v);

/* One search-key, put below parent. */
bool search_parse_key(struct search_request *q, struct imap_args *v,
    struct search_node *parent);

/* ---- search-filter.c (RFC 5466) ---------------------------------------- */

/* A filter's name; what is stored by it is put below parent. */
bool search_parse_filter(struct search_request *q, struct imap_args *v,
    struct search_node *parent);

/* ---- context.c (RFC 5267) ---------------------------------------------- */

struct sort_order;

/*
 * RETURN (UPDATE): between parsing and search_run().  The command's arguments
 * are kept with the context; what the search needs is from then on in another
 * arena.  r lives in that.  If there can't be a context the client is told.
 */
struct search *context_begin(struct search *r);
/* What was found, in the order of the answer; before it is told. */
void context_found(struct search *r, const struct sort_order *o);
/* BAD: is there a context of that tag? */
bool context_has(const struct imap_session *s, struct slice tag);

/* ---- search-run.c ------------------------------------------------------ */

/* Finds the messages.  r lives in the command's arena.  enum store_rc. */
int search_run(struct search *r);
/* What was found isn't needed any more. */
void search_release(struct search *r);

/* ---- search-answer.c --------------------------------------------------- */

/* The response: word and the numbers, or ESEARCH; keeps "$". */
void search_answer(struct search *r, const char *word);
/* The tagged answer: rc of the store, or 0: the arguments were wrong. */
enum imap_next search_failed(struct search *r, int rc);

/* ---- search-eval.c ----------------------------------------------------- */

struct search_msg {
	struct imap_session *s;
	size_t index;		/* in the view */
	struct fetch_msg m;	/* m.info NULL: only the view may be asked */
	unsigned scores, n_scores;	/* of what was found by FUZZY: sum */
	int rc;			/* < 0: something could not be read */
};
/* 1, 0, or -1: more than the view is needed (info NULL), or rc was set. */
int search_eval(const struct search_node *n, struct search_msg *m);

#endif
