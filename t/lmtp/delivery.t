# t/lmtp/delivery.t - what becomes of the octets, and an answer for each
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

my @users = qw(alice bob carol dave full chunk chunk2);
my $t = CulverTest->new(users => { map { $_ => 'x' } @users },
	conf => "max-message = 256K\n"
	. qq(listener tiny { protocol = "lmtp" tls = "none" linger = 60 }\n));
my $port = $t->start('lmtpd', 'lmtp');
my $pop3 = $t->start('pop3d', 'pop3');

sub client {
	my $c = $t->connect($port);
	$c->get;
	$c->line('LHLO client.test');
	1 while $c->get !~ /\A250 /;
	return $c;
}

# Sends a message, already stuffed and ended; the answers.
sub message {
	my ($c, $raw, @to) = @_;
	$c->ask('MAIL FROM:<sender@example.org>') =~ /\A250/ or return;
	my $n = grep { $c->ask("RCPT TO:<$_>") =~ /\A250/ } @to;
	$c->ask('DATA') =~ /\A354/ or return;
	$c->put($raw);
	return map { $c->get } 1 .. $n;
}

# The messages of an account, oldest first.
sub messages {
	my ($user) = @_;
	my $c = $t->connect($pop3);
	$c->get;
	$c->ask('UTF8');	# or a header would be another one
	$c->ask("USER $user");
	my ($n) = $c->ask('PASS x') =~ /\A\+OK (\d+)/ or return;
	my @m = map { $c->ask("RETR $_"); $c->multi } 1 .. $n;
	$c->ask('QUIT');
	return @m;
}

