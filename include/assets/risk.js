// Sorts tables, draws charts, leaves Airflow's frame; a page says all it has to say without it.
"use strict";

// Sorting by a column: buttons in the heads, so that the keyboard can do it.
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

// On a phone the current page may lie outside of the line of links.
const current = document.querySelector("nav [aria-current]");
if (current) current.closest("ul").scrollLeft = current.offsetLeft - 24;

// The calendar: one stop for the tab key, arrow keys move between its cells; what a cell says stands above the table.
const heatMap = document.querySelector(".heat-map");
if (heatMap) {
  const rows = [...heatMap.tBodies[0].rows];
  const words = document.querySelector(".heat-words");
  const linkAt = (row, column) => rows[row]?.cells[column]?.querySelector(".heat a");
  const placeOf = (link) => [rows.indexOf(link.closest("tr")), link.closest("td").cellIndex];
  const days = [...heatMap.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const links = [...heatMap.querySelectorAll(".heat a")];
  let stop = links[0];
  links.forEach((link) => { link.tabIndex = link === stop ? 0 : -1; });
  const say = (link) => {
    const [row, column] = placeOf(link);
    words.textContent = `${rows[row].cells[0].textContent.trim()}, ${days[column]}: ${link.title}`;
  };
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const found = (link, [down, right]) => {
    let [row, column] = placeOf(link);
    for (row += down, column += right; rows[row]?.cells[column]; row += down, column += right) {
      const next = linkAt(row, column);
      if (next) return next;
    }
    return null;
  };
  const inRow = (link, backwards) => {
    const own = [...link.closest("tr").querySelectorAll(".heat a")];
    return backwards ? own[own.length - 1] : own[0];
  };
  heatMap.addEventListener("focusin", (event) => {
    if (!event.target.matches(".heat a")) return;
    stop.tabIndex = -1;
    stop = event.target;
    stop.tabIndex = 0;
    say(stop);
  });
  heatMap.addEventListener("mouseover", (event) => {
    const link = event.target.closest(".heat a");
    if (link) say(link);
  });
  heatMap.addEventListener("keydown", (event) => {
    if (!event.target.matches(".heat a") || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = event.key in steps ? found(event.target, steps[event.key])
      : event.key === "Home" || event.key === "End" ? inRow(event.target, event.key === "End") : null;
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

// Charts. The page carries data and layout; colors are variables of the style sheet.
const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colored = (part) => {
  if (typeof part === "string") return part.startsWith("var(--") ? variable(part.slice(4, -1)) : part;
  if (Array.isArray(part)) return part.map(colored);
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, colored(value)]));
};
const axis = (own) => ({
  gridcolor: "var(--line)", zerolinecolor: "var(--soft)", linecolor: "var(--line)", automargin: true, ...own,
});
const laidOut = (layout) => {
  const isPhone = window.innerWidth <= 700;
  const { xaxis, yaxis, ...others } = layout;
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: isPhone ? "closest" : "x unified",
    font: { color: "var(--ink)", family: "system-ui, Segoe UI, Roboto, Arial, sans-serif", size: isPhone ? 11 : 12 },
    hoverlabel: { bgcolor: "var(--sheet)", bordercolor: "var(--soft)", font: { color: "var(--ink)" } },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, margin: { l: 8, r: 8, t: 8, b: 8 },
    // A finger that moves over a chart moves the page; the buttons zoom.
    dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
    ...others, xaxis: axis({ nticks: isPhone ? 4 : 10, ...xaxis }), yaxis: axis(yaxis),
  };
};
const zoomed = (plot, factor) => {
  const [low, high] = plot._fullLayout.xaxis.range.map((end) => plot._fullLayout.xaxis.r2l(end));
  const half = ((high - low) / 2) * factor;
  const ends = [(low + high) / 2 - half, (low + high) / 2 + half];
  return Plotly.relayout(plot, { "xaxis.range": ends.map((end) => plot._fullLayout.xaxis.l2r(end)) });
};
const reset = (plot) => Plotly.relayout(plot, plot.home);
const addTools = (figure, plot, heading) => {
  const tools = document.createElement("div");
  tools.className = "tools";
  const actions = { "Zoom in": () => zoomed(plot, 0.5), "Zoom out": () => zoomed(plot, 2), "Show all": () => reset(plot) };
  for (const [name, action] of Object.entries(actions)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.setAttribute("aria-label", `${name}: ${heading}`);
    button.addEventListener("click", action);
    tools.append(button);
  }
  plot.after(tools);
};
const draw = async (figure) => {
  const plot = figure.querySelector(".plot");
  const { data, layout } = JSON.parse(figure.querySelector("script").textContent);
  const [traces, shape] = [colored(data), colored(laidOut(layout))];
  figure.classList.add("drawn");
  try {
    await Plotly.react(plot, traces, shape, { displayModeBar: false, responsive: true });
  } catch (error) {
    figure.classList.remove("drawn");
    throw error;
  }
  // The drawing repeats the sentence and the table, mark by mark.
  plot.firstElementChild.setAttribute("aria-hidden", "true");
  plot.home = Object.fromEntries(
    ["xaxis", "yaxis"].map((name) => (shape[name].range ? [`${name}.range`, shape[name].range] : [`${name}.autorange`, true])),
  );
  if (!figure.querySelector(".tools")) {
    addTools(figure, plot, plot.getAttribute("aria-label"));
    figure.querySelector("details").open = false;
  }
};
const figures = [...document.querySelectorAll("figure.chart")];
const drawAll = () => Promise.all(figures.map(draw));
if (figures.length && window.Plotly) {
  drawAll();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
}
// What is folded is on paper too.
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("main details")) folded.open = true;
});

// Airflow shows the page in a frame that no link of ours may leave; one of Airflow's own document may.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[target=_top]");
  if (!link || window.top === window || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const outer = window.top.document.createElement("a");
  outer.href = link.href;
  outer.click();
});
