// The official clients of the Model Context Protocol against the real server.
//   node sdk_client.mjs HERMES sdk|client [legacy|auto]
// `sdk` is the package @modelcontextprotocol/sdk (revisions with a handshake), `client` is
// @modelcontextprotocol/client (both kinds). Run by scripts/mcp-sdk.sh, which installs them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [hermes, which, mode = 'legacy'] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), 'hermes-mcp-'));
const base = { HERMES_HOME: join(home, 'home'), HOME: home, USER: 'tester', PATH: '/usr/bin:/bin' };
const run = (...words) => execFileSync(hermes, words, { env: base, encoding: 'utf8' });

async function load() {
  if (which === 'sdk') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    return { Client, StdioClientTransport };
  }
  const { Client } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  return { Client, StdioClientTransport };
}
const { Client, StdioClientTransport } = await load();

async function connected(args, more = {}) {
  const client = new Client(
    { name: 'hermes-test', version: '1.0.0' },
    which === 'client' ? { versionNegotiation: { mode } } : {},
  );
  const transport = new StdioClientTransport({
    command: hermes, args: ['mcp', ...args], env: { ...base, ...more }, stderr: 'inherit',
  });
  await client.connect(transport);
  return client;
}
const call = async (client, name, args = {}) => {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, `${name}: ${JSON.stringify(result.content)}`);
  return result.structuredContent;
};

async function plain() {
  const client = await connected([]);
  assert.equal(client.getServerVersion()?.name, 'hermes');
  assert.deepEqual((await client.listTools()).tools, []);
  await assert.rejects(client.callTool({ name: 'kanban_list', arguments: {} }));
  await client.close();
}

async function orchestrator() {
  const client = await connected(['--orchestrator']);
  if (mode !== 'auto') {  // the stateless revision has no ping
    await client.ping();
  }
  const { tools } = await client.listTools();  // from here on answers are held against outputSchema
  assert.equal(tools.length, 11);

  const first = await call(client, 'kanban_create', { title: 'first', body: 'do it' });
  const second = await call(client, 'kanban_create', { title: 'second', parents: [first.task_id] });
  assert.equal(second.status, 'todo');
  await call(client, 'kanban_comment', { task_id: first.task_id, body: 'a remark' });
  const third = await call(client, 'kanban_create', { title: 'third' });
  await call(client, 'kanban_link', { parent_id: second.task_id, child_id: third.task_id });
  const blocked = await call(client, 'kanban_block',
    { task_id: first.task_id, reason: 'which one?', kind: 'needs_input' });
  assert.equal(blocked.status, 'blocked');
  await call(client, 'kanban_unblock', { task_id: first.task_id });
  await call(client, 'kanban_attach', {
    task_id: first.task_id, filename: 'a.txt', content_base64: Buffer.from('hello').toString('base64'),
  });
  assert.equal((await call(client, 'kanban_attachments', { task_id: first.task_id })).count, 1);
  assert.equal((await call(client, 'kanban_list')).count, 3);
  const done = await call(client, 'kanban_complete',
    { task_id: first.task_id, summary: 'made', metadata: { n: 1 } });
  assert.equal(done.status, 'done');
  const shown = await call(client, 'kanban_show', { task_id: second.task_id });
  assert.equal(shown.task.status, 'ready');
  assert.match(shown.worker_context, /made/);

  const refused = await client.callTool({ name: 'kanban_list', arguments: { limit: 5000 } });
  assert.ok(refused.isError);
  assert.match(refused.content[0].text, /limit.*200/s);
  await assert.rejects(client.callTool({ name: 'kanban_nonsense', arguments: {} }), /-32602|no tool/);

  const { resources } = await client.listResources();
  assert.ok(resources.some((one) => one.uri === 'hermes://board/default'));
  const board = await client.readResource({ uri: 'hermes://board/default' });
  assert.equal(JSON.parse(board.contents[0].text).by_status.done, 1);
  assert.equal((await client.listResourceTemplates()).resourceTemplates.length, 3);
  await assert.rejects(client.readResource({ uri: 'hermes://board/nosuch' }));
  const { prompts } = await client.listPrompts();
  assert.deepEqual(prompts.map((one) => one.name), ['work-task', 'triage-card']);
  const prompt = await client.getPrompt({ name: 'work-task', arguments: { task_id: second.task_id } });
  assert.match(prompt.messages[0].content.text, new RegExp(second.task_id));

  // Given up by the client; the session goes on.
  const stop = new AbortController();
  const asked = client.callTool({ name: 'kanban_list', arguments: {} },
    ...(which === 'sdk' ? [undefined, { signal: stop.signal }] : [{ signal: stop.signal }]));
  stop.abort('changed my mind');
  await assert.rejects(asked);
  assert.equal((await call(client, 'kanban_list')).count, 3);
  await client.close();
}

async function worker() {
  const id = JSON.parse(run('kanban', 'create', 'own', '--json')).id;
  const claim = JSON.parse(run('kanban', 'claim', id, '--as', 'robot', '--json'));
  const client = await connected(['--orchestrator'], {
    HERMES_KANBAN_BOARD: 'default', HERMES_KANBAN_TASK: id,
    HERMES_KANBAN_RUN_ID: String(claim.run_id), HERMES_KANBAN_RUN_TOKEN: claim.token,
  });
  assert.equal((await client.listTools()).tools.length, 9);
  assert.equal((await call(client, 'kanban_show')).task.id, id);
  await call(client, 'kanban_heartbeat', { note: 'half way' });
  assert.equal((await call(client, 'kanban_complete', { summary: 'made' })).status, 'done');
  const again = await client.callTool({ name: 'kanban_complete', arguments: { summary: 'again' } });
  assert.ok(again.isError);
  await client.close();
}

try {
  run('init');
  await plain();
  await orchestrator();
  await worker();
  console.log(`${which} ${mode}: all of it works`);
} finally {
  rmSync(home, { recursive: true });
}
