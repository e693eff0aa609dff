/* libsession/run-file.h - files of ours in run-dir, which processes share */
#ifndef SESSION_RUN_FILE_H
#define SESSION_RUN_FILE_H

#include "conf/conf.h"

/* A descriptor of run-dir/NAME to read and write, made if it isn't there; -1
 * with errno, or EPERM with a line in the log: it isn't a file that nobody else
 * may read or write. */
int run_file_open(const struct conf *c, const char *name);

#endif
