/* libstore/check.c - verifies an account: all rows against each other */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "libstore/check.h"

void
check_fault(struct check *c, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->n++;
	if (c->fn)
		c->fn(c->arg, text);
}

int
check_rows(struct check *c, int kind,
    int (*fn)(struct check *c, struct slice key, struct slice val))
{
	struct row_key from = row_key_kind(kind), to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	size_t bad = 0;
	int rc;

	rc = kv_scan_open(c->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		arena_reset(c->tmp);
		rc = fn(c, key, val);
		if (rc == STORE_E_CORRUPT) {
			bad++;
			rc = 0;
		}
	}
	kv_scan_close(&s);
	if (bad > 0)
		check_fault(c, "%zu rows '%c' can't be decoded", bad, kind);
	return rc;
}

static int
row_known(struct check *c, struct slice key, struct slice val)
{
	static const char kinds[] = "HMnrhcgetTixkbdjamsIEvpD";

	if (key.n > 0 && !memchr(kinds, key.p[0], sizeof(kinds) - 1))
		check_fault(c, "unknown kind of row 0x%02x",
		    (unsigned char)key.p[0]);
	return val.n > 0 && row_version((unsigned char)val.p[0],
	    "some kind") == STORE_E_VERSION ? STORE_E_VERSION : 0;
}

/* Rows of kinds that nobody reads would stay forever. */
static int
check_kinds(struct check *c)
{
	struct kv_scan *s = NULL;
	struct slice key, val, none = { NULL, 0 };
	int rc;

	rc = kv_scan_open(c->t, none, none, 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0)
		rc = row_known(c, key, val);
	kv_scan_close(&s);
	return rc;
}

static int
check_head(struct check *c)
{
	const struct row_head *h = &c->head;
	char id[17];
	int rc;

	if ((rc = head_read(c->t, c->a, &c->head)) < 0)
		return rc;
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)h->account);
	if (c->st->id[0] != '\0' && strcmp(id, c->st->id) != 0)
		check_fault(c, "the account's id changed to %s", id);
	if (h->horizon > c->modseq || h->swept > c->modseq ||
	    h->email_modseq > c->modseq || h->mailbox_modseq > c->modseq ||
	    h->thread_modseq > c->modseq)
		check_fault(c, "the head has a modseq of the future");
	return 0;
}

static int
job_check(struct check *c, struct slice key, struct slice val)
{
	uint64_t mailbox;
	uint32_t next;

	c->jobs = true;
	if (!row_key_get_u64(key, ROW_K_JOB, &mailbox))
		return STORE_E_CORRUPT;
	if (!umap_get(&c->mailboxes, mailbox, 0))
		check_fault(c, "a job for no mailbox");
	return row_u32_get(val, &next);
}

static int
acl_check(struct check *c, struct slice key, struct slice val)
{
	struct row_acl *v;
	uint64_t mailbox;
	size_t n;
	int rc;

	if (!row_key_get_u64(key, ROW_K_ACL, &mailbox))
		return STORE_E_CORRUPT;
	if ((rc = row_acl_get(val, c->tmp, &v, &n)) < 0)
		return rc;
	if (!umap_get(&c->mailboxes, mailbox, 0))
		check_fault(c, "an ACL of no mailbox");
	for (size_t i = 0; i < n; i++)
		if (!store_acl_who_ok(v[i].who))
			check_fault(c, "an ACL has an entry of no account");
	return 0;
}

static int
meta_check(struct check *c, struct slice key, struct slice val)
{
	unsigned char hash[ROW_NAME_HASH];
	struct row_key want;
	uint64_t mailbox;
	struct row_meta m;
	int rc;

	if (key.n == 1)		/* the sum: see meta_sum_check() */
		return 0;
	if (!row_key_get_meta(key, &mailbox, hash))
		return STORE_E_CORRUPT;
	if ((rc = row_meta_get(val, &m)) < 0)
		return rc;
	want = meta_key(mailbox, m.user, m.name);
	if (!slice_eq(row_key(&want), key) ||
	    !store_metadata_name_ok(m.name) || m.modseq > c->modseq)
		check_fault(c, "an annotation isn't what its key says");
	if (mailbox != 0 && !umap_get(&c->mailboxes, mailbox, 0) &&
	    !umap_get(&c->emails, mailbox, 0))
		check_fault(c, "an annotation of no mailbox and no Email");
	c->meta_size += meta_size(&m);
	return 0;
}

