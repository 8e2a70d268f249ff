/** Ghost text: what is offered is drawn in grey at the cursor, and keys take it. */

import { isolateHistory } from "@codemirror/commands";
import { type EditorState, type Extension, Prec } from "@codemirror/state";
import { type Command, Decoration, type DecorationSet, EditorView, keymap, WidgetType } from "@codemirror/view";
import type { Asking } from "./asking";
import { offerField, setOffer, shownIn } from "./offer";
import { TriggerKind } from "./protocol";
import { covered, lineLength, wordLength } from "./rest";

class GhostText extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }

  override eq(other: GhostText): boolean {
    return other.text === this.text;
  }

  override toDOM(): HTMLElement {
    const span = document.createElement("span");
    span.className = "cm-ghost";
    span.textContent = this.text;
    return span;
  }
}

function drawn(state: EditorState): DecorationSet {
  const { head } = state.selection.main;
  const widgets = (shownIn(state)?.rest ?? []).flatMap((text, index) =>
    text ? [Decoration.widget({ widget: new GhostText(text), side: 1 }).range(head + index)] : [],
  );
  return Decoration.set(widgets);
}

// Each command says whether it did anything: where nothing is shown, the key means what it always meant.

function accept(asking: Asking, measure: (left: string) => number): Command {
  return (view) => {
    const there = shownIn(view.state);
    if (!there) return false;
    const { shown, rest } = there;
    const { head } = view.state.selection.main;
    const left = shown.text.slice(head - shown.from);
    const length = measure(left);
    const isAll = length === left.length;
    view.dispatch({
      changes: { from: head, to: isAll ? shown.to : head + covered(rest, length), insert: left.slice(0, length) },
      selection: { anchor: head + length },
      annotations: isolateHistory.of("full"), // one step to undo
      scrollIntoView: true,
      userEvent: "input.complete",
    });
    if (isAll) asking.accepted(shown);
    else asking.acceptedPart(shown, head - shown.from + length);
    return true;
  };
}

function dismiss(asking: Asking): Command {
  return (view) => {
    const there = shownIn(view.state);
    if (!there) return false;
    view.dispatch({ effects: setOffer.of(null) });
    asking.dismissed(there.shown);
    return true;
  };
}

function turn(asking: Asking, by: 1 | -1): Command {
  return (view) => {
    const offer = view.state.field(offerField);
    if (!offer) return false;
    if (offer.invoked) asking.show(view, offer, by);
    else void asking.ask(view, TriggerKind.Invoked, by); // typing was answered with one suggestion alone
    return true;
  };
}

function ask(asking: Asking): Command {
  return (view) => {
    void asking.ask(view, TriggerKind.Invoked);
    return true;
  };
}

/** The keys are those of VS Code; for a line, where it has none, that of our extension for it. */
export function ghostText(asking: Asking): Extension {
  const keys = [
    { key: "Tab", run: accept(asking, (left) => left.length) },
    { key: "Mod-ArrowRight", run: accept(asking, wordLength) },
    { key: "Mod-Alt-ArrowRight", run: accept(asking, lineLength) },
    { key: "Escape", run: dismiss(asking) },
    { key: "Alt-]", run: turn(asking, 1) },
    { key: "Alt-[", run: turn(asking, -1) },
    { key: "Alt-\\", run: ask(asking) },
  ];
  return [
    offerField,
    EditorView.decorations.compute(["doc", "selection", offerField], drawn),
    EditorView.updateListener.of((update) => asking.updated(update)),
    Prec.highest(keymap.of(keys)),
  ];
}
