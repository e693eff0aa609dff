/* culver/cmd-import-imap.c - culver import imap: from an account elsewhere */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "culver/imapc.h"
#include "culver/import.h"
#include "libbase/utf7.h"
#include "libbase/xalloc.h"
#include "libmime/mime.h"

enum { O_USER, O_STDIN, O_TLS, O_CA, O_PORT, O_MAILBOX, O_SKIP, O_QUIET, O_NEW,
	O_JSON };
enum { NAME_MOST = 4096, COMMAND_MOST = 65536, MAILBOXES_MOST = 100000 };

static const struct opt opts[] = {
	{ "user", "NAME", "to log in by there; default ACCOUNT" },
	{ "password-stdin", NULL, "the password is the first line of standard "
	    "input" },
	{ "tls", "MODE", "implicit (the default), starttls or none" },
	{ "ca", "FILE", "certificates to trust, not the system's" },
	{ "port", "N", "instead of 993, or 143" },
	{ "mailbox", "NAME", "into this one, and folders below it; default "
	    "INBOX" },
	{ "skip-duplicates", NULL, "not what the mailbox has already: also to "
	    "go on after an interruption" },
	{ "quiet", NULL, "say nothing but faults" },
	{ "new-uids", NULL, "don't keep UIDs and UIDVALIDITY" },
	{ "json", NULL, "tell how many as a JSON object" },
	{ NULL, NULL, NULL }
};

struct job {
	struct imapc *m;
	struct importer *im;
	struct names names;	/* as the server has them */
	struct buf literal;
	char delimiter;		/* 0: no levels */
	const char *now;
	bool begun;		/* a message */
	bool new_uids;
	uint64_t messages, uidvalidity, modseq;	/* of the mailbox; 0: not told */
};

/* ---- LIST -------------------------------------------------------------- */

static int
keep(void *arg, const char *p, size_t n)
{
	return buf_add(arg, p, n);
}

/* A string or atom at the front of s, in the buffer. */
static void
take_string(struct slice s, struct buf *b)
{
	buf_reset(b);
	if (s.n == 0 || s.p[0] != '"') {
		buf_add_slice(b, s);
		return;
	}
	for (size_t i = 1; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		buf_addc(b, s.p[i]);
	}
}

/* The rest of s behind the first " x", and what x is; n 0: there is none. */
static struct slice
after_delimiter(struct slice s, char *delimiter_r)
{
	const char *p = memchr(s.p, ')', s.n);
	struct slice none = { NULL, 0 };
	size_t used;

	if (!p || s.n - (size_t)(p - s.p) < 6)
		return none;
	s = slice_make(p + 2, s.n - (size_t)(p - s.p) - 2);
	if (slice_istarts(s, SLICE_LIT("NIL"))) {
		*delimiter_r = '\0';
		used = 3;
	} else if (s.p[0] == '"') {
		*delimiter_r = s.p[1] == '\\' ? s.p[2] : s.p[1];
		used = s.p[1] == '\\' ? 4 : 3;
	} else {
		return none;
	}
	if (s.n <= used)	/* a literal follows */
		return none;
	return slice_make(s.p + used + 1, s.n - used - 1);
}

static bool
selectable(struct slice s)
{
	const char *end = memchr(s.p, ')', s.n);
	size_t n = end ? (size_t)(end - s.p) : s.n;

	for (size_t i = 0; i < n; i++)
		if (slice_istarts(slice_make(s.p + i, n - i),
		    SLICE_LIT("\\Noselect")) ||
		    slice_istarts(slice_make(s.p + i, n - i),
		    SLICE_LIT("\\NonExistent")))
			return false;
	return true;
}

/* "* LIST (\HasNoChildren) "/" INBOX" */
static int
list(struct job *j)
{
	struct slice s, name;
	uint64_t literal;
	bool more, on = false;
	int rc;

	rc = imapc_send(j->m, SLICE_LIT("LIST \"\" *"));
	while (rc == 0 &&
	    (rc = imapc_next(j->m, &s, &literal, &more)) == 1) {
		rc = 0;
		on = slice_istarts(s, SLICE_LIT("* LIST (")) && selectable(s);
		name = on ? after_delimiter(s, &j->delimiter) :
		    slice_make(NULL, 0);
		if (name.n > 0 && !more)
			take_string(name, &j->literal);
		else
			buf_reset(&j->literal);
		if (more) {
			rc = imapc_literal(j->m, literal,
			    on ? keep : NULL, &j->literal);
			if (rc == 0)	/* the end of that line */
				rc = imapc_next(j->m, &s, &literal, &more);
			rc = rc < 0 ? -1 : 0;
		}
		if (on && j->literal.n > 0 && !j->literal.overflow &&
		    j->names.n < MAILBOXES_MOST)
			names_add(&j->names, j->literal.p, j->literal.n);
	}
	return rc;
}

