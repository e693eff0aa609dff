/*
 * jmap-fcgi/cors.c - pages of other origins that may use this server (CORS, Fetch
 * standard 3.2)
 *
 * A browser tells who asks, and keeps the answer from a page whose origin we don't
 * name.  Only origins that are configured are named; "*" stands for all, but then
 * a page has to know the password itself: what the browser remembers is not sent.
 */
#include "config.h"

#include "jmap-fcgi/web.h"

/* The configured word which the request's origin fits, or NULL. */
static const char *
allowed(const struct web *w, struct slice origin)
{
	const struct conf *cf = w->env->conf;
	const char *any = NULL;

	for (size_t i = 0; i < cf->n_jmap_origins; i++) {
		if (slice_ieq(origin, slice_str(cf->jmap_origins[i])))
			return cf->jmap_origins[i];
		if (strcmp(cf->jmap_origins[i], "*") == 0)
			any = cf->jmap_origins[i];
	}
	return any;
}

/* What a page may ask and send. */
static void
preflight(struct buf *out, unsigned methods)
{
	buf_printf(out, "Access-Control-Allow-Methods: %s\r\n",
	    web_methods(methods));
	buf_add_str(out, "Access-Control-Allow-Headers: Authorization, "
	    "Content-Type, If-None-Match, If-Range, Last-Event-ID, "
	    "Range\r\n"
	    "Access-Control-Max-Age: 86400\r\n");
}

void
cors_head(const struct web *w, struct buf *out)
{
	struct slice origin = web_env(w, "HTTP_ORIGIN");
	const char *word;

	if (w->env->conf->n_jmap_origins == 0)
		return;
	buf_add_str(out, "Vary: Origin\r\n");
	if (origin.n == 0 || (word = allowed(w, origin)) == NULL)
		return;
	buf_printf(out, "Access-Control-Allow-Origin: %s\r\n", word);
	if (strcmp(word, "*") != 0)
		buf_add_str(out, "Access-Control-Allow-Credentials: true\r\n");
	if (strcmp(w->method, "OPTIONS") == 0 && w->methods != 0)
		preflight(out, w->methods);
	else
		buf_add_str(out, "Access-Control-Expose-Headers: ETag, "
		    "Retry-After, Content-Disposition, Content-Range\r\n");
}
