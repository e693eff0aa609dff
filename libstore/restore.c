/* libstore/restore.c - an account from its backup, in its old place or beside */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

/*
 * Numbers are never given out twice, not even by an account that went back in
 * time.  So what is restored in an account's place goes on behind all that the
 * account had given out; where that is not known any more, behind what its
 * newest backup had, with so much to spare.
 */
enum {
	SPARE_MODSEQS = 1 << 20, SPARE_UIDS = 1 << 20,
	SPARE_UIDVALIDITIES = 1 << 16
};

struct restore {
	const struct store_conf *cf;
	const struct store_restore *r;
	void (*fn)(void *arg, const char *text);
	void *arg;
	char *dir, *tmp;	/* the account's, and where it is built */
	struct store *st;	/* the one that is built */
	struct store *old;	/* what it is compared with: the account that
				 * is replaced, or its newest backup */
	struct kv_txn *lock;	/* of the account that is replaced */
	bool exact;		/* old is the account */
	uint64_t modseq;	/* the greatest that was given out */
};

static int
say(struct restore *x, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
say(struct restore *x, int rc, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	x->fn(x->arg, text);
	return rc;
}

/* ---- the state --------------------------------------------------------- */

/* Builds a state at dir and opens it. */
static int
build(struct restore *x, uint64_t when, const char *dir,
    struct kv_backed *d_r, struct store **st_r)
{
	struct kv_conf kc = store_kv_conf(x->cf);
	struct kv_repo *r;
	struct row_head h;
	struct kv_txn *t;
	int rc;

	if ((rc = kv_repo_open(x->r->dir, false, &r)) == 0)
		rc = kv_repo_restore(r, &kc, when, dir, d_r);
	if (rc < 0)
		(void)say(x, rc, "%s", kv_repo_errmsg(r));
	kv_repo_close(&r);
	if (rc < 0)
		return rc;
	rc = account_handle(x->cf, x->r->account, dir, 0, st_r);
	if (rc < 0)
		return say(x, rc, "what was restored can't be opened");
	if ((rc = ro_begin(*st_r, &t)) == 0) {
		rc = head_read(t, (*st_r)->ra, &h);
		ro_end(*st_r);
	}
	if (rc < 0)
		return say(x, rc == STORE_E_NOTFOUND ? STORE_E_CORRUPT : rc,
		    "what was restored is no account");
	snprintf((*st_r)->id, sizeof((*st_r)->id), "%016llx",
	    (unsigned long long)h.account);
	return 0;
}

struct wanted {
	struct umap ref;	/* by offset and pack */
};

static bool
ref_wanted(void *arg, const struct kv_ref *ref)
{
	return umap_get(&((struct wanted *)arg)->ref, ref->off, ref->pack) !=
	    NULL;
}

/* Messages that came later, or went earlier, than the state that is restored,
 * may be in its packs. */
static int
purge(struct restore *x)
{
	struct row_key from = row_key_kind(ROW_K_BLOB);
	struct row_key to = row_key_after(from);
	struct arena *a = arena_new(0);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct row_blob b;
	struct wanted w;
	struct kv_txn *t;
	struct kv_ref ref;
	int rc;

	umap_init(&w.ref, a);
	if ((rc = ro_begin(x->st, &t)) == 0) {
		rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
		while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0)
			if ((rc = row_blob_get(val, &b)) == 0) {
				kv_ref_decode(b.ref, &ref);
				if (!ref_wanted(&w, &ref))
					umap_add(&w.ref, ref.off, ref.pack, x);
			}
		kv_scan_close(&s);
		ro_end(x->st);
	}
	if (rc == 0)
		rc = kv_blob_purge(x->st->kv, ref_wanted, &w);
	arena_free(&a);
	return rc < 0 ? say(x, rc, "%s", store_errmsg(x->st)) : 0;
}

/* Destroyed Emails whose content is gone. */
struct lost {
	uint64_t *id;
	size_t n, cap, at;
	struct arena *a;
};

static int
lost_note(struct restore *x, struct kv_txn *t, struct arena *tmp,
    struct lost *l, uint64_t id, const struct row_email *e)
{
	struct slice meta;
	struct kv_ref ref;
	int rc;

	kv_ref_decode(e->ref, &ref);
	rc = kv_blob_meta(x->st->kv, tmp, &ref, &meta);
	if (rc != STORE_E_NOTFOUND && rc != STORE_E_CORRUPT)
		return rc;
	/* Of one that lives that is damage, which will be told. */
	if ((rc = email_alive(t, e)) == 0) {
		l->id = arena_grow(l->a, l->id, &l->cap, l->n + 1,
		    sizeof(*l->id));
		l->id[l->n++] = id;
	}
	return rc < 0 ? rc : 0;
}

