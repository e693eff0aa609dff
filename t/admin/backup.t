# t/admin/backup.t - culver backup and restore, with daemons running
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use File::Path qw(make_path remove_tree);
use JSON::XS;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

my $t = CulverTest->new(users => { alice => 'secret', bob => 'secret' },
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\n));
my $repo = $t->path('backups');
my ($rc, $out, $err) = $t->culver(qw(user add --no-password carol));
is($rc, 0, 'an account') or diag $err;
my $imap = $t->start('imapd', 'imap');

sub client {
	my ($user) = @_;
	my $c = $t->connect($imap);
	$c->get;
	my ($r) = $c->imap("LOGIN $user secret");
	like($r, qr/ OK/, "$user is in") or BAIL_OUT("login: $r");
	return $c;
}

sub append {
	my ($c, $subject, $flags, $box) = @_;
	my $m = "From: a\@example.org\r\nTo: b\@example.org\r\n"
	    . "Subject: $subject\r\nMessage-ID: <$subject\@x>\r\n\r\n"
	    . "text of $subject\r\n";
	my $n = length $m;
	my ($r) = $c->imap(sprintf('APPEND %s (%s) {%d+}', $box || 'INBOX',
		$flags || '', $n) . "\r\n$m");
	like($r, qr/ OK/, "APPEND $subject");
}

# uid => [subject, flags, modseq, emailid]
sub content {
	my ($c, $box) = @_;
	my ($r, @l) = $c->imap('SELECT ' . ($box || 'INBOX') . ' (CONDSTORE)');
	like($r, qr/ OK/, 'SELECT') or diag $r;
	my %s;
	for (@l) {
		$s{$1} = $2 if /\[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)/;
	}
	my %m;
	($r, @l) = $c->imap('UID FETCH 1:* (FLAGS MODSEQ EMAILID '
	    . 'BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
	like($r, qr/ OK/, 'FETCH') or diag $r;
	for (@l) {
		my ($uid) = /UID (\d+)/ or next;
		my ($subject) = /Subject: (\S+)/;
		my ($flags) = /FLAGS \(([^)]*)\)/;
		my ($modseq) = /MODSEQ \((\d+)\)/;
		my ($id) = /EMAILID \(([^)]*)\)/;
		$m{$uid} = [ $subject,
			join(' ', sort grep { $_ ne '\\Recent' }
			    split / /, $flags), $modseq, $id ];
	}
	return (\%s, \%m);
}

sub now { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time)) }

# Whole seconds, before and behind which nothing happens.
sub moment {
	my $next = int(time) + 1;
	sleep($next + 0.05 - time);
	my $at = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($next));
	return $at;
}

my $c = client('alice');
append($c, $_) for qw(one two three);
client('bob');
($rc, $out, $err) = $t->culver('backup', $repo);
is($rc, 0, 'backup of all') or diag $err;
like($out, qr/^alice: \d+ octets, full$/m, 'alice');
like($out, qr/^bob: \d+ octets, full$/m, 'bob, too');
like($out, qr/^carol: \d+ octets, full$/m, 'and carol');
my ($s1, $m1) = content($c);
my $at = moment();
$c->imap('UID STORE 2 +FLAGS (\\Flagged)');
append($c, 'four');
$c->imap('UID STORE 1 +FLAGS (\\Deleted)');
$c->imap('EXPUNGE');
my ($s2, $m2) = content($c);
($rc, $out, $err) = $t->culver('backup', '--verify', '--json', $repo, 'alice');
is($rc, 0, 'an incremental one, verified') or diag $err;
my $j = eval { decode_json($out) };
ok($j && @$j == 1 && $j->[0]{ok} && !$j->[0]{full} && $j->[0]{octets} < 20000,
	'--json') or diag $out;
($rc, $out, $err) = $t->culver('backup', $repo, 'alice');
like($out, qr/^alice: 0 octets$/m, 'nothing new');

($rc, $out, $err) = $t->culver('restore', '--list', $repo, 'alice');
is($rc, 0, '--list') or diag $err;
like($out, qr/^any time since the account was made, last change /m,
	'any time');
is(() = $out =~ /backup of/g, 2, 'and the backups');

# a copy of a moment, under another name
($rc, $out, $err) = $t->culver('restore', '--at', $at, '--as', 'bobcopy',
	$repo, 'alice');
