# t/imap/comparator.t - I18NLEVEL=2, COMPARATOR (RFC 5255 4, RFC 4790, RFC 5051)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ umlaut
|From: Anna <ANNA@example.org>
|To: =?utf-8?q?J=C3=BCrgen?= <bob@example.org>
|Cc: x@example.org
|Subject: =?utf-8?q?=C3=84rger?= in Stra<xC3><x9F>burg
|Content-Type: text/plain; charset=iso-8859-1
|
|Sch<xF6>ne Gr<xFC><xDF>e
@ upper
|From: bert@example.org
|To: Carl <carl@example.org>
|Subject: Re: ZEBRA
|
|SCHOENE GRUESSE
@ lower
|From: Anna <anna@example.org>
|To: dora@example.org
|Subject: apple
|
|schoene gruesse
# RFC 5255 4.6: (1) and (3) aren't UTF-8
@ one
|Subject: =?utf-8?q?=D0=C0=D0=BD=D0=B4=D1=80=D0=B5=D0=B9?=
|
|1
@ two
|Subject: =?utf-8?q?=D1=81=D0=95=D0=A0=D0=93=D0=95=D0=99?=
|
|2
@ three
|Subject: =?utf-8?q?=D0=92=D0=B0=D1=81=D0=B8=D0=BB=D0=B8=FF=B9?=
|
|3
@ four
|Subject: =?koi8-r?q?=E1=CC=C5=CB=D3=C5=CA?=
|
|4
@ unknown
|Subject: =?x-martian?q?Gr=FCn_Xyz?=
|Content-Type: text/plain; charset=x-martian
|
|abc Gr<xFC>n
@ t1
|Subject: pears
|Message-ID: <1@x>
|Date: Tue, 1 Feb 1994 09:00:00 +0000
|
@ t2
|Subject: Re: PEARS
|Message-ID: <2@x>
|Date: Tue, 1 Feb 1994 10:00:00 +0000
|

== the command and its response
C: a CAPABILITY
S/ \* CAPABILITY .* I18NLEVEL=2 .*
S: a OK ...
C: b COMPARATOR
S: * COMPARATOR i;unicode-casemap
S: b OK That is the comparator
# RFC 5255 4.7's, but for i;basic
C: c COMPARATOR "cz;*" i;basic
S: c NO [BADCOMPARATOR] There is no such comparator
C: d COMPARATOR "cz;*" i;octet
S: * COMPARATOR i;octet
S: d OK Will use this comparator
C: e COMPARATOR
S: * COMPARATOR i;octet
S: e OK ...
# what fails changes nothing
C: f COMPARATOR i;basic
S: f NO [BADCOMPARATOR] ...
C: g COMPARATOR
S: * COMPARATOR i;octet
S: g OK ...
# the first argument wins, all that match are told
C: h COMPARATOR "i;ascii-*" i;octet
S: * COMPARATOR i;ascii-casemap (i;ascii-casemap i;octet)
S: h OK ...
C: i COMPARATOR "I;*"
S: * COMPARATOR i;unicode-casemap (i;unicode-casemap i;ascii-casemap i;octet)
S: i OK ...
C: j COMPARATOR {7+}<CRLF>i;octet
S: * COMPARATOR i;octet
S: j OK ...
C: k COMPARATOR default
S: * COMPARATOR i;unicode-casemap
S: k OK ...
C: l COMPARATOR -i;ascii-casemap
S: * COMPARATOR -i;ascii-casemap
S: l OK ...
C: m COMPARATOR "*"
S: * COMPARATOR i;unicode-casemap
S: m OK ...
C: n COMPARATOR "+*c*t" x
S: * COMPARATOR i;octet
S: n OK ...
# RFC 5255 4.4: it has no substrings
C: o COMPARATOR i;ascii-numeric
S: o NO [BADCOMPARATOR] ...
# in the selected state, too
C: p SELECT INBOX
A: p OK ...
C: q COMPARATOR
S: * COMPARATOR i;octet
S: q OK ...
C: r COMPARATOR ""
S: r BAD expected a comparator at octet 14
C: s COMPARATOR "i;**"
S: s BAD expected a comparator at octet 14
C: t COMPARATOR i;octet "i;o<x20>t"
S: t BAD expected a comparator at octet 22
C: u COMPARATOR (i;octet)
S: u BAD expected a comparator at octet 14
C: v COMPARATOR 1;x
S: v BAD expected a comparator at octet 14
C: w COMPARATOR <256*a>
S: w BAD expected a comparator at octet 14
C: x COMPARATOR <255*a>
S: x NO [BADCOMPARATOR] ...
C: y COMPARATOR
S: * COMPARATOR i;octet
S: y OK ...

