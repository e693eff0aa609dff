# t/admin/sweep.t - culver sweep: upkeep of accounts that nobody opens
use strict;
use warnings;
use CulverTest;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret', bob => 'secret' },
	conf => "retention = 60s\njournal-retention = 0\n");
my $imap = $t->start('imapd', 'imap');

sub culver {
	my @cmd = ($t->program('culver'), '-f', $t->conf_file, @_);
	my $out = qx(@cmd 2>&1);
	return ($? >> 8, $out);
}

sub fill {
	my ($user, $n) = @_;
	my $c = $t->connect($imap);
	$c->imap_line;
	$c->imap("LOGIN $user secret");
	my $big = "Subject: x\r\n\r\n" . join('', map { chr(97 + int rand 26) }
	    1 .. 100000) . "\r\n";
	my $len = length $big;
	my $ok;
	for (1 .. $n) {
		substr($big, 20 + $_, 1) = '-';
		($ok) = $c->imap("APPEND INBOX (\\Deleted) {$len+}\r\n$big");
	}
	like($ok, qr/ OK /, "$user has mail");
	$c->imap('SELECT INBOX');
	($ok) = $c->imap('EXPUNGE');
	like($ok, qr/ OK /, "$user has none");
	$c->imap('LOGOUT');
}

fill($_, 5) for 'alice', 'bob';
my ($rc, $out) = culver('sweep');
is($rc, 0, 'sweep');
like($out, qr/^2 swept, \d+ octets given back$/m, 'all accounts');
(undef, $out) = culver('undelete', '--list', 'alice');
like($out, qr/^5 can be brought back$/m, 'nothing of what is kept is gone');
($rc, $out) = culver('sweep', '--all', '--quiet');
is($rc, 0, 'sweep --all');
is($out, '', 'and --quiet');
is(scalar(() = glob($t->path('mail/alice/base.*'))), 1, 'the journal is in a base');
ok(-s $t->path('mail/alice/journal') < 1000, 'and begins anew');
($rc, $out) = culver('check');
is($rc, 0, 'nothing is damaged');
($rc, $out) = culver('sweep', 'alice', 'nobody-here');
isnt($rc, 0, 'an account that is not there');
like($out, qr/nobody-here/, 'is named');
like($out, qr/^2 swept/m, 'and the other one is done');
done_testing;
