/* jmap-fcgi/uri.h - what stands in URLs and HTTP header fields */
#ifndef JMAP_URI_H
#define JMAP_URI_H

#include <stdbool.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"

/* Percent-decodes (RFC 3986); plus: "+" is a blank.  -1 for a bad escape. */
int uri_decode(struct arena *a, struct slice s, bool plus,
    struct slice *out_r);
/* The decoded value of a query parameter.  0; 1: absent; -1: bad escape. */
int uri_param(struct arena *a, struct slice query, const char *name,
    struct slice *out_r);
/*
 * Matches a raw path against a pattern whose segments are literal or "{}"; the
 * decoded variables go to var (at most max).  1 or 0.
 */
int uri_match(struct arena *a, const char *pattern, struct slice path,
    struct slice *var, size_t max);
/* host or host:port as it may stand in a URL: a name, IPv4 or [IPv6]. */
bool http_host_ok(struct slice s);
/* A media type with parameters, printable ASCII only (RFC 9110 8.3.1). */
bool http_media_type_ok(struct slice s);
/* The type without parameters, equal to want in any case? */
bool http_media_type_is(struct slice s, const char *want);
/* The value of Content-Disposition for a download (RFC 6266). */
void http_disposition(struct buf *out, struct slice name);

#endif
