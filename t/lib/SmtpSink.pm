# t/lib/SmtpSink.pm - an SMTP server that keeps what it gets, for tests
#
# What it answers depends on addresses: no-...@ is refused, later-...@ put off;
# a message with "X-Refuse:" in its header is refused at its end.  The file MODE in
# its directory makes it "down" (421), "dumb" (no extensions), "drop" (ends
# before the last answer), "mute" (takes the message and never says so),
# "refuse" (at the end), "small" (SIZE 1000) or "kind" (nobody is put off).
package SmtpSink;
use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;

my $json = JSON::PP->new->latin1->canonical;

sub new {
	my ($class, $dir) = @_;
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16)
	    or die "listen: $!";
	my $self = bless { port => $l->sockport, dir => $dir }, $class;
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0) {
		$SIG{$_} = 'DEFAULT' for qw(TERM INT);
		local $SIG{PIPE} = 'IGNORE';
		while (my $c = $l->accept) {
			eval { $self->serve($c) };
			close $c;
		}
		POSIX::_exit(0);
	}
	return $self;
}

sub relay { "127.0.0.1:$_[0]{port}" }

sub mode {
	my ($self, $mode) = @_;
	open(my $fh, '>', "$self->{dir}/MODE.new") or die $!;
	print $fh $mode;
	close $fh;
	rename "$self->{dir}/MODE.new", "$self->{dir}/MODE";
}

sub read_mode {
	my ($self) = @_;
	open(my $fh, '<', "$self->{dir}/MODE") or return '';
	return <$fh> // '';
}

# What came since the last call: { from, args, rcpt => [...], data }.
sub mails {
	my ($self) = @_;
	open(my $fh, '<', "$self->{dir}/smtp.log") or return ();
	# The last line may not be all there yet.
	my @all = map { $json->decode($_) } grep { /\n\z/ } <$fh>;
	my $seen = $self->{seen} // 0;
	$self->{seen} = @all;
	return @all[$seen .. $#all];
}

sub serve {
	my ($self, $c) = @_;
	my $mode = $self->read_mode;
	my $say = sub { print $c map { "$_\r\n" } @_; $c->flush };
	my %m = (rcpt => []);
	return $say->('421 4.3.2 Not now') if $mode eq 'down';
	$say->('220-sink', '220 ready');
	while (defined(my $l = <$c>)) {
		$l =~ s/\r\n\z// or return;
		if ($l =~ /\AEHLO \S+\z/) {
			$say->('502 What?'), next if $mode eq 'dumb';
			$say->('250-sink', '250-8BITMIME', '250-SMTPUTF8', '250-DSN',
			    '250 SIZE ' . ($mode eq 'small' ? 1000 : 0));
		} elsif ($l =~ /\AHELO \S+\z/) {
			$say->('250 sink');
		} elsif ($l =~ /\AMAIL FROM:<([^>]*)>(.*)\z/) {
			$say->('550 5.1.8 Bad sender'), next
			    if $1 =~ /\Aalice\+bad@/;
			%m = (from => $1, args => $2, rcpt => []);
			$say->('250 2.1.0 Ok');
		} elsif ($l =~ /\ARCPT TO:<([^>]*)>\z/) {
			my $a = $1;
			$say->('550-5.1.1 There is nobody', '550 5.1.1 here'),
			    next if $a =~ /\Ano-/;
			$say->('451 4.2.0 Later'), next
			    if $a =~ /\Alater-/ && $mode ne 'kind';
			push @{ $m{rcpt} }, $a;
			$say->('250 2.1.5 Good');
		} elsif ($l eq 'DATA') {
			$say->('354 Go');
			$m{data} = '';
			while (defined($l = <$c>) && $l ne ".\r\n") {
				$l =~ s/\A\.//;
				$m{data} .= $l;
			}
			return unless defined $l;
			return if $mode eq 'drop';
			my ($head) = split /\r\n\r\n/, $m{data};
			$say->('554-5.6.0 Not', '554-5.6.0 this', '554 one'),
			    next if $mode eq 'refuse' || $head =~ /^X-Refuse:/m;
			open(my $fh, '>>', "$self->{dir}/smtp.log") or die $!;
			print $fh $json->encode(\%m), "\n";
			close $fh;
			return scalar <$c> if $mode eq 'mute';
			$say->('250 2.0.0 Queued');
		} elsif ($l eq 'QUIT') {
			return $say->('221 2.0.0 Bye');
		} else {
			$say->("500 5.5.2 $l");
		}
	}
}

sub stop {
	my ($self) = @_;
	return unless $self->{pid};
	kill 'TERM', $self->{pid};
	waitpid($self->{pid}, 0);
	delete $self->{pid};
}

1;
