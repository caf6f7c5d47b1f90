// Hover a gradient: which numbers make an output, an input's gradient, a tap's gradient.
"use strict";

living.show("hover_a_gradient", [[640, 350], [360, 530]], ({figure, svg, controls, draw, narrow}, data) => {
  let names = [], cells = {}, pairs = [], numbers = {};
  const dials = {
    taps: living.slider(controls, "taps", {min: 1, max: data.w.length, value: 3}, rebuild),
    stride: living.slider(controls, "stride", {min: 1, max: 3}, rebuild),
    dilation: living.slider(controls, "dilation", {min: 1, max: 3}, rebuild),
    padding: living.slider(controls, "zeros at each end", {max: 2, value: 0}, rebuild),
  };
  const pick = living.slider(controls, "look at", {max: 99, value: 1, say: at => names[at] ?? ""}, light);
  const told = living.sentence(figure);
  const n = data.x.length, size = narrow ? 26 : 34, left = narrow ? 30 : 44;

  const term = (a, b) => `${a}·${b < 0 ? `(${b})` : b}`;
  const sum = terms => terms.length ? terms.map(([a, b]) => term(a, b)).join(" + ") : "no terms";

  function row(what, y, values, from) {
    draw("text", {class: "strong", x: 2, y: y + 21}, what);
    cells[what] = values.map((value, at) => {
      const box = draw("rect", {class: "cell", x: from + at * size, y, width: size, height: 30});
      const text = draw("text", {class: "middle number", x: from + (at + 0.5) * size, y: y + 21}, value ?? 0);
      if (value === null) [box, text].forEach(e => e.classList.add(e === box ? "zero" : "faint"));
      return Object.assign(box, {place: [from + at * size, y], index: at});
    });
  }

  // The cell below the pointer is looked at. An input, a tap or a dy shows what it contributes to.
  const choose = point => {
    for (const [what, row] of Object.entries(cells)) for (const box of what === "matrix" ? [] : row) {
      const [x, y] = box.place, to = names.indexOf(`${what} ${box.index}`);
      if (to >= 0 && point.x >= x && point.x < x + size && point.y >= y && point.y < y + 30 && to !== pick.value) {
        pick.value = to;
        light();
      }
    }
  };
  living.drag(svg, choose);
  svg.addEventListener("pointermove", event => {
    if (event.pointerType === "mouse") choose(new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()));
  });

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
    pairs = pairs.filter(({l}) => l >= 0 && l < n);
    const add = (length, part) => {
      const total = Array(length).fill(0);
      for (const pair of pairs) { const [at, value] = part(pair); total[at] += value; }
      return total;
    };
    const {x, w} = data, dy = data.dy.slice(0, outputs);
    numbers = {
      x, w: w.slice(0, taps), dy,
      y: add(outputs, ({m, k, l}) => [m, w[k] * x[l]]),
      dx: add(n, ({m, k, l}) => [l, w[k] * dy[m]]),
      dw: add(taps, ({m, k, l}) => [k, x[l] * dy[m]]),
    };
    const zeros = Array(padding).fill(null), start = left + (2 - padding) * size;
    row("x", 6, [...zeros, ...x, ...zeros], start);
    cells.x = cells.x.slice(padding, padding + n).map((box, at) => Object.assign(box, {index: at}));
    row("w", 60, numbers.w, left);
    row("y", 106, numbers.y, left);
    row("dy", 176, dy, left);
    row("dx", 230, numbers.dx, left + 2 * size);
    row("dw", 276, numbers.dw, left);
    draw("path", {class: "rule", d: `M0 156H${narrow ? 352 : 452}`});
    draw("text", {class: "faint small", x: 2, y: 336},
      narrow ? "above the line forward, below it backward" : "above the line: forward; below: backward, from dy to dx and dw");

    // The layer as a matrix: a row for each output, a column for each input.
    const [right, top] = narrow ? [left, 366] : [462, 30];
    const wide = (narrow ? 240 : 176) / n, high = narrow ? 22 : Math.min(24, 288 / outputs);
    if (narrow) svg.setAttribute("viewBox", `0 0 360 ${top + outputs * high + 8}`);
    draw("text", {class: "strong", x: right, y: top - 10}, "y = matrix · x");
    cells.matrix = Array.from({length: outputs}, (_, m) => Array.from({length: n}, (_, l) => {
      const pair = pairs.find(one => one.m === m && one.l === l);
      const box = draw("rect", {class: "cell", x: right + l * wide, y: top + m * high, width: wide, height: high});
      if (pair) draw("text", {class: "middle small number", x: right + (l + 0.5) * wide,
        y: top + (m + 0.72) * high}, w[pair.k]);
      return box;
    }));
    names = ["y", "dx", "dw", "x", "w", "dy"].flatMap(what => numbers[what].map((_, at) => `${what} ${at}`));
    pick.limit(names.length - 1);
    light();
  }

  const key = {y: "m", dy: "m", dx: "l", x: "l", dw: "k", w: "k"};
  const factors = {y: ["x", "w"], dx: ["dy", "w"], dw: ["x", "dy"]};
  const uses = {x: ["y", "dw"], w: ["y", "dx"], dy: ["dx", "dw"]};

  function light() {
    if (!names.length) return;
    for (const box of Object.values(cells).flat(2)) box.classList.remove("lit", "result");
    const [what, index] = names[pick.value].split(" "), at = +index;
    const mine = pairs.filter(pair => pair[key[what]] === at);
    for (const pair of mine) {
      for (const name of factors[what] ?? uses[what]) cells[name][pair[key[name]]].classList.add(factors[what] ? "lit" : "result");
      cells.matrix[pair.m][pair.l].classList.add("lit");
    }
    cells[what][at].classList.add(factors[what] ? "result" : "lit");
    const listed = name => [...new Set(mine.map(pair => pair[key[name]]))].sort((a, b) => a - b).map(i => `${name}[${i}]`).join(", ") || "nothing";
    told.textContent = factors[what]
      ? `${what}[${at}] = ${sum(mine.map(pair => factors[what].map(name => numbers[name][pair[key[name]]])))} = ${numbers[what][at]}`
      : `${what}[${at}] = ${numbers[what][at]} is a factor in ${uses[what].map(listed).join(", and in ")}.`;
  }
  rebuild();
  return rebuild;
});
