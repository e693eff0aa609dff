/* jmap-fcgi/email.h - what the Email methods share */
#ifndef JMAP_EMAIL_H
#define JMAP_EMAIL_H

#include "jmap-fcgi/query-cache.h"
#include "jmap-fcgi/type.h"

struct blob;		/* blob.h */

/* Arguments of Email/get about bodies. */
struct email_opts {
	struct jmap_want *part;		/* bodyProperties */
	size_t n_part;
	bool text_values, html_values, all_values;
	uint64_t max_value;		/* 0: no limit */
};

/* An Email while it is encoded; what costs is loaded when it is wanted. */
struct email {
	struct store_email e;		/* without \Deleted memberships */
	const struct email_opts *opts;
	struct mime_msg *mime;
	struct mime_bodies bodies;
	bool have_bodies;
	struct store_blob *blob;	/* closed with the scratch arena */
	/* Email/parse: there is no row behind it; raw and mime are set. */
	struct blob *parsed;
	struct slice raw;		/* all octets */
	struct slice header;		/* of the root part */
};

/* A part of an Email, the object of bodyProperties. */
struct email_part {
	struct email *email;
	const struct mime_part *part;
};

/* ---- loading (email-load.c) -------------------------------------------- */

/* The Email as JMAP may see it: the mailboxes where it isn't \Deleted and which
 * the user may read.  NOTFOUND if there is none. */
int email_load(struct jmap_call *c, struct arena *a, uint64_t id,
    struct store_email *e_r);
/* These fill in *em; all memory is in the scratch arena. */
int email_mime(struct jmap_call *c, struct email *em);
int email_bodies(struct jmap_call *c, struct email *em);
int email_raw(struct jmap_call *c, struct email *em);
/* A part's header octets; the root's are kept. */
int email_part_header(struct jmap_call *c, struct email *em,
    const struct mime_part *p, struct slice *h_r);
/* Email/changes: \Deleted is as good as gone (RFC 8621 4.1.1). */
int email_filter_changes(struct jmap_call *c, struct store_change *ch,
    size_t *n);

/* ---- header fields (email-header.c) ------------------------------------ */

enum header_form {
	FORM_RAW, FORM_TEXT, FORM_ADDRESSES, FORM_GROUPED, FORM_IDS,
	FORM_DATE, FORM_URLS
};
struct header_prop {	/* "header:NAME:asFORM:all", RFC 8621 4.1.3 */
	char field[256];
	enum header_form form;
	bool all;
};
/* 0, or -1 with a reason. */
int header_prop_parse(struct slice name, struct header_prop *h_r,
    const char **desc_r);
/* The value of that property, out of these header octets. */
json_t *header_prop_get(struct arena *a, const struct header_prop *h,
    struct slice header);
/* "headers": all fields in raw form. */
json_t *header_list(struct arena *a, struct slice header);
/* One value in a form. */
json_t *header_value(struct arena *a, enum header_form form,
    struct slice value);
json_t *header_addresses(struct arena *a, const struct mime_addr *ad,
    uint32_t n);
json_t *header_date(const struct mime_date *d);

/* ---- bodies (email-body.c) --------------------------------------------- */

extern const struct jmap_type email_part_type;
json_t *email_get_structure(struct jmap_call *c, void *obj, const char *name);
json_t *email_get_list(struct jmap_call *c, void *obj, const char *name);
json_t *email_get_values(struct jmap_call *c, void *obj, const char *name);

/* ---- keywords and mailboxes (email-flags.c) ---------------------------- */

json_t *email_keywords(struct jmap_call *c, uint64_t flags, int *rc_r);
json_t *email_mailboxes(const struct store_email *e);
/* RFC 8621 4.1.1: 1-255 of %x21-7e without ( ) { ] % * " \ */
bool email_keyword_ok(struct slice s);
/* A keyword's bit; 0 where the account has no such keyword. */
int email_keyword_bit(struct jmap_call *c, struct slice s, uint64_t *bit_r);
/*
 * Flags of a "keywords" object; the account's keywords grow by what is new.
 * 0, JMAP_E_ARGS (not a set of keywords) or an enum store_rc.
 */
int email_flags_parse(struct jmap_call *c, json_t *v, uint64_t *flags_r);
/* Ids of a "mailboxIds" object, creation ids resolved.  0, or -1. */
int email_mailboxes_parse(struct jmap_call *c, json_t *v, uint64_t **ids_r,
    size_t *n_r);

/* ---- rights (email-rights.c) ------------------------------------------- */

/* NULL, or the SetError: an Email with these flags may not come there. */
json_t *email_rights_add(struct jmap_call *c, const uint64_t *mailboxes,
    size_t n, uint64_t flags);
/* The same of a change, set_mailboxes not being used. */
json_t *email_rights_change(struct jmap_call *c,
    const struct store_email_set *s);

