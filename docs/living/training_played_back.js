// Training, played back: the filters, the loss and the validation traces at each epoch.
"use strict";

living.show("training_played_back", 640, 340, ({figure, controls, draw}, data) => {
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
      if (epoch.value === last) stop();
    }, 120);
  });
  function stop() {
    clearInterval(film);
    film = null;
    play.textContent = "play";
  }

  const largest = Math.max(...data.filters.flat(2).map(Math.abs));
  draw("text", {class: "faint small", x: 4, y: 16}, "the eight filters, five taps each");
  const filters = data.filters[0].map((_, f) => {
    const left = 10 + f * 78;
    draw("path", {class: "rule", d: `M${left} 64H${left + 64}`});
    return draw("path", {class: "curve"});
  });
  draw("text", {class: "faint small", x: 4, y: 128}, "validation loss");
  const x = e => 10 + e * 280 / last, y = loss => 310 - loss / Math.max(...data.losses) * 165;
  draw("rect", {class: "rule", x: 10, y: 136, width: 280, height: 176});
  draw("path", {class: "blue", d: living.line(data.losses, 10, 280, y)});
  draw("text", {class: "faint small", x: 10, y: 330}, "epoch 0");
  draw("text", {class: "faint small end", x: 290, y: 330}, last);
  const here = draw("circle", {class: "dot", r: 6});
  draw("text", {class: "faint small", x: 320, y: 128}, "probability of the true class");
  const marks = data.labels.map((label, at) => draw("text", {class: "middle small",
    x: 328 + label * 108 + data.labels.slice(0, at).filter(other => other === label).length * 6.8}));
  data.classes.forEach((name, label) =>
    draw("text", {class: "faint small", x: 324 + label * 108, y: 330}, name));
  draw("path", {class: "rule", d: "M318 140H640M318 310H640"});

  function update() {
    const e = epoch.value;
    data.filters[e].forEach((taps, f) => living.set(filters[f],
      {d: living.line(taps, 10 + f * 78, 64, v => 64 - v / largest * 36)}));
    living.set(here, {cx: x(e), cy: y(data.losses[e])});
    data.own[e].forEach((chance, at) => {
      const right = data.right[e][at];
      living.set(marks[at], {y: 316 - chance * 170, class: `middle small ${right ? "right" : "wrong"}`});
      marks[at].textContent = right ? "●" : "✗";
    });
    const right = data.right[e].filter(Boolean).length;
    told.textContent = `After ${e} epochs: loss ${data.losses[e].toFixed(3)}, `
      + `${right} of ${data.labels.length} validation traces correct.`;
  }
  update();
});
