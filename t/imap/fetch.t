# t/imap/fetch.t - FETCH: items, sections, partial ranges, structures
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
# RFC 3501 section 8
@ rfc
|Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
|From: Terry Gray <gray@cac.washington.edu>
|Subject: IMAP4rev1 WG mtg summary and minutes
|To: imap@cac.washington.edu
|cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
|Message-Id: <B27397-0100000@cac.washington.edu>
|MIME-Version: 1.0
|Content-Type: TEXT/PLAIN; CHARSET=US-ASCII
|
|Hello
|World
@ multi
|From: "A \"q\" B" <@relay,@other:a@example.com>, nobody
|Sender: s@example.com
|Reply-To: Team: x@example.com, "y z"@example.com;, last@example.com
|To: undisclosed-recipients:;
|Subject: =?utf-8?Q?caf=C3=A9?=
| folded
|Date: Thu, 1 Jan 2026 00:00:00 +0000
|In-Reply-To: <p@example.com>
|Message-ID: <m@example.com>
|MIME-Version: 1.0
|Content-Type: multipart/mixed; boundary="b1"
|
|preamble
|--b1
|Content-Type: text/plain; charset=utf-8
|Content-Transfer-Encoding: quoted-printable
|Content-Language: de, en
|Content-Location: http://x.example/
|Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
|
|caf=C3=A9
|--b1
|Content-Type: message/rfc822
|Content-Disposition: attachment; filename="in\"ner.eml"
|
|Subject: inner
|From: i@example.com
|Content-Type: multipart/alternative; boundary=b2
|
|--b2
|
|plain
|--b2
|Content-Type: text/html
|Content-ID: <c@x>
|Content-Description: the html
|
|<xxx>
|--b2--
|--b1
|Content-Type: application/octet-stream; name=x.bin
|Content-Transfer-Encoding: base64
|Content-Disposition: attachment
|
|AAECAw==
|--b1--
|epilogue
@ bare
|
|no header
@ header
|Subject: only a header
@ message
|Subject: outer
|Content-Type: message/rfc822
|
|Subject: inner
|
|text
@ brokenmulti
|Content-Type: multipart/mixed
|
|no boundary
@ base64message
|Content-Type: message/rfc822; name=x
|Content-Transfer-Encoding: base64
|
|U3ViamVjdDogeA0KDQo=
@ eight
|Subject: caf<xC3><xA9>
|From: "<xE9>" <e@example.com>
|X-Nul: y
|
|x
@ encoded
|Content-Type: application/pdf
|Content-Disposition: attachment; filename*=iso-8859-1''na%EFve.pdf; size=1
|
|x
@ crowd
|From: a@b
|Subject: 1
|Subject: 2
|To: x@y
|To: z@y
|X-A: one
|x-a: two
| folded
|Subject: 3
|
|t

