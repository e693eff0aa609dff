/* bench/corpus.h - a corpus of made-up mail: same seed, same octets */
#ifndef BENCH_CORPUS_H
#define BENCH_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/buf.h"

/*
 * What is in it: threads with In-Reply-To and References, list mail, Received
 * chains, signatures; encoded words in several charsets, raw UTF-8, RFC 2231
 * parameters; groups, comments, quoted names; bodies plain, quoted-printable,
 * base64, 8bit in several charsets; alternative, related, mixed, nested
 * multiparts, digests, reports, attached messages.  Sizes are about log-normal.
 *
 * Words to search for, and in which messages (counted from 1) they are:
 */
enum {
	CORPUS_SUBJECT_EVERY = 100,	/* subject has "marmalade" */
	CORPUS_BODY_EVERY = 50,		/* body text has "pangolin" */
	CORPUS_FROM_EVERY = 20		/* From has "wilma" */
};				/* body text of all of them: "ordinary" */

struct corpus_conf {	/* zero values are the defaults */
	uint64_t seed;		/* 1 */
	uint32_t median, max;	/* octets of a message: 10,000; 5,000,000 */
	bool small;		/* all about 1 KB, made fast */
};

struct corpus;
struct corpus *corpus_new(const struct corpus_conf *cf);
void corpus_free(struct corpus **c);
/* Appends the next message, with CRLF; there is always one.  -1: out refused. */
int corpus_next(struct corpus *c, struct buf *out);

/* The generator of numbers, for tests that want the same. */
struct corpus_rand {
	uint64_t s;
};
uint64_t corpus_rand(struct corpus_rand *r);
/* 0..n-1; n > 0 */
uint32_t corpus_below(struct corpus_rand *r, uint32_t n);
/* True in so many of 1000 cases. */
bool corpus_chance(struct corpus_rand *r, uint32_t permille);
/* About log-normal around median. */
uint32_t corpus_size(struct corpus_rand *r, uint32_t median);

#endif
