/* t/unit/fault-script.c - work on an account, operation by operation */
#include "config.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/unit/fault-script.h"

static const char account[] = "alice", other[] = "bob";

/* ---- helpers ------------------------------------------------------------ */

static int
box_id(struct script *s, const char *path, uint64_t *id_r)
{
	struct store_mailbox mb;
	int rc = store_mailbox_find(s->st, s->a, slice_str(path), &mb);

	*id_r = rc < 0 ? 0 : mb.id;
	return rc;
}

/* Message k, or the octets of p as one. */
static int
spool_of(struct script *s, int k, const char *p, struct store_spool **sp_r)
{
	char *text = xasprintf("Message-ID: <%d@x>\r\nIn-Reply-To: <%d@x>\r\n"
	    "Subject: a thread\r\nFrom: a@x\r\n\r\nNumber %d.\r\n%s\r\n", k,
	    k / 4 * 4, k, p);
	struct store_spool *sp = store_spool_new(&s->conf, true, 0);
	int rc = store_spool_add(sp, text, strlen(text));

	if (rc == 0)
		rc = store_spool_done(sp);
	xfree(text);
	if (rc < 0)
		store_spool_free(&sp);
	*sp_r = sp;
	return rc;
}

static int
add(struct script *s, const char *path, int k, int n, const char *p)
{
	struct store_new v[8] = { { 0 } };
	uint64_t mb;
	int rc = box_id(s, path, &mb);

	for (int i = 0; i < n && rc == 0; i++) {
		rc = spool_of(s, k + i, p, &v[i].spool);
		v[i].mailboxes = &mb;
		v[i].n_mailboxes = 1;
		v[i].received_at = 1000 + k + i;
	}
	if (rc == 0)
		rc = store_email_add(s->st, v, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		store_spool_free(&v[i].spool);
	return rc;
}

static int
flag(struct script *s, const char *path, uint32_t from, uint32_t to,
    uint64_t flags)
{
	uint32_t uids[32];
	size_t n = 0;
	uint64_t mb;
	int rc = box_id(s, path, &mb);

	for (uint32_t u = from; u <= to; u++)
		uids[n++] = u;
	return rc < 0 ? rc : store_msgs_flag(s->st, s->a, mb, uids, n,
	    STORE_FLAG_ADD, flags, UINT64_MAX, NULL, NULL, NULL);
}

static int
copy(struct script *s, uint32_t uid, bool move)
{
	uint64_t from, to = 0;
	int rc = box_id(s, "INBOX", &from);

	if (rc == 0)
		rc = box_id(s, "box", &to);
	return rc < 0 ? rc : store_msgs_copy(s->st, s->a, from, &uid, 1, to,
	    move, NULL, NULL, NULL);
}

struct nth {
	uint32_t uid;
	uint64_t email;
};

static int
nth_msg(void *arg, const struct store_msg_info *m)
{
	struct nth *n = arg;

	n->email = m->email;
	return 1;
}

static int
email_of(struct script *s, const char *path, uint32_t uid, uint64_t *id_r)
{
	struct store_range r = { uid, uid };
	struct nth n = { 0 };
	uint64_t mb;
	int rc = box_id(s, path, &mb);

	if (rc == 0)
		rc = store_msg_scan(s->st, mb, &r, 1, nth_msg, &n);
	*id_r = n.email;
	return rc < 0 ? rc : n.email == 0 ? STORE_E_NOTFOUND : 0;
}

/* ---- the operations ----------------------------------------------------- */

static int
op_create(struct script *s)
{
	return store_account_create(&s->conf, account);
}

static int
op_create_other(struct script *s)
{
	return store_account_create(&s->conf, other);
}

static int
op_open(struct script *s)
{
	store_close(&s->st);
	return store_open(&s->conf, account, &s->st);
}

static void
note(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
}

static int
op_list(struct script *s)
{
	int n = 0, rc = store_account_list(&s->conf, note, &n);

	return rc < 0 ? rc : n == 2 ? 0 : STORE_E_CORRUPT;
}

static int
op_mailbox(struct script *s)
{
	struct store_mailbox_set m = { .set_name = true,
		.name = SLICE_LIT("box"), .set_role = true,
		.role = STORE_ROLE_ARCHIVE };
	uint64_t id;

	return store_mailbox_create(s->st, &m, &id);
}

static int
op_path(struct script *s)
{
	uint64_t id;

	return store_mailbox_create_path(s->st, SLICE_LIT("a/b/c"),
	    STORE_ROLE_NONE, &id);
}

static int
op_keyword(struct script *s)
{
	uint64_t bit;

	return store_keyword_bit(s->st, SLICE_LIT("$label"), true, &bit);
}

static int
op_append(struct script *s)
{
	return add(s, "INBOX", 0, 1, "x");
}

static int
op_append_many(struct script *s)
{
	return add(s, "INBOX", 1, 8, "y");
}

/* A large one that is compressed into the common pack. */
static int
op_append_medium(struct script *s)
{
	char *p = xmalloc(150 * 1024 + 1);
	int rc;

	memset(p, 'm', 150 * 1024);
	p[150 * 1024] = '\0';
	rc = add(s, "a/b/c", 20, 1, p);
	xfree(p);
	return rc;
}

/* Into a spool file, and a pack of its own. */
static int
op_append_large(struct script *s)
{
	return add(s, "a/b/c", 21, 1, s->large);
}

static int
op_upload(struct script *s)
{
	struct store_spool *sp = store_spool_new(&s->conf, false, 0);
	static const char text[] = "Subject: uploaded\r\n\r\nHello.\r\n";
	int rc = store_spool_add(sp, text, sizeof(text) - 1);

	if (rc == 0)
		rc = store_spool_done(sp);
	if (rc == 0)
		rc = store_upload(s->st, sp, &s->blob);
	store_spool_free(&sp);
	return rc;
}

static int
op_import(struct script *s)
{
	struct store_new v = { .blob = &s->blob, .n_mailboxes = 1,
		.received_at = 5 };
	uint64_t mb;
	int rc = box_id(s, "box", &mb);

	v.mailboxes = &mb;
	return rc < 0 ? rc : store_email_add(s->st, &v, 1, NULL, NULL);
}

static int
op_flag(struct script *s)
{
	return flag(s, "INBOX", 2, 5, STORE_SEEN | STORE_FLAGGED);
}

static int
op_flag_keyword(struct script *s)
{
	uint64_t bit = 0;
	int rc = store_keyword_bit(s->st, SLICE_LIT("$label"), false, &bit);

	return rc < 0 ? rc : flag(s, "INBOX", 1, 3, bit);
}

static int
op_copy(struct script *s)
{
	return copy(s, 3, false);
}

static int
op_move(struct script *s)
{
	return copy(s, 4, true);
}

static int
op_rename(struct script *s)
{
	uint64_t id;
	int rc = box_id(s, "a/b", &id);

	return rc < 0 ? rc :
	    store_mailbox_rename(s->st, id, SLICE_LIT("new/place"));
}

static int
op_update(struct script *s)
{
	struct store_mailbox_set m = { .set_role = true,
		.role = STORE_ROLE_TRASH, .set_sort = true, .sort_order = 7 };
	uint64_t id;
	int rc = box_id(s, "new/place/c", &id);

	return rc < 0 ? rc : store_mailbox_update(s->st, id, &m);
}

/* Nobody's work stops because of this one. */
static int
op_recent(struct script *s)
{
	struct store_mailbox mb;
	int rc = store_mailbox_find(s->st, s->a, SLICE_LIT("INBOX"), &mb);

	if (rc == 0)
		(void)store_recent(s->st, mb.id, mb.uidnext, true);
	return rc;
}

static int
op_maildrop(struct script *s)
{
	int rc = store_maildrop_lock(s->st);

	store_maildrop_unlock(s->st);
	return rc;
}

static int
watch(struct script *s, bool many)
{
	struct store_watch *w;
	int cookie, rc = store_watch_new(&s->conf, many, &w);

	if (rc < 0)
		return rc;
	if ((rc = store_watch_add(w, s->st, &cookie)) == 0)
		store_watch_del(w, &cookie);
	store_watch_free(&w);
	return rc;
}

static int
op_watch(struct script *s)
{
	int rc = watch(s, false);

	return rc < 0 ? rc : watch(s, true);
}

static int
op_change(struct script *s)
{
	struct store_email_set e[2] = { { .set_flags = true,
		.flags_add = STORE_DRAFT }, { .n_add = 1 } };
	uint64_t mb = 0;
	int rc = box_id(s, "box", &mb), each[2];

	if (rc == 0)
		rc = email_of(s, "INBOX", 1, &e[0].id);
	if (rc == 0)
		rc = email_of(s, "INBOX", 6, &e[1].id);
	e[1].mailboxes_add = &mb;
	if (rc == 0)
		rc = store_email_change(s->st, e, 2, each, NULL);
	return rc < 0 ? rc : each[0] < 0 ? each[0] : each[1];
}

static int
op_destroy_email(struct script *s)
{
	struct store_email_set e = { .destroy = true };
	int rc = email_of(s, "INBOX", 6, &e.id), each = 0;

	if (rc == 0)
		rc = store_email_change(s->st, &e, 1, &each, NULL);
	return rc < 0 ? rc : each;
}

static int
op_deleted(struct script *s)
{
	return flag(s, "INBOX", 7, 9, STORE_DELETED);
}

static int
op_expunge(struct script *s)
{
	uint64_t mb;
	int rc = box_id(s, "INBOX", &mb);

	return rc < 0 ? rc : store_msgs_expunge(s->st, s->a, mb, NULL, 0, NULL,
	    NULL, NULL);
}

static int
op_destroy_box(struct script *s)
{
	uint64_t id;
	int rc = box_id(s, "new/place/c", &id);

	return rc < 0 ? rc : store_mailbox_destroy(s->st, id, true);
}

static int
op_quota(struct script *s)
{
	return store_quota_set(s->st, 1 << 30, 1000);
}

/* Compaction; and whatever was deleted goes. */
static int
op_idle(struct script *s)
{
	int rc;

	s->conf.clock_offset += 30 * 86400;
	rc = store_idle(s->st, true);
	return rc < 0 ? rc : 0;
}

static int
op_refresh(struct script *s)
{
	int rc = store_refresh(s->st);

	return rc < 0 ? rc : 0;
}

static int
op_show(struct script *s)
{
	struct buf b;
	int rc;

	buf_init(&b, 1 << 20);
	rc = script_show(s, s->st, &b);
	buf_release(&b);
	return rc;
}

static void
remember(void *arg, const char *text)
{
	struct script *s = arg;

	snprintf(s->fault, sizeof(s->fault), "%s", text);
}

static int
op_check(struct script *s)
{
	size_t n = 0;
	int rc;

	s->fault[0] = '\0';
	rc = store_check(s->st, true, remember, s, &n);
	/* What can't be read is named. */
	return rc < 0 ? rc : n > 0 ? STORE_E_IO : 0;
}

/* ---- upkeep ------------------------------------------------------------- */

/* All that was expunged, into INBOX. */
static int
op_undelete(struct script *s)
{
	struct store_gone *g;
	struct store_added added[16];
	uint64_t inbox, mb[16];
	int rc, each[16];
	size_t n;

	if ((rc = box_id(s, "INBOX", &inbox)) < 0 ||
	    (rc = store_gone_list(s->st, s->a, &g, &n)) < 0)
		return rc;
	if (n == 0 || n > 16)
		return STORE_E_CORRUPT;
	for (size_t i = 0; i < n; i++)
		mb[i] = inbox;
	rc = store_undelete(s->st, g, mb, n, added, each);
	for (size_t i = 0; i < n && rc >= 0; i++)
		rc = each[i];
	return rc;
}

static void
said(void *arg, const char *text)
{
	remember(arg, text);
}

/* It is locked meanwhile, and then another one: no handle is open. */
static int
op_repair(struct script *s)
{
	store_close(&s->st);
	return store_repair(&s->conf, account, said, s);
}

static int
op_backup(struct script *s)
{
	struct store_backup b = { .dir = s->backup };
	struct store_backed d;

	return store_backup(s->st, &b, &d);
}

static int
op_backup_full(struct script *s)
{
	struct store_backup b = { .dir = s->backup, .full = true,
		.keep_s = 1 };
	struct store_backed d;

	return store_backup(s->st, &b, &d);
}

static int
op_backup_verify(struct script *s)
{
	size_t n = 0;
	int rc = store_backup_verify(&s->conf, s->backup, said, s, &n);

	return rc < 0 ? rc : n > 0 ? STORE_E_IO : 0;
}

static int
op_restore(struct script *s)
{
	struct store_restore r = { .dir = s->backup, .when = UINT64_MAX,
		.account = account, .replace = true };
	struct store_backed d;

	store_close(&s->st);
	return store_restore(&s->conf, &r, &d, said, s);
}

static int
op_restore_copy(struct script *s)
{
	struct store_restore r = { .dir = s->backup, .when = UINT64_MAX,
		.account = other, .copy = true };
	struct store_backed d;

	return store_restore(&s->conf, &r, &d, said, s);
}

static int
op_delete_other(struct script *s)
{
	return store_account_delete(&s->conf, other);
}

enum { CHANGES, READS };

const struct script_op script_ops[] = {
	/* clang-format off */
	{ "create", op_create, CHANGES },
	{ "create another", op_create_other, CHANGES },
	{ "list", op_list, READS },
	{ "open", op_open, READS },
	{ "mailbox create", op_mailbox, CHANGES },
	{ "mailbox create path", op_path, CHANGES },
	{ "keyword", op_keyword, CHANGES },
	{ "append", op_append, CHANGES },
	{ "append many", op_append_many, CHANGES },
	{ "append medium", op_append_medium, CHANGES },
	{ "append large", op_append_large, CHANGES },
	{ "upload", op_upload, CHANGES },
	{ "import", op_import, CHANGES },
	{ "identity", op_identity, CHANGES },
	{ "vacation", op_vacation, CHANGES },
	{ "submit", op_submit, CHANGES },
	{ "commit", op_commit, CHANGES },
	{ "sent", op_done, CHANGES },
	{ "settle", op_settle, CHANGES },
	{ "submit again", op_submit, CHANGES },
	{ "flag", op_flag, CHANGES },
	{ "flag keyword", op_flag_keyword, CHANGES },
	{ "show", op_show, READS },
	{ "copy", op_copy, CHANGES },
	{ "move", op_move, CHANGES },
	{ "idle", op_idle, CHANGES },
	{ "mailbox rename", op_rename, CHANGES },
	{ "mailbox update", op_update, CHANGES },
	{ "recent", op_recent, READS },
	{ "maildrop", op_maildrop, CHANGES },
	{ "watch", op_watch, READS },
	{ "email change", op_change, CHANGES },
	{ "email destroy", op_destroy_email, CHANGES },
	{ "deleted", op_deleted, CHANGES },
	{ "expunge", op_expunge, CHANGES },
	{ "backup", op_backup, CHANGES },
	{ "undelete", op_undelete, CHANGES },
	{ "mailbox destroy", op_destroy_box, CHANGES },
	{ "backup more", op_backup, CHANGES },
	{ "quota", op_quota, CHANGES },
	{ "idle again", op_idle, CHANGES },
	{ "refresh", op_refresh, READS },
	{ "open again", op_open, READS },
	{ "show again", op_show, READS },
	{ "check", op_check, READS },
	{ "append after", op_append, CHANGES },
	{ "repair", op_repair, CHANGES },
	{ "open repaired", op_open, READS },
	{ "check repaired", op_check, READS },
	{ "append repaired", op_append, CHANGES },
	{ "backup again", op_backup, CHANGES },
	{ "backup full", op_backup_full, CHANGES },
	{ "backup verify", op_backup_verify, CHANGES },
	{ "flag later", op_flag, CHANGES },
	{ "append later", op_append_many, CHANGES },
	{ "restore", op_restore, CHANGES },
	{ "open restored", op_open, READS },
	{ "delete another", op_delete_other, CHANGES },
	{ "restore copy", op_restore_copy, CHANGES },
	/* clang-format on */
};
const size_t script_n = sizeof(script_ops) / sizeof(script_ops[0]);

/* ---- what is there ------------------------------------------------------ */

struct show {
	struct store *st;
	struct buf *b;
	int rc;
};

static int
show_msg(void *arg, const struct store_msg_info *m)
{
	struct show *w = arg;
	struct store_blob *blob = NULL;
	struct slice s;
	int rc = store_blob_open_ref(w->st, m->ref, &blob);

	if (rc == 0)
		rc = store_blob_octets(blob, &s);
	if (rc == 0)
		buf_printf(w->b, "  %" PRIu32 " %" PRIx64 " %zu %08" PRIx32
		    "\n", m->uid, m->flags, s.n, crc32c(0, s.p, s.n));
	store_blob_close(&blob);
	w->rc = rc;
	return rc < 0;
}

static int
show_box(struct show *w, struct arena *a, const struct store_mailbox *m)
{
	struct store_range all = { 1, UINT32_MAX };
	struct slice path;
	int rc = store_mailbox_path(w->st, a, m->id, &path);

	if (rc < 0)
		return rc;
	buf_printf(w->b, "%.*s %d %d %u: %u %u %u %u %u %u %u\n", (int)path.n,
	    path.p, (int)m->role, m->subscribed, m->sort_order, m->uidnext,
	    m->total, m->deleted, m->unseen, m->unread, m->threads,
	    m->unread_threads);
	rc = store_msg_scan(w->st, m->id, &all, 1, show_msg, w);
	return rc < 0 ? rc : w->rc;
}

static int
show_rest(struct store *st, struct arena *a, struct buf *b)
{
	struct slice *names;
	struct store_usage u;
	struct store_change *c;
	uint64_t state;
	size_t n;
	bool more;
	int rc = store_keywords(st, a, &names, &n);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (names[i].p != NULL)
			buf_printf(b, "%.*s ", (int)names[i].n, names[i].p);
	if (rc == 0)
		rc = store_usage(st, &u);
	if (rc == 0)
		buf_printf(b, "\n%llu %llu %llu %llu\n",
		    (unsigned long long)u.size, (unsigned long long)u.messages,
		    (unsigned long long)u.mailboxes,
		    (unsigned long long)u.size_limit);
	if (rc == 0)
		rc = store_changes(st, a, STORE_T_EMAIL, 0, 0, &c, &n, &state,
		    &more);
	if (rc == 0 || rc == STORE_E_TOOOLD)
		rc = script_show_sent(st, a, b);
	return rc;
}

int
script_show(struct script *s, struct store *st, struct buf *b)
{
	struct show w = { .st = st, .b = b };
	struct arena *a = arena_new(0);
	struct store_mailbox *mb;
	size_t n;
	int rc = store_mailbox_list(st, a, &mb, &n);

	(void)s;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = show_box(&w, a, &mb[i]);
	if (rc == 0)
		rc = show_rest(st, a, b);
	arena_free(&a);
	return rc;
}

int
script_state(struct script *s, struct buf *b)
{
	static const char *const name[] = { account, other };
	int rc = 0;

	buf_reset(b);
	for (int i = 0; i < 2 && rc == 0; i++) {
		struct store *st = NULL;

		rc = store_open(&s->conf, name[i], &st);
		if (rc == 0) {
			buf_printf(b, "account %s\n", name[i]);
			rc = script_show(s, st, b);
		} else if (rc == STORE_E_NOTFOUND)
			rc = 0;
		store_close(&st);
	}
	return rc;
}

/* ---- an account's directory --------------------------------------------- */

void
script_begin(struct script *s)
{
	static unsigned n;
	char *large = s->large;
	uint32_t x = 1;

	memset(s, 0, sizeof(*s));
	snprintf(s->dir, sizeof(s->dir), "%s/culver-fault.%ld.%u",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
	    (long)getpid(), n++);
	snprintf(s->backup, sizeof(s->backup), "%s/.backup", s->dir);
	s->conf.mail_dir = s->dir;
	s->conf.lock_wait_ms = 200;
	s->a = arena_new(0);
	if (large == NULL) {
		large = xmalloc(LARGE + 1);
		for (int i = 0; i < LARGE; i++) {
			x = x * 1664525 + 1013904223;
			large[i] = (char)(32 + (x >> 16) % 95);
		}
		large[LARGE] = '\0';
	}
	s->large = large;
}

static int
unlink_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
script_end(struct script *s)
{
	store_close(&s->st);
	arena_free(&s->a);
	(void)nftw(s->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}
