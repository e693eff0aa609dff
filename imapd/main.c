/* imapd/main.c - the IMAP server: one connection, or a listener of them */
#include "config.h"

#include "imapd/imap.h"

int
main(int argc, char **argv)
{
	static const struct server srv = {
		.name = "imapd",
		.protocol = CONF_IMAP,
		.serve = imap_serve,
		.busy_line = "* BYE [UNAVAILABLE] Too busy, try later\r\n"
	};

	return server_main(argc, argv, &srv);
}
