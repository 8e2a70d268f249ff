/** The page: tabs, the editor, the status line, and the connection to the server that sent the page. */

import { EditorView } from "@codemirror/view";
import { Buffer } from "./buffer";
import { Client } from "./client";
import { EXAMPLES } from "./examples";
import type { Progress, Status } from "./protocol";
import { StatusLine } from "./status";

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const toggle = element<HTMLButtonElement>("toggle");
const status = new StatusLine(element("state"), element("answer"), toggle);
const tabs = element("tabs");
const view = new EditorView({ parent: element("editor") });
const buffers: Buffer[] = [];
let shown: Buffer | null = null;

const client = new Client(location.origin.replace(/^http/, "ws"), {
  connected: () => buffers.forEach((one) => one.reopen(one === shown ? view : undefined)),
  lost: () => status.disconnected(),
  notified(method, params) {
    if (method === "fim-ls/status") status.tell(params as Status);
    else if (method === "$/progress") status.progress(params as Progress);
    else if (method === "window/showMessage") status.say((params as { message: string }).message);
  },
});

function show(buffer: Buffer): void {
  shown?.hide(view);
  shown = buffer;
  for (const tab of tabs.children) tab.setAttribute("aria-selected", String(tab.textContent === buffer.name));
  buffer.show(view);
}

/** Put a file into the page, in place of one of the same name. */
function add(name: string, text: string, cursor: number): Buffer {
  const buffer = new Buffer(client, name, text, cursor, (answer) => status.answered(answer));
  const former = buffers.findIndex((one) => one.name === name);
  if (former >= 0) {
    buffers[former]?.close();
    buffers.splice(former, 1, buffer);
  } else buffers.push(buffer);
  drawTabs();
  return buffer;
}

function drawTabs(): void {
  const buttons = buffers.map((buffer) => {
    const tab = document.createElement("button");
    tab.role = "tab";
    tab.textContent = buffer.name;
    tab.onclick = () => show(buffer);
    return tab;
  });
  tabs.replaceChildren(...buttons);
}

async function openFiles(files: Iterable<globalThis.File>): Promise<void> {
  for (const file of files) show(add(file.name, await file.text(), 0));
}

const input = element<HTMLInputElement>("open");
element("choose").onclick = () => input.click();
input.onchange = () => {
  void openFiles([...(input.files ?? [])]);
  input.value = ""; // so that the same file can be opened again
};
toggle.onclick = async () => {
  await client.request("workspace/executeCommand", { command: "fim-ls.toggle", arguments: [] }).catch(() => undefined);
  shown?.refresh(view);
};

for (const { name, text, cursor } of EXAMPLES) add(name, text, cursor);
client.connect();
if (buffers[0]) show(buffers[0]);
