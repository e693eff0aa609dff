/* jmap-fcgi/core-echo.c - Core/echo (RFC 8620 4) */
#include "config.h"

#include "jmap-fcgi/methods.h"

int
core_echo(struct jmap_call *c)
{
	json_object_update(c->out, c->args);
	return jmap_charge(c, js_size(c->out, c->req->left));
}
