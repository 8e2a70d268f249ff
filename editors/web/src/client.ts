/** JSON-RPC over a WebSocket; when the server goes away, it is looked for until it is back. */

const RETRY_MS = 1000;
const METHOD_NOT_FOUND = -32601;

interface Message {
  id?: number | string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code: number; message: string };
}

interface Waiting {
  resolve(result: unknown): void;
  reject(reason: Error): void;
}

export interface Listener {
  /** The server is initialized; it knows no document yet. */
  connected(): void;
  lost(): void;
  notified(method: string, params: unknown): void;
}

export class Client {
  private socket: WebSocket | null = null;
  private lastId = 0;
  private waiting = new Map<number | string, Waiting>();

  constructor(
    private readonly url: string,
    private readonly listener: Listener,
  ) {}

  connect(): void {
    const socket = new WebSocket(this.url);
    socket.onopen = () => this.initialize(socket).catch(() => undefined); // then it is closed, see below
    socket.onmessage = (event) => this.take(JSON.parse(String(event.data)) as Message);
    socket.onclose = () => this.lose();
  }

  /** Ask the server; aborting the signal tells it that the answer is not wanted any more. */
  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    const id = ++this.lastId;
    signal?.addEventListener("abort", () => {
      if (this.waiting.has(id)) this.notify("$/cancelRequest", { id });
    });
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      if (!this.send({ id, method, params })) this.waiting.delete(id), reject(new Error("not connected"));
    });
  }

  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  private async initialize(socket: WebSocket): Promise<void> {
    this.socket = socket;
    await this.request("initialize", {
      processId: null,
      rootUri: null,
      clientInfo: { name: "fim-ls demo" },
      capabilities: {
        general: { positionEncodings: ["utf-16"] },
        textDocument: { inlineCompletion: {} },
        window: { workDoneProgress: true },
      },
    });
    this.notify("initialized", {});
    this.listener.connected();
  }

  private lose(): void {
    this.socket = null;
    for (const waiting of this.waiting.values()) waiting.reject(new Error("the server is gone"));
    this.waiting.clear();
    this.listener.lost();
    setTimeout(() => this.connect(), RETRY_MS);
  }

  private send(message: Message): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
    return true;
  }

  private take(message: Message): void {
    if (message.method === undefined) this.takeAnswer(message);
    else if (message.id === undefined) this.listener.notified(message.method, message.params);
    else this.answer(message.id, message.method);
  }

  private takeAnswer(message: Message): void {
    const waiting = this.waiting.get(message.id ?? "");
    this.waiting.delete(message.id ?? "");
    if (message.error) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result);
  }

  private answer(id: number | string, method: string): void {
    if (method === "window/workDoneProgress/create") this.send({ id, result: null });
    else this.send({ id, error: { code: METHOD_NOT_FOUND, message: `${method} is not supported` } });
  }
}
