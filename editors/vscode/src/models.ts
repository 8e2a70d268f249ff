/** Choosing a model: one that is known, a file, a directory, or any other name. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { type OpenDialogOptions, QuickPickItemKind, type QuickPickItem, window } from 'vscode';

import type { Server } from './server';
import { change, configuration } from './settings';

/** What of `fim-ls models list --json` is shown. */
interface KnownModel {
    name: string;
    parameters: number;
    licence: { name: string };
    installed: string | boolean;
}

const FILE = '$(file) A GGUF file…';
const FOLDER = '$(folder) A directory with a checkpoint…';
const NAME = '$(edit) Another name…';

export async function chooseModel(server: Server | undefined): Promise<void> {
    const current = configuration().get<string>('model', '');
    const chosen = await window.showQuickPick(entries(server), {
        title: `The model is ${current}`,
        placeHolder: 'One that is not installed is fetched before it is loaded',
        matchOnDescription: true,
    });
    const model = chosen && (await named(chosen.label, current));
    if (model) {
        await change('model', model);
    }
}

async function entries(server: Server | undefined): Promise<QuickPickItem[]> {
    const known = server !== undefined && 'command' in server ? await knownModels(server.command) : [];
    return [
        ...[FILE, FOLDER, NAME].map((label) => ({ label })),
        { label: 'known models', kind: QuickPickItemKind.Separator },
        ...known.map((model) => ({ label: model.name, description: describe(model) })),
    ];
}

async function knownModels(command: string): Promise<KnownModel[]> {
    const { stdout } = await promisify(execFile)(command, ['models', 'list', '--json'], { maxBuffer: 1e8 });
    return (JSON.parse(stdout) as { models: KnownModel[] }).models;
}

function describe({ parameters, licence, installed }: KnownModel): string {
    const size = parameters >= 1e9 ? `${(parameters / 1e9).toFixed(1)} B` : `${(parameters / 1e6).toFixed(0)} M`;
    return [`${size} parameters`, licence.name, ...(installed ? ['installed'] : [])].join(' · ');
}

/** The name of a model that was chosen; undefined if the user left. */
async function named(label: string, current: string): Promise<string | undefined> {
    switch (label) {
        case FILE:
            return opened({ filters: { 'GGUF files': ['gguf'] } });
        case FOLDER:
            return opened({ canSelectFolders: true, canSelectFiles: false });
        case NAME:
            return window.showInputBox({ prompt: 'A registry name, a path, or a hub name', value: current });
        default:
            return label;
    }
}

async function opened(options: OpenDialogOptions): Promise<string | undefined> {
    return (await window.showOpenDialog({ openLabel: 'Use', ...options }))?.[0]?.fsPath;
}
