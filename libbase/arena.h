/* libbase/arena.h - memory that dies together: one arena a command or request */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "slice.h"

struct arena; /* opaque */

/*
 * A new arena.  max is the most octets that may be allocated between two
 * resets (0: no limit); past it arena_full() turns true and stays so until the
 * reset, allocations still succeed up to twice max, and past that the process
 * ends by fatal(): a caller checks arena_full() wherever input decides size.
 */
struct arena *arena_new(size_t max);
/* Runs the deferred functions, frees all, clears *a.  No-op on NULL. */
void arena_free(struct arena **a);
/* Runs the deferred functions (last first) and forgets all objects; one block
 * of up to 64 KB is kept for reuse. */
void arena_reset(struct arena *a);
bool arena_full(const struct arena *a);
/* Octets given out since the last reset. */
size_t arena_used(const struct arena *a);

/* Zeroed, aligned to 16, never NULL.  n == 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* n objects of size octets; a product that overflows is fatal(). */
void *arena_calloc(struct arena *a, size_t n, size_t size);
/* Copies; the copy is also NUL-ended (not counted in n). */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *p, size_t n);
struct slice arena_slice(struct arena *a, struct slice s);
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* fn(p) runs when the arena is reset or freed: for descriptors and handles. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);

/* For growing arrays: returns an array of at least need objects of size octets
 * that begins with the *cap old ones, and updates *cap. */
void *arena_grow(struct arena *a, void *old, size_t *cap, size_t need,
    size_t size);

#endif
