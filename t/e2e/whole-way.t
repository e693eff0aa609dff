# t/e2e/whole-way.t - a message comes in by LMTP and goes out by IMAP, POP3 and
# JMAP; what one of them changes the others see
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverServe;
use JSON::XS;
use Test::More;

my $missing = CulverServe::missing();
plan skip_all => $missing if $missing;
my $s = CulverServe->new(options => [qw(--users 2 --hash fast --empty)]);
is($s->{code}, 0, 'scripts/serve --background')
    or BAIL_OUT($s->{out} . $s->logs);
my $u = 'user1';

# ---- clients ------------------------------------------------------------

sub imap {
	my ($name) = @_;
	my $c = $s->client($name);
	like($c->get, qr/\A\* OK/, "$name greets");
	if ($name eq 'imap') {
		my ($r) = $c->imap('STARTTLS');
		like($r, qr/ OK/, 'STARTTLS');
		$c->tls;
	}
	my ($r) = $c->imap("LOGIN $u $s->{pw}");
	like($r, qr/ OK/, "$name: LOGIN");
	return $c;
}

sub pop3 {
	my ($name) = @_;
	my $c = $s->client($name);
	like($c->get, qr/\A\+OK/, "$name greets");
	if ($name eq 'pop3') {
		like($c->ask('STLS'), qr/\A\+OK/, 'STLS');
		$c->tls;
	}
	$c->ask("USER $u");
	like($c->ask("PASS $s->{pw}"), qr/\A\+OK/, "$name: login");
	return $c;
}

# The octets of the message with that sequence number.
sub imap_octets {
	my ($c, $n) = @_;
	my ($r, @l) = $c->imap("FETCH $n (UID BODY.PEEK[])");
	my ($lit) = map { /BODY\[\] \{(\d+)\}\r\n(.*)\z/s ?
		substr($2, 0, $1) : () } @l;
	return $lit;
}

sub pop3_octets {
	my ($c, $n) = @_;
	return undef unless $c->ask("RETR $n") =~ /\A\+OK/;
	return $c->multi;
}

# ---- in ------------------------------------------------------------------

my $message = "Message-ID: <one\@example.org>\r\nSubject: =?utf-8?Q?=C3=BC?=\r\n"
    . "From: A <a\@example.org>\r\nTo: user1\@localhost\r\n"
    . "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    . "Content-Type: text/plain; charset=utf-8\r\n"
    . "Content-Transfer-Encoding: 8bit\r\n\r\n"
    . ".\r\n..two dots\r\n\xc3\xbc \xf0\x9f\x93\xac\r\n"
    . join('', map { "line $_ " . 'x' x ($_ % 70) . "\r\n" } 1 .. 4000)
    . "  trailing blanks  \r\n\r\n";
is_deeply([ $s->lmtp($message, $u) ], [], 'LMTP takes it');

# ---- out: four ways, the same octets --------------------------------------

