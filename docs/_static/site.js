// The page one is on is in view in the sidebar.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const here = document.querySelector(".sidebar-scroll [aria-current]");
  const scroll = document.querySelector(".sidebar-scroll");
  if (here) scroll.scrollTop += here.getBoundingClientRect().top - scroll.clientHeight / 2;
});
