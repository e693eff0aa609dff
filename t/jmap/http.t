# t/jmap/http.t - the session resource, authentication, request-level errors
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $name = "j\xc3\xb6rg";
my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other',
	$name => "p\xc3\xa4ss:wort" },
	conf => "jmap-max-size-request = 64K\njmap-max-calls = 8\n");
my $url = '/.well-known/jmap';

# ---- the session object
my $r = $t->request('GET', $url);
is($r->{status}, 200, 'session');
is($r->{headers}{'content-type'}, 'application/json', 'its type');
like($r->{headers}{'cache-control'}, qr/no-store/, 'is not cached');
my $s = $r->{json};
my $id = (keys %{ $s->{accounts} })[0];
like($id, qr/\AA[0-9a-f]{16}\z/, 'account id');
is($s->{username}, 'alice', 'username');
is_deeply($s->{primaryAccounts}, { map { ("urn:ietf:params:jmap:$_" => $id) }
	qw(mail quota blob) }, 'primaryAccounts');
is($s->{apiUrl}, $t->base . '/jmap/api', 'apiUrl is absolute');
like($s->{downloadUrl}, qr/\Ahttps:.*\{accountId\}.*\{blobId\}.*\{name\}.*\{type\}/,
    'downloadUrl');
like($s->{uploadUrl}, qr/\Ahttps:.*\{accountId\}/, 'uploadUrl');
like($s->{eventSourceUrl}, qr/\Ahttps:.*\{types\}.*\{closeafter\}.*\{ping\}/,
    'eventSourceUrl');
my $core = $s->{capabilities}{'urn:ietf:params:jmap:core'};
is($core->{maxSizeRequest}, 65536, 'a configured limit');
is($core->{maxCallsInRequest}, 8, 'another');
is(ref $core->{collationAlgorithms}, 'ARRAY', 'collations');
ok(exists $core->{$_}, $_) for qw(maxSizeUpload maxConcurrentUpload
	maxConcurrentRequests maxObjectsInGet maxObjectsInSet);
my $a = $s->{accounts}{$id};
is($a->{name}, 'alice', 'account name');
ok($a->{isPersonal} && !$a->{isReadOnly}, 'personal, writable');
my $mail = $a->{accountCapabilities}{'urn:ietf:params:jmap:mail'};
ok(exists $mail->{$_}, $_) for qw(maxMailboxesPerEmail maxMailboxDepth
	maxSizeMailboxName maxSizeAttachmentsPerEmail emailQuerySortOptions
	mayCreateTopLevelMailbox);
ok((grep { $_ eq 'receivedAt' } @{ $mail->{emailQuerySortOptions} }),
    'sorts by receivedAt');

is($r->{headers}{etag}, qq("$s->{state}"), 'ETag');
is($t->request('GET', $url, headers => { 'if-none-match' =>
	$r->{headers}{etag} })->{status}, 304, 'If-None-Match');
is($t->request('GET', $url, headers => { 'if-none-match' => '"x"' })->{status},
    200, 'another tag');
