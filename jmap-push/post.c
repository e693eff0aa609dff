/* jmap-push/post.c - requests to push services (RFC 8030 5), by libcurl */
#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jmap-push/push.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum {
	TIMEOUT_S = 30, CONNECT_S = 10,
	RESPONSE_MAX = 65536,	/* octets; nobody reads them */
	TTL_MAX_S = 7 * 86400, CODE_TTL_S = 86400,
	TOKEN_S = 12 * 3600	/* RFC 8292 2: 24 hours at most */
};

struct posts {
	struct pusher *p;
	CURLM *multi;
	size_t n;
};

/* One that is under way. */
struct job {
	struct post post;	/* without its slices */
	struct posts *posts;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	size_t got;
	bool refused;		/* the address is none to connect to */
	char err[CURL_ERROR_SIZE];
};

/* ---- libcurl's callbacks ----------------------------------------------- */

/* libcurl connects to just this address: what a name resolves to the next time
 * doesn't matter. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct job *j = arg;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (!j->posts->p->conf->push_private && !address_public(&addr->addr)) {
		j->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(addr->family, addr->socktype | SOCK_CLOEXEC,
	    addr->protocol);
}

static size_t
drop_body(char *octets, size_t size, size_t n, void *arg)
{
	struct job *j = arg;

	(void)octets;
	j->got += size * n;
	return j->got > RESPONSE_MAX ? 0 : size * n;
}

/* ---- beginning --------------------------------------------------------- */

static void
job_free(struct job *j)
{
	if (j->easy != NULL)
		curl_easy_cleanup(j->easy);
	curl_slist_free_all(j->headers);
	buf_release(&j->body);
	xfree(j);
}

static int
add_header(struct job *j, const struct buf *line)
{
	struct curl_slist *l;

	if (line->overflow ||
	    (l = curl_slist_append(j->headers, line->p)) == NULL)
		return -1;
	j->headers = l;
	return 0;
}

static int
put_header(struct job *j, const char *name, const char *value)
{
	struct buf b;
	int rc;

	buf_init(&b, 256);
	buf_printf(&b, "%s: %s", name, value);
	buf_addc(&b, '\0');
	rc = add_header(j, &b);
	buf_release(&b);
	return rc;
}

/* RFC 8292 2 and 3 */
static int
put_vapid(struct job *j, const struct post *post, int64_t now)
{
	const struct pusher *p = j->posts->p;
	struct buf origin, b;
	int rc = -1;

	buf_init(&origin, 2 * STORE_PUSH_TEXT_MAX);
	buf_init(&b, 8192);
	buf_add_str(&b, "Authorization: ");
	if (webpush_origin(post->url, &origin) &&
	    vapid_put(&b, &p->vapid, buf_slice(&origin),
	    p->conf->push_contact, now + TOKEN_S) == 0) {
		buf_addc(&b, '\0');
		rc = add_header(j, &b);
	}
	buf_release(&b);
	buf_release(&origin);
	return rc;
}

static int
put_headers(struct job *j, const struct post *post)
{
	int64_t now = (int64_t)time(NULL), ttl = post->expires - now;
	int64_t max = post->verification ? CODE_TTL_S : TTL_MAX_S;
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, ttl < 0 ? 0 :
	    ttl < max ? ttl : max);
	/* A later StateChange makes one needless that is still kept. */
	return put_header(j, "Content-Type", "application/json") < 0 ||
	    (post->p256dh.p != NULL &&
	    put_header(j, "Content-Encoding", "aes128gcm") < 0) ||
	    put_header(j, "TTL", text) < 0 ||
	    put_header(j, "Urgency", post->urgency) < 0 ||
	    (!post->verification && put_header(j, "Topic", "state") < 0) ||
	    put_header(j, "Expect", "") < 0 ||
	    put_vapid(j, post, now) < 0 ? -1 : 0;
}

