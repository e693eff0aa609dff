/* imapd/view.h - the selected mailbox as the client was told it is */
#ifndef IMAPD_VIEW_H
#define IMAPD_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imapd/seqset.h"
#include "libbase/arena.h"
#include "libstore/store.h"

/*
 * Message i of the view has sequence number i + 1.  The array changes only by
 * view_merge() (new messages, new flags, gone ones marked) and view_drop_gone()
 * (those removed), i.e. when the client is told.
 */
struct view {
	uint64_t mailbox;	/* 0: none is selected */
	struct store *st;	/* whose it is, borrowed; NULL with none */
	unsigned rights;	/* STORE_RIGHT_*; all, until it is said */
	bool readonly;
	bool dead;		/* the mailbox was deleted */
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;	/* the state of the account that it shows */
	uint64_t highest;	/* HIGHESTMODSEQ in that state (RFC 7162) */
	bool modseqs;		/* a new MODSEQ alone is news, too */
	bool annotate;		/* the client is told of annotations */
	struct store_msg *m;
	size_t n, cap;
	size_t n_gone;
	struct store_range *recent;	/* UIDs that are \Recent here */
	size_t n_recent, cap_recent;
	size_t told_exists, told_recent;
	uint32_t *saved;	/* UIDs of the search result "$", ascending */
	size_t n_saved;
	struct slice path;	/* xmalloc; UTF-8 */
};

/* In flags of a view's messages: expunged, but the client doesn't know. */
#define VIEW_GONE UINT64_C(0x20)
_Static_assert(STORE_KEYWORD_FIRST > 5, "bit 5 is free for VIEW_GONE");

/* Loads the mailbox in the store's present snapshot; claims \Recent unless
 * readonly.  enum store_rc; on failure nothing is selected. */
int view_open(struct view *v, struct store *st, struct arena *a,
    const struct store_mailbox *mb, struct slice path, bool readonly);
void view_close(struct view *v);
/* Nothing is in it any more. */
void view_kill(struct view *v);
/*
 * Catches up with the store's snapshot.  UIDs whose flags (with modseqs: or
 * MODSEQ) changed, in the arena; expunged ones are marked VIEW_GONE.
 */
int view_merge(struct view *v, struct store *st, struct arena *a,
    uint32_t **changed_r, size_t *n_changed_r);
/* The index of the last message marked gone, before i; i when there is none. */
size_t view_gone_before(const struct view *v, size_t i);
/* Removes those that are marked. */
void view_drop_gone(struct view *v);

/* The index of a UID, or -1. */
ptrdiff_t view_find(const struct view *v, uint32_t uid);
/* The search result "$" (RFC 5182): takes n UIDs from xmalloc. */
void view_save(struct view *v, uint32_t *uids, size_t n);
bool view_is_saved(const struct view *v, uint32_t uid);
/* Those that are still there, as a set of UIDs or sequence numbers. */
struct seqset view_saved(const struct view *v, bool uid, struct arena *a);
bool view_is_recent(const struct view *v, uint32_t uid);
size_t view_count_recent(const struct view *v);

/* Indexes, both ends included. */
struct view_span {
	size_t from, to;
};
/* Which messages a set names, ascending; numbers that aren't there are left
 * out.  uid: the set is of UIDs, else of sequence numbers. */
void view_spans(const struct view *v, const struct seqset *set, bool uid,
    struct arena *a, struct view_span **s_r, size_t *n_r);
/* The same as UIDs, without those gone (*missing_r, may be NULL, counts them);
 * for as long as a lasts. */
uint32_t *view_uids(const struct view *v, const struct seqset *set, bool uid,
    struct arena *a, size_t *n_r, size_t *missing_r);
/* Does every sequence number of the set exist (RFC 9051 9, seq-number)? */
bool view_in_range(const struct view *v, const struct seqset *set);
/* What "*" stands for. */
uint32_t view_star(const struct view *v, bool uid);

#endif
