/* culver/importer.c - messages in batches into mailboxes, each once if wanted */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "culver/import.h"
#include "culver/rows.h"
#include "culver/seen.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum {
	BATCH_MAX = 128,		/* messages in one change */
	BATCH_OCTETS = 8 * 1024 * 1024	/* of them; one more may be larger */
};

struct importer {
	struct import_conf cf;
	struct store *st;
	struct arena *a;
	struct progress pg;

	char *path;			/* of the mailbox */
	uint64_t mailbox;		/* 0: not looked up yet */
	struct seen *seen;		/* blobs in it, for skip_duplicates */

	struct store_spool *spool;	/* of the present message */
	int spool_rc;
	struct store_new v[BATCH_MAX];
	char *origin[BATCH_MAX];
	size_t n;
	uint64_t octets;

	bool keep_uids;			/* of the mailbox */
	uint32_t last_uid;
	uint64_t added, skipped, failed, renumbered;
	bool no_more_keywords;
	int code;
};

int
importer_open(const struct import_conf *cf, uint64_t total,
    struct importer **im_r)
{
	struct importer *im;
	struct store *st = NULL;
	int code;

	code = account_open(cf->c, cf->account, &st);
	if (code != 0)
		return code;
	im = xcalloc(1, sizeof(*im));
	im->cf = *cf;
	im->st = st;
	im->a = arena_new(0);
	progress_start(&im->pg, total);
	*im_r = im;
	return 0;
}

const struct import_conf *
importer_conf(const struct importer *im)
{
	return &im->cf;
}

struct arena *
importer_arena(struct importer *im)
{
	return im->a;
}

void
importer_progress(struct importer *im, uint64_t octets)
{
	progress_add(&im->pg, octets, 0);
}

void
importer_failed(struct importer *im, const char *path, const char *why)
{
	progress_clear(&im->pg);
	complain("%s: %s", path, why);
	im->failed++;
	im->code = worse(im->code, EXIT_PERM);
}

/* The store said no to everything that could follow. */
static int
stop(struct importer *im, const char *what, int rc)
{
	progress_clear(&im->pg);
	im->code = worse(im->code, complain_store(what, rc, im->st));
	return IMPORT_STOP;
}

/* ---- mailboxes --------------------------------------------------------- */

static int
subscribe(struct importer *im, uint64_t id)
{
	struct store_mailbox_set set = {
		.set_subscribed = true, .subscribed = true
	};

	return store_mailbox_update(im->st, id, &set);
}

static int
load_seen(struct importer *im)
{
	seen_free(&im->seen);
	return im->cf.skip_duplicates ?
	    seen_load(im->st, im->mailbox, &im->seen) : 0;
}

/* Finds or makes the mailbox, when its first message is there. */
static int
need_mailbox(struct importer *im)
{
	struct slice path = slice_str(im->path);
	struct store_mailbox mb;
	char what[512];
	int rc;

	if (im->mailbox)
		return 0;
	snprintf(what, sizeof(what), "%s: mailbox %.200s", im->cf.account,
	    im->path);
	rc = store_mailbox_find(im->st, im->a, path, &mb);
	if (rc == 0) {
		im->mailbox = mb.id;
	} else if (rc == STORE_E_NOTFOUND) {
		rc = store_mailbox_create_path(im->st, path,
		    STORE_ROLE_NONE, &im->mailbox);
		if (rc == 0)
			rc = subscribe(im, im->mailbox);
	}
	if (rc == 0)
		rc = load_seen(im);
	return rc < 0 ? stop(im, what, rc) : 0;
}

/* ---- the batch --------------------------------------------------------- */

static bool
one_messages_fault(int rc)
{
	return rc == STORE_E_TOOBIG || rc == STORE_E_INVALID ||
	    rc == STORE_E_LIMIT;
}

static int
add_one_by_one(struct importer *im)
{
	for (size_t i = 0; i < im->n; i++) {
		struct store_added added;
		int rc = store_email_add(im->st, &im->v[i], 1, &added, NULL);

		if (rc >= 0)
			im->added++;
		else if (one_messages_fault(rc))
			importer_failed(im, im->origin[i],
			    store_error(rc)->text);
		else
			return rc;
	}
	return 0;
}

