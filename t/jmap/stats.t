# t/jmap/stats.t - requests are counted for culver stats
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' });
$t->account;

sub jmap_stats {
	my ($code, $out) = $t->culver('stats', '--json');
	my ($s) = grep { $_->{protocol} eq 'jmap' } @{ JSON::PP::decode_json($out) };
	return $s;
}

# A request is counted after its response.
sub later {
	my ($key, $n) = @_;
	for (1 .. 400) {
		last if jmap_stats()->{$key} >= $n;
		select(undef, undef, undef, 0.01);
	}
	return jmap_stats()->{$key};
}

my $before = later('sessions', 1);
$t->call('Core/echo', { a => $_ }) for 1 .. 5;
is(later('sessions', $before + 5), $before + 5, 'each request');
my $s = jmap_stats();
is($s->{commands}, $s->{sessions}, 'is a command');
cmp_ok($s->{sent_bytes}, '>', 500, 'octets');
is($s->{refused_commands}, 0, 'none was refused');
$t->request('GET', '/jmap/nothing');
is(later('refused_commands', 1), 1, 'one is now');
done_testing();
