/* imapd/lex.h - tokens of one command line, for parse.c alone */
#ifndef IMAPD_LEX_H
#define IMAPD_LEX_H

#include "imapd/parse.h"

enum imap_after {	/* what the last token was: tells what may come next */
	IMAP_AFTER_NOTHING,	/* the command begins */
	IMAP_AFTER_OPEN,	/* "(" or "[" */
	IMAP_AFTER_SP,
	IMAP_AFTER_ARG
};

struct imap_lit {
	uint64_t size;
	size_t pos;		/* octet of the command */
	bool sync, binary;
};

/*
 * Adds the tokens of a line (without its CRLF) to the tree.  0: the command is
 * complete; 1: it goes on after the literal *lit_r; -1: err was set.
 */
int imap_lex_line(struct imap_parser *p, struct slice line,
    struct imap_lit *lit_r);
/* Reads the tag alone, if it can be read: for the answer to a bad line. */
void imap_lex_tag(struct imap_parser *p, struct slice line);
/* Does the line end in a literal's head, whatever is before it?  1 yes, 0 no,
 * -1 it does, with a number out of range. */
int imap_lex_literal_end(struct slice line, struct imap_lit *lit_r);
/* A new argument in the innermost open list; NULL (err was set) when there are
 * too many. */
struct imap_arg *imap_lex_add(struct imap_parser *p, enum imap_arg_type type,
    size_t pos);

#endif
