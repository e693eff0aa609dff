/* libsession/listen-fds.c - the sockets that systemd passes (sd_listen_fds(3)) */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "libsession/session.h"

size_t
listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t n;

	if (pid == NULL || fds == NULL ||
	    slice_uint(slice_str(pid), UINT32_MAX, &n) < 0 ||
	    n != (uint64_t)getpid() ||
	    slice_uint(slice_str(fds), LISTEN_FDS_MAX, &n) < 0)
		return 0;
	return (size_t)n;
}