my $head = qr/\AReturn-Path: <sender\@example\.org>\r\n(?:Delivered-To: \S+\r\n)?Received: from client\.test \(127\.0\.0\.1:\d+\)\r\n\tby mail\.test with LMTP;\r\n\t(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000\r\n/;

# -- octets: what is sent (stuffed), what is stored
my @octets = (
	[ 'plain', "Subject: a\r\n\r\nbody\r\n", "Subject: a\r\n\r\nbody\r\n" ],
	[ 'dots', "S: d\r\n\r\n..\r\n...a\r\n..b\r\n",
	    "S: d\r\n\r\n.\r\n..a\r\n.b\r\n" ],
	[ '8 bit and NUL', "S: \xc3\xa4\r\n\r\n\x00\xff\x80\r\n",
	    "S: \xc3\xa4\r\n\r\n\x00\xff\x80\r\n" ],
	[ 'bare LF', "S: l\n\nfoo\n.\nbar\n\r\n", "S: l\r\n\r\nfoo\r\n.\r\nbar\r\n\r\n" ],
	[ 'LF.CRLF', "S: s\r\n\r\nfoo\n.\r\nMAIL FROM:<evil\@x>\r\n",
	    "S: s\r\n\r\nfoo\r\n.\r\nMAIL FROM:<evil\@x>\r\n" ],
	[ 'long line', "S: w\r\n\r\n" . 'y' x 100_000 . "\r\n",
	    "S: w\r\n\r\n" . 'y' x 100_000 . "\r\n" ],
	[ 'no header', "\r\n", "\r\n" ],
	[ 'empty', '', '' ],
	[ 'header only', "Subject: h\r\n", "Subject: h\r\n" ],
);
my $c = client();
for my $o (@octets) {
	my ($name, $sent, $stored) = @$o;
	my @a = message($c, "$sent.\r\n", 'alice');
	is(scalar(@a), 1, "$name: one answer");
	like($a[0], qr/\A250 2\.0\.0 /, "$name: delivered");
}
my @m = messages('alice');
is(scalar @m, scalar @octets, 'all are there');
for my $i (0 .. $#octets) {
	my ($name, undef, $stored) = @{ $octets[$i] };
	like($m[$i], $head, "$name: trace");
	is($m[$i] =~ s/$head//r, $stored, "$name: octets");
}

# -- in the smallest pieces
{
	my $raw = "Subject: slow\r\n\r\na\r\n..\r\n.\r\n";
	$c->ask($_) for 'MAIL FROM:<sender@example.org>', 'RCPT TO:<dave>',
	    'DATA';
	for my $o (split //, $raw) {
		$c->put($o);
		select(undef, undef, undef, 0.003);
	}
	like($c->get, qr/\A250 /, 'octet by octet');
	my ($m) = messages('dave');
	is($m =~ s/$head//r, "Subject: slow\r\n\r\na\r\n.\r\n",
		'octet by octet: octets');
}

# -- BDAT (RFC 3030)
sub bdat {
	my ($c, $octets, $last) = @_;
	$c->put('BDAT ' . length($octets) . ($last ? " LAST" : '')
		. "\r\n$octets");
}

sub codes {
	my ($c, $n) = @_;
	return join ' ', map { substr $c->get // 'end of input', 0, 9 } 1 .. $n;
}

{
	my @start = ('MAIL FROM:<sender@example.org>', 'RCPT TO:<chunk>',
		'RCPT TO:<nobody>', 'RCPT TO:<chunk2>');
	my $d = client();
	$d->ask($_) for @start;
	my $one = "Subject: one\r\n\r\n.\r\n..a\r\nQUIT\r\n\0\r\n";
	bdat($d, $one, 1);
	is(codes($d, 2), '250 2.0.0 250 2.0.0', 'BDAT LAST: answer for each');
	is((messages($_))[0] =~ s/$head//r, $one, "$_: no dot means anything")
		for 'chunk', 'chunk2';

	# All at once, in several chunks, split inside of CRLF; lower case.
	my $big = ('y' x 76 . "\r\n") x 2000;
	$d->put(join '', map { "$_\r\n" } @start);
	bdat($d, "Subject: two\r");
	bdat($d, "\n\r\n$big");
	bdat($d, '');
	$d->put("bdat 0 last\r\nNOOP x\r\n");
	is(codes($d, 10), '250 2.1.0 250 2.1.5 550 5.1.1 250 2.1.5 '
		. '250 2.0.0 250 2.0.0 250 2.0.0 250 2.0.0 250 2.0.0 250 2.0.0',
		'BDAT in pieces, pipelined');
	is((messages('chunk'))[1] =~ s/$head//r,
		"Subject: two\r\n\r\n$big", 'BDAT in pieces: octets');

	# Nothing of a refused chunk is a command.
	my $evil = "QUIT\r\nQUIT\r\n";
	bdat($d, $evil, 1);
	is(codes($d, 1), '503 5.5.1', 'BDAT without MAIL');
	$d->ask('MAIL FROM:<>');
	bdat($d, $evil);
	is(codes($d, 1), '503 5.5.1', 'BDAT without a recipient');
	$d->ask('RCPT TO:<chunk>');
	bdat($d, "Subject: three\r\n\r\n");
	is(codes($d, 1), '250 2.0.0', 'a first chunk');
	like($d->ask('DATA'), qr/\A503 5\.5\.1 /, 'DATA after BDAT');
	like($d->ask('RCPT TO:<chunk2>'), qr/\A503 5\.5\.1 /,
		'RCPT after BDAT');
	like($d->ask('MAIL FROM:<>'), qr/\A503 5\.5\.1 /, 'MAIL after BDAT');
	$d->put('BDAT ' . length($evil) . " FIRST\r\n$evil");
	is(codes($d, 1), '501 5.5.4', 'a word that is not LAST');
	bdat($d, $evil);
	is(codes($d, 1), '503 5.5.1', 'the message has failed');
	bdat($d, $evil, 1);
	is(codes($d, 1), '501 5.5.4', 'and is not delivered');
	like($d->ask('NOOP'), qr/\A250 /, 'the session goes on');

	# RSET in the middle, and then another message.
	$d->ask($_) for @start;
	bdat($d, "Subject: never\r\n\r\n");
	$d->get;
	$d->ask('RSET');
	$d->ask($_) for @start;
	bdat($d, "Subject: four\r\n\r\n", 1);
	is(codes($d, 2), '250 2.0.0 250 2.0.0', 'after RSET');
	is((messages('chunk'))[2] =~ s/$head//r, "Subject: four\r\n\r\n",
		'RSET forgets chunks');

	# Too large: said as soon as it is known, and again for each recipient.
	$d->ask($_) for @start;
	bdat($d, 'z' x 200_000);
	bdat($d, 'z' x 200_000);
	bdat($d, 'z' x 200_000);
	bdat($d, $evil, 1);
	is(codes($d, 5), '250 2.0.0 552 5.3.4 503 5.5.1 552 5.3.4 552 5.3.4',
		'too large in BDAT');
	is(scalar(messages('chunk')), 3, 'nothing of the large one');
	for my $n ('', 'x', '-1', '1x', '18446744073709551616',
		'18446744073709551615', '5000000') {
		my $e = client();
		$e->ask($_) for @start;
		like($e->ask("BDAT $n"), qr/\A421 4\./, "BDAT $n: goodbye");
		ok($e->eof, "BDAT $n: closed");
	}
	my $e = client();
	$e->ask($_) for @start;
	$e->put("BDAT 100 LAST\r\nSubject: half\r\n\r\n");
	$e->close;
	$d->ask('QUIT');
	is(scalar(messages('chunk')), 3, 'nothing of half a chunk');
}

# -- an answer for each recipient, in their order
{
	# An account has the quota that it was made with.
	message($c, "Subject: first\r\n\r\n.\r\n", 'bob', 'carol', 'dave');
	# Each copy names the one whose it is, and nobody else.
	is(((messages($_))[-1] =~ /^Delivered-To: (\S+)\r$/mg)[0], $_,
		"Delivered-To: $_") for 'bob', 'carol', 'dave';
	unlike((messages('bob'))[-1], qr/carol|dave/, 'and no other one');
	my $conf = $t->slurp('culver.conf');
	$t->spew('culver.conf', "quota-messages = 1\n$conf");
	my $d = client();
	my @a = message($d, "Subject: fill\r\n\r\n.\r\n", 'full');
	like($a[0], qr/\A250 /, 'the first message fits the quota');
	@a = message($d, "Subject: to all\r\n\r\n.\r\n", 'bob', 'full',
		'carol', 'bob+again', 'FULL', 'nobody', 'carol@any.test');
	is(join(' ', map { substr $_, 0, 9 } @a),
		'250 2.0.0 452 4.2.2 250 2.0.0 250 2.0.0 452 4.2.2 250 2.0.0',
		'six answers, in order');
	is(scalar(messages('bob')), 2, 'given twice, delivered once');
	is(((messages('bob'))[1] =~ /^Delivered-To: (\S+)\r$/mg)[0], 'bob',
		'by the name given first');
	is(scalar(messages('carol')), 2, 'and the one behind the failure');
	is(scalar(messages('full')), 1, 'nothing over the quota');
	$t->spew('culver.conf', "lmtp-over-quota = permanent\n"
		. "lmtp-delivered-to = false\n$conf");
	my $e = client();
	@a = message($e, "Subject: fill\r\n\r\n.\r\n", 'full', 'bob', 'carol');
	is(join(' ', map { substr $_, 0, 9 } @a),
		'552 5.2.2 250 2.0.0 250 2.0.0', 'permanent, if so configured');
	unlike((messages('bob'))[-1], qr/Delivered-To/, 'no Delivered-To');
	$e->ask('QUIT');
	$t->spew('culver.conf', $conf);
	$d->ask('QUIT');
}

# -- duplicates, where they are not wanted
{
	my $conf = $t->slurp('culver.conf');
	my $n = messages('bob');
	my $m = "Subject: s\r\nMessage-ID:\r\n <once\@example.org>\r\n\r\n";
	my $d = client();
	message($d, "$m.\r\n", 'bob') for 1 .. 2;
	is(scalar(messages('bob')), $n += 2, 'a duplicate comes twice');
	$t->spew('culver.conf', "lmtp-once = 1d\nlmtp-detail-folder = any\n"
		. $conf);
	$d = client();
	for my $to (['bob'], ['bob'], ['carol', 'bob', 'bob+x']) {
		my @a = message($d, "$m.\r\n", @$to);
		is(join(' ', map { substr $_, 0, 9 } @a),
			join(' ', ('250 2.0.0') x @$to), "accepted: @$to");
	}
	is(scalar(messages('bob')), $n += 1, 'but delivered once');
	like((messages('carol'))[-1], qr/<once\@/, 'to each who is new');
	like($t->slurp('log'),
		qr/duplicate: .*to=<bob> account=bob message-id=<once\@/,
		'the log tells');
	message($d, ($m =~ s/once/Once/r) . ".\r\n", 'bob');
	message($d, "Subject: none\r\n\r\n.\r\n", 'bob') for 1 .. 2;
	message($d, "Message-ID:\r\n\r\n.\r\n", 'bob') for 1 .. 2;
	is(scalar(messages('bob')), $n += 5,
		'another id and no id are no duplicates');
	$d->ask('QUIT');

	# By several ways at the same time.
	my @pids;
	for my $p (1 .. 4) {
		my $pid = fork // die;
		if ($pid == 0) {
			my $e = client();
			my $ok = 1;
			for my $i (1 .. 10) {
				my ($a) = message($e, "Message-ID: <r$i\@x>\r\n"
					. "Subject: by $p\r\n\r\n.\r\n", 'bob');
				$ok &&= ($a // '') =~ /\A250 /;
			}
			POSIX::_exit($ok ? 0 : 1);
		}
		push @pids, $pid;
	}
	my $ok = 1;
	for (@pids) {
		waitpid $_, 0;
		$ok &&= $? == 0;
	}
	ok($ok, 'four at once: all accepted');
	is(scalar(messages('bob')), $n + 10, 'four at once: each once');
	$t->spew('culver.conf', $conf);
	is(($t->culver("check", "bob"))[0], 0, "culver check");
}

# -- too large: said in MAIL, or found out
{
	my $d = client();
	my $big = "Subject: big\r\n\r\n" . ("x" x 78 . "\r\n") x 4000;
	like($d->ask('MAIL FROM:<a@b> SIZE=300000'), qr/\A552 5\.3\.4 /,
		'declared too large');
	my @a = message($d, "$big.\r\n", 'alice', 'bob');
	is(join(' ', map { substr $_, 0, 9 } @a), '552 5.3.4 552 5.3.4',
		'found too large: an answer for each');
	@a = message($d, "Subject: small\r\n\r\n.\r\n", 'alice');
	like($a[0], qr/\A250 /, 'the session goes on');
	is(scalar(messages('alice')), @octets + 1, 'nothing of the large one');
	$d->ask($_) for 'MAIL FROM:<a@b>', 'RCPT TO:<bob>', 'DATA';
	my $flood = 0;
	$flood += 80 * 4000 while $d->put($big) && $flood < 50_000_000;
	cmp_ok($flood, '<', 50_000_000, 'a flood is cut off');
}

# -- out of reach
{
	my $d = client();
	rename $t->path('passwd'), $t->path('passwd.away');
	$d->ask('MAIL FROM:<>');
	like($d->ask('RCPT TO:<alice>'), qr/\A451 4\.3\.0 /,
		'no password file: later');
	rename $t->path('passwd.away'), $t->path('passwd');
	like($d->ask('RCPT TO:<alice>'), qr/\A250 /, 'it is back');
	SKIP: {
		$d->ask($_) for 'RSET', 'MAIL FROM:<>', 'RCPT TO:<bob>',
		    'RCPT TO:<dave>', 'DATA';
		# dave's directory is a file now.
		rename $t->path('mail/dave'), $t->path('mail/.dave');
		$t->spew('mail/dave', 'x');
		$d->put("Subject: x\r\n\r\n.\r\n");
		my @a = map { $d->get } 1 .. 2;
		like($a[0], qr/\A250 /, 'one store works');
		like($a[1], qr/\A4\d\d 4\./, 'the other one does not: later');
		unlike($a[1], qr/\Q$t->{dir}\E/, 'no paths for the client');
		like($t->slurp('log'), qr/not delivered: .*to=<dave>/,
			'but the log tells');
	}
}

# -- the same store through several processes at once
{
	my @pids;
	for my $p (1 .. 4) {
		my $pid = fork // die;
		if ($pid == 0) {
			my $d = client();
			my $ok = 1;
			for my $i (1 .. 25) {
				my ($a) = message($d,
					"Subject: $p-$i\r\n\r\n$p $i\r\n.\r\n",
					'carol');
				$ok &&= ($a // '') =~ /\A250 /;
			}
			POSIX::_exit($ok ? 0 : 1);
		}
		push @pids, $pid;
	}
	my $ok = 1;
	for (@pids) {
		waitpid $_, 0;
		$ok &&= $? == 0;
	}
	ok($ok, 'four at once: all accepted');
	my %seen;
	$seen{ (/^Subject: (\S+)/m)[0] }++ for messages('carol');
	is(scalar(grep { ($seen{$_} // 0) == 1 }
		map { my $p = $_; map { "$p-$_" } 1 .. 25 } 1 .. 4), 100,
		'four at once: each once');
}
$t->stop;
unlike($t->slurp('stderr'), qr/Sanitizer|runtime error/, 'sanitizers');
done_testing();
