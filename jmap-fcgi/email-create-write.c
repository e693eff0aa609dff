/* jmap-fcgi/email-create-write.c - the octets of a new message (RFC 2045, 2046) */
#include "config.h"

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/email-create.h"
#include "libmime/write.h"

struct writer {
	struct create *cr;
	struct store_spool *sp;
	int rc;
};

static void
put(struct writer *w, struct slice s)
{
	if (w->rc >= 0 && s.n > 0)
		w->rc = store_spool_add(w->sp, s.p, s.n);
}

static void
put_str(struct writer *w, const char *s)
{
	put(w, slice_str(s));
}

static void
put_encoding(struct writer *w, const char *name)
{
	put_str(w, "Content-Transfer-Encoding: ");
	put_str(w, name);
	put_str(w, "\r\n\r\n");
}

static void
put_text(struct writer *w, struct slice text)
{
	enum mime_encoding_choice how = mime_text_encoding(text);
	struct mime_base64 b64 = { .n = 0 };
	struct buf lines, out;

	buf_init(&lines, 2 * text.n + 2);
	buf_init(&out, 7 * text.n + 100);
	if (how == MIME_AS_QP) {
		put_encoding(w, "quoted-printable");
		mime_write_qp(&out, text);
	} else {
		mime_write_lines(&lines, text);
	}
	if (how == MIME_AS_BASE64) {
		put_encoding(w, "base64");
		mime_write_base64(&b64, lines.p, lines.n, &out);
		mime_write_base64(&b64, NULL, 0, &out);
	} else if (how == MIME_AS_IS) {
		put_encoding(w, "7bit");
	}
	put(w, how == MIME_AS_IS ? buf_slice(&lines) : buf_slice(&out));
	buf_release(&lines);
	buf_release(&out);
}

/* ---- blobs ------------------------------------------------------------- */

struct look {		/* at octets that go as they are */
	size_t line;
	bool high, binary;
};

static int
look(void *arg, const void *p, size_t n)
{
	const unsigned char *c = p;
	struct look *l = arg;

	for (size_t i = 0; i < n; i++) {
		l->line = c[i] == '\n' ? 0 : l->line + 1;
		l->high = l->high || c[i] > 127;
		l->binary = l->binary || c[i] == 0 || l->line > 999;
	}
	return 0;
}

static int
spool_octets(void *arg, const void *p, size_t n)
{
	return store_spool_add(arg, p, n);
}

struct base64 {
	struct mime_base64 b;
	struct store_spool *sp;
	struct buf out;
};

static int
spool_base64(void *arg, const void *p, size_t n)
{
	struct base64 *b = arg;

	buf_reset(&b->out);
	if (mime_write_base64(&b->b, p, n, &b->out) < 0)
		return STORE_E_NOMEM;
	return b->out.n > 0 ? store_spool_add(b->sp, b->out.p, b->out.n) : 0;
}

static int
put_base64(struct writer *w, struct blob *b)
{
	struct base64 *e = arena_alloc(w->cr->c->arena, sizeof(*e));
	int rc;

	e->sp = w->sp;
	buf_init(&e->out, 1 << 20);
	if ((rc = blob_each(b, spool_base64, e)) == 0)
		rc = spool_base64(e, NULL, 0);
	buf_release(&e->out);
	return rc;
}

/* A message may not be encoded (RFC 2046 5.2.1). */
static int
put_message(struct writer *w, struct blob *b)
{
	struct look l = { 0, false, false };
	int rc;

	if ((rc = blob_each(b, look, &l)) < 0)
		return rc;
	put_encoding(w, l.binary ? "binary" : l.high ? "8bit" : "7bit");
	return w->rc < 0 ? w->rc : blob_each(b, spool_octets, w->sp);
}

static void
put_blob(struct writer *w, const struct piece *pc)
{
	struct jmap_call *c = w->cr->c;
	struct blob b;
	int rc;

	if (w->rc < 0)
		return;
	rc = blob_open_in(c->acct, &c->req->env->store_conf.mime,
	    id_text(c->req, pc->blob), &b);
	if (rc == 0) {
		if (pc->kind == PIECE_BLOB)
			put_encoding(w, "base64");
		rc = pc->kind == PIECE_MESSAGE ? put_message(w, &b) :
		    put_base64(w, &b);
		blob_close(&b);
	}
	/* It was there a moment ago: not the mailbox that isn't there. */
	if (w->rc >= 0)
		w->rc = rc == STORE_E_NOTFOUND ? STORE_E_CONFLICT : rc;
}

/* ---- the tree ---------------------------------------------------------- */

/* Depth is bounded, as the request's JSON is. */
static void
put_piece(struct writer *w, const struct piece *pc)
{
	put(w, pc->header);
	if (pc->kind == PIECE_TEXT) {
		put_text(w, pc->text);
		return;
	}
	if (pc->kind != PIECE_MULTI) {
		put_blob(w, pc);
		return;
	}
	put_str(w, "\r\n");
	for (const struct piece *k = pc->child; k != NULL; k = k->next) {
		put_str(w, k == pc->child ? "--" : "\r\n--");
		put(w, pc->boundary);
		put_str(w, "\r\n");
		put_piece(w, k);
	}
	put_str(w, "\r\n--");
	put(w, pc->boundary);
	put_str(w, "--\r\n");
}

int
create_write(struct create *cr, struct store_spool *sp)
{
	struct writer w = { cr, sp, 0 };

	put(&w, buf_slice(&cr->header));
	put_str(&w, "MIME-Version: 1.0\r\n");
	put_piece(&w, cr->root);
	return w.rc;
}
