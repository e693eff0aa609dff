# t/imap/net.t - IMAP over sockets and TLS: login, STARTTLS, timeouts, limits
use strict;
use warnings;
use CulverTest;
use IO::Select;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(time);

my $t = CulverTest->new(tls => 1,
	users => { alice => 'secret', "b\xc3\xb6b" => 'p "a\\ss' },
	conf => 'listener open { protocol = "imap" plaintext-login = true }');
my $imap = $t->start('imapd', 'imap');
my $open = $t->start('imapd', 'open');
my $imaps = $t->start('imapd', 'imaps');

sub session {
	my ($port, %o) = @_;
	my $c = $t->connect($port, %o);
	my $hello = $c->imap_line // '';
	like($hello, qr/\A\* OK \[CAPABILITY IMAP4rev1 /, 'greeting');
	return wantarray ? ($c, $hello) : $c;
}

sub b64 { encode_base64($_[0], '') }

# capabilities before and after login, with and without TLS
my ($c, $hello) = session($imap);
like($hello, qr/ STARTTLS /, 'STARTTLS is offered');
like($hello, qr/ AUTH=PLAIN\b/, 'from this host a password may be sent');
my ($ok, @caps) = $c->imap('CAPABILITY');
is($caps[0] =~ s/\A\* CAPABILITY //r, $hello =~ s/.*?CAPABILITY (.*?)\].*/$1/r,
	'CAPABILITY says what the greeting said');
($ok) = $c->imap('LOGIN alice secret');
like($ok, qr/\Aa\d+ OK \[CAPABILITY [^\]]* UIDPLUS /, 'LOGIN');
unlike($ok, qr/STARTTLS|AUTH=|SASL-IR/, 'no login is offered after login');
my ($after) = $ok =~ /CAPABILITY ([^\]]*)/;
(undef, @caps) = $c->imap('CAPABILITY');
is($caps[0], "* CAPABILITY $after", 'CAPABILITY after login');
($ok) = $c->imap('STARTTLS');
like($ok, qr/ BAD /, 'STARTTLS after login');
my (undef, @bye) = $c->imap('LOGOUT');
like($bye[0], qr/\A\* BYE /, 'LOGOUT');
ok($c->eof, 'closed');

# implicit TLS
($c, $hello) = session($imaps, tls => 1);
unlike($hello, qr/STARTTLS/, 'no STARTTLS in TLS');
($ok) = $c->imap('STARTTLS');
like($ok, qr/ BAD TLS is active already/, 'STARTTLS in TLS');
($ok) = $c->imap('LOGIN "alice" {6+}' . "\r\nsecret");
like($ok, qr/ OK /, 'LOGIN in TLS');
my ($go) = $c->imap('SELECT INBOX');
like($go, qr/ OK /, 'SELECT in TLS');
my $big = join '', map { "line $_ " . 'x' x 60 . "\r\n" } 1 .. 4000;
($ok) = $c->imap('APPEND INBOX {' . length($big) . "+}\r\n$big");
like($ok, qr/ OK \[APPENDUID/, 'APPEND in TLS');
my (undef, @f) = $c->imap('FETCH 1 BODY.PEEK[]');
is($f[0], '* 1 FETCH (BODY[] {' . length($big) . "}\r\n$big)",
	'the same octets in TLS');
$c->close;

# STARTTLS; what was sent before the handshake is not believed
$c = session($imap);
$c->put("s STARTTLS\r\nx LOGIN alice secret\r\n");
like($c->imap_line, qr/\As OK /, 'STARTTLS');
$c->{buf} = '';
$c->tls;
($ok, @caps) = $c->imap('CAPABILITY');
like($ok, qr/\Aa\d+ OK /, 'the next answer is to the next command');
unlike($caps[0], qr/STARTTLS/, 'no second STARTTLS');
like($caps[0], qr/ AUTH=PLAIN/, 'not logged in by what was injected');
($ok) = $c->imap('LOGIN alice secret');
like($ok, qr/ OK /, 'LOGIN after STARTTLS');
(undef, @f) = $c->imap('EXAMINE INBOX');
(undef, @f) = $c->imap('FETCH 1 BODY.PEEK[]');
is(length $f[0], length($big) + length("* 1 FETCH (BODY[] {}\r\n)") +
	length(length $big), 'the message');
$c->close;

like($t->slurp('log'), qr/STARTTLS: 22 octets that came before TLS/, 'logged');

# from elsewhere: no password without TLS, unless the listener allows it
SKIP: {
	my $addr = CulverTest::far_address();
	skip 'this host has loopback addresses only', 20 if !$addr;
	($c, $hello) = session($imap, from => $addr);
	like($hello, qr/ STARTTLS LOGINDISABLED\]/, 'from afar: LOGINDISABLED');
	unlike($hello, qr/AUTH=/, 'from afar: no mechanism');
	($ok, @caps) = $c->imap('CAPABILITY');
	like($caps[0], qr/ STARTTLS LOGINDISABLED\z/, 'CAPABILITY says so, too');
	($ok) = $c->imap('LOGIN alice secret');
	like($ok, qr/\Aa\d+ NO \[PRIVACYREQUIRED\]/, 'no LOGIN');
	for my $m ('PLAIN ' . b64("\0alice\0secret"), 'PLAIN', 'LOGIN') {
		($ok) = $c->imap("AUTHENTICATE $m");
		like($ok, qr/\Aa\d+ NO \[PRIVACYREQUIRED\]/, "no $m");
	}
	($ok) = $c->imap('STARTTLS');
	$c->tls;
	(undef, @caps) = $c->imap('CAPABILITY');
	like($caps[0], qr/ AUTH=PLAIN/, 'with TLS: PLAIN');
	unlike($caps[0], qr/LOGINDISABLED|STARTTLS/, 'and LOGIN');
	($ok) = $c->imap('LOGIN alice secret');
	like($ok, qr/ OK /, 'which succeeds');
	$c->close;
	($c, $hello) = session($open, from => $addr);
	like($hello, qr/ AUTH=PLAIN/, 'plaintext-login: PLAIN without TLS');
	unlike($hello, qr/LOGINDISABLED/, 'and LOGIN');
	($ok) = $c->imap('LOGIN alice secret');
	like($ok, qr/ OK /, 'which succeeds');
	$c->close;
}

