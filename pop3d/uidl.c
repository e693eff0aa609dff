/* pop3d/uidl.c - unique-ids of messages (RFC 1939 section 7) */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pop3d/pop3.h"

/* "08X": a width, and whether it is hexadecimal. */
static void
put_number(struct sio *io, uint32_t v, int width, char base)
{
	if (base == 'x')
		sio_printf(io, "%0*" PRIx32, width, v);
	else if (base == 'X')
		sio_printf(io, "%0*" PRIX32, width, v);
	else
		sio_put_u64(io, v);
}

void
uidl_put(struct pop3 *p, const struct pop3_msg *m)
{
	struct sio *io = p->s->io;
	const char *s = p->s->conf->pop3_uidl, *pc;

	for (; (pc = strchr(s, '%')) != NULL; s = pc + 1) {
		char base = '\0';
		int width;

		sio_put(io, s, (size_t)(pc - s));
		/* conf_check_uidl() has seen it. */
		width = (int)strtol(pc + 1, (char **)(uintptr_t)&pc, 10);
		if (*pc == 'x' || *pc == 'X')
			base = *pc++;
		if (*pc == 'e')
			sio_printf(io, "%016" PRIx64, m->email);
		else if (*pc == '%')
			sio_puts(io, "%");
		else
			put_number(io, *pc == 'u' ? m->uid :
			    p->drop.uidvalidity, width, base);
	}
	sio_puts(io, s);
}
