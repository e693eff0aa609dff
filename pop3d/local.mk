# pop3d: POP3 (RFC 1939)
daemon_PROGRAMS += pop3d/pop3d
pop3d_pop3d_SOURCES = \
	pop3d/auth.c \
	pop3d/commands.c \
	pop3d/maildrop.c \
	pop3d/main.c \
	pop3d/pop3.h \
	pop3d/send.c \
	pop3d/transaction.c pop3d/uidl.c
pop3d_pop3d_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBBASE)

TAPS += t/pop3/options.t t/pop3/session.t
