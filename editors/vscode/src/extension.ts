/** Joins the parts: the server, the item in the status bar, the commands. */

import { type ExtensionContext, commands, window, workspace } from 'vscode';

import { registerCommands } from './commands';
import { PrivateServer } from './install';
import { Session } from './session';
import { StatusItem } from './status';

const WALKTHROUGH = 'fim-ls.fim-ls#start';
const WELCOMED = 'welcomed';

let session: Session | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
    const log = window.createOutputChannel('fim-ls', { log: true });
    const status = new StatusItem();
    const ownServer = new PrivateServer(context.globalStorageUri.fsPath, context.extensionPath, log);
    session = new Session(ownServer, status, log);
    context.subscriptions.push(
        log,
        status,
        ...registerCommands(session, ownServer, status, log),
        commands.registerCommand('fim-ls.openWalkthrough', openWalkthrough),
        workspace.onDidChangeConfiguration(async (event) => {
            if (event.affectsConfiguration('fim-ls.server')) {
                await session?.restart();
            }
        }),
    );
    await welcome(context);
    await session.start();
}

export async function deactivate(): Promise<void> {
    await session?.stop();
}

/** Show newcomers around, once, unless they do not want that of extensions. */
async function welcome(context: ExtensionContext): Promise<void> {
    const opens = workspace.getConfiguration('workbench.welcomePage.walkthroughs').get('openOnInstall', true);
    if (opens && !context.globalState.get(WELCOMED)) {
        await context.globalState.update(WELCOMED, true);
        await openWalkthrough();
    }
}

async function openWalkthrough(): Promise<void> {
    await commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false);
}
