// Sorts a table by a column: buttons in the heads, so that the keyboard can do it; without script the order is the mail's.
"use strict";
const number = (cell) => (cell.dataset.value === undefined ? NaN : Number(cell.dataset.value));
const compare = (a, b) => {
  const [x, y] = [number(a), number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  if (!Number.isNaN(x) || !Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return a.textContent.trim().localeCompare(b.textContent.trim());
};
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descends = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descends ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].sort(
        (a, b) => compare(a.cells[column], b.cells[column]) * (descends ? -1 : 1),
      );
      table.tBodies[0].append(...rows);
    });
  });
}