static int
flush(struct importer *im)
{
	struct store_added added[BATCH_MAX];
	int rc;

	if (im->n == 0)
		return 0;
	rc = store_email_add(im->st, im->v, im->n, added, NULL);
	if (rc >= 0) {
		im->added += im->n;
		rc = 0;
	} else if (one_messages_fault(rc)) {
		rc = add_one_by_one(im);
	}
	for (size_t i = 0; i < im->n; i++) {
		store_spool_free(&im->v[i].spool);
		xfree(im->origin[i]);
	}
	im->n = 0;
	im->octets = 0;
	return rc < 0 ? stop(im, im->cf.account, rc) : 0;
}

int
importer_mailbox(struct importer *im, struct slice path, bool make)
{
	struct slice base = im->cf.base;
	bool top = path.n == 0 || slice_ieq(path, SLICE_LIT("INBOX"));
	char *p;
	int rc;

	rc = flush(im);
	if (rc != 0)
		return rc;
	if (top)
		p = xstrndup(base.p, base.n);
	else if (slice_ieq(base, SLICE_LIT("INBOX")))
		p = xstrndup(path.p, path.n);
	else
		p = xasprintf("%.*s/%.*s", (int)base.n, base.p, (int)path.n,
		    path.p);
	if (im->path && strcmp(p, im->path) == 0) {
		xfree(p);
	} else {
		seen_free(&im->seen);
		xfree(im->path);
		im->path = p;
		im->mailbox = 0;
		im->keep_uids = false;
	}
	return make ? need_mailbox(im) : 0;
}

int
importer_adopt(struct importer *im, uint32_t uidvalidity, uint64_t modseq)
{
	struct store_mailbox mb;
	int rc = store_mailbox_adopt(im->st, im->mailbox, uidvalidity, modseq);

	im->keep_uids = rc >= 0;
	im->last_uid = 0;
	if (rc >= 0 && store_mailbox_get(im->st, im->a, im->mailbox, &mb) == 0)
		im->last_uid = mb.uidnext - 1;
	if (rc == STORE_E_EXISTS || rc == STORE_E_LIMIT ||
	    rc == STORE_E_INVALID) {
		progress_clear(&im->pg);
		complain("%s: UIDs are new: %s", im->path,
		    rc == STORE_E_EXISTS ? "it isn't empty" :
		    rc == STORE_E_LIMIT ?
			"the account is too old, or theirs counts too far" :
			"theirs has no UIDVALIDITY that can be kept");
		return 0;
	}
	return rc < 0 ? stop(im, im->path, rc) : 0;
}

/* The UID that a message keeps; 0: the next one. */
static uint32_t
kept_uid(struct importer *im, uint32_t uid)
{
	if (!im->keep_uids || uid == 0)
		return 0;
	if (uid <= im->last_uid || uid == UINT32_MAX) {
		im->last_uid++;
		im->renumbered++;
		return 0;
	}
	im->last_uid = uid;
	return uid;
}

/* ---- one message ------------------------------------------------------- */

int
importer_begin(struct importer *im)
{
	arena_reset(im->a);
	store_spool_free(&im->spool);
	im->spool = store_spool_new(&im->cf.c->store_conf, true, 0);
	im->spool_rc = 0;
	return 0;
}

int
importer_add(struct importer *im, const char *p, size_t n)
{
	if (im->spool_rc == 0)
		im->spool_rc = store_spool_add(im->spool, p, n);
	return 0;
}

/* The bits of keywords; one that can't be had is left out, and said so. */
static int
keyword_bits(struct importer *im, struct slice names, uint64_t *bits)
{
	for (size_t i = 0; i < names.n;) {
		struct slice w;
		uint64_t bit;
		size_t start = i;
		int rc;

		while (i < names.n && names.p[i] != ' ' && names.p[i] != '\t')
			i++;
		w = slice_make(names.p + start, i - start);
		i += i < names.n;
		if (w.n == 0)
			continue;
		rc = store_keyword_bit(im->st, w, false, &bit);
		if (rc == STORE_E_NOTFOUND && !im->no_more_keywords)
			rc = store_keyword_bit(im->st, w, true, &bit);
		if (rc >= 0) {
			*bits |= bit;
		} else if (rc == STORE_E_LIMIT) {
			im->no_more_keywords = true;
			importer_failed(im, im->cf.account, "there are no more "
			    "keywords to be had; further ones are left out");
		} else if (rc != STORE_E_INVALID && rc != STORE_E_NOTFOUND) {
			return stop(im, im->cf.account, rc);
		}
	}
	return 0;
}