static int
lost_find(struct restore *x, struct lost *l)
{
	struct row_key from = row_key_kind(ROW_K_EMAIL);
	struct row_key to = row_key_after(from);
	struct arena *tmp = arena_new(0);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct row_email e;
	struct kv_txn *t;
	uint64_t id;
	int rc;

	if ((rc = ro_begin(x->st, &t)) == 0) {
		rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
		while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
			arena_reset(tmp);
			if (!row_key_get_u64(key, ROW_K_EMAIL, &id))
				rc = STORE_E_CORRUPT;
			else if ((rc = row_email_get(val, tmp, &e)) == 0)
				rc = lost_note(x, t, tmp, l, id, &e);
		}
		kv_scan_close(&s);
		ro_end(x->st);
	}
	arena_free(&tmp);
	return rc;
}

static int
lost_portion(struct work *w, void *arg)
{
	struct lost *l = arg;
	int rc;

	for (; l->at < l->n && !work_full(w); l->at++)
		if ((rc = dead_clean(w, l->id[l->at])) < 0)
			return rc;
	return l->at < l->n;
}

/*
 * A backup that began when the retention of a destroyed Email was over may have
 * its row, and come too late for its content.
 */
static int
forget_lost(struct restore *x)
{
	struct lost l = { .a = arena_new(0) };
	int rc = lost_find(x, &l);

	while (rc == 0 && l.at < l.n)
		if ((rc = store_run(x->st, 0, lost_portion, &l, NULL)) == 1)
			rc = 0;
	arena_free(&l.a);
	return rc < 0 ? say(x, rc, "%s", store_errmsg(x->st)) : 0;
}

/* Is it whole?  Contents without an Email go: they may have been removed from
 * the packs before the backup came to see them. */
static int
verify(struct restore *x, bool contents)
{
	size_t n;
	int rc;

	if (contents && (rc = forget_lost(x)) < 0)
		return rc;
	if (contents && (rc = store_sweep_unused(x->st)) < 0)
		return say(x, rc, "%s", store_errmsg(x->st));
	if (contents && (rc = purge(x)) < 0)
		return rc;
	if ((rc = store_check(x->st, contents, x->fn, x->arg, &n)) < 0)
		return say(x, rc, "%s", store_errmsg(x->st));
	return n == 0 ? 0 : say(x, STORE_E_CORRUPT,
	    "%zu faults in what was restored", n);
}

/* ---- what was given out since ------------------------------------------ */

static uint32_t
uid_max(uint32_t a, uint64_t b)
{
	if (b > UINT32_MAX)
		b = UINT32_MAX;
	return a > (uint32_t)b ? a : (uint32_t)b;
}

struct fix {
	struct restore *x;
	uint64_t account;	/* a new id; 0: as it was */
	bool first;
	const uint64_t *mailbox;
	size_t n, at;
	uint32_t uid;		/* from here on in mailbox[at] */
};

static int
fix_head(struct work *w, struct fix *f)
{
	struct row_head old;
	struct kv_txn *t;
	int rc;

	w->dirty = true;
	if ((rc = submissions_stop(w)) < 0)
		return rc;
	if (f->account != 0) {
		w->head.account = f->account;
		return 0;
	}
	/* A kv handle has one transaction: the account's is its lock. */
	t = f->x->lock;
	old = w->head;
	rc = 0;
	if (t)
		rc = head_read(t, w->a, &old);
	else if (f->x->old && (rc = ro_begin(f->x->old, &t)) == 0) {
		rc = head_read(t, w->a, &old);
		ro_end(f->x->old);
	}
	if (rc < 0)
		return rc;
	/* What clients know was before this. */
	w->head.horizon = w->modseq - 1;
	w->head.email_modseq = w->head.mailbox_modseq =
	    w->head.thread_modseq = w->modseq;
	if ((rc = objects_forget(w, ROW_K_IDENTITY)) < 0 ||
	    (rc = objects_forget(w, ROW_K_SUBMISSION)) < 0)
		return rc;
	w->head.uidvalidity = uid_max(w->head.uidvalidity,
	    (uint64_t)old.uidvalidity +
	    (f->x->exact ? 0 : SPARE_UIDVALIDITIES));
	return 0;
}

static int
old_mailbox(struct fix *f, struct arena *a, uint64_t id,
    struct row_mailbox *m_r)
{
	struct kv_txn *t = f->x->lock;
	int rc;

	if (t)
		return mailbox_read(t, a, id, m_r);
	if (!f->x->old)
		return STORE_E_NOTFOUND;
	if ((rc = ro_begin(f->x->old, &t)) < 0)
		return rc;
	rc = mailbox_read(t, a, id, m_r);
	ro_end(f->x->old);
	return rc;
}

