/* jmap-fcgi/email-load.c - an Email's rows, structure and octets */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"

int
email_load(struct jmap_call *c, struct arena *a, uint64_t id,
    struct store_email *e_r)
{
	size_t n = 0;
	int rc;

	if ((rc = store_email_get(c->st, a, id, e_r)) < 0)
		return rc;
	for (size_t i = 0; i < e_r->n_in; i++)
		if (!e_r->in[i].deleted && account_may(c->acct,
		    e_r->in[i].mailbox, STORE_RIGHT_READ))
			e_r->in[n++] = e_r->in[i];
	e_r->n_in = n;
	return n > 0 ? 0 : STORE_E_NOTFOUND;
}

int
email_mime(struct jmap_call *c, struct email *em)
{
	int rc;

	if (em->mime != NULL)
		return 0;
	if (jmap_gone(c))
		return JMAP_E_GONE;
	rc = store_email_mime(c->st, c->req->scratch, em->e.ref, &em->mime);
	return rc < 0 ? jmap_store_failed(c->req, "structure", rc) : 0;
}

int
email_bodies(struct jmap_call *c, struct email *em)
{
	int rc;

	if (em->have_bodies)
		return 0;
	if ((rc = email_mime(c, em)) < 0)
		return rc;
	mime_bodies(em->mime, c->req->scratch, &em->bodies);
	em->have_bodies = true;
	return 0;
}

static void
close_blob(void *p)
{
	struct store_blob *b = p;

	store_blob_close(&b);
}

static int
open_blob(struct jmap_call *c, struct email *em)
{
	int rc;

	if (em->blob != NULL)
		return 0;
	rc = store_blob_open_ref(c->st, em->e.ref, &em->blob);
	if (rc < 0)
		return jmap_store_failed(c->req, "blob", rc);
	arena_defer(c->req->scratch, close_blob, em->blob);
	return 0;
}

int
email_raw(struct jmap_call *c, struct email *em)
{
	int rc;

	if (em->raw.p != NULL)
		return 0;
	if ((rc = open_blob(c, em)) < 0)
		return rc;
	if ((rc = store_blob_octets(em->blob, &em->raw)) < 0)
		return jmap_store_failed(c->req, "blob", rc);
	if (em->raw.p == NULL)
		em->raw.p = "";
	return 0;
}

int
email_part_header(struct jmap_call *c, struct email *em,
    const struct mime_part *p, struct slice *h_r)
{
	size_t n = (size_t)p->header_len;
	char *octets;
	int rc;

	if (p->parent == NULL && em->header.p != NULL) {
		*h_r = em->header;
		return 0;
	}
	if (em->parsed != NULL) {
		*h_r = mime_part_header(p, em->raw);
		return 0;
	}
	if ((rc = open_blob(c, em)) < 0)
		return rc;
	octets = arena_alloc(c->req->scratch, n + 1);
	if ((rc = store_blob_read(em->blob, p->header_off, octets, n)) < 0)
		return jmap_store_failed(c->req, "blob", rc);
	*h_r = slice_make(octets, n);
	if (p->parent == NULL)
		em->header = *h_r;
	return 0;
}

int
email_filter_changes(struct jmap_call *c, struct store_change *ch, size_t *n)
{
	struct store_email e;
	size_t k = 0;
	int rc;

	for (size_t i = 0; i < *n; i++) {
		if (ch[i].kind != STORE_DESTROYED) {
			arena_reset(c->req->scratch);
			rc = email_load(c, c->req->scratch, ch[i].id, &e);
			if (rc == STORE_E_NOTFOUND) {
				if (ch[i].kind == STORE_CREATED)
					continue;
				ch[i].kind = STORE_DESTROYED;
			} else if (rc < 0) {
				return jmap_store_failed(c->req, "changes",
				    rc);
			}
		}
		ch[k++] = ch[i];
	}
	*n = k;
	return 0;
}
