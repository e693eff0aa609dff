# t/lib/ImapScript.pm - IMAP sessions as data: what is sent and what must come
#
# A script is the DATA of a test.  Its lines:
#
#   == TITLE        a test of its own: a new account, no session open
#   # ...           a comment
#   @ NAME          a message; its lines follow, each after "|"
#   C: TEXT         session 1 sends TEXT and CRLF; C2: is session 2, and so on
#   R: TEXT         the same without CRLF
#   M: CMD < NAME   sends CMD and the message as a literal, after its "+"
#   S: TEXT         the next response of session 1 (S2: ...) is TEXT
#   U: TEXT         one of the next responses: adjacent U lines in any order
#   S/ REGEX        it matches; named groups become variables
#   A: TEXT         responses are skipped up to one that is TEXT
#   N:              nothing comes for a moment
#   E:              the connection ends
#   L2: NAME        session 2 is another user's: run(users => [ NAME, ... ])
#
# ${me} is the test's account, ${NAME} those of other users.
#
# In TEXT, "..." is anything, ${name} a variable, <CRLF> <CR> <LF> <NUL> and
# <xHH> octets, <N*TEXT> is TEXT N times.  A response is a line with the
# literals in it.
#
# Sessions are imapds on pipes, logged in by -u.  With CULVER_IMAP=net they come
# over sockets and log in: odd ones within TLS, even ones without.
package ImapScript;
use strict;
use warnings;
use CulverTest;
use IPC::Open3;
use Test::More;

