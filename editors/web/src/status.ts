/** The line below the editor: what the model is doing, and how the last suggestion came. */

import type { Answered } from "./asking";
import type { Progress, Status } from "./protocol";

function sentence({ state, model, device, message }: Status, percentage: number | undefined): string {
  switch (state) {
    case "loading":
      return ["loading", model, percentage === undefined ? "" : `${percentage} %`, message].filter(Boolean).join(" ");
    case "ready":
    case "busy": // the colour tells them apart: words that change at every key are a flicker
      return `${model} on ${device}`;
    case "off":
      return "suggestions are off";
    case "error":
      return message;
  }
}

export class StatusLine {
  private status: Status = { state: "loading", model: "", device: "", message: "" };
  private percentage: number | undefined;

  constructor(
    private readonly state: HTMLElement,
    private readonly answer: HTMLElement,
    private readonly toggle: HTMLButtonElement,
  ) {}

  tell(status: Status): void {
    this.status = status;
    this.draw();
  }

  progress({ value }: Progress): void {
    this.percentage = value.kind === "end" ? undefined : value.percentage;
    this.draw();
  }

  answered({ milliseconds, place, count }: Answered): void {
    const which = count > 1 ? `${place} of ${count}` : "";
    const time = milliseconds === undefined ? "" : `${Math.round(milliseconds)} ms`;
    this.answer.textContent = [which, time].filter(Boolean).join(" · ");
  }

  /** Show a sentence, until there is news of a suggestion. */
  say(sentence: string): void {
    this.answer.textContent = sentence;
  }

  disconnected(): void {
    this.state.dataset["state"] = "error";
    this.state.textContent = "the server is gone; it is looked for until it is back";
    this.toggle.disabled = true;
  }

  private draw(): void {
    const { state } = this.status;
    this.state.dataset["state"] = state;
    this.state.textContent = sentence(this.status, this.percentage);
    this.toggle.disabled = false;
    this.toggle.textContent = state === "off" ? "Turn on" : "Turn off";
  }
}
