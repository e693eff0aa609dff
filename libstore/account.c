/* libstore/account.c - accounts: making, opening, listing, removing */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <unictype.h>
#include <unistr.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

enum {
	STALE_S = 3600,		/* an unfinished account of a dead process */
	DELETE_DEPTH = 8
};

/* ---- configuration ----------------------------------------------------- */

bool
store_conf_files(const struct store_conf *cf)
{
	const char *e = cf->engine;

	return !e || (strcmp(e, "mem") != 0 && strcmp(e, "chaos:mem") != 0);
}

struct kv_conf
store_kv_conf(const struct store_conf *cf)
{
	struct kv_conf kc = { 0 };

	kc.engine = cf->engine;
	kc.lock_wait_ms = cf->lock_wait_ms;
	kc.any_fs = cf->any_fs;
	kc.log_keep_s = cf->log_keep_s == 0 ? 7 * 86400 :
	    cf->log_keep_s == STORE_NEVER ? 0 : cf->log_keep_s;
	kc.first_modseq = cf->first_modseq;
	kc.clock_offset = cf->clock_offset;
	kc.chaos_seed = cf->chaos_seed;
	kc.chaos_every = cf->chaos_every;
	kc.chaos_kinds = cf->chaos_kinds;
	return kc;
}

uint32_t
store_max_mailboxes(const struct store_conf *cf)
{
	return cf->max_mailboxes ? cf->max_mailboxes : 100000;
}

uint64_t
store_max_message(const struct store_conf *cf)
{
	return cf->max_message ? cf->max_message : UINT64_C(100) << 20;
}

int64_t
store_now(const struct store *st)
{
	return (int64_t)time(NULL) + st->cf->clock_offset;
}

/* ---- errors ------------------------------------------------------------ */

int
store_fail(struct store *st, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(st->err, sizeof(st->err), fmt, ap);
	va_end(ap);
	return rc;
}

int
store_corrupt(struct store *st, const char *what, uint64_t id)
{
	return store_fail(st, STORE_E_CORRUPT,
	    "%s %llx contradicts itself or another row", what,
	    (unsigned long long)id);
}

const char *
store_errmsg(const struct store *st)
{
	return st->err[0] ? st->err : row_version_text()[0] ?
	    row_version_text() : kv_errmsg(st->kv);
}

/* ---- names ------------------------------------------------------------- */

static bool
name_char_ok(ucs4_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c != 0 && strchr("._@+=-", (int)c) != NULL);
	return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L |
	    UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N);
}

bool
store_account_ok(struct slice name)
{
	const uint8_t *p = (const uint8_t *)name.p;
	ucs4_t c;
	int n;

	if (name.n == 0 || name.n > STORE_ACCOUNT_MAX || name.p[0] == '.' ||
	    name.p[0] == '-' || !utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.n; i += (size_t)n) {
		n = u8_mbtouc(&c, p + i, name.n - i);
		if (n <= 0 || !name_char_ok(c))
			return false;
	}
	return true;
}

char *
account_dir(const struct store_conf *cf, const char *name)
{
	return xasprintf("%s/%s", cf->mail_dir ? cf->mail_dir : "", name);
}

/* A name in mail_dir that no account can have. */
char *
account_temp(const struct store_conf *cf, const char *prefix)
{
	uint64_t r;

	random_bytes(&r, sizeof(r));
	return xasprintf("%s/.%s-%016llx", cf->mail_dir, prefix,
	    (unsigned long long)r);
}

/* ---- removing directories ---------------------------------------------- */

