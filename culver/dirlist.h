/* culver/dirlist.h - the names in a directory, in the order of import */
#ifndef CULVER_DIRLIST_H
#define CULVER_DIRLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dirlist_entry {
	char *name;
	uint64_t number;	/* that the name begins with; 0: none */
	bool dir;		/* a directory, or a link to one */
	bool link;		/* a symbolic link: may lead back */
};
struct dirlist {
	struct dirlist_entry *v;
	size_t n, cap;
};

/*
 * All but "." and "..", by the number that they begin with, then by bytes (so
 * that a Maildir's messages come in the order of their arrival).  0, or -1
 * with errno.  dirlist_release() after success.
 */
int dirlist_read(const char *dir, struct dirlist *l_r);
void dirlist_release(struct dirlist *l);

#endif