my $net = ($ENV{CULVER_IMAP} // '') eq 'net';

sub octets {
	my ($t, $var) = @_;
	$t =~ s/\$\{(\w+)\}/$var->{$1} \/\/ "undefined $1"/ge;
	$t =~ s/<(\d+)\*([^<>]*)>/$2 x $1/ge;
	$t =~ s/<CRLF>/\r\n/g;
	$t =~ s/<CR>/\r/g;
	$t =~ s/<LF>/\n/g;
	$t =~ s/<NUL>/\0/g;
	$t =~ s/<x([0-9A-Fa-f]{2})>/chr hex $1/ge;
	return $t;
}

sub pattern {
	my ($t, $var) = @_;
	my $re = join '.*?', map { quotemeta octets($_, $var) }
	    split /\.\.\./, $t, -1;
	return qr/\A$re\z/s;
}

# ---- a session over pipes, or to a port

package ImapScript::Session;
our @ISA = ('CulverTest::Client');

sub pipe {
	my ($class, $server, $user) = @_;
	my ($in, $out);
	open(my $err, '>>', $server->path('stderr')) or die;
	my $pid = IPC::Open3::open3($in, $out, '>&' . fileno($err),
	    $server->program('imapd'), '-f', $server->conf_file, '-u', $user);
	binmode $in;
	binmode $out;
	return bless { sock => $out, out => $in, buf => '', pid => $pid },
	    $class;
}

sub net {
	my ($class, $server, $user, $tls) = @_;
	my $l = $tls ? 'imaps' : 'imap';
	my $port = $server->{port}{$l} // $server->start('imapd', $l);
	my $self = $class->SUPER::new($port, tls => $tls,
	    ca => $server->path('cert.pem'));
	my $hello = $self->imap_line // '';
	return ($self, $hello) if $hello !~ /\A\* OK \[CAPABILITY /;
	$self->put("login LOGIN $user secret\r\n");
	return ($self, $self->imap_line // '');
}

sub put {
	my ($self, $data) = @_;
	return $self->SUPER::put($data) unless $self->{out};
	local $self->{sock} = $self->{out};
	return $self->SUPER::put($data);
}

sub finish {
	my ($self) = @_;
	close $self->{out} if $self->{out};
	close $self->{sock};
	waitpid($self->{pid}, 0) if $self->{pid};
	return $? if $self->{pid};
	return 0;
}

# ---- the interpreter

package ImapScript;

sub new {
	my ($class, %o) = @_;
	return bless { %o, session => {}, var => {}, msg => {}, where => '' },
	    $class;
}

sub session {
	my ($self, $n) = @_;
	return $self->{session}{$n} if $self->{session}{$n};
	my $user = $self->{login}{$n} // $self->{user};
	my ($s, $hello);
	if ($net) {
		($s, $hello) = ImapScript::Session->net($self->{server}, $user,
		    $n % 2);
	} else {
		$s = ImapScript::Session->pipe($self->{server}, $user);
		$hello = $s->imap_line // '';
	}
	like($hello, qr/\A(?:\* PREAUTH|login OK) \[CAPABILITY /, "session $n")
	    or return $self->abandon;
	return $self->{session}{$n} = $s;
}

sub abandon {
	my ($self) = @_;
	$self->{dead} = 1;
	return undef;
}

sub text_of {
	my ($self, $t) = @_;
	return octets($t, $self->{var});
}

sub next_line {
	my ($self, $n) = @_;
	my $s = $self->session($n) or return undef;
	return $s->imap_line;
}

sub fail_at {
	my ($self, $got, $want) = @_;
	fail("$self->{where}: $want");
	diag('got: ' . (defined $got ? $got =~ s/\r\n/<CRLF>/gr : 'nothing'));
	$self->abandon;
}

sub do_expect {
	my ($self, $n, $t) = @_;
	my $got = $self->next_line($n);
	return ok(1, "$self->{where}: $t")
	    if defined $got && $got =~ pattern($t, $self->{var});
	$self->fail_at($got, $t);
}

sub do_regex {
	my ($self, $n, $t) = @_;
	my $got = $self->next_line($n);
	$t =~ s/\$\{(\w+)\}/quotemeta($self->{var}{$1} \/\/ 'undefined')/ge;
	if (defined $got && $got =~ /\A$t\z/s) {
		my %found = %+;
		$self->{var}{$_} = $found{$_} for keys %found;
		return ok(1, "$self->{where}: $t");
	}
	$self->fail_at($got, $t);
}

sub do_until {
	my ($self, $n, $t) = @_;
	my $re = pattern($t, $self->{var});
	my ($tag) = $t =~ /\A(\S+)/;
	my $got;
	while (defined($got = $self->next_line($n))) {
		return ok(1, "$self->{where}: $t") if $got =~ $re;
		last if $tag ne '*' && $got =~ /\A\Q$tag\E /;
	}
	$self->fail_at($got, $t);
}

sub do_unordered {
	my ($self, $n, @t) = @_;
	my @re = map { [ $_, pattern($_, $self->{var}) ] } @t;
	while (@re) {
		my $got = $self->next_line($n);
		my @left = grep { !defined $got || $got !~ $_->[1] } @re;
		return $self->fail_at($got, join(' | ', map { $_->[0] } @re))
		    if @left == @re;
		# One response answers for one line only.
		my ($hit) = grep { $got =~ $_->[1] } @re;
		@re = grep { $_ != $hit } @re;
	}
	ok(1, "$self->{where}: @t");
}

sub do_message {
	my ($self, $n, $t) = @_;
	my ($cmd, $name) = $t =~ /\A(.*?) < (\S+)\z/ or die "bad M: $t";
	my $msg = $self->{msg}{$name} // die "no message $name";
	my $s = $self->session($n) or return;
	$s->put($self->text_of($cmd) . ' {' . length($msg) . "}\r\n");
	my $go = $s->imap_line;
	return $self->fail_at($go, "+ for $t")
	    unless defined $go && $go =~ /\A\+ /;
	$s->put("$msg\r\n");
}

sub do_end {
	my ($self, $n) = @_;
	my $s = $self->session($n) or return;
	my $rest = $s->rest;
	is($rest, '', "$self->{where}: the connection ends");
	is($s->finish, 0, "$self->{where}: exit status");
	delete $self->{session}{$n};
}

sub step {
	my ($self, $op, $n, $t, $more) = @_;
	if ($op eq 'L') {
		$self->{login}{$n} = $self->{var}{$t} // die "no user $t";
	} elsif ($op eq 'C') {
		my $s = $self->session($n) or return;
		$s->put($self->text_of($t) . "\r\n");
	} elsif ($op eq 'R') {
		my $s = $self->session($n) or return;
		$s->put($self->text_of($t));
	} elsif ($op eq 'M') {
		$self->do_message($n, $t);
	} elsif ($op eq 'S') {
		$self->do_expect($n, $t);
	} elsif ($op eq '/') {
		$self->do_regex($n, $t);
	} elsif ($op eq 'A') {
		$self->do_until($n, $t);
	} elsif ($op eq 'U') {
		$self->do_unordered($n, $t, @$more);
	} elsif ($op eq 'N') {
		my $s = $self->session($n) or return;
		$s->fill(0.1) unless length $s->{buf};
		is($s->{buf}, '', "$self->{where}: nothing comes");
	} elsif ($op eq 'E') {
		$self->do_end($n);
	}
}

sub close_all {
	my ($self) = @_;
	for my $n (sort keys %{ $self->{session} }) {
		my $s = $self->{session}{$n};
		next if $self->{dead};
		$s->put("zz LOGOUT\r\n");
		my ($l) = $s->imap_until('zz');
		like($l // 'nothing', qr/\Azz OK/, "$self->{title}: logout $n");
		is($s->finish, 0, "$self->{title}: exit status $n");
	}
	if ($self->{dead}) {
		kill 'KILL', $_->{pid} || () for values %{ $self->{session} };
		$_->finish for values %{ $self->{session} };
	}
	$self->{session} = {};
	$self->{login} = {};
	$self->{dead} = 0;
	$self->{var} = {};
}

# Runs the script in the file handle.
sub run {
	my ($fh, %o) = @_;
	my @line = <$fh>;
	my $groups = grep { /\A== / } @line;
	my @other = @{ $o{users} || [] };
	my %users = map { my $n = $_; map { ("u$n$_" => 'secret') } '', @other }
	    1 .. $groups;
	my $conf = $o{conf} || '';
	$conf .= qq(engine = "$ENV{CULVER_ENGINE}"\n) if $ENV{CULVER_ENGINE};
	my $server = CulverTest->new(users => \%users, conf => $conf,
	    tls => $net);
	my $self = __PACKAGE__->new(server => $server, title => '');
	my ($group, $msg) = (0, undef);
	for my $i (0 .. $#line) {
		my $l = $line[$i];
		chomp $l;
		if ($l =~ /\A\|(.*)\z/) {
			$self->{msg}{$msg} .= $self->text_of($1) . "\r\n";
		} elsif ($l =~ /\A@ (\S+)\z/) {
			$self->{msg}{$msg = $1} = '';
		} elsif ($l =~ /\A== (.*)\z/) {
			$self->close_all;
			$self->{title} = $1;
			$self->{user} = $self->{var}{me} = 'u' . ++$group;
			$self->{var}{$_} = "u$group$_" for @other;
		} elsif ($l =~ /\A(?:#|\s*\z)/) {
			next;
		} elsif ($l =~ /\A([A-Z])(\d?)(?::|(\/))(?: (.*))?\z/) {
			my ($op, $n, $t, $mark) = ($3 ? '/' : $1, $2 || 1, $4 // '', $2);
			next if $self->{dead} || $self->{used}{$i};
			$self->{where} = "$self->{title}, line " . ($i + 1);
			my @more;
			while ($op eq 'U' && $line[$i + 1 + @more] =~
			    /\AU\Q$mark\E: (.*)\n/) {
				$self->{used}{$i + 1 + @more} = 1;
				push @more, $1;
			}
			$self->step($op, $n, $t, \@more);
		} else {
			die 'line ' . ($i + 1) . ": what is $l?\n";
		}
	}
	$self->close_all;
	if ($ENV{CULVER_KEEP} || grep { !$_ } Test::More->builder->summary) {
		diag($server->slurp('stderr'));
		diag(join '', grep { /error|warn/i } split /^/,
		    $server->slurp('log'));
	}
	done_testing();
	return $self;
}

1;
