/* culver/export.h - an account's mail as files that others can read */
#ifndef CULVER_EXPORT_H
#define CULVER_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "culver/culver.h"

struct exporter {
	struct store *st;
	const char *dir;
	struct arena *a;	/* lives as long as the export */
	struct slice *keywords;	/* by bit */
	size_t n_keywords;
	bool crlf;		/* keep CRLF instead of LF */
	struct progress pg;
	uint64_t messages;
};

/* All of these complain and return -1, or 0.  The root comes first. */
int export_maildir_root(struct exporter *ex);
int export_maildir(struct exporter *ex, const struct store_mailbox *mb,
    struct slice path);
int export_mbox(struct exporter *ex, const struct store_mailbox *mb,
    struct slice path);

/* Makes a directory or a new file, as the caller. */
int export_mkdir(const char *path);
int export_create(const char *path);
/* Complains about errno. */
int export_failed(const char *path);

/* Calls fn with all octets of a message. */
int export_octets(struct exporter *ex, const struct store_msg_info *m,
    int (*fn)(void *arg, struct slice octets), void *arg);
/* Runs fn over a mailbox in order of UID; -1 after a complaint. */
int export_scan(struct exporter *ex, const struct store_mailbox *mb,
    struct slice path, int (*fn)(void *arg, const struct store_msg_info *m),
    void *arg);

#endif
