// Drag the arrival: the trace, the eight maps, the gradient and the answer of two networks.
"use strict";

living.show("drag_the_arrival", 640, 330, ({figure, svg, controls, draw}, data) => {
  const samples = 64, places = 81, first = -8;
  const left = 8, width = 420, end = left + width;
  const x = sample => left + (sample - 1) * width / (samples - 1);
  const trace = living.int8(data.trace);
  const heads = data.heads.map(head => ({
    ...head, saliency: living.int8(head.saliency), chances: living.int8(head.chances),
  }));

  const panel = (top, bottom, label) => {
    draw("rect", {class: "band", x: x(data.trainedOn[0]), y: top,
      width: x(data.trainedOn[1]) - x(data.trainedOn[0]), height: bottom - top});
    draw("rect", {class: "rule", x: left, y: top, width, height: bottom - top});
    return draw("text", {class: "faint small", x: left + 6, y: top + 16}, label);
  };

  // The maps are computed here, since their numbers would be five times all others. The taps are
  // laid on each sample, as in chapter 2, and ReLU keeps what is above zero.
  const rows = (array, n, at) => array.subarray(at * n, (at + 1) * n);
  const mapsOf = (filters, at) => filters.map(([bias, ...taps]) => {
    const values = rows(trace, samples, at);
    return Array.from(values, (_, l) => Math.max(0,
      taps.reduce((sum, tap, k) => sum + tap * (values[l + k - (taps.length >> 1)] ?? 0), bias)));
  });

  panel(4, 104, "trace");
  panel(114, 232, "eight feature maps");
  panel(242, 306, "gradient of the answer's score");
  draw("path", {class: "rule", d: `M${left} 54H${end}M${left} 274H${end}`});
  for (const sample of [1, ...data.trainedOn, samples])
    draw("text", {class: "faint small middle", x: x(sample), y: 323}, sample);
  const arrival = draw("path", {class: "green"});
  const line = draw("path", {class: "curve"});
  const areas = data.heads[0].filters.map(() => draw("path", {class: "filled"}));
  const gradient = draw("path", {class: "other"});
  const bars = data.classes.map((name, at) => {
    const y = 24 + 58 * at, from = end + 24;
    draw("text", {x: from, y}, name);
    draw("rect", {class: "rule", x: from, y: y + 8, width: 180, height: 16});
    return {
      bar: draw("rect", {class: "filled", x: from, y: y + 8, height: 16}),
      number: draw("text", {class: "number end", x: from + 180, y}),
    };
  });
  const mark = draw("text", {class: "strong", x: end + 24, y: 228, "font-size": "44"});
  const verdict = draw("text", {class: "strong", x: end + 64, y: 222});
  const head = living.choice(controls, "network", ["flatten head", "global head"], update);
  const polarity = living.choice(controls, "arrival", ["positive", "negative"], update);
  const center = living.slider(controls, "drag the arrival to sample",
    {min: first, max: first + places - 1, value: 32}, update);
  const told = living.sentence(figure);

  // From a drag on the picture itself: the slider goes where the finger is.
  const follow = event => {
    if (!event.buttons) return;
    const point = new DOMPoint(event.clientX, event.clientY)
      .matrixTransform(svg.getScreenCTM().inverse());
    if (point.x > end + 12) return;
    center.value = Math.round(1 + (point.x - left) / width * (samples - 1));
    update();
  };
  svg.addEventListener("pointerdown", follow);
  svg.addEventListener("pointermove", follow);

  function update() {
    const at = polarity.value * places + center.value - first;
    const seen = heads[head.value];
    const maps = mapsOf(seen.filters, at);
    living.set(line, {d: living.line(rows(trace, samples, at), left, width, v => 54 - v * 0.36)});
    const inside = Math.min(Math.max(center.value, 1), samples);
    living.set(arrival, {d: `M${x(inside).toFixed(1)} 4V306`});
    areas.forEach((area, map) => {
      const ground = 142 + map * 12.5;
      const y = v => ground - v / seen.highest * 15.24;
      living.set(area, {d: living.line(maps[map], left, width, y, ground)});
    });
    living.set(gradient,
      {d: living.line(rows(seen.saliency, samples, at), left, width, v => 274 - v * 0.24, 274)});
    const chances = [...rows(seen.chances, 3, at)];
    const largest = Math.max(...heads[head.value].chances);
    chances.forEach((chance, at) => {
      living.set(bars[at].bar, {width: chance / largest * 180});
      bars[at].number.textContent = (chance / largest).toFixed(2);
    });
    const answer = chances.indexOf(Math.max(...chances)), truth = 1 + polarity.value;
    const right = answer === truth;
    mark.textContent = right ? "✓" : "✗";
    verdict.textContent = right ? "right" : answer ? "the opposite" : "overlooked";
    for (const text of [mark, verdict])
      text.setAttribute("class", `strong ${right ? "right" : "wrong"}`);
    told.textContent = `A ${data.classes[truth].toLowerCase()} arrival at sample ${center.value}; `
      + `the network says ${data.classes[answer]}: ${verdict.textContent}.`;
  }
  update();
});
