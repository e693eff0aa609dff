/* libsession/protocols.h - sets of protocols that one can log in by */
#ifndef SESSION_PROTOCOLS_H
#define SESSION_PROTOCOLS_H

#include <stdbool.h>

#include "conf/conf.h"
#include "libbase/buf.h"
#include "libbase/slice.h"

/* 1 << enum conf_protocol, or-ed. */
#define PROTOCOLS_ALL (1U << CONF_IMAP | 1U << CONF_JMAP | 1U << CONF_POP3)

/* "imap+pop3"; false: a word is none of "imap", "jmap", "pop3", or there is
 * none. */
bool protocols_parse(struct slice s, unsigned *set_r);
/* The same text. */
void protocols_put(struct buf *b, unsigned set);

#endif
