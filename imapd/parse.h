/* imapd/parse.h - the command parser: octets in, a tree of arguments out */
#ifndef IMAPD_PARSE_H
#define IMAPD_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"

enum imap_arg_type {
	IMAP_ARG_ATOM,		/* s: anything without blanks, quotes, parens */
	IMAP_ARG_QUOTED,	/* s: unescaped */
	IMAP_ARG_LITERAL,	/* s: the octets, without NUL */
	IMAP_ARG_STREAM,	/* a literal that the owner took; size */
	IMAP_ARG_LIST,		/* first: the members */
	IMAP_ARG_SECTION	/* s "[" first... "]" ["<" partial ">"] */
};

struct imap_arg {
	struct imap_arg *next, *first;
	struct slice s;
	struct slice partial;	/* SECTION: {NULL, 0} if there is none */
	uint64_t size;		/* STREAM */
	enum imap_arg_type type;
	uint32_t pos;		/* where it began: octet of the command, from 1 */
};

enum { IMAP_DEPTH_MAX = 32 };

struct imap_limits {
	size_t line;		/* octets of one line */
	uint64_t literal;	/* octets of a literal that is kept in memory */
	uint64_t drain;		/* of a refused literal that is read over */
	size_t args;		/* arguments of a command, members of lists too */
	size_t memory;		/* of the arena, for the whole command */
	unsigned depth;		/* of lists, <= IMAP_DEPTH_MAX */
};

enum imap_parse_rc {
	IMAP_PARSE_BAD = -1,	/* the command is over: see err */
	IMAP_PARSE_MORE = 0,	/* more octets, please */
	IMAP_PARSE_DONE = 1,	/* tag, name and args are there */
	IMAP_PARSE_GO = 2,	/* send a continuation request; call again */
	IMAP_PARSE_STREAM = 3	/* the owner takes stream_size octets (after a
				 * continuation request if stream_sync), calls
				 * imap_parse_streamed() and goes on */
};

enum imap_literal_rc {
	IMAP_LIT_REFUSE = -1,	/* err (and code) were set */
	IMAP_LIT_KEEP = 0,	/* into memory, if it is within the limit */
	IMAP_LIT_STREAM = 1
};

struct imap_parser;

struct imap_parse_hooks {
	/* Tag and name are known; may set sections.  -1: refuse, err was set. */
	int (*command)(void *arg, struct imap_parser *p);
	/* A literal of size octets begins (it is a member of nothing but the
	 * command if depth is 0). */
	enum imap_literal_rc (*literal)(void *arg, struct imap_parser *p,
	    uint64_t size, bool binary);
};

struct imap_open {
	struct imap_arg *arg;	/* LIST or SECTION; NULL: the command itself */
	struct imap_arg **tail;
};

struct imap_parser {
	/* the owner's */
	struct arena *a;
	struct imap_limits lim;
	const struct imap_parse_hooks *hooks;
	void *arg;
	bool lf_ok;		/* lines may end in a bare LF (a terminal) */
	/* results */
	struct slice tag;	/* n 0: none could be read */
	struct slice name;	/* "FETCH", "UID FETCH", as the client wrote it */
	struct imap_arg *args;
	size_t n_top;		/* arguments of the command itself */
	const char *err;	/* English, says what was expected and where */
	const char *code;	/* a response code: NO rather than BAD; or NULL */
	bool fatal;		/* the rest of the input can't be made sense of */
	uint64_t stream_size;
	bool stream_sync;
	/* set by the command hook */
	bool sections;		/* an atom may have a [section]: FETCH */
	bool sections_in_return;	/* only in a list of RETURN's: SEARCH */
	/* the parser's own */
	int state, after;
	unsigned depth;
	size_t n_args, scan, pos;
	struct imap_open open[IMAP_DEPTH_MAX + 1];
	char *lit;		/* the literal that is being read */
	uint64_t lit_size, lit_have;
	bool lit_binary;	/* literal8: NUL is as good as others */
	char tail[32];		/* end of a line that is skipped */
	size_t n_tail;
};

/* Once; hooks, lim and lf_ok are then set by the owner. */
void imap_parser_init(struct imap_parser *p);
/* Before each command; a has been reset. */
void imap_parser_reset(struct imap_parser *p, struct arena *a);
/*
 * Goes on with in, of which it used *used_r octets (also when it returns
 * BAD).  Strings of the result are in the arena.  The caller must be able to
 * present a whole line, i.e. lim.line + 2 octets, at once.
 */
enum imap_parse_rc imap_parse(struct imap_parser *p, struct slice in,
    size_t *used_r);
/* The octets of a streamed literal were all taken. */
void imap_parse_streamed(struct imap_parser *p);
/* Sets err to "expected WHAT at octet N"; returns -1. */
int imap_parse_expected(struct imap_parser *p, const char *what, size_t pos);

#endif
