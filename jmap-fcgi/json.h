/* jmap-fcgi/json.h - hostile JSON in, JSON out, and small helpers on Jansson */
#ifndef JMAP_JSON_H
#define JMAP_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/buf.h"
#include "libbase/slice.h"

enum {
	JS_DEPTH_MAX = 64,	/* nesting of a request */
	JS_REF_DEPTH_MAX = 448,	/* of what a reference refers to */
	JS_WRITE_DEPTH_MAX = JS_REF_DEPTH_MAX + JS_DEPTH_MAX + 16
};

enum js_rc {
	JS_E_SYNTAX = -1,	/* not I-JSON (RFC 7493) */
	JS_E_DEPTH = -2,	/* nested deeper than JS_DEPTH_MAX */
	JS_E_COST = -3,		/* would need more memory than allowed */
	JS_E_VALUE = -4		/* a number or a key that we can't hold */
};

/* Once a process: Jansson's memory comes from xmalloc, so none of its
 * functions fails for want of it. */
void js_init(void);

/*
 * Parses one JSON text of any type.  max_cost bounds the memory (octets, an
 * estimate from above) which the tree will take, before it is built.
 */
int js_parse(struct slice in, size_t max_cost, json_t **v_r);

/* Appends v as compact JSON.  -1 where the buffer is full or v too deep. */
int js_write(struct buf *out, const json_t *v);

/*
 * What v takes: a bound of the octets when it is written, and near to its
 * memory.  Shared parts count as often as they appear.  Stops at max and
 * returns a value > max, as it does for a tree deeper than JS_REF_DEPTH_MAX.
 */
size_t js_size(const json_t *v, size_t max);

/* A string value's octets (they may hold NUL); {NULL, 0} if v is none. */
struct slice js_slice(const json_t *v);
/* A new string; octets that are not UTF-8 become U+FFFD. */
json_t *js_str(struct slice s);
/* A new string, or null where s.p is NULL. */
json_t *js_str_or_null(struct slice s);
/* A UTCDate (RFC 8620 1.4) of seconds since 1970. */
json_t *js_time(int64_t t);
/* o[key] = v, v is taken over. */
void js_put(json_t *o, const char *key, json_t *v);
/* The same, or null where v is an object or array without members. */
void js_put_some(json_t *o, const char *key, json_t *v);
void js_put_str(json_t *o, const char *key, const char *s);
/* An integer within +-(2^53 - 1), also when written as 1e3 or 5.0 (RFC 8620
 * section 1.3).  0, or -1. */
int js_int(const json_t *v, int64_t *i_r);
int js_uint(const json_t *v, uint64_t *u_r);
/* 1..255 of A-Z a-z 0-9 - _ (RFC 8620 section 1.2). */
bool js_is_id(struct slice s);

#endif
