/* conf/conf.c - reads culver.conf with libconfuse */
#include "config.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf-int.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

/*
 * A key that nobody writes stands after the file's text: where it is not
 * accepted, a section was still open (libconfuse takes the end of the file for
 * the end of any section).
 */
#define SENTINEL "end-of-configuration"

/* libconfuse hands its callbacks no argument of ours. */
static _Thread_local struct conf_loader *loading;

void
conf_fault(struct conf_loader *l, int line, const char *fmt, ...)
{
	char text[CONF_VALUE_LEN + 256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* One fault is one line, whatever the file quotes. */
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	l->failed = true;
	if (line > 0)
		buf_printf(&l->faults, "%s:%d: %s\n", l->path, line, text);
	else
		buf_printf(&l->faults, "%s: %s\n", l->path, text);
}

int
conf_key_line(const struct conf_section *sec, const char *name)
{
	for (size_t i = 0; sec->keys[i].name != NULL; i++)
		if (strcmp(sec->keys[i].name, name) == 0)
			return sec->line[i];
	return 0;
}

__attribute__((format(printf, 2, 0)))
static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct conf_loader *l = loading;
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (cfg->line <= l->end_line)
		conf_fault(l, cfg->line, "%s", text);
	else if (strstr(text, SENTINEL) != NULL)
		conf_fault(l, l->end_line, "a brace is not closed");
	else
		conf_fault(l, l->end_line, "the file ends early: %s", text);
}

static struct conf_section *
section_of(struct conf_loader *l, const cfg_t *cfg)
{
	if (strcmp(cfg->name, "listener") == 0)
		return &l->sec_listener;
	if (strcmp(cfg->name, "folder") == 0)
		return &l->sec_folder;
	if (strcmp(cfg->name, "tls") == 0)
		return &l->sec_cert;
	return &l->top;
}

/* libconfuse has read a value: take it over.  Faults don't stop the reading. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct conf_loader *l = loading;
	struct conf_section *sec = section_of(l, cfg);
	const struct conf_key *k = sec->keys;
	unsigned int n = cfg_opt_size(opt);
	const char *list[CONF_LIST_MAX];

	if (strcmp(opt->name, SENTINEL) == 0) {
		if (cfg->line <= l->end_line)
			conf_fault(l, cfg->line, "no such option '%s'",
			    SENTINEL);
		return 0;
	}
	while (strcmp(k->name, opt->name) != 0)
		k++;
	if (k->kind == CONF_K_LIST) {
		if (n > CONF_LIST_MAX) {
			conf_fault(l, cfg->line, "%s: more than %d values",
			    k->name, CONF_LIST_MAX);
			return -1;
		}
		/* Called for each value, and at the end: the last one, where
		 * all are here, counts. */
		for (unsigned int i = 0; i < n; i++)
			list[i] = cfg_opt_getnstr(opt, i);
		sec->line[k - sec->keys] = cfg->line;
		conf_list_set(l, k, sec->base, list, n, cfg->line);
		return 0;
	}
	if (sec->line[k - sec->keys] != 0)
		conf_fault(l, cfg->line, "%s: given twice, first in line %d",
		    k->name, sec->line[k - sec->keys]);
	sec->line[k - sec->keys] = cfg->line;
	conf_value_set(l, k, sec->base, cfg_opt_getnstr(opt, 0), cfg->line);
	return 0;
}

/* Empties a section's collection and fills in the defaults. */
static void
section_reset(struct conf_loader *l, struct conf_section *sec, size_t size)
{
	memset(sec->base, 0, size);
	memset(sec->line, 0, sizeof(sec->line));
	for (const struct conf_key *k = sec->keys; k->name != NULL; k++)
		if (k->def != NULL)
			conf_value_set(l, k, sec->base, k->def, 0);
}

static int
on_listener(cfg_t *cfg, cfg_opt_t *opt)
{
	struct conf_loader *l = loading;
	size_t i = l->c->n_listeners;
	const char *title =
	    cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1));

	if (i == CONF_SECTIONS_MAX) {
		conf_fault(l, cfg->line, "more than %d listeners",
		    CONF_SECTIONS_MAX);
		return -1;
	}
	l->listener_line[i] = cfg->line;
	l->listener.name = arena_strdup(l->a, title);
	l->listeners[i] = l->listener;
	l->address_line[i] = conf_key_line(&l->sec_listener, "address");
	l->tls_line[i] = conf_key_line(&l->sec_listener, "tls");
	l->c->n_listeners++;
	conf_check_listener(l, i);
	section_reset(l, &l->sec_listener, sizeof(l->listener));
	return 0;
}

