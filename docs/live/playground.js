// The playground: a network drawn from its own numbers. Python computes; this file draws.
"use strict";

live.Playground = class {
  constructor(figure, start) {
    Object.assign(this, {figure, start, settings: {...start.settings}, losses: [], epochs: []});
    this.trace = {position: 32, label: 1};
    const narrow = matchMedia("(max-width: 40em)");
    this.picture(figure.querySelector("img"), narrow.matches);
    this.controls();
    this.show(start.seen);
    this.enable(false);
    this.state = "idle";
    narrow.addEventListener("change", () => {
      this.picture(this.svg, narrow.matches);
      this.show(this.numbers);
    });
  }

  set state(name) {
    this.figure.dataset.state = name;
    this.trainButton.textContent = ["training", "playing"].includes(name) ? "Stop" : "Train it";
  }

  get state() { return this.figure.dataset.state; }

  // The picture
  // -----------
  // Trace, filters and maps are below each other; scores and losses are at their right, on a
  // telephone below them.

  picture(old, narrow) {
    const width = narrow ? 360 : 640, height = narrow ? 640 : 400;
    this.svg = living.draw(null, "svg", {class: "living", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": "A trace, the filters of the network, their maps, the probabilities and the loss"});
    old.replaceWith(this.svg);
    for (const name of ["pointerdown", "pointermove"]) this.svg.addEventListener(name, event => this.pointed(event));
    const draw = (...rest) => living.draw(this.svg, ...rest);
    this.left = narrow ? 58 : 74;
    this.width = narrow ? 266 : 346;
    this.x = sample => this.left + (sample - 1) * this.width / 63;
    const [first, last] = this.start.positions.map(this.x);
    draw("rect", {class: "band", x: first, y: 4, width: last - first, height: 374});
    draw("rect", {class: "rule", x: this.left, y: 4, width: this.width, height: 100});
    draw("path", {class: "rule", d: `M${this.left} 54h${this.width}`});
    draw("text", {class: "faint small end", x: this.left - 8, y: 24}, "trace");
    draw("text", {class: "faint small end", x: this.left - 8, y: 124}, "filters");
    draw("text", {class: "faint small", x: this.left + 4, y: 124}, "maps after ReLU");
    for (const sample of [1, ...this.start.positions, 64])
      draw("text", {class: "faint small middle", x: this.x(sample), y: 394}, sample);
    this.curve = draw("path", {class: "curve"});
    this.rows = draw("g");

    const bar = narrow ? {x: 84, width: 220} : {x: this.left + this.width + 26, width: 190};
    this.bars = this.start.classes.map((name, at) => {
      const y = narrow ? 416 + 26 * at : 28 + 44 * at;
      draw("text", {class: "small", x: narrow ? 4 : bar.x, y: narrow ? y + 11 : y - 6}, name);
      draw("rect", {class: "rule", y, height: 12, ...bar});
      return {most: bar.width, bar: draw("rect", {class: "filled", y, height: 12, x: bar.x}),
        number: draw("text", {class: "number small end", x: narrow ? width - 8 : bar.x + bar.width, y: narrow ? y + 11 : y - 6})};
    });
    this.box = narrow ? {x: 4, y: 522, width: 190, height: 110} : {x: bar.x, y: 184, width: 190, height: 120};
    draw("text", {class: "faint small", x: this.box.x, y: this.box.y - 8}, "loss (dashed: test)");
    draw("rect", {class: "rule", ...this.box});
    this.training = draw("path", {class: "blue"});
    this.testing = draw("path", {class: "orange"});
    const [x, y] = narrow ? [206, 540] : [bar.x, 322];
    this.lines = [0, 1, 2, 3].map(at => draw("text", {class: "number small", x, y: y + 20 * at}));
    this.place();
  }

  // The slider's thumb is below the arrival.
  place() {
    if (!this.position) return;
    const share = x => `${100 * x / this.svg.viewBox.baseVal.width}%`;
    this.position.box.style.setProperty("--left", share(this.x(-4)));
    this.position.box.style.setProperty("--width", share(this.x(69) - this.x(-4)));
  }

  show(numbers) {
    const {trace, filters, maps, probabilities} = numbers;
    this.numbers = {...this.numbers, ...numbers}; // what is shown; a look has no epoch
    this.values = trace;
    living.set(this.curve, {d: living.line(trace, this.left, this.width, value => 54 - value * 46)});
    const height = 244 / filters.length, highest = Math.max(1e-6, ...maps.flat());
    const longest = Math.max(1e-6, ...filters.flat().map(Math.abs));
    while (this.rows.childElementCount < 2 * filters.length) living.draw(this.rows, "path");
    while (this.rows.childElementCount > 2 * filters.length) this.rows.lastChild.remove();
    filters.forEach((taps, row) => {
      const ground = 134 + (row + 0.9) * height, middle = ground - 0.4 * height;
      const length = this.left - 14, step = length / taps.length;
      const stems = taps.map((tap, k) =>
        `M${(4 + (k + 0.5) * step).toFixed(1)} ${middle.toFixed(1)}v${(-tap / longest * 0.45 * height).toFixed(1)}`);
      living.set(this.rows.children[2 * row], {class: "curve", "stroke-width": 4, d: `M4 ${middle.toFixed(1)}h${length}${stems.join("")}`});
      living.set(this.rows.children[2 * row + 1], {class: "filled",
        d: living.line(maps[row], this.left, this.width, value => ground - value / highest * 0.85 * height, ground)});
    });
    this.bars.forEach(({bar, number, most}, at) => {
      living.set(bar, {width: most * probabilities[at]});
      number.textContent = probabilities[at].toFixed(2);
    });
    const {epoch, loss, test, accuracy} = this.numbers;
    if (epoch === undefined) return;
    this.losses[epoch] = [loss, test];
    const {box} = this, step = box.width / this.start.epochs;
    const level = value => Math.min(1, Math.max(0, (Math.log10(Math.max(value, 1e-4)) + 4) / 4.5));
    const y = value => box.y + box.height - 4 - (box.height - 8) * level(value);
    const path = which => this.losses.map((pair, at) => pair[which] === null ? ""
      : `${at > 1 - which ? "L" : "M"}${(box.x + at * step).toFixed(1)} ${y(pair[which]).toFixed(1)}`).join("");
    living.set(this.training, {d: path(0)});
    living.set(this.testing, {d: path(1)});
    const some = loss !== null; // before the first epoch there is none
    const lines = [`epoch ${epoch} of ${this.start.epochs}`, some ? `loss ${loss.toFixed(4)}` : "",
      some ? `test loss ${test.toFixed(4)}` : "", `test accuracy ${(100 * accuracy).toFixed(0)} %`];
    lines.forEach((text, at) => { this.lines[at].textContent = text; });
  }

  // The controls
  // ------------

  controls() {
    const {figure, start, settings} = this;
    const box = live.element("div", {className: "controls"});
    this.trainButton = live.button("Train it", "train", () => this.pressed());
    box.append(this.trainButton);
    this.svg.before(box);
    this.told = living.sentence(figure);
    this.told.textContent = `The network before training. “Train it” loads Python (${live.sizes.python} MB, once) and shows 60 epochs.`;

    this.reader = live.element("div", {className: "controls", hidden: true}); // until it is trained
    this.svg.after(this.reader);
    this.position = living.slider(this.reader, "arrival at sample", {min: -4, max: 69, value: 32}, () => this.moved());
    this.position.box.className = "above";
    this.place();
    this.kind = living.choice(this.reader, "trace", ["drag the arrival", "draw with the pointer"], () => this.moved());
    this.sign = living.choice(this.reader, "arrival", ["positive", "negative"], () => this.moved());

    const more = live.element("details", {}, live.element("summary", {textContent: "Change the network"}));
    const inside = live.element("div", {className: "controls"});
    more.append(inside);
    this.told.after(more);
    const range = (label, name, options) => {
      const slider = living.slider(inside, label, {value: settings[name], ...options}, () => { settings[name] = slider.value; });
    };
    const choose = (label, name, values) => {
      const choice = living.choice(inside, label, values, () => { settings[name] = values[choice.value]; });
    };
    range("filters", "filters", {min: 1, max: 16});
    range("kernel size", "kernel_size", {min: 1, max: 15, step: 2});
    range("noise", "noise", {min: 0, max: 0.6, step: 0.03});
    range("seed", "seed", {min: 0, max: 20});
    const rates = [0.0005, 0.001, 0.005, 0.02, 0.1, 0.5];
    const rate = living.slider(inside, "learning rate", {max: rates.length - 1, value: rates.indexOf(settings.lr),
      say: at => String(rates[at])}, () => { settings.lr = rates[rate.value]; });
    choose("head", "head", start.heads);
    choose("optimizer", "optimizer", ["Adam", "SGD"]);
  }

  enable(on) {
    if (on) this.reader.hidden = false;
    for (const input of this.reader.querySelectorAll("input")) input.disabled = !on;
  }

  // Training
  // --------
  // Python needs half a second for 60 epochs, too fast to be seen. It computes ahead, and the page
  // plays what came, 20 epochs a second; for readers who prefer no motion only the end.

  async pressed() {
    if (["training", "playing"].includes(this.state)) {
      this.ended = true;
      live.kernel.stop();
      return;
    }
    if (this.state === "loading") return;
    [this.losses, this.epochs, this.ended, this.computed] = [[], [], false, false];
    this.state = "loading";
    try {
      const request = live.kernel.ask("playground.train", {settings: this.settings, trace: this.trace}, {
        say: text => {
          if (text) this.told.textContent = text;
          else if (this.state === "loading") this.play();
        },
        hear: (_, numbers) => this.epochs.push(numbers),
      });
      const result = await request;
      this.computed = true;
      live.store.set("ran", true);
      if (result.error || result.stopped) this.ended = true;
      else live.blocks?.find(block => block.node.dataset.network !== undefined)?.replace(result.code);
    } catch (error) {
      this.state = "idle";
      this.told.textContent = error.message;
    }
  }

  play() {
    this.state = "training";
    this.told.textContent = "Training …";
    this.enable(false);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let begin = null, shown = 0, last = null;
    this.frames = [];
    const frame = now => {
      begin ??= now;
      if (last !== null) this.frames.push(now - last);
      last = now;
      const due = still ? (this.computed ? this.epochs.length : 0) : Math.ceil((now - begin) / 50);
      const next = Math.min(due, this.epochs.length);
      if (next > shown) {
        for (let at = shown; at < next - 1; at++) this.losses[at] = [this.epochs[at].loss, this.epochs[at].test];
        this.show(this.epochs[next - 1]);
        shown = next;
      }
      if (!this.ended && !(this.computed && shown === this.epochs.length)) requestAnimationFrame(frame);
      else this.finished(this.epochs[shown - 1]);
    };
    requestAnimationFrame(frame);
  }

  finished(numbers) {
    this.state = "done";
    this.enable(true);
    if (!numbers) return;
    this.told.textContent = `${this.ended ? "Stopped after" : "After"} ${numbers.epoch} epochs the training loss is `
      + `${(numbers.loss ?? 0).toFixed(4)} and the test accuracy ${(100 * numbers.accuracy).toFixed(0)} %. `
      + "In training, all arrivals were inside the green band. Now drag the arrival out of it.";
    if (this.waiting) this.look();
  }

  // The reader's trace
  // ------------------

  moved() {
    this.figure.toggleAttribute("data-drawing", Boolean(this.kind.value));
    this.trace = this.kind.value ? {samples: [...this.values]}
      : {position: this.position.value, label: 1 + this.sign.value};
    this.look();
  }

  // What a pointer does that was pressed on the trace or the maps, also when it leaves the drawing.
  pointed(event) {
    if (this.state !== "done") return;
    const {svg, left, width} = this, isDrawing = Boolean(this.kind.value);
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    if (event.type === "pointerdown") {
      if (Math.abs(point.x - left - width / 2) > width / 2 + 10 || point.y > (isDrawing ? 110 : 400)) return;
      svg.setPointerCapture(event.pointerId);
      this.drawn = null;
    } else if (!svg.hasPointerCapture(event.pointerId)) return;
    const at = Math.round(1 + (point.x - left) / width * 63);
    if (isDrawing) {
      const sample = Math.max(1, Math.min(64, at)), value = Math.max(-1, Math.min(1, (54 - point.y) / 46));
      const from = this.drawn ?? {sample, value}, steps = Math.max(1, Math.abs(sample - from.sample));
      for (let step = 0; step <= steps; step++) // the pointer skips samples when it is fast
        this.values[Math.round(from.sample + (sample - from.sample) * step / steps) - 1] =
          from.value + (value - from.value) * step / steps;
      this.drawn = {sample, value};
    } else this.position.value = at;
    this.moved();
  }

  // One request at a time: what the reader did meanwhile is asked next.
  async look() {
    if (this.looking || this.state !== "done") {
      this.waiting = true;
      return;
    }
    this.looking = true;
    do {
      this.waiting = false;
      const {trace} = this;
      const numbers = await live.kernel.ask("playground.look", {trace, settings: this.settings}, {seconds: 10})
        .catch(error => ({error}));
      if (numbers.trace && this.state === "done") this.describe(numbers, trace);
    } while (this.waiting);
    this.looking = false;
  }

  describe(numbers, trace) {
    this.show(numbers);
    const {classes} = this.start, best = numbers.probabilities.indexOf(Math.max(...numbers.probabilities));
    const output = `${classes[best]}, probability ${numbers.probabilities[best].toFixed(2)}`;
    this.told.textContent = trace.samples ? `Your trace. Output: ${output}.`
      : `${classes[trace.label]} arrival at sample ${trace.position}. Output: ${output}: ${best === trace.label ? "correct" : "incorrect"}.`;
    this.figure.dataset.output = classes[best];
  }
};

document.addEventListener("DOMContentLoaded", () => {
  for (const figure of document.querySelectorAll("[data-playground]"))
    live.playground = new live.Playground(figure, JSON.parse(figure.querySelector("script").textContent));
});
