// The search. A list of sections and definitions is ranked by what their names, titles and
// texts have of the words one looks for; ../search.py makes the list.
"use strict";

// What people type, and what it is called here.
const synonyms = {
  backpropagation: "backwards circuit", backprop: "backwards circuit",
  "back propagation": "backwards circuit",
  im2col: "windows textbook way", "vanishing gradient": "weights start layers shrink",
  "vanishing gradients": "weights start layers shrink", "learning rate": "lr adam small large",
  overfitting: "learned by heart", "kernel size": "taps filters convolution", "kernel": "filter",
  "cross-entropy": "loss surprise", regularization: "weight decay", regularization: "weight decay",
  "gradient checking": "is it right", "activation function": "relu", normalization: "normalization",
  "autograd": "automatic differentiation", "fully connected": "dense", "skip connection": "residual",
  "test set": "held out examined", "speed": "fast", "padding": "padding happens ends",
  "receptive field": "far see", "save": "save storage", "loading": "load storage",
};
const stopwords = new Set("a an and are as at be by do does for from how i in is it its my of on or "
  + "the this to what when where which why with you your".split(" "));

const plain = text => text.toLowerCase().replace(/[-–‑]/g, " ");
const words = text => plain(text).match(/[\p{L}\p{N}_.]+/gu)?.filter(w => !stopwords.has(w)) ?? [];
// A word and its plural and other endings count as one.
const stem = word => word.length > 3 && !/[_\d.]/.test(word)
  ? word.replace(/(ations?|ings?|ed|(?<=s)es|e?(?<!s)s|e)$/, "") : word.replace(/\.$/, "");

const known = entries.flatMap(([page, within, rows]) => rows.map(([anchor, title, name, text]) => ({
  page, anchor, title, within, name, text,
  inTitle: new Set(words(title).map(stem)),
  inPage: new Set(words(within).map(stem)),
  counts: words(text).map(stem).reduce((all, w) => all.set(w, (all.get(w) ?? 0) + 1), new Map()),
})));
known.forEach((entry, order) => { entry.order = order; });

function rank(query) {
  const asked = plain(query).trim();
  const wanted = words(query).map(stem).map(word => ({word, weight: 1}));
  for (const [said, meant] of Object.entries(synonyms)) {
    if (!` ${asked} `.includes(` ${plain(said)} `)) continue;
    for (const one of wanted) one.optional ||= words(said).map(stem).includes(one.word);
    wanted.push(...words(meant).map(stem).map(word => ({word, weight: 3})));
  }
  if (!wanted.length) return [];
  for (const one of wanted) {
    const holders = known.filter(e => e.counts.has(one.word) || e.inTitle.has(one.word)).length;
    one.weight *= Math.log(1 + known.length / (1 + holders));
  }
  const looksLikeCode = /[_\d]|[a-z][A-Z]/.test(query);
  const found = known.map(entry => {
    let score = 0, held = 0;
    for (const {word, weight, optional} of wanted) {
      const count = entry.counts.get(word) ?? 0;
      const part = (entry.inTitle.has(word) ? 3 : 0) + (entry.inPage.has(word) ? 1.5 : 0)
        + (count ? 1 + Math.log(count) / 2 : 0);
      score += weight * part;
      held += part > 0 && !optional;
    }
    score *= (held / wanted.filter(one => !one.optional).length) ** 2;
    if (score && plain(entry.text).includes(asked)) score *= 1.3;
    const last = entry.name.split(".").at(-1).toLowerCase();
    if (entry.name && entry.name.toLowerCase() === asked) score += looksLikeCode ? 200 : 2;
    else if (entry.name && last === asked) score += looksLikeCode ? 100 : 2;
    else if (looksLikeCode && entry.name && entry.name.toLowerCase().startsWith(asked)) score += 50;
    else if (entry.name && asked.length > 3 && last.startsWith(asked)) score += 8 * asked.length / last.length;
    else if (entry.name) score *= 0.5;
    if (looksLikeCode && entry.page.endsWith(`/${asked}`) && !entry.anchor) score += 20;
    if (/^docs\/(\d|reference\/questions)/.test(entry.page)) score *= 2.5;
    if (/^(CHANGELOG|CONTRIBUTING|README|docs\/reference\/files)/.test(entry.page)) score *= 0.5;
    return {entry, score};
  }).filter(one => one.score > 0);
  return found.sort((a, b) => b.score - a.score || a.entry.order - b.entry.order);
}

// The stretch of the text around the first word that was looked for.
function snippet(text, query) {
  const stems = words(query).map(stem).filter(word => word.length > 2);
  const at = Math.max(0, Math.min(...stems.map(word => {
    const found = plain(text).indexOf(word);
    return found < 0 ? Infinity : found;
  }), text.length) - 80);
  const start = at >= text.length - 81 ? 0 : text.lastIndexOf(" ", at) + 1;
  return (start ? "… " : "") + text.slice(start, start + 220) + (text.length > start + 220 ? " …" : "");
}

document.addEventListener("DOMContentLoaded", () => {
  const query = new URLSearchParams(location.search).get("q") ?? "";
  document.querySelectorAll("input[name=q]").forEach(input => { input.value = query; });
  const list = document.getElementById("results"), said = document.getElementById("found");
  if (!query.trim()) return;
  const found = rank(query).slice(0, 30);
  said.textContent = found.length ? `The best of what was found for “${query}”:`
    : `Nothing was found for “${query}”. Try fewer or other words.`;
  for (const {entry} of found) {
    const item = list.appendChild(document.createElement("li"));
    const link = item.appendChild(document.createElement("a"));
    link.href = `${entry.page}.html${entry.anchor ? "#" : ""}${entry.anchor}`;
    const title = link.appendChild(document.createElement(entry.name ? "code" : "span"));
    title.textContent = entry.title;
    if (entry.within !== entry.title) item.append(` in ${entry.within}`);
    item.appendChild(document.createElement("p")).textContent = snippet(entry.text, query);
  }
});