/* ---- messages ---------------------------------------------------------- */

static int
on_body(void *arg, const struct imapc_msg *m, const char *p, size_t n)
{
	struct job *j = arg;

	(void)m;
	if (!j->begun && importer_begin(j->im) != 0)
		return IMPORT_STOP;
	j->begun = true;
	return importer_add(j->im, p, n);
}

/* "12-Feb-2020 10:00:00 +0100", which isn't quite a date of mail. */
static int64_t
date_of(struct slice s)
{
	char text[40];
	struct mime_date d;

	if (s.n >= sizeof(text))
		return INT64_MIN;
	for (size_t i = 0; i < s.n; i++)
		text[i] = s.p[i] == '-' && i < 8 ? ' ' : s.p[i];
	d = mime_date_parse(slice_make(text, s.n));
	return d.ok ? d.t : INT64_MIN;
}

static void
flags_of(struct slice s, struct buf *keywords, struct import_meta *meta)
{
	static const struct {
		const char *name;
		uint64_t bit;
	} known[] = { { "\\Seen", STORE_SEEN },
		{ "\\Answered", STORE_ANSWERED },
		{ "\\Flagged", STORE_FLAGGED }, { "\\Draft", STORE_DRAFT },
		{ "\\Deleted", STORE_DELETED } };

	while (s.n > 0) {
		struct slice w = slice_cut(&s, ' ');

		if (w.n > 0 && w.p[0] != '\\') {
			buf_add_slice(keywords, w);
			buf_addc(keywords, ' ');
		}
		for (size_t n = 0; n < sizeof(known) / sizeof(known[0]); n++)
			if (slice_ieq(w, slice_str(known[n].name)))
				meta->flags |= known[n].bit;
	}
	meta->keywords = buf_slice(keywords);
}

static int
on_end(void *arg, const struct imapc_msg *m)
{
	struct job *j = arg;
	struct import_meta meta = { .received = date_of(m->date),
		.uid = m->uid };
	struct buf keywords;
	char *origin;
	int rc;

	/* Without a body: a change of flags that the server tells of. */
	if (!j->begun)
		return 0;
	j->begun = false;
	buf_init(&keywords, COMMAND_MOST + 1);
	flags_of(m->flags, &keywords, &meta);
	meta.fallback = time(NULL);
	origin = xasprintf("%s: UID %u", j->now, m->uid);
	rc = importer_end(j->im, &meta, origin, UINT64_MAX);
	importer_progress(j->im, 1);
	xfree(origin);
	buf_release(&keywords);
	return rc;
}

/* ---- mailboxes --------------------------------------------------------- */

/* The path here of a name there: UTF-8, with '/' between the levels. */
static struct slice
path_of(const struct job *j, const char *name, struct arena *ar)
{
	struct slice s = slice_str(name);
	char *p;

	if (utf7_decode(s, true, ar, &s) < 0)
		s = slice_str(name);
	p = arena_strndup(ar, s.p, s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (p[i] == j->delimiter && j->delimiter != '\0')
			p[i] = '/';
		else if (p[i] == '/')
			p[i] = '_';
	}
	return slice_make(p, s.n);
}

/* "* OK [UIDVALIDITY 3857529045] ..." */
static void
on_code(struct slice s, const char *name, uint64_t max, uint64_t *n_r)
{
	struct slice code = slice_str(name), rest;
	uint64_t n;

	if (!slice_istarts(s, code))
		return;
	rest = slice_make(s.p + code.n, s.n - code.n);
	if (slice_uint(slice_cut(&rest, ']'), max, &n) == 0)
		*n_r = n;
}

/* The answers to EXAMINE. */
static void
on_examine(void *arg, struct slice s)
{
	struct job *j = arg;
	uint64_t n;

	on_code(s, "* OK [UIDVALIDITY ", UINT32_MAX, &j->uidvalidity);
	on_code(s, "* OK [HIGHESTMODSEQ ", UINT64_MAX, &j->modseq);
	if (s.n > 9 && slice_starts(s, SLICE_LIT("* ")) &&
	    slice_ieq(slice_make(s.p + s.n - 7, 7), SLICE_LIT(" EXISTS")) &&
	    slice_uint(slice_make(s.p + 2, s.n - 9), UINT32_MAX, &n) == 0)
		j->messages = n;
}