static int
meta_sum_check(struct check *c)
{
	struct row_key k = row_key_kind(ROW_K_META);
	struct row_meta_sum sum = { 0, 0 };
	struct slice v;
	int rc = kv_get(c->t, c->tmp, row_key(&k), &v);

	if (rc == 0)
		rc = row_meta_sum_get(v, &sum);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return rc;
	if (sum.size != c->meta_size || sum.modseq > c->modseq)
		check_fault(c, "annotations have %llu octets; %llu are "
		    "counted", (unsigned long long)c->meta_size,
		    (unsigned long long)sum.size);
	return 0;
}

static int
subscription_check(struct check *c, struct slice key, struct slice val)
{
	struct slice path;
	uint64_t id;
	int rc;

	if ((rc = row_path_get(val, &path)) < 0)
		return rc;
	if (!subscription_ok(key, path, c->tmp))
		return STORE_E_CORRUPT;
	if ((rc = path_find(c->t, c->tmp, path, &id)) == 0)
		check_fault(c, "a subscription beside its mailbox");
	return rc == STORE_E_NOTFOUND ? 0 : rc;
}

static int
keywords_check(struct check *c, struct slice key, struct slice val)
{
	struct slice name[ROW_KEYWORDS];
	size_t n;
	int rc;

	if (key.n != 1)
		return STORE_E_CORRUPT;
	if ((rc = row_keywords_get(val, name, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (slice_ieq(name[i], name[j]))
				check_fault(c, "a keyword has two bits");
	return 0;
}

static void
check_totals(struct check *c)
{
	const struct row_head *h = &c->head;

	if (h->size != c->size || h->messages != c->messages)
		check_fault(c, "the head counts %llu Emails, %llu octets; "
		    "there are %llu, %llu",
		    (unsigned long long)h->messages,
		    (unsigned long long)h->size,
		    (unsigned long long)c->messages,
		    (unsigned long long)c->size);
	if (h->dead != c->n_dead)
		check_fault(c, "the head counts %llu destroyed Emails; "
		    "there are %llu", (unsigned long long)h->dead,
		    (unsigned long long)c->n_dead);
	if (h->mailboxes != c->mailboxes.n)
		check_fault(c, "the head counts %u mailboxes; there are %zu",
		    h->mailboxes, c->mailboxes.n);
}

static int
check_all(struct check *c)
{
	int rc;

	if ((rc = check_head(c)) < 0 || (rc = check_kinds(c)) < 0 ||
	    (rc = check_mailboxes(c)) < 0 ||
	    (rc = check_rows(c, ROW_K_JOB, job_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_KEYWORDS, keywords_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_SUBSCRIPTION,
	    subscription_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_ACL, acl_check)) < 0 ||
	    (rc = check_objects(c)) < 0 ||
	    (rc = check_chunks(c)) < 0 || (rc = check_emails(c)) < 0 ||
	    (rc = check_rows(c, ROW_K_META, meta_check)) < 0 ||
	    (rc = meta_sum_check(c)) < 0 ||
	    (rc = check_threads(c)) < 0 || (rc = check_blobs(c)) < 0 ||
	    (rc = check_tombs(c)) < 0 || (rc = check_counts(c)) < 0)
		return rc;
	check_totals(c);
	return 0;
}

int
store_check_rows(struct store *st, bool read_blobs,
    void (*fn)(void *arg, const char *fault), void *arg, size_t *n_r)
{
	struct check c = {
		.st = st, .read_blobs = read_blobs, .fn = fn, .arg = arg
	};
	int rc;

	*n_r = 0;
	if ((rc = ro_begin(st, &c.t)) < 0)
		return rc;
	c.a = arena_new(0);
	c.tmp = arena_new(0);
	c.modseq = kv_modseq(st->kv);
	umap_init(&c.mailboxes, c.a);
	umap_init(&c.emails, c.a);
	umap_init(&c.threads, c.a);
	umap_init(&c.msgids, c.a);
	umap_init(&c.blobs, c.a);
	rc = check_all(&c);
	arena_free(&c.a);
	arena_free(&c.tmp);
	ro_end(st);
	*n_r = c.n;
	return rc;
}

int
store_check(struct store *st, bool read_blobs,
    void (*fn)(void *arg, const char *fault), void *arg, size_t *n_r)
{
	int rc, engine;

	*n_r = 0;
	if ((engine = kv_check(st->kv, fn, arg)) < 0)
		return engine;
	rc = store_check_rows(st, read_blobs, fn, arg, n_r);
	*n_r += (size_t)engine;
	return rc;
}
