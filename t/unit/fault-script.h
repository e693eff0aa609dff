/* t/unit/fault-script.h - work on an account, operation by operation */
#ifndef T_FAULT_SCRIPT_H
#define T_FAULT_SCRIPT_H

#include "libbase/buf.h"
#include "libstore/store.h"

/* What the operations work with. */
struct script {
	struct store_conf conf;
	char dir[80];
	char backup[100];	/* the directory of alice's */
	struct store *st;	/* NULL before it is opened */
	struct arena *a;
	struct store_blobid blob; /* of the upload */
	char fault[200];	/* that the check found last */
	char *large;		/* octets that can't be compressed */
};

enum { LARGE = 300 * 1024 };

struct script_op {
	const char *name;
	int (*fn)(struct script *s);
	/* Needs no space: works on a full disk. */
	bool reads;
};
extern const struct script_op script_ops[];
extern const size_t script_n;

void script_begin(struct script *s);
void script_end(struct script *s);
/*
 * Everything that an account shows, as text without what differs from run to
 * run (times, ids, modseqs).  Negative: it couldn't be read.
 */
int script_show(struct script *s, struct store *st, struct buf *b);
/* The same as a new handle has it; then the other account. */
int script_state(struct script *s, struct buf *b);

/* fault-send.c: what it sends; a part of what it shows */
int op_identity(struct script *s);
int op_vacation(struct script *s);
int op_submit(struct script *s);
int op_commit(struct script *s);
int op_done(struct script *s);
int op_settle(struct script *s);
int script_show_sent(struct store *st, struct arena *a, struct buf *b);

#endif
