// The circuit: values from left to right in blue, gradients from right to left in orange.
"use strict";

living.show("backpropagation_circuit", [[640, 330], [360, 480]], ({figure, svg, controls, draw, narrow}, data) => {
  const names = [...Object.keys(data.start), ...data.steps.map(([name]) => name)];
  const inputs = Object.fromEntries(Object.entries(data.start).map(([name, value]) => [name,
    living.slider(controls, name, {min: -4, max: 4, step: 0.25, value}, update)]));
  const chosen = living.slider(controls, "explain the gradient of",
    {max: names.length - 1, value: names.indexOf("w"), say: at => names[at]}, update);
  const told = living.sentence(figure);
  const places = narrow
    ? {x0: [0, 0], w: [1, 0], x1: [2, 0], b: [2.9, 1], u0: [0.5, 1], u1: [1.5, 1], a0: [1, 2], a1: [2, 2], y: [1.5, 3], loss: [1.5, 4]}
    : {x0: [0, 0], w: [0, 1], x1: [0, 2], b: [1, 2.75], u0: [1, 0.25], u1: [1, 1.5], a0: [2, 0.75], a1: [2, 2], y: [3, 1.4], loss: [4, 1.4]};
  const [wide, high, right, down] = narrow ? [84, 62, 90, 100] : [104, 62, 132, 84];
  const corner = name => [4 + places[name][0] * right, 10 + places[name][1] * down];
  const middle = name => corner(name).map((at, axis) => at + [wide, high][axis] / 2);

  // Local derivatives: the one of each operation with respect to each of its inputs.
  const operations = {
    "×": (a, b) => [a * b, [b, a]],
    "+": (a, b) => [a + b, [1, 1]],
    max: (a, b) => [Math.max(a, b), [+(a >= b), +(a < b)]],
    "(y - 5)² / 2": y => [(y - data.target) ** 2 / 2, [y - data.target]],
  };
  const arrows = data.steps.flatMap(([name, , sources]) => sources.map(source => {
    const [from, to] = [middle(source), middle(name)];
    const path = narrow ? `M${from[0]} ${from[1] + high / 2}L${to[0]} ${to[1] - high / 2 - 3}`
      : `M${from[0] + wide / 2} ${from[1]}L${to[0] - wide / 2 - 3} ${to[1]}`;
    return {name, source, line: draw("path", {class: "rule", d: path})};
  }));
  const boxes = Object.fromEntries(names.map(name => {
    const [x, y] = corner(name), sign = data.steps.find(([step]) => step === name)?.[1] ?? "input";
    const box = draw("rect", {class: "cell solid", x, y, width: wide, height: high, rx: 5});
    draw("text", {class: "faint small middle", x: x + wide / 2, y: y + 16}, sign);
    const value = draw("text", {class: "number small middle ahead", x: x + wide / 2, y: y + 34});
    const gradient = draw("text", {class: "number small middle back", x: x + wide / 2, y: y + 53});
    return [name, {box, value, gradient}];
  }));
  living.drag(svg, point => {
    const at = names.findIndex(name => {
      const [x, y] = corner(name);
      return point.x >= x && point.x <= x + wide && point.y >= y && point.y <= y + high;
    });
    if (at >= 0) { chosen.value = at; update(); }
  });

  const short = number => String(+number.toFixed(3)).replace("-", "−");
  const factor = number => number < 0 ? `(${short(number)})` : short(number);

  function update() {
    const values = Object.fromEntries(Object.entries(inputs).map(([name, slider]) => [name, slider.value]));
    const local = {}, gradients = Object.fromEntries(names.map(name => [name, 0]));
    for (const [name, sign, sources] of data.steps)
      [values[name], local[name]] = operations[sign](...sources.map(source => values[source]));
    gradients.loss = 1;
    for (const [name, , sources] of data.steps.toReversed())
      sources.forEach((source, at) => { gradients[source] += gradients[name] * local[name][at]; });
    const name = names[chosen.value];
    const uses = data.steps.flatMap(([step, , sources]) => sources.flatMap((source, at) =>
      source === name ? [{step, derivative: local[step][at]}] : []));
    for (const one of names) {
      boxes[one].value.textContent = `${one} = ${short(values[one])}`;
      boxes[one].gradient.textContent = `d${one} = ${short(gradients[one])}`;
      const kind = one === name ? "lit" : uses.some(({step}) => step === one) ? "used" : "";
      boxes[one].box.setAttribute("class", `cell solid ${kind}`);
    }
    for (const {name: step, source, line} of arrows)
      line.setAttribute("class", source === name ? "orange plain" : gradients[step] ? "rule strong" : "rule");
    told.textContent = name === "loss" ? "dloss = 1: the derivative of the loss with respect to itself."
      : `d${name} = ${uses.map(({step}) => `d${step} · ∂${step}/∂${name}`).join(" + ")} = `
        + `${uses.map(({step, derivative}) => `${short(gradients[step])} · ${factor(derivative)}`).join(" + ")} = ${short(gradients[name])}`;
  }
  update();
  return update;
});
