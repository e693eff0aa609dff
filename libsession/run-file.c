/* libsession/run-file.c - files of ours in run-dir, which processes share */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/run-file.h"

int
run_file_open(const struct conf *c, const char *name)
{
	char *path = xasprintf("%s/%s", c->run_dir, name);
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
			   (st.st_mode & 077) != 0)) {
		log_warn("%s: not a private file, not used", path);
		io_close(&fd);
		errno = EPERM;
	}
	xfree(path);
	return fd;
}
