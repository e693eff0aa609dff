# t/stress/sessions.t - two hundred sessions on the same two mailboxes
#
# They append, store, copy, move, expunge, fetch, search and idle; some are killed
# or cut off and come back.  From the outside it is checked that
# - no response contradicts an earlier one: numbers, UIDs and mod-sequences,
#   EXPUNGE only where it may come, VANISHED only of what was there;
# - in the end each session's view is the mailbox, flags too;
# - what was acknowledged is there, unless it was removed, once and with the
#   content that it had; and what was reported gone is gone;
# - the account is in order.
#
# CULVER_SEED, CULVER_SECONDS, CULVER_SESSIONS; CULVER_LONG=1: an hour.
use strict;
use warnings;
use CulverTest;
use Errno qw(EAGAIN EINTR);
use IO::Select;
use IO::Socket::INET;
use List::Util qw(max min);
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(time);

my $seed = $ENV{CULVER_SEED} || time ^ $$;
my $seconds = $ENV{CULVER_SECONDS} || ($ENV{CULVER_LONG} ? 3600 : 40);
my $sessions = $ENV{CULVER_SESSIONS} || 200;
srand $seed;
diag sprintf 'CULVER_SEED=%d CULVER_SECONDS=%d CULVER_SESSIONS=%d', $seed,
    $seconds, $sessions;

my @flags = qw(\Answered \Flagged \Seen $one two);
my @boxes = qw(INBOX Box);
my $fill = 120;		# messages of a mailbox, about

my $t = CulverTest->new(users => { alice => 'secret' });
my $conf = $t->slurp('culver.conf') =~ s/log-level = "debug"/log-level = "info"/r;
$t->spew('culver.conf', $conf);

# ---- what the world knows

my $serial = 0;
my %content;		# box => uid => serial, acknowledged
my %gone;		# box => uid => who was told
my %may_go;		# box => uid: somebody set \Deleted or moved it
my %copies;		# serial => copies that may have been made
my (%did, @faults, $killed, $cut, $resynced);
my $busy = 0;		# commands that the account was too busy for

sub fault {
	my ($s, $text) = @_;
	my $cmd = $s->{cmd} ? " in '$s->{cmd}{line}'" : '';
	push @faults, "session $s->{id} ($s->{mode}, "
	    . ($s->{box} // 'no mailbox') . ")$cmd: $text";
	diag join "\n", $faults[-1], map { substr $_, 0, 200 }
	    @{ $s->{log} } if @faults < 3;
}

sub pick { $_[rand @_] }
sub some {
	my ($n, @v) = @_;
	my %v = map { $_ => 1 } map { pick(@v) } 1 .. $n;
	return sort { $a <=> $b } keys %v;
}
sub set { join ',', @_ }
sub members {
	return map { /\A(\d+):(\d+)\z/ ? min($1, $2) .. max($1, $2) : $_ }
	    split /,/, $_[0];
}

# ---- a session

my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 300)
    or die "listen: $!";
my $ids = 0;

sub begin {
	my ($mode, $saved) = @_;
	my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $listen->sockport) or die "connect: $!";
	my $theirs = $listen->accept or die "accept: $!";
	my $pid = $t->spawn($theirs, 'imapd', 'imap');
	pop @{ $t->{pids} };
	close $theirs;
	$sock->blocking(0);
	my @todo = ('LOGIN alice secret');
	push @todo, 'ENABLE QRESYNC' if $mode eq 'qresync';
	push @todo, 'ENABLE CONDSTORE' if $mode eq 'condstore';
	push @todo, 'ENABLE IMAP4rev2' if $mode eq 'rev2';
	return { id => ++$ids, sock => $sock, pid => $pid, mode => $mode,
		in => '', out => '', tags => 0, todo => \@todo, at => 0,
		view => [], gone => {}, saved => $saved, greeted => 0 };
}

sub send_command {
	my ($s, $line, %o) = @_;
	my $tag = 'a' . ++$s->{tags};
	$s->{cmd} = { line => $line, tag => $tag, told => {}, %o };
	push @{ $s->{log} }, "C: $tag $line";
	$s->{out} .= "$tag $line\r\n";
	my ($word) = $line =~ /\A((?:UID )?\S+)/;
	$did{$word}++;
	flush_out($s);
}

