/* libmime/record.h - constants of the record (see record.c for its form) */
#ifndef MIME_RECORD_H
#define MIME_RECORD_H

enum {	/* of the message */
	REC_LIMITED = 1, REC_ATTACHMENT = 2
};
enum {	/* a part's first octet: kind, encoding << 2, and */
	REC_KIND = 3, REC_ENC_SHIFT = 2, REC_ENC = 7,
	REC_IMPLIED = 0x20, REC_PROBLEM = 0x40, REC_ENV = 0x80
};
enum {	/* a part's second octet: what is there */
	REC_TYPE = 1, REC_PARAMS = 2, REC_ENCODING = 4, REC_DISPOSITION = 8,
	REC_ID = 0x10, REC_DESCRIPTION = 0x20,
	REC_RARE = 0x40,	/* md5, location, languages */
	REC_DECODED = 0x80
};
enum {	/* an envelope's octet: bits 0 to 5, which lists are present, and */
	REC_SENT = 0x40,
	REC_OFFSET_BIAS = 6000	/* minutes */
};

#endif