my $h = $t->request('HEAD', $url);
is($h->{status}, 200, 'HEAD');
is($h->{content} // '', '', 'without a body');
my $other = $t->request('GET', $url, auth => $t->auth('bob', 'other'));
is($other->{json}{username}, 'bob', 'another user');
isnt($other->{json}{state}, $s->{state}, 'another state');
isnt((keys %{ $other->{json}{accounts} })[0], $id, 'another account');
my $u = $t->request('GET', $url, auth => $t->auth($name, "p\xc3\xa4ss:wort"));
is($u->{status}, 200, 'a name and a password in UTF-8, with a colon');
is($u->{json}{username}, "j\x{f6}rg", 'the name comes back');

# ---- authentication
for (['none', undef], ['wrong password', $t->auth('alice', 'x')],
    ['unknown user', $t->auth('nobody', 'x')], ['empty', 'Basic '],
    ['not base64', 'Basic !!!'], ['no colon', 'Basic YWxpY2U='],
    ['another scheme', 'Digest abc'],
    ['NUL', $t->auth("alice\0", 'secret')],
    ['long', 'Basic ' . 'QUFB' x 1500]) {
	my ($what, $auth) = @$_;
	my $r = $t->request('GET', $url, auth => $auth);
	is($r->{status}, 401, "$what: 401");
	is($r->{headers}{'www-authenticate'},
	    'Basic realm="Culver", charset="UTF-8", Bearer realm="Culver"',
	    "$what: challenge");
	is($r->{json}{status}, 401, "$what: problem document");
}

# ---- routes and methods
for (['GET', '/jmap/api', 'POST'], ['POST', $url, 'GET, HEAD'],
    ['DELETE', '/jmap/api', 'POST'],
    ['PUT', "/jmap/upload/$id/", 'POST'],
    ['POST', '/jmap/eventsource', 'GET']) {
	my ($m, $p, $allow) = @$_;
	my $r = $t->request($m, $p, content => '');
	is($r->{status}, 405, "$m $p");
	is($r->{headers}{allow}, "$allow, OPTIONS", 'Allow');
}
is($t->request('GET', $_)->{status}, 404, "$_ is not there") for '/jmap/x',
    '/jmap/api/', '/jmap/download/x';
$r = $t->request('GET', '/jmap/nothing');
is($r->{headers}{'content-type'}, 'application/problem+json',
    'an error is a problem document');

# ---- request-level errors, RFC 8620 3.6.1
my $using = '"using":["urn:ietf:params:jmap:core"]';
my $good = qq({$using,"methodCalls":[["Core/echo",{"a":1},"c"]]});
is($t->post($good)->{status}, 200, 'a good request');
is($t->post($good, headers => { 'content-type' =>
	'Application/JSON; charset=UTF-8' })->{status}, 200, 'with a parameter');
for (['text/plain'], ['application/jsonx'], ['application/x-www-form-urlencoded']) {
	my $r = $t->post($good, headers => { 'content-type' => $_->[0] });
	is($r->{status}, 415, "$_->[0]: 415");
	is($r->{json}{type}, 'urn:ietf:params:jmap:error:notJSON',
	    "$_->[0]: notJSON");
}
for (['', 'notJSON'], ['{', 'notJSON'], ['{"a":1,"a":2}', 'notJSON'],
    [qq({$using,"methodCalls":[["Core/echo",{"a":1,"a":1},"c"]]}), 'notJSON'],
    ["{\"a\":\"\xff\"}", 'notJSON'], ["\xef\xbb\xbf$good", 'notJSON'],
    ['{"a":"\ud800"}', 'notJSON'], ["{\"a\":\"\xef\xbf\xbf\"}", 'notJSON'],
    ['{"a":"\uFFFE"}', 'notJSON'], ['{"\ufdd0":1}', 'notJSON'],
    ['{"a":"\ud83f\udffe"}', 'notJSON'], ["{\"a\":\"\xf4\x8f\xbf\xbf\"}", 'notJSON'],
    ["{\"a\":\"\xef\xb7\xaf\"}", 'notJSON'],
    ["{\"a\":\"\xef\xbf\xbd\\\\uFFFF \\ud83d\\udc4b\"}", 'notRequest'], ["$good x", 'notJSON'],
    ['[]', 'notRequest'], ['1', 'notRequest'], ['null', 'notRequest'],
    ['{}', 'notRequest'], [qq({$using}), 'notRequest'],
    [qq({$using,"methodCalls":{}}), 'notRequest'],
    [qq({$using,"methodCalls":[[]]}), 'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",[],"c"]]}), 'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",{},1]]}), 'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",{},"c","d"]]}), 'notRequest'],
    ['{"using":"x","methodCalls":[]}', 'notRequest'],
    ['{"using":[1],"methodCalls":[]}', 'notRequest'],
    [qq({$using,"methodCalls":[],"createdIds":[]}), 'notRequest'],
    [qq({$using,"methodCalls":[],"createdIds":{"a":1}}), 'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",) . '{"a":' x 70 . '1'
	. '}' x 70 . ',"c"]]}', 'notRequest'],
    ['[' x 60000, 'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",{"a":1e400},"c"]]}), 'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",{"a":) . 9 x 30 . '},"c"]]}',
	'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",{"a\\u0000b":1},"c"]]}),
	'notRequest'],
    [qq({$using,"methodCalls":[["Core/echo",{"a":1,"\\u0061":2},"c"]]}),
	'notJSON'],
    [qq({$using,"methodCalls":[["Core/echo",{"a":"\\udc00"},"c"]]}),
	'notJSON'],
    [qq({$using,"methodCalls":[],"createdIds":null}), 'notRequest'],
    ['{"using":["urn:x"],"methodCalls":[]}', 'unknownCapability'],
    [qq({$using,"methodCalls":[) . join(',', ('["Core/echo",{},"c"]') x 9)
	. ']}', 'limit', 'maxCallsInRequest']) {
	my ($body, $type, $limit) = @$_;
	my $r = $t->post($body);
	my $what = length $body > 60 ? substr($body, 0, 60) . '...' : $body;
	is($r->{status}, 400, "$what: 400");
	is($r->{json}{type}, "urn:ietf:params:jmap:error:$type", "$type");
	is($r->{json}{status}, 400, 'status in the document');
	is($r->{json}{limit}, $limit, 'limit');
	is($r->{headers}{'content-type'}, 'application/problem+json', 'its type');
}
my $big = qq({$using,"methodCalls":[["Core/echo",{"a":") . 'x' x 70000
    . '"},"c"]]}';
for (['by us', $big], ['by nginx', ' ' x 11_000_000]) {
	my $r = $t->post($_->[1]);
	is($r->{status}, 413, "too large, $_->[0]");
	is($r->{json}{type}, 'urn:ietf:params:jmap:error:limit', 'limit');
	is($r->{json}{limit}, 'maxSizeRequest', 'its name');
}

# ---- hosts that would end up in our URLs
for my $host ("a\"b", "x/y", 'a b') {
	my $c = $t->raw;
	$c->put("GET $url HTTP/1.1\r\nHost: $host\r\nAuthorization: "
	    . $t->auth . "\r\nConnection: close\r\n\r\n");
	like($c->get, qr{\AHTTP/1.1 400 }, "Host: $host");
}
my $c = $t->raw;
$c->put("GET $url HTTP/1.1\r\nHost: mail.example.org:8443\r\nAuthorization: "
    . $t->auth . "\r\nConnection: close\r\n\r\n");
like($c->rest, qr{"apiUrl":"https://mail\.example\.org:8443/jmap/api"},
    'URLs follow the Host');

# ---- pages of other origins: not unless they are configured
my $page = 'https://webmail.example.org';
sub cors { map { $_ => $_[0]{headers}{"access-control-$_"} }
	grep { exists $_[0]{headers}{"access-control-$_"} }
	qw(allow-origin allow-credentials allow-methods allow-headers max-age
	expose-headers) }
is_deeply({ cors($t->request('GET', $url, headers => { origin => $page })) },
    {}, 'no CORS unless configured');
$r = $t->request('OPTIONS', '/jmap/api', auth => undef, headers => {
	origin => $page, 'access-control-request-method' => 'POST' });
is($r->{status}, 204, 'OPTIONS needs no password');
is($r->{headers}{allow}, 'POST, OPTIONS', 'Allow');
is_deeply({ cors($r) }, {}, 'and no CORS either');
is($t->request('OPTIONS', '/jmap/x', auth => undef)->{status}, 404,
    'OPTIONS of nothing');
unlike($t->slurp('log'), qr/secret/, 'no password in the log');

my $o = CulverJmap->new(users => { alice => 'secret' }, conf =>
	qq(jmap-origins = {"$page", "http://localhost:3000"}\n));
my %page = (headers => { origin => $page });
for (['session', 'GET', $url], ['no password', 'GET', $url, auth => undef],
    ['no such resource', 'GET', '/jmap/x']) {
	my ($what, @request) = @$_;
	$r = $o->request(@request, %page);
	is_deeply({ cors($r) }, { 'allow-origin' => $page,
		'allow-credentials' => 'true', 'expose-headers' =>
		'ETag, Retry-After, Content-Disposition, Content-Range' }, "CORS: $what");
	like($r->{headers}{vary}, qr/Origin/, 'Vary');
}
$r = $o->request('OPTIONS', '/jmap/api', auth => undef, headers => {
	origin => 'http://localhost:3000',
	'access-control-request-method' => 'POST',
	'access-control-request-headers' => 'authorization' });
is($r->{status}, 204, 'preflight');
is_deeply({ cors($r) }, { 'allow-origin' => 'http://localhost:3000',
	'allow-credentials' => 'true', 'allow-methods' => 'POST',
	'allow-headers' => 'Authorization, Content-Type, If-None-Match, '
	. 'If-Range, Last-Event-ID, Range', 'max-age' => 86400 }, 'what may be asked');
for ('https://webmail.example.org.evil.example', 'https://evil.example', 'null',
    'http://webmail.example.org', '*') {
	$r = $o->request('GET', $url, headers => { origin => $_ });
	is_deeply([$r->{status}, cors($r)], [200], "not named: $_");
	like($r->{headers}{vary}, qr/Origin/, 'Vary all the same');
}

# ---- the session's state follows the configuration
my $before = $o->session->{state};
for ('jmap-max-objects-in-get = 4321', 'jmap-max-concurrent-upload = 7',
    'jmap-url = "https://mail.example.org"', 'smtp-relay = "127.0.0.1:25"') {
	my $conf = $o->slurp('culver.conf');
	$o->spew('culver.conf', "$_\n$conf");
	kill TERM => $o->{jmap_pid};
	waitpid $o->{jmap_pid}, 0;
	$o->start_jmap;
	delete $o->{session};
	isnt($o->session->{state}, $before, "another state with $_");
	$before = $o->session->{state};
	is($o->post('{"using":[],"methodCalls":[]}')->{json}{sessionState},
	    $before, 'sessionState is it');
}
is($o->session->{apiUrl}, 'https://mail.example.org/jmap/api', 'jmap-url');

open my $limits, '<', "/proc/$o->{jmap_pid}/limits" or die "limits: $!";
like(join('', <$limits>), qr/^Max core file size +0 +0 /m, 'no core files');

my $any = CulverJmap->new(users => { alice => 'secret' },
	conf => qq(jmap-origins = {"*"}\n));
$r = $any->request('GET', $url, %page);
is_deeply({ cors($r) }, { 'allow-origin' => '*', 'expose-headers' =>
	'ETag, Retry-After, Content-Disposition, Content-Range' },
    'any origin, without what the browser knows');
done_testing();