/* Would a client that saw the later state be wrong about this message? */
static int
msg_differs(struct fix *f, uint64_t mailbox, const struct row_hot *h)
{
	struct row_hot old;
	int rc;

	if (!f->x->exact)
		return 1;
	rc = msg_read(f->x->lock, mailbox, h->uid, &old, NULL);
	if (rc == STORE_E_NOTFOUND)
		return 1;
	return rc < 0 ? rc : old.modseq != h->modseq || old.flags != h->flags;
}

/* Messages that may differ get a modseq, so that clients look.  1: more. */
static int
fix_messages(struct work *w, struct fix *f, struct w_mailbox *m)
{
	uint32_t *uid;
	size_t n;
	int rc;

	rc = uids_collect(w->t, w->a, m->id, f->uid, UINT32_MAX, 0, 50000,
	    &uid, &n);
	for (size_t i = 0; i < n && rc >= 0; i++) {
		struct w_msg g = { 0 };

		if (work_full(w))
			return 1;
		if ((rc = w_msg(w, m, uid[i], &g)) < 0 ||
		    (rc = msg_differs(f, m->id, &g.hot)) < 0)
			return rc;
		if (rc == 1) {
			g.hot.modseq = w->modseq;
			w_msg_write(w, &g);
		}
		f->uid = uid[i] + 1;
	}
	return rc < 0 ? rc : n == 50000;
}

static int
fix_mailbox(struct work *w, struct fix *f)
{
	struct row_mailbox old;
	struct w_mailbox *m;
	uint64_t next;
	int rc;

	if ((rc = w_mailbox(w, f->mailbox[f->at], &m)) < 0)
		return rc;
	rc = old_mailbox(f, w->a, m->id, &old);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return rc;
	/* Where it was destroyed since nobody knows how far it had come. */
	next = rc == 0 ? old.uidnext : m->row.uidnext;
	if (rc < 0 || !f->x->exact)
		next += SPARE_UIDS;
	m->row.uidnext = uid_max(m->row.uidnext, next);
	m->row.highestmodseq = m->row.changed = w->modseq;
	w_counted(w, m);
	return fix_messages(w, f, m);
}

/* 1: there is more. */
static int
fix_portion(struct work *w, void *arg)
{
	struct fix *f = arg, before = *f;
	int rc;

	if (f->first && (rc = fix_head(w, f)) < 0)
		return rc;
	while (f->at < f->n && f->account == 0) {
		if (work_full(w) || (rc = fix_mailbox(w, f)) == 1)
			return 1;
		if (rc < 0) {
			*f = before;
			return rc;
		}
		f->at++;
		f->uid = 1;
	}
	return 0;
}

static int
fix(struct restore *x)
{
	struct fix f = { .x = x, .uid = 1, .first = true };
	struct arena *a = arena_new(0);
	struct store_mailbox *mb;
	uint64_t *id;
	int rc;

	if (x->r->copy)
		do
			random_bytes(&f.account, sizeof(f.account));
		while (f.account == 0);
	if ((rc = store_mailbox_list(x->st, a, &mb, &f.n)) == 0) {
		id = arena_calloc(a, f.n, sizeof(*id));
		for (size_t i = 0; i < f.n; i++)
			id[i] = mb[i].id;
		f.mailbox = id;
		do {
			rc = store_run(x->st, 0, fix_portion, &f, NULL);
			f.first = false;
		} while (rc == 1);
	}
	arena_free(&a);
	return rc < 0 ? say(x, rc, "%s", store_errmsg(x->st)) : 0;
}

/* The restored account goes on behind x->modseq. */
static int
skip(struct restore *x)
{
	struct kv_conf kc = store_kv_conf(x->cf);
	int rc;

	if (x->r->copy)
		return 0;
	store_close(&x->st);
	if ((rc = kv_modseq_skip(&kc, x->tmp, x->modseq + 1)) < 0)
		return say(x, rc, "the numbers can't be set");
	rc = account_handle(x->cf, x->r->account, x->tmp, 0, &x->st);
	return rc < 0 ? say(x, rc, "what was restored can't be opened") : 0;
}

/* ---- in its place ------------------------------------------------------ */

/* The account as it is now: nobody changes it from here on. */
static int
hold_old(struct restore *x)
{
	int rc = account_handle(x->cf, x->r->account, x->dir, 0, &x->old);

	if (rc == 0)
		rc = kv_begin(x->old->kv, KV_RW, &x->lock);
	if (rc == STORE_E_CORRUPT || rc == STORE_E_NOTFOUND) {
		(void)say(x, rc, "the account is damaged; numbers go on from "
		    "its newest backup");
		store_close(&x->old);
		return 1;
	}
	if (rc < 0)
		return say(x, rc, "%s", x->old ? store_errmsg(x->old) :
		    "the account can't be opened");
	x->exact = true;
	x->modseq = kv_txn_modseq(x->lock) - 1;
	return 0;
}

