# t/admin/undelete.t - culver undelete: expunged mail, as an admin brings it back
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

my $t = CulverTest->new(users => { alice => 'secret' },
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\n));
my ($rc, $out, $err);
my $imap = $t->start('imapd', 'imap');
my $pop3 = $t->start('pop3d', 'pop3');

sub client {
	my $c = $t->connect($imap);
	$c->get;
	my ($r) = $c->imap('LOGIN alice secret');
	like($r, qr/ OK/, 'in') or BAIL_OUT("login: $r");
	return $c;
}

sub append {
	my ($c, $subject, $flags, $box) = @_;
	my $m = "From: $subject\@example.org\r\nTo: b\@example.org\r\n"
	    . "Subject: $subject\r\n\r\ntext of $subject\r\n";
	my $n = length $m;
	my ($r) = $c->imap(sprintf('APPEND %s (%s) "01-Feb-2020 10:00:00 +0000"'
	    . ' {%d+}', $box || 'INBOX', $flags || '', $n) . "\r\n$m");
	like($r, qr/ OK/, "APPEND $subject");
}

# subject => [uid, flags, date]
sub content {
	my ($c, $box) = @_;
	my ($r, @l) = $c->imap('SELECT ' . ($box || 'INBOX'));
	my %m;
	return undef if $r !~ / OK/;
	($r, @l) = $c->imap('UID FETCH 1:* (FLAGS INTERNALDATE '
	    . 'BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
	for (@l) {
		my ($uid) = /UID (\d+)/ or next;
		my ($subject) = /Subject: (\S+)/;
		my ($flags) = /FLAGS \(([^)]*)\)/;
		my ($date) = /INTERNALDATE "([^"]*)"/;
		$m{$subject} = [ $uid, join(' ', sort grep {
			$_ ne '\\Recent' } split / /, $flags), $date ];
	}
	return \%m;
}

my $c = client();
append($c, 'seen', '\\Seen \\Flagged $Label');
append($c, 'plain');
append($c, 'stays');
append($c, 'moved');
append($c, 'popped');
$c->imap('CREATE Box/Sub');
append($c, 'boxed', '\\Answered', 'Box/Sub');
$c->imap('CREATE Other');
$c->imap('SELECT INBOX');
$c->imap('UID MOVE 4 Other');
($rc, $out, $err) = $t->culver(qw(undelete --list alice));
is($rc, 0, '--list') or diag $err;
is($out, "0 can be brought back\n", 'what was moved is not deleted');
$c->imap('UID STORE 1:2 +FLAGS (\\Deleted)');
$c->imap('EXPUNGE');
my $next = int(time) + 1;
sleep($next + 0.05 - time);
my $middle = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($next));
$c->imap('UNSELECT');
$c->imap('DELETE Box/Sub');
my $p = $t->connect($pop3);
$p->get;
like($p->ask('USER alice'), qr/^\+OK/, 'POP3');
like($p->ask('PASS secret'), qr/^\+OK/, 'login');
like($p->ask('DELE 2'), qr/^\+OK/, 'DELE');
like($p->ask('QUIT'), qr/^\+OK/, 'QUIT');

($rc, $out, $err) = $t->culver(qw(undelete --list alice));
is($rc, 0, '--list') or diag $err;
like($out, qr/^\S+ INBOX: seen\@example\.org: seen$/m, 'expunged by IMAP');
like($out, qr/^\S+ Box\/Sub: boxed\@example\.org: boxed$/m,
	'gone with its mailbox');
like($out, qr/^\S+ INBOX: popped\@example\.org: popped$/m, 'by POP3');
like($out, qr/^4 can be brought back$/m, 'and nothing else') or diag $out;

sub listed {
	my ($r, $o, $e) = $t->culver('undelete', '--list', @_, 'alice');
	is($r, 0, "@_") or diag $e;
	return join ' ', sort $o =~ /: (\w+)$/mg;
}
is(listed('--mailbox', 'Box/Sub'), 'boxed', 'by mailbox');
is(listed('--mailbox', 'inbox'), 'plain popped seen', 'INBOX in any case');
is(listed('--before', $middle), 'plain seen', 'by time');
is(listed('--since', $middle), 'boxed popped', 'since');
is(listed('--search', 'TEXT of PLAIN'), 'plain', 'by text');
is(listed('--search', 'boxed@'), 'boxed', 'by address');
is(listed('--search', 'nothing of that'), '', 'what is not there');

($rc, $out, $err) = $t->culver(qw(undelete --search seen alice));
is($rc, 0, 'one comes back') or diag $err;
like($out, qr/^1 brought back$/m, 'it says so');
$c = client();
my $m = content($c);
is_deeply([ sort keys %$m ], [ qw(seen stays) ], 'a client sees it');
cmp_ok($m->{seen}[0], '>', 5, 'as a new message');
is($m->{seen}[1], '$Label \\Flagged \\Seen', 'with its flags');
like($m->{seen}[2], qr/^\s*0?1-Feb-2020/, 'and its date');
($rc, $out, $err) = $t->culver(qw(undelete --search seen alice));
like($out, qr/^0 brought back$/m, 'not twice');

($rc, $out, $err) = $t->culver(qw(undelete --into Back/Again --mailbox INBOX),
	'alice');
is($rc, 0, '--into') or diag $err;
like($out, qr/^2 brought back$/m, 'the others of that mailbox');
$m = content($c, 'Back/Again');
is_deeply([ sort keys %$m ], [ qw(plain popped) ], 'are there');
($rc, $out, $err) = $t->culver(qw(undelete alice));
is($rc, 0, 'the rest') or diag $err;
$m = content($c, 'Box/Sub');
is_deeply([ sort keys %$m ], [ 'boxed' ], 'the mailbox is made again');
is($m->{boxed}[1], '\\Answered', 'with its flags');
($rc, $out, $err) = $t->culver(qw(undelete --list alice));
is($out, "0 can be brought back\n", 'nothing is left');

# deleted once more, and once more
for my $i (1, 2) {
	$c->imap('SELECT Box/Sub');
	$c->imap('STORE 1 +FLAGS (\\Deleted)');
	$c->imap('EXPUNGE');
	($rc, $out, $err) = $t->culver(qw(undelete alice));
	like($out, qr/^1 brought back$/m, "deleted again, back again ($i)");
}
($rc, $out, $err) = $t->culver('check');
is($rc, 0, 'the account is sound') or diag $out, $err;
($rc, $out, $err) = $t->culver(qw(undelete --since noon alice));
is($rc, 100, 'no time');
($rc, $out, $err) = $t->culver(qw(undelete nobody));
is($rc, 100, 'no account');
done_testing();
