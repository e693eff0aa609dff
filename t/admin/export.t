# t/admin/export.t - culver export, and back by import: the same octets, flags,
# dates, mailboxes
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use File::Find;
use File::Path qw(make_path);
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => {},
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\n)
	    . qq(folder "Sent" { role = "sent" }\n));
my ($rc, $out, $err) = $t->culver(qw(user add --no-password a b c d));
is($rc, 0, 'accounts') or diag $err;

# Messages of all sorts, with a generator that always says the same.
my $seed = 42;
sub rnd { $seed = ($seed * 1103515245 + 12345) & 0x7fffffff; ($seed >> 8) % $_[0] }
my @pieces = ("From me\n", ">From you\n", ">>From them\n", "\n", "\n\n",
	"text\n", ".\n", "\t\n", " \n", "From a\@b Sun Nov 22 10:00:00 2026\n",
	"\xc3\xbc\n", "\xff\xfe\0\n", 'x' x 5000 . "\n", "Status: RO\n",
	"--\n", "Content-Length: 10\n");
my @heads = ("Subject: x\n", "X-Culver-Export: 1\n", "Status: RO\n",
	"X-Status: AFTD\n", "X-Keywords: one two\n", "Content-Length: 3\n",
	"From weird\n", ">From weirder\n", "To: a,\n b,\n c\n", "");
sub message {
	my $m = join '', map { $heads[rnd(scalar @heads)] } 0 .. rnd(6);
	$m .= "\n" . join '', map { $pieces[rnd(scalar @pieces)] } 0 .. rnd(12)
	    if rnd(8);
	$m =~ s/\n\z// if rnd(5) == 0;
	return length $m ? $m : "x";
}

