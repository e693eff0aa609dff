# t/pop3/session.t - RFC 1939 whole, over real sockets, plain and TLS
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

my $t = CulverTest->new(tls => 1,
	users => { alice => 'secret', bob => 'p a ss:word' });
my $lmtp = $t->start('lmtpd', 'lmtp');
my $pop3 = $t->start('pop3d', 'pop3');
my $pop3s = $t->start('pop3d', 'pop3s');

sub deliver {
	my ($to, @msgs) = @_;
	my $c = $t->connect($lmtp);
	$c->get;
	$c->line('LHLO test');
	while (defined(my $l = $c->get)) {
		last if $l =~ /\A250 /;
	}
	for my $m (@msgs) {
		(my $stuffed = $m) =~ s/^\./../mg;
		$c->ask('MAIL FROM:<sender@example.org>');
		$c->ask("RCPT TO:<$to\@mail.test>");
		$c->ask('DATA');
		$c->put("$stuffed.\r\n");
		my $r = $c->get;
		$r =~ /\A250 / or BAIL_OUT("delivery: $r");
	}
	$c->ask('QUIT');
}

my @body = (
	"Subject: one\r\nFrom: a\@example.org\r\n\r\nfirst\r\n.\r\n..dots\r\n"
	    . ".leading\r\nlast\r\n",
	"Subject: two\r\n\r\n" . join('', map { "line $_\r\n" } 1 .. 50),
	"Subject: three\r\n\r\n" . ("x" x 70 . "\r\n") x 3000,
	# Dots at and around every place where a piece may end.
	"Subject: four\r\n\r\n" . ".\r\n..\r\n" x 20_000,
	".dot: a header that begins with one\r\n\r\n.\r\n",
);
deliver('alice', @body);

sub login {
	my ($port, %o) = @_;
	my $c = $t->connect($port, tls => $o{tls});
	my $greeting = $c->get;
	return ($c, $greeting) if $o{greeting};
	$c->ask('USER ' . ($o{user} || 'alice'));
	my $r = $c->ask('PASS ' . ($o{pass} || 'secret'));
	return ($c, $r);
}

# AUTHORIZATION
my ($c, $r) = login($pop3, greeting => 1);
like($r, qr/\A\+OK .*Culver/, 'greeting');
like($c->ask('STAT'), qr/\A-ERR /, 'STAT before login');
like($c->ask('BLURDY'), qr/\A-ERR /, 'unknown command');
like($c->ask("US\0ER x"), qr/\A-ERR /, 'NUL');
like($c->ask('CAPA'), qr/\A\+OK/, 'CAPA');
my %capa = map { (split / /, $_)[0] => $_ } split /\r\n/, $c->multi;
is_deeply([ grep { !$capa{$_} } qw(TOP UIDL USER SASL STLS PIPELINING
	RESP-CODES AUTH-RESP-CODE IMPLEMENTATION) ], [], 'capabilities');
like($capa{SASL}, qr/\bPLAIN\b/, 'SASL PLAIN');
like($c->ask('PASS secret'), qr/\A-ERR /, 'PASS before USER');
like($c->ask('USER'), qr/\A-ERR /, 'USER without a name');
like($c->ask('USER alice'), qr/\A\+OK/, 'USER');
like($c->ask('PASS wrong'), qr/\A-ERR \[AUTH\]/, 'wrong password');
like($c->ask('USER nobody'), qr/\A\+OK/, 'USER of nobody');
like($c->ask('PASS wrong'), qr/\A-ERR \[AUTH\]/, 'the same answer for nobody');
like($c->ask('USER ' . 'x' x 100_000), qr/\A-ERR /, 'too long a line');
like($c->ask('CAPA'), qr/\A\+OK/, 'the session goes on');
$c->multi;
like($c->ask('QUIT'), qr/\A\+OK/, 'QUIT before login');
ok($c->eof, 'closed');

