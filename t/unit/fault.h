/* t/unit/fault.h - makes the nth system call of this process fail */
#ifndef T_FAULT_H
#define T_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The program's own open(), pread() and so on stand before libc's, for the
 * code under test and for the libraries that it calls.  Nothing has to
 * cooperate.  While fault.on is set, the calls for which the error makes sense
 * are counted, and one of them, or all from it on, fails.  One thread only.
 */
enum fault_class {
	FC_OPEN, FC_CREATE, FC_READ, FC_WRITE, FC_FLUSH, FC_CHANGE, FC_NAME, FC_STAT,
	FC_LOCK, FC_MAP, FC_DIR, FC_WATCH, FC_CLASSES
};

enum {
	FAULT_SHORT = -1,	/* half of a transfer, no error */
	FAULT_FLUSH = -2	/* EIO, of flushes alone */
};

struct fault {
	bool on;
	int err;		/* errno, or FAULT_SHORT */
	unsigned at;		/* the nth call fails; 0: none */
	bool stays;		/* and all after it */
	unsigned seen;		/* calls so far */
	unsigned hits;
	const char *what;	/* the first call that failed */
};
extern struct fault fault;
/* Not 0: so many octets are free in every file system. */
extern unsigned long fault_free;

/* Counts anew. */
void fault_arm(int err, unsigned at, bool stays);
/* Descriptors that are open. */
unsigned fault_descriptors(void);

#endif
