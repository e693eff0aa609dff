/* imapd/cmd-metadata.c - GETMETADATA, SETMETADATA (RFC 5464 4) */
#include "config.h"

#include "imapd/list.h"
#include "imapd/metadata.h"

#define PRIVATE SLICE_LIT("/private")
#define SHARED SLICE_LIT("/shared")
#define SPECIALUSE SLICE_LIT("/specialuse")	/* RFC 6154 5.4 */

enum { ENTRIES_MAX = 1000 };

/* ---- GETMETADATA ------------------------------------------------------- */

static bool
parse_options(struct imap_args *in, struct annotations_want *w)
{
	uint64_t depth;

	while (in->next != NULL) {
		if (imap_args_word(in, "MAXSIZE")) {
			if (!imap_args_number64(in, &w->max,
			    "a number of octets"))
				return false;
		} else if (!imap_args_word(in, "DEPTH")) {
			return imap_args_expected(in, "MAXSIZE or DEPTH");
		} else if (imap_args_word(in, "infinity")) {
			w->depth = DEPTH_INFINITY;
		} else if (!imap_args_number64(in, &depth,
		    "0, 1 or infinity") || depth > 1) {
			return imap_args_expected(in, "0, 1 or infinity");
		} else {
			w->depth = depth == 0 ? DEPTH_0 : DEPTH_1;
		}
	}
	return true;
}

/* Options stand before the mailbox in the grammar, behind it in the examples
 * of RFC 5464. */
static bool
parse_get(struct imap_cmd *cmd, struct slice *mailbox,
    struct annotations_want *w)
{
	struct imap_args *v = &cmd->args, in;
	bool ok = true;

	if (v->next != NULL && v->next->type == IMAP_ARG_LIST)
		ok = imap_args_list(v, &in, "options") &&
		    (parse_options(&in, w) || (v->err = in.err, false));
	ok = ok && imap_args_mailbox(v, mailbox);
	if (ok && v->next != NULL && v->next->type == IMAP_ARG_LIST &&
	    v->next->next != NULL)
		ok = imap_args_list(v, &in, "options") &&
		    (parse_options(&in, w) || (v->err = in.err, false));
	return ok && annotations_names(v, w) && imap_args_end(v);
}

enum imap_next
cmd_getmetadata(struct imap_cmd *cmd)
{
	struct annotations_want w = { .depth = DEPTH_0, .max = UINT64_MAX };
	struct annotations r;
	struct imap_place at;
	struct slice name;
	int rc = 0;

	if (!parse_get(cmd, &name, &w))
		return imap_bad_args(cmd);
	if (name.n > 0)
		rc = imap_mailbox(cmd, name, STORE_RIGHT_LOOKUP |
		    STORE_RIGHT_READ, &at);
	if (rc < 0 || (rc = annotations_load(cmd, name.n > 0 ? &at : NULL,
	    &r)) < 0)
		return imap_store_failed(cmd, rc);
	annotations_put(cmd, name, &r, &w);
	if (w.longest == 0)
		return imap_ok(cmd, "Done");
	return imap_ok_code(cmd, arena_printf(cmd->a,
	    "METADATA LONGENTRIES %llu", (unsigned long long)w.longest),
	    "Some are longer");
}

/* ---- SETMETADATA ------------------------------------------------------- */

struct set {
	struct store_metadata *v;
	size_t n, cap;
	bool any_shared, use;	/* use: /private/specialuse is among them */
	struct slice use_value;
};

/* nstring or literal8 */
static bool
parse_value(struct imap_args *in, struct slice *value_r)
{
	return imap_args_nstring(in, value_r, "a value or NIL");
}