/* ---- Email/set --------------------------------------------------------- */

struct email_change {
	struct store_email_set set;
	const struct store_email *old;
	bool new_flags;
	uint64_t flags;		/* wanted, all of them */
	uint64_t *mailboxes;	/* the same; NULL: as they are */
	size_t n_mailboxes;
	int error;		/* of the store, in a setter */
};
int email_set_keywords(struct jmap_call *c, void *change, json_t *v);
int email_set_mailboxes(struct jmap_call *c, void *change, json_t *v);

/* Carries out s->create (email-create.c). */
void email_create_all(struct jmap_set *s);
/* Is it mail at all?  It has a header field, and no NUL in the header. */
bool email_is_message(const struct mime_msg *m, struct slice raw);
/* What the client is told of a new Email (email-import.c). */
json_t *email_created(const struct store_added *ad);

/* ---- query (email-query.c, email-filter.c, email-sort.c) --------------- */

struct thread_flags {	/* of the Emails of one thread */
	uint64_t thread;
	uint64_t all, some;
};
/* One Email of a result. */
struct query_item {
	uint64_t email, thread, flags, size;
	int64_t received_at;
	const struct thread_flags *tf;	/* if it was asked for */
	const struct slice *keys;	/* of sort_load() */
};
struct query;
struct filter;
struct query_sort;
struct query {
	struct jmap_call *c;
	struct filter *filter;
	uint64_t mailbox;	/* all results are in it; 0: anywhere */
	bool mailbox_is_all;	/* and that is the whole filter */
	bool want_threads;	/* thread_flags are needed */
	struct thread_flags *tf;
	size_t n_tf;
	struct query_item *item;
	size_t n, cap;
	struct query_sort *sort;
	/* What the cache has of it; NULL: this query isn't kept. */
	struct query_entry *entry;
	struct query_list list;	/* without an entry */
	const uint64_t *result;	/* ids of the Emails, in order */
	size_t n_result;
	uint64_t *own;		/* result, if it isn't the entry's */
	int rc;
};
/* Parses the call's arguments, and takes what the cache has of that query.  q->c
 * is set, the rest 0. */
int email_query_begin(struct query *q);
/* Runs it: q->result is in order as far as the window needs it (NULL: all). */
int email_query_run(struct query *q, const struct query_window *w);
/* Gives the entry back, too. */
void email_query_free(struct query *q);
/* One Email as a result: 1, or 0 if it is none, filter apart. */
int query_item_load(struct query *q, uint64_t email, struct query_item *it_r);
/*
 * Moves the entry's list on to the account's state now, by the Emails that changed
 * since (email-advance.c).  0: it can't be; the query is to be run anew.
 */
int email_query_advance(struct query *q);

/* Emails that may have moved since a state, by ascending id (email-moved.c). */
struct moved {
	struct moved_email {
		uint64_t id;
		bool created;
	} *v;
	size_t n, cap;
	uint64_t maybe;		/* a bit of each: most others are told by it */
};
/* What the log says, and with threads all of their threads.  enum store_rc. */
int moved_since(struct jmap_call *c, struct moved *m, uint64_t since,
    bool threads);
struct moved_email *moved_find(const struct moved *m, uint64_t id);
void moved_free(struct moved *m);
/* Compiles "filter"; JMAP_E_FILTER, JMAP_E_ARGS. */
int filter_parse(struct query *q, json_t *v);
/* 1, 0, or an enum store_rc. */
int filter_match(struct query *q, const struct query_item *it);
/* Checks "sort", then sorts q->item so that the first n (or more) are right. */
int sort_parse(struct query *q, json_t *v, struct query_sort **s_r);
/* Loads for n items what only the messages know, if that is sorted by. */
int sort_load(struct query *q, const struct query_sort *s,
    struct query_item *it, size_t n);
/* < 0: a comes first; never 0 for two Emails. */
int sort_compare(const struct query_sort *s, const struct query_item *a,
    const struct query_item *b);
void sort_items(struct query *q, const struct query_sort *s, size_t n);
/* Values of "property", for emailQuerySortOptions; NULL-ended. */
extern const char *const sort_options[];

/* ---- the methods ------------------------------------------------------- */

extern const struct jmap_arg email_get_args[], email_query_args[],
    email_import_args[], email_parse_args[], email_copy_args[];
/* What email_get_args say. */
int email_opts_take(struct jmap_call *c, struct email_opts *o_r);
int email_get(struct jmap_call *c);
int email_parse(struct jmap_call *c);
int email_copy(struct jmap_call *c);
int email_changes(struct jmap_call *c);
int email_set(struct jmap_call *c);
int email_query(struct jmap_call *c);
int email_query_changes(struct jmap_call *c);
int email_import(struct jmap_call *c);
int thread_get(struct jmap_call *c);
int thread_changes(struct jmap_call *c);

#endif
