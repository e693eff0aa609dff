/*
 * libsession/proxy.h - the client's address by the PROXY protocol
 *
 * HAProxy's specification, versions 1 (a line) and 2 (binary): what a load
 * balancer sends before the first octet of its client.
 */
#ifndef SESSION_PROXY_H
#define SESSION_PROXY_H

#include <signal.h>
#include <stdbool.h>

#include "conf/conf.h"
#include "libsession/peer.h"

/*
 * Where the peer (of peer_name()) is one of the listener's proxies: takes the
 * header off fd, and not an octet more, and puts its client into peer; a
 * connection of the proxy's own (LOCAL, UNKNOWN) keeps the name.  Of others,
 * nothing is read.  true_r: another's address was put.  0, or -1 and in *why_r
 * what is wrong: nothing the peer says can be believed then.
 * mask, stop: as for session_run(); it takes at most ten seconds.
 */
int proxy_client(const struct conf_listener *l, int fd, const sigset_t *mask,
    const volatile sig_atomic_t *stop, char peer[PEER_MAX], bool *true_r,
    const char **why_r);

#endif