== the example of RFC 3501 section 8
M: a APPEND INBOX (\Seen) "17-Jul-1996 02:44:25 -0700" < rfc
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b fetch 1 full
S: * 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 356 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7bit" 14 2))
S: b OK ...
C: c fetch 1 body[header]
S: * 1 FETCH (BODY[HEADER] {342}<CRLF>Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)<CRLF>From: Terry Gray <gray@cac.washington.edu><CRLF>Subject: IMAP4rev1 WG mtg summary and minutes<CRLF>To: imap@cac.washington.edu<CRLF>cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU><CRLF>Message-Id: <B27397-0100000@cac.washington.edu><CRLF>MIME-Version: 1.0<CRLF>Content-Type: TEXT/PLAIN; CHARSET=US-ASCII<CRLF><CRLF>)
S: c OK ...
C: d FETCH 1 ALL
S: * 1 FETCH (FLAGS ... INTERNALDATE ... RFC822.SIZE 356 ENVELOPE (...))
S: d OK ...
C: e FETCH 1 FAST
S: * 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 356)
S: e OK ...
C: f FETCH 1 BODYSTRUCTURE
S: * 1 FETCH (BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7bit" 14 2 NIL NIL NIL NIL))
S: f OK ...
C: g FETCH 1 (RFC822.HEADER RFC822.TEXT RFC822)
S: * 1 FETCH (RFC822.HEADER {342}<CRLF>Date: ...<CRLF><CRLF> RFC822.TEXT {14}<CRLF>Hello<CRLF>World<CRLF> RFC822 {356}<CRLF>Date: ...<CRLF>World<CRLF>)
S: g OK ...
C: h FETCH 1 (BODY.PEEK[1] BODY.PEEK[TEXT] BODY.PEEK[2] BODY.PEEK[1.1] BODY.PEEK[1.HEADER])
S: * 1 FETCH (BODY[1] {14}<CRLF>Hello<CRLF>World<CRLF> BODY[TEXT] {14}<CRLF>Hello<CRLF>World<CRLF> BODY[2] NIL BODY[1.1] NIL BODY[1.HEADER] NIL)
S: h OK ...

== partial ranges
M: a APPEND INBOX < rfc
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1 (BODY.PEEK[TEXT]<0.5> BODY.PEEK[TEXT]<5.100> BODY.PEEK[TEXT]<14.1> BODY.PEEK[TEXT]<9999999999.5> BODY.PEEK[]<354.5>)
S: * 1 FETCH (BODY[TEXT]<0> {5}<CRLF>Hello BODY[TEXT]<5> {9}<CRLF><CRLF>World<CRLF> BODY[TEXT]<14> {0}<CRLF> BODY[TEXT]<9999999999> {0}<CRLF> BODY[]<354> {2}<CRLF><CRLF>)
S: b OK ...
C: c FETCH 1 BODY.PEEK[HEADER.FIELDS (TO)]<3.5>
S: * 1 FETCH (BODY[HEADER.FIELDS (TO)]<3> {5}<CRLF> imap)
S: c OK ...
C: d FETCH 1 BODY[]<0.0>
S: d BAD expected a partial range <from.count> at octet 11
C: e FETCH 1 BODY[]<1>
S: e BAD expected a partial range <from.count> at octet 11
C: f FETCH 1 BODY[]<1.2.3>
S: f BAD expected a partial range <from.count> at octet 11
C: g FETCH 1 BODY[]<9223372036854775808.1>
S: g BAD expected a partial range <from.count> at octet 11
C: h FETCH 1 BODY.PEEK[]<9223372036854775807.9223372036854775807>
S: * 1 FETCH (BODY[]<9223372036854775807> {0}<CRLF>)
S: h OK ...

== envelope of what is less simple
M: a APPEND INBOX < multi
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1 ENVELOPE
S: * 1 FETCH (ENVELOPE ("Thu, 1 Jan 2026 00:00:00 +0000" "=?utf-8?Q?caf=C3=A9?= folded" (("A \"q\" B" "@relay,@other" "a" "example.com")(NIL NIL "nobody" "")) ((NIL NIL "s" "example.com")) ((NIL NIL "Team" NIL)(NIL NIL "x" "example.com")(NIL NIL "y z" "example.com")(NIL NIL NIL NIL)(NIL NIL "last" "example.com")) ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL "<p@example.com>" "<m@example.com>"))
S: b OK ...

== structure and sections of a nested message
M: a APPEND INBOX < multi
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1 BODY
S: * 1 FETCH (BODY (("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 9 0)("message" "rfc822" NIL NIL NIL "7bit" 200 (NIL "inner" ((NIL NIL "i" "example.com")) ((NIL NIL "i" "example.com")) ((NIL NIL "i" "example.com")) NIL NIL NIL NIL NIL) (("text" "plain" NIL NIL NIL "7bit" 5 0)("text" "html" NIL "<c@x>" "the html" "7bit" 5 0) "alternative") 13)("application" "octet-stream" ("name" "x.bin") NIL NIL "base64" 8) "mixed"))
S: b OK ...
C: c FETCH 1 BODYSTRUCTURE
S: * 1 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 9 0 "Q2hlY2sgSW50ZWdyaXR5IQ==" NIL ("de" "en") "http://x.example/")("message" "rfc822" NIL NIL NIL "7bit" 200 (NIL "inner" ...) (("text" "plain" NIL NIL NIL "7bit" 5 0 NIL NIL NIL NIL)("text" "html" NIL "<c@x>" "the html" "7bit" 5 0 NIL NIL NIL NIL) "alternative" ("boundary" "b2") NIL NIL NIL) 13 NIL ("attachment" ("filename" "in\"ner.eml")) NIL NIL)("application" "octet-stream" ("name" "x.bin") NIL NIL "base64" 8 NIL ("attachment" NIL) NIL NIL) "mixed" ("boundary" "b1") NIL NIL NIL))
S: c OK ...
C: d FETCH 1 (BODY.PEEK[1] BODY.PEEK[2.HEADER] BODY.PEEK[2.1] BODY.PEEK[2.2] BODY.PEEK[3])
S: * 1 FETCH (BODY[1] {9}<CRLF>caf=C3=A9 BODY[2.HEADER] {89}<CRLF>Subject: inner<CRLF>From: i@example.com<CRLF>Content-Type: multipart/alternative; boundary=b2<CRLF><CRLF> BODY[2.1] {5}<CRLF>plain BODY[2.2] {5}<CRLF><xxx> BODY[3] {8}<CRLF>AAECAw==)
S: d OK ...
C: e FETCH 1 (BODY.PEEK[3.MIME] BODY.PEEK[2.2.MIME] BODY.PEEK[2.1.MIME])
S: * 1 FETCH (BODY[3.MIME] {122}<CRLF>Content-Type: application/octet-stream; name=x.bin<CRLF>...<CRLF><CRLF> BODY[2.2.MIME] {77}<CRLF>Content-Type: text/html<CRLF>...<CRLF><CRLF> BODY[2.1.MIME] {2}<CRLF><CRLF>)
S: e OK ...
C: f FETCH 1 (BODY.PEEK[2.TEXT] BODY.PEEK[2.HEADER.FIELDS (subject X)] BODY.PEEK[2.HEADER.FIELDS.NOT (Subject Content-Type)])
S: * 1 FETCH (BODY[2.TEXT] {111}<CRLF>--b2<CRLF>...--b2-- BODY[2.HEADER.FIELDS (subject X)] {18}<CRLF>Subject: inner<CRLF><CRLF> BODY[2.HEADER.FIELDS.NOT (Subject Content-Type)] {23}<CRLF>From: i@example.com<CRLF><CRLF>)
S: f OK ...
C: g FETCH 1 (BODY.PEEK[4] BODY.PEEK[2.3] BODY.PEEK[1.1] BODY.PEEK[1.TEXT] BODY.PEEK[3.HEADER] BODY.PEEK[4294967295])
S: * 1 FETCH (BODY[4] NIL BODY[2.3] NIL BODY[1.1] NIL BODY[1.TEXT] NIL BODY[3.HEADER] NIL BODY[4294967295] NIL)
S: g OK ...
C: h FETCH 1 (BODY.PEEK[2])
S: * 1 FETCH (BODY[2] {200}<CRLF>Subject: inner<CRLF>...--b2--)
S: h OK ...

== header fields
M: a APPEND INBOX < crowd
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1 BODY.PEEK[HEADER.FIELDS (X-A)]
S: * 1 FETCH (BODY[HEADER.FIELDS (X-A)] {31}<CRLF>X-A: one<CRLF>x-a: two<CRLF> folded<CRLF><CRLF>)
S: b OK ...
C: c FETCH 1 BODY.PEEK[HEADER.FIELDS (to "From" {4}
S: + OK
C: cc b)]
S: * 1 FETCH (BODY[HEADER.FIELDS (to From "cc b")] {31}<CRLF>From: a@b<CRLF>To: x@y<CRLF>To: z@y<CRLF><CRLF>)
S: c OK ...
C: d FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (X-A FROM TO)]
S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (X-A FROM TO)] {38}<CRLF>Subject: 1<CRLF>Subject: 2<CRLF>Subject: 3<CRLF><CRLF>)
S: d OK ...
C: e FETCH 1 BODY.PEEK[HEADER.FIELDS (nothing)]
S: * 1 FETCH (BODY[HEADER.FIELDS (nothing)] {2}<CRLF><CRLF>)
S: e OK ...
C: f FETCH 1 BODY.PEEK[HEADER.FIELDS ()]
S: f BAD expected a header field, not the end
C: g FETCH 1 BODY.PEEK[HEADER.FIELDS]
S: g BAD expected a list of header fields, not the end
C: h FETCH 1 BODY.PEEK[HEADER (x)]
S: h BAD expected nothing more at octet 28

