/* jmap-fcgi/listen.c - the listening socket, as descriptor 0 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "jmap-fcgi/listen.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/session.h"

static bool
is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 &&
	    on != 0;
}

static void
to_zero(int fd)
{
	if (dup2(fd, 0) < 0)
		fatal("dup2: %s", strerror(errno));
	if (fd != 0)
		io_close(&fd);
}

bool
listen_given(void)
{
	if (listen_fds() == 1 && is_listening(LISTEN_FDS_START)) {
		to_zero(LISTEN_FDS_START);
		return true;
	}
	return is_listening(0);
}

/* What a dead server left behind; a living one is left alone. */
static void
remove_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd;

	if (lstat(sun->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)sun,
	    sizeof(*sun)) < 0 && errno == ECONNREFUSED)
		unlink(sun->sun_path);
	io_close(&fd);
}

static int
to_group(const char *path, const char *name)
{
	const struct group *g = getgrnam(name);

	if (g == NULL)
		fatal_perm("there is no group \"%s\"", name);
	return lchown(path, (uid_t)-1, g->gr_gid);
}

static void
open_unix(const struct conf_listener *l, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		fatal_perm("%s: too long for a socket", path);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	remove_stale(&sun);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	mask = umask(0117);
	rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(mask);
	if (rc == 0 && l->socket_group != NULL)
		rc = to_group(path, l->socket_group);
	if (rc < 0 || listen(fd, (int)l->backlog) < 0)
		fatal_perm("%s: %s", path, strerror(errno));
	to_zero(fd);
}

static void
open_tcp(const struct conf_listener *l, const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM }, *ai;
	char *host;
	int fd, on = 1;

	if (n == 0)
		fatal_perm("%s: not an address", address);
	host = address[0] == '[' && n > 2 ? xstrndup(address + 1, n - 2) :
	    xstrndup(address, n);
	if (getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, colon + 1,
	    &hints, &ai) != 0)
		fatal_perm("%s: not an address", address);
	fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    listen(fd, (int)l->backlog) < 0)
		fatal_perm("%s: %s", address, strerror(errno));
	freeaddrinfo(ai);
	xfree(host);
	to_zero(fd);
}

void
listen_open(const struct conf_listener *l)
{
	const char *address;

	if (l->n_addresses == 0)
		fatal_perm("listener \"%s\" has no address, and descriptor 0 "
		    "is not a listening socket", l->name);
	address = l->addresses[0];
	if (strncmp(address, "unix:", 5) == 0)
		open_unix(l, address + 5);
	else
		open_tcp(l, address);
}

bool
listen_local(void)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);

	return getsockname(0, (struct sockaddr *)&ss, &n) == 0 &&
	    ss.ss_family == AF_UNIX;
}
