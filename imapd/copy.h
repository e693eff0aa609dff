/* imapd/copy.h - COPY and MOVE between accounts */
#ifndef IMAPD_COPY_H
#define IMAPD_COPY_H

#include "imapd/imap.h"

/*
 * Copies or moves messages of the selected mailbox (uids ascending, missing
 * ones are skipped) to a mailbox of whatever account, with those flags that may
 * be set there.  As store_msgs_copy().
 */
int copy_across(struct imap_cmd *cmd, const struct imap_place *to,
    const uint32_t *uids, size_t n, bool move, struct store_pair **p_r,
    size_t *n_r);

#endif