== odd messages
M: a APPEND INBOX < bare
A: a OK ...
M: a APPEND INBOX < header
A: a OK ...
M: a APPEND INBOX < message
A: a OK ...
M: a APPEND INBOX < brokenmulti
A: a OK ...
M: a APPEND INBOX < base64message
A: a OK ...
M: a APPEND INBOX < eight
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1 (ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[TEXT])
S: * 1 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 11 1 NIL NIL NIL NIL) BODY[HEADER] {2}<CRLF><CRLF> BODY[TEXT] {11}<CRLF>no header<CRLF>)
S: b OK ...
C: c FETCH 2 (BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1])
S: * 2 FETCH (BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL) BODY[HEADER] {24}<CRLF>Subject: only a header<CRLF> BODY[TEXT] {0}<CRLF> BODY[1] {0}<CRLF>)
S: c OK ...
C: d FETCH 3 (BODY BODY.PEEK[1] BODY.PEEK[1.HEADER] BODY.PEEK[1.TEXT] BODY.PEEK[1.1])
S: * 3 FETCH (BODY ("message" "rfc822" NIL NIL NIL "7bit" 24 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" NIL NIL NIL "7bit" 6 1) 3) BODY[1] {24}<CRLF>Subject: inner<CRLF><CRLF>text<CRLF> BODY[1.HEADER] {18}<CRLF>Subject: inner<CRLF><CRLF> BODY[1.TEXT] {6}<CRLF>text<CRLF> BODY[1.1] {6}<CRLF>text<CRLF>)
S: d OK ...
C: e FETCH 4 (BODYSTRUCTURE)
S: * 4 FETCH (BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 13 1 NIL NIL NIL NIL) "mixed" NIL NIL NIL NIL))
S: e OK ...
C: f FETCH 5 (BODYSTRUCTURE BODY.PEEK[1.HEADER])
S: * 5 FETCH (BODYSTRUCTURE ("application" "octet-stream" ("name" "x") NIL NIL "base64" 22 NIL NIL NIL NIL) BODY[1.HEADER] NIL)
S: f OK ...
C: g FETCH 6 (ENVELOPE)
S: * 6 FETCH (ENVELOPE (NIL {5}<CRLF>caf<xC3><xA9> (({1}<CRLF><xE9> NIL "e" "example.com")) (({1}<CRLF><xE9> NIL "e" "example.com")) (({1}<CRLF><xE9> NIL "e" "example.com")) NIL NIL NIL NIL NIL))
S: g OK ...

