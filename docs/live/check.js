// Check your own layer: a menu puts examples into the editor, and undo takes them out.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const menu of document.querySelectorAll("select[data-examples]")) {
    const block = live.blocks.find(one => one.number === +menu.dataset.examples);
    menu.addEventListener("change", () => {
      block.edit(true);
      block.editor.type(document.getElementById(menu.value).content.textContent.trim());
    });
  }
});