is($rc, 0, 'restore --at --as') or diag $err;
$t->spew('passwd', $t->slurp('passwd') =~ s/^(alice):(.*)$/$1:$2\nbobcopy:$2/mr);
my ($s, $m) = content(client('bobcopy'));
is_deeply($m, $m1, 'UIDs, modseqs, ids and flags are those of that moment');
is($s->{UIDVALIDITY}, $s1->{UIDVALIDITY}, 'UIDVALIDITY');
is($s->{UIDNEXT}, $s1->{UIDNEXT}, 'UIDNEXT');
($rc, $out, $err) = $t->culver('check', 'bobcopy');
is($rc, 0, 'the copy is sound') or diag $out, $err;
($rc, $out, $err) = $t->culver('restore', '--as', 'bobcopy', $repo, 'alice');
is($rc, 100, 'no copy over an account');

# the same in the account's place, while a client is in
($rc, $out, $err) = $t->culver('restore', '--at', $at, $repo, 'alice');
is($rc, 100, 'not without --replace');
like($err, qr/--replace/, 'it says so');
my $idle = client('alice');
$idle->imap('SELECT INBOX');
($rc, $out, $err) = $t->culver('restore', '--at', $at, '--replace', $repo,
	'alice');
is($rc, 0, 'restore --replace') or diag $err;
my ($r) = $idle->imap('UID STORE 3 +FLAGS (\\Seen)');
ok(!defined $r || $r !~ / OK/, 'the old session can change nothing')
    or diag $r;
$c->imap('NOOP');
my $new = client('alice');
my ($s3, $m3) = content($new);
is($s3->{UIDVALIDITY}, $s1->{UIDVALIDITY}, 'UIDVALIDITY stays');
cmp_ok($s3->{UIDNEXT}, '>=', $s2->{UIDNEXT}, 'no UID is given out again');
cmp_ok($s3->{HIGHESTMODSEQ}, '>', $s2->{HIGHESTMODSEQ},
	'nor a modseq');
is_deeply([ map { [ @{ $m3->{$_} }[0, 1, 3] ] } sort keys %$m3 ],
	[ map { [ @{ $m1->{$_} }[0, 1, 3] ] } sort keys %$m1 ],
	'what is there is of that moment');
is($m3->{3}[2], $m1->{3}[2], 'what did not change keeps its modseq');
cmp_ok($m3->{2}[2], '>', $s2->{HIGHESTMODSEQ},
	'what differs from what clients saw has a new one');
# as a client with the later state
$r = client('alice');
$r->imap('ENABLE QRESYNC');
my ($ok, @l) = $r->imap("SELECT INBOX (QRESYNC ($s2->{UIDVALIDITY} "
    . "$s2->{HIGHESTMODSEQ} 1:100))");
