// Training, played back: the filters, the loss and the validation traces at each epoch.
"use strict";

living.show("training_played_back", [[640, 350], [360, 590]], ({figure, controls, draw, narrow}, data) => {
  const last = data.losses.length - 1;
  const epoch = living.slider(controls, "epoch", {max: last}, update);
  const told = living.sentence(figure);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let film = null;
  const play = calm ? null : living.button(controls, "play", () => {
    if (film) return stop();
    if (epoch.value === last) epoch.value = 0;
    play.textContent = "stop";
    film = setInterval(() => {
      epoch.value += 1;
      update();
      if (epoch.value === last || !figure.contains(play)) stop();
    }, 120);
  });
  function stop() {
    clearInterval(film);
    film = null;
    play.textContent = "play";
  }

  const largest = Math.max(...data.filters.flat(2).map(Math.abs));
  draw("text", {class: "faint small", x: 4, y: 16}, "the eight filters, five taps each");
  const wide = narrow ? 64 : 64, gap = narrow ? 88 : 78;
  const filters = data.filters[0].map((_, f) => {
    const left = 10 + (narrow ? f % 4 : f) * gap, ground = 60 + (narrow ? Math.floor(f / 4) * 76 : 0);
    draw("path", {class: "rule", d: `M${left} ${ground}h${wide}`});
    return {line: draw("path", {class: "curve"}), left, ground};
  });

  const lossBox = narrow ? {left: 38, top: 206, width: 310, height: 130} : {left: 40, top: 140, width: 250, height: 172};
  const most = Math.ceil(Math.max(...data.losses) * 10) / 10;
  const x = e => lossBox.left + e * lossBox.width / last, y = loss => lossBox.top + (1 - loss / most) * lossBox.height;
  draw("text", {class: "faint small", x: 4, y: lossBox.top - 10}, "validation loss");
  for (const loss of [0, 0.5, 1]) {
    draw("path", {class: "rule", d: `M${lossBox.left} ${y(loss).toFixed(1)}h${lossBox.width}`});
    draw("text", {class: "faint small end", x: lossBox.left - 5, y: y(loss) + 5}, loss);
  }
  for (const e of [0, 20, 40, last]) draw("text", {class: "faint small middle", x: Math.min(x(e), lossBox.left + lossBox.width - 8),
    y: lossBox.top + lossBox.height + 18}, e);
  draw("text", {class: "faint small middle", x: x(last / 2), y: lossBox.top + lossBox.height + 34}, "epoch");
  draw("path", {class: "blue", d: living.line(data.losses, lossBox.left, lossBox.width, y)});
  const here = draw("circle", {class: "dot", r: 6});

  const box = narrow ? {left: 38, top: 406, width: 316, height: 150} : {left: 346, top: 140, width: 286, height: 172};
  const level = chance => box.top + (1 - chance) * box.height;
  draw("text", {class: "faint small", x: narrow ? 4 : 316, y: box.top - 10}, "probability of the true class");
  for (const chance of [0, 0.5, 1]) {
    draw("path", {class: "rule", d: `M${box.left} ${level(chance)}h${box.width}`});
    draw("text", {class: "faint small end", x: box.left - 5, y: level(chance) + 5}, chance);
  }
  const third = box.width / 3;
  const marks = data.labels.map((label, at) => draw("text", {class: "middle small",
    x: box.left + 8 + label * third + data.labels.slice(0, at).filter(other => other === label).length * 6.1}));
  data.classes.forEach((name, label) =>
    draw("text", {class: "faint small", x: box.left + label * third, y: box.top + box.height + 18}, name));

  function update() {
    const e = epoch.value;
    data.filters[e].forEach((taps, f) => living.set(filters[f].line,
      {d: living.line(taps, filters[f].left, wide, v => filters[f].ground - v / largest * 34)}));
    living.set(here, {cx: x(e), cy: y(data.losses[e])});
    data.own[e].forEach((chance, at) => {
      const right = data.right[e][at];
      living.set(marks[at], {y: level(chance) + 5, class: `middle small ${right ? "right" : "wrong"}`});
      marks[at].textContent = right ? "●" : "✗";
    });
    const right = data.right[e].filter(Boolean).length;
    told.textContent = `After ${e} epochs: loss ${data.losses[e].toFixed(3)}, `
      + `${right} of ${data.labels.length} validation traces are correct.`;
  }
  update();
  return update;
});
