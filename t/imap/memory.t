# t/imap/memory.t - large answers are streamed: what a session needs doesn't grow
# with what it sends.  CULVER_LONG: 50,000 messages.
use strict;
use warnings;
use CulverTest;
use Test::More;

plan skip_all => 'no /proc/PID/smaps_rollup' unless -r '/proc/self/smaps_rollup';
my $n = $ENV{CULVER_LONG} ? 50_000 : 4_000;
my $t = CulverTest->new;
my $mbox = '';
for my $i (1 .. $n) {
	$mbox .= "From a\@b Sun Nov 22 10:00:00 2026\n"
	    . "From: Writer $i <w$i\@example.org>\nTo: alice\@example.org\n"
	    . "Subject: message number $i of many\nMessage-ID: <$i\@example.org>\n"
	    . "Date: Sun, 22 Nov 2026 10:00:00 +0000\n\n"
	    . "line of text $i\n" x 8 . "\n";
}
$t->spew('mbox', $mbox);
my $port = $t->start('imapd', 'imap');
my $c = $t->connect($port);
$c->imap_line;
$c->imap('LOGIN alice secret');	# makes the account
$c->imap('LOGOUT');
my ($rc, undef, $err) = $t->culver('import', 'alice', $t->path('mbox'));
is($rc, 0, "import of $n messages") or diag $err;

# KiB of a process's own, and its share of what others have, too.
sub pss {
	my ($pid) = @_;
	open(my $fh, '<', "/proc/$pid/smaps_rollup") or return 0;
	while (<$fh>) {
		return $1 if /\APss_(?:Anon|Dirty):\s+(\d+) kB/;
	}
	return 0;
}

# The session's process: the newest child of the listener.
sub child {
	my ($pid) = $t->{pids}[-1];
	my @c = map { split } do {
		open(my $fh, '<', "/proc/$pid/task/$pid/children") or return;
		<$fh> // '';
	};
	return $c[-1];
}

$c = $t->connect($port);
$c->imap_line;
$c->imap('LOGIN alice secret');
my $pid = child() or plan skip_all => 'sessions are no processes here';
my ($r, @u) = $c->imap('SELECT INBOX');
like($r, qr/ OK /, 'SELECT');
ok((grep { $_ eq "* $n EXISTS" } @u), 'all are there');
my $selected = pss($pid);
my $checks = $t->sanitized('imapd');

# Reads the answer piece by piece; the most that the process had meanwhile.
sub most {
	my ($cmd) = @_;
	my ($lines, $most, $tail, $octets) = (0, 0, '', 0);
	$c->put("m $cmd\r\n");
	while ($tail !~ /(?:\A|\n)m (\w+)[^\n]*\n\z/) {
		my $p = pss($pid);
		$most = $p if $p > $most;
		$c->fill or return;
		$octets += length $c->{buf};
		$lines += () = $c->{buf} =~ /^\* \d+ FETCH /mg;
		$tail = substr($tail . $c->{buf}, -4096);
		$c->{buf} = '';
	}
	$tail =~ /^m OK /m or diag $tail;
	return ($most, $octets, $lines);
}

note("after SELECT: $selected KiB");
$checks or cmp_ok($selected, '<', 1000 + $n / 25, 'SELECT: 40 octets a message');
for my $cmd ('FETCH 1:* (FLAGS UID)', 'FETCH 1:* ALL',
    'UID FETCH 1:* (UID ENVELOPE BODYSTRUCTURE)',
    'FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])',
    'FETCH 1:* BODY.PEEK[]') {
	my ($most, $octets) = most($cmd);
	note("$cmd: $octets octets, at most $most KiB");
	cmp_ok($octets, '>', $n * 20, "$cmd: the whole answer");
	$checks or cmp_ok($most, '<', $selected + 1000, '... streamed');
}
done_testing();
