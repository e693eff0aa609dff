/* libmime/stem.c - the stems of words, by a module that is loaded when needed */
#include "config.h"

#include <dlfcn.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libmime/stem.h"

struct stem {
	const struct stem_module *m;
	void *p;
};

static const struct stem_module *
load(const char *dir)
{
	char *path = xasprintf("%s/stem.so", dir);
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct stem_module *m = NULL;

	if (handle == NULL)
		log_warn("words have no stems: %s", dlerror());
	else if ((m = dlsym(handle, "culver_stem_module")) == NULL ||
	    m->version != STEM_MODULE_VERSION || m->size != sizeof(*m)) {
		log_warn("%s: not a module of this version", path);
		m = NULL;
	}
	xfree(path);
	return m;
}

struct stem *
stem_open(const char *dir, const char *language)
{
	static const struct stem_module *m;
	static bool tried;
	struct stem *s;
	void *p;

	if (dir == NULL || language == NULL || strcmp(language, "none") == 0)
		return NULL;
	if (!tried)
		m = load(dir);
	tried = true;
	if (m == NULL || (p = m->open(language)) == NULL)
		return NULL;
	s = xmalloc(sizeof(*s));
	*s = (struct stem){ m, p };
	return s;
}

void
stem_close(struct stem **s)
{
	if (*s == NULL)
		return;
	(*s)->m->close((*s)->p);
	xfree(*s);
	*s = NULL;
}

struct slice
stem_word(struct stem *s, struct slice word)
{
	size_t n;
	const char *p = s->m->word(s->p, word.p, word.n, &n);

	if (p == NULL)
		fatal("out of memory");
	return slice_make(p, n);
}
