# t/imap/random-qresync.t - a client that comes back again and again
#
# Others change a mailbox at random while the client is away.  With nothing but
# what QRESYNC tells it (RFC 7162 3.2.5), and FETCH of what is new, its copy must
# be what the mailbox holds; so must it be while it stays and others go on.
use strict;
use warnings;
use CulverTest;
use Test::More;

my $seed = $ENV{CULVER_SEED} || time;
my $rounds = $ENV{CULVER_LONG} ? 1000 : 60;
my $state = $seed & 0x7fffffff;
diag("CULVER_SEED=$seed") if $ENV{CULVER_LONG};
note("CULVER_SEED=$seed");

sub rnd {
	$state = ($state * 1103515245 + 12345) & 0x7fffffff;
	return ($state >> 8) % $_[0];
}
sub pick { $_[rnd(scalar @_)] }

my @flags = qw(\\Seen \\Flagged \\Answered \\Deleted $one);
my $t = CulverTest->new(users => { alice => 'secret' });
my $imap = $t->start('imapd', 'imap');

sub session {
	my $c = $t->connect($imap);
	$c->imap_line;
	my ($ok) = $c->imap('LOGIN alice secret');
	die "LOGIN: $ok" if $ok !~ / OK /;
	return $c;
}

sub truth {
	my $c = session();
	$c->imap('EXAMINE INBOX');
	my (undef, @l) = $c->imap('UID FETCH 1:* FLAGS');
	my %m;
	for (@l) {
		$m{$1} = flags_of($2)
		    if /\A\* \d+ FETCH \(UID (\d+) FLAGS \((.*)\)\)/;
	}
	$c->imap('LOGOUT');
	return \%m;
}

sub flags_of { join ' ', sort grep { $_ ne '\\Recent' } split / /, $_[0] }

# ---- the others

my @worker = map { session() } 1 .. 2;
$worker[0]->imap('CREATE x');
$_->imap('SELECT INBOX') for @worker;

sub work {
	my $c = pick(@worker);
	my $do = rnd(20);
	my $set = join ',', map { 1 + rnd(40) } 1 .. 1 + rnd(4);
	my ($ok, @l) = $c->imap('UID SEARCH ALL');
	my @uid = $l[0] =~ /\d+/g;
	@uid = grep { rnd(4) == 0 } @uid;
	my $uids = join ',', @uid ? @uid : 1;
	my $f = join ' ', grep { rnd(2) } @flags;
	return $c->imap("APPEND INBOX ($f) {12+}\r\nSubject: x\r\n") if $do < 6;
	return $c->imap("UID STORE $uids " . pick('', '+', '-') . "FLAGS.SILENT ($f)")
	    if $do < 12;
	return $c->imap('EXPUNGE') if $do < 15;
	return $c->imap("UID MOVE $uids x") if $do < 16;
	return $c->imap("UID COPY $uids INBOX") if $do < 18;
	return $c->imap("UID EXPUNGE $uids") if $do < 19;
	return $c->imap('NOOP');
}

# ---- the client

my %me = (m => {}, n => []);	# m: UID -> flags; n: UIDs by number; what it keeps

sub drop {
	my ($set) = @_;
	for my $r (split /,/, $set) {
		my ($a, $b) = $r =~ /\A(\d+)(?::(\d+))?\z/ or return "VANISHED $set";
		$b //= $a;
		delete $me{m}{$_} for grep { $_ >= $a && $_ <= $b } keys %{ $me{m} };
		$me{n} = [ grep { $_ < $a || $_ > $b } @{ $me{n} } ];
	}
	return undef;
}

