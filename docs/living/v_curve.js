// The V-curve: the error of three methods against the step.
"use strict";

living.show("v_curve", 640, 330, ({figure, controls, draw}, data) => {
  const kind = living.choice(controls, "numbers", data.types, update);
  const which = living.choice(controls, "function", data.functions, update);
  const step = living.slider(controls, "step",
    {max: data.powers.length - 1, value: 20, say: at => power(data.powers[at])}, update);
  const told = living.sentence(figure);
  const left = 60, right = 616, top = 34, bottom = 290;
  const x = p => right + (p + 1) / 15 * (right - left);
  const y = e => top + (Math.min(e, 1) - 1) / -18 * (bottom - top);
  const methods = ["forward difference", "central difference", "complex step"];
  const styles = ["green", "orange", "blue"];

  function power(p) {
    const whole = Math.floor(p), first = 10 ** (p - whole);
    return `${first.toFixed(1)}e${whole}`.replace("1.0e", "1e");
  }
  for (const p of [-1, -4, -7, -10, -13, -16]) {
    draw("path", {class: "rule", d: `M${x(p)} ${top}V${bottom}`});
    draw("text", {class: "faint small middle", x: x(p), y: 308}, `1e${p}`);
  }
  for (const e of [0, -4, -8, -12, -16]) {
    draw("path", {class: "rule", d: `M${left} ${y(e).toFixed(1)}H${right}`});
    draw("text", {class: "faint small end", x: left - 6, y: y(e) + 5}, `1e${e}`);
  }
  draw("text", {class: "faint small middle", x: (left + right) / 2, y: 326}, "step");
  draw("text", {class: "faint small middle", transform: "translate(13 150) rotate(-90)"}, "relative error");
  const marker = draw("path", {class: "rule"});
  marker.style.stroke = "var(--ink)";
  const curves = styles.map(style => draw("path", {class: style}));
  const dots = styles.map(() => draw("circle", {class: "dot", r: 5}));
  methods.forEach((name, method) => {
    draw("path", {class: styles[method], d: `M${left + method * 195} 15h30`});
    draw("text", {class: "small", x: left + 38 + method * 195, y: 20}, name);
  });

  function update() {
    const errors = data.errors[which.value][kind.value], at = step.value;
    living.set(marker, {d: `M${x(data.powers[at]).toFixed(1)} ${top}V${bottom}`});
    errors.forEach((row, method) => {
      const points = row.map((e, i) => `${x(data.powers[i]).toFixed(1)} ${y(e).toFixed(1)}`);
      living.set(curves[method], {d: `M${points.join("L")}`});
      living.set(dots[method], {cx: x(data.powers[at]), cy: y(row[at])});
    });
    const best = errors.map(row => row.indexOf(Math.min(...row)));
    told.textContent = `Step ${power(data.powers[at])}: ` + methods.map((name, method) =>
      `${name} off by ${power(errors[method][at])}`).join(", ")
      + `. The best central step is ${power(data.powers[best[1]])}.`;
  }
  update();
});
