# t/imap/preview.t - PREVIEW (RFC 8970)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ plain
|Subject: plain
|
|This is the   first text
|of the message.
@ utf8
|Subject: utf8
|Content-Type: text/plain; charset=utf-8
|Content-Transfer-Encoding: quoted-printable
|
|gr=C3=BCn
@ html
|Subject: html
|Content-Type: text/html
|
|<html><head><title>no</title></head><body><p>Hello &amp; welcome</p></body></html>
@ empty
|Subject: empty
|
@ image
|Subject: image
|Content-Type: image/png
|Content-Transfer-Encoding: base64
|
|iVBORw0KGgo=

== previews
M: a APPEND INBOX < plain
A: a OK ...
M: a APPEND INBOX < utf8
A: a OK ...
M: a APPEND INBOX < html
A: a OK ...
M: a APPEND INBOX < empty
A: a OK ...
M: a APPEND INBOX < image
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a FETCH 1:3 (PREVIEW)
S: * 1 FETCH (PREVIEW "This is the first text of the message.")
S: * 2 FETCH (PREVIEW {5}<CRLF>gr<xC3><xBC>n)
S: * 3 FETCH (PREVIEW "Hello & welcome")
S: a OK ...
C: b FETCH 4:5 (UID PREVIEW (LAZY) FLAGS)
S/ \* 4 FETCH \(UID 4 PREVIEW (""|NIL) FLAGS \(\\Recent\)\)
S/ \* 5 FETCH \(UID 5 PREVIEW (""|NIL) FLAGS \(\\Recent\)\)
S: b OK ...
C: c UID FETCH 1 PREVIEW (LAZY)
S: * 1 FETCH (UID 1 PREVIEW "This is the first text of the message.")
S: c OK ...
C: d UID FETCH 1 PREVIEW (LAZY) (CHANGEDSINCE 1)
A: * 1 FETCH (UID 1 MODSEQ (...) PREVIEW "This is...")
S: d OK ...
C: e UID FETCH 1 PREVIEW (CHANGEDSINCE 1)
S: * 1 FETCH (UID 1 MODSEQ (...) PREVIEW "This is...")
S: e OK ...
C: f FETCH 1 (PREVIEW (LAZY SOON))
S: f BAD ...
C: g FETCH 1 (PREVIEW (SOON))
S: g BAD ...
