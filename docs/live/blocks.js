// Blocks of code that can be run and edited where they stand.
"use strict";

live.blocks = [];

live.Block = class {
  constructor(node) {
    const {live: number, within = "", raises, prompts, verb = "Run"} = node.dataset;
    Object.assign(this, {node, task: "desk.run", number: +number, within, verb, ran: null, raises: raises !== undefined,
      prompts: prompts !== undefined});
    const pre = node.querySelector("pre").cloneNode(true);
    pre.querySelectorAll(".linenos").forEach(line => line.remove());
    this.shown = node.querySelector(".highlight");
    this.given = this.code = live.codeOf(pre.textContent.replace(/\n+$/, ""), this.prompts);
    this.key = `${live.page}#${this.number}`;

    this.runButton = live.button(verb, "run", () => this.pressed(), {
      title: `Runs in this page. The first Run loads Python, ${live.sizes.python} MB.`});
    this.editButton = live.button("Edit", "edit", () => this.edit(true));
    this.linkButton = live.button("Copy link", "link", () => this.copyLink(), {hidden: true,
      title: "A link to this page with your version of this block"});
    this.resetButton = live.button("Reset", "reset", () => this.reset(), {hidden: true});
    this.status = live.element("span", {className: "live-status", role: "status"});
    this.output = live.element("div", {className: "live-output", hidden: true, data: {output: ""}, role: "group",
      ariaLabel: `Your run of block ${this.number}`});
    node.append(live.element("div", {className: "live-bar"},
      this.runButton, this.editButton, this.linkButton, this.resetButton, this.status), this.output);
    this.state = "idle";
    live.older(this.key, this.given, this.status, code => this.replace(code));
    if (node.dataset.open !== undefined) this.edit(false);
  }

  set state(name) {
    this.node.dataset.state = name;
    this.runButton.textContent = name === "running" ? "Stop" : this.verb;
    this.runButton.setAttribute("aria-disabled", name === "loading");
  }

  get state() { return this.node.dataset.state; }

  say(text) { this.status.textContent = text; }

  // What the page shows of this block's results: the text and the figures right below it.
  results(figures) {
    const found = [];
    let next = (this.node.closest("details.fold") ?? this.node).nextElementSibling;
    while (next?.matches(".highlight-text, .output, img.drawing, figure:has(> img.drawing)")) {
      if (figures || !next.matches("img, figure")) found.push(next);
      next = next.nextElementSibling;
    }
    return found;
  }

  // Edits
  // -----

  edit(focus) {
    if (!this.editor) {
      this.editor = live.editor(this.code, `Python, block ${this.number}`, {
        change: text => this.changed(text), run: () => this.run(), leave: () => this.runButton.focus()});
      this.shown.hidden = this.editButton.hidden = true;
      this.shown.after(this.editor.box);
    }
    if (!focus) return;
    this.editor.area.setSelectionRange(0, 0);
    this.editor.area.focus();
  }

  changed(text) {
    this.code = text;
    const same = text === this.given;
    live.store.set(this.key, same ? null : {given: this.given, code: text});
    this.linkButton.hidden = same;
    this.resetButton.hidden = same && this.output.hidden;
  }

  replace(text) {
    this.changed(text);
    this.edit(false);
    this.editor.value = text;
  }

  reset() {
    this.editor?.box.remove();
    this.editor = null;
    this.shown.hidden = this.editButton.hidden = false;
    this.output.hidden = true;
    for (const result of this.results(true)) result.hidden = false;
    this.changed(this.given);
    this.state = "idle";
    this.say("");
    if (this.node.dataset.open !== undefined) this.edit(false);
    this.runButton.focus();
  }

  async copyLink() {
    const address = new URL(location.href);
    address.hash = `edit=${this.number}:${live.toAddress(this.code)}`;
    try {
      await navigator.clipboard.writeText(address.href);
      this.say("The link is copied.");
    } catch {
      location.hash = address.hash;
      this.say("The link is in the address bar.");
    }
  }

  // Runs
  // ----

  pressed() {
    if (this.state === "running") live.kernel.stop();
    else if (this.state !== "loading") this.run();
  }

  get isStale() { return this.ran !== `${live.kernel.generation}\n${this.code}`; }

  // The blocks above that were not run as they now stand run first, in order.
  async run() {
    if (["loading", "running"].includes(this.state)) return;
    this.state = "loading";
    try {
      const group = live.blocks.filter(block => block.within === this.within);
      const above = group.slice(0, group.indexOf(this));
      const first = above.findIndex(block => block.isStale);
      const todo = [...first < 0 ? [] : above.slice(first), this];
      for (const [at, block] of todo.entries()) {
        const step = todo.length > 1 ? `Running block ${at + 1} of ${todo.length} …` : "Running …";
        if (!await block.runAlone(text => this.say(text || step), this)) {
          if (block !== this) this.failedAbove(block);
          return;
        }
      }
    } catch (error) {
      this.state = "error";
      this.say(error.message);
    }
  }

  failedAbove(block) {
    this.state = "error";
    this.say(`Block ${block.number} above did not finish. `);
    this.status.append(live.button("Go there", "above", () => {
      block.node.closest("details")?.setAttribute("open", "");
      block.runButton.focus();
    }));
  }

  async runAlone(say, caller) {
    const {code} = this, plots = /\b(matplotlib|plots|figures|examples|pylab)\b/.test(`${this.within} ${code}`);
    let text = null;
    const hear = (type, value) => {
      text ??= this.output.appendChild(live.element("pre", {className: "live-text"}));
      text.append(value);
    };
    const begin = () => {
      this.state = caller.state = "running";
      this.output.replaceChildren(live.element("p", {className: "live-label", textContent: "your run"}));
    };
    if (this !== caller) this.state = "loading";
    const result = await live.kernel.ask(this.task, 
      {block: `block ${this.number}`, code, within: this.within, prompts: this.prompts},
      {say: words => { if (!words) begin(); say(words); }, hear, plots});
    for (const svg of result.figures ?? []) this.draw(svg);
    const fault = live.told(result) || (result.error ? [...result.error.where, result.error.what].join("\n") : "");
    if (fault) this.output.append(live.element("pre", {className: "live-error", textContent: fault}));
    this.output.hidden = this.output.children.length < 2;
    if (!this.node.closest("details.fold:not([open])")) // the page's results stand outside the fold
      for (const shown of this.results(Boolean(result.figures?.length))) shown.hidden = true;
    this.resetButton.hidden = false;
    for (const block of live.blocks) // what follows was computed from something else
      if (block.within === this.within && block.number > this.number) block.ran = null;
    const done = !result.stopped && (!result.error || this.raises);
    this.ran = done ? `${live.kernel.generation}\n${code}` : null;
    this.state = result.stopped || result.error ? "error" : "done";
    this.say(result.stopped ? live.told(result) : result.error ? "Ended with an error."
      : `Done in ${Math.max(result.seconds, 0.01).toFixed(2)} s.`);
    live.store.set("ran", true);
    return done;
  }

  draw(svg) {
    const source = URL.createObjectURL(new Blob([svg], {type: "image/svg+xml"}));
    this.output.append(live.element("img", {className: "drawing", src: source,
      alt: `The figure that block ${this.number} draws now`}));
  }
};

// The code of a block; that of an example without its prompts and what it returns.
live.codeOf = (text, prompts) => !prompts ? text : text.split("\n")
  .filter(line => /^(>>>|\.\.\.)( |$)/.test(line)).map(line => line.slice(4)).join("\n");

// Text as a part of an address, and back.
live.toAddress = text => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
  .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
live.fromAddress = text => new TextDecoder().decode(
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), letter => letter.charCodeAt(0)));

document.addEventListener("DOMContentLoaded", () => {
  for (const node of document.querySelectorAll("[data-live]")) {
    const kind = node.dataset.kernels === undefined ? live.Block : live.Kernels;
    live.blocks.push(new kind(node));
  }
  const [, number, code] = location.hash.match(/^#edit=(\d+):([\w-]+)$/) ?? [];
  const block = live.blocks.find(one => one.number === +number);
  if (!block) return;
  try {
    block.replace(live.fromAddress(code));
  } catch { return; } // half a link
  block.node.closest("details")?.setAttribute("open", "");
  block.node.scrollIntoView({block: "center", behavior: "instant"});
  block.say("This version came with the link. It is not run until you press Run.");
});
