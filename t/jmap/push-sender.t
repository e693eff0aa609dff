# t/jmap/push-sender.t - jmap-push: what it posts, when, where, and what it
# makes of the answers (RFC 8620 7.2, RFC 8030, 8291, 8292)
use strict;
use warnings;
use Test::More;
use CulverJmap;
use PushSink;
use MIME::Base64 qw(decode_base64url encode_base64url);

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' },
	conf => $PushSink::conf);
my $sink = PushSink->new($t);
my $json = $CulverJmap::json;
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
$sink->listen_push;

sub ask {
	my ($name, $args) = @_;
	my $r = $t->post($json->encode({
		using => ['urn:ietf:params:jmap:core'],
		methodCalls => [["$name", $args, 'c']] }));
	return $r->{json}{methodResponses}[0][1];
}
sub get { ask('PushSubscription/get', @_) }
sub set { ask('PushSubscription/set', @_) }
sub create {
	my ($name, %p) = @_;
	my $r = set({ create => { k => { deviceClientId => $name,
		url => $sink->url($name), %p } } });
	return $r->{created}{k}{id} // die $json->encode($r);
}
sub ids { map { $_->{id} } @{ get({})->{list} } }
sub verify {
	my ($id, $push) = @_;
	my $body = $json->decode($push->{body});
	my $r = set({ update => { $id =>
		{ verificationCode => $body->{verificationCode} } } });
	return exists $r->{updated}{$id};
}
sub change { $t->import_mail("Subject: $_[0]\r\n\r\nx\r\n") }
sub log_has {
	my ($re) = @_;
	for (1 .. 200) {
		return 1 if $t->slurp('log') =~ $re;
		select(undef, undef, undef, 0.05);
	}
	return 0;
}

# ---- verification
my $pid = $sink->start('-w', 600);
my $id = create('one', types => ['Email', 'Quota']);
my ($p) = $sink->pushes(1);
is("$p->{method} $p->{path}", 'POST /push/one', 'a request at once');
my $body = $json->decode($p->{body});
is_deeply([@{$body}{'@type', 'pushSubscriptionId'}], ['PushVerification', $id],
    'PushVerification');
like($body->{verificationCode}, qr/\A\w{32}\z/, 'a code');
my $h = $p->{headers};
is($h->{'content-type'}, 'application/json', 'its type');
ok(!exists $h->{'content-encoding'}, 'as it is');
is($h->{ttl}, 86400, 'TTL');
ok(!exists $h->{expect} && !exists $h->{topic}, 'nothing else');

