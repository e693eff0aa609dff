# t/session/login.t - who may log in how, and what the log says of it
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use List::Util qw(min);
use MIME::Base64;
use Test::More;
use Time::HiRes qw(time sleep);

my $t = CulverTest->new(tls => 1, users => { alice => 'corr3ct horse' },
	conf => <<'END');
max-failures = 3
hash = "$6$"
hash-cost = 200000
folder "Sent" { role = "sent" }
listener open { protocol = "pop3" tls = "starttls" plaintext-login = true linger = 60 }
listener bare { protocol = "pop3" tls = "none" linger = 60 }
END
$t->spew('passwd', $t->slurp('passwd') . 'slow:'
    . crypt('x', '$6$rounds=200000$culvertest') . "\n");
my $pop3 = $t->start('pop3d', 'pop3');
my $open = $t->start('pop3d', 'open');
my $bare = $t->start('pop3d', 'bare');

sub client { my $c = $t->connect(@_); $c->get; return $c }
sub b64 { encode_base64($_[0], '') }
sub login {
	my ($c, $user, $pass) = @_;
	$c->ask("USER $user");
	return $c->ask("PASS $pass");
}

# -- a peer that is not this host: one of its other addresses will do
SKIP: {
	my $addr = CulverTest::far_address();
	skip 'this host has loopback addresses only', 10 if !$addr;
	my $far = sub {
		my $c = eval { $t->connect($_[0], from => $addr) } or return;
		$c->get;
		return $c;
	};
	skip "cannot connect from $addr", 10 if !$far->($pop3);
	my $c = $far->($pop3);
	$c->ask('CAPA');
	unlike($c->multi, qr/^(?:USER|SASL)/m, 'from afar: no mechanism without TLS');
	like($c->ask('USER alice'), qr/\A-ERR /, 'from afar: no USER');
	like($c->ask('AUTH PLAIN ' . b64("\0alice\0corr3ct horse")), qr/\A-ERR /,
		'from afar: no AUTH');
	like($c->ask('STLS'), qr/\A\+OK/, 'from afar: STLS');
	$c->tls;
	$c->ask('CAPA');
	like($c->multi, qr/^SASL .*PLAIN/m, 'from afar, TLS: mechanisms');
	like(login($c, 'alice', 'corr3ct horse'), qr/\A\+OK/,
		'from afar, TLS: login');
	$c->ask('QUIT');
	$c = $far->($open);
	like(login($c, 'alice', 'corr3ct horse'), qr/\A\+OK/,
		'from afar: plaintext-login');
	$c->ask('QUIT');
	$c = $far->($bare);
	$c->ask('CAPA');
	unlike($c->multi, qr/^STLS/m, 'tls = none: no STLS');
	like($c->ask('STLS'), qr/\A-ERR /, 'tls = none: no STLS');
	like($c->ask('USER alice'), qr/\A-ERR /, 'tls = none, from afar: no USER');
}

# -- failures
{
	my $c = client($pop3);
	like(login($c, 'alice', 'wr0ng'), qr/\A-ERR \[AUTH\]/, 'one failure');
	like(login($c, 'nobody', 'wr0ng'), qr/\A-ERR \[AUTH\]/, 'two');
	like($c->ask('AUTH PLAIN ' . b64("\0alice\0wr0ng")),
		qr/\A-ERR \[AUTH\] Too many/, 'three are too many');
	ok($c->eof, 'and the end');
}

# -- an unknown user takes as long as a known one
{
	my %least;
	for my $user ('slow', 'unknown') {
		my @took;
		for (1 .. 5) {
			my $c = client($pop3);
			$c->ask("USER $user");
			my $start = time;
			$c->ask('PASS wr0ng');
			push @took, time - $start;
			$c->close;
		}
		$least{$user} = min @took;
	}
	cmp_ok($least{slow}, '>', 0.02, 'the hash takes its time');
	my $ratio = $least{unknown} / $least{slow};
	ok($ratio > 0.5 && $ratio < 2, "unknown users take as long: $ratio");

	# The second time a right password is known already.
	my @took;
	for (1 .. 2) {
		my $c = client($pop3);
		$c->ask('USER slow');
		my $start = time;
		like($c->ask('PASS x'), qr/\A\+OK/, 'a right password');
		push @took, time - $start;
		$c->ask('QUIT');
	}
	cmp_ok($took[1], '<', $least{slow} / 2, 'remembered: fast');
	my $c = client($pop3);
	like(login($c, 'slow', 'y'), qr/\A-ERR/, 'remembered: others are wrong');
	# Changed: the old one is out at once, though it is remembered.
	$t->spew('passwd', $t->slurp('passwd') =~ s/^slow:.*$/
	    'slow:' . crypt('new', '$5$rounds=1000$abc')/emr);
	like(login(client($pop3), 'slow', 'x'), qr/\A-ERR/, 'changed: the old');
	like(login(client($pop3), 'slow', 'new'), qr/\A\+OK/, 'changed: the new');
}

