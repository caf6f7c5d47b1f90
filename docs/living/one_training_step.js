// One training step: forwards in blue, backwards in orange, then Adam; with the arrow keys.
"use strict";

living.show("one_training_step", 640, 400, ({figure, controls, draw}, data) => {
  const step = living.slider(controls, "step", {max: data.steps.length - 1, say: at => at + 1}, update);
  const told = living.sentence(figure);
  // Where each row of numbers stands: column, row, and what is written before it.
  const places = {
    "x": [0, 0], "conv": [0, 1], "relu": [0, 2], "scores": [0, 3], "p": [0, 4], "loss": [0, 5],
    "dx": [1, 0], "dconv": [1, 1], "drelu": [1, 2], "dscores": [1, 3], "new loss": [1, 5],
    "w": [0, 6], "dw": [1, 6], "new w": [2, 6], "b": [0, 7], "db": [1, 7], "new b": [2, 7],
    "v": [0, 8], "dv": [1, 8], "new v": [2, 8], "c": [0, 9], "dc": [1, 9], "new c": [2, 9],
  };
  const lefts = [4, 222, 432], wide = 196;
  ["forwards", "backwards", "after Adam"].forEach((name, column) =>
    draw("text", {class: "strong", x: lefts[column], y: 18}, name));
  draw("path", {class: "rule", d: "M0 248H640"});
  const rows = Object.fromEntries(Object.entries(places).map(([name, [column, row]]) => {
    const y = 44 + row * 36 + (row > 5 ? 10 : 0), left = lefts[column];
    const box = draw("rect", {class: "cell", x: left, y: y - 19, width: wide, height: 28, rx: 4});
    draw("text", {class: "faint small", x: left + 5, y}, name);
    const values = data.numbers[name];
    const text = draw("text", {class: "number small end", x: left + wide - 5, y},
      values.map(value => +value.toFixed(values.length > 4 ? 2 : 3)).join(" \u00a0"));
    if (text.getComputedTextLength() > wide - 34) living.set(text, {textLength: wide - 34, lengthAdjust: "spacingAndGlyphs"});
    return [name, {box, text}];
  }));

  function update() {
    const at = step.value, shown = new Set(data.steps.slice(0, at + 1).flatMap(([names]) => names));
    for (const [name, {box, text}] of Object.entries(rows)) {
      text.style.visibility = shown.has(name) ? "" : "hidden";
      box.setAttribute("class", data.steps[at][0].includes(name) ? "cell lit" : "cell");
    }
    told.textContent = `${at + 1} of ${data.steps.length}. ${data.steps[at][1]}`;
  }
  update();
});
