/** The item in the status bar: what the model is doing. */

import { Disposable, MarkdownString, StatusBarAlignment, ThemeColor, commands, window, workspace } from 'vscode';

import { configuration } from './settings';

export type State = 'loading' | 'ready' | 'busy' | 'off' | 'error';

/** What `fim-ls/status` tells. */
export interface ServerStatus {
    state: State;
    model: string;
    device: string;
    message: string;
    memoryBytes?: number;
    format?: { name: string; knownBy: string; reason: string };
}

const ICONS: Record<State, string> = {
    loading: 'loading~spin',
    ready: 'sparkle',
    busy: 'sync~spin',
    off: 'circle-slash',
    error: 'error',
};

export class StatusItem implements Disposable {
    private readonly item = window.createStatusBarItem('status', StatusBarAlignment.Right, 100);
    private readonly listeners: Disposable;
    private status: ServerStatus = { state: 'off', model: '', device: '', message: '' };
    private percentage: number | undefined;

    constructor() {
        this.item.name = 'fim-ls';
        this.item.command = 'fim-ls.showMenu';
        this.listeners = Disposable.from(
            window.onDidChangeActiveTextEditor(() => this.draw()),
            workspace.onDidChangeConfiguration((event) => {
                if (event.affectsConfiguration('fim-ls')) {
                    this.draw();
                }
            }),
        );
        this.draw();
        this.item.show();
    }

    dispose(): void {
        this.listeners.dispose();
        this.item.dispose();
    }

    /** Draw what the server tells of its model. */
    follow(status: ServerStatus): void {
        this.status = status;
        this.percentage = status.state === 'loading' ? this.percentage : undefined;
        void commands.executeCommand('setContext', 'fim-ls.isReady', status.state === 'ready' || status.state === 'busy');
        this.draw();
    }

    /** Draw what is known without the server. */
    show(state: State, message: string): void {
        this.follow({ state, model: '', device: '', message });
    }

    /** Draw how much of the model is loaded. */
    progress(percentage: number): void {
        this.percentage = percentage;
        this.draw();
    }

    /** The state in one line, without its icon. */
    get sentence(): string {
        const { state, model, device, message } = this.status;
        const where = [model, device].filter(Boolean).join(' on ');
        const share = state === 'loading' && this.percentage !== undefined ? `${this.percentage} %` : '';
        return [this.stateHere, share, where, message].filter(Boolean).join(' · ');
    }

    /** The state for the file that is edited, whose language may be switched off. */
    private get stateHere(): State {
        const language = window.activeTextEditor?.document.languageId ?? '';
        const isOffHere = configuration().get<string[]>('disabledLanguages', []).includes(language);
        return isOffHere && this.status.state !== 'error' ? 'off' : this.status.state;
    }

    private draw(): void {
        const state = this.stateHere;
        this.item.text = `$(${ICONS[state]}) ${this.label(state)}`;
        this.item.tooltip = this.tooltip();
        this.item.backgroundColor = state === 'error' ? new ThemeColor('statusBarItem.errorBackground') : undefined;
        this.item.accessibilityInformation = { label: `fim-ls: ${this.sentence}` };
    }

    /** The same words for ready and busy, so that the bar does not move at every key. */
    private label(state: State): string {
        const { model, device } = this.status;
        switch (state) {
            case 'loading':
                return this.percentage === undefined ? 'fim-ls' : `fim-ls ${this.percentage} %`;
            case 'ready':
            case 'busy':
                return device ? `${model} · ${device}` : model || 'fim-ls';
            case 'off':
                return 'fim-ls: off';
            case 'error':
                return 'fim-ls: error';
        }
    }

    private tooltip(): MarkdownString {
        const { memoryBytes, format } = this.status;
        const lines = [`**fim-ls** · ${this.sentence}`];
        if (memoryBytes !== undefined) {
            lines.push(`${(memoryBytes / 1e6).toFixed(0)} MB of memory`);
        }
        if (format !== undefined) {
            lines.push(format.reason);
        }
        return new MarkdownString(lines.join('\n\n'));
    }
}
