/* libsession/protocols.h - sets of protocols that one can log in by */
#ifndef SESSION_PROTOCOLS_H
#define SESSION_PROTOCOLS_H

#include <stdbool.h>

#include "conf/conf.h"
#include "libbase/buf.h"
#include "libbase/slice.h"

/* 1 << enum conf_protocol, or-ed. */
#define PROTOCOLS_ALL (1U << CONF_IMAP | 1U << CONF_JMAP | 1U << CONF_POP3)

/* Words with sep between them; false: one is none of "imap", "jmap", "pop3",
 * or there is none. */
bool protocols_parse(struct slice s, char sep, unsigned *set_r);
/* "imap+pop3" */
void protocols_put(struct buf *b, unsigned set);

#endif
