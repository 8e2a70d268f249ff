/** Tells the server what becomes of its suggestions; the taking of a whole one is told by its own command. */

import {
    type Command,
    type Disposable,
    type InlineCompletionItem,
    type InlineCompletionList,
    Position,
    Range,
    type TextDocument,
    type TextDocumentChangeEvent,
    workspace,
} from 'vscode';
import type { LanguageClient, Middleware } from 'vscode-languageclient/node';

/** A suggestion that is drawn: where in the document it begins, and how it travels. */
interface Shown {
    document: TextDocument;
    start: Position;
    text: string;
    item: { insertText: string; command: Command | undefined };
}

export class Suggestions implements Disposable {
    private shown: Shown | undefined;
    private readonly listener: Disposable;

    constructor(private readonly client: LanguageClient) {
        this.listener = workspace.onDidChangeTextDocument((event) => this.edited(event));
    }

    dispose(): void {
        this.listener.dispose();
    }

    /** Let the server answer, and note what the editor is going to draw of it. */
    readonly provide: NonNullable<Middleware['provideInlineCompletionItems']> = async (
        document,
        position,
        context,
        token,
        next,
    ) => {
        const answer = await next(document, position, context, token);
        const item = first(answer);
        if (item !== undefined && !token.isCancellationRequested) {
            this.draws(document, position, item);
        }
        return answer;
    };

    private draws(document: TextDocument, position: Position, drawn: InlineCompletionItem): void {
        const text = typeof drawn.insertText === 'string' ? drawn.insertText : drawn.insertText.value;
        const start = drawn.range?.start ?? position;
        if (this.isRestOfShown(document, start, text)) {
            return;
        }
        const item = { insertText: text, command: drawn.command };
        this.shown = { document, start, text, item };
        void this.client.sendNotification('textDocument/didShowCompletion', { item });
    }

    /** Whether a suggestion is what typing along has left of the one that was told of. */
    private isRestOfShown(document: TextDocument, start: Position, text: string): boolean {
        const shown = this.shown;
        if (shown?.document !== document || start.isBefore(shown.start)) {
            return false;
        }
        return document.getText(new Range(shown.start, start)) + text === shown.text;
    }

    /** Take an edit that writes several characters of the suggestion at once for the taking of a part of it. */
    private edited({ document, contentChanges }: TextDocumentChangeEvent): void {
        const [edit] = contentChanges;
        if (this.shown?.document !== document || edit === undefined || edit.text.length < 2) {
            return;
        }
        const end = document.positionAt(edit.rangeOffset + edit.text.length);
        const taken = document.getText(new Range(this.shown.start, end));
        if (taken.length < this.shown.text.length && this.shown.text.startsWith(taken)) {
            void this.client.sendNotification('textDocument/didPartiallyAcceptCompletion', {
                item: this.shown.item,
                acceptedLength: taken.length,
            });
        }
    }
}

function first(
    answer: InlineCompletionItem[] | InlineCompletionList | null | undefined,
): InlineCompletionItem | undefined {
    return (Array.isArray(answer) ? answer : answer?.items)?.[0];
}
