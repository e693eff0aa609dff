# t/imap/tls.t - the other scripts of this folder once more, over sockets: odd
# sessions within TLS, even ones without
use strict;
use warnings;
use Test::More;

my $dir = "$ENV{srcdir}/t/imap";
my @script = grep { has_script($_) } glob "$dir/*.t";
cmp_ok(scalar @script, '>', 30, 'scripts');
$ENV{CULVER_IMAP} = 'net';

sub slurp {
	my ($path) = @_;
	open(my $fh, '<', $path) or die "$path: $!";
	local $/;
	return <$fh>;
}

sub has_script {
	return slurp($_[0]) =~ /^ImapScript::run\(/m;
}

# Starts one; its output comes from the handle.
sub start {
	my ($path) = @_;
	open(my $fh, '-|', "exec '$^X' '$path' 2>&1") or die "$path: $!";
	return { path => $path, fh => $fh };
}

sub finish {
	my ($job) = @_;
	my $out = do { local $/; readline $job->{fh} } // '';
	my $name = $job->{path} =~ s{.*/}{}r;
	close $job->{fh};
	ok($? == 0 && $out =~ /^1\.\.\d+$/m, "$name over TLS")
	    or diag(join "\n", grep { !/^ok / } split /\n/, $out);
}

my @running;
while (@script || @running) {
	push @running, start(shift @script) while @script && @running < 4;
	finish(shift @running);
}
done_testing();
