// The editor: a textarea over a colored copy of its text. So undo, input methods, screen readers
// and a telephone's keyboard are the browser's own. Tab leaves it.
"use strict";

{
  const words = text => new Set(text.split(" "));
  const KEYWORDS = words("as assert async await break class continue def del elif else except finally for from "
    + "global if import lambda nonlocal pass raise return try while with yield match case");
  const OPERATORS = words("and or not in is");
  const CONSTANTS = words("None True False");
  const BUILTINS = words("abs all any bool dict enumerate float int isinstance len list max min object print "
    + "range reversed round set sorted str sum super tuple type zip ValueError TypeError");
  const TOKEN = new RegExp([
    /(?<c1>#[^\n]*)/,
    /(?<s2>[rRbBuUfF]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
    /(?<mf>\b\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?j?\b|\.\d[\d_]*)/,
    /(?<nd>@\w[\w.]*)/,
    /(?<word>[A-Za-z_]\w*)/,
    /(?<o>[-+*/%=<>!&|^~@:.]+)/,
    /[\s\S]/,
  ].map(part => part.source).join("|"), "g");
  const escaped = text => text.replace(/[&<>]/g, letter => `&#${letter.charCodeAt(0)};`);

  const classOf = (word, before) =>
    before === "def" ? "nf" : before === "class" ? "nc" : KEYWORDS.has(word) ? "k"
      : OPERATORS.has(word) ? "ow" : CONSTANTS.has(word) ? "kc" : BUILTINS.has(word) ? "nb" : "n";

  // The classes are those that Pygments writes, so that the theme's colors apply.
  live.colored = code => {
    let markup = "", before = "";
    for (const {0: text, groups} of code.matchAll(TOKEN)) {
      const found = Object.keys(groups).find(name => groups[name] !== undefined);
      const name = found === "word" ? classOf(text, before) : found;
      markup += name ? `<span class="${name}">${escaped(text)}</span>` : escaped(text);
      if (text.trim()) before = text;
    }
    return markup;
  };

  // Returns {box, area, value, type}; what is typed can be undone.
  // `change` is called with the text, `run` by Ctrl+Enter, `leave` by Esc.
  live.editor = (code, label, {change, run, leave}) => {
    const copy = live.element("pre", {ariaHidden: "true"});
    const area = live.element("textarea", {value: code, spellcheck: false, wrap: "off", autocapitalize: "off",
      autocomplete: "off", ariaLabel: label});
    area.setAttribute("autocorrect", "off");
    const box = live.element("div", {className: "live-editor highlight"}, copy, area);
    const paint = () => {
      copy.innerHTML = `${live.colored(area.value)}\n`;
      area.rows = area.value.split("\n").length;
    };
    const put = text => { // this way the browser's undo knows of it
      if (document.execCommand("insertText", false, text)) return;
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input"));
    };
    const indent = more => {
      const from = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
      area.setSelectionRange(from, area.selectionEnd);
      const lines = area.value.slice(from, area.selectionEnd).split("\n");
      const text = lines.map(line => more ? `    ${line}` : line.replace(/^ {1,4}/, "")).join("\n");
      put(text);
      area.setSelectionRange(from, from + text.length);
    };
    const keys = {
      Enter: (line, command, shift) => command || shift ? run()
        : put(`\n${line.match(/^ */)[0]}${/:\s*$/.test(line) ? "    " : ""}`),
      Escape: () => leave(),
      Backspace(line) {
        if (area.selectionStart !== area.selectionEnd || !/^( {4})+$/.test(line)) return false;
        area.setSelectionRange(area.selectionStart - 4, area.selectionStart);
        return put("");
      },
      "]": (line, command) => command && indent(true),
      "[": (line, command) => command && indent(false),
    };
    area.addEventListener("keydown", event => {
      const key = keys[event.key];
      if (!key || event.isComposing) return;
      const before = area.value.slice(0, area.selectionStart);
      const line = before.slice(before.lastIndexOf("\n") + 1);
      if (key(line, event.ctrlKey || event.metaKey, event.shiftKey) !== false) event.preventDefault();
    });
    area.addEventListener("input", () => { paint(); change(area.value); });
    area.addEventListener("scroll", () => { copy.scrollLeft = area.scrollLeft; });
    paint();
    const type = text => { area.select(); put(text); area.setSelectionRange(0, 0); };
    return {box, area, type, set value(text) { area.value = text; paint(); }, get value() { return area.value; }};
  };

  // An edit that was kept is used again; if the page's code has changed since, it is offered.
  live.older = (key, given, status, use) => {
    const saved = live.store.get(key);
    if (saved?.given === given) use(saved.code);
    else if (saved) {
      const button = live.button("your older version", "older", () => {
        status.textContent = "";
        use(saved.code);
      });
      status.append("The page's code has changed since your edit: ", button);
    }
  };
}
