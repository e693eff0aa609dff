# t/fuzz/replay.t - every fuzz harness over its corpus, whole and mutated
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my ($src, $build) = ($ENV{srcdir}, $ENV{builddir});
my $mutations = $ENV{CULVER_LONG} ? 200 : 10;
my @fuzzers = grep { -f && -x && m{/fuzz-[^./]+\z} } glob("$build/t/fuzz/fuzz-*");
plan skip_all => 'no harness is built' if !@fuzzers;

# The same mutations in every run.
my $seed = 1;
sub rnd {
	$seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
	return ($seed >> 8) % $_[0];
}

sub mutate {
	my ($s) = @_;
	for (0 .. rnd(4)) {
		my $n = length $s or last;
		my $at = rnd($n);
		my $how = rnd(5);
		if ($how == 0) {
			substr($s, $at, 1) = chr(ord(substr($s, $at, 1)) ^ 1 << rnd(8));
		} elsif ($how == 1) {
			substr($s, $at, 1) = chr(rnd(256));
		} elsif ($how == 2) {
			substr($s, $at, 1 + rnd(16)) = '';
		} elsif ($how == 3) {
			substr($s, $at, 0) = substr($s, rnd($n), 1 + rnd(32));
		} else {
			$s = substr($s, 0, $at);
		}
	}
	return $s;
}

for my $fuzzer (@fuzzers) {
	my ($name) = $fuzzer =~ /fuzz-([^\/]+)\z/;
	my $corpus = "$src/t/fuzz/corpus/$name";
	my @inputs = grep { -f } glob("$corpus/*");
	ok(scalar @inputs, "$name has a corpus");
	my $dir = tempdir(CLEANUP => 1);
	for my $in (@inputs) {
		open(my $fh, '<:raw', $in) or die "$in: $!";
		my $s = do { local $/; <$fh> } // '';
		for my $k (1 .. $mutations) {
			my ($base) = $in =~ m{([^/]+)\z};
			open(my $out, '>:raw', "$dir/$base.$k") or die;
			print $out mutate($s);
			close($out) or die;
		}
	}
	my $log = qx($fuzzer -runs=0 $corpus $dir 2>&1);
	is($?, 0, "$name: corpus and mutations") or diag(substr($log, -4000));
}
done_testing();
