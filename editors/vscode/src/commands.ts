/** What the user can ask for, by the palette or by the menu of the status bar. */

import { type Disposable, type LogOutputChannel, type QuickPickItem, commands, window, workspace } from 'vscode';

import { Explanations } from './explanation';
import type { PrivateServer } from './install';
import { chooseModel } from './models';
import type { Session } from './session';
import { change, configuration } from './settings';
import type { StatusItem } from './status';

const EXAMPLE = 'def area_of_circle(radius):\n    """The area of a circle of this radius."""\n    return ';

interface Entry extends QuickPickItem {
    command: string;
    args?: string[];
}

export function registerCommands(
    session: Session,
    ownServer: PrivateServer,
    status: StatusItem,
    log: LogOutputChannel,
): Disposable[] {
    const explanations = new Explanations(session);
    const registered: Record<string, () => unknown> = {
        showMenu: () => showMenu(status),
        toggleSuggestions,
        toggleLanguage,
        chooseModel: () => chooseModel(session.server),
        explainSuggestion: () => explanations.open(),
        showLog: () => log.show(),
        restart: () => session.restart(),
        installServer: async () => (await ownServer.install()) && session.restart(),
        openExample,
    };
    const names = Object.entries(registered);
    return [explanations, ...names.map(([name, run]) => commands.registerCommand(`fim-ls.${name}`, run))];
}

async function showMenu(status: StatusItem): Promise<void> {
    const chosen = await window.showQuickPick(entries(), { title: `fim-ls: ${status.sentence}` });
    if (chosen !== undefined) {
        await commands.executeCommand(chosen.command, ...(chosen.args ?? []));
    }
}

function entries(): Entry[] {
    const language = window.activeTextEditor?.document.languageId;
    const here = language === undefined ? [] : [{ label: languageLabel(language), command: 'fim-ls.toggleLanguage' }];
    const all = isEnabled() ? '$(circle-slash) Turn suggestions off' : '$(sparkle) Turn suggestions on';
    return [
        { label: all, command: 'fim-ls.toggleSuggestions' },
        ...here,
        { label: '$(database) Choose the model…', command: 'fim-ls.chooseModel' },
        { label: '$(question) Explain the last suggestion', command: 'fim-ls.explainSuggestion' },
        { label: '$(output) Show the log', command: 'fim-ls.showLog' },
        { label: '$(debug-restart) Restart the server', command: 'fim-ls.restart' },
        { label: '$(gear) Settings', command: 'workbench.action.openSettings', args: ['fim-ls.'] },
    ];
}

function languageLabel(language: string): string {
    const isOff = disabledLanguages().includes(language);
    return `${isOff ? '$(sparkle)' : '$(circle-slash)'} Turn suggestions ${isOff ? 'on' : 'off'} for ${language}`;
}

async function toggleSuggestions(): Promise<void> {
    await change('enabled', !isEnabled());
}

async function toggleLanguage(): Promise<void> {
    const language = window.activeTextEditor?.document.languageId;
    if (language === undefined) {
        return;
    }
    const others = disabledLanguages().filter((each) => each !== language);
    await change('disabledLanguages', others.length < disabledLanguages().length ? others : [...others, language]);
}

async function openExample(): Promise<void> {
    const document = await workspace.openTextDocument({ language: 'python', content: EXAMPLE });
    await window.showTextDocument(document);
    await commands.executeCommand('cursorBottom');
    await commands.executeCommand('editor.action.inlineSuggest.trigger');
}

function isEnabled(): boolean {
    return configuration().get('enabled', true);
}

function disabledLanguages(): string[] {
    return configuration().get('disabledLanguages', []);
}
