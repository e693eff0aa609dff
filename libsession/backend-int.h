/* libsession/backend-int.h - between backend.c and the module pam.so */
#ifndef SESSION_BACKEND_INT_H
#define SESSION_BACKEND_INT_H

#include <stddef.h>
#include <stdint.h>

enum { PAM_MODULE_VERSION = 1 };

/* The module exports this structure as "culver_pam_module".  It links libpam,
 * and nothing of ours. */
struct pam_module {
	uint32_t version;	/* PAM_MODULE_VERSION, and the size of this */
	uint32_t size;
	/* 1 right, 0 wrong, -1 not to be told now; why is for the log.  dir: of
	 * the services, or NULL: the system's.  alloc: zeroed, never NULL, for
	 * free(). */
	int (*check)(const char *service, const char *dir, const char *user,
	    const char *password, const char *host,
	    void *(*alloc)(size_t n), char *why, size_t why_size);
};

#endif
