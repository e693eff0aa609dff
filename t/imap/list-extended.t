# t/imap/list-extended.t - RFC 5258, 5819, 6154, with the RFCs' examples
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA, conf => <<'END');
folder Sent { role = "sent" }
folder Trash { role = "trash" }
END
__DATA__
@ one
|Subject: one
|
|1

== special uses
C: a LIST "" %
U: * LIST (\HasNoChildren) "/" INBOX
U: * LIST (\HasNoChildren \Sent) "/" Sent
U: * LIST (\HasNoChildren \Trash) "/" Trash
S: a OK ...
C: b LIST (SPECIAL-USE) "" *
U: * LIST (\HasNoChildren \Sent) "/" Sent
U: * LIST (\HasNoChildren \Trash) "/" Trash
S: b OK ...
C: c LIST "" Sent RETURN (SPECIAL-USE)
S: * LIST (\HasNoChildren \Sent) "/" Sent
S: c OK ...
C: d UNSUBSCRIBE Sent
S: d OK ...
C: e LIST (SPECIAL-USE SUBSCRIBED) "" *
S: * LIST (\Subscribed \HasNoChildren \Trash) "/" Trash
S: e OK ...

== RFC 5258 section 5, examples 8 and 9
C: a CREATE Foo/Bar
S: a OK ...
C: a CREATE Foo/Baz
S: a OK ...
C: a CREATE Moo
S: a OK ...
C: b UNSUBSCRIBE INBOX
S: b OK ...
C: b UNSUBSCRIBE Sent
S: b OK ...
C: b UNSUBSCRIBE Trash
S: b OK ...
C: c SUBSCRIBE Foo/Baz
S: c OK ...
C: d LIST (SUBSCRIBED) "" %
S: d OK ...
C: e LIST (SUBSCRIBED RECURSIVEMATCH) "" %
S: * LIST (\HasChildren) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))
S: e OK ...
C: f SUBSCRIBE Foo
S: f OK ...
C: g LIST (SUBSCRIBED RECURSIVEMATCH) "" %
S: * LIST (\Subscribed \HasChildren) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))
S: g OK ...
C: h UNSUBSCRIBE Foo/Baz
S: h OK ...
C: i SUBSCRIBE Moo
S: i OK ...
C: j LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (CHILDREN)
U: * LIST (\Subscribed \HasChildren) "/" Foo
U: * LIST (\Subscribed \HasNoChildren) "/" Moo
S: j OK ...

== RFC 5258 section 5, the example with *2
C: a CREATE foo2/bar1
A: a OK ...
C: a CREATE foo2/bar2
A: a OK ...
C: a CREATE baz2/bar2
A: a OK ...
C: a CREATE baz2/bar22
A: a OK ...
C: a CREATE eps2/mamba
A: a OK ...
R: a UNSUBSCRIBE INBOX<CRLF>a UNSUBSCRIBE Sent<CRLF>b UNSUBSCRIBE Trash<CRLF>
A: b OK ...
R: a SUBSCRIBE foo2/bar1<CRLF>a SUBSCRIBE foo2/bar2<CRLF>a SUBSCRIBE baz2/bar2<CRLF>a SUBSCRIBE baz2/bar22<CRLF>a SUBSCRIBE eps2<CRLF>b SUBSCRIBE eps2/mamba<CRLF>
A: b OK ...
C: c LIST (RECURSIVEMATCH SUBSCRIBED) "" *2
U: * LIST (\HasChildren) "/" foo2 ("CHILDINFO" ("SUBSCRIBED"))
U: * LIST (\Subscribed \HasNoChildren) "/" foo2/bar2
U: * LIST (\Subscribed \HasNoChildren) "/" baz2/bar2
U: * LIST (\Subscribed \HasNoChildren) "/" baz2/bar22
U: * LIST (\Subscribed \HasChildren) "/" eps2 ("CHILDINFO" ("SUBSCRIBED"))
S: c OK ...

== patterns and options
C: a CREATE x/y
A: a OK ...
C: b LIST "" (INBOX "x/%" Sent)
U: * LIST (\HasNoChildren) "/" INBOX
U: * LIST (\HasNoChildren \Sent) "/" Sent
U: * LIST (\HasNoChildren) "/" x/y
S: b OK ...
C: c LIST "" ("")
S: c OK ...
C: d LIST () "" ""
S: d OK ...
C: e LIST "" "" RETURN ()
S: e OK ...
C: f LIST (REMOTE) "" x* RETURN (SUBSCRIBED CHILDREN)
S: * LIST (\HasChildren) "/" x
S: * LIST (\HasNoChildren) "/" x/y
S: f OK ...
C: g LIST "" INBOX RETURN (SUBSCRIBED)
S: * LIST (\Subscribed \HasNoChildren) "/" INBOX
S: g OK ...
C: h LIST (RECURSIVEMATCH) "" *
S: h BAD expected SUBSCRIBED with RECURSIVEMATCH, not the end
C: i LIST (RECURSIVEMATCH REMOTE) "" *
S: i BAD ...
C: j LIST (XYZ) "" *
S: j BAD expected a selection option at octet 9
C: k LIST "" * RETURN (XYZ)
S: k BAD expected a return option at octet 21
C: l LIST "" * RETURN
S: l BAD expected a list of return options, not the end
C: m LIST "" ()
S: m BAD expected a mailbox pattern, not the end
C: n LIST "" * RETURN (STATUS)
S: n BAD expected a list of status items, not the end
C: o LIST "" * RETURN (STATUS (X))
S: o BAD expected a status item at octet 29
C: p LIST "" * x
S: p BAD expected nothing more at octet 13

== LIST-STATUS
M: a APPEND INBOX < one
A: a OK ...
C: b CREATE x/y
A: b OK ...
C: c LIST "" (INBOX x) RETURN (STATUS (MESSAGES UNSEEN))
U: * LIST (\HasNoChildren) "/" INBOX
U: * STATUS INBOX (MESSAGES 1 UNSEEN 1)
U: * LIST (\HasChildren) "/" x
U: * STATUS x (MESSAGES 0 UNSEEN 0)
S: c OK ...
C: d SUBSCRIBE x/y
A: d OK ...
C: e LIST (SUBSCRIBED RECURSIVEMATCH) "" x RETURN (STATUS (MESSAGES))
S: * LIST (\HasChildren) "/" x ("CHILDINFO" ("SUBSCRIBED"))
S: e OK ...
