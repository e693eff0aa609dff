/* libsession/module.h - modules: what links libraries that few logins need */
#ifndef SESSION_MODULE_H
#define SESSION_MODULE_H

#include <stdint.h>

#include "libbase/arena.h"

/* Every module's structure begins so. */
struct module {
	uint32_t version, size;
};

/*
 * The structure that module-dir/NAME.so exports, if it is of that version and
 * size; it is loaded once and never unloaded.  NULL, and why in *why_r (in the
 * arena).  For several threads.
 */
const void *module_load(const char *dir, const char *name,
    const char *symbol, struct module want, struct arena *a,
    const char **why_r);

#endif
