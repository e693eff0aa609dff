# t/imap/random.t - sessions that work on the same mailboxes at random
#
# Each session keeps a copy of its mailbox from nothing but what it was told
# (EXISTS, EXPUNGE, FETCH, and its own successful changes).  At each stop all
# copies must be what the mailbox holds.  Once more with an engine whose commits
# fail at random: what was refused is tried again, who is thrown out logs in
# anew.
use strict;
use warnings;
use CulverTest;
use Test::More;

my $seed = $ENV{CULVER_SEED} || 1;
my $steps = $ENV{CULVER_LONG} ? 5000 : 250;
my $state;

sub rnd {
	$state = ($state * 1103515245 + 12345) & 0x7fffffff;
	return ($state >> 8) % $_[0];
}
sub pick { $_[rnd(scalar @_)] }

my @flags = qw(\\Seen \\Flagged \\Answered \\Draft \\Deleted $a $b);
my ($t, $imap, $trouble);

sub fresh {
	my ($box) = @_;
	for my $try (1 .. 200) {
		my $c = $t->connect($imap);
		$c->imap_line;
		my ($ok) = $c->imap('LOGIN alice secret');
		next if ($ok // '') !~ / OK /;
		my $s = { c => $c, box => $box, m => [] };
		return $s if reselect($s);
	}
	die 'no session after 200 tries';
}

# One untagged response changes the copy.
sub told {
	my ($s, $l) = @_;
	my $m = $s->{m};
	if ($l =~ /\A\* (\d+) EXISTS\z/) {
		$s->{wrong} = "EXISTS $1 of " . @$m if $1 < @$m;
		push @$m, { } while @$m < $1;
	} elsif ($l =~ /\A\* (\d+) EXPUNGE\z/) {
		$s->{wrong} = "EXPUNGE $1 of " . @$m if $1 < 1 || $1 > @$m;
		$s->{wrong} = "EXPUNGE during $s->{now}"
		    if $s->{now} =~ /\A(?:FETCH|STORE|SEARCH|COPY)/;
		splice @$m, $1 - 1, 1;
	} elsif ($l =~ /\A\* (\d+) FETCH \((.*)\)\z/s) {
		my ($n, $rest) = ($1, $2);
		return $s->{wrong} = "FETCH $n of " . @$m if $n > @$m;
		if ($rest =~ /\bUID (\d+)/) {
			my $old = $m->[$n - 1]{uid} // $1;
			$s->{wrong} = "UID $1 was $old" if $old != $1;
			$m->[$n - 1]{uid} = $1;
		}
		$m->[$n - 1]{flags} = join ' ', sort grep { $_ ne '\\Recent' }
		    split / /, $1 if $rest =~ /FLAGS \(([^)]*)\)/;
	}
}

# The tagged answer; undef when the session is over.
sub run {
	my ($s, $cmd) = @_;
	$s->{now} = $cmd;
	my ($ok, @l) = $s->{c}->imap($cmd);
	told($s, $_) for @l;
	return undef if !defined $ok || grep { /\A\* BYE / } @l;
	return $ok =~ s/\A\S+ //r;
}

sub reselect {
	my ($s) = @_;
	$s->{m} = [];
	my $ok = run($s, "SELECT $s->{box}");
	return 0 if !defined $ok || $ok !~ /\AOK/;
	$ok = run($s, 'UID FETCH 1:* FLAGS');
	return defined $ok && $ok =~ /\AOK/;
}

sub set_of {
	my ($s, $uid) = @_;
	my $n = @{ $s->{m} };
	my @i = map { rnd($n) } 1 .. 1 + rnd(3);
	return join ',', map { $_->{uid} } grep { $_->{uid} }
	    map { $s->{m}[$_] } @i if $uid;
	return join ',', map { $_ + 1 } @i;
}

# The flags that the session may now believe in.
sub apply {
	my ($s, $set, $uid, $op, $names) = @_;
	my %n = map { $_ => 1 } split /,/, $set;
	for my $i (0 .. $#{ $s->{m} }) {
		my $m = $s->{m}[$i];
		next unless $uid ? $m->{uid} && $n{ $m->{uid} } : $n{ $i + 1 };
		next unless defined $m->{flags};
		my %f = map { $_ => 1 } split / /, $m->{flags};
		%f = () if $op eq '';
		$f{$_} = 1 for $op eq '-' ? () : @$names;
		delete @f{@$names} if $op eq '-';
		$m->{flags} = join ' ', sort keys %f;
	}
}

