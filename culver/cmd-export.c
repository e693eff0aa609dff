/* culver/cmd-export.c - culver export: an account as Maildir or mbox files */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "culver/dirlist.h"
#include "culver/export.h"
#include "culver/rows.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { O_FORMAT, O_MAILBOX, O_CRLF, O_QUIET, O_JSON };

static const struct opt opts[] = {
	{ "format", "FORMAT", "maildir (default) or mbox" },
	{ "mailbox", "NAME", "this one and those below it only" },
	{ "crlf", NULL, "end lines with CR LF, as on the wire, not LF" },
	{ "quiet", NULL, "say nothing but faults" },
	{ "json", NULL, "tell how many as a JSON object" },
	{ NULL, NULL, NULL }
};

int
export_failed(const char *path)
{
	complain("%s: %s", path, strerror(errno));
	return -1;
}

int
export_mkdir(const char *path)
{
	int rc, e;

	priv_caller();
	rc = mkdir(path, 0700);
	e = errno;
	priv_service();
	errno = e;
	return rc;
}

int
export_create(const char *path)
{
	int fd, e;

	priv_caller();
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	e = errno;
	priv_service();
	errno = e;
	return fd;
}

int
export_octets(struct exporter *ex, const struct store_msg_info *m,
    int (*fn)(void *arg, struct slice octets), void *arg)
{
	struct store_blob *b = NULL;
	struct slice s;
	int rc;

	rc = store_blob_open_ref(ex->st, m->ref, &b);
	if (rc >= 0)
		rc = store_blob_octets(b, &s);
	if (rc < 0) {
		char what[80];

		snprintf(what, sizeof(what), "message with UID %u", m->uid);
		complain_store(what, rc, ex->st);
		rc = -1;
	} else {
		rc = fn(arg, s);
	}
	store_blob_close(&b);
	ex->messages++;
	progress_add(&ex->pg, 0, 1);
	progress_add(&ex->pg, m->size, 0);
	return rc;
}

int
export_scan(struct exporter *ex, const struct store_mailbox *mb,
    struct slice path, int (*fn)(void *arg, const struct store_msg_info *m),
    void *arg)
{
	struct store_range all = { 1, UINT32_MAX };
	int rc;

	rc = store_msg_scan(ex->st, mb->id, &all, 1, fn, arg);
	if (rc == 0)
		return 0;
	progress_clear(&ex->pg);
	/* fn's own failures are 1, and it has complained. */
	if (rc < 0) {
		char what[300];

		snprintf(what, sizeof(what), "%.*s",
		    (int)(path.n < 255 ? path.n : 255), path.p);
		complain_store(what, rc, ex->st);
	}
	return -1;
}

/* A new directory, or an empty one. */
static int
target_dir(const char *dir)
{
	struct dirlist l;
	bool empty;

	if (export_mkdir(dir) == 0)
		return 0;
	if (errno != EEXIST || dirlist_read(dir, &l) < 0)
		return export_failed(dir);
	empty = l.n == 0;
	dirlist_release(&l);
	if (empty)
		return 0;
	complain("%s: is not empty", dir);
	return -1;
}

static bool
below(struct slice path, const char *base)
{
	struct slice b = slice_str(base);

	if (slice_eq(path, b))
		return true;
	return path.n > b.n && path.p[b.n] == '/' &&
	    slice_eq(slice_make(path.p, b.n), b);
}

/* The given name as the store spells it. */
static int
base_path(struct exporter *ex, const char *name, const char **base_r)
{
	struct store_mailbox mb;
	struct slice path;
	int rc;

	rc = store_mailbox_find(ex->st, ex->a, slice_str(name), &mb);
	if (rc >= 0)
		rc = store_mailbox_path(ex->st, ex->a, mb.id, &path);
	if (rc < 0) {
		complain_store(name, rc, ex->st);
		return -1;
	}
	*base_r = arena_strndup(ex->a, path.p, path.n);
	return 0;
}

static int
export_all(struct exporter *ex, const struct args *a, bool mbox)
{
	const char *only = NULL;
	struct store_mailbox *mb;
	struct slice *path;
	size_t n;
	uint64_t total = 0;
	int rc;

	rc = store_keywords(ex->st, ex->a, &ex->keywords, &ex->n_keywords);
	if (rc >= 0)
		rc = store_mailbox_list(ex->st, ex->a, &mb, &n);
	if (rc < 0) {
		complain_store(a->pos[0], rc, ex->st);
		return -1;
	}
	if (a->val[O_MAILBOX] && base_path(ex, a->val[O_MAILBOX], &only) < 0)
		return -1;
	path = arena_calloc(ex->a, n, sizeof(*path));
	for (size_t i = 0; i < n; i++) {
		rc = store_mailbox_path(ex->st, ex->a, mb[i].id, &path[i]);
		if (rc < 0) {
			complain_store(a->pos[0], rc, ex->st);
			return -1;
		}
		if (only && !below(path[i], only))
			path[i] = slice_str(NULL);
		else
			total += mb[i].size;
	}
	if (!mbox)
		rc = export_maildir_root(ex);
	progress_start(&ex->pg, total);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		if (path[i].p)
			rc = mbox ? export_mbox(ex, &mb[i], path[i]) :
			    export_maildir(ex, &mb[i], path[i]);
	}
	progress_clear(&ex->pg);
	return rc < 0 ? -1 : 0;
}

/* An export is a backup as often as not: see it on the disk. */
static int
sync_dir(const char *dir)
{
	int fd, rc;

	priv_caller();
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -1 : syncfs(fd);
	priv_service();
	if (rc < 0)
		return export_failed(dir);
	io_close(&fd);
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct exporter ex = {
		.dir = a->pos[1], .crlf = a->val[O_CRLF] != NULL
	};
	const char *format = a->val[O_FORMAT] ? a->val[O_FORMAT] : "maildir";
	bool mbox = strcmp(format, "mbox") == 0;
	int code;

	if (!mbox && strcmp(format, "maildir") != 0) {
		complain("--format: maildir or mbox, not \"%s\"", format);
		return EXIT_PERM;
	}
	code = account_open(c, a->pos[0], &ex.st);
	if (code != 0)
		return code;
	code = EXIT_PERM;
	ex.a = arena_new(0);
	if (target_dir(ex.dir) == 0 && export_all(&ex, a, mbox) == 0 &&
	    sync_dir(ex.dir) == 0) {
		code = 0;
		if (a->val[O_JSON])
			row_alone(json_pack("{s:I}", "exported",
			    (json_int_t)ex.messages));
		else if (!a->val[O_QUIET])
			printf("%llu exported\n",
			    (unsigned long long)ex.messages);
	}
	arena_free(&ex.a);
	store_close(&ex.st);
	return code;
}

const struct command cmd_export = {
	"export", "ACCOUNT DIR", "write an account's mail as files", opts,
	2, 2, run
};
