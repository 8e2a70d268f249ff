/** A server of our own: a virtual environment in the folder that the editor keeps for this extension. */

import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { type CancellationToken, type LogOutputChannel, ProgressLocation, window, workspace } from 'vscode';

import { atHome, onPath } from './server';

const IS_NEW_ENOUGH = 'import sys, venv; sys.exit(sys.version_info < (3, 11))';
const [BIN, SUFFIX] = process.platform === 'win32' ? ['Scripts', '.exe'] : ['bin', ''];
const LONGEST_LINE = 60;

type OnLine = (line: string) => void;

export class PrivateServer {
    private readonly environment: string;

    constructor(
        private readonly storage: string,
        private readonly extension: string,
        private readonly log: LogOutputChannel,
    ) {
        this.environment = join(storage, 'server');
    }

    /** The command, if it was installed to the end; after an update of the extension it is updated first. */
    async command(): Promise<string | undefined> {
        const installed = await this.installed();
        if (installed === undefined) {
            return undefined;
        }
        if (installed !== (await this.wanted())) {
            await this.install();
        }
        return this.program('fim-ls');
    }

    /** Install or update it, while its progress is shown; false if that failed or was cancelled. */
    async install(): Promise<boolean> {
        const options = { location: ProgressLocation.Notification, title: 'fim-ls', cancellable: true };
        return window.withProgress(options, async (progress, token) => {
            const report = (line: string): void => {
                this.log.info(line);
                progress.report({ message: shortened(line) });
            };
            try {
                await this.installInto(this.environment, report, token);
                return true;
            } catch (error) {
                if (!token.isCancellationRequested) {
                    void this.complain((error as Error).message);
                }
                return false;
            }
        });
    }

    private async installInto(environment: string, report: OnLine, token: CancellationToken): Promise<void> {
        const python = await this.findPython();
        report('Preparing an environment of its own');
        await mkdir(this.storage, { recursive: true });
        // What was never whole is begun anew; what is updated stays, in case that fails.
        const begin = (await this.installed()) === undefined ? ['--clear'] : [];
        await run(python, ['-m', 'venv', ...begin, environment], report, token);
        const wanted = await this.wanted();
        report(`Fetching ${wanted}`);
        const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', wanted];
        await run(this.program('python'), pip, report, token);
        await writeFile(this.stamp, wanted);
    }

    /** What pip is to install: what the settings name, or the wheel that came with the extension. */
    private async wanted(): Promise<string> {
        const named = atHome(setting('package', ''));
        const folder = join(this.extension, 'dist');
        const wheel = named ? undefined : (await readdir(folder)).find((file) => file.endsWith('.whl'));
        return wheel === undefined ? named : join(folder, wheel);
    }

    /** A Python that can run the server. Throws a sentence if there is none. */
    private async findPython(): Promise<string> {
        const named = atHome(setting('python', ''));
        for (const candidate of named ? [named] : ['python3', 'python']) {
            const path = named || (await onPath(candidate));
            if (path && (await succeeds(path, ['-c', IS_NEW_ENOUGH]))) {
                return path;
            }
        }
        throw new Error('fim-ls needs Python 3.11 or newer; the setting fim-ls.server.python names it.');
    }

    private async complain(sentence: string): Promise<void> {
        this.log.error(sentence);
        if (await window.showErrorMessage(`fim-ls was not installed. ${sentence}`, 'Show the Log')) {
            this.log.show();
        }
    }

    private program(name: string): string {
        return join(this.environment, BIN, name + SUFFIX);
    }

    /** What was installed to the end; undefined if nothing was. */
    private async installed(): Promise<string | undefined> {
        return readFile(this.stamp, 'utf8').catch(() => undefined);
    }

    /** Written last, so that an installation that was interrupted does not count. */
    private get stamp(): string {
        return join(this.storage, 'server-is-complete');
    }
}

/** Run a program to its end; throws its last line if it fails. */
function run(program: string, args: readonly string[], onLine: OnLine, token: CancellationToken): Promise<void> {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
        const cancellation = token.onCancellationRequested(() => child.kill());
        let last = '';
        for (const output of [child.stdout, child.stderr]) {
            createInterface(output).on('line', (line) => {
                last = line;
                onLine(line);
            });
        }
        child.on('error', reject);
        child.on('close', (code) => {
            cancellation.dispose();
            if (code === 0) {
                resolve();
            } else {
                reject(new Error(last));
            }
        });
    });
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
    return new Promise((resolve) => {
        const child = spawn(program, args, { stdio: 'ignore', windowsHide: true });
        child.on('error', () => resolve(false));
        child.on('close', (code) => resolve(code === 0));
    });
}

function setting(key: string, otherwise: string): string {
    return workspace.getConfiguration('fim-ls.server').get<string>(key, otherwise);
}

function shortened(line: string): string {
    return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
