# t/jmap/identity.t - Identity/get, /changes, /set (RFC 8621 6)
use strict;
use warnings;
use utf8;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b',
		'carl@own.test' => 'c' }, using => ['submission'],
	conf => qq(domains = {"example.org", "example.net"}\n)
	    . qq(smtp-relay = "127.0.0.1:25"\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);

# Another name of alice's, one that stands alone, and whose name is known.
my $text = $t->slurp('passwd');
$text =~ s/^(alice:.*)$/$1:name=Alice Müller/m;
utf8::encode($text);
$t->spew('passwd', $text . "postmaster:*:alias-of=alice\n"
	. "sales\@shop.test:*:alias-of=alice\n");

sub set { $t->call('Identity/set', { @_ }) }
sub get { $t->call('Identity/get', { ids => [@_] })->{list}[0] }
sub create {
	my ($obj) = @_;
	my $r = set(create => { x => $obj });
	return $r->{created}{x} || $r->{notCreated}{x};
}
sub update {
	my ($id, $patch) = @_;
	my $r = set(update => { $id => $patch });
	return exists(($r->{updated} || {})->{$id}) ? 'ok' : $r->{notUpdated}{$id};
}

# ---- the default one
my $r = $t->call('Identity/get', {});
is(@{ $r->{list} }, 1, 'there is one from the beginning');
my $own = $r->{list}[0];
my $id = delete $own->{id};
like($id, qr/\AI/, 'id');
is_deeply($own, { name => 'Alice Müller', email => 'alice@example.org',
	replyTo => undef, bcc => undef, textSignature => '',
	htmlSignature => '', mayDelete => $F }, 'all of it');
is($t->call('Identity/get', {})->{state}, $r->{state}, 'once');
$r = set(destroy => [$id, 'Ifff']);
is($r->{notDestroyed}{$id}{type}, 'forbidden', 'it stays');
is($r->{notDestroyed}{Ifff}{type}, 'notFound', 'no such identity');

# ---- create
my $state = $t->call('Identity/get', { ids => [] })->{state};
my $full = { name => 'Sales', email => 'sales@shop.test',
	replyTo => [{ name => 'R', email => 'r@x.test' }],
	bcc => [{ name => undef, email => 'b@x.test' }],
	textSignature => "-- \nSales", htmlSignature => '<b>S</b>' };
my $new = create($full);
is_deeply([sort keys %$new], [qw(id mayDelete)], 'created: what was not given');
ok($new->{mayDelete}, 'it may be destroyed');
is_deeply(get($new->{id}), { %$full, %$new }, 'as it was given');
for my $ok (qw(alice@example.net ALICE@Example.Org alice+x@example.org
    postmaster@example.org "alice"@example.org)) {
	my $i = create({ email => $ok });
	ok($i->{id}, "may send as $ok") or diag explain $i;
	is_deeply(set(destroy => [$i->{id}])->{destroyed}, [$i->{id}],
	    'destroyed');
}
for my $no (qw(bob@example.org alice@elsewhere.test nobody@example.org
    *@example.org carl@own.test x+alice@example.org shop@shop.test)) {
	is(create({ email => $no })->{type}, 'forbiddenFrom',
	    "may not send as $no");
}
for ([{}, 'email'], [{ email => '' }, 'email'], [{ email => 5 }, 'email'],
    [{ email => 'alice' }, 'email'], [{ email => 'a b@example.org' }, 'email'],
    [{ email => "alice\@example.org\r\nBcc: x\@y" }, 'email'],
    [{ email => 'alice@example.org>' }, 'email'],
    [{ name => 5 }, 'name'], [{ name => "a\nb" }, 'name'],
    [{ replyTo => 'x' }, 'replyTo'], [{ replyTo => [{}] }, 'replyTo'],
    [{ replyTo => [{ email => 'x' }] }, 'replyTo'],
    [{ bcc => [{ email => 'x@y', name => 5 }] }, 'bcc'],
    [{ bcc => [{ email => 'x@y', foo => 'z' }] }, 'bcc'],
    [{ bcc => [map { { email => 'x@y' } } 0 .. 100] }, 'bcc'],
    [{ textSignature => undef }, 'textSignature'],
    [{ htmlSignature => [] }, 'htmlSignature'],
    [{ mayDelete => $T }, 'mayDelete'], [{ id => 'I1' }, 'id'],
    [{ foo => 1 }, 'foo']) {
	my ($obj, $prop) = @$_;
	my $e = create({ email => 'alice@example.org', %$obj,
		$prop eq 'email' && !%$obj ? (email => undef) : () });
	is($e->{type}, 'invalidProperties', "refused: $prop");
	is_deeply($e->{properties}, [$prop], 'properties');
}
is_deeply(create({ name => 'x' })->{properties}, ['email'], 'no address');
is(create({ email => 'alice@example.org', textSignature => 'x' x 70000 })
    ->{type}, 'tooLarge', 'a signature that is too large');
