// The V-curve: the error of three methods against the step.
"use strict";

living.show("v_curve", [[640, 340], [360, 360]], ({figure, controls, draw, width, narrow}, data) => {
  const kind = living.choice(controls, "numbers", data.types, update);
  const which = living.choice(controls, "function", data.functions, update);
  const shown = living.choice(controls, "complex step", ["hide", "show"], update);
  const step = living.slider(controls, "step",
    {max: data.powers.length - 1, value: 20, say: at => power(data.powers[at])}, update);
  const told = living.sentence(figure);
  const left = narrow ? 48 : 60, right = width - 24, top = narrow ? 62 : 34, bottom = top + 256;
  const x = p => right + (p + 1) / 15 * (right - left);
  const y = e => top + (Math.min(e, 1) - 1) / -18 * (bottom - top);
  const methods = ["forward difference", "central difference", "complex step"];
  const styles = ["green", "orange", "blue"];

  function power(p) {
    const whole = Math.floor(p), first = 10 ** (p - whole);
    return `${first.toFixed(1)}e${whole}`.replace("1.0e", "1e");
  }
  for (const p of narrow ? [-1, -6, -11, -16] : [-1, -4, -7, -10, -13, -16]) {
    draw("path", {class: "rule", d: `M${x(p)} ${top}V${bottom}`});
    draw("text", {class: "faint small middle", x: Math.min(x(p), right - 2), y: bottom + 18}, `1e${p}`);
  }
  for (const e of [0, -4, -8, -12, -16]) {
    draw("path", {class: "rule", d: `M${left} ${y(e).toFixed(1)}H${right}`});
    draw("text", {class: "faint small end", x: left - 6, y: y(e) + 5}, `1e${e}`);
  }
  draw("text", {class: "faint small middle", x: (left + right) / 2, y: bottom + 36}, "step");
  if (!narrow) draw("text", {class: "faint small middle", transform: "translate(13 162) rotate(-90)"}, "relative error");
  const marker = draw("path", {class: "rule"});
  marker.style.stroke = "var(--ink)";
  const parts = methods.map((name, method) => {
    const group = draw("g"), [from, line] = narrow ? [method % 2 * 178 + 4, 15 + (method > 1 ? 24 : 0)] : [left + method * 195, 15];
    living.draw(group, "path", {class: styles[method], d: `M${from} ${line}h26`});
    living.draw(group, "text", {class: "small", x: from + 32, y: line + 5}, name);
    return {group, curve: living.draw(group, "path", {class: styles[method]}), dot: living.draw(group, "circle", {class: "dot", r: 5})};
  });

  function update() {
    const errors = data.errors[which.value][kind.value], at = step.value, count = 2 + shown.value;
    living.set(marker, {d: `M${x(data.powers[at]).toFixed(1)} ${top}V${bottom}`});
    errors.forEach((row, method) => {
      const points = row.map((e, i) => `${x(data.powers[i]).toFixed(1)} ${y(e).toFixed(1)}`);
      living.set(parts[method].curve, {d: `M${points.join("L")}`});
      living.set(parts[method].dot, {cx: x(data.powers[at]), cy: y(row[at])});
      parts[method].group.style.display = method < count ? "" : "none";
    });
    const best = errors[1].indexOf(Math.min(...errors[1]));
    const off = e => e <= -17 ? "without error" : `off by ${power(e)}`;
    told.textContent = `At x = 2, step ${power(data.powers[at])}: ` + methods.slice(0, count).map((name, method) =>
      `${name} ${off(errors[method][at])}`).join(", ")
      + `. The best central step is ${power(data.powers[best])}.`;
  }
  update();
  return update;
});