like($ok, qr/ OK/, 'QRESYNC with the later state');
my $all = join "\n", @l;
like($all, qr/VANISHED \(EARLIER\) [\d:,]*\b4/, 'what came later is gone');
like($all, qr/FETCH \(.*UID 1\b/, 'what is back is told');
like($all, qr/FETCH \(.*UID 2\b/, 'what differs is told');
append($new, 'five');
my (undef, $m4) = content($new);
my ($uid) = grep { $m4->{$_}[0] eq 'five' } keys %$m4;
cmp_ok($uid, '>=', $s2->{UIDNEXT}, 'a new UID');
cmp_ok($m4->{$uid}[2], '>', $s3->{HIGHESTMODSEQ}, 'a new modseq');
ok(!grep({ $_->[3] eq $m4->{$uid}[3] } values %$m2), 'a new id');
($rc, $out, $err) = $t->culver('check');
is($rc, 0, 'all accounts are sound') or diag $out, $err;
is(() = glob($t->path('mail/.[a-z]*-*')), 0, 'nothing is left beside');
# It is another history: the next backup begins anew, beside the old one.
($rc, $out, $err) = $t->culver('backup', '--verify', $repo, 'alice');
is($rc, 0, 'backup of what was restored') or diag $err;
like($out, qr/full, verified/, 'in full');
($rc, $out, $err) = $t->culver('restore', '--at', $at, '--as', 'again',
	$repo, 'alice');
is($rc, 0, 'the old one is still good') or diag $err;

# an account that is lost, with its login
my ($sb) = content($new);
$new->imap('LOGOUT');
($rc) = $t->culver(qw(user del --yes alice));
is($rc, 0, 'an account is deleted');
unlike($t->slurp('passwd'), qr/^alice:/m, 'and its login');
($rc, $out, $err) = $t->culver('restore', $repo, 'alice');
is($rc, 0, 'it comes back') or diag $err;
like($out, qr/its login is back/, 'with its login');
my ($sl, $ml) = content(client('alice'));
is_deeply([ map { [ @{ $ml->{$_} }[0, 1, 3] ] } sort keys %$ml ],
	[ map { [ @{ $m4->{$_} }[0, 1, 3] ] } sort keys %$m4 ], 'as it was');
is($sl->{UIDVALIDITY}, $sb->{UIDVALIDITY}, 'with its UIDVALIDITY');
cmp_ok($sl->{HIGHESTMODSEQ}, '>', $sb->{HIGHESTMODSEQ}, 'behind all numbers');
($rc, $out, $err) = $t->culver('check', 'alice');
is($rc, 0, 'sound') or diag $out, $err;

# lost, and wanted as it was before: behind what its newest backup knows
($rc) = $t->culver('backup', $repo, 'alice');
is($rc, 0, 'backup again');
($rc) = $t->culver(qw(user del --yes alice));
($rc, $out, $err) = $t->culver('restore', '--at', $at, $repo, 'alice');
is($rc, 0, 'a moment of an account that is lost') or diag $err;
my ($so, $mo) = content(client('alice'));
is_deeply([ map { [ @{ $mo->{$_} }[0, 1, 3] ] } sort keys %$mo ],
	[ map { [ @{ $m1->{$_} }[0, 1, 3] ] } sort keys %$m1 ], 'is what it was');
cmp_ok($so->{UIDNEXT}, '>', $sl->{UIDNEXT}, 'but for numbers to come');
cmp_ok($so->{HIGHESTMODSEQ}, '>', $sl->{HIGHESTMODSEQ}, 'and modseqs');
is(() = grep({ $_->[2] <= $sl->{HIGHESTMODSEQ} } values %$mo), 0,
	'all messages are to be looked at');
is(() = glob($t->path('mail/.[a-z]*-*')), 0, 'nothing is left beside');

# an account that was repaired: its history before is another one
$c = client('bob');
append($c, 'before');
my $sound = moment();
append($c, 'after');
$c->imap('LOGOUT');
($rc, $out, $err) = $t->culver('backup', $repo, 'bob');
is($rc, 0, 'backup of bob') or diag $err;
my ($bp) = glob($t->path('mail/bob/journal'));
open(my $jh, '+<:raw', $bp) or die;
seek($jh, 20, 0);
print $jh 'damaged';
close($jh);
($rc, $out, $err) = $t->culver('backup', $repo, 'bob');
isnt($rc, 0, 'a damaged account is not backed up');
($rc, $out, $err) = $t->culver('check', '--repair', 'bob');
($rc, $out, $err) = $t->culver('check', 'bob');
is($rc, 0, 'repaired') or diag $out, $err;
($rc, $out, $err) = $t->culver('backup', '--verify', $repo, 'bob');
is($rc, 0, 'and backed up') or diag $err;
like($out, qr/full/, 'anew');
($rc, $out, $err) = $t->culver('restore', '--at', $sound, '--as', 'bobold',
	$repo, 'bob');
is($rc, 0, 'a moment before the damage') or diag $err;
$t->spew('passwd', $t->slurp('passwd') =~ s/^(bob):(.*)$/$1:$2\nbobold:$2/mr);
(undef, $m) = content(client('bobold'));
is_deeply([ map { $_->[0] } values %$m ], [ 'before' ], 'as it was');

# what can't be done
($rc, $out, $err) = $t->culver('restore', '--as', 'x', '--at',
	'2001-01-01T00:00', $repo, 'bob');
is($rc, 100, 'before there was anything');
($rc, $out, $err) = $t->culver('restore', '--at', 'noon', $repo, 'bob');
is($rc, 100, 'no time');
($rc, $out, $err) = $t->culver('restore', '--as', 'x', $repo, 'nobody');
is($rc, 100, 'no backup');
($rc, $out, $err) = $t->culver('restore', '--as', '../x', $repo, 'bob');
is($rc, 100, 'no name');
my ($pack) = glob("$repo/alice/1/pack.1");
open(my $fh, '+<:raw', $pack) or die;
seek($fh, 1000, 0);
print $fh 'x';
close($fh);
($rc, $out, $err) = $t->culver('backup', '--only-verify', $repo);
is($rc, 100, 'damage is found');
like($err, qr{alice.*1/pack\.1: damaged}, 'and told');
like($out, qr/^bob: ok$/m, 'the others are sound');
($rc, $out, $err) = $t->culver('restore', '--at', $at, '--as', 'never',
	$repo, 'alice');
is($rc, 100, 'and nothing of it is restored');
ok(!-e $t->path('mail/never'), 'at all');
($rc, $out, $err) = $t->culver('backup', '--full', '--keep', 30, $repo);
is($rc, 0, '--full --keep') or diag $err;
like($out, qr/^alice: \d+ octets, full$/m, 'anew');
is(() = glob($t->path('mail/.[a-z]*-*')), 0, 'nothing is left beside');
done_testing();