sub flush_out {
	my ($s) = @_;
	while (length $s->{out}) {
		my $n = syswrite $s->{sock}, $s->{out};
		last if !defined $n && ($! == EAGAIN || $! == EINTR);
		return if !defined $n;
		substr $s->{out}, 0, $n, '';
	}
}

# ---- what the server says

# One message's data, by number (from 0).
sub on_fetch {
	my ($s, $i, $data) = @_;
	my $m = $s->{view}[$i];
	my $resync = $s->{resync};
	my ($uid) = $data =~ /\bUID (\d+)/;
	my ($flags) = $data =~ /\bFLAGS \(([^)]*)\)/;
	my ($modseq) = $data =~ /\bMODSEQ \((\d+)\)/;
	my ($subject) = $data =~ /Subject: m(\d+)/;

	if ($resync) {
		return fault($s, "FETCH without UID: $data") if !$uid;
		$m = $resync->{$uid} //= { uid => $uid };
		$m->{number} = $i + 1;
	} elsif (!$m) {
		return fault($s, 'FETCH ' . ($i + 1) . ' of '
		    . @{ $s->{view} });
	} elsif ($uid) {
		fault($s, "message " . ($i + 1) . " was UID $m->{uid}: $data")
		    if $m->{uid} && $m->{uid} != $uid;
		fault($s, "UID $uid was gone") if $s->{gone}{$uid};
		my $before = $i > 0 ? $s->{view}[$i - 1]{uid} : undef;
		my $after = $s->{view}[$i + 1] && $s->{view}[$i + 1]{uid};
		fault($s, "UIDs don't ascend: $data")
		    if ($before && $before >= $uid) || ($after && $after <= $uid);
		$m->{uid} = $uid;
	}
	if (defined $flags) {
		$m->{flags} = join ' ', sort grep { $_ ne '\Recent' }
		    split / /, $flags;
		$s->{cmd}{told}{ $m->{uid} } = 1 if $s->{cmd} && $m->{uid};
	}
	if ($modseq) {
		fault($s, "MODSEQ $modseq after $m->{modseq}")
		    if ($m->{modseq} // 0) > $modseq;
		$m->{modseq} = $modseq;
	}
	if ($subject && $m->{uid}) {
		my $was = $content{ $s->{box} }{ $m->{uid} };
		fault($s, "UID $m->{uid} is m$subject, not m$was")
		    if defined $was && $was != $subject;
	}
}

# Numbers may change now, unless a command that uses them is in progress.
sub expunge_ok {
	my ($s, $l) = @_;
	fault($s, "'$l' when it may not be")
	    if !$s->{cmd} || $s->{cmd}{numbers};
}

sub forget {
	my ($s, $m) = @_;
	return if !$m->{uid};
	$s->{gone}{ $m->{uid} } = 1;
	$gone{ $s->{box} }{ $m->{uid} } //= $s->{id};
}

