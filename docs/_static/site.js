// What the pages do besides standing there.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  // The page one is on is in view in the sidebar.
  const here = document.querySelector(".sidebar-scroll [aria-current]");
  const scroll = document.querySelector(".sidebar-scroll");
  if (here) scroll.scrollTop += here.getBoundingClientRect().top - scroll.clientHeight / 2;

  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");

  // What is wider than the page can be scrolled with the arrow keys.
  const reach = () => {
    for (const box of document.querySelectorAll("article pre:not([aria-hidden]), article .math, .table-wrapper"))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  };
  reach();
  addEventListener("resize", reach);

  // Code can be copied, without its line numbers.
  for (const block of document.querySelectorAll(".highlight-python .highlight, .highlight-sh .highlight")) {
    const button = document.createElement("button");
    button.className = "copy";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      const code = block.querySelector("pre").cloneNode(true);
      code.querySelectorAll(".linenos").forEach(number => number.remove());
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    block.append(button);
  }
});

// On paper there is nothing to unfold.
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("article details:not([open])")) {
    fold.open = true;
    fold.dataset.unfolded = "";
  }
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-unfolded]")) fold.open = false;
});
