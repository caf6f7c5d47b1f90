// The narrow valley: put the ball anywhere, and see forty steps of an optimizer from there.
"use strict";

living.show("narrow_valley", [[640, 330], [360, 330]], ({figure, svg, controls, draw, width, narrow}, data) => {
  const names = data.optimizers.map(([name]) => name);
  const kind = living.choice(controls, "optimizer", names, chooseRate);
  const rate = living.slider(controls, "learning rate",
    {max: data.rates.length - 1, value: data.optimizers[0][1], say: at => String(data.rates[at])}, update);
  const steps = living.slider(controls, "steps", {max: data.steps, value: data.steps}, update);
  const start = [["start a", -10, 10, 0.5, data.start[0]], ["start b", -1.5, 1.5, 0.1, data.start[1]]]
    .map(([label, min, max, step, value]) => living.slider(controls, label, {min, max, step, value}, update));
  const told = living.sentence(figure);
  const left = 34, right = width - 8, top = 8, bottom = 292;
  const x = u => left + (u + 10) / 20 * (right - left), y = v => bottom - (v + 1.5) / 3 * (bottom - top);
  const clip = "within-the-valley";
  const window = draw("clipPath", {id: clip});
  living.draw(window, "rect", {x: left, y: top, width: right - left, height: bottom - top});
  const inside = draw("g", {"clip-path": `url(#${clip})`});
  for (let loss = 128; loss > 0.1; loss /= 4)
    living.draw(inside, "ellipse", {class: "rule", cx: x(0), cy: y(0),
      rx: x(Math.sqrt(2 * loss)) - x(0), ry: y(0) - y(Math.sqrt(2 * loss) / 10)});
  draw("rect", {class: "rule", x: left, y: top, width: right - left, height: bottom - top});
  living.draw(inside, "path", {class: "faint-line", d: `M${x(0)} ${y(0) - 7}v14M${x(0) - 7} ${y(0)}h14`});
  for (const u of narrow ? [-10, 0, 10] : [-10, -5, 0, 5, 10])
    draw("text", {class: "faint small middle", x: Math.min(x(u), right - 8), y: bottom + 17}, `${u}`.replace("-", "−"));
  for (const v of [-1, 0, 1]) draw("text", {class: "faint small end", x: left - 6, y: y(v) + 5}, `${v}`.replace("-", "−"));
  draw("text", {class: "faint small middle", x: x(0), y: bottom + 34}, "parameter a");
  draw("text", {class: "faint small", x: 2, y: top + 12}, "b");
  const line = living.draw(inside, "path", {class: "blue"}), dots = living.draw(inside, "path", {class: "filled"});
  const ball = draw("circle", {class: "other", r: 12});
  const end = draw("path", {class: "curve"});
  living.drag(svg, point => {
    start[0].value = Math.round((point.x - left) / (right - left) * 40) / 2 - 10;
    start[1].value = Math.round((bottom - point.y) / (bottom - top) * 30) / 10 - 1.5;
    update();
  });

  // The steps of the three optimizers, as in the package.
  function path() {
    const lr = data.rates[rate.value], weights = start.map(slider => slider.value), found = [[...weights]];
    const m = [0, 0], v = [0, 0];
    for (let t = 1; t <= steps.value; t++) {
      [weights[0], 100 * weights[1]].forEach((g, at) => {
        if (names[kind.value] === "Adam") {
          m[at] = 0.9 * m[at] + 0.1 * g;
          v[at] = 0.999 * v[at] + 0.001 * g * g;
          weights[at] -= lr * m[at] / (1 - 0.9 ** t) / (Math.sqrt(v[at] / (1 - 0.999 ** t)) + 1e-8);
        } else {
          m[at] = (names[kind.value] === "momentum" ? 0.9 : 0) * m[at] + g;
          weights[at] -= lr * m[at];
        }
      });
      found.push([...weights]);
    }
    return found;
  }

  function chooseRate() {
    rate.value = data.optimizers[kind.value][1];
    update();
  }

  function update() {
    const found = path(), far = 1e4; // beyond this nothing is drawn
    const shown = found.filter(([u, v]) => Math.abs(u) < far && Math.abs(v) < far).map(([u, v]) => [x(u), y(v)]);
    const text = shown.map(([u, v]) => `${u.toFixed(1)} ${v.toFixed(1)}`);
    living.set(line, {d: `M${text.join("L")}`});
    living.set(dots, {d: text.map(at => `M${at}m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`).join("")});
    living.set(ball, {cx: shown[0][0], cy: shown[0][1]});
    const [u, v] = found.at(-1), isInside = x(u) >= left && x(u) <= right && y(v) >= top && y(v) <= bottom;
    living.set(end, {d: isInside ? `M${(x(u) - 6).toFixed(1)} ${(y(v) - 6).toFixed(1)}l12 12m-12 0l12 -12` : "M0 0"});
    const loss = ([u, v]) => (u * u + 100 * v * v) / 2, digits = number => Math.abs(number) > 999
      ? number.toExponential(1) : number.toFixed(3);
    told.textContent = `After ${steps.value} steps: a = ${digits(u)}, b = ${digits(v)}. The loss was ${loss(found[0]).toFixed(1)} `
      + `and is ${digits(loss(found.at(-1)))}${loss(found.at(-1)) > loss(found[0]) && steps.value ? ": the steps are too long." : "."}`;
  }
  update();
  return update;
});
