# t/e2e/full-disk.t - the disk is full: mail is read and deleted, what comes in
# waits outside, and nothing has to be mended
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverJmap;
use POSIX ();
use Test::More;

# File systems of our own, in a mount namespace that ends with us.
if (!$ENV{CULVER_MOUNTS}) {
	for my $how ('-m', '-rm') {
		next if $how eq '-m' && $> != 0;
		next if system("unshare $how mount -t tmpfs none /mnt "
		    . '>/dev/null 2>&1') != 0;
		$ENV{CULVER_MOUNTS} = 1;
		exec('unshare', $how, $^X, $0) or die "unshare: $!";
	}
	plan skip_all => 'no mount namespaces here (unshare -m, unshare -rm)';
}
my %pass = map { $_ => 'x' } qw(alice bob carol dave);
my ($t, $imap, $pop3, $lmtp);

# ---- clients ------------------------------------------------------------

sub imap {
	my ($user) = @_;
	my $c = $t->connect($imap);
	$c->get;
	my ($r) = $c->imap("LOGIN $user x");
	like($r, qr/ OK/, "$user: LOGIN");
	return $c;
}

sub selected {
	my $c = imap(@_);
	my ($r, @l) = $c->imap('SELECT INBOX');
	like($r, qr/ OK/, 'SELECT');
	return ($c, map { /\A\* (\d+) EXISTS/ ? $1 : () } @l);
}

sub pop3 {
	my ($user) = @_;
	my $c = $t->connect($pop3);
	$c->get;
	$c->ask("USER $user");
	like($c->ask('PASS x'), qr/\A\+OK/, "$user: POP3");
	return $c;
}

