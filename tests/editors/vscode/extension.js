// Any extension that starts a configured command: what users have who do not install ours.
const { window, workspace } = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient-9/node');

let client;

exports.activate = async () => {
    const [command, ...args] = workspace.getConfiguration('generic-client').get('command');
    const server = { command, args, transport: TransportKind.stdio };
    client = new LanguageClient('generic-client', server, { documentSelector: [{ scheme: 'file' }] });
    await client.start();
    window.setStatusBarMessage('The server has started.');
};

exports.deactivate = () => client?.stop();
