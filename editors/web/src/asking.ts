/** When the server is asked, what becomes of its answers, and what it is told that became of them. */

import type { EditorState } from "@codemirror/state";
import type { EditorView, ViewUpdate } from "@codemirror/view";
import type { Client } from "./client";
import { type File, offsetAt, positionAt } from "./file";
import { type Offer, offerField, restIn, setOffer, type Suggestion } from "./offer";
import { type InlineCompletionItem, type InlineCompletionList, TriggerKind } from "./protocol";

/** What the status line says of the last answer. */
export interface Answered {
  place: number;
  count: number;
  /** How long it took; undefined if it was there already. */
  milliseconds: number | undefined;
}

/** One file's requests. */
export class Asking {
  private pending: AbortController | null = null;
  private sentAway: Pick<Suggestion, "text" | "from"> | null = null;

  /** @param report is told which suggestion is shown, and how long the answer took. */
  constructor(
    private readonly client: Client,
    private readonly file: File,
    private readonly report: (answer: Answered) => void,
  ) {}

  updated({ changes, docChanged, selectionSet, startState, state, transactions, view }: ViewUpdate): void {
    if (!docChanged && !selectionSet) return;
    this.stop();
    if (!docChanged) return;
    this.file.change(startState.doc, changes);
    if (this.sentAway) this.sentAway = { ...this.sentAway, from: changes.mapPos(this.sentAway.from, -1) };
    const isTyped = transactions.some((one) => one.isUserEvent("input") || one.isUserEvent("delete"));
    if (isTyped && !state.field(offerField)) void this.ask(view, TriggerKind.Automatic);
  }

  /** Want no answer any more. */
  stop(): void {
    this.pending?.abort();
    this.pending = null;
  }

  /** Ask for suggestions at the cursor and show one: the first, or as many further on as `by` says. */
  async ask(view: EditorView, triggerKind: TriggerKind, by = 0): Promise<void> {
    this.stop();
    const { signal } = (this.pending = new AbortController());
    const { state } = view;
    const begun = performance.now();
    const items = await this.items(state, triggerKind, signal);
    if (signal.aborted) return;
    const invoked = triggerKind === TriggerKind.Invoked;
    if (invoked) this.sentAway = null; // whoever asks wants to see it
    const suggestions = this.fitting(items, state);
    if (suggestions.length > 0) this.show(view, { suggestions, index: 0, invoked }, by, performance.now() - begun);
  }

  /** Show the suggestion that is `by` further on than the one that is shown. */
  show(view: EditorView, offer: Offer, by: number, milliseconds?: number): void {
    const count = offer.suggestions.length;
    const index = (offer.index + by + count) % count;
    view.dispatch({ effects: setOffer.of({ ...offer, index }) });
    this.client.notify("textDocument/didShowCompletion", { item: offer.suggestions[index]?.item });
    this.report({ place: index + 1, count, milliseconds });
  }

  accepted({ item }: Suggestion): void {
    if (item.command) this.client.request("workspace/executeCommand", item.command).catch(() => undefined);
  }

  /** The first `length` characters of a suggestion stand in the document. */
  acceptedPart({ text, item }: Suggestion, length: number): void {
    const acceptedLength = this.file.toWire(text.slice(0, length)).length;
    this.client.notify("textDocument/didPartiallyAcceptCompletion", { item, acceptedLength });
  }

  dismissed(suggestion: Suggestion): void {
    this.stop();
    this.sentAway = suggestion;
  }

  private async items(
    state: EditorState,
    triggerKind: TriggerKind,
    signal: AbortSignal,
  ): Promise<InlineCompletionItem[]> {
    const params = {
      textDocument: { uri: this.file.uri },
      position: positionAt(state.doc, state.selection.main.head),
      context: { triggerKind },
    };
    try {
      const list = await this.client.request("textDocument/inlineCompletion", params, signal);
      return (list as InlineCompletionList | null)?.items ?? [];
    } catch {
      return []; // it was cancelled, or the server is gone, which the status line tells
    }
  }

  private fitting(items: InlineCompletionItem[], state: EditorState): Suggestion[] {
    const { head } = state.selection.main;
    const suggestions = items.map((item) => ({
      text: item.insertText.replaceAll("\r\n", "\n"),
      from: item.range ? offsetAt(state.doc, item.range.start) : head,
      to: item.range ? offsetAt(state.doc, item.range.end) : head,
      item,
    }));
    return suggestions.filter((one) => restIn(state, one) && !this.wasSentAway(one, state));
  }

  /** Whether this is the rest of what was dismissed, after some of it was typed. */
  private wasSentAway({ text, from }: Suggestion, state: EditorState): boolean {
    const { sentAway } = this;
    return sentAway !== null && state.sliceDoc(sentAway.from, from) + text === sentAway.text;
  }
}
