/* culver/seen.h - which blobs a mailbox has, for import --skip-duplicates */
#ifndef CULVER_SEEN_H
#define CULVER_SEEN_H

#include <stdbool.h>
#include <stdint.h>

struct store;
struct seen;

/* The blobs of a mailbox's messages.  0 or a code of libstore. */
int seen_load(struct store *st, uint64_t mailbox, struct seen **s_r);
void seen_free(struct seen **s);
/* Puts a content's SHA-256 in; false: it was there already. */
bool seen_add(struct seen *s, const unsigned char *sha256);

#endif
