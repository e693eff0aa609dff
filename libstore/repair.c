/*
 * libstore/repair.c - a consistent account from what is left of a damaged one
 *
 * The engine gives the rows and blobs that can be trusted.  Of the rows, those
 * that tell something (mailboxes, slots, Emails, keywords) are taken; all
 * others are derived anew.  Then all rows are written at once.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/repair.h"

void
rp_say(struct repair *r, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->report >= 0) {
		char *line = xasprintf("%s\n", text);

		/* The caller tells it as well. */
		(void)io_write_full(r->report, line, strlen(line));
		xfree(line);
	}
	r->fn(r->arg, text);
}

/* From the engine. */
static void
say(void *arg, const char *text)
{
	rp_say(arg, "%s", text);
}

/* ---- what is known ------------------------------------------------------ */

void
rp_seen(struct repair *r, uint64_t modseq)
{
	/* Beyond that it is no modseq but damage. */
	if (modseq > r->top && modseq < ROW_MODSEQ_MAX / 2)
		r->top = modseq;
}

struct rp_mailbox *
rp_mailbox(struct repair *r, uint64_t id)
{
	struct rp_mailbox *m = umap_get(&r->mailboxes, id, 0);

	if (!m) {
		m = arena_alloc(r->a, sizeof(*m));
		m->id = id;
		m->lost = true;
		m->gone = umap_get(&r->gone, id, 0) != NULL;
		umap_add(&r->mailboxes, id, 0, m);
	}
	return m;
}

struct rp_email *
rp_email(struct repair *r, uint64_t id)
{
	struct rp_email *e = umap_get(&r->emails, id, 0);

	if (!e) {
		e = arena_alloc(r->a, sizeof(*e));
		e->id = id;
		umap_add(&r->emails, id, 0, e);
	}
	return e;
}

struct rp_content *
rp_content(struct repair *r, const unsigned char *id)
{
	struct rp_content *c;
	uint64_t h;
	uint32_t i;

	memcpy(&h, id, sizeof(h));
	for (i = 0; (c = umap_get(&r->contents, h, i)); i++)
		if (memcmp(c->id, id, sizeof(c->id)) == 0)
			return c;
	c = arena_alloc(r->a, sizeof(*c));
	memcpy(c->id, id, sizeof(c->id));
	umap_add(&r->contents, h, i, c);
	return c;
}

struct rp_msg *
rp_msg(struct repair *r, struct rp_mailbox *m, uint32_t uid,
    struct rp_email *e)
{
	struct rp_msg *g = arena_alloc(r->a, sizeof(*g));

	g->m = m;
	g->uid = uid;
	g->e = e;
	g->next = e->msg;
	e->msg = g;
	return g;
}

struct rp_mailbox *
rp_recovered(struct repair *r)
{
	struct rp_mailbox *m = r->recovered;
	size_t pos = 0;

	if (m)
		return m;
	while ((m = umap_next(&r->mailboxes, &pos)))
		if (!m->lost && !m->gone && m->row.parent == 0 &&
		    slice_eq(m->row.name, SLICE_LIT("Recovered"))) {
			r->recovered = m;
			return m;
		}
	m = rp_mailbox(r, r->next_id++);
	m->lost = m->gone = false;
	m->row.name = SLICE_LIT("Recovered");
	m->row.subscribed = true;
	m->row.uidvalidity = ++r->head.uidvalidity;
	m->row.uidnext = 1;
	r->recovered = m;
	return m;
}

/* ---- the work ----------------------------------------------------------- */

static int
run(struct repair *r)
{
	struct kv *kv = r->st->kv;
	int rc;

	r->head.uidvalidity = (uint32_t)time(NULL);
	if ((rc = rp_blobs(r)) < 0 ||
	    (rc = kv_begin(kv, KV_RO, &r->t)) < 0)
		return rc;
	rc = rp_load(r);
	kv_abort(&r->t);
	if (rc < 0)
		return rc;
	/* Beyond all that anybody has seen, also in what is lost. */
	if (r->head.uidvalidity < (uint32_t)time(NULL))
		r->head.uidvalidity = (uint32_t)time(NULL);
	kv_salvage_floor(kv, r->top);
	r->modseq = kv_modseq(kv) + 1;
	r->next_id = r->modseq << ROW_ID_SHIFT;
	if ((rc = rp_settle(r)) < 0 || (rc = rp_contents(r)) < 0 ||
	    (rc = rp_mailboxes(r)) < 0)
		return rc;
	return rp_write(r);
}

