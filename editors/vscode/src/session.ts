/** The connection to the server, from its start to its end. */

import { connect } from 'node:net';

import { Disposable, type LogOutputChannel, window } from 'vscode';
import {
    LanguageClient,
    type LanguageClientOptions,
    type ServerOptions,
    State,
    TransportKind,
} from 'vscode-languageclient/node';

import type { PrivateServer } from './install';
import { Suggestions } from './lifecycle';
import { type Server, findServer } from './server';
import { userSettings } from './settings';
import type { ServerStatus, StatusItem } from './status';

const SELECTOR = ['file', 'untitled', 'vscode-notebook-cell'].map((scheme) => ({ scheme }));

export class Session {
    /** What answers, once it was looked for and found. */
    server: Server | undefined;

    private client: LanguageClient | undefined;
    private listeners = Disposable.from();

    constructor(
        private readonly ownServer: PrivateServer,
        private readonly status: StatusItem,
        private readonly log: LogOutputChannel,
    ) {}

    /** Start the server, or offer to install it if there is none. */
    async start(): Promise<void> {
        this.server = await findServer(this.ownServer);
        if (this.server === undefined) {
            this.status.show('error', 'The server is not installed.');
            void this.offerInstallation();
            return;
        }
        this.status.show('loading', 'The server is starting.');
        this.client = this.newClient(this.server);
        try {
            await this.client.start();
        } catch (error) {
            this.log.error(String(error));
            this.status.show('error', `The server does not start: ${(error as Error).message}`);
        }
    }

    async stop(): Promise<void> {
        const client = this.client;
        this.client = undefined;
        this.listeners.dispose();
        // One that never came up cannot be stopped, and need not be.
        await client?.dispose().catch((error: unknown) => this.log.warn(String(error)));
    }

    async restart(): Promise<void> {
        await this.stop();
        await this.start();
    }

    /** Run a command of the server; undefined while there is none. */
    async command<Result>(command: string, ...args: unknown[]): Promise<Result | undefined> {
        if (this.client?.state !== State.Running) {
            return undefined;
        }
        return this.client.sendRequest<Result>('workspace/executeCommand', { command, arguments: args });
    }

    private newClient(server: Server): LanguageClient {
        const client = new LanguageClient('fim-ls', serverOptions(server), this.clientOptions());
        const suggestions = new Suggestions(client);
        client.middleware.provideInlineCompletionItems = suggestions.provide;
        this.listeners = Disposable.from(
            suggestions,
            client.onNotification('fim-ls/status', (status: ServerStatus) => this.status.follow(status)),
            client.onDidChangeState(({ newState }) => {
                if (newState !== State.Running) {
                    this.showLost(client, newState);
                }
            }),
        );
        return client;
    }

    private clientOptions(): LanguageClientOptions {
        return {
            documentSelector: SELECTOR,
            outputChannel: this.log,
            middleware: {
                workspace: { configuration: (params) => params.items.map(userSettings) },
                handleWorkDoneProgress: (_token, params, next) => {
                    // A share is told of loading alone, and that is drawn in our own item.
                    if (params.kind !== 'end' && params.percentage !== undefined) {
                        this.status.progress(params.percentage);
                    } else {
                        next(_token, params);
                    }
                },
            },
        };
    }

    /** Say that the server is gone, unless it was sent away. */
    private showLost(client: LanguageClient, state: State): void {
        if (client === this.client) {
            const isGone = state === State.Stopped;
            this.status.show(isGone ? 'error' : 'loading', isGone ? 'The server has ended.' : 'The server is starting.');
        }
    }

    private async offerInstallation(): Promise<void> {
        const choice = await window.showInformationMessage(
            'fim-ls needs its server, which runs the model on this machine. Shall it be installed for this editor?',
            'Install',
        );
        if (choice === 'Install' && (await this.ownServer.install())) {
            await this.restart();
        }
    }
}

function serverOptions(server: Server): ServerOptions {
    if ('command' in server) {
        return { command: server.command, args: ['serve'], transport: TransportKind.stdio };
    }
    return () =>
        new Promise((resolve, reject) => {
            const socket = connect(server.port, server.host, () => resolve({ reader: socket, writer: socket }));
            socket.once('error', reject);
        });
}
