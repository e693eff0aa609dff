# t/lib/CulverClients.pm - what the tests with real clients share
package CulverClients;
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use Test::More;

our @EXPORT = qw(installed message look mailboxes run_client node);

# Folders with names of all sorts, by their names on disk.
our %folder = (INBOX => 'INBOX', Archive => 'Archive',
	'Archive/2026' => 'Archive/2026', 'Entw&APw-rfe' => 'Entw&APw-rfe');

sub installed {
	return scalar grep { -x "$_/$_[0]" } split /:/, $ENV{PATH};
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

# A session of our own, to look with.
sub look {
	my ($t, $imap) = @_;
	my $c = $t->connect($imap);
	$c->imap_line;
	my ($ok) = $c->imap('LOGIN alice secret');
	like($ok, qr/ OK /, 'a session to look with');
	return $c;
}

# The folders, with n messages each.  How many messages there are.
sub mailboxes {
	my ($c, $n) = @_;
	my $k = 0;
	for my $f (sort keys %folder) {
		$c->imap(qq(CREATE "$f")) unless $f eq 'INBOX';
		$c->imap(qq(SUBSCRIBE "$f"));
		for (1 .. $n) {
			my $m = message(++$k);
			my $flags = join ' ', grep { $k % 4 == length($_) % 4 }
			    qw(\\Seen \\Flagged \\Answered);
			my ($ok) = $c->imap(qq(APPEND "$f" ($flags) {)
			    . length($m) . "+}\r\n$m");
			like($ok, qr/ OK /, "APPEND $k");
		}
	}
	return $k;
}

# {folder}{hash of the message without the client's own field} = flags
sub on_server {
	my ($c, $own) = @_;
	my %have;
	for my $f (sort keys %folder) {
		my ($ok) = $c->imap(qq(EXAMINE "$f"));
		next if $ok !~ / OK /;
		my (undef, @l) = $c->imap('UID FETCH 1:* (FLAGS BODY.PEEK[])');
		for (@l) {
			next unless /FLAGS \(([^)]*)\) BODY\[\] \{\d+\}\r\n(.*)\)\z/s;
			my ($flags, $text) = ($1, $2);
			$text =~ s/^$own: \S+\r\n//m;
			$flags = join ' ', sort grep { $_ ne '\\Recent' }
			    split / /, $flags;
			$have{$f}{sha256_hex($text)} = $flags;
		}
	}
	return \%have;
}

# The same of Maildir folders.
sub on_disk {
	my ($root, $own) = @_;
	my %have;
	my %letter = (S => '\\Seen', F => '\\Flagged', R => '\\Answered',
		D => '\\Draft', T => '\\Deleted');
	for my $f (sort keys %folder) {
		for my $path (glob "'$root/$folder{$f}'/{cur,new}/*") {
			open(my $fh, '<:raw', $path) or die "$path: $!";
			my $text = do { local $/; <$fh> };
			$text =~ s/^$own: \S+\r?\n//m;
			$text =~ s/\r?\n/\r\n/g;
			my $flags = $path =~ /:2,(\w*)\z/ ? $1 : '';
			$have{$f}{sha256_hex($text)} = join ' ',
			    sort grep { defined } map { $letter{$_} }
			    split //, $flags;
		}
	}
	return \%have;
}

# Runs a command of the shell, at most half a minute: what it said.
sub run_client {
	my ($what, $cmd) = @_;
	my $out = qx(timeout -k 5 30 $cmd 2>&1 </dev/null);
	is($? >> 8, 0, $what) or diag($out);
	return $out;
}

# Where the packages of npm are that scripts/setup --clients installs, if
# that one is there and node is.
sub node {
	my ($package) = @_;
	my $dir = $ENV{CULVER_CLIENTS} || "$ENV{srcdir}/build/clients";
	return installed('node') && -d "$dir/node_modules/$package" ? $dir
	    : undef;
}

1;
