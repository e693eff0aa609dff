# t/admin/import-imap.t - culver import imap: from our own server, and worse ones
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IO::Socket::INET;
use JSON::XS;
use POSIX ();
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' }, tls => 1);
$t->culver('user', 'add', '--no-password', $_) for qw(copy other);
my %port = map { $_ => $t->start('imapd', $_) } qw(imap imaps);
my $c = $t->connect($port{imap});
$c->get;
like(($c->imap('LOGIN alice secret'))[0], qr/ OK/, 'in');
like(($c->imap($_))[0], qr/ OK/, $_) for 'CREATE "Work/B&APw-cher"',
    'CREATE "a.b"', 'CREATE Empty';
sub append {
	my ($to, $flags, $date, $text) = @_;
	$c->put(qq(x1 APPEND "$to" ($flags) "$date" {) . length($text)
	    . "+}\r\n$text\r\n");
	like(($c->imap_until('x1'))[0], qr/ OK/, "append to $to");
}
my $big = "Subject: big\r\n\r\n" . ("x" x 70 . "\r\n") x 30000;
append('INBOX', '\\Seen $Work', '02-Feb-2020 02:02:02 +0100',
	"Subject: one\r\n\r\nred\r\n");
append('INBOX', '\\Flagged \\Deleted', '12-Dec-2021 12:00:00 -0800', $big);
append('Work/B&APw-cher', '', '01-Jan-2022 00:00:00 +0000',
	"Subject: )\r\n\r\n)\r\n* 1 FETCH (UID 9)\r\n");

sub import {
	my ($account, $port, @args) = @_;
	return $t->culver(\"secret\n", 'import', 'imap', '--user', 'alice',
	    '--password-stdin', '--port', $port, @args, $account,
	    'localhost');
}
my @ca = ('--ca', $t->path('cert.pem'));
my ($rc, $out, $err) = import('copy', $port{imaps}, @ca, '--new-uids');
is("$rc $out$err", "0 3 imported\n", 'by TLS');
sub fetch {
	my ($account) = @_;
	my ($r, $o, $e) = $t->culver('message', 'fetch', '--json', '--body',
	    $account, '*', 'ALL');
	my $l = decode_json($o);
	delete $_->{uid} for @$l;
	$_->{flags} = [sort @{ $_->{flags} }] for @$l;
	return $l;
}
# The zone of an arrival isn't kept by anybody.
is_deeply(fetch('copy'), fetch('alice'),
    'the same octets, flags, dates and mailboxes');
like(($t->culver('mailbox', 'list', 'copy'))[1], qr/ Empty$/m,
    'empty ones, too');
($rc, $out, $err) = import('copy', $port{imap}, @ca, '--tls=starttls',
    '--skip-duplicates', '--new-uids');
is("$rc $out$err", "0 0 imported, 3 there already\n", 'STARTTLS, again');
($rc, $out, $err) = import('other', $port{imap}, '--tls=none', '--quiet',
    '--mailbox=Old');
is("$rc $out$err", '0 ', 'in the clear, below a mailbox');
like(($t->culver('mailbox', 'list', 'other'))[1],
    qr{ Old/Work/B\xc3\xbccher$}m, 'there');

# ---- what fails
($rc, $out, $err) = import('copy', $port{imaps});
is($rc, 111, 'a certificate that nobody trusts');
like($err, qr/certificate/i, 'is told');
($rc, $out, $err) = $t->culver(\"wrong\n", 'import', 'imap', '--tls=none',
    '--password-stdin', '--port', $port{imap}, 'alice', 'localhost');
is($rc, 111, 'a wrong password');
is(($t->culver(\"x\n", 'import', 'imap', '--tls=maybe', '--password-stdin',
	'alice', 'localhost'))[0], 100, 'no such mode');
is(($t->culver('import', 'imap', 'nobody-here'))[0], 100, 'too few');

# A server of a few lines, whatever is asked.
my $into = 'other';
sub server {
	my (@say) = @_;
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
	    or BAIL_OUT("listen: $!");
	my $pid = fork // BAIL_OUT("fork: $!");
	if ($pid == 0) {
		my $s = $l->accept;
		syswrite $s, "* OK hello\r\n";
		while (my $line = <$s>) {
			my ($tag) = $line =~ /\A(\S+)/;
			my $say = shift @say // last;
			$say =~ s/TAG/$tag/g;
			syswrite $s, $say;
			last if !@say;
		}
		POSIX::_exit(0);
	}
	my $port = $l->sockport;
	close $l;
	my @r = import($into, $port, '--tls=none');
	kill 'KILL', $pid;
	waitpid($pid, 0);
	return @r;
}
my $in = "TAG OK in\r\n";
my $list = qq(* LIST () "." INBOX\r\n* LIST (\\Noselect) "." gone\r\n)
    . qq(* LIST () "." {7}\r\nIN/X.yz\r\nTAG OK listed\r\n);
my $none = "* 0 EXISTS\r\nTAG OK\r\n";
($rc, $out, $err) = server($in, $list, $none, "* 1 EXISTS\r\nTAG OK\r\n",
    "* 1 FETCH (BODY[] {14}\r\nSubject: x\r\n\r\n FLAGS (\\Seen k1)"
    . " INTERNALDATE \" 1-Feb-2020 00:00:00 +0000\" UID 7)\r\n"
    . "* 1 FETCH (UID 7 FLAGS (\\Seen))\r\nTAG OK\r\n", "TAG OK\r\n");
is("$rc $out$err", "0 1 imported\n", 'items in another order, a literal name');
($rc, $out) = $t->culver('message', 'fetch', '--json', 'other', 'IN_X/yz',
    'KEYWORD k1 SEEN ON 1-Feb-2020');
is(@{ decode_json($out || '[]') }, 1, 'is there as it was');
for ("* 1 FETCH (BODY[] {14}\r\nSub", "* 1 FETCH (BODY[] {99999999999999999999}"
	. "\r\n", "garbage {5}\r\n12", "TAG NO\r\n", "") {
	($rc, $out, $err) = server($in,
	    qq(* LIST () NIL INBOX\r\nTAG OK\r\n), "* 1 EXISTS\r\nTAG OK\r\n",
	    $_);
	isnt($rc, 0, 'a broken server is no success');
	like($out, qr/\A0 imported/, 'and nothing comes of it');
}

# ---- UIDs are kept, where they can be
$t->culver('user', 'add', '--no-password', 'kept');
$into = 'kept';
sub examined {
	my ($n, $validity, $modseq) = @_;
	return "* $n EXISTS\r\n* OK [UIDVALIDITY $validity] x\r\n"
	    . "* OK [UIDNEXT 99] x\r\n* OK [HIGHESTMODSEQ $modseq] x\r\nTAG OK\r\n";
}
sub fetched {
	my $n = 0;
	return join('', map { "* " . ++$n . " FETCH (UID $_ FLAGS () INTERNALDATE"
		. qq( "01-Feb-2020 00:00:00 +0000" BODY[] {16}\r\n)
		. "Subject: $_\r\n" . ' ' x (5 - length $_) . "\r\n)\r\n" } @_)
	    . "TAG OK\r\n";
}
my $two = qq(* LIST () "/" INBOX\r\n* LIST () "/" Work\r\nTAG OK\r\n);
my @bye = ("TAG OK\r\n");
($rc, $out, $err) = server($in, $two, examined(2, 1234567, 88), fetched(5, 9),
    examined(1, 42, 90), fetched(70), @bye);
is("$rc $out$err", "0 3 imported\n", 'two mailboxes');
sub uids {
	my ($box) = @_;
	my ($r, $o) = $t->culver('message', 'search', '--json', 'kept', $box, 'ALL');
	my ($s) = map { decode_json($_) } ($t->culver('mailbox', 'status', '--json',
		'kept', $box))[1];
	return "$s->[0]{uidValidity} $s->[0]{uidNext}: "
	    . join ' ', map { $_->{uid} } @{ decode_json($o) };
}
is(uids('INBOX'), '1234567 10: 5 9', 'UIDs of INBOX');
is(uids('Work'), '42 71: 70', 'and of another');
($rc, $out, $err) = server($in, $two, examined(3, 1234567, 88), fetched(5, 9, 12),
    examined(1, 43, 90), fetched(71), @bye);
is("$rc $out", "0 4 imported, 2 with another UID\n", 'again: what is new is added');
is(uids('INBOX'), '1234567 13: 5 9 10 11 12', 'new UIDs for what was there');
like($err, qr/\Aculver: Work: UIDs are new: it isn't empty\n\z/,
    'not of another UIDVALIDITY');
is(uids('Work'), '42 72: 70 71', 'it keeps its own');
$t->culver('user', 'add', '--no-password', 'late');
$into = 'late';
($rc, $out, $err) = server($in, $two, examined(1, 7, 99999999999), fetched(5),
    examined(1, 0, 3), fetched(6), @bye);
is("$rc $out", "0 2 imported\n", 'numbers that can\'t be kept');
like($err, qr/\Aculver: INBOX: UIDs are new: .*counts too far\n\z/, 'are told');
is(($t->culver('check', 'kept', 'late'))[0], 0, 'all is in order');

# A client that goes on: what it knows of the old server is too old to be told
# apart, so it sees all that is gone.
$t->culver(\"pw\n", 'user', 'passwd', 'kept', '--password-stdin');
$c = $t->connect($port{imap});
$c->get;
$c->imap('LOGIN kept pw');
$c->imap('ENABLE QRESYNC');
my $sel = join "\n", $c->imap('SELECT INBOX (QRESYNC (1234567 88 1:9))');
like($sel, qr/VANISHED \(EARLIER\) 1:4,6:8/, 'what isn\'t there any more');
like($sel, qr/FETCH \(.*UID 5\b/, 'and the flags of what is');
done_testing;
