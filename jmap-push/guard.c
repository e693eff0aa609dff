/* jmap-push/guard.c - addresses that users must not make us connect to */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "jmap-push/push.h"

struct net {
	const char *prefix;
	unsigned bits;
};

/* RFC 6890 and the registry that it made. */
static const struct net no4[] = {
	{ "0.0.0.0", 8 }, { "10.0.0.0", 8 }, { "100.64.0.0", 10 },
	{ "127.0.0.0", 8 }, { "169.254.0.0", 16 }, { "172.16.0.0", 12 },
	{ "192.0.0.0", 24 }, { "192.0.2.0", 24 }, { "192.88.99.0", 24 },
	{ "192.168.0.0", 16 }, { "198.18.0.0", 15 }, { "198.51.100.0", 24 },
	{ "203.0.113.0", 24 }, { "224.0.0.0", 3 }
};
/* Of what is given out (2000::/3): Teredo, ORCHID and more; examples. */
static const struct net no6[] = {
	{ "2001::", 23 }, { "2001:db8::", 32 }, { "3fff::", 20 }
};
static const struct net all6 = { "2000::", 3 };
/* Those with an address of IPv4 in them, which begins behind so many bits. */
static const struct {
	struct net net;
	unsigned at;
} with4[] = {
	{ { "::ffff:0.0.0.0", 96 }, 96 },	/* mapped */
	{ { "64:ff9b::", 96 }, 96 },		/* RFC 6052 */
	{ { "2002::", 16 }, 16 }		/* 6to4 */
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
within(int family, const unsigned char *addr, const struct net *net)
{
	unsigned char p[16];
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (inet_pton(family, net->prefix, p) != 1 ||
	    memcmp(addr, p, whole) != 0)
		return false;
	return rest == 0 || ((addr[whole] ^ p[whole]) >> (8 - rest)) == 0;
}

static bool
public4(const unsigned char *addr)
{
	for (size_t i = 0; i < COUNT(no4); i++)
		if (within(AF_INET, addr, &no4[i]))
			return false;
	return true;
}

static bool
public6(const unsigned char *addr)
{
	for (size_t i = 0; i < COUNT(with4); i++)
		if (within(AF_INET6, addr, &with4[i].net))
			return public4(addr + with4[i].at / 8);
	for (size_t i = 0; i < COUNT(no6); i++)
		if (within(AF_INET6, addr, &no6[i]))
			return false;
	return within(AF_INET6, addr, &all6);
}

bool
address_public(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		return public4((const unsigned char *)&in.sin_addr);
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		return public6(in6.sin6_addr.s6_addr);
	}
	return false;
}
