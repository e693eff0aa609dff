# t/perf/instructions.t - what operations cost, in instructions
#
# Times say more about the machine than about a change; instructions hardly
# vary.  t/perf/instructions.txt has what each operation took, under which
# compiler and libraries; more than a tenth over that is a failure, and more
# than a tenth under it a reason to lower the figure there.  CULVER_PERF=write
# writes the file anew.
use strict;
use warnings;
use CulverTest;
use File::Copy qw(copy);
use IO::Socket::INET;
use POSIX qw(dup2);
use Test::More;

my $src = $ENV{srcdir} || '.';
my $build = $ENV{builddir} || '.';
my $table = "$src/t/perf/instructions.txt";
my $write = ($ENV{CULVER_PERF} // '') eq 'write';

# What the counts depend on besides our own code.
sub made_with {
	open(my $fh, '<', "$build/Makefile") or return 'no Makefile';
	local $/;
	my $mk = <$fh>;
	my %v = map { $_ => ($mk =~ /^$_ = *(.*?) *$/m)[0] // '' }
	    qw(CC CFLAGS CULVER_CFLAGS CULVER_LDFLAGS DB_LIBS);
	my ($cc) = qx($v{CC} --version 2>/dev/null) =~ /\A(.*)/;
	my ($libc) = qx(ldd --version 2>/dev/null) =~ /\A(.*)/;
	my ($vg) = qx(valgrind --version 2>/dev/null) =~ /\A(.*)/;
	my ($machine) = qx(uname -m) =~ /\A(.*)/;
	my $san = join ' ', grep { /^-f(?:sanitize|no-sanit)/ }
	    split ' ', $v{CULVER_CFLAGS};
	return join '; ', map { s/\s+/ /gr =~ s/; / /gr } grep { length }
	    $machine, $cc // '', $v{CFLAGS}, $san, $v{DB_LIBS}, $libc // '',
	    $vg // '';
}

plan skip_all => 'no valgrind (scripts/setup installs it)'
    if system('command -v valgrind >/dev/null 2>&1') != 0;
my $made = made_with();
my (%was, $was_made);
if (open(my $fh, '<', $table)) {
	while (my $l = <$fh>) {
		$was_made = $1 if $l =~ /\A# made with (.*)$/;
		$was{$1} = $2 if $l =~ /\A(\S+) +(\d+)$/;
	}
}
plan skip_all => "the figures are for another build: $was_made; this is $made"
    if !$write && ($was_made // '') ne $made;

# valgrind can't do its own work under a filter of system calls.
my $t = CulverTest->new(conf => "confine = false\n");
# The cheapest that crypt(3) has: it isn't the hash that is counted.
$t->spew('passwd', 'small:' . crypt('secret', 'ab') . "\n"
    . 'big:' . crypt('secret', 'ab') . "\n");
chmod 0600, $t->path('passwd');
my $mail = $t->path('mail');
my %size = (small => 1000, big => 20200);
for my $name (sort keys %size) {
	system("$build/t/perf/perf", 'fill', $mail, $name, $size{$name}) == 0
	    or BAIL_OUT("$name can't be filled");
}

sub valgrind {
	my ($out, @more) = @_;
	return ('valgrind', '-q', '--tool=callgrind', "--callgrind-out-file=$out",
	    @more);
}

# The sum that callgrind wrote.
sub counted {
	my ($out) = @_;
	open(my $fh, '<', $out) or return undef;
	while (my $l = <$fh>) {
		return $1 if $l =~ /\A(?:totals|summary): (\d+)/;
	}
	return undef;
}

# An operation on a copy of the account, so that each begins with the same.
sub operation {
	my ($op, $name) = @_;
	my $out = $t->path("out.$op.$name");
	my $dir = $t->path('copy');
	system('rm', '-rf', $dir);
	mkdir $dir, 0700 or die "$dir: $!";
	system('cp', '-a', "$mail/$name", $dir) == 0 or die 'cp failed';
	my @env = ('env', '-i', "PATH=$ENV{PATH}");
	return undef if system(@env, valgrind($out, '--collect-atstart=no',
	    '--toggle-collect=perf_counted'), "$build/t/perf/perf", $op, $dir,
	    $name) != 0;
	return counted($out);
}

# A daemon with a connection as its descriptor 0, as from inetd's nowait; the
# client's commands are all there when it starts.
sub daemon {
	my ($program, $listener, $what, $commands, $want) = @_;
	my $out = $t->path("out.$what");
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
	    or die "listen: $!";
	my $c = CulverTest::Client->new($l->sockport);
	my $s = $l->accept;
	$c->put($commands);
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		dup2(fileno($s), $_) for 0 .. 2;
		exec('env', '-i', "PATH=$ENV{PATH}", valgrind($out),
		    $t->program($program), '-f', $t->conf_file, '-l',
		    $listener) or POSIX::_exit(127);
	}
	close $s;
	my $answer = $c->rest;
	waitpid($pid, 0);
	is($?, 0, "$what: ended well");
	like($answer, $want, "$what: answers");
	return counted($out);
}

my %now;
for my $name (qw(small big)) {
	$now{"$_-$name"} = operation($_, $name)
	    for qw(open load flag seen copy move append
		changes expunge);
	$now{"imapd-nowait-$name"} = daemon('imapd', 'imap', "imapd-$name",
	    "a LOGIN $name secret\r\nb SELECT INBOX\r\nc LOGOUT\r\n",
	    qr/^b OK .*^c OK /ms);
}
$now{'lmtpd-nowait'} = daemon('lmtpd', 'lmtp', 'lmtpd',
    "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<small\@mail.test>\r\nDATA\r\n"
    . "Subject: one\r\nMessage-ID: <1\@mail.test>\r\n\r\n"
    . ("text of seventy octets, which is about as long as lines are in mail\r\n"
	x 50) . ".\r\nQUIT\r\n", qr/^354 .*^250 .*^221 /ms);

for my $op (sort keys %now) {
	my ($n, $was) = ($now{$op}, $was{$op});
	if (!ok(defined $n, "$op: counted")) {
		next;
	} elsif ($write) {
		diag("$op $n");
	} elsif (ok(defined $was, "$op: there is a figure for it")) {
		cmp_ok($n, '<=', $was * 1.1, "$op: no more than a tenth over $was");
		diag("$op: $n instead of $was: lower it in t/perf/instructions.txt")
		    if $n < $was * 0.9;
	}
}

# Twenty times the messages, but for what is in proportion to the answer.
for my $op (qw(open flag seen copy move append changes expunge)) {
	my ($small, $big) = @now{"$op-small", "$op-big"};
	next if !defined $small || !defined $big;
	cmp_ok($big, '<=', $small * 1.25,
	    "$op: the same in $size{big} messages as in $size{small}");
}

if ($write) {
	open(my $fh, '>', $table) or die "$table: $!";
	print $fh "# t/perf/instructions.txt - see instructions.t\n",
	    "# made with $made\n";
	printf $fh "%-20s %d\n", $_, $now{$_} for sort keys %now;
	close($fh) or die "$table: $!";
}
done_testing();
