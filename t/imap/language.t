# t/imap/language.t - LANGUAGE (RFC 5255 3): before login, and in a session
use strict;
use warnings;
use CulverTest;
use ImapScript;
use Test::More;

my $t = CulverTest->new(tls => 1, users => { alice => 'secret' });
my $port = $t->start('imapd', 'imap');
my $c = $t->connect($port);
my ($r, @u);

like($c->imap_line, qr/\A\* OK \[CAPABILITY [^\]]*\bLANGUAGE\b/,
    'in the greeting');
($r) = $c->imap('LOGIN alice wrong');
like($r, qr/ NO \[\w+\] [\x20-\x7e]+\z/, 'i-default at first');
($r, @u) = $c->imap('LANGUAGE DE');
is_deeply(\@u, ['* LANGUAGE (de)'], 'before login');
like($r, qr/ OK Das ist nun die Sprache/, 'in effect at once');
($r) = $c->imap('CREATE x');
like($r, qr/ BAD bitte erst anmelden\z/, 'a command too early');
($r) = $c->imap('FROBNICATE');
like($r, qr/ BAD unbekannter Befehl\z/, 'an unknown command');
($r, @u) = $c->imap('LOGIN alice secret');
like($r, qr/ OK \[CAPABILITY .* LANGUAGE .*\] Angemeldet\z/,
    'the language outlives login');
($r) = $c->imap('UNAUTHENTICATE');
like($r, qr/ OK Wer sind Sie\?\z/, 'the answer is in it still');
($r) = $c->imap('CREATE x');
like($r, qr/ BAD log in first\z/, 'then it is i-default (RFC 8437)');
$c->imap('LANGUAGE fr');
(undef, @u) = $c->imap('LOGOUT');
is_deeply(\@u, ['* BYE Au revoir'], 'goodbye');

# another connection of the same program begins anew
$c = $t->connect($port);
$c->imap_line;
($r) = $c->imap('CREATE x');
like($r, qr/ BAD log in first\z/, 'of one connection alone');
(undef, @u) = $c->imap('LOGOUT');
is_deeply(\@u, ['* BYE See you'], 'in i-default');

ImapScript::run(\*DATA, conf => qq(imap-language = "fr"\n));
__DATA__
@ m
|Subject: x
|
|body

== RFC 5255 3.2
# its own examples, with the languages there are
C: a2 LANGUAGE MUL
S: a2 NO That language isn't supported
C: a3 LANGUAGE
S: * LANGUAGE (i-default en de fr)
S: a3 OK These are the languages
C: c1 LANGUAGE DE
S: * LANGUAGE (de)
S: c1 OK Das ist nun die Sprache
C: d1 LANGUAGE IT
S: d1 NO Diese Sprache wird nicht unterstützt
C: d2 LANGUAGE DE-IT
S: * LANGUAGE (de)
S: d2 OK Das ist nun die Sprache
C: d3 LANGUAGE "default"
S: * LANGUAGE (fr)
S: d3 OK Voilà la langue désormais
C: e1 LANGUAGE IT-CH EN-CA
S: * LANGUAGE (en)
S: e1 OK This is the language now

== lookup (RFC 4647 3.4)
C: a LANGUAGE fr-x-quebec-1 de
S: * LANGUAGE (fr)
S: a OK ...
C: b LANGUAGE de-Latn-AT-1996-x-y
S: * LANGUAGE (de)
S: b OK ...
C: c LANGUAGE I-Default
S: * LANGUAGE (i-default)
S: c OK This is the language now
C: d LANGUAGE i-default-us
S: * LANGUAGE (i-default)
S: d OK ...
C: e LANGUAGE i
S: e NO That language isn't supported
# a wildcard says nothing if another range does
C: f LANGUAGE "*" de
S: * LANGUAGE (de)
S: f OK ...
C: g LANGUAGE "*" it
S: * LANGUAGE (fr)
S: g OK ...
C: h LANGUAGE {2+}<CRLF>en
S: * LANGUAGE (en)
S: h OK ...
C: i LANGUAGE DEFAULT
S: * LANGUAGE (fr)
S: i OK ...
# a language that only begins alike is another one
C: j LANGUAGE deu frank
S: j NO Cette langue n'est pas prise en charge

