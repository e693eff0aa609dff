# t/e2e/clients.t - the programs that README names: curl, mbsync, mutt
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverServe;
use JSON::XS;
use Test::More;

my $missing = CulverServe::missing();
plan skip_all => $missing if $missing;
my $s = CulverServe->new(options => [qw(--users 1 --hash fast)]);
is($s->{code}, 0, 'scripts/serve') or BAIL_OUT($s->{out} . $s->logs);
my ($t, $d) = ($s->{target}, $s->{dir});

sub have { system("command -v $_[0] >/dev/null 2>&1") == 0 }

sub spew {
	my ($name, $text) = @_;
	open(my $fh, '>:raw', "$d/$name") or die "$name: $!";
	print $fh $text;
	close($fh) or die;
}

sub counts {
	open(my $fh, '-|', $t->{culver}, '-f', $t->{conf}, qw(mailbox list
		--json user1)) or die;
	local $/;
	return { map { $_->{path} => [ @$_{qw(total unread)} ] }
		@{ decode_json(scalar <$fh>) } };
}

# curl
my $curl = "curl -sf --max-time 10 --cacert $d/tls/cert.pem "
    . "-u user1:$s->{pw}";
my $imap = qx($curl 'imaps://127.0.0.1:$t->{imaps}/INBOX;UID=1');
like($imap, qr/^Subject: Welcome to Culver\r$/m, 'curl imaps');
is(qx($curl --ssl-reqd 'imap://127.0.0.1:$t->{imap}/INBOX;UID=1'), $imap,
	'curl imap with STARTTLS');
is(qx($curl 'pop3s://127.0.0.1:$t->{pop3s}/1'), $imap, 'curl pop3s');
is(qx($curl --ssl-reqd 'pop3://127.0.0.1:$t->{pop3}/1'), $imap,
	'curl pop3 with STLS');
like(qx($curl -L $t->{jmap}), qr/"username":\s*"user1"/, 'curl jmap');
isnt(system("$curl -u user1:wrong 'imaps://127.0.0.1:$t->{imaps}/' >/dev/null"),
	0, 'a wrong password');

# mbsync: down, a flag and a message up, a deletion down
SKIP: {
	skip 'no mbsync', 9 unless have('mbsync');
	mkdir "$d/mb";
	spew('mbsyncrc', <<"END");
IMAPStore far
Host localhost
Port $t->{imaps}
SSLType IMAPS
CertificateFile $d/tls/cert.pem
User user1
PassCmd "cat $d/password"

MaildirStore near
Path $d/mb/
Inbox $d/mb/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
END
	my $mbsync = "mbsync -q -c $d/mbsyncrc c >$d/mbsync.out 2>&1";
	is(system($mbsync), 0, 'mbsync') or diag $s->slurp('mbsync.out');
	my @files = glob("$d/mb/INBOX/*/*");
	is(scalar @files, 4, 'brings all');
	ok(-d "$d/mb/Sent/cur", 'and the folders');
	my ($welcome) = grep { my $m = $_; open(my $fh, '<', $m);
		local $/; <$fh> =~ /Subject: Welcome/ } @files;
	my $seen = $welcome =~ s{/new/}{/cur/}r . 'S';
	rename($welcome, $seen);
	spew('mb/INBOX/new/1.up.host', "Subject: from below\n\nup\n");
	mkdir "$d/mb/Neu";
	mkdir "$d/mb/Neu/$_" for qw(cur new tmp);
	spew('mb/Neu/cur/1.a:2,FS', "Subject: flagged\n\nx\n");
	is(system($mbsync), 0, 'again') or diag $s->slurp('mbsync.out');
	my $c = counts();
	is_deeply($c->{INBOX}, [ 5, 4 ], 'the flag and the message went up');
	is_deeply($c->{Neu}, [ 1, 0 ], 'so did a new folder');
	unlink $seen;
	rename("$d/mb/INBOX/new/1.up.host", "$d/mb/INBOX/cur/x:2,T")
	    if -e "$d/mb/INBOX/new/1.up.host";
	is(system($mbsync), 0, 'and again') or diag $s->slurp('mbsync.out');
	is(counts()->{INBOX}[0], 4, 'the deletion went up');
	is(system($mbsync), 0, 'and nothing more to do');
}

# mutt on a terminal: looks, reads, deletes
SKIP: {
	skip 'no mutt or script', 3 unless have('mutt') && have('script');
	spew('muttrc', <<"END");
set ssl_ca_certificates_file = $d/tls/cert.pem
set imap_pass = $s->{pw}
set folder = $d
set delete = yes
set sort = mailbox-order
unset mark_old help wait_key
push "<search>picture<enter><pipe-message>cat >$d/piped<enter><delete-message><quit>"
END
	my $before = counts()->{INBOX}[0];
	my $out = qx(env HOME=$d TERM=xterm timeout -k 5 60 script -qec "mutt -n \\
	    -F $d/muttrc -f imaps://user1\@127.0.0.1:$t->{imaps}/INBOX" \\
	    /dev/null </dev/null);
	like($out, qr/A picture and two bodies/, 'mutt lists');
	like($s->slurp('piped'), qr/green pixel is attached/, 'mutt reads');
	is(counts()->{INBOX}[0], $before - 1, 'mutt deletes');
}

$s->stop;
is_deeply([ $s->processes ], [], 'nothing is left');
done_testing;
