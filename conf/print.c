/* conf/print.c - all settings in the file's own syntax */
#include "config.h"

#include "conf/conf-int.h"

static void
print_keys(const struct conf_key *k, const void *base, const char *indent,
    struct buf *out)
{
	for (; k->name != NULL; k++) {
		size_t n = out->n;

		buf_printf(out, "%s%s = ", indent, k->name);
		if (conf_value_print(k, base, out))
			buf_addc(out, '\n');
		else
			out->n = n;	/* not set: nothing to say */
	}
}

void
conf_print(const struct conf *c, struct buf *out)
{
	print_keys(conf_top_keys, c, "", out);
	for (size_t i = 0; i < c->n_certs; i++) {
		buf_add_str(out, "tls ");
		conf_quote(out, c->certs[i].name);
		buf_add_str(out, " {\n");
		print_keys(conf_cert_keys, &c->certs[i], "\t", out);
		buf_add_str(out, "}\n");
	}
	for (size_t i = 0; i < c->n_folders; i++) {
		buf_add_str(out, "folder ");
		conf_quote(out, c->folders[i].name);
		buf_add_str(out, " {\n");
		print_keys(conf_folder_keys, &c->folders[i], "\t", out);
		buf_add_str(out, "}\n");
	}
	for (size_t i = 0; i < c->n_listeners; i++) {
		buf_add_str(out, "listener ");
		conf_quote(out, c->listeners[i].name);
		buf_add_str(out, " {\n");
		print_keys(conf_listener_keys, &c->listeners[i], "\t", out);
		buf_add_str(out, "}\n");
	}
}
