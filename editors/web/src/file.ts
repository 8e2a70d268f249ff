/** One opened file: its text as the server knows it, with the line ends that the file has. */

import type { ChangeSet, Text } from "@codemirror/state";
import type { Client } from "./client";
import type { Position } from "./protocol";

export function positionAt(doc: Text, offset: number): Position {
  const line = doc.lineAt(offset);
  return { line: line.number - 1, character: offset - line.from };
}

export function offsetAt(doc: Text, { line, character }: Position): number {
  if (line >= doc.lines) return doc.length;
  const { from, to } = doc.line(line + 1);
  return Math.min(from + character, to);
}

export class File {
  readonly uri: string;
  private version = 0;

  constructor(
    private readonly client: Client,
    readonly name: string,
    readonly languageId: string,
    private readonly eol: "\n" | "\r\n",
  ) {
    this.uri = `file:///demo/${encodeURIComponent(name)}`;
  }

  open(doc: Text): void {
    const text = this.toWire(doc.toString());
    const textDocument = { uri: this.uri, languageId: this.languageId, version: ++this.version, text };
    this.client.notify("textDocument/didOpen", { textDocument });
  }

  /** Tell what was changed; `before` is the text that the changes were made to. */
  change(before: Text, changes: ChangeSet): void {
    const contentChanges: unknown[] = [];
    changes.iterChanges((from, to, _fromB, _toB, inserted) => {
      const range = { start: positionAt(before, from), end: positionAt(before, to) };
      // The last one first: each leaves the places of those before it where they were.
      contentChanges.unshift({ range, text: this.toWire(inserted.toString()) });
    });
    const textDocument = { uri: this.uri, version: ++this.version };
    this.client.notify("textDocument/didChange", { textDocument, contentChanges });
  }

  close(): void {
    this.client.notify("textDocument/didClose", { textDocument: { uri: this.uri } });
  }

  /** A text with the line ends of the file. */
  toWire(text: string): string {
    return this.eol === "\n" ? text : text.replaceAll("\n", this.eol);
  }
}
