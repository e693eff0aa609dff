# t/imap/xlist.t - XLIST, as clients of before RFC 6154 use it
use strict;
use warnings;
use ImapScript;

ImapScript::run(\*DATA, conf => <<'END');
folder "Drafts" { role = "drafts" }
folder "Junk" { role = "junk" }
folder "Sent" { role = "sent" }
folder "Starred" { role = "flagged" }
folder "Trash" { role = "trash" }
END
__DATA__
== the uses in XLIST's words
C: a XLIST "" "*"
U: * XLIST (\HasNoChildren \Inbox) "/" INBOX
U: * XLIST (\HasNoChildren \Drafts) "/" Drafts
U: * XLIST (\HasNoChildren \Spam) "/" Junk
U: * XLIST (\HasNoChildren \Sent) "/" Sent
U: * XLIST (\HasNoChildren \Starred) "/" Starred
U: * XLIST (\HasNoChildren \Trash) "/" Trash
S: a OK ...
C: b CREATE Sent/2026
A: b OK...
C: c XLIST Sent/ %
U: * XLIST (\HasNoChildren) "/" Sent/2026
S: c OK ...
C: d XLIST "" S%
U: * XLIST (\HasChildren \Sent) "/" Sent
U: * XLIST (\HasNoChildren \Starred) "/" Starred
S: d OK ...
== errors
C: a XLIST ""
S: a BAD ...
C: b XLIST "" * RETURN (SUBSCRIBED)
S: b BAD ...