/* Nothing but a request to that host, by TLS, with a known certificate. */
static int
set_options(struct job *j, const char *url)
{
	const struct conf *c = j->posts->p->conf;
	CURL *e = j->easy;

	return curl_easy_setopt(e, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https") != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_PROXY, "") != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) !=
		CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)TIMEOUT_S) !=
		CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) !=
		CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_POST, 1L) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t)j->body.n) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_POSTFIELDS, j->body.p) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_HTTPHEADER, j->headers) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket) !=
		CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, j) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop_body) !=
		CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_WRITEDATA, j) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, j->err) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_PRIVATE, j) != CURLE_OK ||
	    (c->push_ca_file != NULL && curl_easy_setopt(e, CURLOPT_CAINFO,
		c->push_ca_file) != CURLE_OK) ? -1 : 0;
}

static int
put_body(struct job *j, const struct post *post)
{
	if (post->p256dh.p != NULL)
		return webpush_encrypt(post->p256dh, post->auth, post->body,
		    &j->body);
	buf_add_slice(&j->body, post->body);
	return j->body.overflow ? -1 : 0;
}

int
posts_start(struct posts *v, const struct post *post)
{
	struct job *j = xcalloc(1, sizeof(*j));
	char *url = xstrndup(post->url.p, post->url.n);
	int rc;

	j->posts = v;
	j->post = *post;
	j->post.url = j->post.p256dh = j->post.auth = j->post.body =
	    slice_make(NULL, 0);
	buf_init(&j->body, 2 * WEBPUSH_PLAIN_MAX);
	if ((j->easy = curl_easy_init()) == NULL)
		fatal("libcurl: out of memory");	/* not the URL's fault */
	rc = put_body(j, post) < 0 || put_headers(j, post) < 0 ||
	    set_options(j, url) < 0 ||
	    curl_multi_add_handle(v->multi, j->easy) != CURLM_OK ? -1 : 0;
	xfree_secret(url, strlen(url));
	if (rc < 0)
		job_free(j);
	else
		v->n++;
	return rc;
}

/* ---- the end ----------------------------------------------------------- */

/* RFC 8030 and RFC 9110: what the answer means for the subscription. */
static int
result_of(long status)
{
	if (status >= 200 && status <= 299)
		return POST_OK;
	if (status == 404 || status == 410)
		return POST_GONE;
	return status == 429 ? POST_SLOWER : POST_FAILED;
}

static void
job_end(struct job *j, CURLcode rc)
{
	struct posts *v = j->posts;
	curl_off_t retry_s = 0;
	long status = 0;
	char why[CURL_ERROR_SIZE + 64];

	curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(j->easy, CURLINFO_RETRY_AFTER, &retry_s);
	if (status > 0)
		snprintf(why, sizeof(why), "the push service says %ld",
		    status);
	else if (j->refused)
		snprintf(why, sizeof(why), "its address is not public");
	else
		snprintf(why, sizeof(why), "%s", *j->err != '\0' ? j->err :
		    curl_easy_strerror(rc));
	v->n--;
	curl_multi_remove_handle(v->multi, j->easy);
	posted(v->p, &j->post, result_of(status), (int64_t)retry_s, why);
	job_free(j);
}

void
posts_wait(struct posts *v, int fd, int timeout_ms)
{
	struct curl_waitfd w = { .fd = fd, .events = CURL_WAIT_POLLIN };
	struct job *j;
	CURLMsg *m;
	int running, left;

	if (curl_multi_poll(v->multi, &w, fd >= 0, timeout_ms, NULL) !=
	    CURLM_OK || curl_multi_perform(v->multi, &running) != CURLM_OK)
		fatal("libcurl: waiting failed");
	while ((m = curl_multi_info_read(v->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle,
		    CURLINFO_PRIVATE, (char **)&j) != CURLE_OK)
			continue;
		job_end(j, m->data.result);
	}
}

bool
posts_full(const struct posts *v)
{
	return v->n >= POSTS_MAX;
}

struct posts *
posts_new(struct pusher *p)
{
	struct posts *v = xcalloc(1, sizeof(*v));

	v->p = p;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (v->multi = curl_multi_init()) == NULL)
		fatal("libcurl can't be used");
	return v;
}

/* Nothing is under way any more. */
void
posts_free(struct posts **vp)
{
	curl_multi_cleanup((*vp)->multi);
	curl_global_cleanup();
	xfree(*vp);
	*vp = NULL;
}
