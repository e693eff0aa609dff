/*
 * libsession/scram.h - passwords as SCRAM's keys (RFC 5802, RFC 7677)
 *
 * In the password file, as Dovecot has them:
 *   {SCRAM-SHA-256}ITERATIONS,SALT,STOREDKEY,SERVERKEY     (base64)
 * The same with SHA-1.  They do for PLAIN as well.
 */
#ifndef SESSION_SCRAM_H
#define SESSION_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"

enum scram_hash { SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_HASHES };
enum {
	SCRAM_LEN_MAX = 32,		/* octets of a key */
	SCRAM_SALT_MAX = 64,
	SCRAM_SALT = 16,		/* of ours */
	SCRAM_ITERATIONS_MIN = 4096,	/* RFC 7677 4 */
	SCRAM_ITERATIONS_MAX = 10000000,
	SCRAM_ITERATIONS = 65536	/* where hash-cost is 0 */
};

struct scram_keys {
	enum scram_hash hash;
	uint32_t iterations;
	size_t n, salt_n;	/* octets of a key; of the salt */
	unsigned char salt[SCRAM_SALT_MAX];
	unsigned char stored[SCRAM_LEN_MAX], server[SCRAM_LEN_MAX];
};

/* "SHA-1", "SHA-256". */
const char *scram_name(enum scram_hash h);
size_t scram_len(enum scram_hash h);
/* A password file's hash.  0, or -1: it is no such one. */
int scram_parse(struct slice hash, struct scram_keys *k_r);
/* Keys of a password, with a salt of SCRAM_SALT random octets, as
 * scram_parse() takes them.  0, or -1: the password has control characters or
 * isn't UTF-8. */
int scram_make(enum scram_hash h, struct slice password, uint32_t iterations,
    struct arena *a, struct slice *hash_r);
/* 1 that is the password, 0 it isn't.  Constant time in the comparison. */
int scram_check(const struct scram_keys *k, struct slice password);
/*
 * The client's proof (scram_len() octets) for an AuthMessage (RFC 5802 3).
 * Constant time in the comparison.
 */
bool scram_proved(const struct scram_keys *k, struct slice message,
    const unsigned char *proof);
/* ServerSignature, scram_len() octets. */
void scram_sign(const struct scram_keys *k, struct slice message,
    unsigned char out[SCRAM_LEN_MAX]);

#endif