== bad arguments
C: a LANGUAGE ""
S: a BAD expected a language at octet 12
C: b LANGUAGE de_AT
S: b BAD expected a language at octet 12
C: c LANGUAGE de-
S: c BAD expected a language at octet 12
C: d LANGUAGE -de
S: d BAD expected a language at octet 12
C: e LANGUAGE deutschland
S: e BAD expected a language at octet 12
C: f LANGUAGE de-deutschland
S: f BAD expected a language at octet 12
C: g LANGUAGE 1a
S: g BAD expected a language at octet 12
C: h LANGUAGE (de)
S: h BAD expected a language at octet 12
# the first one isn't taken, either
C: i LANGUAGE de ""
S: i BAD expected a language at octet 15
C: j LANGUAGE "d<x20>e"
S: j BAD expected a language at octet 12
C: k LANGUAGE NIL
S: k NO That language isn't supported

== texts of every kind
M: a APPEND INBOX < m
A: a OK ...
C: b LANGUAGE de
A: b OK ...
C: c NOOP
S: c OK Erledigt
C: d DELETE
S: d BAD erwartet: der Name eines Postfachs, nicht das Ende
C: e NOOP x
S: e BAD nichts mehr erwartet (Oktett 8)
C: f DELETE (x)
S: f BAD erwartet: der Name eines Postfachs (Oktett 10)
C: g DELETE "x
S: g BAD erwartet: '"' am Ende der Zeichenkette (Oktett 12)
C: h SEARCH ALL
S: h BAD bitte erst ein Postfach wählen
# from the store; response codes stay
C: i DELETE nowhere
S: i NO [NONEXISTENT] Das gibt es nicht
C: j DELETE INBOX
S: j NO [CANNOT] INBOX kann nicht gelöscht werden
C: k SELECT INBOX
S: * FLAGS (...)
S: * OK [PERMANENTFLAGS (...)] Diese und neue Markierungen können geändert werden
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UNSEEN 1] Erste ungelesene Nachricht
S: * OK [UIDVALIDITY ...] UIDs sind gültig
S: * OK [UIDNEXT 2] Voraussichtlich nächste UID
S: * OK [MAILBOXID (...)] Die Kennung des Postfachs
S: * OK [HIGHESTMODSEQ ...] Höchste Mod-Sequenz
S: * OK [ANNOTATIONS ...] Oktette einer Anmerkung
S: k OK [READ-WRITE] Gewählt
C: l SEARCH FROBNICATE
S: l BAD erwartet: ein Suchschlüssel (Oktett 10)
C: m SEARCH CHARSET X-UNKNOWN ALL
S: m NO [BADCHARSET (US-ASCII UTF-8)] Dieser Zeichensatz ist nicht bekannt
C: n SEARCH FILTER x
S: n NO [UNDEFINED-FILTER x] Diesen Filter gibt es nicht
C: o STORE 1 FLAGS (\x)
S: o BAD keine solche Systemmarkierung (Oktett 18)
C: p FETCH 7 FLAGS
S: p BAD keine Nachricht hat diese laufende Nummer
C: q UID MOVE 1 INBOX
A: q OK ...
C: q2 SEARCH RETURN (UPDATE) OLDER 5
S: * NO [NOUPDATE "q2"] OLDER und YOUNGER ändern sich mit der Zeit allein
A: q2 OK ...
C: r LANGUAGE fr
S: * LANGUAGE (fr)
S: r OK Voilà la langue désormais
C: s IDLE
S: + en attente
C: DONE
S: s OK Attente terminée
C: t SETMETADATA "" (/private/filters/values/x "NOPE")
A: t OK ...
C: t2 SEARCH FILTER x
S: t2 BAD filtre x : attendu : une clé de recherche (octet 10)
C: u LANGUAGE i-default
S: * LANGUAGE (i-default)
S: u OK This is the language now
C: v SEARCH FROBNICATE
S: v BAD expected a search key at octet 10
C: w SELECT INBOX
S: * OK [CLOSED] The mailbox is closed
A: w OK [READ-WRITE] Selected
