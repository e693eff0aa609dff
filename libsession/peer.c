/* libsession/peer.c - who is at the other end, as an address and in words */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "conf/conf.h"
#include "libsession/peer.h"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool
is_v4(const unsigned char a[16])
{
	return memcmp(a, mapped, sizeof(mapped)) == 0;
}

static void
map_v4(const void *v4, unsigned char out[16])
{
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + sizeof(mapped), v4, 4);
}

void
peer_format(const unsigned char a[16], uint16_t port, char out[PEER_MAX])
{
	char text[INET6_ADDRSTRLEN];

	if (is_v4(a)) {
		inet_ntop(AF_INET, a + sizeof(mapped), text, sizeof(text));
		snprintf(out, PEER_MAX, "%s:%u", text, port);
	} else {
		inet_ntop(AF_INET6, a, text, sizeof(text));
		snprintf(out, PEER_MAX, "[%s]:%u", text, port);
	}
}

bool
peer_is_loopback(const unsigned char a[16])
{
	struct in6_addr v6;

	memcpy(&v6, a, sizeof(v6));
	return is_v4(a) ? a[sizeof(mapped)] == 127 : IN6_IS_ADDR_LOOPBACK(&v6);
}

bool
peer_in(const unsigned char a[16], const char *const *networks, size_t n)
{
	unsigned char net[16];
	unsigned bits, i;

	for (size_t k = 0; k < n; k++) {
		if (conf_network(networks[k], net, &bits) < 0)
			continue;
		for (i = 0; i < bits; i++)
			if ((net[i / 8] ^ a[i / 8]) & 0x80 >> i % 8)
				break;
		if (i == bits)
			return true;
	}
	return false;
}

bool
peer_address(const char *peer, unsigned char out[16])
{
	const char *end = strrchr(peer, ':');
	struct in_addr v4;
	char text[INET6_ADDRSTRLEN];
	size_t n;

	if (end == NULL)
		return false;
	if (*peer == '[' && end > peer && end[-1] == ']') {
		peer++;
		end--;
	}
	if ((n = (size_t)(end - peer)) >= sizeof(text))
		return false;
	memcpy(text, peer, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1) {
		map_v4(&v4, out);
		return true;
	}
	return inet_pton(AF_INET6, text, out) == 1;
}

/* Of a Unix socket: the user. */
static void
unix_name(int fd, char out[PEER_MAX])
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0)
		snprintf(out, PEER_MAX, "unix:%ld", (long)peer.uid);
	else
		snprintf(out, PEER_MAX, "unix");
}

void
peer_name(int fd, char out[PEER_MAX], bool *local_r)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage all;
	} sa;
	socklen_t n = sizeof(sa);
	unsigned char a[16];

	memset(&sa, 0, sizeof(sa));
	*local_r = true;
	if (getpeername(fd, &sa.any, &n) < 0) {
		/* Also a client that is gone already. */
		*local_r = getsockopt(fd, SOL_SOCKET, SO_TYPE, &(int){ 0 },
		    &(socklen_t){ sizeof(int) }) < 0;
		snprintf(out, PEER_MAX, *local_r ? "stdio" : "unknown");
		return;
	}
	if (sa.any.sa_family != AF_INET && sa.any.sa_family != AF_INET6) {
		unix_name(fd, out);
		return;
	}
	if (sa.any.sa_family == AF_INET)
		map_v4(&sa.v4.sin_addr, a);
	else
		memcpy(a, &sa.v6.sin6_addr, sizeof(a));
	/* The port is at the same place in both. */
	peer_format(a, ntohs(sa.v4.sin_port), out);
	*local_r = peer_is_loopback(a);
}
