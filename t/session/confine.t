# t/session/confine.t - a session can't get at files beside its own
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use File::Temp qw(tempdir);
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret', bob => 'hidden' });

# Landlock's version; 444 is the call's number on every machine.
plan skip_all => 'this kernel has no Landlock' if syscall(444, 0, 0, 1) < 1;

my ($pop3, $imap);
sub start {
	$pop3 = $t->start('pop3d', 'pop3');
	$imap = $t->start('imapd', 'imap');
}
start();

sub pop3_login {
	my ($user, $pass) = @_;
	my $c = $t->connect($pop3);
	$c->get;
	$c->ask("USER $user");
	my $answer = $c->ask("PASS $pass");
	$c->close;
	return $answer;
}

sub imap_login {
	my ($user, $pass) = @_;
	my $c = $t->connect($imap);
	$c->get;
	my ($answer) = $c->imap("LOGIN $user $pass");
	$c->close;
	return $answer;
}

like(pop3_login('bob', 'hidden'), qr/\A\+OK /, 'bob has a store');

# Somebody put a symbolic link where it was, that leads elsewhere.
my $else = tempdir(CLEANUP => 1);
system('mv', $t->path('mail/bob'), "$else/bob") == 0 or die 'mv';
symlink("$else/bob", $t->path('mail/bob')) or die "symlink: $!";
like(pop3_login('bob', 'hidden'), qr/\A-ERR /,
    'pop3d does not follow a link out of mail-dir');
like(imap_login('bob', 'hidden'), qr/ NO /, 'nor does imapd');
like(pop3_login('alice', 'secret'), qr/\A\+OK /, 'the others are as before');

# The password file is replaced while a connection waits for its login.
{
	my $c = $t->connect($pop3);
	$c->get;
	my $text = $t->slurp('passwd');
	$t->spew('passwd.new', $text =~ s/^alice:/carol:/mr);
	chmod 0600, $t->path('passwd.new');
	rename($t->path('passwd.new'), $t->path('passwd')) or die "rename: $!";
	$c->ask('USER carol');
	like($c->ask('PASS secret'), qr/\A\+OK /, 'a new password file is seen');
	$t->spew('passwd', $text);
}

$t->stop;
$t->spew('culver.conf', $t->slurp('culver.conf') . "confine = false\n");
start();
like(pop3_login('bob', 'hidden'), qr/\A\+OK /, 'confine = false lets it');
done_testing();
