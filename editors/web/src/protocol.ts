/** The few shapes of LSP, and of docs/protocol.md, that this page speaks. Characters are UTF-16 units. */

export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export interface InlineCompletionItem {
  insertText: string;
  range?: Range;
  command?: { title: string; command: string; arguments?: unknown[] };
}

export interface InlineCompletionList {
  items: InlineCompletionItem[];
}

export const TriggerKind = { Invoked: 1, Automatic: 2 } as const;
export type TriggerKind = (typeof TriggerKind)[keyof typeof TriggerKind];

/** What `fim-ls/status` tells. */
export interface Status {
  state: "loading" | "ready" | "busy" | "off" | "error";
  model: string;
  device: string;
  message: string;
}

/** What `$/progress` tells of loading. */
export interface Progress {
  value: { kind: "begin" | "report" | "end"; percentage?: number };
}
