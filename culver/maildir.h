/* culver/maildir.h - flags and names in a Maildir, for import and export */
#ifndef CULVER_MAILDIR_H
#define CULVER_MAILDIR_H

#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"

/*
 * Keywords: file names have the letters a to z for the first 26 of a folder,
 * whose names are in the file "dovecot-keywords" ("0 name"), as Dovecot keeps
 * them.  Any more are in "culver-keywords": "unique-part name name".
 */
enum { MAILDIR_LETTERS = 26 };
#define MAILDIR_KEYWORDS "dovecot-keywords"
#define MAILDIR_MORE_KEYWORDS "culver-keywords"

/* Letters of a file name's ":2," part. */
struct maildir_flag {
	char letter;
	uint64_t flag;		/* 0: a keyword */
	const char *keyword;
};
extern const struct maildir_flag maildir_flags[];
extern const size_t maildir_n_flags;

#endif
