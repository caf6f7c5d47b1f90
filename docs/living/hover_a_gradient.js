// Hover a gradient: which numbers make an output, an input's gradient, a tap's gradient.
"use strict";

living.show("hover_a_gradient", 640, 350, ({figure, svg, controls, draw}, data) => {
  let names = [], cells = {}, pairs = [], dy = [], numbers = {};
  const dials = {
    taps: living.slider(controls, "taps", {min: 1, max: data.w.length, value: 3}, rebuild),
    stride: living.slider(controls, "stride", {min: 1, max: 3}, rebuild),
    dilation: living.slider(controls, "dilation", {min: 1, max: 3}, rebuild),
    padding: living.slider(controls, "zeros at each end", {max: 2, value: 1}, rebuild),
  };
  const pick = living.slider(controls, "look at", {max: 1, say: at => names[at] ?? ""}, light);
  const told = living.sentence(figure);
  const n = data.x.length, size = 34, left = 44;

  const term = (a, b) => `${a}·${b < 0 ? `(${b})` : b}`;
  const sum = terms => terms.length ? terms.map(([a, b]) => term(a, b)).join(" + ") : "nothing";

  function row(what, label, y, values, from, wide = size, high = 30) {
    draw("text", {class: "strong", x: 2, y: y + 21}, label);
    cells[what] = values.map((value, at) => cell(what, at, value, from + at * wide, y, wide, high));
  }

  function cell(what, at, value, x, y, wide = size, high = 30) {
    const box = draw("rect", {class: "cell", x, y, width: wide, height: high});
    const zero = value === null;
    const text = draw("text", {class: "middle number", x: x + wide / 2, y: y + high * 0.69},
      zero ? 0 : value);
    if (zero) [box, text].forEach(e => e.classList.add(e === box ? "zero" : "faint"));
    const choose = () => {
      const to = names.indexOf(`${what} ${at}`);
      if (to >= 0) { pick.value = to; light(); }
    };
    for (const element of [box, text]) {
      element.addEventListener("pointerenter", choose);
      element.addEventListener("pointerdown", choose);
    }
    return box;
  }

  function rebuild() {
    const {taps, stride, dilation, padding} =
      Object.fromEntries(Object.entries(dials).map(([name, dial]) => [name, dial.value]));
    const outputs = Math.floor((n + 2 * padding - (taps - 1) * dilation - 1) / stride) + 1;
    svg.replaceChildren();
    cells = {};
    pairs = [];  // which output takes which input through which tap
    names = [];
    if (outputs < 1) {
      told.textContent = "The filter is longer than the trace.";
      draw("text", {x: 2, y: 30}, told.textContent);
      return;
    }
    for (let m = 0; m < outputs; m++)
      for (let k = 0; k < taps; k++) pairs.push({m, k, l: m * stride + k * dilation - padding});
    const real = pairs.filter(({l}) => l >= 0 && l < n);
    const add = (length, part) => {
      const total = Array(length).fill(0);
      for (const pair of real) { const [at, value] = part(pair); total[at] += value; }
      return total;
    };
    const {x, w} = data;
    dy = data.dy.slice(0, outputs);
    numbers = {
      y: add(outputs, ({m, k, l}) => [m, w[k] * x[l]]),
      dx: add(n, ({m, k, l}) => [l, w[k] * dy[m]]),
      dw: add(taps, ({m, k, l}) => [k, x[l] * dy[m]]),
    };
    const zeros = Array(padding).fill(null), start = left + (2 - padding) * size;
    row("x", "x", 6, [...zeros, ...x, ...zeros], start);
    row("w", "w", 60, w.slice(0, taps), left);
    row("y", "y", 106, numbers.y, left);
    row("dy", "dy", 176, dy, left);
    row("dx", "dx", 230, numbers.dx, left + 2 * size);
    row("dw", "dw", 276, numbers.dw, left);
    draw("path", {class: "rule", d: "M0 156H452"});
    draw("text", {class: "faint small", x: 2, y: 336},
      "above: forwards; below: backwards, from dy to dx and dw");

    // Beside them the layer as a matrix: a row for each output, a column for each input.
    const wide = 176 / n, high = Math.min(24, 288 / outputs);
    draw("text", {class: "strong", x: 462, y: 20}, "y = matrix · x");
    cells.matrix = Array.from({length: outputs}, (_, m) => Array.from({length: n}, (_, l) => {
      const pair = real.find(one => one.m === m && one.l === l);
      const box = draw("rect", {class: "cell", x: 462 + l * wide, y: 30 + m * high, width: wide, height: high});
      if (pair) draw("text", {class: "middle small number", x: 462 + (l + 0.5) * wide,
        y: 30 + (m + 0.72) * high}, w[pair.k]);
      return box;
    }));
    cells.x = cells.x.slice(padding, padding + n);
    names = [...numbers.y.map((_, m) => `y ${m}`), ...x.map((_, l) => `dx ${l}`),
      ...numbers.dw.map((_, k) => `dw ${k}`)];
    pick.limit(names.length - 1);
    light();
  }

  function light() {
    if (!names.length) return;
    for (const box of Object.values(cells).flat(2)) box.classList.remove("lit");
    const [what, index] = names[pick.value].split(" "), at = +index;
    const key = {y: "m", dx: "l", dw: "k"}[what], {x, w} = data;
    const mine = pairs.filter(pair => pair[key] === at && pair.l >= 0 && pair.l < n);
    const lit = {y: ["x", "w"], dx: ["dy", "w"], dw: ["x", "dy"]}[what];
    const part = {x: "l", w: "k", dy: "m"};
    for (const pair of mine) {
      for (const name of lit) cells[name][pair[part[name]]].classList.add("lit");
      cells.matrix[pair.m][pair.l].classList.add("lit");
    }
    if (what === "y") cells.matrix[at].forEach(box => box.classList.add("lit"));
    if (what === "dx") cells.matrix.forEach(row => row[at].classList.add("lit"));
    cells[what][at].classList.add("lit");
    const values = {x, w, dy};
    const terms = mine.map(pair => lit.map(name => values[name][pair[part[name]]]));
    told.textContent = `${what}[${at}] = ${sum(terms)} = ${numbers[what][at]}`;
  }
  rebuild();
});
