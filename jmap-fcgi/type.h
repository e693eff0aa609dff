/*
 * jmap-fcgi/type.h - the standard methods, done once over tables
 *
 * A data type is a table of properties.  /get, /changes and /set (RFC 8620
 * section 5) work from the table; a type adds how an object is loaded and how a
 * change is carried out.
 */
#ifndef JMAP_TYPE_H
#define JMAP_TYPE_H

#include "jmap-fcgi/jmap.h"

enum {
	PROP_IMMUTABLE = 1,	/* settable by create alone */
	PROP_SERVER = 2,	/* set by the server alone */
	PROP_DEFAULT = 4	/* returned where /get names no properties; if
				 * a type marks none, all are */
};

struct jmap_prop {
	const char *name;
	unsigned flags;
	/* The value of an object's property, a new reference; NULL: failed,
	 * see type_fail(). */
	json_t *(*get)(struct jmap_call *c, void *obj, const char *name);
	/* Takes a wanted value into a change.  0, or -1: not acceptable. */
	int (*set)(struct jmap_call *c, void *change, json_t *value);
};

/* A property that was asked for. */
struct jmap_want {
	const struct jmap_prop *prop;
	const char *name;	/* as it was asked for */
};

struct jmap_type {
	const char *name;	/* "Mailbox" */
	char prefix;		/* of its ids */
	enum store_type store;
	bool stateless;		/* no states are told or asked for; no store */
	const struct jmap_prop *props;	/* ended by a NULL name */
	/* Names beyond the table, such as "header:...": the row for a valid
	 * one, NULL for others, *desc_r then may say why.  May be NULL. */
	const struct jmap_prop *(*other)(struct slice name,
	    const char **desc_r);
	/* The object with that id into memory of the scratch arena.  NOTFOUND
	 * or another enum store_rc. */
	int (*load)(struct jmap_call *c, void *ctx, uint64_t id,
	    void **obj_r);
	/* All ids, for "ids": null; NULL where that is not supported. */
	int (*all)(struct jmap_call *c, uint64_t **ids_r, size_t *n_r);
	/* /changes: looks at what the store says and may alter it. */
	int (*filter)(struct jmap_call *c, struct store_change *ch,
	    size_t *n);
};

/* Arguments of the standard methods. */
extern const struct jmap_arg type_get_args[];
extern const struct jmap_arg type_changes_args[];
extern const struct jmap_arg type_set_args[];

/* The row of a property name, or NULL. */
const struct jmap_prop *type_prop(const struct jmap_type *t,
    struct slice name, const char **desc_r);
/* The state string's number for that type. */
int type_state(struct jmap_call *c, const struct jmap_type *t,
    uint64_t *modseq_r);

/* The whole of Foo/get; ctx goes to load. */
int type_get(struct jmap_call *c, const struct jmap_type *t, void *ctx);
/* The array of wanted properties from a String[] argument, NULL for those by
 * default. */
int type_wants(struct jmap_call *c, const struct jmap_type *t, json_t *names,
    struct jmap_want **want_r, size_t *n_r);
/* An object of the wanted properties; *rc_r < 0 on failure. */
json_t *type_encode(struct jmap_call *c, const struct jmap_want *w, size_t n,
    void *obj, int *rc_r);
/* Used by a getter that fails: keeps the code, returns NULL. */
json_t *type_fail(struct jmap_call *c, int rc);

/* The whole of Foo/changes. */
int type_changes(struct jmap_call *c, const struct jmap_type *t);

/* ---- /query (window.c) ------------------------------------------------- */

enum filter_op { FILTER_AND, FILTER_OR, FILTER_NOT };
/* A FilterOperator's parts, the list borrowed.  -1: it is none. */
int filter_operator(json_t *v, enum filter_op *op_r, json_t **conditions_r);