my $many = set(create => { map { ("k$_" => { email => 'alice@example.org' }) }
	1 .. 100 });
is(scalar keys %{ $many->{created} }, 98, 'no more than 100');
is((values %{ $many->{notCreated} })[0]{type}, 'overQuota', 'the others');
set(destroy => [map { $_->{id} } values %{ $many->{created} }]);

# ---- update
is(update($new->{id}, { name => 'New', 'textSignature' => 'T' }), 'ok',
    'update');
is_deeply(get($new->{id}), { %$full, %$new, name => 'New',
	textSignature => 'T' }, 'is seen, the rest stays');
is(update($new->{id}, { bcc => undef, replyTo => [] }), 'ok', 'lists');
is_deeply(get($new->{id})->{replyTo}, [], 'an empty list');
is(get($new->{id})->{bcc}, undef, 'no list');
is(update($new->{id}, get($new->{id})), 'ok', 'a whole object as it is');
is(update($id, { name => 'Me', htmlSignature => '<i>m</i>' }), 'ok',
    'the default one too');
is(get($id)->{name}, 'Me', 'changed');
for ([{ email => 'alice@example.net' }, 'email'], [{ mayDelete => $T },
	'mayDelete'], [{ id => 'I1' }, 'id'], [{ foo => 1 }, 'foo']) {
	my $e = update($id, $_->[0]);
	is($e->{type}, 'invalidProperties', "may not change: $_->[1]");
	is_deeply($e->{properties}, [$_->[1]], 'properties');
}
is(update('Ifff', { name => 'x' })->{type}, 'notFound', 'no such identity');
$r = set(update => { $new->{id} => { name => 'x' } },
	destroy => [($new->{id}) x 2]);
is($r->{notUpdated}{ $new->{id} }{type}, 'willDestroy', 'willDestroy');
is_deeply($r->{destroyed}, [$new->{id}], 'destroyed');
is($r->{notDestroyed}, undef, 'and, asked twice, destroyed once');
is(set(ifInState => $state, create => { x => { email => 'alice@example.org' }
})->{error}, 'stateMismatch', 'ifInState');

# A creation id is an id.
my ($made, $got) = $t->calls(['Identity/set', { create => { n => {
	email => 'alice@example.org', name => 'N' } } }],
    ['Identity/get', { ids => ['#n'], properties => ['name'] }]);
my $n = $made->[1]{created}{n}{id};
is_deeply($got->[1]{list}, [{ id => $n, name => 'N' }], 'by its creation id');

# ---- changes
$r = $t->call('Identity/changes', { sinceState => $state });
is_deeply($r->{created}, [$n], 'created');
is_deeply($r->{updated}, [$id], 'updated');
is_deeply($r->{destroyed}, [], 'what came and went is not told');
is($r->{newState}, $t->call('Identity/get', { ids => [] })->{state}, 'state');
my $now = $r->{newState};
set(destroy => [$n]);
$r = $t->call('Identity/changes', { sinceState => $now });
is_deeply($r->{destroyed}, [$n], 'destroyed');
is($t->call('Identity/changes', { sinceState => 'x' })->{error},
    'cannotCalculateChanges', 'a state that is none');
$r = $t->call('Identity/changes', { sinceState => $state, maxChanges => 1 });
is(@{ $r->{created} } + @{ $r->{updated} } + @{ $r->{destroyed} }, 1,
    'maxChanges');

# ---- what Email/import does is no change of identities
$now = $t->call('Identity/get', { ids => [] })->{state};
$t->import_mail("Subject: x\r\n\r\nx\r\n");
is($t->call('Identity/get', { ids => [] })->{state}, $now, 'state stays');

# ---- others
$t->{user} = 'carl@own.test';
$t->{pass} = 'c';
delete $t->{session};
is($t->call('Identity/get', {})->{list}[0]{email}, 'carl@own.test',
    'an account with a domain in its name');
is(create({ email => 'carl@own.test' })->{name}, '', 'he may send as himself');
is(create({ email => 'carl+x@own.test' })->{name}, '', 'and with a detail');
is(create({ email => 'carl@example.org' })->{type}, 'forbiddenFrom',
    'not of another domain');

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
