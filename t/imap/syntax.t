# t/imap/syntax.t - hostile and clumsy input: the session goes on
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA, conf => "max-line = 8192\n");
__DATA__
== lines that are no commands
C:
S: * BAD expected a tag and a space at octet 1
C: noop
S: * BAD expected a tag and a space at octet 1
C: +x NOOP
S: * BAD expected a tag and a space at octet 1
C: a
S: * BAD expected a tag and a space at octet 1
R: a <CRLF>
S: a BAD expected a command's name at octet 3
C: a (NOOP)
S: a BAD expected a command's name at octet 3
C: b NOOP
S: b OK ...

== line ends
R: a NOOP<LF>
S: a BAD LF without CR at octet 7
R: a NO<CR>OP<CRLF>
S: a BAD CR without LF at octet 5
R: a NO<NUL>OP<CRLF>
S: a BAD NUL at octet 5
R: b NOOP<CR><CR><LF>
S: b BAD CR without LF at octet 7
C: c NOOP
S: c OK ...

== octets that do not belong
C: a NO<x80>OP
S: a BAD ...
C: a SELECT INB<x07>OX
S: a BAD expected ...
C: a SELECT "<xC3><x28>"
S: a BAD expected valid UTF-8 in the quoted string at octet 10
C: a SELECT "a
S: a BAD expected '"' that ends the quoted string at octet 12
C: a SELECT "a\n"
S: a BAD expected '"' or '\' after '\' at octet 13
C: b NOOP
S: b OK ...

== a long line
R: a SELECT <9000*x><CRLF>
S: a NO [LIMIT] line of more than 8192 octets
R: a SELECT "<5000*x>"<CRLF>
S: a NO ...
R: <5000*long >
R: <5000*long ><CRLF>
S: long NO [LIMIT] line of more than 8192 octets
R: a SELECT <9000*x> {5+}<CRLF>b NOO<CRLF>
S: a NO [LIMIT] line of more than 8192 octets
C: c NOOP
S: c OK ...

== deep and long lists
R: a SEARCH <100*(>ALL<100*)><CRLF>
S: a BAD select a mailbox first
C: b SELECT INBOX
A: b OK ...
R: a SEARCH <100*(>ALL<100*)><CRLF>
S: a NO [LIMIT] lists nested deeper than 31 at octet ...
R: a SEARCH <30*(>ALL<30*)><CRLF>
S: * SEARCH
S: a OK ...
R: a SEARCH <30*NOT >ALL<CRLF>
S: * SEARCH
S: a OK ...
R: a SEARCH <1000*NOT >ALL<CRLF>
S: a BAD expected less nesting at octet ...
R: a SEARCH <1000*OR >ALL<CRLF>
S: a BAD expected less nesting at octet ...
R: a FETCH 1 (<400*BODY.PEEK[HEADER] >UID)<CRLF>
S: a BAD no message has that sequence number
C: c NOOP
S: c OK ...

== sets
C: b SELECT INBOX
A: b OK ...
C: a FETCH 0 UID
S: a BAD expected a set of numbers at octet 9
C: a FETCH 1: UID
S: a BAD expected a set of numbers at octet 9
C: a FETCH 1:2:3 UID
S: a BAD expected a set of numbers at octet 9
C: a FETCH 4294967296 UID
S: a BAD expected a set of numbers at octet 9
C: a FETCH 1,,2 UID
S: a BAD expected a set of numbers at octet 9
C: a FETCH -1 UID
S: a BAD expected a set of numbers at octet 9
R: a UID FETCH <1500*7,9,>5:4294967295 UID<CRLF>
S: a OK ...
C: a UID FETCH 1:4294967295,*:1 (FLAGS)
S: a OK ...
C: a FETCH 1:* UID
S: a BAD no message has that sequence number

== literals
C: a SELECT {5}
S: + OK
C: INBOX
A: a OK ...
C: a SELECT {5+}
C: INBOX
A: a OK ...
C: a SELECT {9223372036854775808}
S: a BAD expected a literal ...
C: a SELECT {9223372036854775807}
S: a NO [TOOBIG] literal of more than 65536 octets at octet 10
C: a SELECT {65537}
S: a NO [TOOBIG] literal of more than 65536 octets at octet 10
C: a SELECT {5
S: a BAD expected a literal ...
C: a SELECT {-5}
S: a BAD expected a literal ...
C: a SELECT {}
S: a BAD expected a literal ...
C: a SELECT {5-}
S: a BAD expected a literal ...
C: a SELECT ~{5}
S: a BAD a literal8 can't be taken here
C: a SELECT {3+}
R: a<NUL>b<CRLF>
S: a BAD NUL in the literal that ends at octet 18
C: b NOOP
S: b OK ...

== a literal of 2^63 that comes anyway ends the session
C: a SELECT {9223372036854775808+}
S: a BAD expected a literal ...
S: * BYE [TOOBIG] ...
E:


== numbers of messages in a mailbox that has none
C: a SELECT INBOX
A: a OK ...
C: b FETCH * UID
S: b BAD no message has that sequence number
C: c STORE 1 FLAGS ()
S: c BAD no message has that sequence number
C: d COPY 1 INBOX
S: d BAD no message has that sequence number
C: e UID FETCH * UID
S: e OK ...
C: f UID SEARCH *
S: * SEARCH
S: f OK ...
