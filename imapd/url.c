/* imapd/url.c - octets by their URL (RFC 5092, as far as RFC 4469 needs it) */
#include "config.h"

#include "imapd/append.h"
#include "imapd/fetch.h"
#include "libbase/text.h"

enum { PIECE = 64 * 1024 };

struct url {
	struct slice mailbox;	/* UTF-8; p NULL: the selected one */
	bool has_validity;
	uint32_t uidvalidity, uid;
	struct fetch_section sec;
};

/* ---- syntax ------------------------------------------------------------- */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
unescape(struct arena *a, struct slice s, struct slice *out_r)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || hex(s.p[i + 1]) < 0 ||
			    hex(s.p[i + 2]) < 0)
				return false;
			c = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		}
		out[n++] = c;
	}
	*out_r = slice_make(out, n);
	return utf8_valid(*out_r) && memchr(out, '\0', n) == NULL;
}

/* Cuts ";NAME=value" (perhaps with a slash before it) off the end of *s. */
static bool
cut(struct slice *s, const char *name, struct slice *value_r)
{
	size_t len = strlen(name);

	for (size_t i = s->n; i-- > 0;) {
		if (s->p[i] != ';' || s->n - i - 1 < len ||
		    !slice_ieq(slice_make(s->p + i + 1, len),
		    slice_make(name, len)))
			continue;
		*value_r = slice_make(s->p + i + 1 + len, s->n - i - 1 - len);
		s->n = i > 0 && s->p[i - 1] == '/' ? i - 1 : i;
		return true;
	}
	return false;
}

/* "100.50", or "100": to the end */
static bool
partial(struct slice s, struct fetch_section *sec)
{
	const char *dot = s.n > 0 ? memchr(s.p, '.', s.n) : NULL;
	size_t n = dot ? (size_t)(dot - s.p) : s.n;

	sec->partial = true;
	sec->len = INT64_MAX;
	return slice_uint(slice_make(s.p, n), INT64_MAX, &sec->from) == 0 &&
	    (dot == NULL || (slice_uint(slice_make(dot + 1, s.n - n - 1),
	    INT64_MAX, &sec->len) == 0 && sec->len > 0));
}

static bool
number(struct slice s, uint32_t *v_r)
{
	uint64_t v;

	if (slice_uint(s, UINT32_MAX, &v) < 0 || v == 0)
		return false;
	*v_r = (uint32_t)v;
	return true;
}

/* "/mailbox;UIDVALIDITY=n/;UID=n/;SECTION=s/;PARTIAL=m.n"; the first two may
 * be missing while a mailbox is selected. */
static bool
parse(struct arena *a, struct slice s, struct url *u_r)
{
	struct url u = { 0 };
	struct slice v;

	if (cut(&s, "PARTIAL=", &v) && !partial(v, &u.sec))
		return false;
	if (cut(&s, "SECTION=", &v) && (!unescape(a, v, &v) ||
	    !fetch_section_url(a, v, &u.sec)))
		return false;
	if (!cut(&s, "UID=", &v) || !number(v, &u.uid))
		return false;
	u.has_validity = cut(&s, "UIDVALIDITY=", &v);
	if (u.has_validity && !number(v, &u.uidvalidity))
		return false;
	*u_r = u;
	if (s.n == 0)
		return !u.has_validity;
	/* No scheme, no server: those are of other sessions. */
	if (s.n < 2 || s.p[0] != '/' || s.p[1] == '/')
		return false;
	return unescape(a, slice_make(s.p + 1, s.n - 1), &u_r->mailbox);
}

/* ---- octets ------------------------------------------------------------- */

static int
take(void *arg, const struct store_msg_info *m)
{
	*(struct store_msg_info *)arg = *m;
	return 1;
}

/* 0, 1: there is none. */
static int
find(struct imap_cmd *cmd, const struct url *u, struct store **st_r,
    struct store_msg_info *info_r)
{
	struct imap_session *s = cmd->s;
	struct store_range r = { u->uid, u->uid };
	uint64_t mailbox = s->view.mailbox;
	struct imap_place p = { .st = imap_store(s) };
	struct slice name;
	int rc;

	if (u->mailbox.p != NULL) {
		if (utf8_nfc(u->mailbox, cmd->a, &name) < 0)
			return 1;
		rc = imap_mailbox(cmd, name, STORE_RIGHT_READ, &p);
		if (rc < 0)
			return rc == STORE_E_NOTFOUND ||
			    rc == STORE_E_DENIED ? 1 : rc;
		if (u->has_validity && u->uidvalidity != p.mb.uidvalidity)
			return 1;
		mailbox = p.mb.id;
	}
	if (mailbox == 0)
		return 1;
	*st_r = p.st;
	rc = store_msg_scan(p.st, mailbox, &r, 1, take, info_r);
	return rc == STORE_E_NOTFOUND ? 1 : rc < 0 ? rc : rc != 1;
}

static int
copy(struct fetch_msg *m, const struct fetch_data *d, struct store_spool *sp)
{
	char *piece;
	uint64_t done = 0;
	int rc = 0;

	if (d->nil)
		return 1;
	if (d->built)
		return store_spool_add(sp, d->text.p, d->text.n);
	piece = arena_alloc(m->a, PIECE);
	while (rc == 0 && done < d->len) {
		size_t n = d->len - done < PIECE ? (size_t)(d->len - done) :
		    PIECE;

		rc = store_blob_read(m->blob, d->off + done, piece, n);
		if (rc >= 0)
			rc = store_spool_add(sp, piece, n);
		done += n;
	}
	return rc;
}

int
url_append(struct imap_cmd *cmd, struct slice url, struct store_spool *spool)
{
	struct store_msg_info info;
	struct fetch_msg m = {
		.a = cmd->a, .info = &info
	};
	struct fetch_data d;
	struct url u;
	int rc;

	if (!parse(cmd->a, url, &u))
		return 1;
	if ((rc = find(cmd, &u, &m.st, &info)) != 0)
		return rc;
	rc = section_prepare(&m, &u.sec, &d);
	if (rc >= 0)
		rc = copy(&m, &d, spool);
	fetch_msg_release(&m);
	return rc;
}
