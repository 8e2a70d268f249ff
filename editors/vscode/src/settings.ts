/** What the user set, for the server; the keys are mirrored from its own table by mirror_settings.py. */

import { type WorkspaceConfiguration, ConfigurationTarget, workspace } from 'vscode';

import { contributes } from '../package.json';

const SECTION = 'fim-ls';
const MIRRORED = Object.keys(contributes.configuration[0]!.properties).map((name) => name.slice(SECTION.length + 1));

export function configuration(): WorkspaceConfiguration {
    return workspace.getConfiguration(SECTION);
}

/** All that is set to something. Our defaults are left out: they would hide the user's own settings file. */
export function userSettings(): Record<string, unknown> {
    const settings = configuration();
    const said: Record<string, unknown> = {};
    for (const key of MIRRORED.filter((each) => isSet(settings, each))) {
        put(said, key.split('.'), settings.get(key));
    }
    return said;
}

/** Change a setting where it is set now: in the opened folder, or for the user. */
export async function change(key: string, value: unknown): Promise<void> {
    const inWorkspace = configuration().inspect(key)?.workspaceValue !== undefined;
    const target = inWorkspace ? ConfigurationTarget.Workspace : ConfigurationTarget.Global;
    await configuration().update(key, value, target);
}

function isSet(settings: WorkspaceConfiguration, key: string): boolean {
    const said = settings.inspect(key);
    return [said?.globalValue, said?.workspaceValue, said?.workspaceFolderValue].some((value) => value !== undefined);
}

function put(table: Record<string, unknown>, [key, ...rest]: string[], value: unknown): void {
    if (key === undefined) {
        return;
    }
    if (rest.length === 0) {
        table[key] = value;
    } else {
        put((table[key] ??= {}) as Record<string, unknown>, rest, value);
    }
}
