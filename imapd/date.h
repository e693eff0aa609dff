/* imapd/date.h - dates in commands (RFC 9051 date, date-time) */
#ifndef IMAPD_DATE_H
#define IMAPD_DATE_H

#include <stdint.h>

#include "libbase/slice.h"

/* "17-Jul-1996 02:44:25 -0700", the day may be " 7".  Seconds since 1970. */
int imap_date_time(struct slice s, int64_t *t_r);
/* "7-Jul-1996".  Days since 1970. */
int imap_date(struct slice s, int64_t *days_r);

#endif
