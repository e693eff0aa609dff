/* jmap-fcgi/mdn.h - message disposition notifications (RFC 9007, RFC 8098) */
#ifndef JMAP_MDN_H
#define JMAP_MDN_H

#include "jmap-fcgi/type.h"

/* The words of a Disposition object, as JSON has them. */
enum mdn_part { MDN_ACTION, MDN_SENDING, MDN_TYPE, MDN_PARTS };
extern const char *const mdn_disposition_names[MDN_PARTS];
/* The word out of the list that is s, whatever its case; or NULL. */
const char *mdn_disposition_word(enum mdn_part p, struct slice s);

extern const struct jmap_arg mdn_parse_args[], mdn_send_args[];
int mdn_parse(struct jmap_call *c);
int mdn_send(struct jmap_call *c);

#endif
