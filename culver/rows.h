/* culver/rows.h - what a command answers with --json: an array of objects */
#ifndef CULVER_ROWS_H
#define CULVER_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"

struct rows {
	bool json;	/* else these functions print nothing */
	size_t n;
};
/* Prints an object, a line of its own; takes it over. */
void rows_put(struct rows *r, json_t *o);
/* The same of one object that is all there is. */
void row_alone(json_t *o);
/* The end of the array. */
void rows_end(const struct rows *r);

/* Members: octets that aren't UTF-8 are shown as \xNN; 0 may mean null. */
void row_text(json_t *o, const char *key, struct slice s);
void row_u64(json_t *o, const char *key, uint64_t v);
/* RFC 3339, in UTC; row_until: 0 is null. */
void row_time(json_t *o, const char *key, int64_t t);
void row_until(json_t *o, const char *key, int64_t t);
void row_limit(json_t *o, const char *key, uint64_t v);

#endif
