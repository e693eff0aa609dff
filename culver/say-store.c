/* culver/say-store.c - what a result code of libstore means, for people */
#include "config.h"

#include "culver/culver.h"
#include "libbase/log.h"

int
complain_store(const char *what, int rc, const struct store *st)
{
	const struct store_error *e = store_error(rc);
	const char *detail = st ? store_errmsg(st) : "";

	if (rc == STORE_E_NOTFOUND)
		complain("%s: not found", what);
	else if (rc == STORE_E_EXISTS)
		complain("%s: exists already", what);
	else if (detail && *detail)
		complain("%s: %s (%s)", what, e->text, detail);
	else
		complain("%s: %s", what, e->text);
	return e->retry ? EXIT_TEMP : EXIT_PERM;
}
