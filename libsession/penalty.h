/*
 * libsession/penalty.h - failed logins of one address, whatever the connection
 *
 * A table in run_dir, shared by all processes: who opens a hundred connections
 * to guess passwords has one count.  An IPv6 address counts with its /64.  This
 * host's own addresses (loopback, sockets) are not counted: a web server that
 * logs everybody in is not to be kept out.
 */
#ifndef SESSION_PENALTY_H
#define SESSION_PENALTY_H

#include <stdbool.h>

#include "conf/conf.h"

/* Did that peer ("192.0.2.1:4000", "[2001:db8::1]:4000", ...) fail as often as
 * address-failures says, within address-window?  false where that can't be told. */
bool penalty_over(const struct conf *c, const char *peer);
/* One more failure. */
void penalty_add(const struct conf *c, const char *peer);

#endif
