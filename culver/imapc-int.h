/* culver/imapc-int.h - between the files of the IMAP client */
#ifndef CULVER_IMAPC_INT_H
#define CULVER_IMAPC_INT_H

#include <sys/types.h>

#include "culver/imapc.h"

struct imapc_tls;

struct imapc {
	int fd;
	pid_t pid;		/* of imapd; -1 */
	struct imapc_tls *tls;	/* imapc-net.c's, or NULL */
	char *name;		/* for complaints */
	struct buf in;
	size_t used;		/* octets of in that were handed out */
	unsigned tag;
	bool inside;		/* a response goes on after a literal */
	bool failed;
};

struct imapc *imapc_new(int fd, const char *name);
/* As read(2), and all of it; -1 with errno. */
ssize_t imapc_tls_read(struct imapc *m, void *p, size_t n);
int imapc_tls_write(struct imapc *m, const void *p, size_t n);
void imapc_tls_end(struct imapc *m);
int imapc_greeting(struct imapc *m, bool *preauth_r);
/* As imapc_close(); the exit code of imapd. */
int imapc_end(struct imapc **m);

#endif
