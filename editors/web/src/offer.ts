/** What is offered at the cursor: kept in the editor's state, and followed through every change. */

import { type ChangeDesc, type EditorState, StateEffect, StateField, type Transaction } from "@codemirror/state";
import type { InlineCompletionItem } from "./protocol";
import { type Rest, restOf } from "./rest";

/** A text in place of the stretch from `from` to `to`, which holds the cursor. */
export interface Suggestion {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly item: InlineCompletionItem;
}

/** Suggestions, best first. */
export interface Offer {
  readonly suggestions: readonly Suggestion[];
  readonly index: number;
  /** Whether the user asked for them, so that there are no more to be had. */
  readonly invoked: boolean;
}

export const setOffer = StateEffect.define<Offer | null>();

export const offerField = StateField.define<Offer | null>({
  create: () => null,
  update(offer, transaction) {
    for (const effect of transaction.effects) if (effect.is(setOffer)) return effect.value;
    if (offer && transaction.docChanged) return followed(offer, transaction);
    return offer && transaction.selection ? null : offer;
  },
});

/** The offer after a change: the suggestions that go on as the document does. */
function followed(offer: Offer, { changes, state }: Transaction): Offer | null {
  const suggestions: Suggestion[] = [];
  let index = 0;
  offer.suggestions.forEach((one, place) => {
    const moved = { ...one, from: changes.mapPos(one.from, -1), to: changes.mapPos(one.to, 1) };
    if (!isInside(changes, one) || !restIn(state, moved)) return;
    if (place === offer.index) index = suggestions.length;
    suggestions.push(moved);
  });
  return suggestions.length > 0 ? { ...offer, suggestions, index } : null;
}

function isInside(changes: ChangeDesc, { from, to }: Suggestion): boolean {
  let isInside = true;
  changes.iterChangedRanges((start, end) => {
    isInside &&= start >= from && end <= to;
  });
  return isInside;
}

/** What is left of a suggestion at the cursor, null if it does not fit there. */
export function restIn(state: EditorState, { text, from, to }: Suggestion): Rest | null {
  const { main, ranges } = state.selection;
  if (!main.empty || ranges.length > 1 || main.head < from || main.head > to) return null;
  return restOf(text, state.sliceDoc(from, main.head), state.sliceDoc(main.head, to));
}

/** The suggestion that is drawn, and what is left of it. */
export function shownIn(state: EditorState): { shown: Suggestion; rest: Rest } | null {
  const offer = state.field(offerField);
  const shown = offer?.suggestions[offer.index];
  const rest = shown && restIn(state, shown);
  return rest ? { shown, rest } : null;
}
