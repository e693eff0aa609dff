/* imapd/chars.h - classes of octets in the IMAP grammar (RFC 9051 9) */
#ifndef IMAPD_CHARS_H
#define IMAPD_CHARS_H

#include <stdbool.h>

static inline bool
imap_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What a bare argument may be made of in any command: atoms, flags, sequence
 * sets, list patterns.  Each argument's reader is stricter. */
static inline bool
imap_is_token(char c)
{
	return c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '{' &&
	    c != '"';
}

/* list-char = ATOM-CHAR / list-wildcards / resp-specials */
static inline bool
imap_is_list_char(char c)
{
	return imap_is_token(c) && c != '\\';
}

/* ASTRING-CHAR = ATOM-CHAR / resp-specials */
static inline bool
imap_is_astring(char c)
{
	return imap_is_list_char(c) && c != '%' && c != '*';
}

static inline bool
imap_is_atom(char c)
{
	return imap_is_astring(c) && c != ']';
}

#endif
