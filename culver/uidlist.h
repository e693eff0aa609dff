/* culver/uidlist.h - a Maildir's UIDs, as Dovecot keeps them */
#ifndef CULVER_UIDLIST_H
#define CULVER_UIDLIST_H

#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"

/*
 * "dovecot-uidlist", version 3: a line "3 V1275660208 N25022 ...", where V is
 * UIDVALIDITY, and for each message "25006 W1394 :1276528487.M364837P9451.host":
 * its UID, what else is known, and the file's name without its flags.
 */
#define UIDLIST_FILE "dovecot-uidlist"

struct uidlist {
	struct uidlist_row {
		struct slice name;
		uint32_t uid;
	} *v;				/* sorted by name */
	size_t n;
	uint32_t uidvalidity;		/* 0: there is no list */
};

/* Of the file's text, which l_r points into; its array is in the arena.  Lines
 * that make no sense are left out. */
void uidlist_parse(struct slice text, struct arena *a, struct uidlist *l_r);
/* The UID of a file by its name, whatever its flags; 0: it isn't known. */
uint32_t uidlist_find(const struct uidlist *l, const char *name);

#endif
