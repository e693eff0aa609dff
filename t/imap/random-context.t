# t/imap/random-context.t - lists that are kept by ADDTO and REMOVEFROM alone
# (RFC 5267) are, after every round, what the same search finds anew
use strict;
use warnings;
use CulverTest;
use Test::More;

my $seed = $ENV{SEED} // time ^ $$;
my $rounds = $ENV{CULVER_LONG} ? 3000 : 120;
srand $seed;
diag "SEED=$seed";

my $t = CulverTest->new(users => { alice => 'secret' });
my $imap = $t->start('imapd', 'imap');
my @c = map { $t->connect($imap) } 0 .. 2;
for (@c) {
	$_->imap_line;
	$_->imap('LOGIN alice secret');
}
my @subject = map { sprintf '%s %d', (qw(apple Pear plum Re: fig))[rand 5],
	rand 8 } 1 .. 40;
my @flag = qw(\Seen \Flagged \Deleted \Answered one two);
sub some { my ($n) = @_; return join ' ', map { $flag[rand @flag] } 1 .. $n }
sub message {
	my $x = $subject[rand @subject];
	my $body = 'x' x int rand 300;
	return "From: $x\@example.org\r\nSubject: $x\r\n\r\n$body\r\n";
}
sub append {
	my ($c) = @_;
	my $m = message();
	my $f = rand() < .5 ? '(' . some(2) . ') ' : '';
	$c->put(sprintf "ap APPEND INBOX %s{%d+}\r\n%s\r\n", $f, length $m, $m);
	return $c->imap_until('ap');
}
append($c[0]) for 1 .. 12;
$_->imap('SELECT INBOX') for @c;

# the observer's contexts
my @search = ('UID SEARCH RETURN (UPDATE ALL) UNSEEN',
	'SEARCH RETURN (UPDATE ALL) OR FLAGGED KEYWORD two',
	'UID SEARCH RETURN (UPDATE ALL) SUBJECT "p" NOT ANSWERED',
	'SEARCH RETURN (UPDATE ALL) UID 5:* SMALLER 200',
	'UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNSEEN',
	'SORT RETURN (UPDATE ALL) (REVERSE SIZE SUBJECT) UTF-8 UNDELETED',
	'UID SORT RETURN (UPDATE ALL) (REVERSE ARRIVAL) UTF-8 KEYWORD one');
my %list;	# tag => [ numbers ]
my $o = $c[0];

sub numbers {
	return map { /\A(\d+):(\d+)\z/ ? ($1 <= $2 ? $1 .. $2 :
		reverse $2 .. $1) : $_ } split /,/, $_[0];
}
my @wrong;
sub take {
	my ($l) = @_;
	if ($l =~ /\A\* (\d+) EXPUNGE\z/) {
		my $n = $1;
		for my $tag (keys %list) {
			next if $list{$tag}{uid};
			push @wrong, "$tag: $n is still in it: $l"
			    if grep { $_ == $n } @{ $list{$tag}{v} };
			$_ > $n and $_-- for @{ $list{$tag}{v} };
		}
		return;
	}
	return unless $l =~ /\A\* ESEARCH \(TAG "(\w+)"\)(?: UID)?(.*)\z/;
	my ($tag, $rest) = ($1, $2);
	my $x = $list{$tag} or return;
	while ($rest =~ s/\A (ADDTO|REMOVEFROM) \(([^()]*)\)//) {
		my ($what, @v) = ($1, split / /, $2);
		while (my ($pos, $set) = splice @v, 0, 2) {
			my @n = numbers($set);
			my $add = $what eq 'ADDTO';
			if ($pos == 0) {
				my %in = map { $_ => 1 } @{ $x->{v} };
				for (@n) {
					push @wrong, "$tag: $l" if
					    !!$in{$_} == $add;
					$add ? ($in{$_} = 1) : delete $in{$_};
				}
				$x->{v} = [ sort { $a <=> $b } keys %in ];
			} elsif ($add) {
				push @wrong, "$tag: position $pos: $l"
				    if $pos > @{ $x->{v} } + 1;
				splice @{ $x->{v} }, $pos - 1, 0, @n;
			} else {
				my @was = splice @{ $x->{v} }, $pos - 1, @n;
				push @wrong, "$tag: not @n at $pos: $l"
				    if "@was" ne "@n";
			}
		}
	}
}
sub ask {
	my ($line) = @_;
	my ($r, @u) = $o->imap($line);
	take($_) for @u;
	return ($r, @u);
}
for (@search) {
	my ($r, @u) = ask($_);
	my ($tag) = $r =~ /\A(\S+) OK/ or die "$_: $r";
	my ($found) = map { / ALL (\S+)\z/ ? $1 : () } @u;
	$list{$tag} = { uid => /\AUID/ ? 1 : 0, v => [ numbers($found // '') ],
		search => s/UPDATE //r };
}
is(scalar keys %list, scalar @search, 'the contexts are there');

sub set { my $n = 1 + int rand 20; return $n . ':' . ($n + int rand 4) }
for my $round (1 .. $rounds) {
	for (0 .. rand 4) {
		my $c = $c[rand @c];
		my $f = sub { $c == $o ? ask(@_) : $c->imap(@_) };
		my $what = int rand 9;
		if ($what < 3) {
			my ($r, @u) = append($c);
			take($_) for $c == $o ? @u : ();
		} elsif ($what < 6) {
			$f->('UID STORE ' . int(1 + rand 3 * $round) . ':* ' .
				(qw(+ - ))[rand 2] . 'FLAGS' .
				('', '.SILENT')[rand 2] . ' (' . some(2) . ')');
		} elsif ($what == 6) {
			$f->('STORE ' . set() . ' FLAGS (' . some(1) . ')');
		} elsif ($what == 7) {
			$f->('EXPUNGE') if rand() < .5;
		} else {
			$f->('FETCH 1 (FLAGS)');
		}
	}
	ask('NOOP');
	for my $tag (sort keys %list) {
		my (undef, @u) = ask($list{$tag}{search});
		my ($found) = map { / ALL (\S+)\z/ ? $1 : () } @u;
		my @n = numbers($found // '');
		next if "@n" eq "@{ $list{$tag}{v} }";
		push @wrong, "round $round: $list{$tag}{search}: kept " .
		    "@{ $list{$tag}{v} }, found @n";
	}
	last if @wrong;
}
is_deeply(\@wrong, [], "$rounds rounds");
done_testing();