sub message { "Subject: $_[0]\r\n\r\nThe number is $_[0].\r\n" . ($_[1] // '') }

# The answers of LMTP.
sub deliver {
	my ($text, @to) = @_;
	my $c = $t->connect($lmtp);
	$c->get;
	$c->line('LHLO test');
	1 while $c->get !~ /\A250 /;
	$c->ask('MAIL FROM:<a@example.org>');
	$c->ask("RCPT TO:<$_>") for @to;
	$c->ask('DATA');
	$c->put("$text.\r\n");
	my @r = map { $c->get } @to;
	like($c->ask('NOOP'), qr/\A250/, 'LMTP goes on');
	$c->ask('QUIT');
	return @r;
}

sub append {
	my ($c, $text) = @_;
	my ($r) = $c->imap('APPEND INBOX {' . length($text) . "+}\r\n$text");
	return $r;
}

# ---- the file system ----------------------------------------------------

sub mail { "$t->{dir}/mail" . ($_[0] // '') }

sub mount_it {
	my ($kind) = @_;
	my $dir = mail();
	my $img = "$t->{dir}/ext4.img";
	return system("mount -t tmpfs -o size=24m,nr_inodes=200,mode=0700 none "
	    . "$dir 2>/dev/null") == 0 if $kind eq 'tmpfs';
	return system("truncate -s 32M $img && "
	    . "/sbin/mkfs.ext4 -q -m 0 -N 200 $img >/dev/null 2>&1 && "
	    . "mount -o loop $img $dir 2>/dev/null && rmdir $dir/lost+found")
	    == 0;
}

# Not an octet is left.
sub fill {
	open(my $fh, '>', mail('/.fill')) or die "fill: $!";
	for my $n (1 << 20, 4096, 512, 1) {
		1 while (syswrite($fh, 'x' x $n) // 0) > 0;
	}
	close($fh);
	# What a file system kept for metadata, or for the last block.
	open($fh, '>>', mail('/.fill2')) or return;
	1 while (syswrite($fh, 'x' x 512) // 0) > 0;
	close($fh);
}

sub empty { unlink mail('/.fill'), mail('/.fill2') }

# ---- the tests ----------------------------------------------------------

sub count_is {
	my ($user, $n) = @_;
	my ($c, $have) = selected($user);
	is($have, $n, "$user has $n messages");
	$c->imap('LOGOUT');
}

sub reading {
	my ($c, $n) = selected('alice');
	is($n, 12, 'all are there');
	my ($r, @l) = $c->imap('FETCH 3 BODY[]');
	like($r, qr/ OK/, 'FETCH');
	like("@l", qr/The number is 3\./, 'its octets, without \\Seen if need be');
	($r, @l) = $c->imap('SEARCH BODY "number is 7."');
	is($l[0], '* SEARCH 7', 'SEARCH');
	$c->imap('LOGOUT');
	$c = pop3('bob');
	like($c->ask('RETR 2'), qr/\A\+OK/, 'RETR');
	like($c->multi, qr/The number is 2\./, 'its octets');
	$c->ask('QUIT');
	my $q = $t->call('Email/query', { limit => 1 });
	my $g = $t->call('Email/get', { ids => $q->{ids},
		properties => [qw(subject bodyValues)],
		fetchTextBodyValues => JSON::PP::true });
	like($g->{list}[0]{subject}, qr/\A\d+\z/, 'Email/get');
}

sub coming_in {
	my $big = 'x' x 77 . "\r\n";
	like($_, qr/\A452 4\.3\.1 /, 'LMTP: 452')
	    for deliver(message('new'), qw(alice bob)),
	    deliver(message('large', $big x 6000), 'alice'),
	    deliver(message('first'), 'dave');
	my $conf = $t->slurp('culver.conf');
	$t->spew('culver.conf', "lmtp-disk-full = permanent\n$conf");
	like($_, qr/\A552 5\.3\.1 /, 'LMTP: 552, if so configured')
	    for deliver(message('new'), qw(alice bob));
	$t->spew('culver.conf', $conf);
	my ($c) = selected('alice');
	like(append($c, message('new')), qr/ NO \[UNAVAILABLE\] /, 'APPEND: NO');
	like(append($c, message('large', $big x 6000)),
	    qr/ NO \[UNAVAILABLE\] /, 'a large one');
	my ($r) = $c->imap('NOOP');
	like($r, qr/ OK/, 'the session goes on');
	$c->imap('LOGOUT');
	my $up = $t->request('POST', '/jmap/upload/' . $t->account . '/',
	    content => $big x 10, headers => { 'content-type' => 'text/plain' });
	is($up->{status}, 507, 'JMAP: upload');
	my $q = $t->call('Email/query', { limit => 1 });
	my $g = $t->call('Email/get', { ids => $q->{ids},
		properties => [qw(blobId mailboxIds)] })->{list}[0];
	delete $g->{id};
	my $im = $t->call('Email/import', { emails => { x => $g } });
	# It has its octets already; the change may fit in the journal's block.
	is($im->{notCreated}{x}{type}, 'serverUnavailable', 'Email/import')
	    if !$im->{created};
	return $im->{created} ? 1 : 0;
}

# Until the journal's last block is used up.
sub flags {
	my ($c) = selected('alice');
	my ($r, $n);
	for $n (1 .. 2000) {
		($r) = $c->imap('STORE 12 ' . ($n % 2 ? '+' : '-')
		    . 'FLAGS.SILENT (\\Answered)');
		last if $r !~ / OK/;
	}
	like($r, qr/ NO \[UNAVAILABLE\] /, 'changes of flags end');
	return $c;
}

sub deleting {
	my $c = flags();
	my ($r) = $c->imap('STORE 1:4 +FLAGS (\\Deleted)');
	like($r, qr/ OK/, '\\Deleted');
	ok(!-e mail('/.reserve'), 'by the reserve');
	($r) = $c->imap('EXPUNGE');
	like($r, qr/ OK/, 'EXPUNGE');
	($r) = $c->imap('UID MOVE 5 Trash');
	like($r, qr/ OK/, 'MOVE to the trash');
	($r) = $c->imap('UID COPY 6 Trash');
	like($r, qr/ OK/, 'COPY to the trash');
	$c->imap('LOGOUT');
	like($_, qr/\A452 4\.3\.1 /, 'that place is not for new mail')
	    for deliver(message('new'), 'alice');
	$c = pop3('bob');
	like($c->ask("DELE $_"), qr/\A\+OK/, "DELE $_") for 1 .. 3;
	like($c->ask('QUIT'), qr/\A\+OK/, 'QUIT');
	my $all = $t->call('Email/get', { properties => ['subject'],
		ids => $t->call('Email/query', {})->{ids} });
	my ($id) = map { $_->{subject} eq '11' ? $_->{id} : () }
	    @{ $all->{list} };
	my $s = $t->call('Email/set', { destroy => [$id] });
	is_deeply($s->{destroyed}, [$id], 'Email/set destroy');
}

# A session is killed while its message comes.
sub killed {
	my $c = imap('carol');
	$c->line('k APPEND INBOX {400000+}');
	$c->put('Subject: half' . "\r\n\r\n" . 'x' x 300000);
	select(undef, undef, undef, 0.05);
	kill 'KILL', children($t->{imapd});
	ok($c->ended, 'killed in APPEND');
}

sub children {
	my ($pid) = @_;
	open(my $fh, '<', "/proc/$pid/task/$pid/children") or die "$pid: $!";
	return split ' ', <$fh> // '';
}

sub use_inodes {
	our $n;
	mkdir mail('/.inodes');
	while (open(my $fh, '>', mail('/.inodes/' . ++$n))) {
		close($fh);
	}
	is($! + 0, POSIX::ENOSPC(), 'the inodes are used up');
}

sub inodes {
	my ($c) = selected('alice');
	use_inodes();
	my ($r, @l) = $c->imap('FETCH 1 BODY[]');
	like("@l", qr/The number is /, 'read');
	my $large = 'y' x 77 . "\r\n";
	like(append($c, message('y', $large x 70000)),
	    qr/ NO \[UNAVAILABLE\] /, 'none for a large message');
	($r) = $c->imap('STORE 1 +FLAGS (\\Deleted)');
	like($r, qr/ OK/, 'delete');
	($r) = $c->imap('EXPUNGE');
	like($r, qr/ OK/, 'EXPUNGE');
	$c->imap('LOGOUT');
	use_inodes();
	like($_, qr/\A452 4\.3\.1 /, 'none for an account')
	    for deliver(message('first'), 'dave');
	unlink glob(mail('/.inodes/*'));
	rmdir mail('/.inodes');
}

sub afterwards {
	my ($alice, $bob) = @_;
	count_is('alice', $alice);
	count_is('bob', $bob);
	count_is('carol', 1);
	like($_, qr/\A250 /, 'delivered again')
	    for deliver(message('later'), qw(alice bob carol dave));
	my ($c) = selected('alice');
	like(append($c, message('z', 'z' x 300000)), qr/ OK/, 'APPEND again');
	$c->imap('LOGOUT');
	count_is('alice', $alice + 2);
	ok(wait_for(sub { -e mail('/.reserve') }), 'the reserve is back');
	my ($code, $out, $err) = $t->culver('check');
	is($code, 0, 'culver check') or diag("$out$err");
	is(join(' ', glob(mail('/*/journal.new') . ' ' . mail('/.new*')
	    . ' ' . mail('/.tmp*'))), '', 'nothing is left lying about');
}

# Something that another process does.
sub wait_for {
	my ($fn) = @_;
	for (1 .. 200) {
		return 1 if $fn->();
		select(undef, undef, undef, 0.05);
	}
	return 0;
}

sub whole {
	my ($kind) = @_;
	$t = CulverJmap->new(users => \%pass, login => ['alice', 'x']);
	return skipped($kind) if !mount_it($kind);
	# Confined to the directory that mail-dir was when it started.
	kill TERM => $t->{jmap_pid};
	waitpid $t->{jmap_pid}, 0;
	$t->start_jmap;
	($imap, $pop3, $lmtp) = ($t->start('imapd', 'imap'),
		$t->start('pop3d', 'pop3'), $t->start('lmtpd', 'lmtp'));
	$t->{imapd} = $t->{pids}[-3];
	for my $n (1 .. 12) {
		like($_, qr/\A250 /, 'delivered')
		    for deliver(message($n), qw(alice bob));
	}
	deliver(message(1), 'carol');
	$t->call('Mailbox/set', { create => { t => { name => 'Trash',
		role => 'trash' } } });
	ok(wait_for(sub { -e mail('/.reserve') }), 'there is a reserve');
	fill();
	reading();
	my $more = coming_in();
	killed();
	deleting();
	killed();
	reading_again();
	empty();
	my $alice = 12 + $more - 4 - 1 - 1;
	inodes();
	afterwards($alice - 1, 9);
	$t->stop;
	system('umount', '-l', mail());
}

sub reading_again {
	my ($c) = selected('alice');
	my ($r, @l) = $c->imap('FETCH 1 BODY[]');
	like("@l", qr/The number is /, 'FETCH still');
	$c->imap('LOGOUT');
}

sub skipped {
	my ($kind) = @_;
	SKIP: {
		skip "$kind can't be mounted here", 1;
	}
}

for my $kind (qw(tmpfs ext4)) {
	subtest $kind => sub { whole($kind) };
}
done_testing();
