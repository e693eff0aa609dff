/* jmap-fcgi/mdn-send.c - MDN/send (RFC 9007 2.1, RFC 8098) */
#include "config.h"

#include <inttypes.h>
#include <time.h>

#include "jmap-fcgi/email.h"
#include "jmap-fcgi/mdn.h"
#include "jmap-fcgi/web.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libmime/write.h"
#include "libsession/mta.h"
#include "libsession/session.h"
#include "libstore/submission.h"

enum { FIELD_MAX = 500, EXTENSIONS_MAX = 20, RCPT_MAX = 10 };
#define MDNSENT "$mdnsent"
#define EIGHT "Content-Transfer-Encoding: 8bit\r\n"

const struct jmap_arg mdn_send_args[] = {
	{ "identityId", ARG_ID, ARG_NEED },
	{ "send", ARG_OBJECT, ARG_NEED },
	{ "onSuccessUpdateEmail", ARG_OBJECT, ARG_NULL },
	{ NULL, 0, 0 }
};

struct mdn {
	struct jmap_call *c;
	const struct store_identity *identity;
	json_t *o;		/* as the client gave it */
	json_t *bad;		/* names of properties */
	json_t *patch;		/* of onSuccessUpdateEmail */
	json_t *update;		/* those of what was sent, by Email */
	bool high;		/* the original has octets beyond US-ASCII */
	struct email em;
	uint64_t bit;		/* of $mdnsent */
	int marked;		/* 1: by us; negative: it couldn't be */
	struct slice to[RCPT_MAX];
	size_t n_to;
	struct slice recipient;	/* the address of finalRecipient */
	/* what the response tells */
	struct slice subject, text, final, original, message_id;
	struct buf out;
};

static void
bad(struct mdn *m, const char *prop)
{
	json_array_append_new(m->bad, json_string(prop));
}

/* ---- the MDN object ---------------------------------------------------- */

/* May it be a field's value, as it is? */
static bool
is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 32 || (unsigned char)s.p[i] > 126)
			return false;
	return s.n > 0 && s.n <= FIELD_MAX;
}

static bool
is_name(struct slice s)
{
	static const char *const ours[] = {
		"Reporting-UA", "MDN-Gateway", "Original-Recipient",
		"Final-Recipient", "Original-Message-ID", "Disposition",
		"Error", "Failure", "Warning"
	};

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 32 || s.p[i] > 126 || s.p[i] == ':')
			return false;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (slice_ieq(s, slice_str(ours[i])))
			return false;
	return s.n > 0 && s.n < 77;
}

static bool
extensions_ok(json_t *v)
{
	const char *key;
	json_t *x;

	if (json_is_null(v))
		return true;
	json_object_foreach(v, key, x)
		if (!is_name(slice_str(key)) || !is_plain(js_slice(x)))
			return false;
	return json_is_object(v) && json_object_size(v) <= EXTENSIONS_MAX;
}

static bool
disposition_ok(json_t *v)
{
	for (int i = 0; i < MDN_PARTS; i++) {
		struct slice s = js_slice(json_object_get(v,
		    mdn_disposition_names[i]));
		const char *word = mdn_disposition_word((enum mdn_part)i, s);

		/* In JSON their case counts. */
		if (word == NULL || !slice_eq(s, slice_str(word)))
			return false;
	}
	return json_object_size(v) == MDN_PARTS;
}

/* "rfc822; address" */
static bool
take_recipient(struct mdn *m, struct slice s)
{
	const char *semi = s.p != NULL ? memchr(s.p, ';', s.n) : NULL;
	size_t n = semi != NULL ? (size_t)(semi - s.p) : 0;

	if (semi == NULL || !slice_ieq(slice_trim(slice_make(s.p, n)),
	    SLICE_LIT("rfc822")))
		return false;
	m->final = s;
	m->recipient = slice_trim(slice_make(semi + 1, s.n - n - 1));
	return is_plain(s) && mta_address_ok(m->recipient);
}

static bool
take(struct mdn *m, const char *key, json_t *v)
{
	struct slice s = js_slice(v);
	bool null = json_is_null(v);

	if (strcmp(key, "forEmailId") == 0)
		return s.p != NULL;
	if (strcmp(key, "subject") == 0) {
		m->subject = s;
		return null || s.p != NULL;
	}
	if (strcmp(key, "textBody") == 0) {
		m->text = s;
		return null || s.p != NULL;
	}
	if (strcmp(key, "includeOriginalMessage") == 0)
		return json_is_boolean(v);
	if (strcmp(key, "reportingUA") == 0)
		return null || is_plain(s);
	if (strcmp(key, "disposition") == 0)
		return disposition_ok(v);
	if (strcmp(key, "finalRecipient") == 0)
		return null || take_recipient(m, s);
	if (strcmp(key, "extensionFields") == 0)
		return extensions_ok(v);
	return false;
}

