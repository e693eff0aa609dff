# t/jmap/push-subscription.t - PushSubscription/get and /set (RFC 8620 7.2)
use strict;
use warnings;
use Test::More;
use CulverJmap;
use PushSink;
use MIME::Base64 qw(encode_base64url);
use Time::Local qw(timegm);

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' },
	conf => $PushSink::conf);
my $sink = PushSink->new($t);
my $T = JSON::PP::true;
my %new = (deviceClientId => 'd1', url => $sink->url('a'));

# Without accountId: one call as alice, or as another user.
sub ask {
	my ($name, $args, @as) = @_;
	my $r = $t->post($CulverJmap::json->encode({
		using => ['urn:ietf:params:jmap:core'],
		methodCalls => [["$name", $args, 'c']] }),
		@as ? (auth => $t->auth(@as)) : ());
	my $m = $r->{json}{methodResponses}[0];
	return $m->[0] eq 'error' ? { error => $m->[1]{type} } : $m->[1];
}
sub get { ask('PushSubscription/get', @_) }
sub set { ask('PushSubscription/set', @_) }
sub create {
	my (%p) = @_;
	my $r = set({ create => { k => { %new, %p } } });
	return $r->{created} ? $r->{created}{k} : $r->{notCreated}{k};
}

# ---- the session
my $cap = $t->session->{capabilities}{'urn:ietf:params:jmap:webpush-vapid'};
like($cap->{applicationServerKey}, qr/\AB[\w-]{86}\z/, 'a key for RFC 9749');
is($t->post($CulverJmap::json->encode({ using => ['urn:ietf:params:jmap:core',
	'urn:ietf:params:jmap:webpush-vapid'], methodCalls => [] }))->{status},
    200, 'its capability may be used');

# ---- create
my $c = create();
like($c->{id}, qr/\AP[0-9a-f]+\z/, 'an id');
is($c->{keys}, undef, 'keys: null');
ok(exists $c->{keys}, '... told');
like($c->{expires}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/,
    'an expiry is set');
my ($y, $mo, $d, $h, $mi, $s) = $c->{expires} =~ /(\d+)/g;
my $left = timegm($s, $mi, $h, $d, $mo - 1, $y) - time;
ok($left > 7 * 86400 && $left <= 30 * 86400, 'of at least seven days');
my $key = encode_base64url(pack 'H*', '04'
    . '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'
    . '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5');
my $auth = encode_base64url('a' x 16);
for (['no device', deviceClientId => undef], ['empty device',
	deviceClientId => ''], ['http', url => 'http://example.org/'],
    ['no URL', url => 'x'], ['user info', url => 'https://a@b.c/'],
    ['a blank', url => 'https://example.org/a b'],
    ['a code', verificationCode => 'x'], ['a past expiry',
	expires => '2020-01-01T00:00:00Z'],
    ['an offset', expires => '2030-01-01T00:00:00+01:00'],
    ['types', types => 'Email'], ['types of numbers', types => [1]],
    ['half keys', keys => { p256dh => $key }],
    ['no point', keys => { p256dh => encode_base64url("\4" . 'x' x 64),
	auth => $auth }],
    ['a short secret', keys => { p256dh => $key, auth => 'YQ' }],
    ['more than keys', keys => { p256dh => $key, auth => $auth, x => 1 }],
    ['an id', id => 'P1'], ['something else', colour => 'red']) {
	my ($what, %p) = @$_;
	my $e = create(%p);
	is($e->{type}, 'invalidProperties', "not with $what");
	is_deeply($e->{properties}, [keys %p], '... which is named');
}
$c = create(keys => { p256dh => "$key=", auth => "$auth==" },
    types => ['Email', 'Unheard'], expires => '2100-01-01T00:00:00Z');
ok($c->{id}, 'keys, padded; types that nobody knows');
ok(!exists $c->{types} && !exists $c->{keys}, 'what was given is not told');
like($c->{expires}, qr/\A20[23]/, 'but an expiry too far away');
my $keyed = $c->{id};

# ---- get
my $r = get({});
is(@{ $r->{list} }, 2, 'ids null: all');
ok(!exists $r->{state} && !exists $r->{accountId}, 'no state, no account');
is_deeply([sort keys %{ $r->{list}[1] }],
    [qw(deviceClientId expires id types verificationCode)],
    'not the URL, not the keys');
is_deeply($r->{list}[1]{types}, ['Email', 'Unheard'], 'types');
is($r->{list}[1]{verificationCode}, undef, 'the code comes by the push alone');
is(get({ properties => [$_] })->{error}, 'forbidden', "$_: forbidden")
    for qw(url keys);
is(get({ properties => ['x'] })->{error}, 'invalidArguments',
    'an unknown property');
is(get({ accountId => $t->account })->{error}, 'invalidArguments',
    'accountId is no argument');
is_deeply(get({ ids => [$keyed, 'P999', 'x'] })->{notFound},
    ['P999', 'x'], 'notFound');
is_deeply(get({ ids => [$keyed], properties => ['types'] })->{list},
    [{ id => $keyed, types => ['Email', 'Unheard'] }], 'one property');
is_deeply(get({}, bob => 'other')->{list}, [], "not another user's");

# ---- update and destroy
is(set({ ifInState => '1' })->{error}, 'invalidArguments',
    'no ifInState');
sub update {
	my ($id, $p, @as) = @_;
	return set({ update => { $id => $p } }, @as);
}
is(update($keyed, { verificationCode => 'wrong' })->{notUpdated}{$keyed}{type},
    'invalidProperties', 'a wrong code');
is(update($keyed, { url => $sink->url('b') })->{notUpdated}{$keyed}{type},
    'invalidProperties', 'the URL stays');
is(update($keyed, { types => undef }, bob => 'other')->{notUpdated}{$keyed}
	{type}, 'notFound', "not another user's");
$r = update($keyed, { types => undef, expires => '2100-01-01T00:00:00Z' });
like($r->{updated}{$keyed}{expires}, qr/\A20[23]/, 'a shorter expiry is told');
ok(!exists $r->{oldState} && !exists $r->{newState}, 'no states');
is(get({ ids => [$keyed] })->{list}[0]{types}, undef, 'all types');
$r = set({ destroy => [$keyed, 'P999'] });
is_deeply($r->{destroyed}, [$keyed], 'destroyed');
is($r->{notDestroyed}{P999}{type}, 'notFound', 'another is not there');

# ---- limits, credentials
my %many = map { $_ => { %new, deviceClientId => "m$_" } } 1 .. 40;
$r = set({ create => \%many });
is(keys %{ $r->{created} }, 31, 'up to 32 of them');
is((values %{ $r->{notCreated} })[0]{type}, 'overQuota', 'not more');
is(@{ get({})->{list} }, 32, 'so many there are');
my ($code) = $t->culver(\"changed\n", "user", "passwd", "--password-stdin",
    "alice");
is($code, 0, 'another password');
is_deeply(get({}, alice => 'changed')->{list}, [],
    'those made with the old one are not there');

# ---- without jmap-push
my $u = CulverJmap->new;
ok(!exists $u->session->{capabilities}{'urn:ietf:params:jmap:webpush-vapid'},
    'no capability where nothing pushes');
$t = $u;
is(ask("PushSubscription/$_", {})->{error}, 'unknownMethod',
    "and no /$_") for qw(get set);
done_testing;