static int
on_folder(cfg_t *cfg, cfg_opt_t *opt)
{
	struct conf_loader *l = loading;
	size_t i = l->c->n_folders;
	const char *title =
	    cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1)), *why;

	if (i == CONF_SECTIONS_MAX) {
		conf_fault(l, cfg->line, "more than %d folders",
		    CONF_SECTIONS_MAX);
		return -1;
	}
	if ((why = conf_check_folder(title)) != NULL)
		conf_fault(l, cfg->line, "folder: \"%.200s\" %s", title, why);
	l->folder_line[i] = cfg->line;
	l->folder.name = arena_strdup(l->a, title);
	l->folders[i] = l->folder;
	l->c->n_folders++;
	section_reset(l, &l->sec_folder, sizeof(l->folder));
	return 0;
}

static int
on_cert(cfg_t *cfg, cfg_opt_t *opt)
{
	struct conf_loader *l = loading;
	size_t i = l->c->n_certs;

	if (i == CONF_SECTIONS_MAX) {
		conf_fault(l, cfg->line, "more than %d tls sections",
		    CONF_SECTIONS_MAX);
		return -1;
	}
	l->cert_line[i] = cfg->line;
	l->cert.name = arena_strdup(l->a,
	    cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1)));
	l->certs[i] = l->cert;
	l->c->n_certs++;
	section_reset(l, &l->sec_cert, sizeof(l->cert));
	return 0;
}

/*
 * libconfuse miscounts the lines of comments, so they are turned into blanks
 * here.  Quoted text stays.  -1: a comment is not closed.
 */
static int
blank_comments(struct conf_loader *l, char *p)
{
	bool token = true;	/* a token may begin here */
	int line = 1, from;
	char quote = '\0';

	for (; *p != '\0'; p++) {
		if (*p == '\n')
			line++;
		if (quote != '\0') {
			if (*p == '\\' && p[1] != '\0' && p[1] != '\n')
				p++;
			else if (*p == quote)
				quote = '\0';
		} else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '#' || (token && *p == '/' && p[1] == '/')) {
			while (*p != '\0' && *p != '\n')
				*p++ = ' ';
			p--;
		} else if (token && *p == '/' && p[1] == '*') {
			from = line;
			p[0] = p[1] = ' ';
			for (p += 2; *p != '\0' && (*p != '*' || p[1] != '/');
			     p++) {
				if (*p == '\n')
					line++;
				else
					*p = ' ';
			}
			if (*p == '\0') {
				conf_fault(l, from, "the comment is not closed");
				return -1;
			}
			p[0] = p[1] = ' ';
			p++;
		}
		token = quote == '\0' && strchr(" \t\r\n={},", *p) != NULL;
	}
	return 0;
}

/* The file's text with the sentinel, or NULL and a fault. */
static char *
file_text(struct conf_loader *l)
{
	struct slice s;
	const char *nul;
	char *text;

	if (io_slurp(l->path, CONF_FILE_MAX, l->a, &s) < 0) {
		conf_fault(l, 0, "%s", strerror(errno));
		return NULL;
	}
	l->end_line = 1;
	nul = memchr(s.p, '\0', s.n);
	for (const char *p = s.p; p < (nul != NULL ? nul : s.p + s.n); p++)
		l->end_line += *p == '\n';
	if (nul != NULL) {
		conf_fault(l, l->end_line, "the file has a NUL octet");
		return NULL;
	}
	text = arena_printf(l->a, "%.*s\n" SENTINEL " = end\n", (int)s.n, s.p);
	text[s.n] = '\0';
	if (blank_comments(l, text) < 0)
		return NULL;
	text[s.n] = '\n';
	return text;
}

static void
opts_from_keys(cfg_opt_t *o, const struct conf_key *k)
{
	size_t i;

	for (i = 0; k[i].name != NULL; i++) {
		assert(i < CONF_KEYS_MAX);
		if (k[i].kind == CONF_K_LIST)
			o[i] = (cfg_opt_t)CFG_STR_LIST(k[i].name, NULL,
			    CFGF_NODEFAULT);
		else
			o[i] = (cfg_opt_t)CFG_STR(k[i].name, NULL,
			    CFGF_NODEFAULT);
		o[i].validcb = on_value;
	}
	o[i] = (cfg_opt_t)CFG_END();
}

