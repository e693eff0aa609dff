/*
 * libsession/tls-gnutls-ticket.c - session tickets by two keys
 *
 * GnuTLS takes one key a session, but there are two whose tickets are good: the
 * current one, and the one before.  So the key is given to it when the client's
 * hello is here, and we see by which the ticket in it was made: a ticket begins
 * with the first 16 octets of SHA3-512(T || key), T being the number of the
 * period of GnuTLS's own rotation, thrice the life of a ticket.  Would a GnuTLS do
 * that in another way, tickets by the key before were unknown to us, and a full
 * handshake follows.
 */
#include "config.h"

#include <gnutls/crypto.h>
#include <string.h>
#include <time.h>

#include "libsession/tls-gnutls.h"

enum {
	TICKET_S = 7 * 86400,	/* RFC 8446 4.6.1: the longest */
	KEY_NAME = 16, SHA3_512 = 64,
	EXT_SESSION_TICKET = 35, EXT_PRE_SHARED_KEY = 41
};

struct seen {
	unsigned char name[KEY_NAME];	/* of the key before */
	bool found;
};

/* gnutls_ext_raw_parse()'s, for each extension of the client's hello. */
static int
look_at(void *arg, unsigned int id, const unsigned char *p, unsigned int n)
{
	struct seen *seen = arg;

	if (id == EXT_PRE_SHARED_KEY) {	/* two lengths before the first one */
		if (n < 4)
			return 0;
		p += 4;
		n -= 4;
	} else if (id != EXT_SESSION_TICKET)
		return 0;
	if (n >= KEY_NAME && memcmp(p, seen->name, KEY_NAME) == 0)
		seen->found = true;
	return 0;
}

/* Is it a ticket by the key before? */
static bool
by_key_before(const struct tls_module_ctx *ctx, const gnutls_datum_t *hello)
{
	unsigned char text[8 + TLS_TICKET_KEY_LEN], hash[SHA3_512];
	uint64_t t = (uint64_t)time(NULL) / (3 * (uint64_t)TICKET_S);
	struct seen seen = { .found = false };

	for (int i = 0; i < 8; i++)
		text[i] = (unsigned char)(t >> (56 - 8 * i));
	memcpy(text + 8, ctx->files.ticket_key_before.p, TLS_TICKET_KEY_LEN);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA3_512, text, sizeof(text), hash) < 0)
		return false;
	gnutls_memset(text, 0, sizeof(text));
	memcpy(seen.name, hash, KEY_NAME);
	gnutls_memset(hash, 0, sizeof(hash));
	return gnutls_ext_raw_parse(&seen, look_at, hello,
	    GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO) >= 0 && seen.found;
}

static int
on_hello(gnutls_session_t s, unsigned int type, unsigned int when,
    unsigned int incoming, const gnutls_datum_t *msg)
{
	struct tls_conn *conn = gnutls_session_get_ptr(s);
	struct slice k = conn->ctx->files.ticket_key;
	gnutls_datum_t key;

	(void)type;
	(void)when;
	if (!incoming || conn->ticket_set)	/* a second hello */
		return 0;
	conn->ticket_set = true;
	tls_cert_hello(conn, msg);
	if (by_key_before(conn->ctx, msg))
		k = conn->ctx->files.ticket_key_before;
	key.data = (unsigned char *)(uintptr_t)k.p;
	key.size = (unsigned int)k.n;
	return gnutls_session_ticket_enable_server(s, &key);
}

void
tls_tickets_on(struct tls_conn *conn)
{
	gnutls_db_set_cache_expiration(conn->s, TICKET_S);
	gnutls_handshake_set_hook_function(conn->s,
	    GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, on_hello);
}
