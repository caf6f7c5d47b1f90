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
    for (const box of document.querySelectorAll("article pre:not([aria-hidden]), article .math, .table-wrapper, article figure:not(.living)"))
      if (box.scrollWidth > box.clientWidth && box.tabIndex < 0) {
        box.tabIndex = 0;
        box.addEventListener("keydown", event => event.stopPropagation()); // these keys scroll it
      }
    for (const figure of document.querySelectorAll("article figure:not(.living)"))
      figure.classList.toggle("wide", figure.scrollWidth > figure.clientWidth);
  };
  reach();
  addEventListener("resize", reach);
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