/* Arguments of every /query. */
extern const struct jmap_arg window_args[];
struct query_window {	/* the ids that are asked for */
	const struct jmap_type *type;
	int64_t position, offset;
	uint64_t anchor, limit;
	bool has_anchor, clamped;
};
void window_parse(struct jmap_call *c, const struct jmap_type *t,
    struct query_window *w);
/* How many of n results have to be in order. */
size_t window_need(const struct query_window *w, size_t n);
/* The response of /query out of n results; changes: canCalculateChanges. */
int window_put(struct jmap_call *c, const struct query_window *w, bool changes,
    const void *items, size_t n, uint64_t (*id)(const void *items, size_t i));

/* ---- /queryChanges (query-changes.c) ----------------------------------- */

/* Arguments of every /queryChanges; upToId is not needed, since what may be
 * left out behind it is told. */
extern const struct jmap_arg query_changes_args[];
/*
 * The changes are told without knowing the old results: what may have been
 * there and changed is removed, and added again where it is now; the rest has
 * kept its order.
 */
struct query_changes {
	struct jmap_call *c;
	const struct jmap_type *type;
	json_t *removed, *added;
};
/* All that changed after sinceQueryState. */
int query_changes_since(struct jmap_call *c, enum store_type t,
    struct store_change **ch_r, size_t *n_r);
void query_changes_begin(struct query_changes *d, struct jmap_call *c,
    const struct jmap_type *t);
void query_changes_remove(struct query_changes *d, uint64_t id);
/* By ascending index. */
void query_changes_add(struct query_changes *d, uint64_t id, size_t index);
/* The rest of the response; tooManyChanges. */
int query_changes_end(struct query_changes *d, size_t total);

/* ---- /set -------------------------------------------------------------- */

struct jmap_set {
	struct jmap_call *c;
	const struct jmap_type *type;
	json_t *create, *update, *destroy;	/* arguments; NULL: none */
	json_t *created, *updated, *destroyed;
	json_t *not_created, *not_updated, *not_destroyed;
	json_t *destroying;	/* the ids of destroy, as a set */
};

/* Checks ifInState against the type's state; puts oldState. */
int set_check_state(struct jmap_call *c, const struct jmap_type *t);
/* Limits and state; fills *s. */
int set_begin(struct jmap_call *c, const struct jmap_type *t,
    struct jmap_set *s);
/*
 * created[key]: the properties of a new object but for those that the client
 * gave as they are now (RFC 8620 5.3).  Its id is key's for the calls after.
 */
void set_created(struct jmap_set *s, const char *key, json_t *given,
    uint64_t id, void *obj);
struct set_ops {
	/* NULL, or a SetError. */
	json_t *(*create)(void *arg, const char *key, json_t *obj);
	json_t *(*update)(void *arg, const char *key, json_t *patch);
	json_t *(*destroy)(void *arg, const char *key);
};
/* Does all of it, one after the other, and notes what failed. */
void set_items(struct jmap_set *s, const struct set_ops *ops, void *arg);
/* Puts newState and the results; or drops them where rc < 0.  Returns rc. */
int set_end(struct jmap_set *s, int rc);
/* Puts newState. */
int set_new_state(struct jmap_call *c, const struct jmap_type *t);
/* A SetError; desc may be NULL. */
json_t *set_error(const char *type, const char *desc);
/* invalidProperties with these names, an array that is taken over. */
json_t *set_error_props(json_t *props, const char *desc);
json_t *set_error_prop(const char *prop, const char *desc);
/* For a store's answer; logged, where the object is not to blame. */
json_t *set_error_store(struct jmap_call *c, int rc);

/*
 * Applies a PatchObject (RFC 8620 5.3) to obj, or takes a whole new object
 * (obj NULL), by calling the setters of what changes, on change.  NULL, or a
 * SetError.
 */
json_t *set_patch(struct jmap_call *c, const struct jmap_type *t, void *obj,
    void *change, json_t *patch);

/* ---- the types --------------------------------------------------------- */

extern const struct jmap_type mailbox_type, email_type, thread_type;

#endif