my @letters = ('D', 'F', 'P', 'R', 'S', 'T', 'a' .. 'z');
sub make_folder {
	my ($dir, $n, @kw) = @_;
	make_path(map { $t->path("$dir/$_") } qw(cur new tmp));
	$t->spew("$dir/dovecot-keywords", join '',
		map { "$_ $kw[$_]\n" } 0 .. $#kw) if @kw;
	for my $i (1 .. $n) {
		my %f = map { $letters[rnd(6 + @kw)] => 1 } 1 .. rnd(5);
		my $f = "$dir/cur/$i.x:2," . join '', sort keys %f;
		$t->spew($f, message());
		my $time = 1_000_000_000 + rnd(500_000_000);
		utime $time, $time, $t->path($f);
	}
}
make_folder('src', 150, map { "kw$_" } 0 .. 25);
make_folder('src/.Sent', 20, map { "kw" . (25 - $_) } 0 .. 25);
make_folder('src/.Work.M&APw-nchen', 10, map { "other$_" } 0 .. 20);
make_folder('src/.a&AC4-b%41', 3);
make_folder('src/.Empty', 0);
make_folder('src/.x&AC4-mbox', 2);
make_folder('src/.x&AC4-mbox.below', 2);
make_folder('src/.x', 2);

($rc, $out, $err) = $t->culver('import', 'a', $t->path('src'));
is($rc, 0, 'import') or diag $err;

# Folders and messages: mailbox and UID => date, flags with keywords by name,
# octets.  (Ids and the letters of keywords are the account's own.)
sub tree {
	my ($dir) = @_;
	my %t;
	for my $f ($t->path($dir), glob($t->path($dir) . '/.?*')) {
		next unless -d "$f/cur";
		my $box = substr($f, length $t->path($dir));
		$t{"$box/"} = 1;
		my %kw = map { /^(\d+) (.*)$/ ? (chr(97 + $1) => $2) : () }
		    split /\n/, cat("$f/dovecot-keywords");
		my %more = map { /^(\S+) (.*)$/ ? ($1 => $2) : () }
		    split /\n/, cat("$f/culver-keywords");
		for my $m (glob('"' . "$f/cur/" . '*"')) {
			my ($u, $l) = $m =~ m{([^/]*):2,(.*)\z} or die $m;
			$t{"$box/" . ($u =~ /^(\d+)/)[0]} = join ' ',
			    (stat $m)[9], sort((map { $kw{$_} // $_ }
			    split //, $l), split / /, $more{$u} // ''), cat($m);
		}
	}
	return \%t;
}

sub cat {
	open(my $fh, '<:raw', $_[0]) or return '';
	local $/;
	return scalar(<$fh>) // '';
}

# All files and their octets.
sub files {
	my ($dir) = @_;
	my %t;
	find({ no_chdir => 1, wanted => sub {
		$t{substr($_, length $t->path($dir))} = -d $_ ? '' : cat($_);
	} }, $t->path($dir));
	return \%t;
}

sub export {
	my ($acct, $dir, @o) = @_;
	($rc, $out, $err) = $t->culver('export', @o, $acct, $t->path($dir));
	return $rc;
}

sub list {
	my (undef, $o) = $t->culver(qw(mailbox list --json), $_[0]);
	return [ map { my $m = $_; [ map { $m->{$_} }
		qw(path role total unread deleted size) ] }
		@{ decode_json($o) } ];
}

is(export('a', 'out1'), 0, 'export') or diag $err;
is($out, "189 exported\n", 'says how many');
my $one = tree('out1');

# The source has file names of its own, in the same order.
my %src = %{ tree('src') };
my $got = { %$one };
for my $h (\%src, $got) {
	my %n;
	for my $k (sort { ($a =~ m{^(.*/)})[0] cmp ($b =~ m{^(.*/)})[0]
	    || ($a =~ /(\d+)$/ ? $1 + 0 : 0) <=> ($b =~ /(\d+)$/ ? $1 + 0 : 0) }
	    keys %$h) {
		my ($box, $is) = $k =~ m{^(.*/)(.*)};
		my $v = delete $h->{$k};
		$h->{$is eq '' ? $box : $box . ++$n{$box}} = $v;
	}
}
is_deeply([ sort keys %$got ], [ sort '/.Work/', keys %src ],
	'all are there, and parents');
my @differ = grep { ($got->{$_} // '') ne $src{$_} } sort keys %src;
is_deeply(\@differ, [], 'the same octets, flags and times as the source');
if (@differ) {
	diag "$differ[0]: ", explain [ $got->{$differ[0]}, $src{$differ[0]} ];
}
ok(exists $one->{'/.Empty/'}, 'an empty folder too');

# Maildir and back
($rc, $out, $err) = $t->culver('import', 'b', $t->path('out1'));
is($rc, 0, 'import of the export') or diag $err;
is_deeply(list('b'), list('a'), 'the same mailboxes and counts');
is(export('b', 'out2'), 0, 'export of that');
my $two = tree('out2');
is_deeply([ sort keys %$two ], [ sort keys %$one ], 'the same names');
is_deeply($two, $one, 'the same messages');

# mbox and back
is(export('a', 'mb1', '--format', 'mbox'), 0, 'export as mbox') or diag $err;
ok(-s $t->path('mb1/INBOX.mbox'), 'INBOX.mbox');
ok(-s $t->path("mb1/Work/M\xc3\xbcnchen.mbox"), 'a folder\'s');
($rc, $out, $err) = $t->culver('import', 'c', $t->path('mb1'));
is($rc, 0, 'import of it') or diag $err;
is_deeply(list('c'), list('a'), 'the same mailboxes and counts');
is(export('c', 'out3'), 0, 'export of that');
my $three = tree('out3');
is_deeply([ sort keys %$three ], [ sort keys %$one ], 'the same names');
is_deeply($three, $one, 'the same files');
is(export('c', 'mb2', '--format', 'mbox'), 0, 'and as mbox again');
is_deeply([ sort keys %{ files('mb2') } ],
	[ sort keys %{ files('mb1') } ], 'the same files');

# with CR LF
is(export('a', 'crlf', '--crlf', '--mailbox', 'Sent'), 0, '--crlf, --mailbox');
($rc, $out, $err) = $t->culver('import', 'd', $t->path('crlf'));
is(export('d', 'out4'), 0, 'and back');
my $four = tree('out4');
my %sent = map { $_ => $one->{$_} } grep { m{^/\.Sent/} } keys %$one;
is_deeply({ map { $_ => $four->{$_} } grep { m{^/\.Sent/} } keys %$four },
	\%sent, 'the same');
ok(!(grep { m{^/cur/.} } keys %$four), 'and nothing else');

# more keywords than letters
make_folder('many', 0);
make_folder('many/.k', 40, map { "kw$_" } 0 .. 25);
make_folder('many/.l', 40, map { "other$_" } 0 .. 20);
($rc, $out, $err) = $t->culver('import', '--mailbox', 'all', 'd',
	map { $t->path("many/$_") } '.k', '.l');
is($rc, 0, '47 keywords in one mailbox') or diag $err;
is(export('d', 'out5', '--mailbox', 'all'), 0, 'exported');
ok(-s $t->path('out5/.all/culver-keywords'), 'the rest is in a file');
($rc) = $t->culver(qw(user add --no-password e));
($rc) = $t->culver('import', 'e', $t->path('out5'));
is(export('e', 'out6', '--mailbox', 'all'), 0, 'imported, exported');
is_deeply(tree('out6'), tree('out5'), 'the same files');

# refusals
is(export('a', 'out1'), 100, 'a directory that isn\'t empty');
is(export('a', 'nowhere/out'), 100, 'in a directory that isn\'t there');
is(export('nobody', 'out9'), 100, 'no account');
ok(!-e $t->path('out9'), 'makes nothing');
is(export('a', 'out9', '--mailbox', 'Frob'), 100, 'no mailbox');
is(export('a', 'out8', '--format', 'zip'), 100, 'no format');
mkdir $t->path('full');
SKIP: {
	skip 'root may write everywhere', 1 if $> == 0;
	chmod 0500, $t->path('full');
	is(export('a', 'full'), 100, 'a directory that can\'t be written');
}

done_testing;
