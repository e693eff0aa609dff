/* culver/mbox.h - mbox files: reading all the usual dialects, writing mboxrd */
#ifndef CULVER_MBOX_H
#define CULVER_MBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "libbase/slice.h"

/*
 * mboxrd: ">From ", ">>From " lost one '>' each.  mboxo: only ">From " does.
 * mboxcl: Content-Length frames the body, quoted as mboxrd.  mboxcl2: framed
 * and not quoted.  AUTO: a message whose Content-Length leads to the next
 * From_ line or to the end of the file is mboxcl2, all others are mboxrd.
 */
enum mbox_format {
	MBOX_AUTO, MBOX_RD, MBOX_O, MBOX_CL, MBOX_CL2
};
/* "auto", "mboxrd", ...; -1: unknown. */
int mbox_format_from(const char *name, enum mbox_format *f_r);

struct mbox_meta {
	int64_t date;		/* of the From_ line; INT64_MIN: none */
	uint64_t flags;		/* STORE_SEEN..., of Status and X-Status */
	struct slice keywords;	/* of X-Keywords, separated by blanks */
};

/* Where the messages go.  A function that returns nonzero ends the reading,
 * and mbox_read() returns that. */
struct mbox_sink {
	void *arg;
	int (*begin)(void *arg);
	int (*add)(void *arg, const char *p, size_t n);
	int (*end)(void *arg, const struct mbox_meta *m, uint64_t offset);
	/* Octets of the file that were dealt with since the last call. */
	void (*progress)(void *arg, uint64_t octets);
};

/* The whole of a regular file.  0; -1 with errno (EPROTO: it doesn't begin
 * with a From_ line); or what the sink returned. */
int mbox_read(int fd, enum mbox_format f, const struct mbox_sink *sink);

/*
 * Is this line (with or without its end) a From_ line: "From ", anything, and
 * a date?  Zones other than numeric ones and the usual names count as UTC.
 */
bool mbox_from_line(struct slice line, int64_t *date_r);

/*
 * Writes a message, which has CR LF line ends, with its From_ line and flags;
 * keywords are separated by blanks, with one before the first.  Look at
 * ferror().
 */
void mbox_write(FILE *f, struct slice octets, const struct mbox_meta *m,
    bool crlf);

/* The line which precedes the message in our own exports, in which the headers
 * that are not part of it are counted. */
#define MBOX_EXPORT "X-Culver-Export:"

#endif