== \Seen is set by what is not a peek
M: a APPEND INBOX < rfc
A: a OK ...
M: a APPEND INBOX < rfc
A: a OK ...
M: a APPEND INBOX (\Flagged) < rfc
A: a OK ...
M: a APPEND INBOX < rfc
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1:4 (BODY.PEEK[TEXT]<0.1> RFC822.HEADER ENVELOPE BODY BODYSTRUCTURE)
S: * 1 FETCH ...
S: * 2 FETCH ...
S: * 3 FETCH ...
S: * 4 FETCH ...
S: b OK ...
C: c SEARCH SEEN
S: * SEARCH
S: c OK ...
C: d FETCH 1 BODY[TEXT]<0.1>
S: * 1 FETCH (BODY[TEXT]<0> {1}<CRLF>H FLAGS (\Seen \Recent))
S: d OK ...
C: e FETCH 1 BODY[TEXT]<0.1>
S: * 1 FETCH (BODY[TEXT]<0> {1}<CRLF>H)
S: e OK ...
C: f FETCH 2:3 (FLAGS RFC822.TEXT)
S: * 2 FETCH (FLAGS (\Seen \Recent) RFC822.TEXT {14}...)
S: * 3 FETCH (FLAGS (\Flagged \Seen \Recent) RFC822.TEXT {14}...)
S: f OK ...
C: g UID FETCH 4 (RFC822)
S: * 4 FETCH (UID 4 RFC822 {356}... FLAGS (\Seen \Recent))
S: g OK ...