/* What is to become the account is looked at like any other. */
static int
verify(struct repair *r)
{
	size_t n;
	int rc = store_check_rows(r->st, false, say, r, &n);

	if (rc == 0 && n > 0) {
		rp_say(r, "the repaired account is not in order; nothing was "
		    "changed");
		rc = STORE_E_CORRUPT;
	}
	return rc;
}

static int
work(struct repair *r)
{
	struct umap *maps[] = { &r->mailboxes, &r->emails, &r->threads,
		&r->slots, &r->dead, &r->removed, &r->gone, &r->blobs,
		&r->contents, &r->roles, &r->hashes };
	int rc;

	r->a = arena_new(0);
	r->tmp = arena_new(0);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		umap_init(maps[i], r->a);
	if ((rc = run(r)) == 0 && (rc = verify(r)) == 0) {
		snprintf(r->st->id, sizeof(r->st->id), "%016llx",
		    (unsigned long long)r->head.account);
		rc = kv_salvage_done(r->st->kv);
	}
	if (rc < 0 && rc != STORE_E_CORRUPT)
		rp_say(r, "can't be repaired: %s", store_errmsg(r->st));
	arena_free(&r->a);
	arena_free(&r->tmp);
	return rc;
}

/* MAIL_DIR/.quarantine/ACCOUNT.TIME, a new one. */
static int
aside_make(const struct store_conf *cf, const char *account, char **dir_r)
{
	char *top = xasprintf("%s/.quarantine", cf->mail_dir), *dir = NULL;
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;
	int rc = 0;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	if (mkdir(top, 0700) < 0 && errno != EEXIST)
		rc = store_errno_rc(errno);
	for (int i = 0; rc == 0 && i < 1000; i++) {
		xfree(dir);
		dir = i == 0 ? xasprintf("%s/%s.%s", top, account, stamp) :
			       xasprintf("%s/%s.%s.%d", top, account, stamp, i);
		if (mkdir(dir, 0700) == 0)
			break;
		if (errno != EEXIST || i == 999)
			rc = store_errno_rc(errno);
	}
	xfree(top);
	if (rc < 0) {
		xfree(dir);
		dir = NULL;
	}
	*dir_r = dir;
	return rc;
}

static int
repair_in(struct repair *r, const struct store_conf *cf, const char *account,
    const char *dir)
{
	char *path = xasprintf("%s/report", r->aside);
	struct kv_conf kc = store_kv_conf(cf);
	struct kv *kv;
	int rc;

	r->report = io_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	xfree(path);
	if (r->report < 0)
		return store_errno_rc(errno);
	rc = kv_salvage(&kc, dir, r->aside, say, r, &kv);
	if (rc == 0) {
		r->st = store_handle_new(cf, account, dir);
		r->st->kv = kv;
		rc = work(r);
		store_close(&r->st);
	}
	/* The account is what counts. */
	if (rc == 0)
		(void)io_fsync(r->report);
	io_close(&r->report);
	return rc;
}

int
store_repair(const struct store_conf *cf, const char *account,
    void (*fn)(void *arg, const char *text), void *arg)
{
	struct repair r = { .report = -1, .fn = fn, .arg = arg };
	struct stat sb;
	char *dir, *text;
	int rc;

	if (!store_account_ok(slice_str(account)))
		return STORE_E_NOTFOUND;
	if (!store_conf_files(cf))
		return STORE_E_INVALID;
	dir = account_dir(cf, account);
	if (stat(dir, &sb) < 0)
		rc = errno == ENOENT || errno == ENOTDIR ? STORE_E_NOTFOUND :
							   STORE_E_IO;
	else if (!S_ISDIR(sb.st_mode))
		rc = STORE_E_NOTFOUND;
	else if ((rc = aside_make(cf, account, &r.aside)) == 0) {
		rc = repair_in(&r, cf, account, dir);
		text = xasprintf(rc == 0 ? "repaired; the originals are in %s" :
			"not repaired; see %s/report", r.aside);
		fn(arg, text);
		xfree(text);
	}
	xfree(r.aside);
	xfree(dir);
	return rc;
}