static bool
duplicate(struct importer *im)
{
	unsigned char h[SHA256_LEN];

	if (!im->seen)
		return false;
	sha256_of(store_spool_octets(im->spool), h);
	return !seen_add(im->seen, h);
}

static int64_t
received(struct importer *im, const struct import_meta *m)
{
	int64_t t;

	if (m->received != INT64_MIN)
		return m->received;
	if (import_header_date(store_spool_octets(im->spool), &t) == 0)
		return t;
	return m->fallback;
}

/* The spool is whole: is it a message that can be taken?  1 yes. */
static int
acceptable(struct importer *im, const char *origin)
{
	int rc = im->spool_rc;

	if (rc == 0)
		rc = store_spool_done(im->spool);
	if (rc == STORE_E_TOOBIG || rc == STORE_E_INVALID) {
		importer_failed(im, origin, store_error(rc)->text);
		return 0;
	}
	if (rc < 0)
		return -stop(im, origin, rc);
	if (store_spool_size(im->spool) == 0) {
		importer_failed(im, origin, "an empty message");
		return 0;
	}
	return 1;
}

/* Puts the spool, which is good, into the batch. */
static int
enqueue(struct importer *im, const struct import_meta *m, const char *origin)
{
	struct store_new *v = &im->v[im->n];
	uint64_t flags = m->flags | (im->cf.all_seen ? STORE_SEEN : 0);

	if (keyword_bits(im, m->keywords, &flags) != 0)
		return IMPORT_STOP;
	*v = (struct store_new){
		.spool = im->spool, .mailboxes = &im->mailbox,
		.n_mailboxes = 1, .flags = flags,
		.received_at = received(im, m),
		.uid = kept_uid(im, m->uid)
	};
	im->spool = NULL;
	im->origin[im->n++] = xstrdup(origin);
	im->octets += store_spool_size(v->spool);
	if (im->n == BATCH_MAX || im->octets >= BATCH_OCTETS)
		return flush(im);
	return 0;
}

int
importer_end(struct importer *im, const struct import_meta *m,
    const char *origin, uint64_t offset)
{
	char *where;
	int rc;

	where = offset == UINT64_MAX ? xstrdup(origin) :
	    xasprintf("%s: message at octet %llu", origin,
	    (unsigned long long)offset);
	rc = acceptable(im, where);
	if (rc <= 0) {
		rc = -rc;
		goto out;
	}
	progress_add(&im->pg, 0, 1);
	rc = need_mailbox(im);
	if (rc == 0 && duplicate(im))
		im->skipped++;
	else if (rc == 0)
		rc = enqueue(im, m, where);
out:
	xfree(where);
	return rc;
}

static void
put_json(const struct importer *im)
{
	json_t *o = json_object();

	row_u64(o, "imported", im->added);
	row_u64(o, "thereAlready", im->skipped);
	row_u64(o, "renumbered", im->renumbered);
	row_u64(o, "failed", im->failed);
	row_alone(o);
}

int
importer_close(struct importer **imp)
{
	struct importer *im = *imp;
	int code;

	if (!im)
		return 0;
	(void)flush(im);
	progress_clear(&im->pg);
	if (im->cf.json) {
		put_json(im);
	} else if (!im->cf.quiet) {
		printf("%llu imported", (unsigned long long)im->added);
		if (im->skipped)
			printf(", %llu there already",
			    (unsigned long long)im->skipped);
		if (im->renumbered)
			printf(", %llu with another UID",
			    (unsigned long long)im->renumbered);
		if (im->failed)
			printf(", %llu failed",
			    (unsigned long long)im->failed);
		putchar('\n');
	}
	(void)store_idle(im->st, false);
	store_spool_free(&im->spool);
	seen_free(&im->seen);
	xfree(im->path);
	arena_free(&im->a);
	store_close(&im->st);
	code = im->code;
	xfree(im);
	*imp = NULL;
	return code;
}
