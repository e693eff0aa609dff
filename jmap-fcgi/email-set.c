/* jmap-fcgi/email-set.c - Email/set: update and destroy (RFC 8621 4.6) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"

/* One update or destroy that goes to the store. */
struct op {
	const char *key;	/* as the client gave it; NULL: ours */
	bool destroy;
};
struct batch {
	struct jmap_set *s;
	struct email_opts opts;	/* for properties that may not change */
	struct store_email_set *set;
	struct op *op;
	size_t n;
};

/* A patch of some keywords leaves alone what others do to the rest. */
int
email_set_keywords(struct jmap_call *c, void *change, json_t *v)
{
	struct email_change *ch = change;
	uint64_t flags;
	int rc = email_flags_parse(c, v, &flags);

	if (rc < 0) {
		ch->error = rc > JMAP_E_ARGS ? rc : 0;
		return -1;
	}
	ch->set.flags_add = flags & ~ch->old->flags;
	ch->set.flags_del = ch->old->flags & ~flags;
	ch->flags = flags;
	ch->new_flags = true;
	return 0;
}

static bool
has(const uint64_t *ids, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static bool
is_in(const struct store_email *e, uint64_t mailbox)
{
	for (size_t i = 0; i < e->n_in; i++)
		if (e->in[i].mailbox == mailbox)
			return true;
	return false;
}

int
email_set_mailboxes(struct jmap_call *c, void *change, json_t *v)
{
	struct email_change *ch = change;
	const struct store_email *e = ch->old;
	uint64_t *ids, *add, *del;
	size_t n;

	if (email_mailboxes_parse(c, v, &ids, &n) < 0)
		return -1;
	add = arena_calloc(c->arena, n, sizeof(*add));
	del = arena_calloc(c->arena, e->n_in, sizeof(*del));
	for (size_t i = 0; i < n; i++)
		if (!is_in(e, ids[i]))
			add[ch->set.n_add++] = ids[i];
	for (size_t i = 0; i < e->n_in; i++)
		if (!has(ids, n, e->in[i].mailbox))
			del[ch->set.n_del++] = e->in[i].mailbox;
	ch->set.mailboxes_add = add;
	ch->set.mailboxes_del = del;
	ch->mailboxes = ids;
	ch->n_mailboxes = n;
	return 0;
}

static void
not_updated(struct jmap_set *s, const char *key, json_t *error)
{
	js_put(s->not_updated, key, error);
}

static void
add_op(struct batch *b, const struct store_email_set *set, const char *key)
{
	b->set[b->n] = *set;
	b->op[b->n].key = key;
	b->op[b->n++].destroy = set->destroy;
}

/* A patch that names a property as a whole means the whole of it. */
static void
take_whole(struct jmap_call *c, struct email_change *ch, json_t *patch)
{
	if (ch->new_flags && json_object_get(patch, "keywords") != NULL) {
		ch->set.set_flags = true;
		ch->set.flags_add = ch->flags;
		ch->set.flags_del = 0;
	}
	/* But not of the mailboxes that are hidden in another's account. */
	if (ch->mailboxes != NULL && account_is_own(c->acct) &&
	    json_object_get(patch, "mailboxIds") != NULL) {
		ch->set.set_mailboxes = true;
		ch->set.mailboxes_add = ch->mailboxes;
		ch->set.n_add = ch->n_mailboxes;
		ch->set.mailboxes_del = NULL;
		ch->set.n_del = 0;
	}
}

/*
 * A mailbox where the Email is \Deleted counts as one where it is not (RFC 8621
 * 4.1.1).  To be put there it first leaves it: an entry before the update's.
 */
static int
leave_deleted(struct batch *b, const struct store_email_set *want)
{
	struct jmap_call *c = b->s->c;
	struct store_email_set leave;
	struct store_email e;
	uint64_t *del;
	int rc;

	if (want->n_add == 0)
		return 0;
	rc = store_email_get(c->st, c->req->scratch, want->id, &e);
	if (rc < 0)
		return rc;
	memset(&leave, 0, sizeof(leave));
	leave.id = want->id;
	del = arena_calloc(c->arena, e.n_in, sizeof(*del));
	for (size_t i = 0; i < e.n_in; i++)
		if (e.in[i].deleted && has(want->mailboxes_add, want->n_add,
		    e.in[i].mailbox))
			del[leave.n_del++] = e.in[i].mailbox;
	leave.mailboxes_del = del;
	if (leave.n_del > 0)
		add_op(b, &leave, NULL);
	return 0;
}

/* NULL: the update is in the batch. */
static json_t *
update(struct batch *b, const char *key, json_t *patch, uint64_t id)
{
	struct jmap_call *c = b->s->c;
	struct email_change ch;
	struct email *em;
	json_t *err;
	int rc;

	memset(&ch, 0, sizeof(ch));
	arena_reset(c->req->scratch);
	em = arena_alloc(c->req->scratch, sizeof(*em));
	em->opts = &b->opts;
	if ((rc = email_load(c, c->req->scratch, id, &em->e)) < 0)
		return set_error_store(c, rc);
	ch.old = &em->e;
	err = set_patch(c, &email_type, em, &ch, patch);
	if (err != NULL && ch.error == STORE_E_LIMIT) {
		json_decref(err);
		err = set_error("tooManyKeywords", NULL);
	}
	if (err != NULL)
		return err;
	take_whole(c, &ch, patch);
	ch.set.id = id;
	if ((err = email_rights_change(c, &ch.set)) != NULL)
		return err;
	if ((rc = leave_deleted(b, &ch.set)) < 0)
		return set_error_store(c, rc);
	add_op(b, &ch.set, key);
	return NULL;
}

static void
collect_updates(struct batch *b)
{
	struct jmap_set *s = b->s;
	const char *key;
	json_t *patch, *err;
	uint64_t id;

	json_object_foreach(s->update, key, patch) {
		if (id_resolve(s->c->req, 'E', slice_str(key), &id) < 0) {
			not_updated(s, key, set_error("notFound", NULL));
			continue;
		}
		if (json_object_get(s->destroying, key) != NULL) {
			not_updated(s, key, set_error("willDestroy", NULL));
			continue;
		}
		if ((err = update(b, key, patch, id)) != NULL)
			not_updated(s, key, err);
	}
}

static void
collect_destroys(struct batch *b)
{
	struct jmap_set *s = b->s;
	struct store_email_set set;
	struct store_email e;
	const char *key;
	json_t *v, *err;

	json_object_foreach(s->destroying, key, v) {
		memset(&set, 0, sizeof(set));
		set.destroy = true;
		err = NULL;
		if (id_resolve(s->c->req, 'E', slice_str(key), &set.id) < 0 ||
		    email_load(s->c, s->c->req->scratch, set.id, &e) < 0)
			err = set_error("notFound", NULL);
		if (err == NULL)
			err = email_rights_change(s->c, &set);
		if (err != NULL)
			js_put(s->not_destroyed, key, err);
		else
			add_op(b, &set, key);
	}
}

static json_t *
change_error(struct jmap_call *c, const struct store_email_set *set, int rc)
{
	if (rc == STORE_E_INVALID)
		return set_error_prop("mailboxIds",
		    "an Email is in one mailbox at least");
	if (rc == STORE_E_NOTFOUND && (set->set_mailboxes || set->n_add > 0))
		return set_error_prop("mailboxIds", "no such mailbox");
	return set_error_store(c, rc);
}

static void
report(struct batch *b, const int *rc)
{
	struct jmap_set *s = b->s;
	char id[STORE_ID_TEXT];

	for (size_t i = 0; i < b->n; i++) {
		const struct op *op = &b->op[i];

		if (op->key == NULL)
			continue;
		store_id_text('E', b->set[i].id, id);
		if (rc[i] == 0 && op->destroy)
			json_array_append_new(s->destroyed, json_string(id));
		else if (rc[i] == 0)
			js_put(s->updated, id, json_null());
		else
			js_put(op->destroy ? s->not_destroyed :
			    s->not_updated, op->key,
			    change_error(s->c, &b->set[i], rc[i]));
	}
}

static int
carry_out(struct batch *b)
{
	struct jmap_call *c = b->s->c;
	int *rcs, rc;

	if (b->n == 0)
		return 0;
	rcs = arena_calloc(c->arena, b->n, sizeof(*rcs));
	rc = store_email_change(c->st, b->set, b->n, rcs, NULL);
	if (rc < 0)
		return jmap_store_failed(c->req, "Email/set", rc);
	report(b, rcs);
	return 0;
}

int
email_set(struct jmap_call *c)
{
	struct jmap_set s;
	struct batch b;
	size_t max;
	int rc;

	if ((rc = set_begin(c, &email_type, &s)) < 0)
		return rc;
	max = 2 * json_object_size(s.update) + json_array_size(s.destroy) + 1;
	memset(&b, 0, sizeof(b));
	b.s = &s;
	type_wants(c, &email_part_type, NULL, &b.opts.part, &b.opts.n_part);
	b.set = arena_calloc(c->arena, max, sizeof(*b.set));
	b.op = arena_calloc(c->arena, max, sizeof(*b.op));
	email_create_all(&s);
	collect_updates(&b);
	collect_destroys(&b);
	rc = carry_out(&b);
	return set_end(&s, rc);
}
