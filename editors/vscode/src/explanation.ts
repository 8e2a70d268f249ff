/** Why the last suggestion is what it is, as a page that can only be read. */

import { type Disposable, EventEmitter, Uri, window, workspace } from 'vscode';

import type { Session } from './session';

type Counts = Record<string, number>;

/** What `fim-ls.explain` gives, see docs/protocol.md. */
interface Explanation {
    finishReason: string;
    droppedBy: string | null;
    usage: Counts;
    timings: Counts;
    stages: { name: string; outcome: string }[];
    repeats: { path: string; line: number; characters: number }[];
}

const SCHEME = 'fim-ls-explanation';
const PAGE = Uri.from({ scheme: SCHEME, path: '/Last suggestion.txt' });

export class Explanations implements Disposable {
    private readonly changed = new EventEmitter<Uri>();
    private readonly registration: Disposable;
    private text = '';

    constructor(private readonly session: Session) {
        this.registration = workspace.registerTextDocumentContentProvider(SCHEME, {
            onDidChange: this.changed.event,
            provideTextDocumentContent: () => this.text,
        });
    }

    dispose(): void {
        this.registration.dispose();
        this.changed.dispose();
    }

    /** Open the page for the document that is edited. */
    async open(): Promise<void> {
        const uri = window.activeTextEditor?.document.uri.toString();
        const explanation = uri && (await this.session.command<Explanation | null>('fim-ls.explain', uri));
        if (!explanation) {
            void window.showInformationMessage('fim-ls was not asked for anything in this file yet.');
            return;
        }
        const status = await this.session.command<{ statistics: Counts }>('fim-ls.status');
        this.text = page(explanation, status?.statistics ?? {});
        this.changed.fire(PAGE);
        await window.showTextDocument(PAGE, { preview: true, preserveFocus: true, viewColumn: -2 });
    }
}

function page(explanation: Explanation, statistics: Counts): string {
    const { finishReason, droppedBy, usage, timings, stages, repeats } = explanation;
    return [
        section('What was done', stages.map(({ name, outcome }) => [name, outcome])),
        section('How it ended', [['reason', finishReason], ...(droppedBy ? [['dropped by', droppedBy]] : [])]),
        section('Tokens', Object.entries(usage)),
        section('Milliseconds', Object.entries(timings).map(([name, time]) => [name, time.toFixed(1)])),
        section('Repeats of other files', repeats.map(({ path, line, characters }) => [`${path}:${line}`, characters])),
        section('This session', Object.entries(statistics)),
    ]
        .filter(Boolean)
        .join('\n');
}

/** A heading with rows of a name and a value; nothing without rows. */
function section(title: string, rows: (string | number)[][]): string {
    const width = Math.max(...rows.map(([name]) => String(name).length)) + 2;
    const lines = rows.map(([name, value]) => `    ${String(name).padEnd(width)}${value}\n`);
    return lines.length > 0 ? `${title}\n${lines.join('')}` : '';
}