sub step {
	my ($s) = @_;
	my $do = rnd(100);
	my $n = @{ $s->{m} };
	if ($do < 25 || $n == 0) {
		my $f = join ' ', grep { rnd(4) == 0 } @flags;
		return run($s, 'APPEND ' . pick('INBOX', 'x')
		    . " ($f) {12+}\r\nSubject: x\r\n");
	}
	my $uid = rnd(2);
	my $u = $uid ? 'UID ' : '';
	my $set = set_of($s, $uid);
	return run($s, 'NOOP') if $set eq '';
	if ($do < 60) {
		my @names = grep { rnd(3) == 0 } @flags;
		my ($op, $silent) = (pick('', '+', '-'), pick('', '.SILENT'));
		my $cmd = "${u}STORE $set ${op}FLAGS$silent (@names)";
		my $want = $s->{m};
		my $ok;
		if ($silent) {
			# Believed before the news: those come after it.
			my @before = map { [ $_, $_->{flags} ] } @$want;
			apply($s, $set, $uid, $op, \@names);
			push @$_, $_->[0]{flags} for @before;
			$ok = run($s, $cmd);
			return $ok if !defined $ok
			    || $ok =~ /\AOK|EXPUNGEISSUED/;
			for (@before) {
				my ($m, $old, $new) = @$_;
				$m->{flags} = $old if defined $new
				    && ($m->{flags} // '') eq $new;
			}
		} else {
			$ok = run($s, $cmd);
		}
		return $ok;
	}
	return run($s, "${u}COPY $set " . pick('INBOX', 'x')) if $do < 68;
	return run($s, "${u}MOVE $set " . pick('INBOX', 'x')) if $do < 74;
	return run($s, 'EXPUNGE') if $do < 80;
	return run($s, "UID EXPUNGE " . (set_of($s, 1) || 1)) if $do < 84;
	return run($s, "${u}FETCH $set (FLAGS BODY[TEXT])") if $do < 92;
	return run($s, "${u}SEARCH SEEN") if $do < 96;
	return run($s, 'NOOP');
}

sub copy_of {
	my ($s) = @_;
	return [ map { ($_->{uid} // '?') . ": " . ($_->{flags} // '?') }
	    @{ $s->{m} } ];
}

sub check {
	my ($what, @s) = @_;
	my %truth;
	for my $s (@s) {
		my $ok;
		for (1 .. 100) {
			$ok = run($s, 'NOOP');
			$ok = run($s, 'UID FETCH 1:* (UID)') if defined $ok;
			last if defined $ok && $ok =~ /\AOK/;
			if (!defined $ok) {
				my $new = fresh($s->{box});
				@$s{qw(c m)} = @$new{qw(c m)};
			}
		}
		$truth{ $s->{box} } //= copy_of(fresh($s->{box}));
		my $mine = copy_of($s);
		# Of a new message the flags need not have been told.
		for my $i (0 .. $#$mine) {
			$mine->[$i] = $truth{ $s->{box} }[$i]
			    if $mine->[$i] =~ /\A(\d+): \?\z/
			    && ($truth{ $s->{box} }[$i] // '') =~ /\A$1: /;
		}
		is($s->{wrong}, undef, "$what: nothing impossible was told");
		is_deeply($mine, $truth{ $s->{box} }, "$what: $s->{box}")
		    or return 0;
	}
	return 1;
}

for my $engine ('bdb', 'chaos') {
	$state = $seed;
	$t = CulverTest->new(conf => qq(engine = "$engine"\n));
	$imap = $t->start('imapd', 'imap');
	for (1 .. 100) {
		my $s = fresh('INBOX');
		my $ok = run($s, 'CREATE x') // '';
		last if $ok =~ /\AOK|ALREADYEXISTS/;
	}
	my @s = (fresh('INBOX'), fresh('INBOX'), fresh('x'));
	my %answer;
	for my $i (1 .. $steps) {
		my $s = pick(@s);
		my $ok = step($s);
		$answer{ ($ok // 'BYE') =~ /\A(\w+(?: \[\w+)?)/ ? $1 : '?' }++;
		if (!defined $ok) {
			my $new = fresh($s->{box});
			@$s{qw(c m)} = @$new{qw(c m)};
		} elsif ($ok =~ /\ABAD/) {
			fail("$engine, step $i: $s->{now}: $ok");
			last;
		} elsif ($engine eq 'bdb' && $ok =~ /\ANO/
		    && $ok !~ /EXPUNGEISSUED/) {
			fail("$engine, step $i: $s->{now}: $ok");
			last;
		}
		last if $i % 25 == 0 && !check("$engine, step $i", @s);
	}
	note("$engine: " . join ', ', map { "$_: $answer{$_}" }
	    sort keys %answer);
	ok(($answer{BYE} // 0) > 0, 'somebody was thrown out')
	    if $engine eq 'chaos';
}
done_testing();
