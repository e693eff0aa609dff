/*
 * libsession/token.h - tokens: passwords of single programs, culver-tokens(5)
 *
 * A token is TOKEN_TEXT characters with 160 random bits.  It is a password of
 * its account (an app password) and an HTTP Bearer token (RFC 6750).  The file
 * has a line for each, see libsession/linefile.h:
 *   hash:account[:key=value[,key=value...]]
 * hash is the SHA-256 of the token in hexadecimal: of so many random bits it
 * need not be slow.  Keys: for=PROTOCOL[+PROTOCOL...] (without: all), made=TIME,
 * until=TIME, name=TEXT.
 */
#ifndef SESSION_TOKEN_H
#define SESSION_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/slice.h"

enum { TOKEN_TEXT = 36, TOKEN_HASH = 64 };

struct token {
	struct slice hash, account;
	struct slice name;	/* what it is for; n 0: not known */
	int64_t made, until;	/* seconds since 1970; 0: not known, no end */
	unsigned protocols;	/* libsession/protocols.h */
};

/* Has it the form of one?  Not: does it exist. */
bool token_form(struct slice text);
/* The entry of a token, in the arena, by its text or its hash.  0; 1 there is
 * none; -1 the file can't be read or the line is malformed (logged). */
int token_find(const struct conf *c, struct slice text, struct arena *a,
    struct token *t_r);
int token_find_hash(const struct conf *c, struct slice hash, struct arena *a,
    struct token *t_r);
/* 1 an entry, whose slices point into line; 0 a comment or blank; -1
 * malformed. */
int token_line(struct slice line, struct token *t_r);
/* Is it for that protocol, and not over? */
bool token_good(const struct token *t, enum conf_protocol proto, int64_t now);
/* All entries, in the file's order.  fn != 0 stops and is returned; -1 with
 * errno. */
int token_list(const struct conf *c,
    int (*fn)(void *arg, const struct token *t), void *arg);

/* Makes a token's text, and its hash in t (in the arena). */
void token_make(struct token *t, struct arena *a, char text[TOKEN_TEXT + 1]);
/* Puts an entry.  0; -1 with errno (EINVAL: a name with a comma, colon or
 * control character). */
int token_put(const struct conf *c, const struct token *t);
/* Takes out n entries.  0, 1 (one was not there), -1 with errno. */
int token_delete(const struct conf *c, const struct slice *hash, size_t n);

#endif