my %octets;
for my $name (qw(imap imaps)) {
	my $c = imap($name);
	my ($r, @l) = $c->imap('SELECT INBOX');
	ok((grep { /\A\* 1 EXISTS/ } @l), "$name: it is there");
	$octets{$name} = imap_octets($c, 1);
	$c->imap('LOGOUT');
}
for my $name (qw(pop3 pop3s)) {
	my $c = pop3($name);
	is($c->ask('STAT'), '+OK 1 ' . length($octets{imap} // ''),
		"$name: it is there, with its size");
	$octets{$name} = pop3_octets($c, 1);
	$c->ask('QUIT');
}
my ($q) = $s->jmap($u, [ 'Email/query', { sort => [
	{ property => 'receivedAt' } ] } ]);
is(scalar @{ $q->{ids} || [] }, 1, 'JMAP: it is there');
my $id = $q->{ids}[0];
my ($g) = $s->jmap($u, [ 'Email/get', { ids => [ $id ],
	properties => [qw(blobId size subject keywords mailboxIds)] } ]);
my $e = $g->{list}[0];
is($e->{subject}, "\x{fc}", 'JMAP: its subject');
is($e->{size}, length $octets{imap}, 'JMAP: its size');
$octets{jmap} = $s->blob($u, $e->{blobId});
for my $name (sort keys %octets) {
	ok(defined $octets{$name} && $octets{$name} eq $octets{imap},
		"$name: the same octets");
	is(substr($octets{$name} // '', -length $message), $message,
		"$name: those that came in") or last;
}

# ---- a flag by IMAP is a change in JMAP -----------------------------------

my $events = $s->events($u);
my $before = $g->{state};
my $c = imap('imaps');
$c->imap('SELECT INBOX');
my ($r) = $c->imap('STORE 1 +FLAGS (\Flagged Later)');
like($r, qr/ OK/, 'STORE');
my $state = $s->next_state($u, $events, 'Email');
ok(defined $state && $state ne $before, 'EventSource tells a new state');
my ($ch) = $s->jmap($u, [ 'Email/changes', { sinceState => $before } ]);
is_deeply([ @$ch{qw(created updated destroyed)} ], [ [], [ $id ], [] ],
	'Email/changes tells which');
is($ch->{newState}, $state, 'and agrees about the state') if defined $state;
($g) = $s->jmap($u, [ 'Email/get', { ids => [ $id ],
	properties => ['keywords'] } ]);
is_deeply($g->{list}[0]{keywords}, { '$flagged' => \1, later => \1 },
	'the keywords are there');

# and the other way round
$c->line('i1 IDLE');
like($c->get, qr/\A\+/, 'IDLE');
my ($set) = $s->jmap($u, [ 'Email/set', { update => { $id => {
	'keywords/$seen' => \1, 'keywords/$flagged' => undef } } } ]);
ok(exists $set->{updated}{$id}, 'Email/set keywords');
my $l = $c->get(15) // '';
like($l, qr/\A\* 1 FETCH .*\\Seen/, 'the idling session sees it');
unlike($l, qr/\\Flagged/, 'as it is now');
$c->line('DONE');
$c->imap_until('i1');

# ---- destroyed by JMAP: gone from an idling session -------------------------

$c->line('i2 IDLE');
like($c->get, qr/\A\+/, 'IDLE');
($set) = $s->jmap($u, [ 'Email/set', { destroy => [ $id ] } ]);
is_deeply($set->{destroyed}, [ $id ], 'Email/set destroy');
my $gone = '';
while (defined(my $x = $c->get(15))) {
	next if $x =~ /\A\* (?:\d+ (?:FETCH|EXISTS|RECENT)|OK)/;
	$gone = $x;
	last;
}
like($gone, qr/\A\* (?:1 EXPUNGE|VANISHED 1)\z/,
	'the idling session is told at once');
$c->line('DONE');
$c->imap_until('i2');
($r, my @rest) = $c->imap('UID SEARCH ALL');
is_deeply(\@rest, ['* SEARCH'], 'nothing is left');
my $p = pop3('pop3s');
is($p->ask('STAT'), '+OK 0 0', 'nor by POP3');
$p->ask('QUIT');
is($s->blob('user2', $e->{blobId}), undef, 'nobody else may read it');

# ---- deleted by POP3: gone everywhere ---------------------------------------

my @three = map { "Message-ID: <n$_\@example.org>\r\nSubject: number $_\r\n\r\n"
	. "$_\r\n" } 1 .. 3;
is_deeply([ map { $s->lmtp($_, $u, 'user2') } @three ], [], 'three more, to two');
($r, @rest) = $c->imap('NOOP');
ok((grep { /\A\* 3 EXISTS/ } @rest), 'the session hears of them');
($q) = $s->jmap($u, [ 'Email/query', {} ]);
is(scalar @{ $q->{ids} }, 3, 'JMAP too');
($g) = $s->jmap($u, [ 'Email/get', { ids => $q->{ids},
	properties => ['subject'] } ]);
my %id = map { $_->{subject} => $_->{id} } @{ $g->{list} };
$p = pop3('pop3');
my $second = pop3_octets($p, 2) // '';
like($second, qr/number 2/, 'POP3 has the second');
like($p->ask('DELE 2'), qr/\A\+OK/, 'DELE');
like($p->ask('QUIT'), qr/\A\+OK/, 'QUIT');
($r, @rest) = $c->imap('NOOP');
ok((grep { /\A\* (?:2 EXPUNGE|VANISHED)/ } @rest), 'IMAP: expunged');
($ch) = $s->jmap($u, [ 'Email/changes', { sinceState => $g->{state} } ]);
is_deeply($ch->{destroyed}, [ $id{'number 2'} ], 'JMAP: destroyed');
($g) = $s->jmap($u, [ 'Email/get', { ids => [ $id{'number 2'} ],
	properties => ['subject'] } ]);
is_deeply($g->{notFound}, [ $id{'number 2'} ], 'JMAP: not found');
$p = pop3('pop3s');
like($p->ask('STAT'), qr/\A\+OK 2 /, 'POP3: two left');
$p->ask('QUIT');
($q) = $s->jmap('user2', [ 'Email/query', { calculateTotal => \1 } ]);
is($q->{total}, 3, 'the other account keeps its three');

# ---- the three agree with the administrator's view ---------------------------

my ($mb) = $s->jmap($u, [ 'Mailbox/get', { ids => undef } ]);
my ($inbox) = grep { ($_->{role} // '') eq 'inbox' } @{ $mb->{list} };
my @culver = ($s->{target}{culver}, '-f', $s->{target}{conf});
open(my $fh, '-|', @culver, qw(mailbox list --json), $u) or die;
my ($row) = grep { $_->{path} eq 'INBOX' }
    @{ decode_json(do { local $/; <$fh> }) };
close($fh);
($r, @rest) = $c->imap('STATUS INBOX (MESSAGES UNSEEN UIDNEXT)');
my %st = ($rest[0] // '') =~ /([A-Z]+) (\d+)/g;
is_deeply([ @st{qw(MESSAGES UNSEEN UIDNEXT)} ],
	[ @$row{qw(total unread uidNext)} ], 'STATUS is culver mailbox list');
is_deeply([ @$inbox{qw(totalEmails unreadEmails)} ],
	[ @$row{qw(total unread)} ], 'and Mailbox/get');
$c->imap('LOGOUT');
is(system(@culver, qw(check --quiet)), 0, 'culver check finds no fault');

# ---- the end -------------------------------------------------------------

my ($code) = $s->stop;
is($code, 0, '--stop');
is_deeply([ $s->processes ], [], 'no process is left');
ok($events->ended, 'the event stream has ended');

done_testing;
