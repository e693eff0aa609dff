/* libstore/repair-blob.c - what can be read of the blobs, and whose they are */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/repair.h"

enum { PIECE = 65536 };

static int
blob_note(void *arg, const struct kv_ref *ref, uint64_t size)
{
	struct repair *r = arg;
	struct rp_blob *b = arena_alloc(r->a, sizeof(*b));

	kv_ref_encode(ref, b->ref);
	b->size = size;
	umap_add(&r->blobs, ref->off, ref->pack, b);
	return 0;
}

int
rp_blobs(struct repair *r)
{
	return kv_salvage_blobs(r->st->kv, blob_note, r);
}

struct rp_blob *
rp_blob(struct repair *r, const unsigned char *at)
{
	struct rp_blob *b;
	struct kv_ref ref;

	kv_ref_decode(at, &ref);
	b = umap_get(&r->blobs, ref.off, ref.pack);
	return b && memcmp(b->ref, at, ROW_REF_LEN) == 0 ? b : NULL;
}

/* ---- what can't be read ------------------------------------------------- */

/* Writes the frames that are whole; *lost_r: octets that are not. */
static int
piecewise(struct kv_reader *rd, int fd, uint64_t *lost_r)
{
	uint64_t size = kv_reader_size(rd), off = 0, at = 0;
	char *p = xmalloc(PIECE);
	int rc = 0;

	*lost_r = 0;
	while (off < size && rc == 0) {
		size_t n = size - off < PIECE ? (size_t)(size - off) : PIECE;

		if (kv_reader_read(rd, off, p, n) < 0) {
			*lost_r += n;
		} else {
			rc = io_pwrite_full(fd, p, n, (off_t)at);
			at += n;
		}
		off += n;
	}
	xfree(p);
	return rc;
}

/* Leaves what can be read of an Email as a file. */
static void
email_aside(struct repair *r, const struct rp_email *e)
{
	struct kv_reader *rd;
	struct kv_ref ref;
	uint64_t lost;
	char *path;
	int fd;

	kv_ref_decode(e->ref, &ref);
	if (kv_reader_open(r->st->kv, &ref, &rd) < 0) {
		rp_say(r, "Email %llx, at %llu of pack.%lu: nothing of it can "
		    "be read", (unsigned long long)e->id,
		    (unsigned long long)ref.off, (unsigned long)ref.pack);
		return;
	}
	path = xasprintf("%s/E%llx.eml", r->aside, (unsigned long long)e->id);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || piecewise(rd, fd, &lost) < 0)
		rp_say(r, "%s can't be written", path);
	else
		rp_say(r, "Email %llx: %llu of %llu octets can't be read, the "
		    "others are in E%llx.eml", (unsigned long long)e->id,
		    (unsigned long long)lost,
		    (unsigned long long)kv_reader_size(rd),
		    (unsigned long long)e->id);
	if (fd >= 0)
		io_close(&fd);
	xfree(path);
	kv_reader_close(&rd);
}

static void
email_lost(struct repair *r, struct rp_email *e)
{
	for (struct rp_msg *g = e->msg; g; g = g->next) {
		if (g->drop)
			continue;
		g->drop = true;
		rp_say(r, "mailbox %.*s: UID %lu can't be read and is taken "
		    "out", g->m->lost ? 1 : (int)g->m->row.name.n,
		    g->m->lost ? "?" : g->m->row.name.p,
		    (unsigned long)g->uid);
	}
	email_aside(r, e);
	e->dead = true;
}

/* ---- reading ------------------------------------------------------------ */

/* The octets of a blob, which is whole. */
static int
blob_load(struct repair *r, const struct rp_blob *b, char **p_r)
{
	struct kv_reader *rd;
	struct kv_ref ref;
	int rc;

	kv_ref_decode(b->ref, &ref);
	if ((rc = kv_reader_open(r->st->kv, &ref, &rd)) < 0)
		return rc;
	*p_r = xmalloc((size_t)b->size + 1);
	rc = kv_reader_read(rd, 0, *p_r, (size_t)b->size);
	kv_reader_close(&rd);
	if (rc < 0) {
		xfree(*p_r);
		*p_r = NULL;
	}
	return rc;
}

/* Does it have a parsed message beside it?  With its message ids. */
static bool
blob_parsed(struct repair *r, const struct rp_blob *b, struct msgids *ids)
{
	struct mime_msg *m;
	struct slice meta;
	struct kv_ref ref;

	arena_reset(r->tmp);
	ids->n = 0;
	kv_ref_decode(b->ref, &ref);
	if (kv_blob_meta(r->st->kv, r->tmp, &ref, &meta) < 0 ||
	    meta.n == 0 || mime_record_decode(meta, r->tmp, &m) < 0)
		return false;
	msgids_of(m, r->tmp, ids);
	return true;
}

