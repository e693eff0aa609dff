/* libsession/peer.h - who is at the other end, as an address and in words */
#ifndef SESSION_PEER_H
#define SESSION_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_MAX = 128 };

/* "192.0.2.1:4000", "[2001:db8::1]:4000", "unix:1000", "stdio"; local: on this
 * host. */
void peer_name(int fd, char out[PEER_MAX], bool *local_r);
/* The same of an address (16 octets, IPv4 as IPv6 maps it) and a port. */
void peer_format(const unsigned char a[16], uint16_t port, char out[PEER_MAX]);
/* The address in such a text; false: it has none. */
bool peer_address(const char *peer, unsigned char out[16]);
bool peer_is_loopback(const unsigned char a[16]);
/* In one of the networks (see conf_network())? */
bool peer_in(const unsigned char a[16], const char *const *networks, size_t n);

#endif
