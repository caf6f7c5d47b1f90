// What does it see: stack layers, and follow an output back to the samples it depends on.
"use strict";

living.show("what_does_it_see", [[640, 300], [360, 300]], ({figure, svg, controls, draw, width, narrow}, data) => {
  const selects = data.start.map((start, at) => {
    const box = controls.appendChild(document.createElement("label"));
    box.appendChild(document.createElement("span")).textContent = `layer ${at + 1}`;
    const select = box.appendChild(document.createElement("select"));
    data.layers.forEach(([name], value) => select.add(new Option(name, value, value === start, value === start)));
    select.addEventListener("input", () => { controls.save(); rebuild(); });
    controls.inputs.push({get value() { return +select.value; }, set value(to) { if (data.layers[to]) select.value = to; }});
    return select;
  });
  const output = living.slider(controls, "output", {max: 99, value: 1}, light);
  const told = living.sentence(figure);
  const left = narrow ? 6 : 190, x = (at, length) => left + (at + 0.5) * ((width - left - 6) / length);
  let levels = [];  // the trace and what each layer makes of it, from the bottom up

  // Output m depends on the samples m S - left + k d. With padding there are ceil(L / S) outputs,
  // and the odd zero goes to the right.
  function above(length, [taps, stride, dilation, same]) {
    const reach = (taps - 1) * dilation + 1;
    const outputs = same ? Math.ceil(length / stride) : Math.floor((length - reach) / stride) + 1;
    const zeros = same ? Math.max(0, (outputs - 1) * stride + reach - length) : 0;
    return {length: outputs, taps, stride, dilation, left: Math.floor(zeros / 2)};
  }
  const inputs = (level, m) => Array.from({length: level.taps},
    (_, k) => m * level.stride - level.left + k * level.dilation);

  // Point at a row to choose the output above that place.
  living.drag(svg, point => {
    const length = levels.at(-1).length;
    output.value = Math.min(Math.max(Math.floor((point.x - left) / (width - left - 6) * length), 0), length - 1);
    light();
  });

  function rebuild() {
    levels = [{length: data.samples, name: "trace"}];
    for (const select of selects) {
      const [name, layer] = data.layers[select.value];
      if (layer) levels.push({...above(levels.at(-1).length, layer), name});
    }
    svg.replaceChildren();
    levels.forEach((level, at) => {
      level.y = 280 - at * 250 / Math.max(levels.length - 1, 1);
      level.lines = draw("path", {class: "blue"});
      level.dots = Array.from({length: level.length}, (_, m) =>
        draw("circle", {class: "cell", cx: x(m, level.length), cy: level.y, r: narrow ? 4.5 : 6}));
    });
    for (const {name, y} of levels) draw("text", {class: "faint small halo", x: 2, y: narrow ? y - 9 : y + 5}, name);
    output.limit(levels.at(-1).length - 1);
    if (output.value > levels.at(-1).length - 1) output.value = levels.at(-1).length - 1;
    light();
  }

  // The samples that output m of the last layer depends on, zeros beyond the ends among them.
  function seen(m, show) {
    let places = new Set([m]);
    let zeros = 0;
    for (let at = levels.length - 1; at >= 0; at--) {
      const level = levels[at], inside = [...places].filter(p => p >= 0 && p < level.length);
      if (show) inside.forEach(p => level.dots[p].classList.add("lit"));
      if (!at) return {samples: inside, zeros};
      places = new Set(inside.flatMap(p => inputs(level, p)));
      const below = levels[at - 1];
      zeros += [...places].filter(p => p < 0 || p >= below.length).length;
      if (show) living.set(level.lines, {d: inside.flatMap(p => inputs(level, p)
        .filter(q => q >= 0 && q < below.length)
        .map(q => `M${x(p, level.length).toFixed(1)} ${level.y.toFixed(1)}L${x(q, below.length).toFixed(1)} ${below.y.toFixed(1)}`)).join("") || "M0 0"});
    }
  }

  // From end to end, as arithmetic has it: the zeros beyond the ends of the trace count too.
  function field(m) {
    let [first, last] = [m, m];
    for (const {taps, stride, dilation, left} of levels.slice(1).reverse())
      [first, last] = [first * stride - left, last * stride - left + (taps - 1) * dilation];
    return [first, last];
  }

  function light() {
    for (const level of levels) level.dots.forEach(dot => dot.classList.remove("lit"));
    const m = output.value, [first, last] = field(m), [, before] = field(m - 1);
    const {zeros} = seen(m, true);
    told.textContent = `Output ${m} (counted from 0) depends on samples ${first} to ${last}: a receptive field of `
      + `${last - first + 1}, of which it shares ${Math.max(0, before - first + 1)} with its neighbor`
      + (zeros ? `. ${zeros} of the values on the way are zeros beyond an end.` : ".");
  }
  rebuild();
  return rebuild;
});
