/** Which server is used: the one of the settings, of the PATH, or of our own. */

import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { workspace } from 'vscode';

import type { PrivateServer } from './install';

/** A command to start, or a place where one listens. */
export type Server = { command: string } | { host: string; port: number };

const EXECUTABLE_SUFFIX = process.platform === 'win32' ? '.exe' : '';

/** The server to use; undefined if there is none yet. */
export async function findServer(own: PrivateServer): Promise<Server | undefined> {
    const settings = workspace.getConfiguration('fim-ls.server');
    const address = settings.get<string>('address', '');
    if (address) {
        const colon = address.lastIndexOf(':');
        return { host: address.slice(0, colon) || '127.0.0.1', port: Number(address.slice(colon + 1)) };
    }
    const found = atHome(settings.get<string>('path', '')) || (await onPath('fim-ls')) || (await own.command());
    return found ? { command: found } : undefined;
}

/** A path that may begin with a tilde. */
export function atHome(path: string): string {
    return path.replace(/^~(?=[/\\])/, homedir());
}

/** The first program of a name on the PATH; undefined if there is none. */
export async function onPath(name: string): Promise<string | undefined> {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
        const path = join(folder, name + EXECUTABLE_SUFFIX);
        if (folder && (await isThere(path, constants.X_OK))) {
            return path;
        }
    }
    return undefined;
}

/** Whether there is a file, which may be executed if the mode asks for that. */
export async function isThere(path: string, mode = constants.F_OK): Promise<boolean> {
    return access(path, mode).then(
        () => true,
        () => false,
    );
}
