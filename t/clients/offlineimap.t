# t/clients/offlineimap.t - offlineimap, both ways; the second time nothing moves
use strict;
use warnings;
use CulverClients;
use CulverTest;
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use Test::More;

plan skip_all => 'offlineimap is not installed'
    unless installed('offlineimap');
my $t = CulverTest->new(tls => 1);
my $imap = $t->start('imapd', 'imap');
my $imaps = $t->start('imapd', 'imaps');
my $dir = $t->path('client');
make_path("$dir/mail");
my $cert = $t->path('cert.pem');
$t->spew('offlineimaprc', <<"END");
[general]
accounts = a
metadata = $dir/metadata
ui = quiet
[Account a]
localrepository = disk
remoterepository = server
[Repository disk]
type = Maildir
localfolders = $dir/mail
sep = /
[Repository server]
type = IMAP
remotehost = localhost
remoteport = $imaps
remoteuser = alice
remotepass = secret
ssl = yes
sslcacertfile = $cert
END

sub sync {
	my ($what) = @_;
	return run_client($what, "env HOME='$dir' offlineimap -c '$t->{dir}/"
	    . "offlineimaprc' -o -1 -u basic");
}
sub same {
	my ($c, $what) = @_;
	my $server = CulverClients::on_server($c, 'X-OfflineIMAP');
	is_deeply(CulverClients::on_disk("$dir/mail", 'X-OfflineIMAP'),
		$server, $what);
	return $server;
}

my $c = look($t, $imap);
mailboxes($c, 6);
sync('the first time');
same($c, 'all came down');

# new on disk, flagged on disk, deleted on disk and on the server
my @files = sort glob "$dir/mail/INBOX/{cur,new}/*";
my $new = message(101);
open(my $fh, '>:raw', "$dir/mail/INBOX/new/101.new.host") or die $!;
print $fh $new =~ s/\r\n/\n/gr;
close $fh;
my ($base, $old) = $files[0] =~ m{/([^/:]+)(?::2,(\w*))?\z};
my %letters = map { $_ => 1 } 'F', split //, $old // '';
rename($files[0], "$dir/mail/INBOX/cur/$base:2,"
    . join('', sort keys %letters)) or die "$files[0]: $!";
unlink $files[1] or die $!;
$c->imap('SELECT Archive');
$c->imap('UID STORE 1 +FLAGS.SILENT (\\Deleted)');
$c->imap('EXPUNGE');
$c->imap('STORE 1 +FLAGS.SILENT (\\Answered)');
$c->imap('UNSELECT');
sync('after changes of both');
my $server = same($c, 'the same on both sides');
ok(exists $server->{INBOX}{sha256_hex($new)},
	'the new message is on the server, octet for octet');
my $out = sync('again');
unlike($out, qr/^ *(?:Copy|Delet|Add)/m, 'nothing moves');
is_deeply(same($c, 'still the same'), $server, 'and on the server');
done_testing();
