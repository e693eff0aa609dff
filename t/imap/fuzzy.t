# t/imap/fuzzy.t - SEARCH=FUZZY (RFC 6203)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ broken
|From: Dave <dave@example.org>
|Subject: IMAP breaks again
|
|The server says helo to me. Rien.
@ other
|From: Eve <eve@example.org>
|Subject: Lunch
|
|Hello, hello; hello! We said hello, helloo.
|Help was there.
@ third
|From: bob@example.org
|Subject: =?utf-8?Q?Stra=C3=9Fencaf=C3=A9?=
|Content-Type: text/html; charset=utf-8
|Content-Transfer-Encoding: quoted-printable
|
|<p>Breaking news: the im=
|ap server runs</p>

== The RFC's examples
M: a APPEND INBOX < broken
A: a OK ...
M: a APPEND INBOX < other
A: a OK ...
M: a APPEND INBOX (\Seen) < third
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: A1 SEARCH FUZZY (SUBJECT "IMAP break")
S: * SEARCH 1
S: A1 OK ...
C: A2 SEARCH FUZZY SUBJECT imapp FROM dave@example.org
S: * SEARCH 1
S: A2 OK ...
C: A3 SEARCH FUZZY SUBJECT imap FROM dav@example.org
S: * SEARCH
S: A3 OK ...
C: B1 SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT "Helo"
S/ \* ESEARCH \(TAG "B1"\) ALL 1:2 RELEVANCY \((?:[1-9]|\d\d|100) (?:[1-9]|\d\d|100)\)
S: B1 OK ...
C: C1 SORT (RELEVANCY) UTF-8 FUZZY TEXT "hello"
S: * SORT 2 1
S: C1 OK ...
C: C2 SORT (REVERSE RELEVANCY) UTF-8 FUZZY TEXT "hello"
S: * SORT 1 2
S: C2 OK ...
C: C3 SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY TEXT "hello"
S/ \* ESEARCH \(TAG "C3"\) ALL 2,1 RELEVANCY \((\d+) (\d+)\)
S: C3 OK ...
C: C4 SORT RETURN (PARTIAL 1:1 RELEVANCY) (RELEVANCY) UTF-8 FUZZY TEXT "hello"
S/ \* ESEARCH \(TAG "C4"\) PARTIAL \(1:1 2\) RELEVANCY \(\d+\)
S: C4 OK ...

== What is exact stays so
M: a APPEND INBOX < broken
A: a OK ...
M: a APPEND INBOX < other
A: a OK ...
M: a APPEND INBOX (\Seen) < third
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a SEARCH FUZZY SEEN
S: * SEARCH 3
S: a OK ...
C: b SEARCH RETURN (RELEVANCY ALL) FUZZY SEEN
S: * ESEARCH (TAG "b") ALL 3 RELEVANCY (100)
S: b OK ...
C: c SEARCH NOT FUZZY TEXT hello
S: * SEARCH 3
S: c OK ...
C: d SEARCH FUZZY (BODY run UNSEEN)
S: * SEARCH
S: d OK ...
C: e SEARCH FUZZY (BODY "IMAP break" SEEN)
S: * SEARCH 3
S: e OK ...
C: f SEARCH FUZZY OR SUBJECT lunchs SUBJECT breaking
S: * SEARCH 1 2
S: f OK ...
C: g SEARCH OR FUZZY SUBJECT lunchs SUBJECT breaking
S: * SEARCH 2
S: g OK ...
C: h SEARCH CHARSET UTF-8 FUZZY SUBJECT {12}
S: + ...
C: stra<xC3><x9F>encafe
S: * SEARCH 3
S: h OK ...
C: i SEARCH CHARSET UTF-8 FUZZY SUBJECT "strassencafe"
S: * SEARCH 3
S: i OK ...
C: j SEARCH FUZZY HEADER From "dave"
S: * SEARCH 1
S: j OK ...
C: k UID SEARCH RETURN (COUNT RELEVANCY) FUZZY BODY nothinglikethis
S: * ESEARCH (TAG "k") UID RELEVANCY () COUNT 0
S: k OK ...
C: l ESEARCH IN (personal) RETURN (RELEVANCY ALL) FUZZY SUBJECT breaks
S/ \* ESEARCH \(TAG "l" MAILBOX INBOX UIDVALIDITY \d+\) UID ALL 1 RELEVANCY \(\d+\)
S: l OK ...

== Wrong or refused
C: s SELECT INBOX
A: s OK ...
C: a SEARCH RETURN (RELEVANCY ALL) SUBJECT x
S: a BAD RELEVANCY is for FUZZY searches
C: b SORT (RELEVANCY) UTF-8 SUBJECT x
S: b BAD RELEVANCY is for FUZZY searches
C: c SEARCH FUZZY
S: c BAD ...
C: d SEARCH FUZZY SUBJECT
S: d BAD ...
C: e SEARCH RETURN (UPDATE COUNT) FUZZY SUBJECT x
S: * NO [NOUPDATE "e"] ...
S: * ESEARCH (TAG "e") COUNT 0
S: e OK ...
