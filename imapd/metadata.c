/* imapd/metadata.c - which annotations are wanted, and the METADATA response */
#include "config.h"

#include "imapd/list.h"
#include "imapd/metadata.h"

enum { NAMES_MAX = 1000 };

int
annotations_load(struct imap_cmd *cmd, const struct imap_place *at,
    struct annotations *r)
{
	struct imap_session *s = cmd->s;

	r->server = at == NULL;
	r->role = at != NULL ? at->mb.role : STORE_ROLE_NONE;
	return store_metadata_get(at != NULL ? at->st : s->x->store, cmd->a,
	    at != NULL ? at->mb.id : 0, s->x->account, &r->v, &r->n);
}

bool
annotations_names(struct imap_args *v, struct annotations_want *w)
{
	struct imap_args in = *v;
	bool list = v->next != NULL && v->next->type == IMAP_ARG_LIST;
	size_t cap = 0;
	struct slice name;

	if (list && !imap_args_list(v, &in, "names of entries"))
		return false;
	do {
		if (!imap_args_astring(&in, &name, "an entry's name"))
			break;
		/* "/private" and "/shared" by themselves make sense with
		 * DEPTH. */
		if (!store_metadata_name_ok(name) || w->n == NAMES_MAX ||
		    (!slice_istarts(name, SLICE_LIT("/private")) &&
		    !slice_istarts(name, SLICE_LIT("/shared")))) {
			in.err = "not the name of an entry";
			break;
		}
		w->name = arena_grow(v->a, w->name, &cap, w->n + 1,
		    sizeof(*w->name));
		w->name[w->n++] = name;
	} while (list && in.next != NULL);
	if (!list)
		*v = in;
	v->err = in.err;
	return in.err == NULL;
}

/* ---- the response ------------------------------------------------------ */

struct put {
	struct imap_cmd *cmd;
	struct slice mailbox;
	struct annotations_want *w;
	const struct slice *want;	/* the name in question */
	bool begun, met;		/* met: something has that very name */
};

/* With a literal8 where nothing else can hold it (RFC 5464 5). */
void
imap_value_put(struct enc *e, struct slice v)
{
	if (v.n == 0 || memchr(v.p, '\0', v.n) == NULL) {
		enc_nstring(e, v);
		return;
	}
	enc_raw(e, "~");
	enc_literal(e, v.n);
	enc_octets8(e, v);
}

static void
put_entry(struct put *p, struct slice name, struct slice value)
{
	struct enc *e = &p->cmd->s->out;

	if (value.p != NULL && value.n > p->w->max) {
		if (value.n > p->w->longest)
			p->w->longest = value.n;
		return;
	}
	if (!p->begun) {
		enc_raw(e, "* METADATA ");
		if (p->mailbox.n == 0)
			enc_raw(e, "\"\"");
		else
			enc_mailbox(e, p->mailbox);
		enc_open(e);
	}
	p->begun = true;
	enc_sp(e);
	enc_astring(e, name);
	enc_raw(e, " ");
	imap_value_put(e, value);
}

/* Is name the wanted one, or below it as deep as is wanted? */
static bool
wanted(struct put *p, struct slice name)
{
	struct slice want = *p->want;
	const char *rest;

	if (slice_ieq(name, want)) {
		p->met = true;
		return true;
	}
	if (p->w->depth == DEPTH_0 || name.n <= want.n ||
	    !slice_istarts(name, want) || name.p[want.n] != '/')
		return false;
	rest = name.p + want.n + 1;
	return p->w->depth == DEPTH_INFINITY ||
	    memchr(rest, '/', name.n - want.n - 1) == NULL;
}

static void
offer(struct put *p, struct slice name, struct slice value)
{
	if (wanted(p, name))
		put_entry(p, name, value);
}

/* What isn't stored but known. */
static void
offer_computed(struct put *p, const struct annotations *r)
{
	const char *admin = p->cmd->s->x->conf->admin_address;
	const char *use = listing_role(r->role);

	if (r->server && admin != NULL)
		offer(p, SLICE_LIT("/shared/admin"), slice_str(admin));
	if (!r->server && use != NULL)
		offer(p, SLICE_LIT("/private/specialuse"), slice_str(use));
}

void
annotations_put(struct imap_cmd *cmd, struct slice mailbox,
    const struct annotations *r, struct annotations_want *w)
{
	struct put p = { .cmd = cmd, .mailbox = mailbox, .w = w };

	for (size_t k = 0; k < w->n; k++) {
		p.want = &w->name[k];
		p.met = false;
		for (size_t i = 0; i < r->n; i++) {
			const struct store_metadata *m = &r->v[i];

			offer(&p, slice_str(arena_printf(cmd->a, "%s%.*s",
			    m->shared ? "/shared" : "/private",
			    (int)m->name.n, m->name.p)), m->value);
		}
		offer_computed(&p, r);
		if (!p.met && w->depth == DEPTH_0)
			put_entry(&p, *p.want, slice_make(NULL, 0));
	}
	if (p.begun) {
		enc_close(&cmd->s->out);
		enc_eol(&cmd->s->out);
	}
}