# TRANSACTION
($c, $r) = login($pop3);
like($r, qr/\A\+OK 5 messages/, 'PASS');
my ($n, $size) = $c->ask('STAT') =~ /\A\+OK (\d+) (\d+)\z/;
is($n, 5, 'STAT: messages');
like($c->ask('LIST'), qr/\A\+OK/, 'LIST');
my @list = map { [ split / / ] } split /\r\n/, $c->multi;
is_deeply([ map { $_->[0] } @list ], [ 1 .. 5 ], 'LIST: numbers');
my $sum = 0;
$sum += $_->[1] for @list;
is($sum, $size, 'LIST: sizes add up to STAT');
like($c->ask('LIST 2'), qr/\A\+OK 2 $list[1][1]\z/, 'LIST 2');
for my $bad ('LIST 0', 'LIST 6', 'LIST x', 'LIST -1', 'LIST 99999999999999999999',
	'RETR', 'RETR 9', 'DELE 9', 'TOP 1', 'TOP 1 x', 'TOP 9 1', 'UIDL 9',
	'NOOP 1', 'USER alice', 'STLS', 'AUTH PLAIN') {
	like($c->ask($bad), qr/\A-ERR /, $bad);
}
for my $i (1 .. 5) {
	like($c->ask("RETR $i"), qr/\A\+OK $list[$i-1][1] octets/, "RETR $i");
	my $m = $c->multi;
	is(length $m, $list[$i - 1][1], "RETR $i: as many octets as LIST says");
	ok($m =~ /\Q$body[$i-1]\E\z/, "RETR $i: octets");
}
my $m2 = do { $c->ask('RETR 2'); $c->multi };
for my $lines (0, 1, 7, 1000) {
	like($c->ask("TOP 2 $lines"), qr/\A\+OK/, "TOP 2 $lines");
	my ($head, $text) = $m2 =~ /\A(.*?\r\n\r\n)(.*)\z/s;
	my @l = split /(?<=\n)/, $text;
	splice @l, $lines if $lines < @l;
	is($c->multi, $head . join('', @l), "TOP 2 $lines: octets");
}
like($c->ask('UIDL'), qr/\A\+OK/, 'UIDL');
my %uidl = map { split / / } split /\r\n/, $c->multi;
is(scalar keys %{ { reverse %uidl } }, 5, 'UIDL: all different');
like($_, qr/\A[\x21-\x7e]{1,70}\z/, 'UIDL: form') for values %uidl;
is($c->ask('UIDL 2'), "+OK 2 $uidl{2}", 'UIDL 2');

# DELE, RSET; the maildrop does not change under the session
deliver('alice', "Subject: late\r\n\r\nlate\r\n");
like($c->ask('DELE 2'), qr/\A\+OK/, 'DELE 2');
like($c->ask('DELE 2'), qr/\A-ERR /, 'DELE 2 again');
like($c->ask('RETR 2'), qr/\A-ERR /, 'RETR of a deleted one');
like($c->ask('LIST 2'), qr/\A-ERR /, 'LIST of a deleted one');
is($c->ask('STAT'), '+OK 4 ' . ($size - $list[1][1]), 'STAT after DELE');
$c->ask('LIST');
is(join(' ', map { (split / /)[0] } split /\r\n/, $c->multi), '1 3 4 5',
	'LIST after DELE');
is($c->ask('RSET') =~ /\A\+OK/ && $c->ask('STAT'), "+OK 5 $size", 'RSET');
like($c->ask('DELE 1'), qr/\A\+OK/, 'DELE 1');

# Exclusive
my ($c2, $r2) = login($pop3);
like($r2, qr/\A-ERR \[IN-USE\]/, 'a second session: IN-USE');
$c2->close;

# Nothing is deleted without QUIT
$c->close;
my $left = time + 10;
do {
	($c, $r) = login($pop3);
	select(undef, undef, undef, 0.02) if $r !~ /\A\+OK/;
} while ($r !~ /\A\+OK/ && time < $left);
like($r, qr/\A\+OK 6 messages/, 'all there after a broken connection');
is($c->ask('UIDL 2'), "+OK 2 $uidl{2}", 'UIDL is the same in the next session');
$c->ask("DELE $_") for 1, 4 .. 6;
like($c->ask('QUIT'), qr/\A\+OK/, 'QUIT');
ok($c->eof, 'closed after QUIT');

