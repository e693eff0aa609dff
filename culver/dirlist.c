/* culver/dirlist.c - the names in a directory, in the order of import */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "culver/dirlist.h"
#include "culver/import.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

static int
in_order(const void *a, const void *b)
{
	const struct dirlist_entry *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

static uint64_t
leading_number(const char *s)
{
	uint64_t v = 0;

	for (; *s >= '0' && *s <= '9' && v < UINT64_MAX / 10 - 1; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	return v;
}

static void
look(int fd, const struct dirent *d, struct dirlist_entry *e)
{
	struct stat sb;

	if (d->d_type != DT_UNKNOWN && d->d_type != DT_LNK) {
		e->dir = d->d_type == DT_DIR;
		return;
	}
	e->link = fstatat(fd, d->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(sb.st_mode);
	e->dir = fstatat(fd, d->d_name, &sb, 0) == 0 && S_ISDIR(sb.st_mode);
}

int
dirlist_read(const char *dir, struct dirlist *l_r)
{
	struct dirlist l = { NULL, 0, 0 };
	struct dirent *d;
	DIR *dp;
	int fd, e;

	fd = import_open(dir, true);
	if (fd < 0)
		return -1;
	dp = fdopendir(fd);
	if (!dp) {
		io_close(&fd);
		return -1;
	}
	priv_caller();
	while ((errno = 0, d = readdir(dp)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (l.n == l.cap) {
			l.cap = l.cap ? l.cap * 2 : 64;
			l.v = xreallocarray(l.v, l.cap, sizeof(*l.v));
		}
		l.v[l.n] = (struct dirlist_entry){
			.name = xstrdup(d->d_name),
			.number = leading_number(d->d_name)
		};
		look(fd, d, &l.v[l.n++]);
	}
	e = errno;
	priv_service();
	(void)closedir(dp);
	if (e != 0) {
		/* Half of it is not the directory. */
		dirlist_release(&l);
		errno = e;
		return -1;
	}
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), in_order);
	*l_r = l;
	return 0;
}

void
dirlist_release(struct dirlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		xfree(l->v[i].name);
	xfree(l->v);
	*l = (struct dirlist){ NULL, 0, 0 };
}
