"use strict";
for (const part of document.querySelectorAll("[data-document]")) {
  const marks = [...part.querySelectorAll("[data-rows]")];
  const rows = [...part.querySelectorAll("[data-row]")];
  const of = mark => mark.dataset.rows.split(" ");
  const show = (row, on) => {
    for (const mark of marks) if (of(mark).includes(row)) mark.classList.toggle("on", on);
  };
  for (const item of rows) {
    const row = item.dataset.row;
    item.addEventListener("mouseenter", () => show(row, true));
    item.addEventListener("mouseleave", () => show(row, false));
    item.addEventListener("focus", () => { show(row, true); marks.find(mark => of(mark).includes(row))?.scrollIntoView({block: "nearest"}); });
    item.addEventListener("blur", () => show(row, false));
  }
  for (const mark of marks) {
    mark.addEventListener("mouseenter", () => of(mark).forEach(row => rows[row].classList.add("on")));
    mark.addEventListener("mouseleave", () => of(mark).forEach(row => rows[row].classList.remove("on")));
    mark.addEventListener("click", event => { event.preventDefault(); rows[of(mark)[0]].focus(); });
  }
  const source = part.querySelector(".frames");
  if (!source) continue;
  const frames = JSON.parse(source.textContent);
  const slider = part.querySelector(".film input"), canvas = part.querySelector(".canvas"), where = part.querySelector(".where");
  const draw = () => {
    const frame = frames[slider.value - 1];
    where.textContent = `block ${frame.block + 1}, step ${frame.step + 1}`;
    canvas.replaceChildren(...frame.pieces.map((piece, at) => {
      const token = document.createElement("span");
      token.textContent = piece;
      if (frame.kept[at] === "1") token.className = "kept";
      return token;
    }));
  };
  slider.addEventListener("input", draw);
  draw();
}
const reveal = () => {
  const part = document.getElementById(location.hash.slice(1))?.closest("details");
  if (part) { part.open = true; part.scrollIntoView(); }
};
addEventListener("hashchange", reveal);
reveal();
