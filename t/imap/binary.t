# t/imap/binary.t - parts without their transfer encoding (RFC 3516)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ mixed
|Subject: mixed
|MIME-Version: 1.0
|Content-Type: multipart/mixed; boundary=b
|
|--b
|Content-Type: text/plain; charset=utf-8
|Content-Transfer-Encoding: quoted-printable
|
|gr=C3=BCn=
|er
|--b
|Content-Type: application/octet-stream
|Content-Transfer-Encoding: base64
|
|AAECA/8=
|--b
|Content-Type: text/plain
|Content-Transfer-Encoding: x-rot13
|
|Uryyb
|--b
|Content-Type: message/rfc822
|
|Subject: inner
|Content-Transfer-Encoding: base64
|
|SGVsbG8=
|--b--
@ plain
|Subject: plain
|
|text

== BINARY, BINARY.PEEK, BINARY.SIZE
M: a APPEND INBOX < mixed
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[4.1])
S: * 1 FETCH (BINARY.SIZE[1] 7 BINARY.SIZE[2] 5 BINARY.SIZE[4.1] 5)
S: a OK ...
C: b FETCH 1 (BINARY.PEEK[1])
S: * 1 FETCH (BINARY[1] ~{7}<CRLF>gr<xC3><xBC>ner)
S: b OK ...
C: c FETCH 1 (BINARY.PEEK[2] UID)
S: * 1 FETCH (BINARY[2] ~{5}<CRLF><x00><x01><x02><x03><xFF> UID 1)
S: c OK ...
C: d FETCH 1 (BINARY.PEEK[2]<1.3>)
S: * 1 FETCH (BINARY[2]<1> ~{3}<CRLF><x01><x02><x03>)
S: d OK ...
C: e FETCH 1 (BINARY.PEEK[2]<4.100>)
S: * 1 FETCH (BINARY[2]<4> ~{1}<CRLF><xFF>)
S: e OK ...
C: f FETCH 1 (BINARY.PEEK[2]<5.1>)
S: * 1 FETCH (BINARY[2]<5> ~{0}<CRLF>)
S: f OK ...
C: g FETCH 1 (BINARY.PEEK[4.1])
S: * 1 FETCH (BINARY[4.1] ~{5}<CRLF>Hello)
S: g OK ...
# a message is what it is
C: h FETCH 1 (BINARY.PEEK[4])
S: * 1 FETCH (BINARY[4] ~{61}<CRLF>Subject: inner<CRLF>Content-Transfer-Encoding: base64<CRLF><CRLF>SGVsbG8=)
S: h OK ...
C: i FETCH 1 (BINARY.PEEK[]<0.16> BINARY.SIZE[] RFC822.SIZE)
S/ \* 1 FETCH \(BINARY\[\]<0> ~\{16\}\r\nSubject: mixed\r\n BINARY.SIZE\[\] (?<z>\d+) RFC822.SIZE \d+\)
S: i OK ...
C: j FETCH 1 (FLAGS BINARY.SIZE[])
S: * 1 FETCH (FLAGS (\Recent) BINARY.SIZE[] ${z})
S: j OK ...
# there is no such part
C: k FETCH 1 (BINARY.PEEK[7] BINARY.SIZE[7])
S: * 1 FETCH (BINARY[7] NIL BINARY.SIZE[7] 0)
S: k OK ...
# without PEEK it is read
C: l FETCH 1 BINARY[1]
S: * 1 FETCH (BINARY[1] ~{7}<CRLF>gr<xC3><xBC>ner FLAGS (\Seen \Recent))
S: l OK ...

== an encoding that isn't known
M: a APPEND INBOX < mixed
A: a OK ...
M: a APPEND INBOX < plain
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a FETCH 1 (UID BINARY.PEEK[3])
S: a NO [UNKNOWN-CTE] ...
C: b FETCH 1 BINARY.SIZE[3]
S: b NO [UNKNOWN-CTE] ...
C: c FETCH 1:2 BINARY.PEEK[3]
S: * 2 FETCH (BINARY[3] NIL)
S: c NO [UNKNOWN-CTE] ...
C: d FETCH 2 BINARY.PEEK[1]
S: * 2 FETCH (BINARY[1] ~{6}<CRLF>text<CRLF>)
S: d OK ...

== bad arguments
M: a APPEND INBOX < plain
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a FETCH 1 BINARY[TEXT]
S: a BAD expected a section at octet 18
C: b FETCH 1 BINARY[1.MIME]
S: b BAD expected a section at octet 18
C: c FETCH 1 BINARY.SIZE[1]<0.1>
S: c BAD expected a partial range <from.count> at octet 11
C: d FETCH 1 BINARY
S: d BAD expected a data item at octet 11
C: e FETCH 1 BINARY[0]
S: e BAD expected a section at octet 18

== APPEND of a literal8
C: a APPEND INBOX ~{17+}
R: Subject: x<CRLF><CRLF>y<CRLF>
C:
S: a OK [APPENDUID ... 1] ...
C: b APPEND INBOX ~{17+}
R: Subject: x<CRLF><CRLF><NUL><CRLF>
C:
S: b NO [UNKNOWN-CTE] ...
C: c APPEND INBOX {17+}
R: Subject: x<CRLF><CRLF><NUL><CRLF>
C:
S: c BAD ...
