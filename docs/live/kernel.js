// The page's side of Python: one worker a page, started when it is first needed.
"use strict";

const live = {
  base: new URL("./", document.currentScript.src).href,
  page: location.href.slice(new URL("../../", document.currentScript.src).href.length).split("#")[0],

  // A browser may forbid it; then edits and progress live as long as the page.
  store: {
    get(key) {
      try { return JSON.parse(localStorage.getItem(`numpycnn:${key}`)); } catch { return null; }
    },
    set(key, value) {
      try {
        if (value === null) localStorage.removeItem(`numpycnn:${key}`);
        else localStorage.setItem(`numpycnn:${key}`, JSON.stringify(value));
      } catch { /* see above */ }
    },
  },

  element(tag, properties = {}, ...children) {
    const {data = {}, ...rest} = properties;
    const element = Object.assign(document.createElement(tag), rest);
    Object.assign(element.dataset, data);
    element.append(...children);
    return element;
  },

  button: (text, name, press, more = {}) =>
    live.element("button", {type: "button", textContent: text, data: {[name]: ""}, onclick: press, ...more}),
};

live.kernel = {
  limit: 120, // seconds for a block
  generation: 0, // of the worker; what an earlier one computed is gone
  worker: null,
  ready: null,
  request: null, // the one that is being answered
  turn: Promise.resolve(),
  say: () => {}, // where to say what is being loaded
  loading: "",

  progress(text) {
    this.loading = text;
    this.say(text);
  },

  start() {
    this.ready ??= this.boot().catch(error => {
      this.end();
      throw new Error(`Python did not start: ${error.message}. Reload the page to try again.`);
    });
    return this.ready;
  },

  async boot() {
    this.progress(`Loading Python, ${live.sizes.python} MB the first time …`);
    const files = live.isFile ? await live.unpack("python") : null;
    await new Promise((resolve, reject) => {
      const worker = this.worker = files ? live.packedWorker(files) : new Worker(`${live.base}worker.js`);
      worker.onerror = error => reject(new Error(error.message || "the worker did not start"));
      worker.onmessage = ({data}) => {
        if (worker !== this.worker) return;
        if (data.type === "ready") {
          this.loading = "";
          resolve();
        }
        else if (data.type === "progress") this.progress(data.text);
        else if (data.type === "failed" && !this.request) reject(new Error(data.text));
        else if (data.type === "failed") this.restart(`Python ended: ${data.text}.`);
        else if (data.id === this.request?.id) this.request.hear(data);
      };
      worker.postMessage({type: "boot", base: live.base, files});
    });
  },

  // Call a function of a module in docs/live, "desk.run". Resolves to what it returns, or to
  // {stopped, late, lost}: on demand, by the time limit, with everything that was computed.
  ask(name, args, {say = () => {}, hear = () => {}, plots = false, seconds = this.limit} = {}) {
    const answer = this.turn.then(() => this.answer(name, args, {say, hear, plots, seconds}));
    this.turn = answer.catch(() => {});
    return answer;
  },

  async answer(name, args, {say, hear, plots, seconds}) {
    this.say = say;
    if (this.loading) say(this.loading); // it was begun before
    await this.start();
    if (plots && live.isFile) this.worker.postMessage({type: "files", files: await live.unpack("plots")});
    const stopURL = live.isFile ? null : URL.createObjectURL(new Blob(["go"]));
    let clock;
    try {
      return await new Promise(resolve => {
        const listen = data => {
          if (data.type === "done") resolve(data.value);
          else if (data.type === "begun") {
            this.progress("");
            clock = setTimeout(() => this.restart("", {late: true}), 1000 * (seconds + 2));
          } else hear(data.type, data.value);
        };
        this.request = {id: Math.random(), stopURL, resolve, hear: listen};
        this.worker.postMessage({type: "call", id: this.request.id, name, stopURL, seconds,
          args: JSON.stringify(args), plots: plots && live.sizes.plots});
      });
    } finally {
      clearTimeout(clock);
      if (stopURL) URL.revokeObjectURL(stopURL);
      this.request = null;
    }
  },

  // Gently, so that variables stay. What does not react within a second ends with its worker.
  stop() {
    const request = this.request;
    if (!request) return;
    if (request.stopURL) URL.revokeObjectURL(request.stopURL);
    setTimeout(() => { if (this.request === request) this.restart(); }, 1000);
  },

  restart(why = "", more = {}) {
    const request = this.request;
    this.end();
    request?.resolve({stopped: true, lost: true, why, ...more});
    this.start().catch(() => {});
  },

  end() {
    this.worker?.terminate();
    this.worker = this.ready = null;
    this.generation += 1;
  },
};

// From a disk
// -----------
// There a page may not fetch, and a worker may not load a script. So the files come as scripts, which
// hold them in base64, and the worker is made of one text that contains all of its scripts.

live.isFile = location.protocol === "file:";
live.packed = {}; // filled by packed/python.js and packed/plots.js

live.unpack = async part => {
  if (!live.packed[part]) await new Promise((resolve, reject) => document.head.append(live.element("script", {
    src: `${live.base}packed/${part}.js`, onload: resolve, onerror: () => reject(new Error(
      "opened from a disk, the page needs the folder packed, which is missing. Start `python -m http.server` "
      + "in the site's folder and open http://localhost:8000"))})));
  const files = {};
  for (const [name, text] of Object.entries(live.packed[part])) {
    const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    files[name] = await new Response(stream).arrayBuffer();
  }
  return files;
};

live.packedWorker = files => new Worker(URL.createObjectURL(new Blob(
  ["pyodide.js", "pyodide.asm.js", "worker.js"].flatMap(name => [files[name], "\n"]), {type: "text/javascript"})));

// A sentence for what came back, "" if it was an ordinary result.
live.told = ({stopped, late, lost, why}) => {
  if (!stopped) return "";
  const how = why || (late ? "Stopped at the time limit." : "Stopped.");
  return lost ? `${how} Python starts again; variables are lost.` : `${how} Variables are kept.`;
};

addEventListener("pagehide", () => live.kernel.end());

// For a reader who has run something, Python is ready on the next page with something to run.
addEventListener("load", () => {
  const hasCode = document.querySelector("[data-live], [data-puzzle], [data-playground]");
  if (hasCode && live.store.get("ran") && !navigator.connection?.saveData && !live.isFile)
    (window.requestIdleCallback ?? setTimeout)(() => live.kernel.start().catch(() => {}));
});
