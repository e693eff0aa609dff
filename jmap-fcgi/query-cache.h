/*
 * jmap-fcgi/query-cache.h - results of Email/query, kept between requests
 *
 * A client that keeps a list asks the same again and again.  What is kept is the
 * order of all results at a state of the account; a later query changes in it
 * what changed in the account since (email-advance.c).
 */
#ifndef JMAP_QUERY_CACHE_H
#define JMAP_QUERY_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"

/* Results in their order, before threads are collapsed. */
struct query_list {
	uint64_t *email, *thread;	/* n each */
	size_t n, cap;
};
/* With room for so many. */
void query_list_room(struct query_list *l, size_t n);
void query_list_insert(struct query_list *l, size_t at, uint64_t email,
    uint64_t thread);
void query_list_free(struct query_list *l);

struct query_entry {
	char *key;		/* account, user, filter, sort */
	uint64_t state;		/* of type Email, as clients are told it */
	uint64_t rights;	/* modseq of what the user may see; 0: all */
	bool whole;		/* else: it was asked once, and isn't kept */
	struct query_list list;
	struct query_entry *next;
};

struct query_cache;
/* Keeps up to so many octets; 0: nothing. */
struct query_cache *query_cache_new(uint64_t max);
void query_cache_free(struct query_cache **c);
/* The entry of that key, taken out: nobody else has it until it is put back.  A
 * new one, not whole, if there is none. */
struct query_entry *query_cache_take(struct query_cache *c, struct slice key);
/* Back, as the newest; the oldest are dropped. */
void query_cache_put(struct query_cache *c, struct query_entry **e);

#endif
