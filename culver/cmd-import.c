/* culver/cmd-import.c - culver import: mail from mbox, Maildir and .eml files */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "culver/import.h"
#include "libbase/log.h"

enum { O_MAILBOX, O_SKIP, O_FORMAT, O_SEEN, O_QUIET, O_JSON,
	O_NEW };

static const struct opt opts[] = {
	{ "mailbox", "NAME", "into this one, and folders below it; default "
	    "INBOX" },
	{ "skip-duplicates", NULL, "not what the mailbox has already: also to "
	    "go on after an interruption" },
	{ "mbox-format", "FORMAT", "mboxrd, mboxo, mboxcl or mboxcl2 instead "
	    "of guessing" },
	{ "seen", NULL, "mark all as read" },
	{ "quiet", NULL, "say nothing but faults" },
	{ "json", NULL, "tell how many as a JSON object" },
	{ "new-uids", NULL, "don't keep the UIDs that a Maildir has" },
	{ NULL, NULL, NULL }
};

static int
run(struct culver *c, const struct args *a)
{
	struct import_conf cf = {
		.c = c, .account = a->pos[0],
		.base = slice_str(a->val[O_MAILBOX] ? a->val[O_MAILBOX] :
		    "INBOX"),
		.skip_duplicates = a->val[O_SKIP] != NULL,
		.json = a->val[O_JSON] != NULL,
		.keep_uids = a->val[O_NEW] == NULL &&
		    a->val[O_MAILBOX] == NULL,
		.quiet = a->val[O_QUIET] != NULL,
		.all_seen = a->val[O_SEEN] != NULL
	};
	struct importer *im = NULL;
	uint64_t total = 0;
	int code, rc = 0;

	if (a->val[O_FORMAT] &&
	    mbox_format_from(a->val[O_FORMAT], &cf.mbox) < 0) {
		complain("--mbox-format: auto, mboxrd, mboxo, mboxcl or "
		    "mboxcl2, not \"%s\"", a->val[O_FORMAT]);
		return EXIT_PERM;
	}
	for (size_t i = 1; i < a->n && isatty(STDERR_FILENO) == 1; i++)
		total += import_size(a->pos[i], 0);
	code = importer_open(&cf, total, &im);
	if (code != 0)
		return code;
	for (size_t i = 1; rc == 0 && i < a->n; i++)
		rc = import_path(im, a->pos[i]);
	return importer_close(&im);
}

const struct command cmd_import = {
	"import", "ACCOUNT PATH ...", "bring in mbox files, Maildirs, messages",
	opts, 2, SIZE_MAX, run
};
