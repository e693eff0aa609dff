/* culver/import-path.c - what is at a path: mbox, Maildir, .eml, a folder */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "culver/dirlist.h"
#include "culver/import.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum { DEPTH_MAX = STORE_DEPTH_MAX, FIRST_LINE = 1100, CHUNK = 65536 };

int
import_open(const char *path, bool dir)
{
	struct stat sb;
	int fd, e;

	priv_caller();
	/* O_NONBLOCK: a FIFO must not hang us before we know that it is one. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
	    (dir ? O_DIRECTORY : 0));
	e = errno;
	priv_service();
	if (fd < 0) {
		errno = e;
		return -1;
	}
	if (fstat(fd, &sb) < 0 || (!dir && !S_ISREG(sb.st_mode))) {
		e = S_ISDIR(sb.st_mode) ? EISDIR : EINVAL;
		io_close(&fd);
		errno = e;
		return -1;
	}
	return fd;
}

/* ---- one message a file ------------------------------------------------ */

int
import_file(struct importer *im, int fd, const struct import_meta *m,
    const char *path)
{
	char chunk[CHUNK];
	ssize_t n;
	int rc;

	rc = importer_begin(im);
	if (rc != 0)
		return rc;
	while ((n = io_read(fd, chunk, sizeof(chunk))) > 0) {
		rc = importer_add(im, chunk, (size_t)n);
		if (rc != 0)
			return rc;
		importer_progress(im, (uint64_t)n);
	}
	if (n < 0) {
		importer_failed(im, path, strerror(errno));
		return 0;
	}
	return importer_end(im, m, path, UINT64_MAX);
}

static int
import_eml(struct importer *im, int fd, const char *path)
{
	struct import_meta m = { .received = INT64_MIN };
	struct stat sb;

	if (fstat(fd, &sb) == 0)
		m.fallback = sb.st_mtime;
	return import_file(im, fd, &m, path);
}

/* ---- mbox -------------------------------------------------------------- */

struct mbox_arg {
	struct importer *im;
	const char *path;
	int64_t mtime;
};

static int
mbox_begin(void *arg)
{
	return importer_begin(((struct mbox_arg *)arg)->im);
}

static int
mbox_add(void *arg, const char *p, size_t n)
{
	return importer_add(((struct mbox_arg *)arg)->im, p, n);
}

static int
mbox_end(void *arg, const struct mbox_meta *m, uint64_t offset)
{
	struct mbox_arg *ma = arg;
	struct import_meta im = {
		.flags = m->flags, .keywords = m->keywords,
		.received = m->date, .fallback = ma->mtime
	};

	return importer_end(ma->im, &im, ma->path, offset);
}

static void
mbox_progress(void *arg, uint64_t octets)
{
	importer_progress(((struct mbox_arg *)arg)->im, octets);
}

static int
import_mbox(struct importer *im, int fd, const char *path)
{
	struct mbox_arg arg = { .im = im, .path = path };
	struct mbox_sink sink = {
		&arg, mbox_begin, mbox_add, mbox_end, mbox_progress
	};
	struct stat sb;
	int rc;

	if (fstat(fd, &sb) == 0)
		arg.mtime = sb.st_mtime;
	rc = mbox_read(fd, importer_conf(im)->mbox, &sink);
	if (rc < 0) {
		importer_failed(im, path, strerror(errno));
		rc = 0;
	}
	return rc;
}

/* ---- which is it? ------------------------------------------------------ */

static bool
ends_with(struct slice s, const char *end)
{
	size_t n = strlen(end);

	return s.n > n &&
	    slice_ieq(slice_make(s.p + s.n - n, n), slice_make(end, n));
}

static bool
mbox_is(int fd)
{
	char line[FIRST_LINE];
	ssize_t n = pread(fd, line, sizeof(line), 0);
	struct slice s;
	int64_t date;
	const char *nl;

	if (n <= 0)
		return false;
	s = slice_make(line, (size_t)n);
	while (s.n > 0 && (s.p[0] == '\n' || s.p[0] == '\r'))
		s = slice_make(s.p + 1, s.n - 1);
	nl = s.n ? memchr(s.p, '\n', s.n) : NULL;
	if (nl)
		s.n = (size_t)(nl - s.p);
	return mbox_from_line(s, &date);
}

/*
 * The path of the mailbox that a file or folder is: its name is as export
 * writes it, with %XX for what can't be in a file's name.  xmalloc'ed.
 */
static char *
mailbox_name(struct importer *im, const char *path, struct slice parent,
    struct slice name)
{
	struct buf b;
	char *p;

	if (ends_with(name, ".mbox"))
		name.n -= 5;
	buf_init(&b, 4096 + parent.n);
	if (parent.n > 0) {
		(void)buf_add_slice(&b, parent);
		(void)buf_addc(&b, '/');
	}
	for (size_t i = 0; i < name.n; i++) {
		unsigned char ch;

		if (name.p[i] == '%' && i + 2 < name.n &&
		    hex_decode(slice_make(name.p + i + 1, 2), &ch, 1) == 0) {
			(void)buf_addc(&b, (char)ch);
			i += 2;
		} else {
			(void)buf_addc(&b, name.p[i]);
		}
	}
	if (b.overflow || !utf8_valid(buf_slice(&b))) {
		importer_failed(im, path, "its name can't be a mailbox's");
		p = NULL;
	} else {
		p = xstrndup(b.p, b.n);
	}
	buf_release(&b);
	return p;
}

static int import_dir(struct importer *im, const char *dir,
    struct slice mailbox, int depth);

/* What a mailbox without messages is exported as. */
static bool
is_empty(int fd)
{
	struct stat sb;

	return fstat(fd, &sb) == 0 && sb.st_size == 0;
}

/* A file found in a directory: an mbox is a mailbox of its name. */
static int
import_entry(struct importer *im, const char *path, struct slice name,
    struct slice mailbox)
{
	char *box;
	int fd, rc = 0;

	fd = import_open(path, false);
	if (fd < 0) {
		importer_failed(im, path, strerror(errno));
		return 0;
	}
	if (mbox_is(fd) || (ends_with(name, ".mbox") && is_empty(fd))) {
		box = mailbox_name(im, path, mailbox, name);
		if (box) {
			rc = importer_mailbox(im, slice_str(box), true);
			if (rc == 0)
				rc = import_mbox(im, fd, path);
			xfree(box);
		}
	} else if (ends_with(name, ".eml")) {
		rc = importer_mailbox(im, mailbox, false);
		if (rc == 0)
			rc = import_eml(im, fd, path);
	} else if (!importer_conf(im)->quiet) {
		complain("%s: neither mail nor a folder; left out", path);
	}
	io_close(&fd);
	return rc;
}

/* The folders and, outside of a Maildir, the files in a directory. */
static int
import_entries(struct importer *im, const char *dir, struct slice mailbox,
    bool maildir, int depth)
{
	struct dirlist l;
	int rc = 0;

	if (dirlist_read(dir, &l) < 0) {
		importer_failed(im, dir, strerror(errno));
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		struct slice name = slice_str(l.v[i].name);
		char *path, *box;

		if (name.p[0] == '.' || (maildir && (!l.v[i].dir ||
		    maildir_part(l.v[i].name))))
			continue;
		path = xasprintf("%s/%s", dir, l.v[i].name);
		if (l.v[i].dir && l.v[i].link) {
			importer_failed(im, path, "a link to a directory isn't "
			    "followed; name it as an argument");
		} else if (!l.v[i].dir) {
			rc = import_entry(im, path, name, mailbox);
		} else if ((box = mailbox_name(im, path, mailbox, name))) {
			rc = import_dir(im, path, slice_str(box), depth + 1);
			xfree(box);
		}
		xfree(path);
	}
	dirlist_release(&l);
	return rc;
}

static int
import_dir(struct importer *im, const char *dir, struct slice mailbox,
    int depth)
{
	bool maildir = maildir_is(dir);
	int rc = 0;

	if (depth > DEPTH_MAX) {
		importer_failed(im, dir, "folders are nested too deep");
		return 0;
	}
	if (maildir)
		rc = import_maildir(im, dir, mailbox);
	return rc ? rc : import_entries(im, dir, mailbox, maildir, depth);
}

int
import_path(struct importer *im, const char *path)
{
	int fd, rc;

	fd = import_open(path, false);
	if (fd < 0 && errno == EISDIR)
		return import_dir(im, path, slice_str(NULL), 0);
	if (fd < 0) {
		importer_failed(im, path, strerror(errno));
		return 0;
	}
	rc = importer_mailbox(im, slice_str(NULL), false);
	if (rc == 0) {
		rc = mbox_is(fd) ? import_mbox(im, fd, path) :
		    import_eml(im, fd, path);
	}
	io_close(&fd);
	return rc;
}

uint64_t
import_size(const char *path, int depth)
{
	struct dirlist l;
	struct stat sb;
	uint64_t sum = 0;
	int rc;

	priv_caller();
	rc = stat(path, &sb);
	priv_service();
	if (rc < 0)
		return 0;
	if (S_ISREG(sb.st_mode))
		return (uint64_t)sb.st_size;
	if (!S_ISDIR(sb.st_mode) || depth > DEPTH_MAX + 2 ||
	    dirlist_read(path, &l) < 0)
		return 0;
	for (size_t i = 0; i < l.n; i++) {
		char *p = xasprintf("%s/%s", path, l.v[i].name);

		/* Links to directories may lead back. */
		if (!l.v[i].dir || !l.v[i].link)
			sum += import_size(p, depth + 1);
		xfree(p);
	}
	dirlist_release(&l);
	return sum;
}
