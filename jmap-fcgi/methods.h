/* jmap-fcgi/methods.h - handlers that have no header of their own */
#ifndef JMAP_METHODS_H
#define JMAP_METHODS_H

#include "jmap-fcgi/jmap.h"

int core_echo(struct jmap_call *c);

#endif
