/* lmtpd/vacation-write.c - the text of a vacation response */
#include "config.h"

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libmime/mime.h"
#include "libmime/write.h"
#include "lmtpd/vacation.h"

enum {
	MESSAGE_MAX = 1 << 20,
	SUBJECT_MAX = 200,	/* octets */
	REFERENCES_MAX = 20,
	ID_MAX = 900
};

#define DEFAULT_TEXT "I am away at the moment. Your message has arrived, " \
	"and I will read it\nwhen I am back.\n"

static struct slice
original(const struct vacation_reply *r, const char *name, struct arena *a)
{
	struct mime_field f;

	if (mime_field_find(r->octets, name, -1, &f) != 1)
		return slice_make(NULL, 0);
	return slice_trim(mime_unfold(a, f.value));
}

/* The other's subject for a header field: short, without tabs. */
static struct slice
subject_of(const struct vacation_reply *r, struct arena *a)
{
	struct slice s = mime_text(a, original(r, "Subject", a));
	size_t n = utf8_cut(s, SUBJECT_MAX);
	char *p = arena_strndup(a, s.p, n);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 32 || p[i] == 127)
			p[i] = ' ';
	return slice_trim(slice_make(p, n));
}

static int
put_subject(const struct vacation_reply *r, struct buf *out, struct arena *a)
{
	struct slice s = r->v->subject;
	struct mime_writer w;
	int rc;

	if (s.p == NULL || s.n == 0) {
		s = subject_of(r, a);
		s = s.n == 0 ? SLICE_LIT("Automatic reply") :
		    slice_str(arena_printf(a, "Auto: %.*s", (int)s.n, s.p));
	}
	mime_write_begin(&w, out, SLICE_LIT("Subject"));
	rc = mime_write_text(&w, s);
	mime_write_end(&w);
	return rc;
}

static bool
id_ok(struct slice id)
{
	if (id.n == 0 || id.n > ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] < 33 || id.p[i] > 126 || id.p[i] == '<' ||
		    id.p[i] == '>')
			return false;
	return true;
}

static void
put_ids(struct mime_writer *w, const struct slice *id, uint32_t n,
    struct arena *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (id_ok(id[i]))
			mime_write_token(w, slice_str(arena_printf(a, "<%.*s>",
			    (int)id[i].n, id[i].p)));
}

/* RFC 3834 3.1.5, RFC 5322 3.6.4 */
static void
put_references(const struct vacation_reply *r, struct buf *out,
    struct arena *a)
{
	struct slice *id, *ref, field;
	struct mime_writer w;
	uint32_t n, n_ref;

	mime_msgids_parse(original(r, "Message-ID", a), 1, a, &id, &n);
	if (n == 0 || !id_ok(id[0]))
		return;
	mime_write_begin(&w, out, SLICE_LIT("In-Reply-To"));
	put_ids(&w, id, 1, a);
	mime_write_end(&w);
	field = original(r, "References", a);
	if (field.n == 0)
		field = original(r, "In-Reply-To", a);
	mime_msgids_parse(field, REFERENCES_MAX, a, &ref, &n_ref);
	mime_write_begin(&w, out, SLICE_LIT("References"));
	put_ids(&w, ref, n_ref, a);
	put_ids(&w, id, 1, a);
	mime_write_end(&w);
}

static void
put_message_id(const struct vacation_reply *r, struct buf *out)
{
	unsigned char rnd[16];

	random_bytes(rnd, sizeof(rnd));
	buf_add_str(out, "Message-ID: <");
	hex_encode(out, slice_make((const char *)rnd, sizeof(rnd)));
	buf_printf(out, "@%s>\r\n", r->hostname);
}

static int
put_address(struct buf *out, const char *field, struct slice name,
    struct slice email)
{
	size_t n = out->n;
	struct mime_writer w;
	int rc;

	mime_write_begin(&w, out, slice_str(field));
	rc = mime_write_address(&w, name, email, false);
	mime_write_end(&w);
	if (rc < 0 && name.n > 0) {
		out->n = n;
		return put_address(out, field, slice_make(NULL, 0), email);
	}
	return rc;
}

/* A part with its header fields. */
static void
put_text(struct buf *out, const char *type, struct slice text)
{
	enum mime_encoding_choice how = mime_text_encoding(text);
	struct mime_base64 b64 = { .n = 0 };
	struct buf lines;

	buf_printf(out, "Content-Type: %s; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n", type,
	    how == MIME_AS_IS ? "7bit" : how == MIME_AS_QP ?
	    "quoted-printable" : "base64");
	if (how == MIME_AS_QP) {
		mime_write_qp(out, text);
		return;
	}
	buf_init(&lines, 2 * text.n + 2);
	mime_write_lines(&lines, text);
	if (how == MIME_AS_IS) {
		buf_add_slice(out, buf_slice(&lines));
	} else {
		mime_write_base64(&b64, lines.p, lines.n, out);
		mime_write_base64(&b64, NULL, 0, out);
	}
	buf_release(&lines);
}

static void
put_body(const struct store_vacation *v, struct buf *out, struct arena *a)
{
	struct slice text = v->text, html = v->html;
	unsigned char rnd[12];
	struct buf mark;

	if (text.p == NULL)
		text = html.p != NULL ? mime_html_text(html, html.n, a) :
		    SLICE_LIT(DEFAULT_TEXT);
	if (html.p == NULL) {
		put_text(out, "text/plain", text);
		return;
	}
	buf_init(&mark, 64);
	random_bytes(rnd, sizeof(rnd));
	hex_encode(&mark, slice_make((const char *)rnd, sizeof(rnd)));
	buf_printf(out, "Content-Type: multipart/alternative; "
	    "boundary=\"=%.*s\"\r\n\r\n--=%.*s\r\n", (int)mark.n, mark.p,
	    (int)mark.n, mark.p);
	put_text(out, "text/plain", text);
	buf_printf(out, "\r\n--=%.*s\r\n", (int)mark.n, mark.p);
	put_text(out, "text/html", html);
	buf_printf(out, "\r\n--=%.*s--\r\n", (int)mark.n, mark.p);
	buf_release(&mark);
}

struct slice
vacation_compose(const struct vacation_reply *r, struct arena *a)
{
	struct slice s = { NULL, 0 };
	struct mime_writer w;
	struct buf out;

	buf_init(&out, MESSAGE_MAX);
	mime_write_begin(&w, &out, SLICE_LIT("Date"));
	mime_write_date(&w, r->now, 0);
	mime_write_end(&w);
	if (put_address(&out, "From", r->from_name, r->from) == 0 &&
	    put_address(&out, "To", slice_make(NULL, 0), r->to) == 0 &&
	    put_subject(r, &out, a) == 0) {
		put_message_id(r, &out);
		put_references(r, &out, a);
		buf_add_str(&out, "Auto-Submitted: auto-replied (vacation)\r\n"
		    "X-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n");
		put_body(r->v, &out, a);
		if (!out.overflow)
			s = arena_slice(a, buf_slice(&out));
	}
	buf_release(&out);
	return s;
}
