// Predict, then reveal: how much accuracy does a bug cost, and which gradient is incorrect?
"use strict";

living.show("predict_then_reveal", [[640, 150], [360, 180]], ({figure, controls, draw, width, narrow}, data) => {
  const places = ["dx", "dw", "db", "none of them"];
  const bug = living.slider(controls, "bug", {max: data.length - 1, say: at => `${at + 1} of ${data.length}`}, hide);
  const guess = living.slider(controls, "your prediction of the accuracy",
    {max: 100, value: 50, say: v => (v / 100).toFixed(2)}, move);
  const where = living.choice(controls, "incorrect gradient", places, hide);
  const told = living.sentence(figure);
  const report = document.createElement("pre");
  report.tabIndex = 0;
  report.setAttribute("role", "region");
  report.setAttribute("aria-label", "the report of the checks");
  told.after(report);
  const solved = figure.solved ??= new Map(); // by bug: accuracy within 0.1, place correct
  living.button(controls, "reveal", reveal);
  living.button(controls, "next bug", () => {
    bug.value = (bug.value + 1) % data.length;
    hide();
  });

  const top = narrow ? 112 : 92, x = accuracy => 20 + accuracy * (width - 40);
  const lines = Array.from({length: narrow ? 3 : 2}, (_, at) => draw("text", {class: "strong small", x: 4, y: 18 + at * 19}));
  draw("path", {class: "rule", d: `M20 ${top}H${width - 20}M20 ${top - 8}v16M${width - 20} ${top - 8}v16M${x(1 / 3)} ${top - 8}v16`});
  for (const [accuracy, text] of [[0, "0"], [1 / 3, "guessing"], [1, "1"]])
    draw("text", {class: "faint small middle", x: x(accuracy), y: top + 26}, text);
  draw("text", {class: "faint small middle", x: x(2 / 3), y: top + 26}, "accuracy");
  const mine = draw("text", {class: "middle", y: top - 12});
  const truth = draw("path", {class: "other"});
  const number = draw("text", {class: "middle strong wrong", y: top + 46});

  // Words on as many lines as there are, each at most as wide as the drawing.
  function write(text) {
    const words = text.split(" ");
    for (const line of lines) {
      line.textContent = words.shift() ?? "";
      while (words.length) {
        const before = line.textContent;
        line.textContent += ` ${words[0]}`;
        if (line.getComputedTextLength() > width - 8) { line.textContent = before; break; }
        words.shift();
      }
    }
  }

  function move() {
    hide();
    living.set(mine, {x: x(guess.value / 100)});
    mine.textContent = "▼";
  }
  function hide() {
    write(`${data[bug.value].part}: ${data[bug.value].mistake}`);
    living.set(truth, {d: "M0 0"});
    number.textContent = report.textContent = "";
    told.textContent = score();
    report.hidden = true;
  }
  function score() {
    const results = [...solved.values()], count = at => results.filter(result => result[at]).length;
    return results.length ? `Score: ${count(0)} accuracies and ${count(1)} places of ${results.length}.` : "";
  }
  function reveal() {
    const {accuracy, wrong, report: text} = data[bug.value], at = x(accuracy);
    living.set(truth, {d: `M${at - 8} ${top + 14}L${at + 8} ${top + 14}L${at} ${top}Z`});
    living.set(number, {x: Math.min(Math.max(at, 24), width - 28)});
    number.textContent = accuracy.toFixed(3);
    const choice = places[where.value], right = wrong.length ? wrong.includes(choice) : choice === places[3];
    if (!solved.has(bug.value)) solved.set(bug.value, [Math.abs(accuracy - guess.value / 100) <= 0.1, right]);
    told.textContent = `It reaches ${accuracy.toFixed(3)}; your prediction was ${(guess.value / 100).toFixed(2)}. `
      + `Incorrect: ${wrong.join(" and ") || "no gradient of a layer"}; you chose ${choice} ${right ? "✓" : "✗"}. ${score()}`;
    report.textContent = text;
    report.hidden = false;
  }
  move();
  return move;
});
