/* libbase/io.h - descriptors: whole reads and writes, files, randomness, hashes */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "arena.h"
#include "slice.h"

/* All of these retry EINTR and short transfers and return -1 with errno. */
ssize_t io_read(int fd, void *p, size_t n);	/* as read(2), may be short */
ssize_t io_write(int fd, const void *p, size_t n); /* as write(2), may be short */
int io_read_full(int fd, void *p, size_t n);	/* all n, else -1 (EOF: errno 0) */
int io_write_full(int fd, const void *p, size_t n);
int io_pread_full(int fd, void *p, size_t n, off_t off);
int io_pwrite_full(int fd, const void *p, size_t n, off_t off);
int io_pwritev_full(int fd, const struct iovec *iov, int cnt, off_t off);
int io_open(const char *path, int flags, mode_t mode); /* mode: for O_CREAT */
int io_fsync(int fd);
/* Makes the entries of the directory that path is in durable. */
int io_sync_parent(const char *path);
void io_close(int *fd);				/* -1 afterwards; no-op on -1 */
int io_cloexec(int fd);
int io_nonblock(int fd, int on);
/* The whole of a regular file of at most max octets; NUL-ended beyond n. */
int io_slurp(const char *path, size_t max, struct arena *a, struct slice *out_r);
/* Writes path.tmp, fdatasync, rename, fsync of the directory: the file is the
 * old one or the new one, whatever happens.  One caller at a time: who may have
 * company holds a lock. */
int io_replace(const char *path, struct slice data, mode_t mode);
/* mkdir -p; existing directories are fine. */
int io_mkdirs(const char *path, mode_t mode);

/* Is that errno for want of space: a full disk, a quota, a limit of the file's
 * size? */
bool io_full(int e);

/* From the kernel's generator; never fails once booted. */
void random_bytes(void *p, size_t n);

/* CRC-32C (Castagnoli), by SSE 4.2 where there is that; seed 0 to begin. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* Of each of the four parts of n octets at p: faster than the whole. */
void crc32c_parts(const void *p, size_t n, uint32_t out[4]);

enum { SHA256_LEN = 32 };
enum digest_alg { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGEST_N };
enum { DIGEST_MAX = 64 };
struct digest; /* opaque: nettle's */
/* "sha", "sha-256", "sha-512", as in IANA's list for HTTP, lower case. */
const char *digest_name(enum digest_alg alg);
struct digest *digest_new(enum digest_alg alg);
void digest_add(struct digest *d, const void *p, size_t n);
/* Writes the digest, frees and clears; its length. */
size_t digest_finish(struct digest **d, unsigned char out[DIGEST_MAX]);

struct sha256; /* opaque: nettle's */
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *h, const void *p, size_t n);
/* Writes 32 octets and frees *h. */
void sha256_finish(struct sha256 **h, unsigned char out[SHA256_LEN]);
void sha256_of(struct slice s, unsigned char out[SHA256_LEN]);
void hmac_sha256(struct slice key, struct slice data,
    unsigned char out[SHA256_LEN]);
/* Keyed-less 64-bit hash for tables on disk (first 8 octets of SHA-256, BE). */
uint64_t hash64(struct slice s);

#endif
