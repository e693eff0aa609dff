# t/admin/import.t - culver import: mbox, Maildir, .eml, and hostile ones
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use File::Path qw(make_path);
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => {},
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\nmax-message = 1M\n));
my ($rc, $out, $err);
my $user = 0;

# An account of its own for each part.
sub fresh {
	my $name = 'u' . ++$user;
	my ($r, undef, $e) = $t->culver(qw(user add --no-password), $name);
	$r == 0 or BAIL_OUT("user add: $e");
	return $name;
}

sub bring {
	my ($to, @args) = @_;
	($rc, $out, $err) = $t->culver("import", $to, @args);
	return $rc;
}

# What is in the account: path => [[octets, flags, mtime], ...] by the export.
sub content {
	my ($acct) = @_;
	my $dir = $t->path("export-$acct-" . ++$user);
	my ($r, undef, $e) = $t->culver('export', $acct, $dir);
	is($r, 0, "export of $acct") or diag $e;
	my %box;
	for my $d ($dir, sort grep { -d "$_/cur" } glob("$dir/.[A-Za-z&]*")) {
		my $name = $d eq $dir ? 'INBOX' : substr($d, length($dir) + 2);
		my %kw;
		if (open(my $k, '<', "$d/dovecot-keywords")) {
			while (<$k>) {
				my ($i, $w) = /^(\d+) (.*)$/;
				$kw{chr(97 + $i)} = $w;
			}
		}
		for my $f (sort glob("$d/cur/*")) {
			open(my $fh, '<:raw', $f) or die;
			local $/;
			my ($info) = $f =~ /:2,(.*)$/;
			push @{ $box{$name} }, [ scalar <$fh>,
				join(' ', sort map { $kw{$_} // $_ } split //, $info),
				(stat $f)[9] ];
		}
	}
	return \%box;
}

my $from = "From a\@b Sun Nov 22 10:00:00 2026\n";
my $when = 1795341600;
my $msg = "Subject: one\nFrom: a\@example.org\n\nHello\n";

# mbox
my $acct = fresh();
$t->spew('m1', "$from$msg\n${from}Subject: two\nStatus: RO\nX-Status: F\n"
	. "X-Keywords: work Later\n\n>From here\n>>From there\n\n"
	. "From a line that is no separator\n");
is(bring($acct, $t->path('m1')), 0, 'mbox') or diag $err;
is($out, "2 imported\n", 'says how many');
my $c = content($acct);
is_deeply($c, { INBOX => [ [ $msg, '', $when ],
	[ "Subject: two\nStatus: RO\nX-Status: F\nX-Keywords: work Later\n\n"
	    . "From here\n>From there\n\nFrom a line that is no separator\n",
	    'F Later S work', $when ] ] }, 'comes whole, with flags and date')
    or diag explain $c;

# once more, and again after an interruption
is(bring($acct, '--skip-duplicates', $t->path('m1')), 0, 'again');
is($out, "0 imported, 2 there already\n", 'nothing new');
$t->spew('m2', $t->slurp('m1') . "\n${from}Subject: three\n\n3\n\n"
	. "${from}Subject: three\n\n3\n");
is(bring($acct, '--skip-duplicates', $t->path('m2')), 0, 'the rest');
is($out, "1 imported, 3 there already\n", 'is added, once');
is(bring($acct, $t->path('m1')), 0, 'without the option');
is($out, "2 imported\n", 'all come again');

# formats by hand
$acct = fresh();
$t->spew('m3', "${from}Subject: x\nContent-Length: 8\n\n>From x\n\n$from"
	. "Subject: y\n\n>>From y\n");
bring($acct, '--mailbox', 'auto', $t->path('m3'));
bring($acct, '--mailbox', 'cl', '--mbox-format', 'mboxcl', $t->path('m3'));
bring($acct, '--mailbox', 'o', '--mbox-format', 'mboxo', $t->path('m3'));
is(bring($acct, '--mbox-format', 'frob', $t->path('m3')), 100, 'no format');
$c = content($acct);
my %body = map { $_ => [ map { (split /\n\n/, $_->[0], 2)[1] } @{ $c->{$_} } ] }
    keys %$c;
is_deeply(\%body, { auto => [ ">From x\n", ">From y\n" ],
	cl => [ "From x\n", ">From y\n" ], o => [ "From x\n", ">>From y\n" ] },
	'Content-Length and the ways of quoting') or diag explain \%body;

# single messages: date from Received, Date, or the file
$acct = fresh();
make_path($t->path('eml/sub/deep'));
$t->spew('eml/1.eml', "Received: from x by y;\r\n\tSun, 22 Nov 2026 11:00:00"
	. " +0100\r\nReceived: from z; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
	. "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nx\r\n");
$t->spew('eml/2.eml', "Date: Fri, 20 Nov 2026 10:00:00 +0000\n\nx");
$t->spew('eml/3.eml', "Subject: neither\n\nx\n");
utime 1000000000, 1000000000, $t->path('eml/3.eml');
$t->spew('eml/sub/4.eml', "Date: nonsense\nSubject: below\n\nx\n");
utime 1000000001, 1000000001, $t->path('eml/sub/4.eml');
$t->spew('eml/sub/deep/box.mbox', $from . $msg);
$t->spew('eml/notes.txt', "not mail\n");
is(bring($acct, $t->path('eml')), 0, 'a directory') or diag $err;
like($err, qr/notes\.txt: neither/, 'what is no mail is told');
$c = content($acct);
is_deeply([ map { $_->[2] } @{ $c->{INBOX} } ],
	[ $when, $when - 2 * 86400, 1000000000 ], 'dates');
is($c->{INBOX}[1][0], "Date: Fri, 20 Nov 2026 10:00:00 +0000\n\nx",
	'without a line end at its end');
is($c->{sub}[0][2], 1000000001, 'a folder below');
is($c->{'sub.deep.box'}[0][0], $msg, 'an mbox below that');
$acct = fresh();
is(bring($acct, '--seen', '--mailbox', 'Old/In', $t->path('eml/3.eml'),
	$t->path('eml')), 0, '--mailbox, --seen');
$c = content($acct);
is(scalar @{ $c->{'Old.In'} }, 4, 'all in there');
is($c->{'Old.In.sub'}[0][1], 'S', 'and below, as read');

# Maildir
sub maildir {
	my ($dir, %files) = @_;
	make_path(map { $t->path("$dir/$_") } qw(cur new tmp));
	for my $f (keys %files) {
		$t->spew("$dir/$f", $files{$f});
		utime 1200000000, 1200000000, $t->path("$dir/$f");
	}
}
$acct = fresh();
maildir('md',
	'cur/1000000002.a.host:2,RS' => "Subject: b\n\nb\n",
	'cur/999999999.z.host:2,FPTabz' => "Subject: a\n\na\n",
	'cur/1000000003.c.host' => "Subject: c\r\n\r\nc\r\n",
	'new/1000000000.n.host' => "Subject: new\n\nn\n",
	'tmp/1000000000.t.host' => "Subject: never\n\n",
	'dovecot-keywords' => "0 Work\n1 \$Junk\n30 x\nz\n3\n",
	'dovecot-uidlist' => "3 V1 N5\n");
maildir('md/.Sent', 'cur/1.a:2,S' => "Subject: sent\n\n");
maildir('md/.Work.M&APw-nchen', 'cur/1.a:2,D' => "Subject: m\n\n");
maildir('md/.&', 'cur/1.a:2,' => "Subject: amp\n\n");
maildir('md/.b&AC8-d', 'cur/1.a:2,' => "Subject: slash\n\n");
make_path($t->path('md/.nothing'));
is(bring($acct, $t->path('md')), 100, 'Maildir with one bad name') or diag $err;
like($err, qr/&AC8-d: its name can't/, 'which is told');
$c = content($acct);
is_deeply([ map { [ @$_[0, 1] ] } @{ $c->{INBOX} } ],
	[ [ "Subject: a\n\na\n", '$Junk F P T Work' ], [ "Subject: b\n\nb\n", 'R S' ],
	[ "Subject: c\n\nc\n", '' ], [ "Subject: new\n\nn\n", '' ] ],
	'messages in order, with flags and keywords')
    or diag explain $c->{INBOX};
is($c->{INBOX}[0][2], 1200000000, 'time of the file');
is($c->{Sent}[0][1], 'S', 'a folder');
is($c->{'Work.M&APw-nchen'}[0][1], 'D', 'a folder of a folder');
is(scalar @{ $c->{'&-'} }, 1, 'a folder that isn\'t modified UTF-7');
($rc, $out) = $t->culver(qw(mailbox list --json), $acct);
my %box = map { $_->{path} => $_ } @{ decode_json($out) };
is($box{"Work/M\x{fc}nchen"}{total}, 1, 'the name is decoded');
ok($box{Sent}{subscribed}, 'new mailboxes are subscribed');

# hostile
$acct = fresh();
$t->spew('big', $from . "Subject: big\n\n" . "x" x 2_000_000 . "\n\n$from$msg");
is(bring($acct, $t->path('big')), 100, 'too big a message');
like($err, qr/octet 0: /, 'is told');
is($out, "1 imported, 1 failed\n", 'and the others come');
$t->spew('empty', '');
is(bring($acct, $t->path('empty')), 100, 'an empty file');
$t->spew('hollow', "$from\n" x 3);
is(bring($acct, $t->path('hollow')), 100, 'an empty message');
$t->spew('bin', join '', map { chr(($_ * 7919) % 251) } 1 .. 100_000);
is(bring($acct, $t->path('bin')), 0, 'octets without sense are one message');
$t->spew('nul', "${from}Sub\0ject: x\n\n\0\0\xff\n\n$from\n\nx\n");
is(bring($acct, $t->path('nul')), 0, 'NULs') or diag $err;
is($out, "2 imported\n", 'two');
$t->spew('cr', "Subject: x\r\rbare\rCR\r\n\n");
is(bring($acct, $t->path('cr')), 0, 'bare CRs');
symlink($t->path('loop'), $t->path('loop'));
is(bring($acct, $t->path('loop')), 100, 'a loop');
make_path($t->path('deep/a'));
symlink('..', $t->path("deep/a/$_")) for 1 .. 3;
is(bring($acct, $t->path('deep')), 100, 'links that lead back');
like($err, qr/link to a directory/, 'are told');
system('mkfifo', $t->path('fifo'));
is(bring($acct, $t->path('fifo')), 100, 'a FIFO doesn\'t hang');
is(bring($acct, $t->path('nowhere')), 100, 'what isn\'t there');
is(bring('nobody', $t->path('m1')), 100, 'an account that isn\'t there');
is(bring('../x', $t->path('m1')), 100, 'no account\'s name');
is(bring($acct, '--mailbox', "a\nb", $t->path('m1')), 100, 'no mailbox\'s name');
make_path($t->path('evil'));
$t->spew("evil/\e]0;x\a.eml", '');
is(bring($acct, $t->path('evil')), 100, 'a name with control characters');
unlike($err, qr/[\e\a]/, 'does nothing to the terminal');
($rc, $out, $err) = $t->culver('check', $acct);
is($rc, 0, 'and the account is sound') or diag $out;

# the terminal's bar doesn't get into files
unlike($err . $out, qr/[\r]|%/, 'no progress bar without a terminal');

# many
$acct = fresh();
$t->spew('many', join '', map { "${from}Subject: $_\n\n$_\n\n" } 1 .. 2000);
is(bring($acct, $t->path('many')), 0, 'many');
is($out, "2000 imported\n", 'all of them');
$c = content($acct);
is_deeply([ map { /Subject: (\d+)/ } map { $_->[0] } @{ $c->{INBOX} } ],
	[ 1 .. 2000 ], 'in their order');


# ---- a Maildir's UIDs, as Dovecot keeps them
{
	my $u = CulverTest->new(users => {});
	$u->culver('user', 'add', '--no-password', $_) for qw(kept new);
	for my $d ('md', 'md/.Work') {
		mkdir $u->path($_), 0700 for $d, map { "$d/$_" } qw(cur new tmp);
	}
	my $put = sub { $u->spew("md/$_[0]", "Subject: $_[1]\n\nx\n") };
	$put->('cur/1.a.host:2,S', 'nine');
	$put->('cur/2.b.host,S=20,W=22:2,', 'four');
	$put->('cur/3.c.host:2,', 'unlisted');
	$put->('new/4.d.host', 'thirty');
	$put->('.Work/cur/5.e.host:2,F', 'seven');
	$u->spew('md/dovecot-uidlist', "3 V1275660208 N31 G3085f01b7f11094c\n"
		. "4 W22 :2.b.host,S=20,W=22\n9 :1.a.host\n0 :3.c.host\n"
		. "nonsense\n99999999999 :3.c.host\n12 P :\n30 :4.d.host\n8 :gone\n");
	$u->spew('md/.Work/dovecot-uidlist', "3 V5 N8 Gx\n7 :5.e.host");
	my $found = sub {
		my ($account, $box) = @_;
		my ($o) = @{ decode_json(($u->culver('mailbox', 'status', '--json',
			$account, $box))[1]) };
		return "$o->{uidValidity} " . join ' ', map { "$_->{uid}" }
		    @{ decode_json(($u->culver('message', 'search', '--json',
			$account, $box, 'ALL'))[1]) };
	};
	my ($rc, $out, $err) = $u->culver('import', 'kept', $u->path('md'));
	is("$rc $out$err", "0 5 imported\n", 'a Maildir of Dovecot\'s');
	is($found->('kept', 'INBOX'), '1275660208 4 9 30 31', 'UIDs, in their order');
	is($found->('kept', 'Work'), '5 7', 'of a folder, too');
	my ($four) = @{ decode_json(($u->culver('message', 'search', '--json', 'kept',
		'INBOX', 'SUBJECT four'))[1]) };
	is($four->{uid}, 4, 'each its own');
	($rc, $out, $err) = $u->culver('import', '--new-uids', 'new', $u->path('md'));
	is("$rc $out$err", "0 5 imported\n", 'without them');
	like($found->('new', 'INBOX'), qr/ 1 2 3 4\z/, 'they are new');
	for my $head ('', '1 1275660208 31', '3 V0 N1', '3 N1', "3 V99999999999 N1\n4 :1.a.host",
		"\0\xff" x 100) {
		$u->spew('md/dovecot-uidlist', $head);
		$u->culver('user', 'add', '--no-password', my $name = 'h' . ++$u->{h});
		is(($u->culver('import', $name, $u->path('md')))[1], "5 imported\n",
			'another list: ' . substr($head =~ s/[^ -~]/./gr, 0, 20));
	}
}
done_testing;
