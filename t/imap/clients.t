# t/imap/clients.t - mbsync by tunnel and by TLS, mutt on a terminal
use strict;
use warnings;
use CulverTest;
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use Test::More;

sub installed {
	return scalar grep { -x "$_/$_[0]" } split /:/, $ENV{PATH};
}
plan skip_all => 'neither mbsync nor mutt is installed'
    unless installed('mbsync') || installed('mutt');

my $t = CulverTest->new(tls => 1);
my $imap = $t->start('imapd', 'imap');
my $imaps = $t->start('imapd', 'imaps');
my $dir = $t->path('client');
make_path("$dir/a", "$dir/b");

my %folder = (INBOX => 'INBOX', Archive => 'Archive',
	'Archive/2026' => 'Archive/2026', 'Entw&APw-rfe' => 'Entw&APw-rfe');

sub client {
	my $c = $t->connect($imap);
	$c->imap_line;
	my ($ok) = $c->imap('LOGIN alice secret');
	like($ok, qr/ OK /, 'a session to look with');
	return $c;
}

# Octets of all sorts, with CRLF.
sub message {
	my ($k) = @_;
	my $body = join '', map { "line $_ of $k\r\n" } 1 .. 1 + $k * $k % 97;
	$body .= "\xe4\xf6\xfc raw\r\n" if $k % 3 == 0;
	$body .= 'x' x (900 * $k) . "\r\n" if $k % 5 == 0;
	$body .= ".\r\n..\r\nFrom here\r\n";
	$body =~ s/\r\n\z// if $k % 7 == 0;
	return "From: a$k\@example.com\r\nSubject: message $k\r\n"
	    . "Message-ID: <m$k\@example.com>\r\n"
	    . "Date: Thu, 1 Jan 2026 00:00:0" . $k % 10 . " +0000\r\n\r\n$body";
}

# {folder}{hash of the message without mbsync's own field} = flags
sub on_server {
	my ($c) = @_;
	my %have;
	for my $f (sort keys %folder) {
		my ($ok) = $c->imap(qq(EXAMINE "$f"));
		next if $ok !~ / OK /;
		my (undef, @l) = $c->imap('UID FETCH 1:* (FLAGS BODY.PEEK[])');
		for (@l) {
			next unless /FLAGS \(([^)]*)\) BODY\[\] \{\d+\}\r\n(.*)\)\z/s;
			my ($flags, $text) = ($1, $2);
			$text =~ s/^X-TUID: \S+\r\n//m;
			$flags = join ' ', sort grep { $_ ne '\\Recent' }
			    split / /, $flags;
			$have{$f}{sha256_hex($text)} = $flags;
		}
	}
	return \%have;
}

sub on_disk {
	my ($root) = @_;
	my %have;
	my %letter = (S => '\\Seen', F => '\\Flagged', R => '\\Answered',
		D => '\\Draft', T => '\\Deleted');
	for my $f (sort keys %folder) {
		for my $path (glob "'$root/$folder{$f}'/{cur,new}/*") {
			open(my $fh, '<:raw', $path) or die "$path: $!";
			my $text = do { local $/; <$fh> };
			$text =~ s/^X-TUID: \S+\n//m;
			$text =~ s/\n/\r\n/g;
			my $flags = $path =~ /:2,(\w*)\z/ ? $1 : '';
			$have{$f}{sha256_hex($text)} = join ' ',
			    sort grep { defined } map { $letter{$_} }
			    split //, $flags;
		}
	}
	return \%have;
}

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

my $made = 100;

sub both_ways {
	my ($name, $how) = @_;
	my $c = client();
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

my $c = client();
my $k = 0;
for my $f (sort keys %folder) {
	$c->imap(qq(CREATE "$f")) unless $f eq 'INBOX';
	for (1 .. 12) {
		my $m = message(++$k);
		my $flags = join ' ', grep { $k % 4 == length($_) % 4 }
		    qw(\\Seen \\Flagged \\Answered);
		my ($ok) = $c->imap(qq(APPEND "$f" ($flags) {)
		    . length($m) . "+}\r\n$m");
		like($ok, qr/ OK /, "APPEND $k");
	}
}

SKIP: {
	skip 'mbsync is not installed', 1 unless installed('mbsync');
	both_ways('a', 'Tunnel "' . $t->program('imapd') . ' -f '
	    . $t->conf_file . ' -u alice"');
	my $cert = $t->path('cert.pem');
	both_ways('b', "Host localhost\nPort $imaps\nUser alice\n"
	    . "Pass secret\nSSLType IMAPS\nCertificateFile $cert");
	both_ways('a', 'Tunnel "' . $t->program('imapd') . ' -f '
	    . $t->conf_file . ' -u alice"');
}

SKIP: {
	skip 'mutt or script is not installed', 1
	    unless installed('mutt') && installed('script');
	$t->spew('muttrc', <<"END");
set folder=imap://alice:secret\@127.0.0.1:$imap/
set spoolfile=+INBOX ssl_starttls=no ssl_force_tls=no
set header_cache="" confirmappend=no confirmcreate=no delete=yes quit=yes
set move=no mark_old=no wait_key=no copy=no
set imap_check_subscribed=no sort=mailbox-order
END
	my ($ok) = $c->imap('STATUS INBOX (MESSAGES)');
	my ($was) = ($c->imap('STATUS INBOX (MESSAGES)'))[1] =~ /(\d+)\)/;
	my $keys = join '', '<first-entry>', '<delete-message>',
	    '<last-entry>', '<flag-message>',
	    '<copy-message>', '=ByMutt<enter>', '<sync-mailbox>',
	    '<display-message>', '<exit>', '<quit>';
	my $cmd = "HOME='$dir' TERM=vt100 mutt -n -F '$t->{dir}/muttrc' "
	    . "-e 'push $keys'";
	my $out = qx(timeout -k 5 30 script -qec "$cmd" /dev/null </dev/null 2>&1);
	is($? >> 8, 0, 'mutt ends in order') or diag($out);
	my (undef, $l) = $c->imap('STATUS INBOX (MESSAGES)');
	is(($l =~ /(\d+)\)/)[0], $was - 1, 'mutt deleted a message');
	(undef, $l) = $c->imap('STATUS ByMutt (MESSAGES)');
	is($l, '* STATUS ByMutt (MESSAGES 1)', 'mutt copied one');
	$c->imap('EXAMINE INBOX');
	(undef, $l) = $c->imap('SEARCH FLAGGED ' . ($was - 1));
	is($l, '* SEARCH ' . ($was - 1), 'mutt flagged the last');
}
done_testing();
