/* t/formats/sample.h - what a stored sample account has, as text */
#ifndef TEST_FORMATS_SAMPLE_H
#define TEST_FORMATS_SAMPLE_H

#include "libbase/buf.h"
#include "libstore/store.h"

#define SAMPLE_NAME "sample"

/* All that the API tells of the account; 0, or the first error. */
int sample_dump(struct store *st, struct buf *b);

#endif
