// Drives "sluice lsp" through the client library that VS Code uses:
//
//   node client.js SLUICE FOLDER
//
// It writes a project into the folder, and fails where an answer is not what an
// editor needs.
"use strict"

const assert = require("node:assert/strict")
const { spawn } = require("node:child_process")
const fs = require("node:fs")
const path = require("node:path")
const { pathToFileURL } = require("node:url")
const lsp = require("vscode-languageserver-protocol/node")

const [sluice, folder] = process.argv.slice(2)

const flow = `about: Tell who has an address.
endpoint: POST /who
session: none
input:
  body:
    email: {type: string, format: email}
steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on:
      notFound:
        - fail: unknown_user
  - respond: 200
    body: {text: "👋 {$user.nam}", id: $user.id}
`

// place is the position behind a part of a text. JavaScript counts UTF-16, as the protocol does.
function place(text, part) {
  const at = text.indexOf(part)
  assert.notEqual(at, -1, `there is no ${part} in the text`)
  const before = text.slice(0, at + part.length).split("\n")
  return { line: before.length - 1, character: before.at(-1).length }
}

function apply(text, edits) {
  const starts = [0]
  for (let i = 0; i < text.length; i++) if (text[i] === "\n") starts.push(i + 1)
  const offset = (p) => starts[p.line] + p.character
  for (const e of [...edits].sort((a, b) => offset(b.range.start) - offset(a.range.start)))
    text = text.slice(0, offset(e.range.start)) + e.newText + text.slice(offset(e.range.end))
  return text
}

async function main() {
  const flows = path.join(folder, "flows")
  fs.mkdirSync(flows, { recursive: true })
  const errors = path.join(flows, "errors.yaml")
  fs.writeFileSync(errors, "unknown_user: {status: 404, message: Nobody has this address.}\n")
  const uri = pathToFileURL(path.join(flows, "who.yaml")).href

  const child = spawn(sluice, ["lsp", "--stdio"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] })
  const ended = new Promise((resolve) => child.on("exit", resolve))
  const editor = lsp.createProtocolConnection(new lsp.StreamMessageReader(child.stdout), new lsp.StreamMessageWriter(child.stdin))
  const registered = new Promise((resolve) => editor.onRequest(lsp.RegistrationRequest.type, (p) => resolve(p.registrations)))
  const reports = []
  const waiting = []
  editor.onNotification(lsp.PublishDiagnosticsNotification.type, (p) => {
    reports.push(p)
    for (const w of waiting) w()
  })
  const report = (version) =>
    new Promise((resolve) => {
      const look = () => {
        const found = reports.find((r) => r.uri === uri && r.version === version)
        if (found) resolve(found)
      }
      waiting.push(look)
      look()
    })
  editor.listen()

  const { capabilities } = await editor.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } },
  })
  assert.equal(capabilities.textDocumentSync.change, lsp.TextDocumentSyncKind.Full)
  await editor.sendNotification(lsp.InitializedNotification.type, {})
  assert.equal((await registered)[0].method, "workspace/didChangeWatchedFiles")

  const textDocument = { uri }
  await editor.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: "yaml", version: 1, text: flow },
  })
  const [problem, ...more] = (await report(1)).diagnostics
  assert.deepEqual(more, [])
  assert.match(problem.message, /has no "nam" \(did you mean name\?\)/)
  assert.equal(problem.severity, lsp.DiagnosticSeverity.Error)
  assert.deepEqual(problem.range.end, place(flow, "{$user.nam"))

  const completed = await editor.sendRequest(lsp.CompletionRequest.type, { textDocument, position: place(flow, "{$user.nam") })
  const name = completed.items.find((i) => i.label === "name")
  assert.equal(name.kind, lsp.CompletionItemKind.Field)
  const mended = apply(flow, [name.textEdit])
  assert.equal(mended, flow.replace("$user.nam}", "$user.name}"))
  await editor.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 },
    contentChanges: [{ text: mended }],
  })
  assert.deepEqual((await report(2)).diagnostics, [])

  const hover = await editor.sendRequest(lsp.HoverRequest.type, { textDocument, position: place(mended, "id: $user.i") })
  assert.match(hover.contents.value, /`\$user\.id`: string/)

  const definition = await editor.sendRequest(lsp.DefinitionRequest.type, { textDocument, position: place(mended, "fail: unknown") })
  assert.equal(definition.uri, pathToFileURL(errors).href)
  assert.deepEqual(definition.range, lsp.Range.create(0, 0, 0, "unknown_user".length))

  const position = place(mended, "id: $us")
  const { placeholder } = await editor.sendRequest(lsp.PrepareRenameRequest.type, { textDocument, position })
  assert.equal(placeholder, "user")
  const { changes } = await editor.sendRequest(lsp.RenameRequest.type, { textDocument, position, newName: "owner" })
  const renamed = mended.replace("id: user", "id: owner").replaceAll("$user", "$owner")
  assert.equal(apply(mended, changes[uri]), renamed)
  await assert.rejects(editor.sendRequest(lsp.RenameRequest.type, { textDocument, position, newName: "body" }), /there is a \$body already/)

  const symbols = await editor.sendRequest(lsp.DocumentSymbolRequest.type, { textDocument })
  assert.deepEqual(symbols.map((s) => s.name), ["user", "respond"])
  assert.equal(symbols[0].children[0].name, "on notFound")

  await editor.sendRequest(lsp.ShutdownRequest.type)
  await editor.sendNotification(lsp.ExitNotification.type)
  assert.equal(await ended, 0)
  editor.dispose()
}

main().then(
  () => console.log("an editor got all it asked for"),
  (err) => {
    console.error(err)
    process.exit(1)
  },
)
