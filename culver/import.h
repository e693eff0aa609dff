/* culver/import.h - messages on their way into an account */
#ifndef CULVER_IMPORT_H
#define CULVER_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "culver/culver.h"
#include "culver/mbox.h"

struct importer; /* opaque */

struct import_conf {
	struct culver *c;
	const char *account;
	struct slice base;	/* mailbox path of what comes at the top */
	bool skip_duplicates, quiet, all_seen, json;
	bool keep_uids;		/* where the source tells them */
	enum mbox_format mbox;
};

struct import_meta {
	uint64_t flags;		/* STORE_SEEN..., \Deleted */
	struct slice keywords;	/* separated by blanks */
	int64_t received;	/* INT64_MIN: take it from the header */
	int64_t fallback;	/* where the header has none */
	uint32_t uid;		/* there; 0: not known */
};

enum {	/* besides 0 */
	IMPORT_STOP = 1		/* complained; nothing more can be done */
};

/* 0, or the exit code after a complaint. */
int importer_open(const struct import_conf *cf, uint64_t total,
    struct importer **im_r);
/* What is left of the batch goes in.  Then *im is no more; returns the exit
 * code of the whole. */
int importer_close(struct importer **im);
const struct import_conf *importer_conf(const struct importer *im);
struct arena *importer_arena(struct importer *im);	/* reset a message */
void importer_progress(struct importer *im, uint64_t octets);
/* One thing couldn't be had; the import goes on and its exit code is at least
 * 100. */
void importer_failed(struct importer *im, const char *path,
    const char *why);

/* To where the next messages go, below the base; made when a message comes, or
 * at once with make.  "INBOX" or nothing: the base itself. */
int importer_mailbox(struct importer *im, struct slice path, bool make);

/* The mailbox, which was made, stands for one of another server: UIDs are kept if
 * it is empty (see store_mailbox_adopt()).  0 or IMPORT_STOP. */
int importer_adopt(struct importer *im, uint32_t uidvalidity,
    uint64_t modseq);

/* One message: 0 or IMPORT_STOP each.  origin is for complaints. */
int importer_begin(struct importer *im);
int importer_add(struct importer *im, const char *p, size_t n);
int importer_end(struct importer *im, const struct import_meta *m,
    const char *origin, uint64_t offset);

/* ---- sources ----------------------------------------------------------- */

/* A file or a directory, whatever it is.  0 or IMPORT_STOP. */
int import_path(struct importer *im, const char *path);
/* The octets of everything that import_path() would read. */
uint64_t import_size(const char *path, int depth);
/* A directory that has cur. */
bool maildir_is(const char *dir);
/* cur, new, tmp. */
bool maildir_part(const char *name);
/* Its messages and those of its Maildir++ folders (".Work.Travel"); mailbox is
 * its own path below the base. */
int import_maildir(struct importer *im, const char *dir,
    struct slice mailbox);
/* A whole file as one message. */
int import_file(struct importer *im, int fd, const struct import_meta *m,
    const char *path);
/* The date of the newest Received field, or else of Date.  0 or -1. */
int import_header_date(struct slice message, int64_t *t_r);
/* Opens a regular file or a directory as the caller; -1 with errno. */
int import_open(const char *path, bool dir);

#endif
