/*
 * libstore/hint.c - files that tell something of accounts
 *
 * mail_dir/DIR/ACCOUNT, an empty file, is there before what it tells of is, so
 * that nobody has to open every account to find those with it.  It may be there
 * without.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

char *
hint_path(const struct store_conf *cf, const char *dir, const char *account)
{
	return xasprintf("%s/%s/%s", cf->mail_dir, dir, account);
}

/* A directory, durably; 0 also if it is there. */
static int
make_dir(const char *path)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : store_errno_rc(errno);
	return io_sync_parent(path) < 0 ? store_errno_rc(errno) : 0;
}

int
hint_dir(const struct store_conf *cf, const char *dir)
{
	char *path = xasprintf("%s/%s", cf->mail_dir, dir);
	char *slash = strchr(path + strlen(cf->mail_dir) + 1, '/');
	int rc = 0;

	if (slash != NULL) {
		*slash = '\0';
		rc = make_dir(path);
		*slash = '/';
	}
	if (rc == 0)
		rc = make_dir(path);
	xfree(path);
	return rc;
}

int
hint_open(const struct store_conf *cf, const char *dir, const char *account,
    int *fd_r)
{
	char *path = hint_path(cf, dir, account);
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC, rc = 0;
	int fd = io_open(path, flags, 0);

	if (fd < 0 && errno == ENOENT && (rc = hint_dir(cf, dir)) == 0) {
		fd = io_open(path, flags | O_CREAT, 0600);
		if (fd >= 0 && io_sync_parent(path) < 0)
			rc = store_errno_rc(errno);
	}
	if (fd < 0 && rc == 0)
		rc = store_errno_rc(errno);
	xfree(path);
	if (rc < 0)
		io_close(&fd);
	*fd_r = fd;
	return rc;
}

int
hint_each(const struct store_conf *cf, const char *dir,
    int (*fn)(void *arg, const char *account), void *arg)
{
	char *path = xasprintf("%s/%s", cf->mail_dir, dir);
	DIR *d = opendir(path);
	struct dirent *de;
	int rc = 0;

	xfree(path);
	if (d == NULL)
		return errno == ENOENT ? 0 : STORE_E_IO;
	while (rc == 0 && (errno = 0, de = readdir(d)) != NULL)
		if (store_account_ok(slice_str(de->d_name)))
			rc = fn(arg, de->d_name);
	if (rc == 0 && errno != 0)
		rc = STORE_E_IO;
	closedir(d);
	return rc;
}

void
hint_drop(const struct store_conf *cf, const char *dir, const char *account)
{
	char *path = hint_path(cf, dir, account);

	(void)unlink(path);
	xfree(path);
}