/* The newest backup stands for what is gone; it may be what is restored. */
static int
hold_newest(struct restore *x, const char *tmp, uint64_t modseq)
{
	struct kv_backed d = { .modseq = modseq };
	int rc = 0;

	if (x->r->when != UINT64_MAX)
		rc = build(x, UINT64_MAX, tmp, &d, &x->old);
	x->modseq = d.modseq + SPARE_MODSEQS;
	return rc;
}

/* The new directory takes the name of the old one in one step, which then goes;
 * its sessions see that its journal is gone. */
static int
swap(struct restore *x)
{
	char *journal = xasprintf("%s/journal", x->tmp), *kept;
	int rc = account_rename(x->cf, x->tmp, x->dir, RENAME_EXCHANGE);

	if (rc == STORE_E_UNKNOWN) {
		/* Which one a loss of power leaves in its place is not known:
		 * both stay. */
		kept = account_temp(x->cf, "kept");
		(void)rename(x->tmp, kept);
		(void)say(x, rc, "a flush failed; what was there is in %s",
		    kept);
		xfree(kept);
	} else if (rc < 0)
		(void)say(x, rc, "%s: %s", x->dir, strerror(errno));
	else
		(void)unlink(journal);
	xfree(journal);
	return rc;
}

static int
place(struct restore *x, bool there)
{
	int rc;

	if (there)
		return swap(x);
	rc = account_rename(x->cf, x->tmp, x->dir, RENAME_NOREPLACE);
	if (rc < 0 && rc != STORE_E_EXISTS)
		(void)say(x, rc, "%s: %s", x->dir, strerror(errno));
	return rc;
}

/* Whom it shares with is to find it, on this machine too. */
static void
renew_shares(struct restore *x)
{
	struct store *st;
	int rc;

	if ((rc = store_open(x->cf, x->r->account, &st)) >= 0) {
		rc = store_shares_renew(st);
		store_close(&st);
	}
	if (rc < 0)
		(void)say(x, rc, "the hints of what it shares can't be made");
}

static int
run(struct restore *x, const char *tmp2, struct store_backed *d_r)
{
	struct kv_backed d;
	bool there = access(x->dir, F_OK) == 0;
	int rc;

	if (!there && errno != ENOENT)
		return say(x, STORE_E_IO, "%s: %s", x->dir, strerror(errno));
	if (there && (x->r->copy || !x->r->replace))
		return STORE_E_EXISTS;
	if ((rc = build(x, x->r->when, x->tmp, &d, &x->st)) < 0 ||
	    (rc = verify(x, true)) < 0)
		return rc;
	/* From here on those who write wait. */
	if (there && (rc = hold_old(x)) < 0)
		return rc;
	if (!x->exact && !x->r->copy &&
	    (rc = hold_newest(x, tmp2, d.modseq)) < 0)
		return rc;
	if (x->modseq < d.modseq)
		x->modseq = d.modseq;
	if ((rc = skip(x)) < 0 || (rc = fix(x)) < 0)
		return rc;
	store_close(&x->st);
	if ((rc = place(x, there)) < 0)
		return rc;
	renew_shares(x);
	*d_r = (struct store_backed){ .modseq = d.modseq, .when = d.when };
	return 0;
}

int
store_restore(const struct store_conf *cf, const struct store_restore *r,
    struct store_backed *d_r, void (*fn)(void *arg, const char *text),
    void *arg)
{
	struct restore x = { .cf = cf, .r = r, .fn = fn, .arg = arg };
	char *tmp2;
	int rc;

	if (!store_account_ok(slice_str(r->account)))
		return STORE_E_INVALID;
	if (!store_conf_files(cf))
		return STORE_E_INVALID;
	if (io_mkdirs(cf->mail_dir, 0700) < 0)
		return say(&x, store_errno_rc(errno), "%s: %s",
		    cf->mail_dir, strerror(errno));
	x.dir = account_dir(cf, r->account);
	x.tmp = account_temp(cf, "new");
	tmp2 = account_temp(cf, "new");
	rc = run(&x, tmp2, d_r);
	store_close(&x.st);
	if (x.lock)
		kv_abort(&x.lock);
	store_close(&x.old);
	(void)account_remove(AT_FDCWD, x.tmp, 0);
	(void)account_remove(AT_FDCWD, tmp2, 0);
	xfree(x.dir);
	xfree(x.tmp);
	xfree(tmp2);
	return rc;
}