# -- the account is made at the first login
ok(-d $t->path('mail/alice'), 'a store was made');
ok(!-e $t->path('mail/nobody'), 'but not for nobody');

# -- the log
$t->stop;
my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/corr3ct|wr0ng/, 'no password in the log');
my $secrets = join '|', map { quotemeta b64($_) } "\0alice\0corr3ct horse",
    "\0alice\0wr0ng";
unlike($log, qr/$secrets/, 'nor coded');
like($log, qr/login failed: user=alice peer=127\.0\.0\.1:\d+ protocol=pop3: wrong password/,
	'a failure is in the log');
like($log, qr/login failed: user=nobody .* no such user/, 'with its reason');
like($log, qr/ alice: login: user=alice protocol=pop3/, 'a login is in the log');
like($log, qr/ alice: end: done; user=alice account=alice in=\d+ out=\d+ time=\d+\.\d{3} /,
	'and its end');
unlike($log, qr/Sanitizer|runtime error/, 'sanitizers');
# -- masters
{
	my $m = CulverTest->new(users => { alice => 'one', bob => 'two',
		admin => 'three' }, conf => qq(max-failures = 100\nmasters = {"admin"}\n));
	my $port = $m->start('imapd', 'imap');
	my $as = sub {
		my $c = $m->connect($port);
		$c->get;
		my ($l) = ($c->imap(@_))[-1];
		return $l !~ /OK/ ? $l : ($m->slurp('log') =~
		    /(\w+): login: user=\S+ protocol=imap.*\n\z/)[0] // 'nobody';
	};
	is($as->('LOGIN "alice*admin" three'), 'alice', 'a master opens an account');
	is($as->('LOGIN admin three'), 'admin', 'and its own');
	is($as->('AUTHENTICATE PLAIN ' . b64("bob\0admin\0three")), 'bob',
	    "by SASL's authorization identity");
	like($as->($_), qr/ NO /, "refused: $_") for 'LOGIN "alice*admin" one',
	    'LOGIN "alice*bob" two', 'LOGIN "nobody*admin" three',
	    'LOGIN "admin*alice" three', 'LOGIN "*admin" three',
	    'AUTHENTICATE PLAIN ' . b64("alice\0bob\0two");
	like($m->slurp('log'), qr/login: user=alice\*admin /, 'the log names both');
	$m->stop;
}

# -- failures of one address, on whatever connections
SKIP: {
	my $addr = CulverTest::far_address();
	skip 'this host has loopback addresses only', 6 if !$addr;
	my $p = CulverTest->new(users => { alice => 'right' }, conf => <<'END');
failure-delay-ms = 1
address-failures = 4
listener open { protocol = "pop3" tls = "none" plaintext-login = true linger = 60 }
listener imapopen { protocol = "imap" tls = "none" plaintext-login = true linger = 60 }
END
	my $port = $p->start('pop3d', 'open');
	my $iport = $p->start('imapd', 'imapopen');
	my $try = sub {
		my ($pass, @from) = @_;
		my $c = $p->connect($port, @from);
		$c->get;
		return login($c, 'alice', $pass);
	};
	skip "cannot connect from $addr", 6
	    if !eval { $p->connect($port, from => $addr) };
	like($try->('right', from => $addr), qr/\A\+OK/, 'from afar: let in');
	like($try->('wrong', from => $addr), qr/\A-ERR \[AUTH\]/, "failure $_")
	    for 1 .. 4;
	like($try->('right', from => $addr), qr/\A-ERR \[SYS\/TEMP\]/,
	    'the right password is not looked at any more');
	my $c = $p->connect($iport, from => $addr);
	$c->get;
	like(($c->imap('LOGIN alice right'))[-1], qr/NO \[UNAVAILABLE\]/,
	    'nor by IMAP');
	like($try->('right'), qr/\A\+OK/, 'another address is let in');
	like($p->slurp('log'), qr/logins from \Q$addr\E:\d+ are refused: 4 fail/,
	    'the log');
	$p->stop;
}
done_testing();
