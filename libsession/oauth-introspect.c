/* libsession/oauth-introspect.c - token introspection (RFC 7662), by libcurl */
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "libsession/oauth-json.h"

enum { ANSWER_MAX = 65536, CONNECT_S = 5, TOTAL_S = 10 };

struct answer {
	char p[ANSWER_MAX];
	size_t n;
	bool overflow;
};

static size_t
take(char *p, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;

	(void)size;	/* 1 */
	if (n > ANSWER_MAX - a->n) {
		a->overflow = true;
		return 0;
	}
	memcpy(a->p + a->n, p, n);
	a->n += n;
	return n;
}

static int
set_options(CURL *e, const struct oauth_request *q, const char *body,
    struct answer *ans)
{
	return curl_easy_setopt(e, CURLOPT_URL, q->introspection) ||
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https,http") ||
	    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) ||
	    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) ||
	    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) ||
	    curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)TOTAL_S) ||
	    curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body) ||
	    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take) ||
	    curl_easy_setopt(e, CURLOPT_WRITEDATA, ans) ||
	    (q->ca_file != NULL &&
		curl_easy_setopt(e, CURLOPT_CAINFO, q->ca_file));
}

/* RFC 6749 2.3.1: both are form-urlencoded before they are Basic's. */
static int
set_client(CURL *e, const struct oauth_request *q)
{
	char *user, *pass;
	int rc;

	if (q->client == NULL)
		return 0;
	user = curl_easy_escape(e, q->client, 0);
	/* Length 0 would mean strlen(): a slice has no NUL. */
	pass = q->secret.n == 0 ? curl_easy_escape(e, "", 0) :
	    curl_easy_escape(e, q->secret.p, (int)q->secret.n);
	rc = user == NULL || pass == NULL ||
	    curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) ||
	    curl_easy_setopt(e, CURLOPT_USERNAME, user) ||
	    curl_easy_setopt(e, CURLOPT_PASSWORD, pass);
	curl_free(user);
	curl_free(pass);
	return rc;
}

static int
ask(CURL *e, const struct oauth_request *q, struct answer *ans,
    struct oauth_answer *a)
{
	char *token = curl_easy_escape(e, q->token.p, (int)q->token.n);
	char body[3 * TOKEN_MAX + 64];
	long status = 0;
	int rc;

	if (token == NULL)
		return oauth_fail(a, OAUTH_TEMP, "out of memory");
	snprintf(body, sizeof(body), "token_type_hint=access_token&token=%s",
	    token);
	curl_free(token);
	rc = set_options(e, q, body, ans) != 0 || set_client(e, q) != 0 ?
	    -1 : (int)curl_easy_perform(e);
	if (rc < 0)
		return oauth_fail(a, OAUTH_TEMP, "libcurl can't be used");
	if (rc != CURLE_OK)
		return oauth_fail(a, OAUTH_TEMP, ans->overflow ?
		    "introspection: the answer is too long" :
		    curl_easy_strerror((CURLcode)rc));
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 ? OAUTH_OK : oauth_fail(a, OAUTH_TEMP,
	    "introspection: the server refuses to answer");
}

int
oauth_introspect(const struct oauth_request *q, struct oauth_answer *a,
    json_t **claims_r)
{
	struct answer ans = { .n = 0 };
	CURL *e = curl_easy_init();
	json_t *v = NULL;
	int rc = OAUTH_TEMP;

	if (e == NULL)
		oauth_fail(a, rc, "out of memory");
	else
		rc = ask(e, q, &ans, a);
	if (rc == OAUTH_OK) {
		v = json_loadb(ans.p, ans.n, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(v))
			rc = oauth_fail(a, OAUTH_TEMP,
			    "introspection: the answer is not JSON");
		else if (!json_is_true(json_object_get(v, "active")))
			rc = oauth_fail(a, OAUTH_BAD, "it is not active");
	}
	if (rc == OAUTH_OK)
		*claims_r = json_incref(v);
	json_decref(v);
	curl_easy_cleanup(e);
	return rc;
}
