# t/imap/store.t - STORE in all its forms
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ one
|Subject: one
|
|1

== set, add, remove
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
C: s EXAMINE INBOX
A: s OK ...
C: s SELECT INBOX
A: s OK ...
C: s UNSELECT
S: s OK ...
C: s SELECT INBOX
A: s OK ...
C: a STORE 1:2 +FLAGS (\Deleted \Seen)
S/ \* 1 FETCH \(FLAGS \(\\Deleted \\Seen( \\Recent)?\)\)
S: * 2 FETCH (FLAGS (\Deleted \Seen...))
S: a OK ...
C: b STORE 2 -FLAGS (\Seen \Draft)
S: * 2 FETCH (FLAGS (\Deleted...))
S: b OK ...
C: c STORE 2 FLAGS (\Flagged)
S: * 2 FETCH (FLAGS (\Flagged...))
S: c OK ...
C: d STORE 2 FLAGS ()
S/ \* 2 FETCH \(FLAGS \((\\Recent)?\)\)
S: d OK ...
C: e STORE 3 FLAGS \Answered \Draft
S: * 3 FETCH (FLAGS (\Answered \Draft...))
S: e OK ...
C: f UID STORE 3 +FLAGS \Seen
S: * 3 FETCH (UID 3 FLAGS (\Answered \Seen \Draft...))
S: f OK ...
C: g STORE 1:* +FLAGS.SILENT (\Flagged)
S: g OK ...
C: h UID STORE 1:* -FLAGS.SILENT (\Flagged)
S: h OK ...
C: i STORE 1:3 FLAGS.SILENT (\Seen)
S: i OK ...
C: j FETCH 1:3 (FLAGS)
S: * 1 FETCH (FLAGS (\Seen...))
S: * 2 FETCH (FLAGS (\Seen...))
S: * 3 FETCH (FLAGS (\Seen...))
S: j OK ...
# a change that changes nothing is answered too
C: k STORE 1 +FLAGS (\Seen)
S: * 1 FETCH (FLAGS (\Seen...))
S: k OK ...
C: l STORE 3,1 -flags.silent (\seen)
S: l OK ...
C: m SEARCH UNSEEN
S: * SEARCH 1 3
S: m OK ...
C: n UID STORE 7:9 +FLAGS (\Seen)
S: n OK ...

== keywords
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a STORE 1 +FLAGS ($Forwarded Custom-1)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded Custom-1)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded Custom-1 \*)] ...
S: * 1 FETCH (FLAGS ($Forwarded Custom-1 \Recent))
S: a OK ...
C: b STORE 1 -FLAGS (CUSTOM-1)
S: * 1 FETCH (FLAGS ($Forwarded \Recent))
S: b OK ...
C: c SEARCH KEYWORD $FORWARDED
S: * SEARCH 1
S: c OK ...
C: d SEARCH UNKEYWORD never
S: * SEARCH 1
S: d OK ...
C: e STORE 1 FLAGS ($seen)
S: * 1 FETCH (FLAGS (\Seen \Recent))
S: e OK ...

== too many keywords
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a STORE 1 FLAGS.SILENT (k1 k2 k3 k4 k5 k6 k7 k8 k9 k10 k11 k12 k13 k14 k15 k16 k17 k18 k19 k20 k21 k22 k23 k24 k25 k26 k27 k28 k29 k30)
A: a OK ...
C: b STORE 1 FLAGS.SILENT (l1 l2 l3 l4 l5 l6 l7 l8 l9 l10 l11 l12 l13 l14 l15 l16 l17 l18 l19 l20 l21 l22 l23 l24 l25 l26 l27 l28)
A: b OK ...
C: c STORE 1 FLAGS.SILENT (one-more)
S: c NO [LIMIT] ...

== bad arguments
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a STORE
S: a BAD expected a set of numbers, not the end
C: b STORE 1
S: b BAD expected FLAGS, +FLAGS or -FLAGS, not the end
C: c STORE 1 FLAGS
S: c BAD expected flags, not the end
C: d STORE 1 *FLAGS (\Seen)
S: d BAD expected FLAGS, +FLAGS or -FLAGS at octet 11
C: e STORE 1 FLAGS (\Recent)
S: e BAD no such system flag at octet 18
C: f STORE 1 FLAGS (\Seen) \Draft
S: f BAD expected nothing more at octet 25
C: g STORE 1 FLAGS ((\Seen))
S: g BAD ...
C: h STORE 2 FLAGS (\Seen)
S: h BAD no message has that sequence number
C: i STORE 1 FLAGS ("\\Seen")
S: i BAD ...
C: j STORE 1 FLAGS (a]b)
S: j BAD expected a flag at octet 18
