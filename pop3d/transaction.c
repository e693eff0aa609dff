/* pop3d/transaction.c - the TRANSACTION state, CAPA and QUIT */
#include "config.h"

#include <inttypes.h>

#include "libbase/log.h"
#include "pop3d/pop3.h"

/* RFC 2449 section 5. */
enum pop3_next
cmd_capa(struct pop3 *p, struct slice args)
{
	struct sio *io = p->s->io;
	const char *mechs = sasl_mechanisms(p->s);

	(void)args;
	pop3_ok(p, "Capabilities follow");
	sio_puts(io, "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
		     "PIPELINING\r\nEXPIRE NEVER\r\nUTF8 USER\r\nLANG\r\n");
	if (p->s->conf->pop3_login_delay_s > 0)
		sio_printf(io, "LOGIN-DELAY %" PRIu32 "\r\n",
		    p->s->conf->pop3_login_delay_s);
	if (p->s->plaintext_ok)
		sio_puts(io, "USER\r\n");
	if (*mechs != '\0')
		sio_printf(io, "SASL %s\r\n", mechs);
	if (p->s->tls_offered)
		sio_puts(io, "STLS\r\n");
	sio_puts(io, "IMPLEMENTATION Culver\r\n.\r\n");
	return POP3_CONT;
}

/* Splits "n rest" at the first blank; *rest_r is empty where there is none. */
static struct slice
first_word(struct slice args, struct slice *rest_r)
{
	const char *sp = memchr(args.p, ' ', args.n);

	*rest_r = slice_make("", 0);
	if (sp != NULL) {
		*rest_r = slice_trim(
		    slice_make(sp, args.n - (size_t)(sp - args.p)));
		args.n = (size_t)(sp - args.p);
	}
	return args;
}

/* RFC 6856 3: English is all there is, and it is i-default (RFC 2277 4.5). */
enum pop3_next
cmd_lang(struct pop3 *p, struct slice args)
{
	args = slice_trim(args);
	if (args.n == 0) {
		pop3_ok(p, "Languages follow");
		sio_puts(p->s->io, "i-default English\r\nen English\r\n.\r\n");
		return POP3_CONT;
	}
	if (slice_eq(args, SLICE_LIT("*")) ||
	    slice_ieq(args, SLICE_LIT("i-default")))
		return pop3_ok(p, "i-default This is English");
	if (slice_ieq(args, SLICE_LIT("en")) ||
	    slice_istarts(args, SLICE_LIT("en-")))
		return pop3_ok(p, "en This is English");
	return pop3_err(p, NULL, "That language is not known here");
}

enum pop3_next
cmd_noop(struct pop3 *p, struct slice args)
{
	(void)args;
	return pop3_ok(p, "Nothing done");
}

enum pop3_next
cmd_stat(struct pop3 *p, struct slice args)
{
	(void)args;
	return pop3_ok(p, "%zu %" PRIu64, p->drop.n_live, p->drop.live_size);
}

static enum pop3_next
no_such(struct pop3 *p)
{
	return pop3_err(p, NULL, "No such message");
}

/* One listing line of message m: "number value". */
static void
list_line(struct pop3 *p, const struct pop3_msg *m, bool uidl)
{
	size_t number = (size_t)(m - p->drop.msg) + 1;

	sio_put_u64(p->s->io, number);
	sio_puts(p->s->io, " ");
	if (uidl)
		uidl_put(p, m);
	else
		sio_put_u64(p->s->io, m->size);
	sio_puts(p->s->io, "\r\n");
}

static enum pop3_next
list(struct pop3 *p, struct slice args, bool uidl)
{
	struct pop3_msg *m;

	if (args.n != 0) {
		if ((m = drop_msg(p, slice_trim(args))) == NULL)
			return no_such(p);
		sio_puts(p->s->io, "+OK ");
		list_line(p, m, uidl);
		return POP3_CONT;
	}
	pop3_ok(p, "%zu messages", p->drop.n_live);
	for (size_t i = 0; i < p->drop.n; i++)
		if (!p->drop.msg[i].deleted)
			list_line(p, &p->drop.msg[i], uidl);
	sio_puts(p->s->io, ".\r\n");
	return POP3_CONT;
}

enum pop3_next
cmd_list(struct pop3 *p, struct slice args)
{
	return list(p, args, false);
}

enum pop3_next
cmd_uidl(struct pop3 *p, struct slice args)
{
	return list(p, args, true);
}

static enum pop3_next
send(struct pop3 *p, const struct pop3_msg *m, int64_t lines)
{
	struct store_blob *b;
	int rc;

	if ((rc = store_blob_open_ref(p->s->store, m->ref, &b)) < 0)
		return pop3_store_err(p, rc, "open message");
	if (lines < 0)
		pop3_ok(p, "%" PRIu64 " octets", m->size);
	else
		pop3_ok(p, "Top of message follows");
	rc = send_message(p, b, lines);
	store_blob_close(&b);
	if (rc < 0) {
		/* The answer is begun: only a closed connection tells the
		 * client that it is not whole. */
		log_err("message uid %" PRIu32 ": %s", m->uid,
		    store_errmsg(p->s->store));
		return POP3_BYE;
	}
	return POP3_CONT;
}

enum pop3_next
cmd_retr(struct pop3 *p, struct slice args)
{
	struct pop3_msg *m = drop_msg(p, slice_trim(args));

	return m == NULL ? no_such(p) : send(p, m, -1);
}

enum pop3_next
cmd_top(struct pop3 *p, struct slice args)
{
	struct slice rest, number = first_word(args, &rest);
	struct pop3_msg *m = drop_msg(p, number);
	uint64_t lines;

	if (rest.n == 0 || slice_uint(rest, INT64_MAX, &lines) < 0)
		return pop3_err(p, NULL,
		    "TOP needs a message and a number of lines");
	return m == NULL ? no_such(p) : send(p, m, (int64_t)lines);
}

enum pop3_next
cmd_dele(struct pop3 *p, struct slice args)
{
	struct pop3_msg *m = drop_msg(p, slice_trim(args));

	if (m == NULL)
		return no_such(p);
	drop_delete(&p->drop, m);
	return pop3_ok(p, "Message is deleted at QUIT");
}

enum pop3_next
cmd_rset(struct pop3 *p, struct slice args)
{
	(void)args;
	drop_reset(&p->drop);
	return pop3_ok(p, "%zu messages (%" PRIu64 " octets)", p->drop.n_live,
	    p->drop.live_size);
}

/* RFC 1939 section 6: from TRANSACTION this is the UPDATE state. */
enum pop3_next
cmd_quit(struct pop3 *p, struct slice args)
{
	int rc;

	(void)args;
	if (p->state == POP3_TRANSACTION && (rc = drop_commit(p)) < 0)
		pop3_store_err(p, rc, "delete messages");
	else
		pop3_ok(p, "Goodbye");
	/* Before the answer goes out: the client may be back at once. */
	if (p->s->store != NULL)
		store_maildrop_unlock(p->s->store);
	return POP3_BYE;
}
