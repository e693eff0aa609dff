/*
 * libsession/trace.h - what one account's clients and its server say, in a file
 *
 * For finding a fault, and off unless trace-accounts names the account.  What
 * comes before the login isn't there, and so no password; of what is long, as
 * messages are, only the beginning is.
 */
#ifndef SESSION_TRACE_H
#define SESSION_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "libbase/slice.h"

struct trace;

/* Is that account's traffic to be written? */
bool trace_wanted(const struct conf *c, const char *account);
/*
 * A file trace-dir/ACCOUNT.PROTOCOL.TIME.PID, readable by its owner alone, which
 * begins with peer.  NULL: none is wanted, or can be made (which is logged).  As
 * the service user, before confine_account().
 */
struct trace *trace_open(const struct conf *c, const char *account,
    enum conf_protocol protocol, const char *peer);
/* who: "C" or "S".  At trace-size the file ends. */
void trace_put(struct trace *t, const char *who, struct slice octets);
/* So many octets went by that were not looked at. */
void trace_skip(struct trace *t, const char *who, uint64_t n);
void trace_close(struct trace **t);

#endif
