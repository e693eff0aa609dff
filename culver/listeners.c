/* culver/listeners.c - what the files of all superservers have in common */
#include "config.h"

#include <string.h>

#include "culver/culver.h"
#include "culver/listeners.h"

void
made_begin(struct maker *m, bool program)
{
	buf_reset(&m->b);
	if (program)
		buf_add_str(&m->b, "#!/bin/sh\n");
	buf_printf(&m->b, MADE_MARK " --%s from %s,\n"
	    "# which is the place for changes: this file is written over.\n",
	    m->kind, m->conf_path);
}

void
made_end(struct maker *m, const char *name, bool program)
{
	m->v = arena_grow(m->a, m->v, &m->cap, m->n + 1, sizeof(*m->v));
	m->v[m->n++] = (struct made){ .name = arena_strdup(m->a, name),
		.program = program,
		.text = arena_slice(m->a, buf_slice(&m->b)) };
}

const char *
made_program(const struct conf_listener *l)
{
	static const char *const names[] = { [CONF_IMAP] = "imapd",
		[CONF_POP3] = "pop3d", [CONF_LMTP] = "lmtpd",
		[CONF_JMAP] = "jmap-fcgi" };

	return names[l->protocol];
}

const char *
made_option(const struct maker *m)
{
	return strcmp(m->conf_path, conf_default_path()) == 0 ? "" :
	    arena_printf(m->a, " -f %s", m->conf_path);
}

const char *
made_command(const struct maker *m, const struct conf_listener *l)
{
	return arena_printf(m->a, CULVER_DAEMONDIR "/%s%s -l %s",
	    made_program(l), made_option(m), l->name);
}

const char *
made_tool(const struct maker *m, const char *words)
{
	return arena_printf(m->a, CULVER_SBINDIR "/culver%s %s",
	    made_option(m), words);
}

const char *
made_unix(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
}

const char *
made_host(struct arena *a, const char *address)
{
	const char *end = strrchr(address, ':');

	if (*address == '[') {
		address++;
		end--;
	}
	return arena_strndup(a, address, (size_t)(end - address));
}

const char *
made_port(const char *address)
{
	return strrchr(address, ':') + 1;
}

bool
made_is_v6(const char *address)
{
	return *address == '[';
}

int
made_plain(const char *what, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+@~,:=-";

	if (text == NULL || text[strspn(text, plain)] == '\0')
		return 0;
	complain("%s \"%s\": files of other programs can't have this: letters, "
	    "digits and / . _ + @ ~ , : = - are good", what, text);
	return -1;
}
