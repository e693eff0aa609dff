/*
 * libsession/linefile.h - a text file of lines "key:...", sorted by key
 *
 * Read by many processes, edited by administrators, and rewritten by
 * linefile_update(), under a lock, atomically.  The first line of a file that
 * it wrote says that the file is sorted, and how long it is: where that is
 * right a line is found by halving, otherwise line by line.  Lines that begin
 * with '#' are comments.
 */
#ifndef SESSION_LINEFILE_H
#define SESSION_LINEFILE_H

#include <sys/types.h>

#include "libbase/arena.h"
#include "libbase/slice.h"

enum { LINEFILE_LINE_MAX = 1024 };

struct linefile {
	const char *path;
	const char *head;	/* of the first line: "#culver-passwd sorted " */
	const char *user;	/* who owns a new file that root makes; NULL */
	/* 1 an entry; 0 a comment or blank; -1 malformed. */
	int (*parse)(struct slice line, struct slice *key_r);
};

/* The line of a key, which has no colon, in the arena.  0; 1 there is none; -1
 * unreadable (errno). */
int linefile_find(const struct linefile *f, struct slice key, struct arena *a,
    struct slice *line_r);
/* Calls fn for every line, comments too; fn != 0 stops and is returned.  -1
 * with errno: unreadable. */
int linefile_each(const struct linefile *f,
    int (*fn)(void *arg, struct slice line), void *arg);
/* The same for the lines (without their ends) of [off, end) of a descriptor. */
int linefile_scan(int fd, off_t off, off_t end,
    int (*fn)(void *arg, struct slice line), void *arg);

struct linefile_line {
	struct slice key;
	struct slice line;	/* without '\n'; p NULL: delete */
};
/*
 * Puts or deletes n lines in one rewrite; of the same key the last one counts.
 * Comments, the owner and the mode stay; a malformed line becomes a comment.
 * 0; 1: a line to delete was not there; -1 with errno.
 */
int linefile_update(const struct linefile *f, const struct linefile_line *v,
    size_t n);

#endif