/* The name of a blob that no row tells. */
static int
blob_name(struct repair *r, const struct rp_blob *b,
    struct rp_content **c_r)
{
	unsigned char hash[SHA256_LEN];
	struct sha256 *h;
	char *p;
	int rc;

	if ((rc = blob_load(r, b, &p)) < 0)
		return rc;
	h = sha256_new();
	sha256_add(h, p, (size_t)b->size);
	sha256_finish(&h, hash);
	xfree(p);
	*c_r = rp_content(r, hash);
	return 0;
}

static void
email_ids(struct repair *r, struct rp_email *e, const struct msgids *ids)
{
	e->n_hash = ids->n;
	e->hash = arena_calloc(r->a, ids->n, sizeof(*e->hash));
	if (ids->n > 0)
		memcpy(e->hash, ids->hash, ids->n * sizeof(*e->hash));
}

/* ---- Emails ------------------------------------------------------------- */

/* Which blob is its?  The rows may name another place than is right. */
static struct rp_blob *
email_blob(struct repair *r, struct rp_email *e)
{
	struct rp_blob *b = NULL;

	if (e->content)
		b = e->content->blob;
	if (!b && e->content)
		b = rp_blob(r, e->content->ref);
	if (!b && e->has_row)
		b = rp_blob(r, e->row.ref);
	return b ? b : rp_blob(r, e->ref);
}

static int
email_content(struct repair *r, struct rp_email *e)
{
	struct rp_blob *b;
	struct msgids ids;
	int rc;

	if (e->has_row)
		memcpy(e->ref, e->row.ref, sizeof(e->ref));
	b = email_blob(r, e);
	if (b)
		b->known = true;
	if (e->dead) {
		if (b && !e->content &&
		    (rc = blob_name(r, b, &e->content)) < 0)
			return rc;
		if (e->content)
			e->content->dead = true;
		if (b && !e->content->blob)
			e->content->blob = b;
		return 0;
	}
	if (!b) {
		email_lost(r, e);
		return 0;
	}
	if (!e->content) {
		rp_say(r, "Email %llx: its row is found out anew",
		    (unsigned long long)e->id);
		if ((rc = blob_name(r, b, &e->content)) < 0)
			return rc;
		(void)blob_parsed(r, b, &ids);
		email_ids(r, e, &ids);
	}
	if (!e->content->blob)
		e->content->blob = b;
	return 0;
}

/* A message that no mailbox has. */
static void
orphan(struct repair *r, struct rp_content *c, struct rp_blob *b,
    const struct msgids *ids)
{
	struct rp_email *e = rp_email(r, r->next_id++);
	struct rp_msg *g = rp_msg(r, rp_recovered(r), 0, e);

	e->fresh = true;
	e->content = c;
	c->blob = b;
	c->count = 1;
	c->marks = ROW_BLOB_PARSED;
	e->received = g->saved = store_now(r->st);
	email_ids(r, e, ids);
	rp_say(r, "a message of %llu octets that is in no mailbox is put into "
	    "Recovered", (unsigned long long)b->size);
}

/* Contents that have a row but no Email any more. */
static void
content_settle(struct repair *r, struct rp_content *c)
{
	struct msgids ids;

	if (!c->blob)
		c->blob = rp_blob(r, c->ref);
	if (c->blob)
		c->blob->known = true;
	if (c->blob && !c->row)
		c->marks = blob_parsed(r, c->blob, &ids) ? ROW_BLOB_PARSED : 0;
	if (!c->row || c->count > 0 || c->dead || c->waiting)
		return;
	if (c->blob && blob_parsed(r, c->blob, &ids))
		orphan(r, c, c->blob, &ids);
	else if (c->blob)
		c->waiting = true;
	else
		rp_say(r, "a blob that nothing else tells of can't be read");
}

static int
unknown_settle(struct repair *r, struct rp_blob *b)
{
	struct rp_content *c;
	struct msgids ids;
	int rc;

	if (b->known || !blob_parsed(r, b, &ids))
		return 0;
	if ((rc = blob_name(r, b, &c)) < 0)
		return rc;
	/* The same once more: of a transaction that was taken back. */
	if (c->blob)
		return 0;
	orphan(r, c, b, &ids);
	return 0;
}

int
rp_contents(struct repair *r)
{
	struct rp_content *c;
	struct rp_email *e;
	struct rp_blob *b;
	size_t pos = 0;
	int rc;

	while ((e = umap_next(&r->emails, &pos)))
		if ((rc = email_content(r, e)) < 0)
			return rc;
	for (pos = 0; (e = umap_next(&r->emails, &pos));)
		if (!e->dead)
			e->content->count++;
	for (pos = 0; (c = umap_next(&r->contents, &pos));)
		content_settle(r, c);
	for (pos = 0; (b = umap_next(&r->blobs, &pos));)
		if ((rc = unknown_settle(r, b)) < 0)
			return rc;
	return 0;
}