# the same octets without TLS (sendfile)
$c = session($imap);
$c->imap('LOGIN alice secret');
$c->imap('EXAMINE INBOX');
(undef, @f) = $c->imap('FETCH 1 (UID BODY.PEEK[] FLAGS)');
is($f[0], '* 1 FETCH (UID 1 BODY[] {' . length($big) . "}\r\n$big FLAGS ())",
	'the same octets without TLS');
(undef, @f) = $c->imap('FETCH 1 BODY.PEEK[TEXT]<100000.100000>');
my $text = $big =~ s/\A.*?\r\n\r\n//sr;
like($f[0], qr/\A\* 1 FETCH \(BODY\[TEXT\]<100000> \{/, 'a part of it');
$c->close;

# names and passwords
$c = session($imap);
for (['LOGIN alice wrong', 'wrong password'],
    ['LOGIN nobody secret', 'unknown user'],
    ['LOGIN "" ""', 'empty']) {
	($ok) = $c->imap($_->[0]);
	like($ok, qr/ NO \[AUTHENTICATIONFAILED\] Wrong name or password/,
		$_->[1]);
	last if $_->[1] eq 'unknown user';
}
$c->close;
$c = session($imap);
($ok) = $c->imap("LOGIN \"b\xc3\xb6b\" \"p \\\"a\\\\ss\"");
like($ok, qr/ OK /, 'quoted UTF-8');
$c->close;
$c = session($imap);
($ok) = $c->imap("LOGIN {4+}\r\nb\xc3\xb6b {7+}\r\np \"a\\ss");
like($ok, qr/ OK /, 'literals');
$c->close;

# SASL
$c = session($imap);
($ok) = $c->imap('AUTHENTICATE PLAIN ' . b64("\0alice\0secret"));
like($ok, qr/ OK \[CAPABILITY /, 'PLAIN with an initial response');
$c->close;
$c = session($imap);
$c->put("a AUTHENTICATE PLAIN\r\n");
is($c->get, '+ ', 'a challenge that is empty');
$c->put(b64("\0alice\0wrong") . "\r\n");
like($c->get, qr/\Aa NO \[AUTHENTICATIONFAILED\]/, 'a wrong password');
$c->put("b AUTHENTICATE LOGIN\r\n");
is($c->get, '+ ' . b64('Username:'), 'LOGIN asks for the name');
$c->put(b64('alice') . "\r\n");
is($c->get, '+ ' . b64('Password:'), 'and the password');
$c->put(b64('secret') . "\r\n");
like($c->get, qr/\Ab OK /, 'LOGIN');
$c->close;
$c = session($imap);
$c->put("a AUTHENTICATE PLAIN\r\n" . b64("\0alice\0secret")
    . "\r\nb SELECT INBOX\r\n");
is($c->get, '+ ', 'pipelined');
like(($c->imap_until('a'))[0], qr/\Aa OK /, 'PLAIN');
like(($c->imap_until('b'))[0], qr/\Ab OK /, 'and the next command');
$c->close;

# too many failures, too many bad commands
$c = session($imap);
my $n = 0;
while (defined($ok = ($c->imap('LOGIN alice wrong'))[0])) {
	last if ++$n > 50;
}
cmp_ok($n, '<', 50, "goodbye after $n wrong passwords");
$c = session($imap);
$c->put("x\r\n" x 20);
like($c->rest, qr/\* BYE Too many bad commands\r\n\z/, 'bad commands');

# IDLE is woken at once
my $idle = session($imap);
$idle->imap('LOGIN alice secret');
$idle->imap('SELECT INBOX');
$idle->put("i IDLE\r\n");
is($idle->get, '+ idling', 'IDLE');
my $w = session($imap);
$w->imap('LOGIN alice secret');
my @times;
for my $k (2 .. 21) {
	my $begin = time;
	$w->put("w$k APPEND INBOX (\\Seen) {3+}\r\nabc\r\n");
	is($idle->get, "* $k EXISTS", "EXISTS $k");
	push @times, time - $begin;
	$idle->get if $k == 2;
	$idle->{buf} =~ s/\A\* \d+ RECENT\r\n//;
	$w->imap_until("w$k");
	while (IO::Select->new($idle->{sock})->can_read(0.01)) {
		$idle->fill(0.01) or last;
	}
	$idle->{buf} =~ s/\A\* \d+ RECENT\r\n//;
}
@times = sort { $a <=> $b } @times;
note(sprintf 'APPEND to EXISTS elsewhere: median %.2f ms, worst %.2f ms',
	$times[10] * 1000, $times[-1] * 1000);
cmp_ok($times[10], '<', 0.2, 'woken soon');
$idle->put("DONE\r\n");
like(($idle->imap_until('i'))[0], qr/\Ai OK /, 'DONE');

# a client that does not read, and one that goes away
my $lazy = session($imap);
$lazy->imap('LOGIN alice secret');
$lazy->imap('SELECT INBOX');
$lazy->put("l FETCH 1 BODY.PEEK[]\r\n" x 100);
select(undef, undef, undef, 0.2);
$lazy->close;
($ok) = $w->imap('NOOP');
like($ok, qr/ OK /, 'others do not notice');
done_testing();
