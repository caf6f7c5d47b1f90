// Predict, then reveal: what does a bug cost, and where would you look for it?
"use strict";

living.show("predict_then_reveal", 640, 130, ({figure, svg, controls, draw}, data) => {
  const places = ["dx", "dw", "db", "none of them"];
  const bug = living.slider(controls, "bug", {max: data.length - 1, say: at => at + 1}, next);
  const guess = living.slider(controls, "which accuracy will it reach?",
    {max: 100, value: 50, say: v => (v / 100).toFixed(2)}, move);
  const where = living.choice(controls, "which gradient is wrong?", places, hide);
  const told = living.sentence(figure);
  const report = document.createElement("pre");
  report.tabIndex = 0;
  report.setAttribute("role", "region");
  report.setAttribute("aria-label", "the report of the checks");
  told.after(report);
  living.button(controls, "reveal", reveal);

  const x = accuracy => 20 + accuracy * 600;
  const mistake = draw("text", {class: "strong", x: 20, y: 22});
  draw("path", {class: "rule", d: `M20 84H620M20 76V92M620 76V92M${x(1 / 3)} 76V92`});
  for (const [accuracy, text] of [[0, "0"], [1 / 3, "guessing"], [1, "1"]])
    draw("text", {class: "faint small middle", x: x(accuracy), y: 112}, text);
  const mine = draw("text", {class: "middle", y: 70});
  const truth = draw("path", {class: "other"});
  const number = draw("text", {class: "middle strong wrong", y: 56});

  function next() { hide(); move(); }
  function hide() {
    mistake.textContent = `${data[bug.value].part}: ${data[bug.value].mistake}`;
    living.set(mistake, {"font-size": mistake.textContent.length > 70 ? "14" : "16"});
    living.set(truth, {d: "M0 0"});
    number.textContent = told.textContent = report.textContent = "";
    report.hidden = true;
  }
  function move() {
    hide();
    living.set(mine, {x: x(guess.value / 100)});
    mine.textContent = "▼";
  }
  function reveal() {
    const {accuracy, wrong, report: text} = data[bug.value], at = x(accuracy);
    living.set(truth, {d: `M${at - 8} 98L${at + 8} 98L${at} 84Z`});
    living.set(number, {x: Math.min(at, 590)});
    number.textContent = accuracy.toFixed(3);
    const choice = places[where.value], right = wrong.length ? wrong.includes(choice) : choice === places[3];
    told.textContent = `It reaches ${accuracy.toFixed(3)}; you said ${(guess.value / 100).toFixed(2)}. `
      + `Wrong: ${wrong.join(" and ") || "no gradient of a layer"}; you would look at ${choice} `
      + (right ? "✓" : "✗");
    report.textContent = text;
    report.hidden = false;
  }
  next();
});