/* 0, or -1 where libconfuse gave up (the fault is recorded). */
static int
parse(struct conf_loader *l, const char *text)
{
	cfg_opt_t top[CONF_KEYS_MAX + 5], listener[CONF_KEYS_MAX + 1],
	    folder[CONF_KEYS_MAX + 1], cert[CONF_KEYS_MAX + 1];
	const cfg_flag_t sec = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
	size_t n = 0;
	cfg_t *cfg;
	int rc;

	opts_from_keys(top, l->top.keys);
	opts_from_keys(listener, l->sec_listener.keys);
	opts_from_keys(folder, l->sec_folder.keys);
	opts_from_keys(cert, l->sec_cert.keys);
	while (top[n].name != NULL)
		n++;
	top[n] = (cfg_opt_t)CFG_SEC("listener", listener, sec);
	top[n++].validcb = on_listener;
	top[n] = (cfg_opt_t)CFG_SEC("folder", folder, sec);
	top[n++].validcb = on_folder;
	top[n] = (cfg_opt_t)CFG_SEC("tls", cert, sec);
	top[n++].validcb = on_cert;
	top[n] = (cfg_opt_t)CFG_STR(SENTINEL, NULL, CFGF_NODEFAULT);
	top[n++].validcb = on_value;
	top[n] = (cfg_opt_t)CFG_END();
	if ((cfg = cfg_init(top, CFGF_NONE)) == NULL)
		fatal("libconfuse: out of memory");
	cfg_set_error_function(cfg, on_error);
	loading = l;
	rc = cfg_parse_buf(cfg, text);
	loading = NULL;
	if (rc != CFG_SUCCESS && !l->failed)
		conf_fault(l, cfg->line, "cannot be read");
	cfg_free(cfg);
	return rc == CFG_SUCCESS ? 0 : -1;
}

int
conf_load(const char *path, struct conf **c_r, char **err_r)
{
	struct arena *a = arena_new(0);
	struct conf_box *box = arena_alloc(a, sizeof(*box));
	struct conf_loader *l = xcalloc(1, sizeof(*l));
	char *text;
	int rc = -1;

	box->a = a;
	l->a = a;
	l->c = &box->c;
	buf_init(&l->faults, CONF_FAULTS_MAX);
	l->top = (struct conf_section){ .keys = conf_top_keys, .base = l->c };
	l->sec_listener = (struct conf_section){ .keys = conf_listener_keys,
		.base = &l->listener };
	l->sec_folder = (struct conf_section){ .keys = conf_folder_keys,
		.base = &l->folder };
	l->sec_cert = (struct conf_section){ .keys = conf_cert_keys,
		.base = &l->cert };
	l->path = arena_strdup(a, path);
	section_reset(l, &l->top, sizeof(*l->c));
	section_reset(l, &l->sec_listener, sizeof(l->listener));
	section_reset(l, &l->sec_folder, sizeof(l->folder));
	section_reset(l, &l->sec_cert, sizeof(l->cert));
	l->c->path = l->path;
	l->listeners = arena_calloc(a, CONF_SECTIONS_MAX, sizeof(*l->listeners));
	l->folders = arena_calloc(a, CONF_SECTIONS_MAX, sizeof(*l->folders));
	l->certs = arena_calloc(a, CONF_SECTIONS_MAX, sizeof(*l->certs));
	l->c->certs = l->certs;
	l->c->listeners = l->listeners;
	l->c->folders = l->folders;
	if ((text = file_text(l)) != NULL && parse(l, text) == 0)
		conf_check(l);
	if (!l->failed) {
		*c_r = &box->c;
		rc = 0;
	} else {
		*err_r = xstrndup(l->faults.p != NULL ? l->faults.p : "",
		    l->faults.n);
		arena_free(&a);
	}
	buf_release(&l->faults);
	xfree(l);
	return rc;
}

void
conf_free(struct conf **c)
{
	struct arena *a;

	if (*c == NULL)
		return;
	/* The first member; the box lives in its own arena. */
	a = ((struct conf_box *)(void *)*c)->a;
	arena_free(&a);
	*c = NULL;
}

struct arena *
conf_arena(const struct conf *c)
{
	return ((const struct conf_box *)(const void *)c)->a;
}

const struct conf_listener *
conf_listener(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		if (strcmp(c->listeners[i].name, name) == 0)
			return &c->listeners[i];
	return NULL;
}

const char *
conf_default_path(void)
{
	return CULVER_SYSCONFDIR "/culver/culver.conf";
}
