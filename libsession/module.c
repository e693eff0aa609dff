/* libsession/module.c - modules: what links libraries that few logins need */
#include "config.h"

#include <dlfcn.h>

#include "libsession/module.h"

const void *
module_load(const char *dir, const char *name, const char *symbol,
    struct module want, struct arena *a, const char **why_r)
{
	const char *path = arena_printf(a, "%s/%s.so", dir, name);
	const struct module *m = NULL;
	void *handle;

	/* Again and again the same handle, with no more work than a look-up. */
	if ((handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)) != NULL)
		m = dlsym(handle, symbol);
	if (m == NULL) {
		*why_r = arena_printf(a, "module: %s", dlerror());
		return NULL;
	}
	if (m->version != want.version || m->size != want.size) {
		*why_r = arena_printf(a, "%s: not of this version", path);
		return NULL;
	}
	return m;
}
