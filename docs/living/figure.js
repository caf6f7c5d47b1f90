// What the figures that answer have in common.
//
// A chapter shows a picture, `![…](../images/NAME.svg)`. Where there is a docs/living/NAME.js, it
// takes the place of that picture: it draws the same thing as inline SVG and lets the reader
// move it. Its numbers come from docs/living/NAME.py, which asks the package for them while the
// site is built, and lie beside it in a script of their own, because a page that was opened
// from a folder may not fetch. Without scripts the picture stands.
"use strict";

const living = {
  data: {},
  choices: 0, // how many groups of radio buttons were made

  // Call setup for each place on the page where the figure stands. There are two layouts, wide and
  // narrow, each [width, height]: when the window passes from one to the other the figure is drawn
  // anew, with the values that the controls had. These values are in the address of the page, so
  // that a link leads to what the reader sees. `setup` returns the function that shows them.
  show(name, layouts, setup) {
    const narrow = matchMedia("(max-width: 40em)");
    for (const figure of document.querySelectorAll(`figure[data-living="${name}"]`)) {
      const {alt} = figure.querySelector("img");
      let kept = living.state().get(name)?.split("_").map(Number);
      let inputs = [], timer = null, isReady = false;
      const save = () => {
        if (!isReady) return;
        kept = inputs.map(input => input.value);
        clearTimeout(timer);
        timer = setTimeout(() => living.keep(name, figure.initial === String(kept) ? null : kept.join("_")), 300);
      };
      const build = () => {
        isReady = false;
        for (const element of [...figure.children]) if (element.tagName !== "FIGCAPTION") element.remove();
        const [width, height] = layouts[narrow.matches ? 1 : 0];
        const svg = living.draw(null, "svg", {
          class: "living", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": alt,
        });
        const controls = Object.assign(document.createElement("div"), {className: "controls", inputs: [], save});
        figure.prepend(controls, svg);
        inputs = controls.inputs;
        const update = setup({figure, svg, controls, width, height, narrow: narrow.matches,
          draw: (...rest) => living.draw(svg, ...rest)}, living.data[name]);
        figure.initial ??= String(inputs.map(input => input.value));
        if (kept) {
          inputs.forEach((input, at) => { if (Number.isFinite(kept[at])) input.value = kept[at]; });
          update();
        }
        isReady = true;
      };
      build();
      if (kept) figure.scrollIntoView();
      narrow.addEventListener("change", build);
    }
  },

  // The values are in the fragment, #v_curve=0_1_12, which works on a disk as well.
  state: () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : ""),

  keep(name, text) {
    const state = living.state();
    if (text === null && !state.has(name)) return;
    if (text === null) state.delete(name);
    else state.set(name, text);
    history.replaceState(null, "", `#${state}`);
  },

  draw(parent, tag, attributes = {}, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    living.set(element, attributes);
    element.textContent = text;
    parent?.append(element);
    return element;
  },

  set(element, attributes) {
    for (const [name, value] of Object.entries(attributes))
      element.setAttribute(name, typeof value === "number" ? +value.toFixed(1) : value);
  },

  // Call move({x, y}), in units of the drawing, while a pointer is pressed on it, also when it
  // leaves the drawing.
  drag(svg, move) {
    const at = event => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    svg.addEventListener("pointerdown", event => {
      svg.setPointerCapture(event.pointerId);
      move(at(event));
    });
    svg.addEventListener("pointermove", event => {
      if (svg.hasPointerCapture(event.pointerId)) move(at(event));
    });
  },

  // A range input under its name, with what it says beside it; update is called at every move.
  slider(controls, label, {min = 0, max, step = 1, value = min, say = String}, update) {
    const box = controls.appendChild(document.createElement("label"));
    const name = box.appendChild(document.createElement("span"));
    const input = box.appendChild(document.createElement("input"));
    name.textContent = label;
    Object.assign(input, {type: "range", min, max, step, value});
    const said = box.appendChild(document.createElement("b"));
    const show = () => {
      said.textContent = say(+input.value);
      input.setAttribute("aria-valuetext", said.textContent);
      controls.save?.();
    };
    input.addEventListener("input", () => { show(); update(); });
    const slider = {
      box,
      get value() { return +input.value; },
      set value(to) { input.value = to; show(); },
      limit(most) { input.max = most; show(); },
    };
    controls.inputs?.push(slider);
    show();
    return slider;
  },

  // One of several, as radio buttons.
  choice(controls, label, options, update) {
    const box = controls.appendChild(document.createElement("fieldset"));
    box.appendChild(document.createElement("legend")).textContent = label;
    const name = `choice-${living.choices += 1}`;
    options.forEach((option, at) => {
      const one = box.appendChild(document.createElement("label"));
      const input = one.appendChild(document.createElement("input"));
      Object.assign(input, {type: "radio", name, value: at, checked: at === 0});
      one.append(option);
      input.addEventListener("input", () => { controls.save?.(); update(); });
    });
    const choice = {
      get value() { return +box.querySelector("input:checked").value; },
      set value(to) { (box.querySelector(`input[value="${to}"]`) ?? {}).checked = true; },
    };
    controls.inputs?.push(choice);
    return choice;
  },

  button(controls, label, press) {
    const button = controls.appendChild(document.createElement("button"));
    Object.assign(button, {type: "button", textContent: label});
    button.addEventListener("click", press);
    return button;
  },

  // A sentence that changes, which screen readers read when it does.
  sentence(figure) {
    const line = document.createElement("p");
    line.className = "answer";
    line.setAttribute("aria-live", "polite");
    figure.querySelector("svg").after(line);
    return line;
  },

  // Whole numbers from -128 to 127, as Python's base64 wrote them.
  int8: text => new Int8Array(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer),

  // The line through values, from left to right; with a ground it is filled down to there.
  line(values, left, width, y, ground = null) {
    const step = width / (values.length - 1);
    const points = Array.from(values, (v, at) => `${(left + at * step).toFixed(1)} ${y(v).toFixed(1)}`);
    const filled = ground === null ? "" : `V${ground.toFixed(1)}H${left.toFixed(1)}Z`;
    return `M${points.join("L")}${filled}`;
  },
};
