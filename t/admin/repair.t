# t/admin/repair.t - a damaged account: what its users see, and its repair
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret', bob => 'secret' },
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\n));
my %port = map { $_->[1] => $t->start(@$_) }
    ([ imapd => 'imap' ], [ pop3d => 'pop3' ], [ lmtpd => 'lmtp' ]);

sub in {
	my ($user) = @_;
	my $c = $t->connect($port{imap});
	$c->get;
	my ($r) = $c->imap("LOGIN $user secret");
	return ($c, $r);
}

sub append {
	my ($c, $subject, $flags) = @_;
	my $m = "Subject: $subject\r\n\r\n"
	    . join('', map { chr(33 + ($_ * 7919 + length $subject) % 90) }
		1 .. 900) . "\r\n";
	my ($r) = $c->imap(sprintf('APPEND INBOX (%s) {%d+}', $flags,
		length $m) . "\r\n$m");
	like($r, qr/ OK/, "APPEND $subject");
}

# subject => "uid flags"
sub mail {
	my ($c, $box) = @_;
	my ($r) = $c->imap('SELECT ' . ($box // 'INBOX'));
	like($r, qr/ OK/, 'SELECT') or diag $r;
	my %m;
	($r, my @l) = $c->imap('UID FETCH 1:* (FLAGS BODY.PEEK[])');
	like($r, qr/ OK/, 'FETCH') or diag $r;
	for (join("\n", @l) =~ /(\* \d+ FETCH .*?)(?=\* \d+ FETCH|\z)/gs) {
		my ($uid, $flags) = /UID (\d+)/ ? $1 : next;
		$flags = join ' ', sort grep { $_ ne '\\Recent' }
		    split / /, (/FLAGS \(([^)]*)\)/)[0];
		$m{$1} = "$uid $flags" if /Subject: (\S+)/;
	}
	return \%m;
}

sub patch {
	my ($file, $at, $octets) = @_;
	open(my $fh, '+<:raw', $file) or die "$file: $!";
	seek($fh, $at, 0);
	print $fh $octets;
	close($fh) or die;
}

my %user;
for my $u (qw(alice bob)) {
	($user{$u}, my $r) = in($u);
	like($r, qr/ OK/, "$u is in");
	append($user{$u}, 'one', '\Flagged');
	append($user{$u}, 'two', '');
	append($user{$u}, 'three', '\Seen');
}
my $whole = mail($user{alice});
is_deeply($whole, { one => '1 \Flagged', two => '2 ', three => '3 \Seen' },
	'what is there');

# ---- one message ----
my $pack = $t->path('mail/bob/pack.1');
my $octets = do { local $/; open(my $fh, '<:raw', $pack) or die; <$fh> };
my $at = index($octets, 'Subject: two');
if ($at < 0) {		# compressed: somewhere in the middle
	$at = (-s $pack) / 2;
}
patch($pack, $at + 100, chr(ord(substr($octets, $at + 100, 1)) ^ 1));
my ($c) = in('bob');
my ($r, @l) = $c->imap('SELECT INBOX');
($r, @l) = $c->imap('UID FETCH 2 BODY.PEEK[]');
like($r, qr/ NO \[CORRUPTION\]| BYE /, 'a message that is damaged');
is_deeply(mail($user{alice}), $whole, 'the others don\'t mind');

my ($rc, $out, $err) = $t->culver('check');
is($rc, 100, 'check finds it');
like($out, qr/^bob: pack\.1: damaged blob at \d+$/m, 'the file and the place');
like($out, qr/^bob: mailbox INBOX, UID 2: the message .*pack\.1 at \d+/m,
	'the mailbox and the UID') or diag $out;
like($out, qr/^alice: ok$/m, 'the other one is sound');

($rc, $out, $err) = $t->culver(qw(check --repair --json));
is($rc, 0, 'check --repair') or diag $out, $err;
my %a = map { $_->{account} => $_ } @{ decode_json($out) };
ok($a{bob}{ok} && @{ $a{bob}{faults} } && @{ $a{bob}{repair} }, 'repaired');
ok((grep { /INBOX: UID 2 / } @{ $a{bob}{repair} }), 'what was lost is told');
ok($a{alice}{ok} && !@{ $a{alice}{repair} }, 'the other one is not touched');
my ($aside) = glob($t->path('mail/.quarantine/bob.*'));
ok($aside && -s "$aside/report" && -s "$aside/journal"
    && glob("$aside/pack.1.*"), 'the originals are kept');

$c->line('x NOOP');
like(join('', map { $c->get // '' } 1 .. 2), qr/BYE \[UNAVAILABLE\]/,
	'the old session ends');
($user{bob}, $r) = in('bob');
like($r, qr/ OK/, 'bob is in again');
my $now = mail($user{bob});
delete $whole->{two};
is_deeply($now, $whole, 'all but that one, with UIDs and flags');
append($user{bob}, 'four', '');
($now) = mail($user{bob})->{four} =~ /^(\d+)/;
cmp_ok($now, '>', 3, 'no UID is used again');
($rc, $out) = $t->culver('check');
is($out, "alice: ok\nbob: ok\n2 checked, 0 with faults\n", 'sound')
	or diag $out;

# ---- the whole account ----
patch($t->path('mail/bob/journal'), 20, 'x' x 20);
$_->close for $user{bob}, $c;
(undef, $r) = in('bob');
like($r, qr/ NO \[CORRUPTION\]/, 'IMAP: LOGIN');
$c = $t->connect($port{pop3});
$c->get;
$c->line('USER bob');
$c->get;
$c->line('PASS secret');
like($c->get, qr/^-ERR \[SYS\/PERM\]/, 'POP3: PASS');
$c = $t->connect($port{lmtp});
$c->get;
$c->line('LHLO x');
1 while $c->get =~ /^250-/;
$c->line('MAIL FROM:<>');
$c->get;
my %rcpt;
for my $u (qw(bob alice)) {
	$c->line("RCPT TO:<$u\@example.org>");
	$rcpt{$u} = $c->get;
}
like($rcpt{alice}, qr/^250/, 'LMTP: the other one') or diag $rcpt{alice};
if ($rcpt{bob} =~ /^250/) {
	$c->line('DATA');
	$c->get;
	$c->put("Subject: new\r\n\r\ntext\r\n.\r\n");
	$rcpt{bob} = $c->get;
	like($c->get, qr/^250/, 'LMTP: delivered');
}
like($rcpt{bob}, qr/^4\d\d/, 'LMTP: to be tried again') or diag $rcpt{bob};
my $log = $t->slurp('stderr') . $t->slurp('log');
like($log, qr/bob is damaged: journal: .*see culver check --repair/,
	'the log tells what to do') or diag $log;
($rc, $out, $err) = $t->culver(qw(check --repair bob));
is($rc, 0, 'repaired') or diag $out, $err;
like($out, qr/^1 checked, 1 repaired, 0 with faults$/m, 'and counted');
($c, $r) = in('bob');
like($r, qr/ OK/, 'bob is in again');
$now = mail($c);
is($now->{$_} // '', $whole->{$_}, "message $_") for qw(one three);
ok($now->{four}, 'message four');
($rc, $out, $err) = $t->culver(qw(check --repair));
is($out, "alice: ok\nbob: ok\n2 checked, 0 repaired, 0 with faults\n",
	'nothing to do') or diag $out;
is($rc, 0, 'which is success');
done_testing();