# Over TLS, and what is left
($c, $r) = login($pop3s, tls => 1);
like($r, qr/\A\+OK 2 messages/, 'two left');
is($c->ask('UIDL 1'), "+OK 1 $uidl{2}", 'the second is now the first');
is($c->ask('CAPA') =~ /\A\+OK/ && scalar($c->multi =~ /^STLS/m), '',
	'no STLS within TLS');
$c->ask('QUIT');

# STLS: nothing from before the handshake is believed
$c = $t->connect($pop3);
$c->get;
$c->ask('USER bob');
like($c->ask('STLS'), qr/\A\+OK/, 'STLS');
$c->tls;
like($c->ask('PASS p a ss:word'), qr/\A-ERR /, 'USER is forgotten');
$c->ask('USER bob');
like($c->ask('PASS p a ss:word'), qr/\A\+OK 0 /, 'a password with blanks');
is($c->ask('STAT'), '+OK 0 0', 'an empty maildrop');
$c->ask('LIST');
is($c->multi, '', 'an empty list');
like($c->ask('QUIT'), qr/\A\+OK/, 'QUIT of an empty maildrop');

$c = $t->connect($pop3);
$c->get;
$c->put("STLS\r\nUSER alice\r\n");
like($c->get, qr/\A\+OK/, 'STLS with a command behind it');
$c->tls;
like($c->ask('PASS secret'), qr/\A-ERR /, 'the injected command was dropped');
$c->close;

# AUTH (RFC 5034)
sub b64 {
	require MIME::Base64;
	return MIME::Base64::encode_base64($_[0], '');
}
($c) = login($pop3s, tls => 1, greeting => 1);
like($c->ask('AUTH'), qr/\A\+OK/, 'AUTH alone');
like($c->multi, qr/^PLAIN\r$/m, 'AUTH alone lists PLAIN');
like($c->ask('AUTH NONESUCH'), qr/\A-ERR /, 'unknown mechanism');
like($c->ask('AUTH PLAIN'), qr/\A\+ ?\z/, 'AUTH PLAIN: continuation');
like($c->ask('*'), qr/\A-ERR /, 'cancelled');
like($c->ask('AUTH PLAIN !!!'), qr/\A-ERR /, 'bad base64');
like($c->ask('AUTH PLAIN ' . b64("\0alice\0wrong")), qr/\A-ERR \[AUTH\]/,
	'AUTH PLAIN: wrong password');
like($c->ask('AUTH PLAIN'), qr/\A\+ ?\z/, 'AUTH PLAIN: continuation');
like($c->ask(b64("\0alice\0secret")), qr/\A\+OK 2 /, 'AUTH PLAIN');
$c->ask('QUIT');
($c) = login($pop3s, tls => 1, greeting => 1);
like($c->ask('AUTH PLAIN ' . b64("\0bob\0p a ss:word")), qr/\A\+OK 0 /,
	'AUTH PLAIN with an initial response');
$c->ask('QUIT');

# Pipelining
($c) = login($pop3s, tls => 1, greeting => 1);
$c->put("USER alice\r\nPASS secret\r\nSTAT\r\nNOOP\r\nQUIT\r\n");
my $all = $c->rest;
is(scalar(() = $all =~ /^\+OK/mg), 5, 'five commands in one piece');

# The maildrop is free when QUIT is answered, not when the process is gone.
my $refused = 0;
for (1 .. 50) {
	my ($again, $answer) = login($pop3);
	$refused++ if $answer !~ /\A\+OK/;
	$again->ask('QUIT');
}
is($refused, 0, 'back at once after QUIT');

unlike($t->slurp('log'), qr/secret|p a ss/, 'no password in the log');
done_testing();
