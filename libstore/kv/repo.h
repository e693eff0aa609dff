/* libstore/kv/repo.h - the repository of an account's backups; mailstore(5) */
#ifndef STORE_KV_REPO_H
#define STORE_KV_REPO_H

#include "libbase/io.h"
#include "libstore/kv.h"
#include "libstore/kv/log.h"

enum { REPO_NAME = 32 };

/* Octets that were copied in one go, and are never changed. */
struct repo_piece {
	char name[REPO_NAME];	/* of the file */
	uint64_t off, len;
	unsigned char sha[SHA256_LEN];
};

struct repo_run {		/* a backup that was made */
	uint64_t at;		/* microseconds since 1970, as all times here */
	uint64_t seq, when;	/* of the newest transaction */
};

struct repo_gone {		/* a pack that the account has no more */
	char name[REPO_NAME];
	uint64_t at;		/* seen then */
};

/* One directory, in which everything fits together. */
struct repo_set {
	uint64_t no;
	int fd;
	unsigned char id[16];	/* of the account, as in the journal */
	struct repo_piece *piece;
	struct repo_run *run;
	struct repo_gone *gone;
	size_t n_piece, n_run, n_gone;
};

struct kv_repo {
	char *dir;
	int fd;			/* locked by flock() */
	uint64_t *set;		/* numbers, ascending */
	size_t n_set;
	char err[400];
};

int repo_fail(struct kv_repo *r, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int repo_fail_sys(struct kv_repo *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads a set's index.  CORRUPT, VERSION, IO. */
int set_open(struct kv_repo *r, uint64_t no, struct repo_set *s_r);
/* Makes the directory of a new one, which counts from its first index on. */
int set_new(struct kv_repo *r, const unsigned char id[16],
    struct repo_set *s_r);
void set_release(struct repo_set *s);
/* Flushes the directory, then replaces the index. */
int set_save(struct kv_repo *r, struct repo_set *s);
/* Removes the set, its index first. */
int set_remove(struct kv_repo *r, uint64_t no);

/* The octets of a file (0: there is none). */
uint64_t set_size(const struct repo_set *s, const char *name);
bool set_has(const struct repo_set *s, const char *name);
/* Calls fn for the number of each file prefix.N, ascending. */
int set_each(const struct repo_set *s, const char *prefix,
    int (*fn)(void *arg, uint64_t no), void *arg);
/* The set no longer has that file. */
void set_drop(struct repo_set *s, const char *name);
void set_unlink(struct repo_set *s, const char *name);
/* Is the pack marked as gone? */
bool set_is_gone(const struct repo_set *s, const char *name);
void set_add_gone(struct repo_set *s, const char *name, uint64_t at);
void set_add_run(struct repo_set *s, const struct repo_run *run);

/* Octets of a file, some of which are written otherwise. */
struct repo_source {
	int fd;
	uint64_t off, len;
	struct repo_patch {
		uint64_t off;	/* in the file */
		struct slice octets;
	} patch[2];
	size_t n_patch;
};
/* Appends them to the file of the set as a new piece, and flushes it.  crc_r
 * (may be NULL): theirs. */
int set_append(struct kv_repo *r, struct repo_set *s, const char *name,
    const struct repo_source *src, uint32_t *crc_r);
/* Reads a file's octets up to len, and the rest of the last piece, against the
 * checksums, and writes those up to len to fd (-1: only verifies). */
int set_fetch(struct kv_repo *r, const struct repo_set *s, const char *name,
    uint64_t len, int fd);
/* Opens a file of the set for reading. */
int set_file(struct kv_repo *r, const struct repo_set *s, const char *name);
/* The header of log.gen. */
int set_head(struct kv_repo *r, const struct repo_set *s, uint64_t gen,
    struct journal_head *h_r);
/* Goes on over the records of log.gen; *at.off 0: from its beginning. */
int set_scan(struct kv_repo *r, const struct repo_set *s, uint64_t gen,
    struct log_at *at,
    int (*fn)(void *arg, const struct record *rec, struct slice octets),
    void *arg);

#endif