== SEARCH
M: a APPEND INBOX < umlaut
A: a OK ...
M: a APPEND INBOX < upper
A: a OK ...
M: a APPEND INBOX < lower
A: a OK ...
C: s SELECT INBOX
A: s OK ...
# i;unicode-casemap: case and forms don't matter, sharp s has no title case
C: b SEARCH CHARSET UTF-8 SUBJECT {6+}<CRLF><xC3><xA4>RGER
S: * SEARCH 1
S: b OK ...
C: c SEARCH CHARSET UTF-8 SUBJECT {7+}<CRLF>a<xCC><x88>rger
S: * SEARCH 1
S: c OK ...
C: d SEARCH CHARSET UTF-8 BODY {6+}<CRLF>GR<xC3><x9C><xC3><x9F>
S: * SEARCH 1
S: d OK ...
C: e SEARCH BODY gruess
S: * SEARCH 2 3
S: e OK ...
C: f SEARCH SUBJECT strassburg
S: * SEARCH
S: f OK ...
C: g SEARCH CHARSET ISO-8859-1 TO {6+}<CRLF>J<xDC>RGEN
S: * SEARCH 1
S: g OK ...
# i;ascii-casemap: other letters are octets
C: h COMPARATOR i;ascii-casemap
A: h OK ...
C: i SEARCH CHARSET UTF-8 SUBJECT {6+}<CRLF><xC3><xA4>RGER
S: * SEARCH
S: i OK ...
C: j SEARCH CHARSET UTF-8 SUBJECT {6+}<CRLF><xC3><x84>RGER
S: * SEARCH 1
S: j OK ...
C: k SEARCH CHARSET UTF-8 SUBJECT {7+}<CRLF>A<xCC><x88>rger
S: * SEARCH
S: k OK ...
C: l SEARCH TEXT gruess
S: * SEARCH 2 3
S: l OK ...
# i;octet, in every key that has a string
C: m COMPARATOR i;octet
A: m OK ...
C: n SEARCH TEXT gruess
S: * SEARCH 3
S: n OK ...
C: o SEARCH BODY GRUESS
S: * SEARCH 2
S: o OK ...
C: p SEARCH FROM anna
S: * SEARCH 3
S: p OK ...
C: q SEARCH TO carl@
S: * SEARCH 2
S: q OK ...
C: q1 SEARCH TO CARL@
S: * SEARCH
S: q1 OK ...
C: r SEARCH CC X@
S: * SEARCH
S: r OK ...
C: t SEARCH BCC ""
S: * SEARCH
S: t OK ...
C: u SEARCH HEADER Subject zebra
S: * SEARCH
S: u OK ...
C: v SEARCH HEADER sUBJECT ZEBRA
S: * SEARCH 2
S: v OK ...
C: w SEARCH RETURN (COUNT) TEXT gruess
S: * ESEARCH (TAG "w") COUNT 1
S: w OK ...
C: x ESEARCH IN (inboxes) RETURN (ALL) TEXT gruess
S: * ESEARCH (TAG "x" MAILBOX INBOX UIDVALIDITY ...) UID ALL 3
S: x OK ...
# the direction is that of the order
C: y COMPARATOR -i;unicode-casemap
A: y OK ...
C: z SEARCH TEXT gruess
S: * SEARCH 2 3
S: z OK ...

== SORT
M: a APPEND INBOX < umlaut
A: a OK ...
M: a APPEND INBOX < upper
A: a OK ...
M: a APPEND INBOX < lower
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SORT (SUBJECT) UTF-8 ALL
S: * SORT 3 1 2
S: b OK ...
C: c SORT (FROM) UTF-8 ALL
S: * SORT 1 3 2
S: c OK ...
C: d COMPARATOR i;octet
A: d OK ...
C: e SORT (SUBJECT) UTF-8 ALL
S: * SORT 2 3 1
S: e OK ...
C: f SORT (FROM) UTF-8 ALL
S: * SORT 1 3 2
S: f OK ...
C: g SORT (DISPLAYTO) UTF-8 ALL
S: * SORT 2 1 3
S: g OK ...
C: h COMPARATOR i;ascii-casemap
A: h OK ...
C: i SORT (SUBJECT) UTF-8 ALL
S: * SORT 3 2 1
S: i OK ...
C: j COMPARATOR -i;ascii-casemap
A: j OK ...
C: k SORT (SUBJECT) UTF-8 ALL
S: * SORT 1 2 3
S: k OK ...
C: l SORT (REVERSE SUBJECT) UTF-8 ALL
S: * SORT 3 2 1
S: l OK ...
# not of numbers
C: m SORT (SIZE) UTF-8 ALL
S: * SORT 3 2 1
S: m OK ...

== RFC 5255 4.6: what isn't in its charset comes last, by octets
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX < two
A: a OK ...
M: a APPEND INBOX < three
A: a OK ...
M: a APPEND INBOX < four
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SORT (SUBJECT) UTF-8 ALL
S: * SORT 4 2 3 1
S: b OK ...
C: c COMPARATOR -i;unicode-casemap
A: c OK ...
C: d SORT (SUBJECT) UTF-8 ALL
S: * SORT 2 4 1 3
S: d OK ...

== unknown charsets are searched by octets
M: a APPEND INBOX < unknown
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SEARCH BODY abc
S: * SEARCH 1
S: b OK ...
C: c SEARCH SUBJECT "n Xyz"
S: * SEARCH 1
S: c OK ...
C: d SEARCH SUBJECT "n xyz"
S: * SEARCH
S: d OK ...
C: e COMPARATOR i;octet
A: e OK ...
C: f SEARCH SUBJECT "n Xyz" BODY "abc Gr"
S: * SEARCH 1
S: f OK ...
C: g SEARCH BODY "ABC"
S: * SEARCH
S: g OK ...

== THREAD
M: a APPEND INBOX < t1
A: a OK ...
M: a APPEND INBOX < t2
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b THREAD ORDEREDSUBJECT UTF-8 ALL
S: * THREAD (1 2)
S: b OK ...
C: c THREAD REFERENCES UTF-8 ALL
S: * THREAD (1 2)
S: c OK ...
C: d COMPARATOR i;octet
A: d OK ...
C: e THREAD ORDEREDSUBJECT UTF-8 ALL
S: * THREAD (1)(2)
S: e OK ...
C: f THREAD REFERENCES UTF-8 ALL
S: * THREAD (1)(2)
S: f OK ...
