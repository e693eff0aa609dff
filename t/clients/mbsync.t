# t/clients/mbsync.t - mbsync by tunnel and by TLS, both ways, again and again
use strict;
use warnings;
use CulverClients;
use CulverTest;
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use Test::More;

plan skip_all => 'mbsync is not installed' unless installed('mbsync');
my $t = CulverTest->new(tls => 1);
my $imap = $t->start('imapd', 'imap');
my $imaps = $t->start('imapd', 'imaps');
my $dir = $t->path('client');
make_path("$dir/a", "$dir/b");

sub on_server { CulverClients::on_server($_[0], 'X-TUID') }
sub on_disk { CulverClients::on_disk($_[0], 'X-TUID') }

sub mbsync {
	my ($name, $how) = @_;
	$t->spew("mbsyncrc.$name", <<"END");
IMAPAccount server
$how

IMAPStore server
Account server

MaildirStore disk
Path $dir/$name/
Inbox $dir/$name/INBOX
SubFolders Verbatim

Channel all
Far :server:
Near :disk:
Patterns *
Create Both
Remove Both
Expunge Both
Sync All
SyncState *
END
	my $out = qx(HOME='$dir' mbsync -c '$t->{dir}/mbsyncrc.$name' -a 2>&1);
	is($?, 0, "mbsync $name") or diag($out);
}

my $made;

sub both_ways {
	my ($name, $how) = @_;
	my $c = look($t, $imap);
	mbsync($name, $how);
	my $server = on_server($c);
	is_deeply(on_disk("$dir/$name"), $server, "$name: all came down");

	# new on disk, a flag on disk, one deleted on disk, one on the server
	my @files = sort glob "$dir/$name/INBOX/{cur,new}/*";
	my $new = message(++$made);
	open(my $fh, '>:raw', "$dir/$name/INBOX/new/$made.$name.host") or die $!;
	print $fh $new =~ s/\r\n/\n/gr;
	close $fh;
	my ($base, $old) = $files[0] =~ m{/([^/:]+)(?::2,(\w*))?\z};
	my %letters = map { $_ => 1 } 'F', split //, $old // '';
	rename($files[0], "$dir/$name/INBOX/cur/$base:2,"
	    . join('', sort keys %letters)) or die "$files[0]: $!";
	unlink $files[1] or die $!;
	my ($ok) = $c->imap('SELECT Archive');
	like($ok, qr/ OK /, 'SELECT');
	$c->imap('UID STORE 1 +FLAGS.SILENT (\\Deleted)');
	$c->imap('EXPUNGE');
	$c->imap('STORE 1 +FLAGS.SILENT (\\Answered)');
	$c->imap('UNSELECT');
	mbsync($name, $how);
	$server = on_server($c);
	is_deeply(on_disk("$dir/$name"), $server,
		"$name: the same on both sides after changes of both");
	ok(exists $server->{INBOX}{sha256_hex($new)},
		"$name: the new message is on the server, octet for octet");
	mbsync($name, $how);
	is_deeply(on_server($c), $server, "$name: nothing more to do");
}

my $c = look($t, $imap);
$made = mailboxes($c, 12) + 100;
both_ways('a', 'Tunnel "' . $t->program('imapd') . ' -f '
    . $t->conf_file . ' -u alice"');
my $cert = $t->path('cert.pem');
both_ways('b', "Host localhost\nPort $imaps\nUser alice\n"
    . "Pass secret\nSSLType IMAPS\nCertificateFile $cert");
both_ways('a', 'Tunnel "' . $t->program('imapd') . ' -f '
    . $t->conf_file . ' -u alice"');
done_testing();
