/*
 * libsession/mta.h - handing mail over to the mail transfer agent
 */
#ifndef SESSION_MTA_H
#define SESSION_MTA_H

#include <stdbool.h>

#include "libbase/slice.h"

enum { MTA_ADDRESS_MAX = 254 };	/* octets; RFC 5321 4.5.3.1.3 less <> */
/*
 * May that be an address in an envelope (RFC 5321 Mailbox, RFC 6531): a local
 * part, "@", and a domain or an address literal, without blanks and controls?
 */
bool mta_address_ok(struct slice address);

#endif
