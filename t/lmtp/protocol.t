# t/lmtp/protocol.t - RFC 2033 and what it takes from SMTP: the dialogue
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

my $t = CulverTest->new(users => { alice => 'x', bob => 'x', carol => 'x' },
	conf => <<'END');
max-line = 2000
max-message = 1M
domains = {"mail.test", "b\xc3\xbccher.example"}
listener quick { protocol = "lmtp" tls = "none" idle-timeout = 1 linger = 60 }
END
my $port = $t->start('lmtpd', 'lmtp');

sub client {
	my $c = $t->connect($_[0] || $port);
	like($c->get, qr/\A220 mail\.test /, 'greeting') if wantarray;
	$c->get unless wantarray;
	return $c;
}

# All lines of an answer.
sub multi {
	my ($c) = @_;
	my @l;
	while (defined(my $l = $c->get)) {
		push @l, $l;
		last if $l =~ /\A\d{3} /;
	}
	return @l;
}

sub hello {
	my ($c) = @_;
	$c->line('LHLO client.test');
	return multi($c);
}

# Each step: what is sent, and the code (and enhanced code) of the answer.
sub script {
	my ($name, $c, @steps) = @_;
	while (my ($cmd, $want) = splice @steps, 0, 2) {
		my $got = $c->ask($cmd) // 'nothing';
		like($got, qr/\A\Q$want\E /, sprintf('%s: %.60s', $name, $cmd));
	}
}