# ---- VAPID: the signature is right, the claims are
my ($jwt, $k) = ($h->{authorization} // '') =~ /\Avapid t=([^,]+), ?k=(\S+)\z/;
is($k, $t->session->{capabilities}{'urn:ietf:params:jmap:webpush-vapid'}
	{applicationServerKey}, 'the key of the session');
my @jwt = split /\./, $jwt;
my $claims = $json->decode(decode_base64url($jwt[1]));
is($claims->{aud}, "https://127.0.0.1:$sink->{port}", 'aud');
is($claims->{sub}, 'mailto:postmaster@mail.test', 'sub');
ok($claims->{exp} > time && $claims->{exp} <= time + 86400, 'exp');
sub der { my ($tag, $v) = @_; return pack('CC', $tag, length $v) . $v }
sub number {
	my $n = shift;
	$n =~ s/\A\0+(?=.)//s;
	return der(2, ord($n) > 127 ? "\0$n" : $n);
}
my $spki = pack('H*', '3059301306072a8648ce3d020106082a8648ce3d030107034200')
    . decode_base64url($k);
my $sig = decode_base64url($jwt[2]);
$t->spew('vapid.der', $spki);
$t->spew('vapid.sig', der(0x30, number(substr $sig, 0, 32)
	. number(substr $sig, 32)));
$t->spew('vapid.txt', "$jwt[0].$jwt[1]");
my $d = $t->path('');
is(system("openssl dgst -sha256 -verify $d/vapid.der -keyform DER -signature "
	. "$d/vapid.sig $d/vapid.txt >$d/openssl.out 2>&1"), 0, 'the signature');

# ---- nothing more before the code comes back
change('early');
is(scalar $sink->pushes(1, 1), 0, 'nothing until it is verified');
ok(verify($id, $p), 'the code is right');

# ---- changes
($p) = $sink->pushes(1);
$body = $json->decode($p->{body});
is($body->{'@type'}, 'StateChange', 'what changed meanwhile');
is_deeply([keys %{ $body->{changed} }], [$t->account], 'of the account');
is_deeply([sort keys %{ $body->{changed}{ $t->account } }],
    ['Email', 'Quota'], 'the types that it wants');
for (qw(Email Quota)) {
	local $t->{using} = [@{ $t->{using} }, 'urn:ietf:params:jmap:quota'];
	is($body->{changed}{ $t->account }{$_},
	    $t->call("$_/get", { ids => [] })->{state}, "$_: its state");
}
is($p->{headers}{topic}, 'state', 'Topic');
is($p->{headers}{urgency}, 'low', 'Urgency: no EmailDelivery is wanted');
ok($p->{headers}{ttl} > 86400, 'TTL');
$t->call('Mailbox/set', { create => { k => { name => 'New' } } });
is(scalar $sink->pushes(1, 2.5), 1, 'a mailbox: Quota')
    or diag($t->slurp('pushes'));

# Mail by LMTP, and no jmap-fcgi has to run.
my $port = $t->start('lmtpd', 'lmtp');
sub deliver {
	my $c = CulverTest::Client->new($port);
	$c->get;
	for ('LHLO x', 'MAIL FROM:<>', 'RCPT TO:<alice@mail.test>', 'DATA') {
		$c->put("$_\r\n");
		my $l;
		do { $l = $c->get } while defined $l && $l =~ /\A\d+-/;
	}
	$c->put("Subject: $_[0]\r\n\r\nx\r\n.\r\n");
	return $c->get;
}
like(deliver('by LMTP'), qr/\A250 /, 'delivered');
($p) = $sink->pushes(1);
like($p->{body}, qr/"Email":/, 'a delivery is pushed');

# ---- encryption
my $key = '0f' x 32;
my $auth = '0a' x 16;
my $open = "$CulverTest::builddir/t/jmap/webpush-open";
my $public = `$open $key`;
is(length $public, 65, 'a key');
my $sealed = create('sealed', keys => { p256dh => encode_base64url($public),
	auth => encode_base64url(pack 'H*', $auth) });
my @p = grep { $_->{path} =~ /sealed/ } $sink->pushes(1);
is($p[0]{headers}{'content-encoding'}, 'aes128gcm', 'encrypted');
sub opened {
	my ($push) = @_;
	$t->spew('sealed', $push->{body});
	return scalar `$open $key $auth <$d/sealed`;
}
my $plain = opened($p[0]);
like($plain, qr/"PushVerification"/, 'what was sealed can be opened');
unlike($p[0]{body}, qr/PushVer|$sealed/, 'and was sealed');
ok(verify($sealed, { body => $plain }), 'verified');
change('sealed');
@p = ();
push @p, $sink->pushes(1) until grep { $_->{path} =~ /sealed/ } @p;
my ($s) = grep { $_->{path} =~ /sealed/ } @p;
$body = $json->decode(opened($s));
is($body->{'@type'}, 'StateChange', 'a change');
ok(exists $body->{changed}{ $t->account }{EmailDelivery}, 'all types');
is($s->{headers}{urgency}, 'normal', 'Urgency: new mail');
set({ destroy => [$id] });
$sink->pushes(0, 1);

# ---- answers
$sink->mode('503 Retry-After: 3');
my $start = time;
change('later');
is(($sink->pushes(1))[0]{code}, 503, 'the service is out of order');
$sink->mode('201');
($p) = $sink->pushes(1);
ok($p && $p->{code} == 201, 'it is tried again');
ok(time - $start >= 3, '... when the service wants it');
$sink->mode('429');
change('slower');
is(($sink->pushes(1))[0]{code}, 429, 'too many');
$sink->mode('201');
$start = time;
change('more');
($p) = $sink->pushes(1);
ok(time - $start >= 2, 'some seconds without any');
$sink->pushes(0, 1);
select(undef, undef, undef, 3);
$sink->mode('410');
change('gone');
is(($sink->pushes(1))[0]{code}, 410, 'gone');
ok(log_has(qr/push subscription $sealed ends/), 'it is logged');
is_deeply([ids()], [], 'the subscription is destroyed');

# ---- killed, and nobody listens: what was missed comes with the next start
$sink->mode('201');
$id = create('two', types => ['EmailDelivery']);
($p) = $sink->pushes(1);
ok(verify($id, $p), 'another one');
kill 'KILL', $pid;
is($sink->ended($pid), -9, 'killed');
undef $sink->{sock};
unlink $t->path('push.sock');
like(deliver('missed'), qr/\A250 /, 'mail comes, and nobody hears of it');
is($sink->ended($sink->start), 0, 'a look by the timer ends by itself');
($p) = $sink->pushes(1);
is_deeply([sort keys %{ $json->decode($p->{body})->{changed}{ $t->account } }],
    ['EmailDelivery'], 'and pushes it');
is($sink->ended($sink->start), 0, 'another one');
is(scalar $sink->pushes(1, 0.5), 0, 'pushes nothing again');
$t->call('Mailbox/set', { create => { k => { name => 'Quiet' } } });
is($sink->ended($sink->start), 0, 'after a change of another type');
is(scalar $sink->pushes(1, 0.5), 0, 'nothing either');

# A failed one is kept, over restarts.
$sink->mode('503');
like(deliver('kept'), qr/\A250 /, 'mail');
is($sink->ended($sink->start), 0, 'tried');
is(($sink->pushes(1))[0]{code}, 503, 'in vain');
$sink->mode('201');
for (1 .. 20) {
	select(undef, undef, undef, 0.5);
	$sink->ended($sink->start);
	last if ($p) = $sink->pushes(1, 0.2);
}
is($p && $p->{code}, 201, 'and later not');

# ---- it ends when nothing is left to do, and there is one of it
$sink->listen_push;
$pid = $sink->start('-w', 1);
is($sink->ended($pid), 0, 'it ends when idle');
$pid = $sink->start('-w', 600);
change('wake');
is(scalar $sink->pushes(1), 1, 'it runs');
my $sock = delete $sink->{sock};
is($sink->ended($sink->start), 0, 'a second one goes away');
# Nonsense on the socket opens nothing.
my $dgram = IO::Socket::UNIX->new(Type => Socket::SOCK_DGRAM,
	Peer => $t->path('push.sock'));
$dgram->send($_) for '../../etc', "alice\0x", '', 'x' x 5000, 'nobody',
    '.push', 'alice';
change('still');
is(scalar $sink->pushes(1), 1, 'nonsense on its socket does nothing');
ok(!-e $t->path('mail/nobody'), 'no account is made');

# ---- the password, and addresses that nobody may push to
$t->culver(\"changed\n", 'user', 'passwd', '--password-stdin', 'alice');
deliver('after');
ok(log_has(qr/push subscription $id ends: the password/),
    'another password ends it');
is(scalar $sink->pushes(1, 0.5), 0, 'without another push');
kill 'TERM', $pid;
$sink->ended($pid);
$t->{pass} = 'changed';
my $conf = $t->slurp('culver.conf');
$conf =~ s/^push-private = true\n//m;
$t->spew('culver.conf', $conf);
$sink->{sock} = $sock;
$pid = $sink->start('-w', 600);
$id = create('private');
ok(log_has(qr/push subscription $id: its address is not public/),
    'no private addresses, unless the configuration has it');
is(scalar $sink->pushes(1, 0.5), 0, 'nobody was asked');
$id = create('name', url => "https://localhost:$sink->{port}/x");
ok(log_has(qr/push subscription $id: its address is not public/),
    'not by a name either');
is(scalar $sink->pushes(1, 0.5), 0, 'nobody was asked');
done_testing;
