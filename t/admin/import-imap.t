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
my ($rc, $out, $err) = import('copy', $port{imaps}, @ca);
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
    '--skip-duplicates');
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
	my @r = import('other', $port, '--tls=none');
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
done_testing;
