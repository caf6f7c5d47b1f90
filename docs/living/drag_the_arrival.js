// Drag the arrival: the trace, the eight maps, the gradient and the output of two networks.
"use strict";

living.show("drag_the_arrival", [[640, 372], [360, 520]], ({figure, svg, controls, draw, narrow}, data) => {
  const samples = 64, places = 81, first = -8;
  // The drawing is as wide as the positions that can be chosen; the trace is within it.
  const left = narrow ? 12 : 14, width = narrow ? 336 : 440, end = left + width;
  const x = sample => left + (sample - first) * width / (places - 1);
  const begin = x(1), within = x(samples) - begin;
  const trace = living.int8(data.trace);
  const heads = data.heads.map(head => ({
    ...head, saliency: living.int8(head.saliency), chances: living.int8(head.chances),
  }));

  draw("rect", {class: "band", x: x(data.trainedOn[0]), y: 22,
    width: x(data.trainedOn[1]) - x(data.trainedOn[0]), height: 308});
  const panel = (top, bottom, label) => {
    draw("rect", {class: "rule", x: begin, y: top, width: within, height: bottom - top});
    draw("text", {class: "faint small", x: begin, y: top - 5}, label);
  };

  // The maps are computed here, since their numbers would be five times all others. The taps are
  // laid on each sample, as in chapter 2, and ReLU keeps what is above zero.
  const rows = (array, n, at) => array.subarray(at * n, (at + 1) * n);
  const mapsOf = (filters, at) => filters.map(([bias, ...taps]) => {
    const values = rows(trace, samples, at);
    return Array.from(values, (_, l) => Math.max(0,
      taps.reduce((sum, tap, k) => sum + tap * (values[l + k - (taps.length >> 1)] ?? 0), bias)));
  });

  panel(22, 122, "trace");
  panel(144, 252, "eight feature maps");
  panel(274, 330, "gradient of the predicted class's score");
  draw("text", {class: "small right end", x: x(data.trainedOn[1]) - 4, y: 17}, "arrivals in training");
  draw("path", {class: "rule", d: `M${begin} 72h${within}M${begin} 302h${within}`});
  for (const sample of [1, ...data.trainedOn, samples])
    draw("text", {class: "faint small middle", x: x(sample), y: 348}, sample);
  draw("text", {class: "faint small middle", x: begin + within / 2, y: narrow ? 364 : 366}, "sample");
  const arrival = draw("path", {class: "green"});
  const line = draw("path", {class: "curve"});
  const areas = data.heads[0].filters.map(() => draw("path", {class: "filled"}));
  const gradient = draw("path", {class: "other"});
  const bars = data.classes.map((name, at) => {
    const [from, y] = narrow ? [12, 394 + 38 * at] : [end + 20, 40 + 58 * at], long = narrow ? 336 : 156;
    draw("text", {x: from, y}, name);
    draw("rect", {class: "rule", x: from, y: y + 6, width: long, height: 14});
    return {
      long,
      bar: draw("rect", {class: "filled", x: from, y: y + 6, height: 14}),
      number: draw("text", {class: "number end", x: from + long, y}),
    };
  });
  const verdict = draw("text", {class: "strong", x: narrow ? 12 : end + 20, y: narrow ? 512 : 236});
  const head = living.choice(controls, "network", ["flatten head", "global head"], update);
  const polarity = living.choice(controls, "arrival", ["positive", "negative"], update);
  const center = living.slider(controls, "drag the arrival to sample",
    {min: first, max: first + places - 1, value: 32}, update);
  // The thumb of the slider is above the arrival.
  center.box.className = "above";
  center.box.style.setProperty("--left", `${left / (narrow ? 360 : 640) * 100}%`);
  center.box.style.setProperty("--width", `${width / (narrow ? 360 : 640) * 100}%`);
  const told = living.sentence(figure);
  living.drag(svg, point => {
    if (point.x > end + 12 || point.y > 335) return;
    center.value = Math.round(first + (point.x - left) / width * (places - 1));
    update();
  });

  function update() {
    const at = polarity.value * places + center.value - first;
    const seen = heads[head.value];
    const maps = mapsOf(seen.filters, at);
    living.set(line, {d: living.line(rows(trace, samples, at), begin, within, v => 72 - v * 0.36)});
    living.set(arrival, {d: `M${x(center.value).toFixed(1)} 4V330`});
    areas.forEach((area, map) => {
      const ground = 163 + map * 12.5;
      const y = v => ground - v / seen.highest * 15.24;
      living.set(area, {d: living.line(maps[map], begin, within, y, ground)});
    });
    living.set(gradient,
      {d: living.line(rows(seen.saliency, samples, at), begin, within, v => 302 - v * 0.2, 302)});
    const chances = [...rows(seen.chances, 3, at)];
    const largest = Math.max(...heads[head.value].chances);
    chances.forEach((chance, at) => {
      living.set(bars[at].bar, {width: chance / largest * bars[at].long});
      bars[at].number.textContent = (chance / largest).toFixed(2);
    });
    const output = chances.indexOf(Math.max(...chances)), isThere = data.visible[center.value - first];
    const truth = isThere ? 1 + polarity.value : 0, right = output === truth;
    const words = right ? "correct" : !truth ? "a false alarm" : output ? "the opposite" : "overlooked";
    verdict.textContent = `${right ? "✓" : "✗"} ${words}`;
    verdict.setAttribute("class", `strong ${right ? "right" : "wrong"}`);
    told.textContent = `A ${["positive", "negative"][polarity.value]} arrival at sample ${center.value}`
      + `${isThere ? "" : ", outside the trace"}; the network predicts ${data.classes[output]}: ${words}.`;
  }
  update();
  return update;
});