# undef, or what can't be.
sub told {
	my ($l) = @_;
	return drop($1) if $l =~ /\A\* VANISHED (?:\(EARLIER\) )?(\S+)\z/;
	return "EXPUNGE with QRESYNC" if $l =~ /\A\* \d+ EXPUNGE/;
	if ($l =~ /\A\* (\d+) FETCH \((.*)\)\z/) {
		my ($n, $rest) = ($1, $2);
		my ($uid) = $rest =~ /\bUID (\d+)/ or return "no UID: $l";
		my ($fl) = $rest =~ /FLAGS \(([^)]*)\)/ or return "no FLAGS: $l";
		return "no MODSEQ: $l" if $rest !~ /MODSEQ \((\d+)\)/;
		$me{m}{$uid} = flags_of($fl);
	}
	return undef;
}

sub listen_to {
	my ($what, @l) = @_;
	for (@l) {
		my $wrong = told($_) // next;
		fail("$what: $wrong");
		return 0;
	}
	return 1;
}

sub qresync {
	return '(CONDSTORE)' unless $me{modseq};
	my @known = sort { $a <=> $b } keys %{ $me{m} };
	my $args = "$me{validity} $me{modseq}";
	if (@known && rnd(2)) {
		$args .= ' ' . join ',', @known;
		# Numbers and UIDs as they were when it left.
		my @i = grep { rnd(3) == 0 } 0 .. $#known;
		$args .= ' (' . join(',', map { $_ + 1 } @i) . ' '
		    . join(',', map { $known[$_] } @i) . ')' if @i;
	}
	return "(QRESYNC ($args))";
}

sub visit {
	my ($round) = @_;
	my $c = session();
	$c->imap('ENABLE QRESYNC');
	my $cmd = 'SELECT INBOX ' . qresync();
	my ($ok, @l) = $c->imap($cmd);
	like($ok, qr/ OK /, "round $round: $cmd") or return 0;
	my ($exists) = map { /\A\* (\d+) EXISTS/ ? $1 : () } @l;
	my ($validity) = map { /\[UIDVALIDITY (\d+)\]/ ? $1 : () } @l;
	my ($next) = map { /\[UIDNEXT (\d+)\]/ ? $1 : () } @l;
	my ($modseq) = map { /\[HIGHESTMODSEQ (\d+)\]/ ? $1 : () } @l;
	listen_to("round $round, SELECT", @l) or return 0;
	my $from = $me{next} // 1;
	if ($from < $next) {
		($ok, @l) = $c->imap("UID FETCH $from:* (FLAGS MODSEQ)");
		listen_to("round $round, FETCH", @l) or return 0;
	}
	is_deeply($me{m}, truth(), "round $round: the copy is true")
	    or return 0;
	is(scalar(keys %{ $me{m} }), $exists, "round $round: as many as EXISTS");
	@me{qw(validity next modseq)} = ($validity, $next, $modseq);
	# It stays for a while.
	for (1 .. rnd(6)) {
		work();
		($ok, @l) = $c->imap(pick('NOOP', 'CHECK', 'UID SEARCH ALL'));
		listen_to("round $round, staying", @l) or return 0;
		for (@l) {
			next unless /\A\* (\d+) EXISTS/;
			my @new;
			(undef, @new) = $c->imap("UID FETCH $me{next}:* "
			    . '(FLAGS MODSEQ)');
			listen_to("round $round, new", @new) or return 0;
		}
	}
	if (rnd(2)) {
		($ok, @l) = $c->imap('NOOP');
		listen_to("round $round, leaving", @l) or return 0;
		is_deeply($me{m}, truth(), "round $round: and stays true")
		    or return 0;
	}
	if (rnd(3) == 0) {
		# Its own EXPUNGE tells how far it has come.
		($ok, @l) = $c->imap('EXPUNGE');
		listen_to("round $round, EXPUNGE", @l) or return 0;
		$me{modseq} = $1 if $ok =~ /\[HIGHESTMODSEQ (\d+)\]/;
		is_deeply($me{m}, truth(), "round $round: after EXPUNGE")
		    or return 0;
	}
	$c->imap('LOGOUT');
	return 1;
}

for my $round (1 .. $rounds) {
	work() for 1 .. rnd(12);
	last unless visit($round);
}
done_testing;
