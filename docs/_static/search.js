// The search: typed words are compared with a list of sections and definitions, which
// docs/builder/search.py makes. The list is loaded when the reader begins to search.
"use strict";

const search = {
  pages: [], // [page, its title, [[anchor, title, name, text], …]], set by search-entries.js

  // What readers type, and the words of this site for it.
  synonyms: {
    "back propagation": "backpropagation", backprop: "backpropagation",
    im2col: "windows copy matrix", as_strided: "windows view copy", einsum: "matrix product windows",
    "vanishing gradient": "initial weights shrink", "exploding gradient": "nan learning rate loss",
    "where do the weights start": "initial weights", "he initialization": "initial weights uniform",
    xavier: "initial weights glorot", "kernel size": "taps filter", "filter size": "taps filter",
    "cross entropy": "cross-entropy loss", regularization: "weight decay dropout",
    "gradient checking": "gradient check", "gradient check": "check_gradients", "grad check": "check_gradients",
    "finite difference": "central differences", "numerical gradient": "central differences derivative",
    "activation function": "relu", "fully connected": "dense layer", "skip connection": "residual skip",
    autograd: "automatic differentiation", autodiff: "automatic differentiation",
    "train test split": "train_test_split split training test", "test set": "training test split",
    install: "two commands checkout examples prints", setup: "two commands checkout examples prints", "load my csv": "own traces file csv",
    csv: "trace files tables text", "own data": "own traces file", "my data": "own traces file",
    "dilated convolution": "dilation dilated", atrous: "dilation dilated", minibatch: "batch size",
    "mini batch": "batch size", gpu: "speed faster pytorch jax", cuda: "speed faster pytorch jax",
    recurrent: "moving on architectures", rnn: "moving on architectures", lstm: "moving on architectures",
    transformer: "moving on architectures", "loss is nan": "nan loss", "early stopping": "patience validation",
    "hyperparameter": "choosing validation", "cheat sheet": "notation", symbols: "notation",
    exercises: "puzzles", quiz: "puzzles", "custom layer": "check your own layer", "own layer": "check your own layer",
    "model zoo": "architectures", "save model": "save load storage", "load model": "save load storage",
    pytorch: "pytorch exchange parameters", phase: "picking onset arrival", onset: "picking onset arrival",
    seismogram: "records picking", earthquake: "records arrival", "data leak": "leak position",
    "2d": "two dimensions images", images: "two dimensions", augmentation: "shift traces position", momentum: "momentum sgd",
  },
  stopwords: new Set(("a an and are as at be by can do does for from how i in is it its me my of on or "
    + "that the this to use was we what when where which why will with you your").split(" ")),

  // Words
  // -----
  // A name counts as a whole and by its parts: train_test_split, and train, test, split. A word
  // and its plural and other endings count as one.

  words(text) {
    const found = [];
    for (const [whole] of text.matchAll(/[\p{L}\p{N}]+(?:[_.\-‑–'][\p{L}\p{N}]+)*/gu)) {
      const parts = whole.replace(/(?<=\p{Ll})(?=\p{Lu})/gu, "_").split(/[_.\-‑–']/);
      found.push(...parts.map(part => part.toLowerCase()));
      if (parts.length > 1) found.push(whole.replace(/[.\-‑–']/g, "").toLowerCase());
    }
    return found;
  },

  stem: word => word.length > 3 && !/[_\d]/.test(word)
    ? word.replace(/((?<=.{4})ations?|ings?|ed|(?<=s)es|ies|y|e?(?<!s)s|e)$/, "") : word,

  stems: text => search.words(text).filter(word => !search.stopwords.has(word)).map(search.stem),

  // The list
  // --------

  async load() {
    await (search.loading ??= Promise.all(["minisearch", "search-entries"].map(name => new Promise(done => {
      const script = document.createElement("script");
      script.src = `${search.root}_static/${name}.js`;
      script.onload = script.onerror = done; // without MiniSearch, words are found as they are written
      document.head.append(script);
    }))).then(search.prepare));
  },

  prepare() {
    const {stems} = search;
    search.entries = search.pages.flatMap(([page, within, rows]) => rows.map(([anchor, title, name, text]) => ({
      page, anchor, title, within, name, text, inTitle: new Set(stems(title)), inPage: new Set(stems(within)),
      counts: stems(text).reduce((all, word) => all.set(word, (all.get(word) ?? 0) + 1), new Map()),
    })));
    search.holders = new Map(); // how many entries hold a word
    search.entries.forEach((entry, order) => {
      entry.order = order;
      for (const word of new Set([...entry.counts.keys(), ...entry.inTitle]))
        search.holders.set(word, (search.holders.get(word) ?? 0) + 1);
    });
    if (typeof MiniSearch === "undefined") return;
    search.dictionary = new MiniSearch({fields: ["word"], tokenize: text => [text], processTerm: term => term});
    search.dictionary.addAll([...search.holders.keys()].map(word => ({id: word, word})));
  },

  // The words of the site that a typed word may mean: itself, or what is spelled nearly like it.
  // The last word may be the beginning of one.
  meant(word, isLast) {
    const known = search.holders.has(word) ? [{word, weight: 1}] : [];
    if (!search.dictionary || (known.length && !isLast)) return known.length ? known : [{word, weight: 1}];
    const near = search.dictionary.search(word, {prefix: isLast || !known.length, fuzzy: known.length ? false : 0.26})
      .filter(one => one.id !== word).slice(0, 4);
    const best = near[0]?.score ?? 1;
    return [...known, ...near.map(({id, score}) => ({word: id, weight: (known.length ? 0.3 : 0.8) * score / best}))];
  },

  // Ranking
  // -------
  // Rare words count more than common ones, words of a title more than words of the text, and
  // entries with all words more than entries with some.

  rank(query) {
    const asked = search.words(query).join(" "), {stems, entries} = search;
    const typed = stems(query);
    let wanted = typed.map((word, at) => ({
      choices: search.meant(word, at === typed.length - 1 && !/\s$/.test(query)), weight: 1}));
    for (const [said, meant] of Object.entries(search.synonyms)) {
      if (!` ${asked} `.includes(` ${search.words(said).join(" ")} `) && asked !== said) continue;
      const covered = new Set(stems(said));
      typed.forEach((word, at) => { wanted[at].optional ||= covered.has(word); });
      wanted.push(...[...new Set(stems(meant))].map(word => ({choices: [{word, weight: 1}], weight: 2, optional: true})));
    }
    for (const one of wanted) for (const choice of one.choices)
      choice.weight *= one.weight * Math.log(1 + entries.length / (1 + (search.holders.get(choice.word) ?? 0)));
    const needed = wanted.filter(one => !one.optional).length;
    const looksLikeCode = /[_\d]|[a-z][A-Z]/.test(query.trim()), name = query.trim().toLowerCase();
    const found = entries.map(entry => {
      let score = 0, held = 0;
      for (const {choices, optional} of wanted) {
        const part = Math.max(0, ...choices.map(({word, weight}) => {
          const count = entry.counts.get(word) ?? 0;
          return weight * ((entry.inTitle.has(word) ? 3 : 0) + (entry.inPage.has(word) ? 1.5 : 0)
            + (count ? 1 + Math.log(count) / 2 : 0));
        }));
        score += part;
        held += part > 0 && !optional;
      }
      if (needed) score *= (held / needed) ** 2;
      if (score && entry.text.toLowerCase().includes(name)) score *= 1.3;
      const last = entry.name.split(".").at(-1).toLowerCase();
      if (entry.name && entry.name.toLowerCase() === name) score += looksLikeCode ? 200 : 2;
      else if (entry.name && last === name) score += looksLikeCode ? 100 : 2;
      else if (looksLikeCode && entry.name.toLowerCase().startsWith(name)) score += 50;
      else if (entry.name && name.length > 3 && last.startsWith(name)) score += 8 * name.length / last.length;
      else if (entry.name) score *= 0.5;
      if (looksLikeCode && entry.page.endsWith(`/${name}`) && !entry.anchor) score += 20;
      return {entry, score: score * search.weightOf(entry.page)};
    }).filter(one => one.score > 0);
    return found.sort((a, b) => b.score - a.score || a.entry.order - b.entry.order)
      .map(({entry}) => ({...entry, wanted: new Set(wanted.flatMap(one => one.choices.map(choice => choice.word)))}));
  },

  // The tutorial and the answers to questions first, the overviews last.
  weightOf: page => /^docs\/(\d|how-to|reference\/questions)/.test(page) ? 2.5
    : /^docs\/reference\/glossary/.test(page) ? 1.5 : /^docs\/reference\/files/.test(page) ? 0.5 : 1,

  address: ({page, anchor}) => `${search.root}${page}.html${anchor && "#"}${anchor}`,

  // About 200 letters of the text around the first word that was looked for, in whole words.
  snippet({text, wanted}) {
    const first = [...text.matchAll(/[\p{L}\p{N}_.\-‑–']+/gu)].find(([word]) => search.stems(word).some(one => wanted.has(one)));
    const start = !first || first.index < 90 ? 0 : text.lastIndexOf(" ", first.index - 60) + 1;
    const end = text.length <= start + 220 ? text.length : text.lastIndexOf(" ", start + 220);
    return (start ? "… " : "") + text.slice(start, end) + (end < text.length ? " …" : "");
  },

  // The results
  // -----------

  marked(tag, text, wanted) {
    const element = document.createElement(tag);
    for (const piece of text.split(/([\p{L}\p{N}_.\-‑–']+)/u)) {
      const isWanted = search.stems(piece).some(word => wanted.has(word));
      element.append(isWanted ? Object.assign(document.createElement("mark"), {textContent: piece}) : piece);
    }
    return element;
  },

  show(query, list, said, most) {
    const found = query.trim() ? search.rank(query).slice(0, most) : [];
    said.textContent = !query.trim() ? "" : found.length ? `${found.length === most ? "The best " : ""}${found.length} results`
      : "Nothing was found. Try fewer or other words.";
    list.replaceChildren(...found.map(entry => {
      const item = document.createElement("li");
      const link = item.appendChild(document.createElement("a"));
      link.href = search.address(entry);
      link.append(search.marked(entry.name ? "code" : "strong", entry.title, entry.wanted));
      if (entry.within !== entry.title) link.append(search.marked("span", ` ${entry.within}`, new Set()));
      link.append(search.marked("p", search.snippet(entry), entry.wanted));
      return item;
    }));
  },

  // Show results while the reader types; the arrow keys go through them, Enter opens the first.
  async attach(input, list, said, most) {
    const update = () => { if (search.entries) search.show(input.value, list, said, most); };
    const move = (event, by) => {
      const stops = [input, ...list.querySelectorAll("a")], to = stops[stops.indexOf(document.activeElement) + by];
      if (to) { event.preventDefault(); to.focus(); }
    };
    input.addEventListener("input", update);
    input.closest("form").addEventListener("submit", event => {
      event.preventDefault();
      list.querySelector("a")?.click();
    });
    for (const box of [input, list]) box.addEventListener("keydown", event => {
      if (event.key === "ArrowDown") move(event, 1);
      if (event.key === "ArrowUp") move(event, -1);
    });
    await search.load();
    update();
  },

  open(query = "") {
    if (!search.dialog) {
      search.dialog = document.body.appendChild(document.createElement("dialog"));
      search.dialog.className = "search";
      search.dialog.setAttribute("aria-label", "Search this site");
      search.dialog.innerHTML = '<form role="search" aria-label="Results while you type"><input type="search" class="large" '
        + 'aria-label="Words to search for" placeholder="Search" autocomplete="off"> <button type="button">Close</button>'
        + '</form><p role="status"></p><ol class="results"></ol>';
      search.dialog.querySelector("button").addEventListener("click", () => search.dialog.close());
      search.dialog.addEventListener("click", event => {
        if (event.target === search.dialog || event.target.closest("a")) search.dialog.close();
      });
      const [input, said, list] = ["input", "p", "ol"].map(tag => search.dialog.querySelector(tag));
      search.attach(input, list, said, 12);
    }
    if (!search.dialog.open) search.dialog.showModal();
    const input = search.dialog.querySelector("input");
    if (query) {
      input.value = query;
      input.dispatchEvent(new Event("input"));
    } else input.select();
  },
};

document.addEventListener("DOMContentLoaded", () => {
  search.root = document.documentElement.dataset.content_root;
  addEventListener("keydown", event => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      search.open();
    }
  });
  for (const opener of document.querySelectorAll("[data-search]")) opener.addEventListener("click", () => search.open());
  const field = document.querySelector(".sidebar-search");
  field?.addEventListener("input", () => {
    search.open(field.value);
    field.value = "";
  });
  const input = document.getElementById("query");
  if (!input) return;
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  const begin = () => search.attach(input, document.querySelector("ol.results"), document.getElementById("found"), 30);
  if (input.value) begin();
  else input.addEventListener("focus", begin, {once: true});
});