sub on_vanished {
	my ($s, $l, $earlier, $set) = @_;
	my $view = $s->{view};
	fault($s, "without QRESYNC: $l") if $s->{mode} ne 'qresync';
	if ($earlier) {
		fault($s, "unasked: $l") if !$s->{resync};
		for (members($set)) {
			delete $s->{resync}{$_};
			$gone{ $s->{box} }{$_} //= $s->{id};
			$s->{gone}{$_} = 1;
		}
		return;
	}
	expunge_ok($s, $l);
	my %at = map { ($view->[$_]{uid} // 0) => $_ } 0 .. $#$view;
	my %out;
	for my $uid (members($set)) {
		my $i = $at{$uid} // unknown_at($view, \%out, $uid);
		if (!defined $i) {
			fault($s, "$l: UID $uid wasn't there");
			next;
		}
		$view->[$i]{uid} //= $uid;
		forget($s, $view->[$i]);
		$out{$i} = 1;
	}
	@$view = map { $out{$_} ? () : $view->[$_] } 0 .. $#$view;
}

# Where a message may be whose UID isn't known: between those that are.
sub unknown_at {
	my ($view, $out, $uid) = @_;
	my $i = 0;
	$i++ while $i < @$view && ($view->[$i]{uid} // 0) < $uid;
	$i--;
	$i-- while $i >= 0 && $out->{$i};
	return undef if $i < 0 || $view->[$i]{uid};
	# It may be any of these: what is known of each is known of none.
	for (my $k = $i; $k >= 0 && ($out->{$k} || !$view->[$k]{uid}); $k--) {
		delete @{ $view->[$k] }{qw(flags modseq)};
	}
	return $i;
}

sub on_untagged {
	my ($s, $l) = @_;
	my $view = $s->{view};
	if ($l =~ /\A\* (\d+) EXISTS\z/) {
		if ($s->{resync}) {
			$s->{exists} = $1;
			return;
		}
		fault($s, "$l: there were " . @$view) if $1 < @$view;
		push @$view, {} while @$view < $1;
	} elsif ($l =~ /\A\* (\d+) EXPUNGE\z/) {
		expunge_ok($s, $l);
		return fault($s, "$l of " . @$view) if $1 < 1 || $1 > @$view;
		fault($s, "$l with QRESYNC") if $s->{mode} eq 'qresync';
		forget($s, splice @$view, $1 - 1, 1);
	} elsif ($l =~ /\A\* VANISHED (\(EARLIER\) )?(\S+)\z/) {
		on_vanished($s, $l, $1, $2);
	} elsif ($l =~ /\A\* (\d+) FETCH \((.*)\)\z/s) {
		on_fetch($s, $1 - 1, $2);
	} elsif ($l =~ /\A\* SEARCH(.*)\z/ ||
	    $l =~ /\A\* ESEARCH (?:.* ALL (\S+))?/) {
		on_search($s, $l, $1 // '');
	} elsif ($l =~ /\A\* OK \[HIGHESTMODSEQ (\d+)\]/) {
		$s->{highest} = $1;
	} elsif ($l =~ /\A\* OK \[UIDVALIDITY (\d+)\]/) {
		$s->{uidvalidity} = $1;
	} elsif ($l =~ /\A\* OK \[COPYUID \d+ (\S+) (\S+)\]/) {
		on_copied($s, $1, $2);
	} elsif ($l =~ /\A\* BYE/) {
		fault($s, $l);
	}
}

sub on_search {
	my ($s, $l, $found) = @_;
	my @n = map { members($_) } split ' ', $found;
	if ($s->{cmd}{line} =~ /\AUID/) {
		for (@n) {
			fault($s, "found UID $_, which was gone")
			    if $s->{gone}{$_};
		}
	} elsif (grep { $_ < 1 || $_ > @{ $s->{view} } } @n) {
		fault($s, "$l of " . @{ $s->{view} });
	}
}

# Also when the answer is missing: it is known that it was done.
sub on_copied {
	my ($s, $from, $to) = @_;
	my @from = members($from);
	my @to = members($to);
	my $box = $s->{cmd}{to};
	fault($s, 'COPYUID: ' . @from . ' to ' . @to) if @from != @to;
	for my $i (0 .. $#from) {
		my $what = $content{ $s->{box} }{ $from[$i] };
		fault($s, "COPYUID: $box $to[$i] was there")
		    if defined $content{$box}{ $to[$i] } && defined $what &&
		    $content{$box}{ $to[$i] } != $what;
		$content{$box}{ $to[$i] } = $what if defined $what;
		# with its flags
		$may_go{$box}{ $to[$i] } = 1
		    if $may_go{ $s->{box} }{ $from[$i] };
		$s->{cmd}{moved}{ $from[$i] } = 1 if $s->{cmd}{move};
	}
}

sub apply {
	my ($flags, $op, @f) = @_;
	my %f = map { $_ => 1 } split / /, $flags;
	%f = () if $op eq '';
	for (@f) {
		$op eq '-' ? delete $f{$_} : ($f{$_} = 1);
	}
	return join ' ', sort keys %f;
}

# What a STORE did to flags that it didn't tell of.
sub stored {
	my ($s, $r) = @_;
	my $c = $s->{cmd};
	my $sure = $r =~ /\A\S+ OK (?!\[MODIFIED)/;
	my %in = map { $_ => 1 } @{ $c->{uids} };
	for my $m (@{ $s->{view} }) {
		next if !$m->{uid} || !$in{ $m->{uid} } ||
		    $c->{told}{ $m->{uid} };
		$m->{flags} = $sure && $c->{silent} && defined $m->{flags} ?
		    apply($m->{flags}, $c->{op}, @{ $c->{flags} }) : undef;
		fault($s, "nothing told of UID $m->{uid}")
		    if $sure && !$c->{silent};
	}
}

sub on_tagged {
	my ($s, $r) = @_;
	my $c = $s->{cmd};
	my $word = $c->{line};
	fault($s, $r) if $r =~ /\A\S+ BAD/ || ($r =~ /\A\S+ NO/ &&
	    $r !~ /expunged\z/ && $r !~ /NO \[INUSE\]/);
	$busy++ if $r =~ /NO \[INUSE\]/;
	$s->{highest} = $1 if $r =~ /\[HIGHESTMODSEQ (\d+)\]/;
	if ($r =~ /\[APPENDUID \d+ (\d+)\]/) {
		fault($s, "$c->{to} $1 was there")
		    if defined $content{ $c->{to} }{$1};
		$content{ $c->{to} }{$1} = $c->{serial};
	}
	on_copied($s, $1, $2) if $r =~ /\[COPYUID \d+ (\S+) (\S+)\]/;
	stored($s, $r) if $c->{uids};
	if ($c->{select} && $r =~ /\A\S+ NO/) {
		delete @$s{qw(box resync)};
	} elsif ($c->{select}) {
		selected($s);
	} elsif ($c->{moved}) {
		my %left = map { ($_->{uid} // 0) => 1 } @{ $s->{view} };
		my @left = grep { $left{$_} } keys %{ $c->{moved} };
		fault($s, "moved, but still there: @left")
		    if @left && !$c->{numbers};
		$gone{ $s->{box} }{$_} //= $s->{id} for keys %{ $c->{moved} };
	}
	delete $s->{cmd};
	$s->{at} = time() + rand($sessions / 500);
}

# QRESYNC has told of all that is new, or, if it was given the UIDs that are
# known, of these alone.
sub selected {
	my ($s) = @_;
	my $have = delete $s->{resync} or return;
	my @uid = sort { $a <=> $b } keys %$have;
	$resynced++;
	my $new = $s->{exists} - @uid;
	fault($s, "QRESYNC: $s->{exists} messages, " . @uid . ' are known')
	    if $new < 0 || ($new > 0 && !$s->{asked_known});
	for my $i (0 .. $#uid) {
		my $n = delete $have->{$uid[$i]}{number};
		fault($s, "QRESYNC: UID $uid[$i] is $n, not " . ($i + 1))
		    if $n && $n != $i + 1;
	}
	$s->{view} = [ (map { $have->{$_} } @uid), map { {} } 1 .. $new ];
}

sub on_response {
	my ($s, $l) = @_;
	push @{ $s->{log} }, $l;
	shift @{ $s->{log} } if @{ $s->{log} } > 30;
	if (!$s->{greeted}) {
		$s->{greeted} = 1;
		fault($s, $l) if $l !~ /\A\* OK/;
	} elsif ($l =~ /\A\* /) {
		on_untagged($s, $l);
	} elsif ($l =~ /\A\+ /) {
		$s->{idling} = time() + rand 6;
	} elsif ($s->{cmd} && $l =~ /\A$s->{cmd}{tag} /) {
		delete $s->{idling};
		on_tagged($s, $l);
	} else {
		fault($s, "what is '$l'?");
	}
}

# Whole responses, literals and all.
sub read_some {
	my ($s) = @_;
	my $n = sysread $s->{sock}, $s->{in}, 65536, length $s->{in};
	return 1 if !defined $n && ($! == EAGAIN || $! == EINTR);
	return 0 if !$n;
	while (1) {
		my $at = 0;
		while (1) {
			my $end = index $s->{in}, "\r\n", $at;
			return 1 if $end < 0;
			if (substr($s->{in}, $at, $end - $at) !~ /\{(\d+)\}\z/) {
				$at = $end + 2;
				last;
			}
			$at = $end + 2 + $1;
			return 1 if $at > length $s->{in};
		}
		my $l = substr $s->{in}, 0, $at, '';
		on_response($s, substr $l, 0, -2);
	}
}

# ---- what a session does

sub select_box {
	my ($s, $box) = @_;
	my $line = pick(qw(SELECT SELECT SELECT EXAMINE)) . " $box";
	my $was = delete $s->{saved};
	$s->{readonly} = $line =~ /EXAMINE/;
	$s->{box} = $box;
	$s->{view} = [];
	$s->{gone} = {};
	delete @$s{qw(highest uidvalidity)};
	if ($was && $was->{box} eq $box) {
		my %m = map { $_->{uid} => { %$_ } } grep { $_->{uid} }
		    @{ $was->{view} };
		$s->{asked_known} = %m && rand() < .5;
		$line .= " (QRESYNC ($was->{uidvalidity} $was->{highest}"
		    . ($s->{asked_known} ? ' ' . set(sort { $a <=> $b }
		    keys %m) : '') . '))';
		delete $m{$_}{modseq} for keys %m;
		$s->{resync} = \%m;
		$s->{exists} = 0;
	}
	send_command($s, $line, select => 1);
}

sub store {
	my ($s, $op, @f) = @_;
	my @known = grep { $s->{view}[$_]{uid} } 0 .. $#{ $s->{view} };
	return send_command($s, 'NOOP') if !@known;
	my @i = some(1 + rand 4, @known);
	my @uids = map { $s->{view}[$_]{uid} } @i;
	my $by_uid = rand() < .5;
	my $silent = rand() < .5;
	my $since = '';
	$since = " (UNCHANGEDSINCE " . max(1, map { $s->{view}[$_]{modseq}
	    // 1 } @i) . ')' if rand() < .3 && $s->{mode} =~ /sto|syn/;
	if ($op ne '-' && grep { $_ eq '\Deleted' } @f) {
		$may_go{ $s->{box} }{$_} = 1 for @uids;
	}
	send_command($s, ($by_uid ? 'UID ' : '') . 'STORE '
	    . set($by_uid ? @uids : map { $_ + 1 } @i) . "$since ${op}FLAGS"
	    . ($silent ? '.SILENT' : '') . " (@f)", uids => \@uids,
	    op => $op, flags => \@f, silent => $silent, numbers => !$by_uid);
}

sub copy {
	my ($s) = @_;
	my @known = grep { $s->{view}[$_]{uid} } 0 .. $#{ $s->{view} };
	return send_command($s, 'NOOP') if !@known;
	my @i = some(1 + rand 3, @known);
	my @uids = map { $s->{view}[$_]{uid} } @i;
	my $move = !$s->{readonly} && rand() < .6;
	my $to = pick(@boxes);
	$move = 0 if $to eq $s->{box};
	my $by_uid = rand() < .5;
	for (@uids) {
		$may_go{ $s->{box} }{$_} = 1 if $move;
		my $what = $content{ $s->{box} }{$_};
		$copies{ $what // '?' }++ if !$move;
	}
	send_command($s, ($by_uid ? 'UID ' : '') . ($move ? 'MOVE ' : 'COPY ')
	    . set($by_uid ? @uids : map { $_ + 1 } @i) . " $to", to => $to,
	    move => $move);
}

sub append {
	my ($s) = @_;
	my $n = ++$serial;
	my $m = "Subject: m$n\r\n\r\n" . 'x' x rand 2000;
	my $box = pick(@boxes);
	my @f = grep { rand() < .3 } @flags;
	send_command($s, sprintf("APPEND %s (%s) {%d+}\r\n%s", $box, "@f",
		length $m, $m), to => $box, serial => $n);
}

sub fetch {
	my ($s) = @_;
	my $n = @{ $s->{view} };
	return append($s) if !$n;
	my $what = pick('FLAGS', 'UID FLAGS', 'UID FLAGS RFC822.SIZE',
		'UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]');
	my ($from, $to) = (1 + int rand $n, 1 + int rand $n);
	return send_command($s, "FETCH $from:$to ($what)", numbers => 1)
	    if rand() < .5;
	my @uid = grep { $_ } map { $_->{uid} } @{ $s->{view} };
	return send_command($s, 'NOOP') if !@uid;
	return send_command($s, 'UID FETCH ' . set(some(3, @uid))
	    . " ($what)");
}

sub search {
	my ($s) = @_;
	my $uid = rand() < .5 ? 'UID ' : '';
	send_command($s, $uid . 'SEARCH '
	    . pick(qw(ALL DELETED FLAGGED UNSEEN)), numbers => !$uid);
}

sub act {
	my ($s) = @_;
	my $n = @{ $s->{view} };
	my $full = $n / $fill;
	return send_command($s, shift @{ $s->{todo} }) if @{ $s->{todo} };
	return select_box($s, $s->{saved} ? $s->{saved}{box} : pick(@boxes))
	    if !$s->{box};
	for my $i (0 .. $n - 1) {	# what is new
		last if rand() < .05;
		next if $s->{view}[$i]{uid};
		return send_command($s, 'FETCH ' . ($i + 1)
		    . ':* (UID FLAGS)', numbers => 1);
	}
	my $r = rand 100;
	return append($s) if $r < 14 && $full < 1.5;
	return fetch($s) if $r < 26;
	return search($s) if $r < 34;
	return send_command($s, 'IDLE') if $r < 50;
	return send_command($s, 'NOOP') if $r < 58;
	return select_box($s, pick(@boxes)) if $r < 61;
	return copy($s) if $r < 70;
	return fetch($s) if $s->{readonly};
	return store($s, pick('+', '-', ''), grep { rand() < .4 } @flags)
	    if $r < 84;
	return store($s, '+', '\Deleted') if $r < 84 + 10 * $full;
	return send_command($s, 'EXPUNGE') if $r < 97;
	my @uid = grep { $_ } map { $_->{uid} } @{ $s->{view} };
	return send_command($s, @uid ? 'UID EXPUNGE ' . set(some(8, @uid)) :
	    'NOOP');
}

sub can_come_back {
	my ($s) = @_;
	return $s->{mode} eq 'qresync' && $s->{box} && $s->{highest} &&
	    !$s->{resync} && !grep { !$_->{uid} } @{ $s->{view} };
}

# Comes back with what it knew, if it is one that can.
sub lose {
	my ($s) = @_;
	my $saved;
	if (can_come_back($s)) {
		$saved = { map { $_ => $s->{$_} }
			qw(box view highest uidvalidity) };
	}
	if (rand() < .5) {
		kill 'KILL', $s->{pid};
		$killed++;
	} else {
		$cut++;
	}
	close $s->{sock};
	return $saved;
}

# ---- the time of it

my $mail = $t->connect($t->start('imapd', 'imap'));
$mail->imap_line;
$mail->imap('LOGIN alice secret');
$mail->imap('CREATE Box');
my @modes = qw(rev1 condstore qresync qresync rev2);
my @s = map { begin($modes[$_ % @modes]) } 1 .. $sessions;
my %dead;		# pids to be waited for
my $end = time() + $seconds;
my $next_loss = time() + 2;

sub turn {
	my ($acting) = @_;
	my %by = map { fileno($_->{sock}) => $_ } @s;
	my $r = IO::Select->new(map { $_->{sock} } @s);
	my $w = IO::Select->new(map { $_->{sock} } grep { length $_->{out} }
		@s);
	my @ready = IO::Select->select($r, $w->count ? $w : undef, undef, .02);
	for (@{ $ready[1] || [] }) {
		flush_out($by{fileno $_});
	}
	for (@{ $ready[0] || [] }) {
		my $s = $by{fileno $_};
		next if read_some($s);
		fault($s, 'the connection ended');
		$s->{ended} = 1;
	}
	my $now = time();
	for my $i (0 .. $#s) {
		my $s = $s[$i];
		if ($s->{ended}) {
			$dead{ $s->{pid} } = 1;
			$s[$i] = begin($s->{mode});
		} elsif ($s->{idling} && ($now > $s->{idling} || !$acting)) {
			delete $s->{idling};
			$s->{out} .= "DONE\r\n";
			flush_out($s);
		} elsif ($acting && $s->{greeted} && !$s->{cmd} &&
		    $now >= $s->{at}) {
			act($s);
		}
	}
	delete $dead{$_} for grep { waitpid($_, WNOHANG) != 0 } keys %dead;
}

while (time() < $end && @faults < 10) {
	turn(1);
	if (time() > $next_loss) {
		my @back = grep { can_come_back($s[$_]) } 0 .. $#s;
		my $i = @back && rand() < .5 ? pick(@back) : int rand @s;
		$next_loss = time() + rand .4;
		my $saved = lose($s[$i]);
		$dead{ $s[$i]{pid} } = 1;
		$s[$i] = begin($s[$i]{mode}, $saved);
	}
}

# ---- the end: everybody looks once more

sub settle {
	my ($what) = @_;
	my $limit = time() + 120;
	turn(0) while time() < $limit && @faults < 10 &&
	    grep { $_->{cmd} || !$_->{greeted} } @s;
	my @late = grep { $_->{cmd} } @s;
	is(scalar @late, 0, "all commands are answered: $what");
	fault($_, 'no answer') for @late;
}
settle('at the end');
send_command($_, 'NOOP') for grep { $_->{box} && !$_->{cmd} } @s;
settle('NOOP');

my %truth;
for my $box (@boxes) {
	my ($ok) = $mail->imap("EXAMINE $box");
	my @n;
	$mail->put("z FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n");
	while (defined(my $l = $mail->imap_line)) {
		last if $l =~ /\Az /;
		my ($uid, $flags) = $l =~ /UID (\d+) FLAGS \(([^)]*)\)/
		    or next;
		my ($m) = $l =~ /Subject: m(\d+)/;
		push @n, { uid => $uid, serial => $m, flags => join ' ',
			sort grep { $_ ne '\Recent' } split / /, $flags };
	}
	$truth{$box} = \@n;
}
for my $s (grep { $_->{box} } @s) {
	my $have = $truth{ $s->{box} };
	my $view = $s->{view};
	fault($s, 'in the end ' . @$view . ' messages, not ' . @$have)
	    if @$view != @$have;
	for my $i (0 .. min($#$view, $#$have)) {
		my ($v, $h) = ($view->[$i], $have->[$i]);
		fault($s, "in the end message " . ($i + 1) . " is $v->{uid}, "
		    . "not $h->{uid}") if $v->{uid} && $v->{uid} != $h->{uid};
		fault($s, "UID $h->{uid} has ($v->{flags}), not ($h->{flags})")
		    if defined $v->{flags} && $v->{flags} ne $h->{flags};
	}
}
my (%count, @lost);
for my $box (@boxes) {
	my %there = map { $_->{uid} => $_ } @{ $truth{$box} };
	for my $uid (sort { $a <=> $b } keys %there) {
		my $m = $there{$uid};
		my $was = $content{$box}{$uid};
		push @lost, "$box $uid is m$m->{serial}, not m$was"
		    if defined $was && $was != $m->{serial};
		push @lost, "$box $uid is there, but session "
		    . "$gone{$box}{$uid} was told that it went"
		    if $gone{$box}{$uid};
		$count{ $m->{serial} }++;
	}
	for my $uid (keys %{ $content{$box} }) {
		push @lost, "$box $uid (m$content{$box}{$uid}) was "
		    . 'acknowledged and is not there'
		    if !$there{$uid} && !$may_go{$box}{$uid};
	}
}
if (!$copies{'?'}) {
	for (grep { $count{$_} > 1 + ($copies{$_} // 0) } keys %count) {
		push @lost, "m$_ is there $count{$_} times, with "
		    . ($copies{$_} // 0) . ' copies';
	}
}
is_deeply(\@faults, [], 'no response was wrong');
is_deeply(\@lost, [], 'nothing was lost, doubled or mixed up');
cmp_ok(scalar(map { keys %$_ } values %content), '>', $seconds,
	'there was something to lose');
$mail->imap('LOGOUT');
for (@s) {
	close $_->{sock};
	$dead{ $_->{pid} } = 1;
}
my $limit = time() + 20;
while (%dead && time() < $limit) {
	delete $dead{$_} for grep { waitpid($_, WNOHANG) != 0 } keys %dead;
	select undef, undef, undef, .02;
}
is(scalar keys %dead, 0, 'every process ended');
kill 'KILL', keys %dead;
my ($rc, $out, $err) = $t->culver('check', 'alice');
is($rc, 0, 'the account is in order') or diag "$out$err";
diag sprintf '%d messages, %d killed, %d cut off, %d came back by QRESYNC, '
    . '%d times too busy', $serial, $killed // 0, $cut // 0, $resynced // 0,
    $busy;
diag join ', ', map { "$_ $did{$_}" } sort keys %did;
done_testing;