== UID FETCH, sets
M: a APPEND INBOX < bare
A: a OK ...
M: a APPEND INBOX (\Deleted) < bare
A: a OK ...
M: a APPEND INBOX < bare
A: a OK ...
M: a APPEND INBOX < bare
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: s EXPUNGE
S: * 2 EXPUNGE
S: s OK ...
C: b UID FETCH 1:* FLAGS
S: * 1 FETCH (UID 1 FLAGS (\Recent))
S: * 2 FETCH (UID 3 FLAGS (\Recent))
S: * 3 FETCH (UID 4 FLAGS (\Recent))
S: b OK ...
C: c UID FETCH 2,4,4,3 (RFC822.SIZE UID)
S: * 2 FETCH (RFC822.SIZE 13 UID 3)
S: * 3 FETCH (RFC822.SIZE 13 UID 4)
S: c OK ...
C: d UID FETCH 2 FLAGS
S: d OK ...
C: e UID FETCH 100:* UID
S: * 3 FETCH (UID 4)
S: e OK ...
C: f FETCH *,1 UID
S: * 1 FETCH (UID 1)
S: * 3 FETCH (UID 4)
S: f OK ...
C: g FETCH 1:4 UID
S: g BAD no message has that sequence number

== bad arguments
M: a APPEND INBOX < bare
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a FETCH
S: a BAD expected a set of numbers, not the end
C: b FETCH 1
S: b BAD expected a data item, not the end
C: c FETCH 1 ()
S: c BAD expected a data item, not the end
C: d FETCH 1 (ALL)
S: d BAD expected a data item at octet 12
C: e FETCH 1 ALL UID
S: e BAD expected modifiers at octet 15
C: f FETCH 1 UID FLAGS
S: f BAD expected modifiers at octet 15
C: g FETCH 1 (UID X)
S: g BAD expected a data item at octet 16
C: h FETCH 1 BODY[MIME]
S: h BAD expected a section at octet 16
C: i FETCH 1 BODY[0]
S: i BAD expected a section at octet 16
C: j FETCH 1 BODY[1.]
S: j BAD expected a section at octet 16
C: k FETCH 1 BODY[1..2]
S: k BAD expected a section at octet 16
C: l FETCH 1 BODY[4294967296]
S: l BAD expected a section at octet 16
C: m FETCH 1 BODY[HEADERS]
S: m BAD expected a section at octet 16
C: n FETCH 1 BODYSTRUCTURE[1]
S: n BAD expected BODY or BINARY at octet 11
C: o FETCH 1 BODY.PEEK
S: o BAD expected a data item at octet 11
C: p FETCH 1 "UID"
S: p BAD expected a data item at octet 11
C: q FETCH 1 BODY[
S: q BAD expected ']' that ends the section at octet 16

== a parameter in RFC 2231's form stays in it
M: a APPEND INBOX < encoded
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1 BODYSTRUCTURE
S: * 1 FETCH (BODYSTRUCTURE ("application" "pdf" NIL NIL NIL "7bit" 3 NIL ("attachment" ("filename*" "utf-8''na%C3%AFve.pdf" "size" "1")) NIL NIL))
S: b OK ...
