/* libsession/backend-pam.c - the module pam.so: passwords by PAM */
#include "config.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <string.h>

#include "libsession/backend-int.h"

struct talk {
	const char *password;
	void *(*alloc)(size_t n);
};

/* Whatever is asked for without echo is the password; nothing else is known.
 * libpam frees the answers. */
static int
converse(int n, const struct pam_message **msg, struct pam_response **out_r,
    void *arg)
{
	const struct talk *c = arg;
	size_t n_pass = strlen(c->password);
	struct pam_response *out;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style == PAM_PROMPT_ECHO_ON)
			return PAM_CONV_ERR;
	out = c->alloc((size_t)n * sizeof(*out));
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style == PAM_PROMPT_ECHO_OFF) {
			out[i].resp = c->alloc(n_pass + 1);
			memcpy(out[i].resp, c->password, n_pass);
		}
	*out_r = out;
	return PAM_SUCCESS;
}

static int
result(int rc)
{
	switch (rc) {
	case PAM_SUCCESS:
		return 1;
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_ACCT_EXPIRED:
	case PAM_PERM_DENIED:
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_CRED_EXPIRED:
		return 0;
	default:
		return -1;
	}
}

static int
check(const char *service, const char *dir, const char *user,
    const char *password, const char *host, void *(*alloc)(size_t n),
    char *why, size_t why_size)
{
	struct talk talk = { password, alloc };
	struct pam_conv conv = { converse, &talk };
	pam_handle_t *h = NULL;
	int rc;

	rc = pam_start_confdir(service, user, &conv, dir, &h);
	if (rc == PAM_SUCCESS && host != NULL)
		rc = pam_set_item(h, PAM_RHOST, host);
	if (rc == PAM_SUCCESS)	/* without a delay: that is the session's */
		rc = pam_authenticate(h, PAM_SILENT |
		    PAM_DISALLOW_NULL_AUTHTOK);
	if (rc == PAM_SUCCESS)
		rc = pam_acct_mgmt(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	snprintf(why, why_size, "%s", pam_strerror(h, rc));
	if (h != NULL)
		pam_end(h, rc);
	return result(rc);
}

__attribute__((visibility("default")))
extern const struct pam_module culver_pam_module;
const struct pam_module culver_pam_module = {
	.version = PAM_MODULE_VERSION,
	.size = sizeof(culver_pam_module),
	.check = check
};
