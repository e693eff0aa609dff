/* conf/conf-int.h - what the files of conf share */
#ifndef CONF_CONF_INT_H
#define CONF_CONF_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/buf.h"

enum {
	CONF_FILE_MAX = 1024 * 1024,	/* octets of the file */
	CONF_VALUE_LEN = 4096,		/* octets of one value */
	CONF_LIST_MAX = 256,		/* values of one list */
	CONF_SECTIONS_MAX = 256,	/* listeners, folders */
	CONF_FAULTS_MAX = 65536,	/* octets of all messages */
	CONF_KEYS_MAX = 256		/* rows of a table */
};

enum conf_kind {
	CONF_K_STR, CONF_K_PATH, CONF_K_LOG, CONF_K_BOOL,
	CONF_K_NUM32, CONF_K_TIME32,	/* uint32_t; with s m h d w */
	CONF_K_SIZE32, CONF_K_SIZE64, CONF_K_NUM64,	/* with K M G T */
	CONF_K_ENUM,			/* int-sized enum, see words */
	CONF_K_WORD,			/* const char *, one of words */
	CONF_K_LIST			/* const char *const *, then size_t */
};

struct conf_word {
	const char *text;
	int value;
};

/* One setting: a row of a table.  def is parsed as if it stood in the file;
 * NULL: the value stays 0 or NULL. */
struct conf_key {
	const char *name;
	enum conf_kind kind;
	size_t off, off_n;		/* off_n: CONF_K_LIST's count */
	const char *def;
	uint64_t min, max;
	const struct conf_word *words;	/* ended by NULL */
	/* One more check of a text value: NULL, or what it should be. */
	const char *(*check)(const char *text);
};

extern const struct conf_key conf_top_keys[], conf_listener_keys[],
    conf_folder_keys[], conf_cert_keys[];	/* ended by name NULL */

/* The whole of what conf_load() returns; the caller sees c. */
struct conf_box {
	struct conf c;
	struct arena *a;
};

/* Where a section being read is collected, with the line of each key. */
struct conf_section {
	const struct conf_key *keys;
	void *base;
	int line[CONF_KEYS_MAX];	/* 0: not given */
};

struct conf_loader {
	const char *path;
	struct conf *c;
	struct arena *a;
	struct buf faults;
	bool failed;
	int end_line;			/* of the file */
	struct conf_section top, sec_listener, sec_folder, sec_cert;
	struct conf_listener listener;	/* the section being read */
	struct conf_folder folder;
	struct conf_cert cert;
	struct conf_listener *listeners;
	struct conf_folder *folders;
	struct conf_cert *certs;
	int listener_line[CONF_SECTIONS_MAX], folder_line[CONF_SECTIONS_MAX],
	    cert_line[CONF_SECTIONS_MAX];
	/* per listener, where its address and tls keys stand */
	int address_line[CONF_SECTIONS_MAX], tls_line[CONF_SECTIONS_MAX];
};

/* Adds "file:line: text" (line 0: "file: text"). */
void conf_fault(struct conf_loader *l, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* value.c: one text into base by the key's kind; faults at line. */
void conf_value_set(struct conf_loader *l, const struct conf_key *k,
    void *base, const char *text, int line);
void conf_list_set(struct conf_loader *l, const struct conf_key *k, void *base,
    const char *const *text, size_t n, int line);
/* The value in the file's own syntax; false: it has none (NULL). */
bool conf_value_print(const struct conf_key *k, const void *base,
    struct buf *out);
/* The same as JSON: text, lists of it, numbers in octets and seconds; null. */
void conf_value_json(const struct conf_key *k, const void *base,
    struct buf *out);
void conf_json_text(struct buf *out, const char *s);
void conf_quote(struct buf *out, const char *s);

/* check.c: what concerns several settings, or the system. */
void conf_check_listener(struct conf_loader *l, size_t i);
void conf_check(struct conf_loader *l);

/* check.c: of the table */
const char *conf_check_host(const char *s);
const char *conf_check_address(const char *s);
const char *conf_check_relay(const char *s);
const char *conf_check_network(const char *s);
const char *conf_check_folder(const char *s);
const char *conf_check_path(const char *s);
const char *conf_check_uidl(const char *s);
const char *conf_check_url(const char *s);
const char *conf_check_secure_url(const char *s);
const char *conf_check_origin(const char *s);
const char *conf_check_contact(const char *s);
const char *conf_check_socket(const char *s);
const char *conf_check_account(const char *s);
const char *conf_check_group(const char *s);
const char *conf_check_scram(const char *s);

/* The line on which a key stands, 0 if it doesn't. */
int conf_key_line(const struct conf_section *sec, const char *name);

#endif
