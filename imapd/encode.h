/* imapd/encode.h - the one place where responses get their form */
#ifndef IMAPD_ENCODE_H
#define IMAPD_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"
#include "libsession/sio.h"

/*
 * Gathers responses in b and hands them to io (if there is one) in large
 * pieces, whole lines together.  Nothing that comes from mail or from a client
 * is written but by these functions.
 */
struct enc {
	struct buf b;
	struct sio *io;
	bool open;	/* a list began: the next item needs no space */
	bool utf8;	/* mailbox names are UTF-8 (RFC 9051 5.1) */
};

void enc_init(struct enc *e, struct sio *io);
void enc_release(struct enc *e);

/* Our own text, as it is: protocol words. */
void enc_raw(struct enc *e, const char *s);
void enc_u64(struct enc *e, uint64_t v);
/* Text for humans: octets that a line can't have become "?". */
void enc_text(struct enc *e, struct slice s);
/* Such a text, in the client's language. */
void enc_say(struct enc *e, const char *english);
/* A space, unless a list has just begun. */
void enc_sp(struct enc *e);
void enc_open(struct enc *e);		/* enc_sp, "(" */
void enc_close(struct enc *e);		/* ")" */
/* CRLF; hands on what is gathered when that is much. */
void enc_eol(struct enc *e);
/* Hands on what is gathered, in the middle of a line too. */
void enc_spill(struct enc *e);

/* Can it be sent so?  Empty strings can't be atoms. */
bool enc_is_atom(struct slice s);
bool enc_is_quoted(struct slice s);
/* Quoted where that is possible, else a literal.  A literal can't have NUL
 * (RFC 3501 9, CHAR8): each is sent as 0x80, so that sizes stay true. */
void enc_string(struct enc *e, struct slice s);
void enc_nstring(struct enc *e, struct slice s);	/* p NULL: NIL */
void enc_astring(struct enc *e, struct slice s);
/* A mailbox name, from UTF-8: as it is, or in modified UTF-7. */
void enc_mailbox(struct enc *e, struct slice utf8);
/* "{n}" CRLF: n octets must follow, by enc_octets() or past enc_spill(). */
void enc_literal(struct enc *e, uint64_t n);
/* Octets of a literal, NUL replaced. */
void enc_octets(struct enc *e, struct slice s);
/* Octets of a literal8, as they are. */
void enc_octets8(struct enc *e, struct slice s);
/* "17-Jul-1996 02:44:25 -0700" in quotes, in UTC (RFC 3501 date-time). */
void enc_date_time(struct enc *e, int64_t t);

#endif