static json_t *
check(struct mdn *m)
{
	static const char *const needed[] = { "forEmailId", "disposition" };
	const char *key;
	json_t *v;

	json_object_foreach(m->o, key, v)
		if (!take(m, key, v))
			bad(m, key);
	for (int i = 0; i < 2; i++)
		if (json_object_get(m->o, needed[i]) == NULL)
			bad(m, needed[i]);
	return json_array_size(m->bad) > 0 ?
	    set_error_props(json_incref(m->bad), NULL) : NULL;
}

/* ---- the Email --------------------------------------------------------- */

/* Those who asked for it (RFC 8098 2.1). */
static void
take_addresses(struct mdn *m, struct slice value)
{
	struct arena *a = m->c->req->scratch;
	struct mime_addrs l;

	mime_addrs_parse(mime_unfold(a, value), RCPT_MAX, a, &l);
	for (uint32_t i = 0; i < l.n && m->n_to < RCPT_MAX; i++) {
		struct slice s;

		if (l.a[i].kind != MIME_ADDR)
			continue;
		s = mime_addr_email(&l.a[i], a);
		if (mta_address_ok(s))
			m->to[m->n_to++] = s;
	}
}

static json_t *
load(struct mdn *m)
{
	struct jmap_call *c = m->c;
	struct arena *a = c->req->scratch;
	struct mime_field f;
	struct slice header, *ids;
	uint64_t id, bit;
	uint32_t n;
	char text[STORE_ID_TEXT];
	int rc;

	if (id_resolve(c->req, 'E', js_slice(json_object_get(m->o,
	    "forEmailId")), &id) < 0)
		return set_error("notFound", NULL);
	if ((rc = email_load(c, a, id, &m->em.e)) < 0 ||
	    (rc = email_keyword_bit(c, SLICE_LIT(MDNSENT), &bit)) < 0)
		return set_error_store(c, rc);
	if ((m->em.e.flags & bit) != 0 || json_object_get(m->update,
	    store_id_text('E', id, text)) != NULL)
		return set_error("mdnAlreadySent", NULL);
	if ((rc = email_mime(c, &m->em)) < 0 || (rc = email_part_header(c,
	    &m->em, m->em.mime->root, &header)) < 0)
		return set_error_store(c, rc);
	if (mime_field_find(header, "Disposition-Notification-To", 0, &f) == 1)
		take_addresses(m, f.value);
	if (m->n_to == 0)
		return set_error("notFound",
		    "no Disposition-Notification-To to send to");
	if (mime_field_find(header, "Original-Recipient", 0, &f) == 1)
		m->original = slice_trim(mime_unfold(a, f.value));
	if (!is_plain(m->original))
		m->original = slice_make(NULL, 0);
	mime_msgids_parse(m->em.mime->root->env->message_id, 1, a, &ids, &n);
	if (n == 1 && is_plain(ids[0]))
		m->message_id = slice_str(arena_printf(a, "<%.*s>",
		    (int)ids[0].n, ids[0].p));
	return NULL;
}

/* Is the Email's keyword set when it is sent? */
static json_t *
find_patch(struct jmap_call *c, const char *key, json_t *o)
{
	json_t *all = jmap_arg(c, "onSuccessUpdateEmail"), *patch, *kw;
	struct slice id = js_slice(json_object_get(o, "forEmailId"));

	patch = json_object_get(all, arena_printf(c->arena, "#%s", key));
	if (patch == NULL && id.p != NULL)
		patch = json_object_getn(all, id.p, id.n);
	kw = json_object_get(json_object_get(patch, "keywords"), MDNSENT);
	if (kw == NULL)
		kw = json_object_get(patch, "keywords/" MDNSENT);
	return json_is_true(kw) ? patch : NULL;
}

