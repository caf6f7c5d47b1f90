// Puzzles: a page for each, the list, and the progress, which is that of the terminal.
"use strict";

// As in progress.json of `python -m numpycnn.puzzles`.
live.progress = {
  read: () => ({now: "", correct: [], tried: [], hints: {}, ...live.store.get("progress")}),
  change(apply) {
    const progress = live.progress.read();
    apply(progress);
    for (const kind of ["correct", "tried"]) progress[kind] = [...new Set(progress[kind])].sort();
    live.store.set("progress", progress);
  },
};

// Text with `code` in it.
live.words = text => text.split(/`([^`\n]+)`/).map((part, at) => at % 2 ? live.element("code", {textContent: part}) : part);

live.Puzzle = class {
  constructor(node) {
    this.node = node;
    this.name = node.dataset.puzzle;
    this.limit = 10; // seconds for an answer
    const shown = node.querySelector(".highlight");
    this.given = shown.textContent.replace(/\n+$/, "");
    this.checkButton = live.button("Check", "check", () => this.pressed());
    const reset = live.button("Reset", "reset", () => { this.editor.value = this.given; this.keep(); });
    this.status = live.element("span", {className: "live-status", role: "status"});
    this.result = live.element("div", {className: "live-output", hidden: true, data: {result: ""}, role: "status"});
    this.editor = live.editor(this.given, `Your answer to puzzle ${node.dataset.number}`, {
      change: () => this.keep(), run: () => this.check(), leave: () => this.checkButton.focus()});
    shown.replaceWith(this.editor.box);
    node.append(live.element("div", {className: "live-bar"}, this.checkButton, reset, this.status), this.result);
    live.older(`puzzle#${this.name}`, this.given, this.status, code => { this.editor.value = code; });
    this.state = live.progress.read().correct.includes(this.name) ? "correct" : "open";
    if (this.state === "correct") this.status.prepend("You have solved this puzzle. ");
    else if (!live.store.get("ran")) this.status.prepend(`The first Check loads Python, ${live.sizes.python} MB. `);
    live.progress.change(progress => { progress.now = this.name; });
    document.querySelectorAll("details[data-hint]").forEach((hint, at) => hint.addEventListener("toggle", () =>
      live.progress.change(({hints}) => { hints[this.name] = Math.max(hints[this.name] ?? 0, at + 1); })));
  }

  set state(name) {
    this.node.dataset.state = name;
    this.checkButton.textContent = name === "running" ? "Stop" : "Check";
    this.checkButton.setAttribute("aria-disabled", name === "loading");
  }

  get state() { return this.node.dataset.state; }

  keep() {
    const code = this.editor.value;
    live.store.set(`puzzle#${this.name}`, code === this.given ? null : {given: this.given, code});
  }

  pressed() {
    if (this.state === "running") live.kernel.stop();
    else if (this.state !== "loading") this.check();
  }

  async check() {
    if (["loading", "running"].includes(this.state)) return;
    this.state = "loading";
    const begun = text => {
      if (!text) this.state = "running";
      this.status.textContent = text || "Running …";
    };
    try {
      const result = await live.kernel.ask("puzzles.judge", {name: this.name, code: this.editor.value},
        {say: begun, seconds: this.limit});
      this.show(result.stopped ? {status: "incorrect", text: result.late
        ? `Your code did not finish within ${this.limit} seconds. Is there a loop that never ends?` : live.told(result)} : result);
      live.store.set("ran", true);
    } catch (error) {
      this.state = "open";
      this.status.textContent = error.message;
    }
  }

  show({status, text, case: table, printed, solution, forms}) {
    this.state = status;
    this.status.textContent = "";
    if (status !== "open") live.progress.change(progress => progress.tried.push(this.name));
    const head = live.element("strong", {textContent: {open: "Open.", correct: "Correct.", incorrect: "Incorrect."}[status]});
    this.result.replaceChildren(live.element("p", {className: "live-words"}, head, " ", ...live.words(text)));
    this.result.hidden = false;
    const add = (title, code, markup) => this.result.append(
      ...title ? [live.element("p", {className: "live-label", textContent: title})] : [],
      live.element("pre", markup ? {innerHTML: live.colored(code), className: "highlight"} : {textContent: code}));
    if (table) add("", table);
    if (printed) add(table ? "Your code printed in this case:" : "Your code printed:", printed);
    if (status !== "correct") return;
    live.progress.change(progress => progress.correct.push(this.name));
    add("The solution:", solution, true);
    for (const form of forms) add("Also correct:", form, true);
    const next = document.querySelector("a[data-next]");
    if (next) this.result.append(live.element("p", {className: "live-begin"},
      live.element("a", {href: next.href, textContent: `Next: ${next.textContent}`})));
  }
};

// The list, with the present progress
// -----------------------------------

live.listPuzzles = list => {
  const links = [...list.querySelectorAll("a[data-name]")];
  const summary = live.element("p", {className: "live-begin"});
  const said = live.element("span", {className: "live-status", role: "status"});
  const file = live.element("input", {type: "file", accept: ".json", hidden: true});
  const show = (words = "") => {
    const {correct, tried} = live.progress.read();
    for (const link of links) {
      const {name} = link.dataset;
      const mark = correct.includes(name) ? "solved ✓" : tried.includes(name) ? "tried" : "";
      link.nextElementSibling.textContent = mark;
      link.parentElement.dataset.state = correct.includes(name) ? "correct" : "open";
    }
    const done = links.filter(link => correct.includes(link.dataset.name)).length;
    const next = links.find(link => !correct.includes(link.dataset.name));
    said.textContent = words;
    summary.replaceChildren(`${done} of ${links.length} solved. `);
    if (next) summary.append(live.element("a", {href: next.href,
      textContent: `${done ? "Continue" : "Begin"} with ${next.textContent}`}));
  };
  const save = () => {
    const text = JSON.stringify(live.progress.read(), null, 1);
    const link = live.element("a", {download: "progress.json", href: URL.createObjectURL(new Blob([text]))});
    link.click();
    URL.revokeObjectURL(link.href);
  };
  file.addEventListener("change", async () => {
    try {
      const read = JSON.parse(await file.files[0].text());
      const known = names => links.map(link => link.dataset.name).filter(name => names.includes(name));
      const [correct, tried] = [known(read.correct ?? read.right), known(read.tried)];
      live.progress.change(progress => {
        progress.correct.push(...correct);
        progress.tried.push(...tried);
        for (const name of known(Object.keys(read.hints)))
          progress.hints[name] = Math.max(progress.hints[name] ?? 0, Number(read.hints[name]) || 0);
      });
      show("Read.");
    } catch {
      show(`${file.files[0].name} is not a progress file: choose progress.json of the folder "puzzles".`);
    }
    file.value = "";
  });
  list.before(summary);
  list.after(live.element("div", {className: "live-bar"}, live.button("Save the progress", "save", save),
    live.button("Read a progress file", "read", () => file.click()), file, said));
  show();
};

document.addEventListener("DOMContentLoaded", () => {
  for (const node of document.querySelectorAll("[data-puzzle]")) live.puzzle = new live.Puzzle(node);
  for (const list of document.querySelectorAll("[data-puzzles]")) live.listPuzzles(list);
});
