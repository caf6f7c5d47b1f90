// One training step: forward in blue, backward in orange, then Adam; step by step.
"use strict";

living.show("one_training_step", [[640, 410], [360, 610]], ({figure, controls, draw, narrow}, data) => {
  const step = living.slider(controls, "step", {max: data.steps.length - 1, say: at => at + 1}, update);
  living.button(controls, "previous", () => go(-1));
  const next = living.button(controls, "next", () => go(1));
  const told = living.sentence(figure);
  // Where each row of numbers stands: column, row. In the narrow layout "forward" and "backward"
  // are side by side, and the parameters below each other.
  const places = {
    "x": [0, 0], "conv": [0, 1], "relu": [0, 2], "scores": [0, 3], "p": [0, 4], "loss": [0, 5],
    "dx": [1, 0], "dconv": [1, 1], "drelu": [1, 2], "dscores": [1, 3], "new loss": [1, 5],
    "w": [0, 6], "dw": [1, 6], "new w": [2, 6], "b": [0, 7], "db": [1, 7], "new b": [2, 7],
    "v": [0, 8], "dv": [1, 8], "new v": [2, 8], "c": [0, 9], "dc": [1, 9], "new c": [2, 9],
  };
  const kinds = ["ahead", "back", "after"], low = ["w", "b", "v", "c"];
  const boxOf = (name, [column, row]) => {
    if (!narrow) return {x: [4, 222, 432][column], y: 28 + row * 36 + (row > 5 ? 22 : 0), width: 200};
    if (row < 6) return {x: [4, 184][column], y: 28 + row * 34, width: 172};
    return {x: 4, y: 252 + (low.indexOf(name.split(" ").at(-1).slice(-1)) * 3 + column) * 29.5, width: 352};
  };
  const title = (text, x, y, kind) => draw("text", {class: `strong ${kind}`, x, y}, text);
  if (narrow) [["forward", 4, 18], ["backward", 184, 18]].forEach(([text, x, y], at) => title(text, x, y, kinds[at]));
  else [["forward", 4, 18], ["backward", 222, 18]].forEach(([text, x, y], at) => title(text, x, y, kinds[at]));
  title(narrow ? "parameters, gradients, after Adam" : "parameters", 4, narrow ? 244 : 260, "after");
  if (!narrow) {
    title("their gradients", 222, 260, "back");
    title("after Adam", 432, 260, "after");
  }
  const rows = Object.fromEntries(Object.entries(places).map(([name, place]) => {
    const {x, y, width} = boxOf(name, place), high = narrow ? 26 : 28;
    const kind = name === "new loss" ? "after" : kinds[place[0]];
    const box = draw("rect", {class: "cell", x, y, width, height: high, rx: 4});
    const label = draw("text", {class: "faint small", x: x + 5, y: y + 19}, name);
    const values = data.numbers[name];
    const text = draw("text", {class: `number small end ${kind}`, x: x + width - 5, y: y + 19},
      values.map(value => +value.toFixed(values.length > 4 ? 2 : 3)).join(" \u00a0"));
    const room = width - 16 - label.getComputedTextLength();
    if (text.getComputedTextLength() > room) living.set(text, {textLength: room, lengthAdjust: "spacingAndGlyphs"});
    return [name, {box, text, kind, middle: x + width / 2, top: y, bottom: y + high}];
  }));
  // Arrows from each row of the forward pass to the next, and of the backward pass back.
  for (const chain of [["x", "conv", "relu", "scores", "p", "loss"], ["dscores", "drelu", "dconv", "dx"]])
    chain.slice(1).forEach((name, at) => {
      const from = rows[chain[at]], to = rows[name], down = to.top > from.top;
      const [start, stop] = down ? [from.bottom, to.top] : [from.top, to.bottom], tip = down ? -4 : 4;
      draw("path", {class: `arrow ${to.kind}`, d: `M${to.middle} ${start}V${stop}m-4 ${tip}l4 ${-tip}l4 ${tip}`});
    });

  function go(by) {
    step.value = Math.min(Math.max(step.value + by, 0), data.steps.length - 1);
    update();
  }

  function update() {
    const at = step.value, shown = new Set(data.steps.slice(0, at + 1).flatMap(([names]) => names));
    for (const [name, {box, text}] of Object.entries(rows)) {
      text.style.visibility = shown.has(name) ? "" : "hidden";
      box.setAttribute("class", data.steps[at][0].includes(name) ? "cell lit" : "cell");
    }
    next.textContent = at === data.steps.length - 1 ? "end" : "next";
    told.textContent = `${at + 1} of ${data.steps.length}. ${data.steps[at][1]}`;
  }
  update();
  return update;
});