my ($c) = client();
my @hello = hello($c);
is(shift @hello, '250-mail.test', 'LHLO: our name');
is_deeply([ sort map { s/\A250[- ]//r } @hello ],
	[ '8BITMIME', 'CHUNKING', 'ENHANCEDSTATUSCODES', 'PIPELINING', 'SIZE 1048576',
	'SMTPUTF8' ], 'LHLO: extensions');

script('order', scalar client(),
	'MAIL FROM:<a@b>' => '503 5.5.1',
	'RCPT TO:<alice@mail.test>' => '503 5.5.1',
	'DATA' => '503 5.5.1',
	'EHLO x' => '500 5.5.1',
	'HELO x' => '500 5.5.1',
	'LHLO' => '501 5.5.4',
	'LHLO a b' => '501 5.5.4',
	'NOOP' => '250 2.0.0',
	'NOOP whatever' => '250 2.0.0',
	'HELP' => '214 2.0.0',
	'VRFY' => '501 5.5.4',
	'VRFY alice' => '252 2.5.0',
	'EXPN list' => '502 5.5.1',
	'STARTTLS' => '502 5.5.1',
	'AUTH PLAIN' => '502 5.5.1',
	'BLURDY' => '500 5.5.1',
	'' => '500 5.5.1',
	' NOOP' => '500 5.5.1',
	"NO\0OP" => '500 5.5.2',
	"NOOP\rX" => '500 5.5.2',
	'RSET x' => '501 5.5.4',
	'QUIT x' => '501 5.5.4',
	'quit' => '221 2.0.0');

$c = client();
hello($c);
script('transaction', $c,
	'RCPT TO:<alice@mail.test>' => '503 5.5.1',
	'DATA' => '503 5.5.1',
	'MAIL FROM:<a@b>' => '250 2.1.0',
	'MAIL FROM:<a@b>' => '503 5.5.1',
	'DATA' => '503 5.5.1',
	'RCPT TO:<nobody@mail.test>' => '550 5.1.1',
	'DATA' => '503 5.5.1',
	'RCPT TO:<alice@elsewhere.test>' => '550 5.1.1',
	'RCPT TO:<alice@mail.test>' => '250 2.1.5',
	'DATA x' => '501 5.5.4',
	'RSET' => '250 2.0.0',
	'RCPT TO:<alice@mail.test>' => '503 5.5.1',
	'mail from:<>' => '250 2.1.0',
	'rcpt to:<ALICE@MAIL.TEST>' => '250 2.1.5');
hello($c);
script('LHLO forgets', $c, 'DATA' => '503 5.5.1');

for my $bad ('MAIL', 'MAIL FROM', 'MAIL FROM:', 'MAIL TO:<a@b>',
	'MAIL FROM:a@b', 'MAIL FROM:<a@b', 'MAIL FROM:<a@b>x',
	'MAIL FROM:<a b@c>', 'MAIL FROM:<a@b> =', 'MAIL FROM:<a@b> SIZE',
	'MAIL FROM:<a@b> SIZE=', 'MAIL FROM:<a@b> SIZE=x',
	'MAIL FROM:<a@b> SIZE=-1', 'MAIL FROM:<a@b> SIZE=1 SIZE=1',
	'MAIL FROM:<a@b> SIZE=999999999999999999999',
	'MAIL FROM:<a@b> BODY=BINARYMIME', 'MAIL FROM:<a@b> BODY',
	'MAIL FROM:<a@b> SMTPUTF8=1') {
	script('syntax', $c, $bad => $bad =~ /\AMAIL FROM:(?:\z|a|<a(?: |\@b\z))/
		? '501 5.1.7' : '501 5.5.4');
}
script('parameters', $c,
	'MAIL FROM:<a@b> AUTH=<>' => '555 5.5.4',
	'MAIL FROM:<a@b> SIZE=1048577' => '552 5.3.4',
	'MAIL FROM:<a@b> SIZE=99999999999999999999' => '501 5.5.4',
	"MAIL FROM:<\xc3\xa4\@b>" => '553 5.6.7',
	"MAIL FROM:<\xff\@b> SMTPUTF8" => '501 5.1.7',
	'MAIL FROM:<a@b> SIZE=1048576 BODY=8bitmime smtputf8' => '250 2.1.0',
	'RSET' => '250 2.0.0',
	'MAIL FROM:<@relay.test,@r2:"a b"@c.test>  SIZE=0 ' => '250 2.1.0',
	'RCPT TO:<>' => '501 5.1.3',
	'RCPT TO:alice@mail.test' => '501 5.1.3',
	'RCPT TO:<alice@mail.test> BLURDY=1' => '555 5.5.4',
	'RCPT TO:<alice@mail.test> =' => '501 5.5.4',
	'RCPT FROM:<alice@mail.test>' => '501 5.5.4',
	"RCPT TO:<b\xc3\xb6b\@mail.test>" => '553 5.6.7',
	'RCPT TO:<@relay.test:bob@mail.test>' => '250 2.1.5',
	'RCPT TO:<"bob"@mail.test>' => '250 2.1.5',
	'RCPT TO:<bob+detail@mail.test>' => '250 2.1.5',
	'RCPT TO:<bob>' => '250 2.1.5',
	'RSET' => '250 2.0.0');

# -- RFC 3461: reports stay the MTA's business, but it may tell about them
for my $bad ('RET', 'RET=', 'RET=ALL', 'RET=FULL RET=FULL', 'ENVID',
	'ENVID=a+4', 'ENVID=a+4g', 'ENVID=+4a', "ENVID=\xc3\xa4",
	'ENVID=' . 'x' x 101, 'ENVID=1 ENVID=2', 'NOTIFY=NEVER', 'ORCPT=a;b') {
	script('DSN', $c, "MAIL FROM:<a\@b> $bad" =>
		$bad =~ /\A[NO]/ ? '555 5.5.4' : '501 5.5.4');
}
script('DSN', $c,
	'MAIL FROM:<a@b> ret=hdrs ENVID=QQ+2B314159' => '250 2.1.0',
	'RCPT TO:<alice> NOTIFY' => '501 5.5.4',
	'RCPT TO:<alice> NOTIFY=' => '501 5.5.4',
	'RCPT TO:<alice> NOTIFY=NEVER,DELAY' => '501 5.5.4',
	'RCPT TO:<alice> NOTIFY=DELAY,' => '501 5.5.4',
	'RCPT TO:<alice> NOTIFY=NEVER NOTIFY=NEVER' => '501 5.5.4',
	'RCPT TO:<alice> ORCPT' => '501 5.5.4',
	'RCPT TO:<alice> ORCPT=alice' => '501 5.5.4',
	'RCPT TO:<alice> ORCPT=;alice' => '501 5.5.4',
	'RCPT TO:<alice> ORCPT=rfc822;' => '501 5.5.4',
	"RCPT TO:<alice> ORCPT=rfc822;\xc3\xa4" => '501 5.5.4',
	"RCPT TO:<alice> ORCPT=utf-8;\xff" => '501 5.5.4',
	'RCPT TO:<alice> ORCPT=rfc822;' . 'x' x 494 => '501 5.5.4',
	'RCPT TO:<alice> RET=FULL' => '555 5.5.4',
	'RCPT TO:<alice> NOTIFY=NEVER' => '250 2.1.5',
	'RCPT TO:<alice> NOTIFY=success,failure,Delay '
		. 'ORCPT=rfc822;Alice+40Example.COM' => '250 2.1.5',
	"RCPT TO:<alice> ORCPT=utf-8;\xc3\xa4\@x" => '250 2.1.5',
	'RSET' => '250 2.0.0');

# -- lines
script('lines', $c, 'NOOP ' . 'x' x 1990 => '250 2.0.0',
	'NOOP ' . 'x' x 2000 => '500 5.5.2',
	'NOOP ' . 'x' x 300_000 => '500 5.5.2',
	'NOOP' => '250 2.0.0');
$c->put("NOOP\n");
like($c->get, qr/\A500 5\.5\.2 /, 'a line without CR');
$c->put("NO");
select(undef, undef, undef, 0.05);
$c->put("OP\r");
select(undef, undef, undef, 0.05);
$c->put("\nNOOP\r\n");
like($c->get, qr/\A250 /, 'a line in three pieces');
like($c->get, qr/\A250 /, 'and one behind it');

# -- pipelining
$c->put("MAIL FROM:<a\@b>\r\nRCPT TO:<alice>\r\nRCPT TO:<no>\r\nDATA\r\n");
is(join(' ', map { substr $c->get, 0, 3 } 1 .. 4), '250 250 550 354',
	'pipelining up to DATA');
$c->put("x: y\r\n\r\n.\r\nMAIL FROM:<a\@b>\r\nRCPT TO:<no>\r\nDATA\r\nQUIT\r\n");
is(join(' ', map { substr $_, 0, 3 } split /\r\n/, $c->rest),
	'250 250 550 503 221', 'pipelining behind the message');

# -- too much nonsense, too many recipients
$c = client();
my $n = 0;
$n++ while $c->ask('NONSENSE') && $n < 200;
cmp_ok($n, '<', 100, 'nonsense ends');
$c = client();
hello($c);
$c->ask('MAIL FROM:<>');
$c->put(join '', map { "RCPT TO:<alice+$_\@mail.test>\r\n" } 1 .. 1001);
is(scalar(grep { $c->get =~ /\A250 2\.1\.5 / } 1 .. 1000), 1000,
	'a thousand recipients');
like($c->get, qr/\A452 4\.5\.3 /, 'one more is too many');
like($c->ask('DATA'), qr/\A354 /, 'DATA for the thousand');
$c->put("Subject: once\r\n\r\n\r\n.\r\n");
is(scalar(grep { $c->get =~ /\A250 2\.0\.0 / } 1 .. 1000), 1000,
	'a thousand answers');
$c->ask('QUIT');

# -- timeouts
my $quick = $t->start('lmtpd', 'quick');
$c = client($quick);
like($c->get, qr/\A421 4\.4\.2 /, 'silence: goodbye');
ok($c->eof, 'silence: closed');
$c = client($quick);
hello($c);
script('timeout in DATA', $c, 'MAIL FROM:<>' => '250 2.1.0',
	'RCPT TO:<carol>' => '250 2.1.5', 'DATA' => '354 End');
$c->put("Subject: half\r\n\r\nthe");
like($c->get, qr/\A421 4\.4\.2 /, 'timeout in DATA: goodbye');
ok($c->eof, 'timeout in DATA: closed');
$c = client();
hello($c);
$c->ask($_) for 'MAIL FROM:<>', 'RCPT TO:<carol>', 'DATA';
$c->put("Subject: half\r\n\r\nthe\r\n.");
$c->close;
$c = client();
hello($c);
script('still there', $c, 'MAIL FROM:<>' => '250 2.1.0',
	'RCPT TO:<carol>' => '250 2.1.5', 'QUIT' => '221 2.0.0');
ok(!-e $t->path('mail/carol') || $t->slurp('log') !~ /account=carol/,
	'half a message is not delivered');
unlike($t->slurp('stderr'), qr/Sanitizer|runtime error/, 'sanitizers');
done_testing();