/* 0, IMPORT_STOP, or -1: this mailbox failed. */
static int
one(struct job *j, const char *name)
{
	const struct imapc_fetch f = { on_body, on_end, j };
	struct arena *ar = arena_new(0);
	struct buf b;
	int rc;

	buf_init(&b, COMMAND_MOST);
	buf_add_str(&b, "EXAMINE ");
	imapc_put_string(&b, slice_str(name));
	j->now = name;
	j->begun = false;
	j->messages = j->uidvalidity = j->modseq = 0;
	rc = imapc_command(j->m, buf_slice(&b), on_examine, j);
	if (rc == 0)
		rc = importer_mailbox(j->im, path_of(j, name, ar), true);
	if (rc == 0 && !j->new_uids && j->uidvalidity != 0)
		rc = importer_adopt(j->im, (uint32_t)j->uidvalidity,
		    j->modseq);
	if (rc == 0 && j->messages > 0)
		rc = imapc_fetch(j->m, SLICE_LIT("UID FETCH 1:* (UID FLAGS "
		    "INTERNALDATE BODY.PEEK[])"), &f);
	buf_release(&b);
	arena_free(&ar);
	return rc;
}

static int
all(struct job *j)
{
	int rc = 0;

	for (size_t i = 0; i < j->names.n && rc != IMPORT_STOP; i++) {
		rc = one(j, j->names.v[i]);
		if (rc < 0)
			importer_failed(j->im, j->names.v[i],
			    "not, or not all, could be had");
	}
	return rc;
}

/* ---- the command ------------------------------------------------------- */

static int
server_of(const struct args *a, struct imapc_server *s)
{
	const char *mode = a->val[O_TLS];

	s->host = a->pos[1];
	s->port = a->val[O_PORT];
	s->ca_file = a->val[O_CA];
	s->user = a->val[O_USER] ? a->val[O_USER] : a->pos[0];
	s->tls = IMAPC_TLS;
	if (mode && strcmp(mode, "none") == 0) {
		s->tls = IMAPC_PLAIN;
	} else if (mode && strcmp(mode, "starttls") == 0) {
		s->tls = IMAPC_STARTTLS;
	} else if (mode && strcmp(mode, "implicit") != 0) {
		complain("--tls: implicit, starttls or none, not \"%s\"",
		    mode);
		return -1;
	}
	return 0;
}

static int
import(struct culver *c, const struct args *a, struct imapc *m)
{
	struct import_conf cf = {
		.c = c, .account = a->pos[0],
		.base = slice_str(a->val[O_MAILBOX] ? a->val[O_MAILBOX] :
		    "INBOX"),
		.skip_duplicates = a->val[O_SKIP] != NULL,
		.json = a->val[O_JSON] != NULL,
		.quiet = a->val[O_QUIET] != NULL
	};
	struct job j = { .m = m, .new_uids =
	    a->val[O_NEW] != NULL || a->val[O_MAILBOX] != NULL };
	int code, rc;

	buf_init(&j.literal, NAME_MOST);
	if ((rc = list(&j)) < 0)
		code = EXIT_TEMP;
	else
		code = importer_open(&cf, 0, &j.im);
	if (code == 0) {
		rc = all(&j);
		code = worse(rc < 0 ? EXIT_TEMP : 0, importer_close(&j.im));
	}
	names_release(&j.names);
	buf_release(&j.literal);
	return code;
}

static int
run(struct culver *c, const struct args *a)
{
	struct imapc_server s = { .host = NULL };
	struct imapc *m = NULL;
	char *pw = NULL;
	int code;

	if (server_of(a, &s) < 0)
		return EXIT_PERM;
	if ((a->val[O_STDIN] ? password_stdin(&pw) :
	    password_once(s.user, &pw)) < 0)
		return EXIT_PERM;
	s.password = pw;
	priv_caller();		/* --ca is the caller's file */
	code = imapc_remote(&s, &m);
	priv_service();
	xfree_secret(pw, strlen(pw));
	if (code == 0)
		code = import(c, a, m);
	imapc_close(&m);
	return code;
}

const struct command cmd_import_imap = {
	"import imap", "ACCOUNT HOST", "bring in an account of another server",
	opts, 2, 2, run
};
