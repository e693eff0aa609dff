/* jmap-fcgi/listen.h - the listening socket, as descriptor 0 */
#ifndef JMAP_LISTEN_H
#define JMAP_LISTEN_H

#include <stdbool.h>

#include "conf/conf.h"

/*
 * Is there one already: descriptor 0, as FastCGI and inetd have it, or what
 * LISTEN_FDS passes (sd_listen_fds(3))?  Then it is descriptor 0 now.
 */
bool listen_given(void);
/* Makes it from the listener's first address; ends the process on failure. */
void listen_open(const struct conf_listener *l);

/* Is descriptor 0 a Unix-domain socket? */
bool listen_local(void);

#endif