static json_t *
check_sender(struct mdn *m)
{
	struct jmap_call *c = m->c;
	const struct conf *cf = c->req->env->conf;
	struct slice who[2] = { m->recipient, m->identity->email };

	if (!mta_address_ok(m->identity->email))	/* "*@domain" */
		return set_error("forbiddenFrom", NULL);
	for (int i = 0; i < 2; i++) {
		int rc = who[i].p == NULL ? LOGIN_OK : login_sender(cf,
		    c->req->user->account, who[i], c->arena);

		if (rc == LOGIN_E_TEMP)
			return set_error_store(c, STORE_E_IO);
		if (rc != LOGIN_OK)
			return set_error("forbiddenFrom", NULL);
	}
	if (m->recipient.p == NULL)
		m->final = slice_str(arena_printf(c->req->scratch,
		    "rfc822; %.*s", (int)m->identity->email.n,
		    m->identity->email.p));
	return NULL;
}

/* ---- the message ------------------------------------------------------- */

static void
put_text(struct mdn *m, const char *name, struct slice value, bool *ok)
{
	struct mime_writer w;

	mime_write_begin(&w, &m->out, slice_str(name));
	if (mime_write_text(&w, value) < 0)
		*ok = false;
	mime_write_end(&w);
}

static void
put_line(struct mdn *m, const char *name, struct slice value)
{
	if (value.n > 0)
		buf_printf(&m->out, "%s: %.*s\r\n", name, (int)value.n,
		    value.p);
}

static void
defaults(struct mdn *m)
{
	struct arena *a = m->c->req->scratch;
	struct slice subject = m->em.mime->root->env->subject;

	if (subject.p != NULL)
		subject = mime_text(a, subject);
	if (m->subject.p == NULL)
		m->subject = slice_str(arena_printf(a,
		    "Disposition notification: %.*s",
		    (int)utf8_cut(subject, FIELD_MAX), subject.p));
	if (m->text.p == NULL)
		m->text = SLICE_LIT("This is a notification about a message "
		    "that you sent.\nIt does not tell that the message was "
		    "read or understood.\n");
}

/* False: the subject can't be written, or an address. */
static bool
put_header(struct mdn *m, const char *boundary)
{
	struct slice email = m->identity->email, id = m->message_id;
	const char *at = memrchr(email.p, '@', email.n);
	json_t *mode = json_object_get(json_object_get(m->o, "disposition"),
	    "sendingMode");
	size_t domain = (size_t)(at - email.p) + 1;
	struct mime_writer w;
	bool ok = true;

	mime_write_begin(&w, &m->out, SLICE_LIT("From"));
	ok = mime_write_address(&w, m->identity->name, email, false) == 0;
	mime_write_end(&w);
	mime_write_begin(&w, &m->out, SLICE_LIT("To"));
	for (size_t i = 0; i < m->n_to; i++)
		ok = mime_write_address(&w, slice_make(NULL, 0), m->to[i],
		    i + 1 < m->n_to) == 0 && ok;
	mime_write_end(&w);
	put_text(m, "Subject", m->subject, &ok);
	mime_write_begin(&w, &m->out, SLICE_LIT("Date"));
	mime_write_date(&w, time(NULL), 0);
	mime_write_end(&w);
	buf_printf(&m->out, "Message-ID: <%s@%.*s>\r\n", boundary,
	    (int)(email.n - domain), email.p + domain);
	put_line(m, "In-Reply-To", id);
	put_line(m, "References", id);
	if (slice_ieq(js_slice(mode), SLICE_LIT("mdn-sent-automatically")))
		buf_add_str(&m->out, "Auto-Submitted: auto-replied\r\n");
	buf_printf(&m->out, "MIME-Version: 1.0\r\n%sContent-Type: "
	    "multipart/report;\r\n report-type=disposition-notification;\r\n"
	    " boundary=\"%s\"\r\n\r\n", m->high ? EIGHT : "", boundary);
	return ok;
}

static void
put_report(struct mdn *m)
{
	json_t *d = json_object_get(m->o, "disposition"), *v;
	const char *key;

	put_line(m, "Reporting-UA", js_slice(json_object_get(m->o,
	    "reportingUA")));
	put_line(m, "Original-Recipient", m->original);
	put_line(m, "Final-Recipient", m->final);
	put_line(m, "Original-Message-ID", m->message_id);
	buf_printf(&m->out, "Disposition: %s/%s; %s\r\n",
	    json_string_value(json_object_get(d, "actionMode")),
	    json_string_value(json_object_get(d, "sendingMode")),
	    json_string_value(json_object_get(d, "type")));
	json_object_foreach(json_object_get(m->o, "extensionFields"), key, v)
		put_line(m, key, js_slice(v));
}

