# t/imap/damage.t - damaged bodies, NUL in mail, bounded memory, SIGTERM
use strict;
use warnings;
use CulverTest;
use Test::More;

my $t = CulverTest->new;
my $imap = $t->start('imapd', 'imap');

sub session {
	my $c = $t->connect($imap);
	$c->imap_line;
	$c->imap('LOGIN alice secret');
	return $c;
}

sub append {
	my ($c, $m) = @_;
	my ($ok) = $c->imap('APPEND INBOX (\\Seen) {' . length($m)
	    . "+}\r\n$m");
	return $ok;
}

# NUL in a message, which only other protocols can bring: 0x80, size kept
my $lmtp = $t->start('lmtpd', 'lmtp');
my $l = $t->connect($lmtp);
$l->get;
$l->line('LHLO test');
while (defined(my $r = $l->get)) {
	last if $r =~ /\A250 /;
}
$l->ask('MAIL FROM:<a@example.org>');
$l->ask('RCPT TO:<alice@mail.test>');
$l->ask('DATA');
$l->put("Subject: a\0b\r\n\r\nx\0\0y\r\n" . "z\0" x 100_000 . "\r\n.\r\n");
my $r = $l->get;
my $c = session();
SKIP: {
	skip "LMTP does not take NUL: $r", 4 if $r !~ /\A250 /;
	my ($ok, @f) = $c->imap('SELECT INBOX');
	($ok, @f) = $c->imap('FETCH 1 (RFC822.SIZE BODY.PEEK[] ENVELOPE)');
	like($ok, qr/ OK /, 'FETCH of a message with NUL');
	my ($size) = $f[0] =~ /RFC822\.SIZE (\d+) /;
	like($f[0], qr/BODY\[\] \{$size\}\r\n/, 'the size is true');
	unlike($f[0], qr/\0/, 'no NUL is sent');
	like($f[0], qr/Subject: a\x80b\r\n\r\nx\x80\x80y\r\n(?:z\x80){60000}/,
		'0x80 in its place');
	$c->imap('STORE 1 +FLAGS.SILENT (\\Deleted)');
	$c->imap('CLOSE');
}

# a large mailbox through a small process
my $mb = 'x' x 1000 . "\r\n";
$mb = "Subject: big\r\n\r\n" . $mb x 1000;
like(append($c, $mb), qr/ OK /, 'APPEND of a megabyte') for 1 .. 40;
$c->imap('SELECT INBOX');
$c->close;
$c = session();
$c->imap('EXAMINE INBOX');
# The session's process is the daemon's youngest child.
my ($pid) = sort { $b <=> $a } map { split ' ' }
    do { local (@ARGV, $/) = glob "/proc/$t->{pids}[0]/task/*/children"; <> };
sub anon {
	open(my $fh, '<', "/proc/$pid/status") or return 0;
	return +(map { /\ARssAnon:\s+(\d+)/ ? $1 : () } <$fh>)[0];
}
my $before = anon();
$c->line('f FETCH 1:* (UID BODY.PEEK[])');
my $got = 0;
my $last = '';
my $most = 0;
while (my $n = sysread($c->{sock}, my $buf, 1 << 16)) {
	$got += $n;
	$last = substr($last . $buf, -60);
	my $now = anon();
	$most = $now if $now > $most;
	last if $last =~ /\r\nf OK [^\r]*\r\n\z/;
}
cmp_ok($got, '>', 40_000_000, "FETCH of $got octets");
SKIP: {
	skip 'a sanitizer keeps what is freed', 1 if $t->sanitized('imapd');
	cmp_ok($most - $before, '<', 24_000,
		"in @{[ $most - $before ]} KiB more memory");
}

# bodies that are damaged on disk: NO, and the session goes on
$c->imap('UNSELECT');
like(append($c, "Subject: s$_\r\n\r\n" . "y$_ " x 100 . "\r\n"), qr/ OK /,
	"APPEND $_") for 1 .. 3;
$c->close;
for my $pack (glob $t->path('mail/alice/pack.*')) {
	open(my $fh, '+<:raw', $pack) or die "$pack: $!";
	my $size = -s $pack;
	for (my $at = 200; $at < $size; $at += 1000) {
		seek($fh, $at, 0);
		print $fh "\0\0\0\0" x 4;
	}
	close $fh;
}
$c = session();
my ($ok, @f) = $c->imap('SELECT INBOX');
like($ok, qr/ OK /, 'SELECT needs no bodies');
($ok, @f) = $c->imap('FETCH 1:* (FLAGS UID)');
is(scalar @f, 43, 'nor does FETCH FLAGS');
($ok, @f) = $c->imap('FETCH 43 BODY.PEEK[]');
if ($ok =~ / OK /) {
	like($f[0], qr/BODY\[\]/, 'a body that was spared');
} else {
	like($ok, qr/ NO \[/, 'a damaged body is refused');
}
($ok, @f) = $c->imap('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (X-NONE)])');
ok(!defined $ok || $ok =~ / (?:OK|NO) /, 'all of them');
($ok) = $c->imap('NOOP') if defined $ok;
ok(!defined $ok || $ok =~ / OK /, 'the session goes on');

# SIGTERM says goodbye
$c = session();
$c->imap('NOOP');
kill 'TERM', $t->{pids}[0];
like($c->get(5) // '', qr/\A\* BYE \[UNAVAILABLE\]/, 'SIGTERM: BYE');
ok($c->eof, 'and the end');
done_testing();
