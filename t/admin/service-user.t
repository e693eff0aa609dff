# t/admin/service-user.t - root runs the tool, and the store has another owner
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use File::Find;
use Test::More;

plan skip_all => 'not root' if $> != 0;
my @nobody = getpwnam 'nobody' or plan skip_all => 'no user nobody';

# A process that has changed its user can't be traced, which looking for leaks
# needs.
$ENV{ASAN_OPTIONS} = join ':', grep { length } $ENV{ASAN_OPTIONS} // '',
    'detect_leaks=0';
my $t = CulverTest->new(users => {},
	conf => qq(user = "nobody"\nhash = "\$5\$"\nhash-cost = 1000\n));
chown @nobody[2, 3], map { $t->path($_) } qw(mail run passwd);
my ($rc, $out, $err) = $t->culver(\"pw\n", qw(user add alice --password-stdin));
is($rc, 0, 'user add') or diag $err;

sub foreign {
	my ($dir) = @_;
	my @f;
	find({ no_chdir => 1, wanted => sub {
		push @f, $_ if (lstat)[4] != $nobody[2];
	} }, $t->path($dir));
	return \@f;
}
is_deeply(foreign('mail'), [], 'the mail is the service user\'s');
is((stat $t->path('passwd'))[4], $nobody[2], 'the password file too');

mkdir $t->path('roots'), 0700;
$t->spew('roots/mbox', "From a\@b Sun Nov 22 10:00:00 2026\nSubject: x\n\nx\n");
chmod 0600, $t->path('roots/mbox');
($rc, $out, $err) = $t->culver('import', 'alice', $t->path('roots/mbox'));
is($rc, 0, 'import of a file that only root may read') or diag $err;
for my $d (qw(cur new)) {
	mkdir $t->path($_), 0700 for 'roots/md', "roots/md/$d";
	$t->spew("roots/md/$d/1.a", "Subject: $d\n\n");
	chmod 0600, $t->path("roots/md/$d/1.a");
}
($rc, $out, $err) = $t->culver('import', 'alice', $t->path('roots'));
is($rc, 0, 'and of directories') or diag $err;
is($out, "3 imported\n", 'all of it');
is_deeply(foreign('mail'), [], 'the mail is the service user\'s still');

($rc, $out, $err) = $t->culver('export', 'alice', $t->path('roots/out'));
is($rc, 0, 'export to where only root may write') or diag $err;
is((stat $t->path('roots/out/cur'))[4], 0, 'is the caller\'s');
($rc, $out, $err) = $t->culver(\"new\n", qw(user passwd alice --password-stdin));
is($rc, 0, 'user passwd') or diag $err;
is((stat $t->path('passwd'))[4], $nobody[2], 'leaves the file its owner');
($rc, $out, $err) = $t->culver('check');
is($rc, 0, 'check') or diag $out, $err;
is_deeply(foreign('mail'), [], 'leaves nothing of root\'s');
mkdir $t->path('backups'), 0700;
($rc, $out, $err) = $t->culver('backup', $t->path('backups'));
is($rc, 111, 'backup to where only root may write');
like($err, qr/Permission denied/, 'says so');
chown @nobody[2, 3], $t->path('backups');
($rc, $out, $err) = $t->culver('backup', '--verify', $t->path('backups'));
is($rc, 0, 'backup') or diag $err;
is_deeply(foreign('backups'), [], 'is the service user\'s');
($rc, $out, $err) = $t->culver(qw(user del --yes alice));
is($rc, 0, 'user del') or diag $err;
ok(!-e $t->path('mail/alice'), 'all is gone');
($rc, $out, $err) = $t->culver('restore', $t->path('backups'), 'alice');
is($rc, 0, 'restore') or diag $err;
like($t->slurp('passwd'), qr/^alice:\$5\$/m, 'with the login');
is((stat $t->path('passwd'))[4], $nobody[2], 'the file keeps its owner');
is_deeply(foreign('mail'), [], 'and the mail is the service user\'s');
($rc, $out, $err) = $t->culver(qw(undelete --list alice));
is($rc, 0, 'undelete') or diag $err;
($rc, $out, $err) = $t->culver('check');
is($rc, 0, 'all is in order') or diag $out, $err;

done_testing;