static int
take_original(struct mdn *m)
{
	int rc;

	if (!json_is_true(json_object_get(m->o, "includeOriginalMessage")))
		return 0;
	if ((rc = email_raw(m->c, &m->em)) < 0)
		return rc;
	for (size_t i = 0; i < m->em.raw.n && !m->high; i++)
		m->high = (unsigned char)m->em.raw.p[i] > 127;
	return 0;
}

/* NULL: m->out is the message. */
static json_t *
compose(struct mdn *m)
{
	unsigned char r[16];
	struct buf b;
	const char *boundary;
	int rc;

	random_bytes(r, sizeof(r));
	buf_init(&b, 64);
	hex_encode(&b, slice_make((const char *)r, sizeof(r)));
	boundary = arena_strndup(m->c->req->scratch, b.p, b.n);
	buf_release(&b);
	defaults(m);
	if ((rc = take_original(m)) < 0)
		return set_error_store(m->c, rc);
	if (!put_header(m, boundary))
		return set_error_prop("subject", NULL);
	buf_printf(&m->out, "--%s\r\nContent-Type: text/plain; charset=utf-8"
	    "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
	    boundary);
	mime_write_qp(&m->out, m->text);
	buf_printf(&m->out, "\r\n--%s\r\nContent-Type: "
	    "message/disposition-notification\r\n\r\n", boundary);
	put_report(m);
	if (json_is_true(json_object_get(m->o, "includeOriginalMessage"))) {
		buf_printf(&m->out, "\r\n--%s\r\n%sContent-Type: "
		    "message/rfc822\r\n\r\n", boundary,
		    m->high ? EIGHT : "");
		buf_add_slice(&m->out, m->em.raw);
	}
	buf_printf(&m->out, "\r\n--%s--\r\n", boundary);
	return m->out.overflow ? set_error("tooLarge", NULL) : NULL;
}

/*
 * Not more than one MDN may be sent (RFC 8098 2.1): $mdnsent is set before the
 * MTA has it, by one request of several, and stays if the process dies.
 */
static int
mark(void *arg)
{
	struct mdn *m = arg;
	struct store_email_set s = { .id = m->em.e.id, .flags_add = m->bit,
		.flags_unless = m->bit };
	int rc, one;

	rc = store_email_change(m->c->st, &s, 1, &one, NULL);
	m->marked = rc < 0 ? rc : one < 0 ? one : 1;
	return m->marked < 0 ? m->marked : 0;
}

/* The MTA had it all, and refused. */
static void
unmark(struct mdn *m)
{
	struct store_email_set s = { .id = m->em.e.id, .flags_del = m->bit };
	int rc, one;

	rc = store_email_change(m->c->st, &s, 1, &one, NULL);
	if (rc < 0)
		log_warn("%s: E%" PRIx64 " keeps " MDNSENT ": %s",
		    store_account_name(m->c->st), m->em.e.id,
		    store_errmsg(m->c->st));
}

/* May it be marked?  Email/set would say no when it is too late. */
static json_t *
check_mark(struct mdn *m)
{
	struct store_email_set s = { .id = m->em.e.id };
	int rc;

	rc = store_keyword_bit(m->c->st, SLICE_LIT(MDNSENT), true, &m->bit);
	if (rc == STORE_E_LIMIT)
		return set_error("tooManyKeywords", NULL);
	if (rc < 0)
		return set_error_store(m->c, rc);
	s.flags_add = m->bit;
	return email_rights_change(m->c, &s);
}

/* From the null sender (RFC 8098 3): nothing is to come back. */
static json_t *
deliver(struct mdn *m)
{
	struct jmap_call *c = m->c;
	struct mta_rcpt rcpt[RCPT_MAX];
	struct mta_mail mail;
	struct workers *w = c->req->env->workers;
	bool other;
	int rc;

	memset(&mail, 0, sizeof(mail));
	memset(rcpt, 0, sizeof(rcpt));
	for (size_t i = 0; i < m->n_to; i++)
		rcpt[i].address = m->to[i];
	mail.from = SLICE_LIT("");
	mail.rcpt = rcpt;
	mail.n_rcpt = m->n_to;
	mail.octets = buf_slice(&m->out);
	mail.commit = mark;
	mail.arg = m;
	other = w != NULL && workers_long_begin(w);
	rc = mta_send(c->req->env->conf, &mail, c->req->scratch);
	if (other)
		workers_long_end(w);
	if (rc == MTA_OK)
		return NULL;
	if (rc == MTA_E_STOPPED)
		return m->marked == STORE_E_DENIED ?
		    set_error("mdnAlreadySent", NULL) :
		    set_error_store(c, m->marked);
	if (m->marked > 0 && !mail.unknown)
		unmark(m);
	return set_error(rc == MTA_E_PERM ? "forbidden" :
	    "serverUnavailable", mail.reply.p == NULL ? NULL :
	    arena_strndup(c->req->scratch, mail.reply.p, mail.reply.n));
}

