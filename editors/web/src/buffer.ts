/** A file in the editor: its state while another one is shown, and the life of its document. */

import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  defaultHighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorSelection, EditorState, type Extension } from "@codemirror/state";
import { oneDark } from "@codemirror/theme-one-dark";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { type Answered, Asking } from "./asking";
import type { Client } from "./client";
import { File } from "./file";
import { ghostText } from "./ghost";
import { languageOf } from "./languages";
import { setOffer } from "./offer";
import { TriggerKind } from "./protocol";

const isDark = matchMedia("(prefers-color-scheme: dark)").matches;

const editing: Extension = [
  lineNumbers(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  highlightActiveLine(),
  isDark ? oneDark : syntaxHighlighting(defaultHighlightStyle),
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
];

export class Buffer {
  private readonly file: File;
  private readonly asking: Asking;
  private state: EditorState;
  private isOpen = false;

  /** @param cursor the offset, in `text` with newlines as its line ends, where editing begins. */
  constructor(client: Client, readonly name: string, text: string, cursor: number, report: (answer: Answered) => void) {
    const { id, support, indentation } = languageOf(name);
    this.file = new File(client, name, id, text.includes("\r\n") ? "\r\n" : "\n");
    this.asking = new Asking(client, this.file, report);
    this.state = EditorState.create({
      doc: text,
      selection: EditorSelection.cursor(cursor),
      extensions: [ghostText(this.asking), editing, support, indentUnit.of(indentation)],
    });
  }

  show(view: EditorView): void {
    view.setState(this.state);
    view.dispatch({ effects: EditorView.scrollIntoView(this.state.selection.main.head, { y: "center" }) });
    view.focus();
    if (!this.isOpen) this.open();
    void this.asking.ask(view, TriggerKind.Automatic);
  }

  hide(view: EditorView): void {
    this.asking.stop();
    this.state = view.state;
  }

  /** Ask anew: what is shown may not hold any more. */
  refresh(view: EditorView): void {
    view.dispatch({ effects: setOffer.of(null) });
    view.focus();
    void this.asking.ask(view, TriggerKind.Automatic);
  }

  /** A server that was just connected to knows no documents; `view` is given for the buffer that is shown. */
  reopen(view?: EditorView): void {
    if (view) this.state = view.state;
    if (this.isOpen || view) this.open();
    if (view) void this.asking.ask(view, TriggerKind.Automatic);
  }

  /** Let go of the document. */
  close(): void {
    this.asking.stop();
    if (this.isOpen) this.file.close();
  }

  private open(): void {
    this.isOpen = true;
    this.file.open(this.state.doc);
  }
}
