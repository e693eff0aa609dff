/* bench/corpus-int.h - the parts of the corpus generator */
#ifndef BENCH_CORPUS_INT_H
#define BENCH_CORPUS_INT_H

#include "bench/corpus.h"

struct corpus_intl {	/* a text and the charset to send it in */
	const char *charset, *text;
};

const char *corpus_name(struct corpus_rand *r);	/* "Ada Berg" */
const char *corpus_host(struct corpus_rand *r);
const char *corpus_topic(struct corpus_rand *r);
const struct corpus_intl *corpus_intl(struct corpus_rand *r);
/* Lines of words, about size octets, CRLF. */
void corpus_words(struct corpus_rand *r, size_t size, struct buf *out);
/* One line of n words without its end. */
void corpus_line(struct corpus_rand *r, unsigned n, struct buf *out);
void corpus_date(int64_t t, unsigned style, struct buf *out);
/* Converts UTF-8. */
void corpus_convert(const char *charset, struct slice s, struct buf *out);
/* An encoded word, Q or B. */
void corpus_encoded_word(struct corpus_rand *r, const struct corpus_intl *t,
    struct buf *out);
/* Lines of 76. */
void corpus_base64(struct slice s, struct buf *out);
void corpus_qp(struct slice s, struct buf *out);
/* Octets that don't compress. */
void corpus_noise(struct corpus_rand *r, size_t n, struct buf *out);

/* body.c: the Content-* fields (with line ends) and the body of an entity of
 * about size octets that has the word mark in its text. */
void corpus_entity(struct corpus_rand *r, size_t size, const char *mark,
    unsigned depth, int64_t clock, struct buf *head, struct buf *body);

#endif
