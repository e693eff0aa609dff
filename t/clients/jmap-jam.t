# t/clients/jmap-jam.t - npm's jmap-jam, through nginx: the main ways of a client
use strict;
use warnings;
use CulverClients;
use CulverJmap;
use Test::More;

my $node = node('jmap-jam');
plan skip_all => 'node and jmap-jam are not installed' unless $node;
my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => join '', map { qq(folder "$_" { role = "\L$_" }\n) }
	qw(Drafts Trash));
$t->import_mail(message($_)) for 1 .. 5;
my (undef, $token) = $t->culver(qw(token add alice --for jmap));
chomp $token;
$t->spew('client.mjs', <<'END');
import assert from 'assert';
const [dir, url, bearerToken] = process.argv.slice(2);
const { default: JamClient } = await import(dir +
    '/node_modules/jmap-jam/dist/index.js');

const jam = new JamClient({ sessionUrl: url + '/.well-known/jmap',
    bearerToken });
const accountId = await jam.getPrimaryAccount();
assert(accountId);

const [boxes] = await jam.api.Mailbox.get({ accountId, ids: null });
const byRole = Object.fromEntries(boxes.list.map(m => [m.role, m.id]));
assert.equal(boxes.list.find(m => m.role === 'inbox').totalEmails, 5);

// the list of a mailbox in one round trip
const [r] = await jam.requestMany(b => {
	const ids = b.Email.query({ accountId, filter: {
	    inMailbox: byRole.inbox }, sort: [{ property: 'receivedAt',
	    isAscending: false }], limit: 3, calculateTotal: true });
	const emails = b.Email.get({ accountId, ids: ids.$ref('/ids'),
	    properties: ['subject', 'from', 'preview', 'threadId',
	    'keywords'] });
	const threads = b.Thread.get({ accountId,
	    ids: emails.$ref('/list/*/threadId') });
	return { ids, emails, threads };
});
assert.equal(r.ids.total, 5);
assert.equal(r.emails.list.length, 3);
assert.equal(r.threads.list.length, 3);

// a draft with an attachment, which is then sent to the trash
const blob = await jam.uploadBlob(accountId, new Blob(['attached']));
const [set] = await jam.api.Email.set({ accountId, create: { d: {
	mailboxIds: { [byRole.drafts]: true }, keywords: { $draft: true },
	from: [{ name: 'Alice', email: 'alice@example.org' }],
	to: [{ email: 'bob@example.org' }], subject: 'Gr\u00fc\u00dfe',
	bodyValues: { t: { value: 'hello' } },
	textBody: [{ partId: 't', type: 'text/plain' }],
	attachments: [{ blobId: blob.blobId, type: 'text/plain',
	    name: 'a.txt' }] } } });
assert(set.created, JSON.stringify(set));
const id = set.created.d.id;
const [got] = await jam.api.Email.get({ accountId, ids: [id],
	properties: ['subject', 'hasAttachment', 'attachments', 'blobId'] });
assert.equal(got.list[0].subject, 'Gr\u00fc\u00dfe');
assert(got.list[0].hasAttachment);
const file = await jam.downloadBlob({ accountId, mimeType: 'text/plain',
	blobId: got.list[0].attachments[0].blobId, fileName: 'a.txt' });
assert.equal(await file.text(), 'attached');

const [before] = await jam.api.Email.get({ accountId, ids: [] });
const [moved] = await jam.api.Email.set({ accountId, update: { [id]: {
	mailboxIds: { [byRole.trash]: true }, 'keywords/$seen': true } } });
assert(id in moved.updated);
const [changes] = await jam.api.Email.changes({ accountId,
	sinceState: before.state });
assert.deepEqual(changes.updated, [id]);
const [gone] = await jam.api.Email.set({ accountId, destroy: [id] });
assert.deepEqual(gone.destroyed, [id]);
await assert.rejects(jam.api.Email.get({ accountId: 'nobody', ids: [] }),
    e => e.type === 'accountNotFound');
console.log('done');
END
my $cert = $t->path('cert.pem');
is(run_client('jmap-jam', "env NODE_EXTRA_CA_CERTS='$cert' node "
    . $t->path('client.mjs') . " '$node' https://localhost:$t->{https} $token"),
    "done\n", 'all of it');
done_testing();
