/* libsession/proxy.c - the client's address by the PROXY protocol */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "libbase/text.h"
#include "libsession/proxy.h"

enum {
	WAIT_MS = 10000,
	SIGNATURE = 12,		/* of version 2; the shortest line has 15 */
	LINE = 107,		/* the longest of version 1, with its CRLF */
	HEAD = 16,		/* of version 2, before the addresses */
	V4_BLOCK = 12, V6_BLOCK = 36
};

static const char signature[SIGNATURE] = "\r\n\r\n\0\r\nQUIT\n";

struct input {
	int fd;
	const sigset_t *mask;
	const volatile sig_atomic_t *stop;
	int64_t until;		/* time_mono_ms() */
	const char *why;
};

/* All n octets.  0 or -1. */
static int
get(struct input *in, void *p, size_t n)
{
	struct pollfd pfd = { .fd = in->fd, .events = POLLIN };
	char *to = p;

	while (n > 0) {
		int64_t left = in->until - time_mono_ms();
		struct timespec ts = { left / 1000, left % 1000 * 1000000 };
		ssize_t k = recv(in->fd, to, n, MSG_DONTWAIT);

		if (k > 0) {
			to += k;
			n -= (size_t)k;
		} else if (k == 0 || (errno != EAGAIN && errno != EINTR)) {
			in->why = "the connection ended before its header did";
			return -1;
		} else if (*in->stop || left <= 0 ||
		    (ppoll(&pfd, 1, &ts, in->mask) < 0 && errno != EINTR)) {
			in->why = "there was no whole PROXY header in time";
			return -1;
		}
	}
	return 0;
}

static bool
get_line(struct input *in, char line[LINE + 1], size_t n)
{
	while (n < LINE) {
		if (get(in, line + n, 1) < 0)
			return false;
		if (line[n++] == '\n')
			break;
	}
	if (n < 2 || line[n - 2] != '\r' || line[n - 1] != '\n')
		return false;
	line[n - 2] = '\0';
	return strlen(line) == n - 2;
}

/* "192.0.2.1 198.51.100.1 4000 143".  0 or -1. */
static int
parse_addresses(char *s, int family, char peer[PEER_MAX])
{
	unsigned char a[16] = { [10] = 0xff, [11] = 0xff }, b[16];
	const char *word[4];
	uint64_t port, to;

	for (int i = 0; i < 4; i++) {
		size_t n = strcspn(s, " ");

		word[i] = s;
		s += n;
		if (n == 0 || (*s == '\0') != (i == 3))
			return -1;
		if (*s != '\0')
			*s++ = '\0';
	}
	if (inet_pton(family, word[0], family == AF_INET ? a + 12 : a) != 1 ||
	    inet_pton(family, word[1], b) != 1 ||
	    slice_uint(slice_str(word[2]), 65535, &port) < 0 ||
	    slice_uint(slice_str(word[3]), 65535, &to) < 0)
		return -1;
	peer_format(a, (uint16_t)port, peer);
	return 1;
}

/* 2.1.  As version_2(). */
static int
version_1(struct input *in, char line[LINE + 1], char peer[PEER_MAX])
{
	int rc = -1;

	if (!get_line(in, line, SIGNATURE)) {
		if (in->why == NULL)
			in->why = "not a PROXY header";
		return -1;
	}
	if (strncmp(line, "PROXY UNKNOWN", 13) == 0 &&
	    (line[13] == '\0' || line[13] == ' '))
		return 0;
	if (strncmp(line, "PROXY TCP4 ", 11) == 0)
		rc = parse_addresses(line + 11, AF_INET, peer);
	else if (strncmp(line, "PROXY TCP6 ", 11) == 0)
		rc = parse_addresses(line + 11, AF_INET6, peer);
	if (rc < 0)
		in->why = "not an address in the PROXY header";
	return rc;
}

/* What follows the addresses: type-length-values, not needed. */
static int
skip(struct input *in, size_t n)
{
	char waste[512];

	while (n > 0) {
		size_t k = n < sizeof(waste) ? n : sizeof(waste);

		if (get(in, waste, k) < 0)
			return -1;
		n -= k;
	}
	return 0;
}

/* 2.2.  1: there is a client in peer; 0: the proxy speaks for itself, or of
 * nobody who has an address; -1. */
static int
version_2(struct input *in, unsigned char head[HEAD], char peer[PEER_MAX])
{
	unsigned char block[V6_BLOCK], a[16] = { [10] = 0xff, [11] = 0xff };
	size_t n, want;
	bool v4, v6;

	if (get(in, head + SIGNATURE, HEAD - SIGNATURE) < 0)
		return -1;
	n = (size_t)head[14] << 8 | head[15];
	if (head[12] == 0x20)		/* LOCAL */
		return skip(in, n);
	if (head[12] != 0x21) {
		in->why = "not a command of PROXY version 2";
		return -1;
	}
	v4 = head[13] == 0x11;		/* TCP over IPv4 */
	v6 = head[13] == 0x21;
	if (!v4 && !v6)
		return skip(in, n);
	want = v4 ? V4_BLOCK : V6_BLOCK;
	if (n < want) {
		in->why = "the PROXY header is too short for its addresses";
		return -1;
	}
	if (get(in, block, want) < 0 || skip(in, n - want) < 0)
		return -1;
	memcpy(v4 ? a + 12 : a, block, v4 ? 4 : 16);
	want -= 4;			/* the ports, source first */
	peer_format(a, (uint16_t)(block[want] << 8 | block[want + 1]), peer);
	return 1;
}

int
proxy_client(const struct conf_listener *l, int fd, const sigset_t *mask,
    const volatile sig_atomic_t *stop, char peer[PEER_MAX], bool *true_r,
    const char **why_r)
{
	struct input in = { .fd = fd, .mask = mask, .stop = stop };
	unsigned char a[16];
	char start[LINE + 1];
	int rc;

	*true_r = false;
	if (l->n_proxies == 0 || !peer_address(peer, a) ||
	    !peer_in(a, l->proxies, l->n_proxies))
		return 0;
	in.until = time_mono_ms() + WAIT_MS;
	if ((rc = get(&in, start, SIGNATURE)) < 0)
		;
	else if (memcmp(start, signature, SIGNATURE) == 0)
		rc = version_2(&in, (unsigned char *)start, peer);
	else if (memcmp(start, "PROXY ", 6) == 0)
		rc = version_1(&in, start, peer);
	else {
		in.why = "not a PROXY header";
		rc = -1;
	}
	*why_r = in.why;
	*true_r = rc == 1;
	return rc < 0 ? -1 : 0;
}
