# t/clients/imapflow.t - npm's imapflow, by TLS: IMAP4rev2, QRESYNC, IDLE
use strict;
use warnings;
use CulverClients;
use CulverTest;
use Test::More;

my $node = node('imapflow');
plan skip_all => 'node and imapflow are not installed' unless $node;
my $t = CulverTest->new(tls => 1);
my $imap = $t->start('imapd', 'imap');
my $imaps = $t->start('imapd', 'imaps');
my $c = look($t, $imap);
mailboxes($c, 3);
$t->spew('client.js', <<'END');
const [dir, port] = process.argv.slice(2);
const { ImapFlow } = require(dir + '/node_modules/imapflow');
const assert = require('assert');

async function main() {
	const m = new ImapFlow({ host: 'localhost', port: +port, secure: true,
		qresync: true, auth: { user: 'alice', pass: 'secret' },
		logger: false });
	await m.connect();
	assert(m.enabled.has('QRESYNC'));
	const names = (await m.list()).map(x => x.path);
	for (const n of ['INBOX', 'Archive/2026', 'Entw\u00fcrfe'])
		assert(names.includes(n), names.join());
	const status = await m.status('Archive', { messages: true,
		uidNext: true, highestModseq: true });
	assert.equal(status.messages, 3);
	let lock = await m.getMailboxLock('INBOX');
	const seen = [];
	for await (const x of m.fetch('1:*', { uid: true, envelope: true,
		flags: true, bodyStructure: true, size: true, internalDate: true,
		threadId: true }))
		seen.push(x.envelope.subject + ' ' + x.emailId.length);
	assert.equal(seen.length, 3);
	assert(seen[0].startsWith('message 10 '));
	const one = await m.download('2');
	let text = '';
	for await (const part of one.content)
		text += part;
	assert(text.includes('line 1 of 11'));
	assert.deepEqual(await m.search({ subject: 'message 12' }), [3]);
	assert(await m.messageFlagsAdd('1', ['\\Flagged', '$flow']));
	await m.mailboxCreate('Flow/Box');
	const copied = await m.messageCopy('1:2', 'Flow/Box');
	assert.equal(copied.uidMap.size, 2);
	const moved = await m.messageMove('3', 'Flow/Box');
	assert.equal(moved.uidMap.get(3), 3);
	const put = await m.append('Flow/Box',
		'Subject: from node\r\n\r\nx\r\n', ['\\Seen'], new Date(0));
	assert.equal(put.uid, 4);
	lock.release();
	// another session's mail, told while idle
	const other = new ImapFlow({ host: 'localhost', port: +port,
		secure: true, auth: { user: 'alice', pass: 'secret' },
		logger: false });
	await other.connect();
	lock = await m.getMailboxLock('INBOX');
	const told = new Promise(done => m.once('exists', done));
	m.idle();
	await other.append('INBOX', 'Subject: news\r\n\r\nx\r\n');
	const e = await told;
	assert.equal(e.count, 3);
	await m.messageDelete('3');
	lock.release();
	await m.mailboxRename('Flow/Box', 'Flow/Other');
	await m.mailboxDelete('Flow/Other');
	const quota = await m.getQuota('INBOX');
	assert(quota);
	await other.logout();
	await m.logout();
	console.log('done');
}
main().catch(e => { console.error(e); process.exit(1); });
END
my $cert = $t->path('cert.pem');
is(run_client('imapflow', "env NODE_EXTRA_CA_CERTS='$cert' node "
    . $t->path('client.js') . " '$node' $imaps"), "done\n", 'all of it');
my (undef, @l) = $c->imap('STATUS INBOX (MESSAGES)');
is($l[0], '* STATUS INBOX (MESSAGES 2)', 'what it left');
done_testing();
