# t/imap/move-crash.t - MOVE between accounts, killed: no message is lost
use strict;
use warnings;
use CulverTest;
use ImapScript;
use Test::More;
use Time::HiRes qw(sleep);

my $n = 300;
my $rounds = $ENV{CULVER_LONG} ? 200 : 12;
my $t = CulverTest->new(users => { alice => 'secret', bob => 'secret' });
my $theirs = '"Other Users/alice/INBOX"';

sub session {
	my ($user) = @_;
	my $s = ImapScript::Session->pipe($t, $user);
	$s->imap_line;
	return $s;
}

sub subjects {
	my ($s, $box, $seen) = @_;
	my ($r, @l) = $s->imap("SELECT $box");
	like($r, qr/ OK /, "SELECT $box") or return;
	($r, @l) = $s->imap('UID FETCH 1:* ENVELOPE');
	like($r, qr/ OK /, 'FETCH');
	/ENVELOPE \(NIL "(\d+)"/ and $seen->{$1}++ for @l;
}

my $alice = session('alice');
my $r;
for my $from (1, 101, 201) {
	($r) = $alice->imap('APPEND INBOX' . join('', map {
		my $m = "Subject: $_\r\n\r\n" . 'x' x 2000;
		sprintf " {%d+}\r\n%s", length $m, $m } $from .. $from + 99));
	like($r, qr/ OK /, 'mail') or BAIL_OUT($r);
}
($r) = $alice->imap('SETACL INBOX bob lrswite');
like($r, qr/ OK /, 'rights');
my ($lost, $killed) = (0, 0);
for my $i (1 .. $rounds) {
	my ($from, $to) = $i % 2 ? ($theirs, 'INBOX') : ('INBOX', $theirs);
	my $s = session('bob');
	$s->imap("SELECT $from");
	$s->put("m UID MOVE 1:* $to\r\n");
	sleep(0.004 * ($i % 16));
	kill 'KILL', $s->{pid};
	$killed++ if $s->finish == 9;
	$s = session('bob');
	my %seen;
	subjects($s, $_, \%seen) for $theirs, 'INBOX';
	$lost += grep { !$seen{$_} } 1 .. $n;
	# Only once each goes into the next round.
	for my $box ($theirs, 'INBOX') {
		last if keys %seen != $n;
		$s->imap("SELECT $box");
		my (undef, @l) = $s->imap('UID FETCH 1:* ENVELOPE');
		my @twice;
		for (@l) {
			my ($uid) = /UID (\d+)/;
			my ($k) = /ENVELOPE \(NIL "(\d+)"/;
			push @twice, $uid if $k && $seen{$k} > 1 && $seen{$k}--;
		}
		next unless @twice;
		$s->imap('UID STORE ' . join(',', @twice)
		    . ' +FLAGS.SILENT (\Deleted)');
		$s->imap('EXPUNGE');
	}
	$s->imap('LOGOUT');
	$s->finish;
}
is($lost, 0, "$rounds rounds, $killed killed: nothing is lost");
cmp_ok($killed, '>', 0, 'some were killed');
$alice->imap('LOGOUT');
$alice->finish;
for my $user (qw(alice bob)) {
	my ($rc, $out, $err) = $t->culver('check', $user);
	is($rc, 0, "$user is in order") or diag $err;
}
done_testing;
