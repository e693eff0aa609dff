/* libsession/mta-int.h - what the two ways to the MTA share */
#ifndef SESSION_MTA_INT_H
#define SESSION_MTA_INT_H

#include "libsession/mta.h"

enum { MTA_REPLY_MAX = 500 };	/* octets that are kept of one */

int mta_sendmail(const char *path, struct mta_mail *m, int64_t deadline,
    struct arena *a);
int mta_smtp(const char *relay, const char *hostname, struct mta_mail *m,
    int64_t deadline, struct arena *a);
/* All recipients, and the whole, got that answer. */
int mta_all(struct mta_mail *m, int rc, enum mta_stage stage, int code,
    struct slice reply);
/* "450 4.4.1 text" as one clean line. */
struct slice mta_line(struct arena *a, struct slice text);

#endif
