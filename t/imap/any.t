# t/imap/any.t - commands of any state, and those in the wrong one
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
== CAPABILITY, NOOP, LOGOUT
C: a CAPABILITY
S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ ...
S: a OK ...
C: b noop
S: b OK ...
C: c NOOP x
S: c BAD expected nothing more at octet 8
C: d LOGOUT now
S: d BAD ...
C: e LOGOUT
S: * BYE ...
S: e OK ...
E:

== what follows LOGOUT is not looked at
R: a LOGOUT<CRLF>b NOOP<CRLF>
S: * BYE ...
S: a OK ...
E:

== ID
C: a ID NIL
S: * ID ("name" "Culver")
S: a OK ...
C: b ID ("name" "x" "version" NIL "os" {3+}
C: abc)
S: * ID ...
S: b OK ...
C: c ID ()
S: * ID ...
S: c OK ...
C: d ID
S: d BAD expected NIL or a list, not the end
C: e ID ("name")
S: e BAD ...
C: f ID (name "x")
S: f BAD ...
C: g ID ("<31*x>" "y")
S: g BAD ...
C: h ID ("x" "<1025*y>")
S: h BAD ...
C: i ID (<30*"a" "b" >"c" "d")
S: i BAD ...

== ENABLE, NAMESPACE
C: a ENABLE X-GOOD-IDEA
S: * ENABLED
S: a OK ...
C: a ENABLE X-GOOD-IDEA condstore
S: * ENABLED CONDSTORE
S: a OK ...
# once only
C: a ENABLE CONDSTORE QRESYNC
S: * ENABLED QRESYNC
S: a OK ...
C: b ENABLE
S: b BAD expected a capability, not the end
C: c NAMESPACE
S: * NAMESPACE (("" "/")) (("Other Users/" "/")) NIL
S: c OK ...
C: d NAMESPACE x
S: d BAD ...

== the wrong state
C: a LOGIN u1 secret
S: a BAD you are logged in already
C: b AUTHENTICATE PLAIN
S: b BAD you are logged in already
C: c STARTTLS
S: c BAD you are logged in already
C: d FETCH 1 UID
S: d BAD select a mailbox first
C: e UID EXPUNGE 1
S: e BAD select a mailbox first
C: f CLOSE
S: f BAD select a mailbox first
C: g UNSELECT
S: g BAD select a mailbox first
C: h CHECK
S: h BAD select a mailbox first
C: i EXPUNGE
S: i BAD select a mailbox first

== unknown commands
C: a XYZZY
S: a BAD unknown command
C: b UID NOOP
S: b BAD unknown command
C: c UID
S: c BAD expected a space and a command after UID at octet 6
C: d XYZZY {5+}
R: a LOG
C: e NOOP
S: d BAD unknown command
C: f XYZZY {5}
S: f BAD unknown command
C: g NOOP
S: g OK ...

== pipelining
R: a NOOP<CRLF>b CAPABILITY<CRLF>c SELECT INBOX<CRLF>d UID SEARCH ALL<CRLF>
S: a OK ...
S: * CAPABILITY ...
S: b OK ...
A: c OK ...
S: * SEARCH
S: d OK ...