static int
remove_entries(int fd, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *de;
	int rc = 0;

	if (!d) {
		close(fd);
		return -1;
	}
	while (rc == 0 && (errno = 0, de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			rc = account_remove(dirfd(d), de->d_name, depth + 1);
	if (rc == 0 && errno != 0)
		rc = -1;
	closedir(d);
	return rc;
}

int
account_remove(int at, const char *name, int depth)
{
	int fd;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (depth > DELETE_DEPTH) {
		close(fd);
		errno = ELOOP;
		return -1;
	}
	if (remove_entries(fd, depth) < 0)
		return -1;
	return unlinkat(at, name, AT_REMOVEDIR);
}

/* What processes that died left behind: best effort. */
static void
remove_stale(const struct store_conf *cf)
{
	DIR *d = opendir(cf->mail_dir);
	struct dirent *de;
	struct stat sb;

	if (!d)
		return;
	while ((de = readdir(d))) {
		if (strncmp(de->d_name, ".gone-", 6) != 0 &&
		    strncmp(de->d_name, ".new-", 5) != 0)
			continue;
		if (fstatat(dirfd(d), de->d_name, &sb,
		    AT_SYMLINK_NOFOLLOW) == 0 &&
		    sb.st_mtime + STALE_S < time(NULL))
			(void)account_remove(dirfd(d), de->d_name, 0);
	}
	closedir(d);
}

static int
sys_rc(int e)
{
	return e == EEXIST || e == ENOTEMPTY ? STORE_E_EXISTS :
	    e == ENOENT ? STORE_E_NOTFOUND : store_errno_rc(e);
}

int
account_rename(const struct store_conf *cf, const char *from, const char *to,
    unsigned flags)
{
	int fd = io_open(cf->mail_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return errno == ENOENT ? STORE_E_NOTFOUND : STORE_E_IO;
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, flags) < 0)
		rc = sys_rc(errno);
	else if (io_fsync(fd) < 0) {
		log_err("%s: flush failed: %s", cf->mail_dir, strerror(errno));
		rc = STORE_E_UNKNOWN;
	}
	io_close(&fd);
	return rc;
}

/* ---- opening ----------------------------------------------------------- */

static void
handle_id(struct store *st, uint64_t id)
{
	snprintf(st->id, sizeof(st->id), "%016llx", (unsigned long long)id);
}

struct store *
store_handle_new(const struct store_conf *cf, const char *name, const char *dir)
{
	struct store *st = xcalloc(1, sizeof(*st));

	st->cf = cf;
	st->name = xstrdup(name);
	st->dir = store_conf_files(cf) ? xstrdup(dir) : NULL;
	st->lock_fd = -1;
	st->wa = arena_new(0);
	st->ra = arena_new(0);
	buf_init(&st->val, ROW_BUF_MAX);
	return st;
}

int
account_handle(const struct store_conf *cf, const char *name, const char *dir,
    int flags, struct store **st_r)
{
	struct kv_conf kc = store_kv_conf(cf);
	struct store *st = store_handle_new(cf, name, dir);
	int rc;

	rc = kv_open(&kc, store_conf_files(cf) ? dir : name, flags, &st->kv);
	if (rc < 0) {
		store_close(&st);
		return rc;
	}
	*st_r = st;
	return 0;
}

int
store_open(const struct store_conf *cf, const char *account,
    struct store **st_r)
{
	struct store *st;
	struct row_head h;
	struct kv_txn *t;
	char *dir;
	int rc;

	if (!store_account_ok(slice_str(account)))
		return STORE_E_NOTFOUND;
	dir = account_dir(cf, account);
	rc = account_handle(cf, account, dir, 0, &st);
	xfree(dir);
	if (rc < 0)
		return rc;
	if ((rc = ro_begin(st, &t)) == 0) {
		rc = head_read(t, st->ra, &h);
		ro_end(st);
	}
	if (rc < 0) {
		if (rc == STORE_E_VERSION)
			log_err("account %s: %s", account, store_errmsg(st));
		store_close(&st);
		return rc;
	}
	handle_id(st, h.account);
	*st_r = st;
	return 0;
}

void
store_close(struct store **stp)
{
	struct store *st = *stp;

	if (!st)
		return;
	if (st->kv)
		kv_close(&st->kv);
	store_maildrop_unlock(st);
	arena_free(&st->wa);
	arena_free(&st->ra);
	buf_release(&st->val);
	xfree(st->name);
	xfree(st->dir);
	xfree(st);
	*stp = NULL;
}

const char *
store_account_name(const struct store *st)
{
	return st->name;
}

const char *
store_account_id(const struct store *st)
{
	return st->id;
}

int
store_refresh(struct store *st)
{
	st->err[0] = '\0';
	row_version_clear();
	return kv_refresh(st->kv);
}

uint64_t
store_modseq(const struct store *st)
{
	return kv_modseq(st->kv);
}

/* ---- making ------------------------------------------------------------ */

static int
make_folder(struct work *w, const struct store_folder *f)
{
	struct slice rest = slice_str(f->name), part, nfc;
	uint64_t parent = 0, id;
	int rc;

	while (rest.n > 0) {
		const char *sl = memchr(rest.p, '/', rest.n);

		part = slice_make(rest.p, sl ? (size_t)(sl - rest.p) : rest.n);
		rest = slice_make(rest.p + part.n + (sl != NULL),
		    rest.n - part.n - (sl != NULL));
		if (!mailbox_name_ok(part, w->a, &nfc))
			return STORE_E_INVALID;
		if ((rc = name_find(w->t, w->a, parent, nfc, &id)) < 0)
			return rc;
		if (id == 0) {
			rc = mailbox_make(w, parent, nfc, rest.n > 0 ?
			    STORE_ROLE_NONE : f->role, 0, true, &id);
			if (rc < 0)
				return rc;
		}
		parent = id;
	}
	return 0;
}

static int
make_account(struct work *w, void *arg)
{
	const struct store_conf *cf = arg;
	uint64_t id;
	int rc;

	/* A race lost on an engine without files. */
	if (!store_conf_files(cf) && w->modseq > 1)
		return STORE_E_EXISTS;
	memset(&w->head, 0, sizeof(w->head));
	random_bytes(&w->head.account, sizeof(w->head.account));
	/* So that a name that comes back has a greater UIDVALIDITY. */
	w->head.uidvalidity = (uint32_t)time(NULL);
	/* Of what was before it, nothing is known. */
	w->head.horizon = w->modseq - 1;
	w->head.email_modseq = w->head.thread_modseq = w->modseq;
	w->dirty = true;
	rc = mailbox_make(w, 0, SLICE_LIT("INBOX"), STORE_ROLE_INBOX, 0, true,
	    &id);
	for (size_t i = 0; rc == 0 && i < cf->n_folders; i++)
		rc = make_folder(w, &cf->folders[i]);
	return rc;
}

static int
create_at(const struct store_conf *cf, const char *name, const char *dir)
{
	struct store_conf copy = *cf;
	struct store *st;
	int rc;

	rc = account_handle(cf, name, dir, KV_CREATE, &st);
	/* In memory there may be one whose first change failed. */
	if (rc == STORE_E_EXISTS && !store_conf_files(cf) &&
	    account_handle(cf, name, dir, 0, &st) == 0) {
		rc = store_modseq(st) == 0 ? 0 : STORE_E_EXISTS;
		if (rc < 0)
			store_close(&st);
	}
	if (rc < 0)
		return rc;
	rc = store_run(st, 0, make_account, &copy, NULL);
	store_close(&st);
	return rc;
}

int
store_account_create(const struct store_conf *cf, const char *name)
{
	char *tmp, *dir;
	int rc;

	if (!store_account_ok(slice_str(name)))
		return STORE_E_INVALID;
	if (!store_conf_files(cf))
		return create_at(cf, name, name);
	if (io_mkdirs(cf->mail_dir, 0700) < 0)
		return sys_rc(errno);
	dir = account_dir(cf, name);
	if (access(dir, F_OK) == 0) {
		xfree(dir);
		return STORE_E_EXISTS;
	}
	remove_stale(cf);
	tmp = account_temp(cf, "new");
	rc = create_at(cf, name, tmp);
	/* An account's directory is never empty: rename() can't replace it. */
	if (rc == 0)
		rc = account_rename(cf, tmp, dir, 0);
	if (rc < 0)
		(void)account_remove(AT_FDCWD, tmp, 0);
	xfree(tmp);
	xfree(dir);
	return rc;
}

int
store_account_delete(const struct store_conf *cf, const char *name)
{
	char *tmp, *dir;
	int rc;

	if (!store_account_ok(slice_str(name)))
		return STORE_E_NOTFOUND;
	if (!store_conf_files(cf))
		return STORE_E_INVALID;
	dir = account_dir(cf, name);
	tmp = account_temp(cf, "gone");
	rc = account_rename(cf, dir, tmp, 0);
	/* The account is gone; the rest goes with the next that is made. */
	if (rc == 0) {
		outbox_forget(cf, name);
		store_push_forget(cf, name);
	}
	if (rc == 0 && account_remove(AT_FDCWD, tmp, 0) < 0)
		log_warn("%s: can't be removed now: %s", tmp, strerror(errno));
	xfree(tmp);
	xfree(dir);
	return rc;
}

int
store_account_list(const struct store_conf *cf,
    void (*fn)(void *arg, const char *name), void *arg)
{
	struct dirent *de;
	struct stat sb;
	int rc = 0;
	DIR *d;

	if (!store_conf_files(cf))
		return 0;
	if (!(d = opendir(cf->mail_dir)))
		return errno == ENOENT ? 0 : STORE_E_IO;
	while (rc == 0) {
		errno = 0;
		if (!(de = readdir(d))) {
			rc = errno != 0 ? STORE_E_IO : 0;
			break;
		}
		if (!store_account_ok(slice_str(de->d_name)))
			continue;
		if (fstatat(dirfd(d), de->d_name, &sb, 0) == 0) {
			if (S_ISDIR(sb.st_mode))
				fn(arg, de->d_name);
		} else if (errno != ENOENT && errno != ELOOP)
			rc = STORE_E_IO;
	}
	closedir(d);
	return rc;
}