/* ---- all of them ------------------------------------------------------- */

/* The properties that the client didn't set. */
static json_t *
sent(const struct mdn *m)
{
	const struct {
		const char *name;
		struct slice v;
	} set[] = {
		{ "subject", m->subject }, { "textBody", m->text },
		{ "originalRecipient", m->original },
		{ "finalRecipient", m->final },
		{ "originalMessageId", m->message_id },
		{ "reportingUA", { NULL, 0 } }, { "mdnGateway", { NULL, 0 } },
		{ "error", { NULL, 0 } }, { "extensionFields", { NULL, 0 } }
	};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		json_t *given = json_object_get(m->o, set[i].name);

		if (given == NULL || (json_is_null(given) && set[i].v.p))
			js_put(o, set[i].name, js_str_or_null(set[i].v));
	}
	if (json_object_get(m->o, "includeOriginalMessage") == NULL)
		js_put(o, "includeOriginalMessage", json_false());
	return o;
}

static json_t *
send_one(struct mdn *m)
{
	json_t *err;

	if ((err = check(m)) != NULL || (err = load(m)) != NULL ||
	    (err = check_sender(m)) != NULL || (err = check_mark(m)) != NULL ||
	    (err = compose(m)) != NULL)
		return err;
	return deliver(m);
}

static void
send_all(struct jmap_call *c, const struct store_identity *identity,
    json_t *done, json_t *failed, json_t *update)
{
	const char *key;
	json_t *o, *err;

	json_object_foreach(jmap_arg(c, "send"), key, o) {
		struct mdn m = { .c = c, .identity = identity, .o = o,
			.update = update };
		char id[STORE_ID_TEXT];

		arena_reset(c->req->scratch);
		m.bad = json_array();
		m.patch = find_patch(c, key, o);
		buf_init(&m.out, (size_t)c->req->env->conf->max_message);
		err = send_one(&m);
		if (err == NULL) {
			js_put(done, key, sent(&m));
			js_put(update, store_id_text('E', m.em.e.id, id),
			    json_copy(m.patch));
		} else {
			js_put(failed, key, err);
		}
		buf_release(&m.out);
		json_decref(m.bad);
	}
}

/* What can be said of the call as a whole. */
static int
check_call(struct jmap_call *c, struct store_identity *identity)
{
	json_t *send = jmap_arg(c, "send"), *o;
	const char *key;
	uint64_t n;
	int rc = 0;

	if ((c->req->using & CAP_MAIL) == 0)
		return JMAP_E_UNKNOWN;
	if (json_object_size(send) > c->req->env->conf->jmap_max_objects_in_set)
		return JMAP_E_TOOLARGE;
	json_object_foreach(send, key, o) {
		if (!js_is_id(slice_str(key)) || !json_is_object(o))
			rc = jmap_bad(c, "send must map ids to objects");
		else if (find_patch(c, key, o) == NULL)
			rc = jmap_bad(c, "%s: onSuccessUpdateEmail must set "
			    "keywords/" MDNSENT, key);
	}
	if (rc < 0)
		return rc;
	if (id_resolve(c->req, 'I', js_slice(jmap_arg(c, "identityId")),
	    &n) < 0)
		return jmap_bad(c, "no such identity");
	rc = store_identity_get(c->st, c->arena, n, identity);
	if (rc == STORE_E_NOTFOUND)
		return jmap_bad(c, "no such identity");
	return rc < 0 ? jmap_store_failed(c->req, "MDN/send", rc) : 0;
}

int
mdn_send(struct jmap_call *c)
{
	struct store_identity identity;
	json_t *done, *failed, *update;
	int rc;

	if ((rc = check_call(c, &identity)) < 0)
		return rc;
	done = json_object();
	failed = json_object();
	update = json_object();
	send_all(c, &identity, done, failed, update);
	js_put_some(c->out, "sent", done);
	js_put_some(c->out, "notSent", failed);
	if (json_object_size(update) == 0) {
		json_decref(update);
		return 0;
	}
	c->then = "Email/set";
	c->then_args = json_object();
	js_put(c->then_args, "update", update);
	return 0;
}