static bool
parse_entry(struct imap_args *in, struct set *set)
{
	struct slice name, value;
	bool shared;

	if (!imap_args_astring(in, &name, "an entry's name"))
		return false;
	shared = slice_istarts(name, SHARED);
	if (!shared && !slice_istarts(name, PRIVATE)) {
		in->err = "an entry begins with /private or /shared";
		return false;
	}
	name = shared ? slice_make(name.p + SHARED.n, name.n - SHARED.n) :
	    slice_make(name.p + PRIVATE.n, name.n - PRIVATE.n);
	if (!store_metadata_name_ok(name)) {
		in->err = "not the name of an entry";
		return false;
	}
	if (!parse_value(in, &value))
		return false;
	if (value.p == NULL)
		value.n = 0;
	if (!shared && slice_ieq(name, SPECIALUSE)) {
		set->use = true;
		set->use_value = value;
		return true;
	}
	if (set->n == ENTRIES_MAX) {
		in->err = "too many entries";
		return false;
	}
	set->v = arena_grow(in->a, set->v, &set->cap, set->n + 1,
	    sizeof(*set->v));
	set->v[set->n++] = (struct store_metadata){ .shared = shared,
		.name = name, .value = value };
	set->any_shared = set->any_shared || shared;
	return true;
}

static bool
parse_set(struct imap_cmd *cmd, struct slice *mailbox, struct set *set)
{
	struct imap_args *v = &cmd->args, in;

	if (!imap_args_mailbox(v, mailbox) ||
	    !imap_args_list(v, &in, "a list of entries and values") ||
	    !imap_args_end(v))
		return false;
	do {
		if (!parse_entry(&in, set)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	return true;
}

static enum imap_next
set_failed(struct imap_cmd *cmd, struct store *st, int rc)
{
	if (rc == STORE_E_TOOBIG)
		return imap_no(cmd, arena_printf(cmd->a,
		    "METADATA MAXSIZE %zu", store_metadata_max(st)),
		    "A value is too long");
	if (rc == STORE_E_LIMIT)
		return imap_no(cmd, "METADATA TOOMANY",
		    "There are too many annotations");
	return imap_store_failed(cmd, rc);
}

/* The mailbox's use, as CREATE sets it (RFC 6154 5.4). */
static enum imap_next
set_use(struct imap_cmd *cmd, const struct imap_place *at,
    const struct set *set)
{
	struct store_mailbox_set ch = { .set_role = true,
		.role = STORE_ROLE_NONE };
	int rc;

	if (set->n > 0)		/* all or none: these are two changes */
		return imap_no(cmd, "CANNOT",
		    "Set /private/specialuse by itself");
	if (!at->own)
		return imap_no(cmd, "NOPERM", "That is the owner's to set");
	if (set->use_value.n > 0)
		ch.role = listing_role_from(set->use_value);
	if (set->use_value.n > 0 && ch.role == STORE_ROLE_NONE)
		return imap_no(cmd, "USEATTR", "No such use");
	rc = store_mailbox_update(at->st, at->mb.id, &ch);
	if (rc == STORE_E_EXISTS)
		return imap_no(cmd, "USEATTR",
		    "Another mailbox has that use");
	return rc < 0 ? imap_store_failed(cmd, rc) : imap_ok(cmd, "Done");
}

enum imap_next
cmd_setmetadata(struct imap_cmd *cmd)
{
	struct imap_place at = { .st = cmd->s->x->store };
	unsigned need = STORE_RIGHT_LOOKUP | STORE_RIGHT_READ;
	struct set set = { 0 };
	struct slice name;
	int rc = 0;

	if (!parse_set(cmd, &name, &set))
		return imap_bad_args(cmd);
	if (name.n == 0 && (set.any_shared || set.use))
		return imap_no(cmd, "NOPERM", "The server's shared annotations "
		    "are the administrator's");
	if (set.any_shared)
		need |= STORE_RIGHT_WRITE;
	if (name.n > 0 && (rc = imap_mailbox(cmd, name, need, &at)) < 0)
		return imap_store_failed(cmd, rc);
	if (set.use)
		return set_use(cmd, &at, &set);
	rc = store_metadata_set(at.st, at.mb.id, cmd->s->x->account, set.v,
	    set.n);
	return rc < 0 ? set_failed(cmd, at.st, rc) : imap_ok(cmd, "Done");
}
