"use strict";
const data = JSON.parse(document.getElementById("data").textContent);

function element(parent, name, attributes, text) {
  const child = document.createElementNS("http" + "://www.w3.org/2000/svg", name);
  for (const key in attributes) child.setAttribute(key, attributes[key]);
  if (text !== undefined) child.textContent = text;
  parent.append(child);
  return child;
}

function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(step => step >= rough);
  const marks = [];
  for (let mark = Math.ceil(low / step) * step; mark <= high + step * 1e-9; mark += step) marks.push(mark);
  return [marks, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))];
}

function textWidth(svg, text) {
  const probe = element(svg, "text", {}, text), width = probe.getComputedTextLength();
  probe.remove();
  return width;
}

const color = row => row.own ? "var(--accent)" : "var(--warm)";
const bestFirst = (board, metric) => (a, b) =>
  (board.lower_is_better.includes(metric) ? 1 : -1) * (a.metrics[metric] - b.metrics[metric]);

function scatter(svg, board, metric) {
  svg.replaceChildren();
  const rows = board.rows.filter(row => row.kind === "run" && row.metrics[metric] != null);
  if (!rows.length) return;
  const values = rows.map(row => row.metrics[metric]), times = rows.map(row => Math.max(row.fit_seconds, 0.01));
  const spread = Math.max(...values) - Math.min(...values) || 0.1;
  const low = Math.min(...values) - spread * 0.08, high = Math.max(...values) + spread * 0.1;
  const first = Math.log10(Math.min(...times)) - 0.15, last = Math.log10(Math.max(...times)) + 0.3;

  // The axes, with as many ticks as the labels leave space for.
  const [marks, digits] = ticks(low, high, 6);
  const labels = marks.map(mark => mark.toFixed(Math.max(digits, Math.abs(high) < 10 ? 2 : 0)));
  const left = 16 + Math.max(...labels.map(label => textWidth(svg, label)));
  const x = time => left + (Math.log10(time) - first) / (last - first) * (550 - left);
  const y = value => 336 - (value - low) / (high - low) * 322;
  marks.forEach((mark, i) => {
    element(svg, "line", {x1: left, x2: 550, y1: y(mark), y2: y(mark)});
    element(svg, "text", {x: left - 8, y: y(mark) + 4, "text-anchor": "end", class: "soft"}, labels[i]);
  });
  for (const factor of last - first > 2.2 ? [1] : last - first > 0.8 ? [1, 3] : [1, 2, 5]) for (let power = -3; power < 6; power++) {
    const time = Number((factor * 10 ** power).toPrecision(1));
    if (Math.log10(time) < first || Math.log10(time) > last) continue;
    element(svg, "line", {x1: x(time), x2: x(time), y1: 14, y2: 336});
    element(svg, "text", {x: x(time), y: 355, "text-anchor": "middle", class: "soft"}, time < 1 ? time + " s" : time.toLocaleString("en") + " s");
  }
  element(svg, "text", {x: (left + 550) / 2, y: 376, "text-anchor": "middle", class: "soft"}, "training time");
  const title = board.headings[metric];
  element(svg, "text", {x: left + 6, y: 26, class: "soft"}, title);

  // Each label takes the first place beside its dot that is free.
  const taken = rows.map((row, i) => ({x: x(times[i]) - 7, y: y(values[i]) - 7, w: 14, h: 14}));
  taken.push({x: left + 6, y: 14, w: textWidth(svg, title), h: 15});
  rows.forEach((row, i) => {
    const cx = x(times[i]), cy = y(values[i]), width = textWidth(svg, row.label), height = 15;
    const places = [[10, 5], [-10 - width, 5], [-width / 2, -11], [-width / 2, 22], [9, -9], [9, 19], [-9 - width, -9], [-9 - width, 19],
                    [14, 33], [14, -24], [-14 - width, 33], [-14 - width, -24], [14, 47], [-14 - width, 47]];
    const boxes = places.map(([dx, dy]) => ({x: cx + dx, y: cy + dy - 12, w: width, h: height}));
    const free = boxes.findIndex(box => box.x > left && box.x + box.w < 556 && box.y > 4 && box.y + box.h < 340 &&
      !taken.some(other => box.x < other.x + other.w && other.x < box.x + box.w && box.y < other.y + other.h && other.y < box.y + box.h));
    const box = boxes[Math.max(free, 0)];
    taken.push(box);
    if (free > 7) element(svg, "line", {x1: cx, y1: cy, x2: box.x < cx ? box.x + box.w : box.x, y2: box.y + 8, style: "stroke: var(--soft)"});
    const dot = element(svg, "circle", {cx, cy, r: 6, fill: color(row)});
    element(dot, "title", {}, `${row.label}: ${title} ${values[i].toFixed(4)}, ${row.fit_seconds.toFixed(1)} s`);
    element(svg, "text", {x: box.x, y: box.y + 12}, row.label);
  });
}

function intervals(svg, board, metric) {
  svg.replaceChildren();
  const rows = board.rows.filter(row => row.kind !== "failed" && row.metrics[metric] != null);
  if (!rows.length) return;
  rows.sort(bestFirst(board, metric));
  const height = Math.max(380, rows.length * 26 + 50);
  svg.setAttribute("viewBox", `0 0 560 ${height}`);
  const ends = rows.flatMap(row => row.intervals[metric] || [row.metrics[metric]]);
  const left = 20 + Math.max(...rows.map(row => textWidth(svg, row.label))), spread = Math.max(...ends) - Math.min(...ends) || 0.1;
  const low = Math.min(...ends) - spread * 0.04, high = Math.max(...ends) + spread * 0.04, bottom = height - 40;
  const x = value => left + (value - low) / (high - low) * (545 - left);
  const [marks, digits] = ticks(low, high, left > 200 ? 4 : 6);
  for (const mark of marks) {
    element(svg, "line", {x1: x(mark), x2: x(mark), y1: 6, y2: bottom});
    element(svg, "text", {x: x(mark), y: bottom + 19, "text-anchor": "middle", class: "soft"}, mark.toFixed(Math.max(digits, Math.abs(high) < 10 ? 2 : 0)));
  }
  element(svg, "text", {x: (left + 545) / 2, y: bottom + 37, "text-anchor": "middle", class: "soft"}, board.headings[metric]);
  rows.forEach((row, i) => {
    const y = 12 + (i + 0.5) * (bottom - 16) / rows.length, ink = row.kind === "published" ? "var(--soft)" : color(row);
    element(svg, "text", {x: left - 10, y: y + 4.5, "text-anchor": "end", class: row.kind === "published" ? "soft" : ""}, row.label);
    const ends = row.intervals[metric];
    if (ends) element(svg, "line", {x1: x(ends[0]), x2: x(ends[1]), y1: y, y2: y, style: `stroke: ${ink}; stroke-width: 3; stroke-opacity: .45; stroke-linecap: round`});
    const dot = element(svg, "circle", {cx: x(row.metrics[metric]), cy: y, r: 5, fill: ends ? ink : "var(--paper)", stroke: ink, "stroke-width": 2});
    element(dot, "title", {}, `${row.label}: ${row.metrics[metric].toFixed(4)}` + (ends ? `, ${ends[0].toFixed(4)} to ${ends[1].toFixed(4)}` : row.kind === "published" ? ", published" : ""));
  });
}

function matrix(table, board, metric) {
  table.replaceChildren();
  const {labels, p} = board.p_values[metric];
  const rows = board.rows.filter(row => labels.includes(row.label) && row.kind === "run").sort(bestFirst(board, metric));
  const head = table.createTHead().insertRow();
  for (const name of ["", ...rows.map(row => row.label)]) head.append(Object.assign(document.createElement("th"), {textContent: name}));
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    line.append(Object.assign(document.createElement("th"), {textContent: row.label}));
    for (const other of rows) {
      const cell = line.insertCell();
      if (row === other) continue;
      const difference = row.metrics[metric] - other.metrics[metric];
      const corrected = p[labels.indexOf(row.label)][labels.indexOf(other.label)];
      cell.textContent = (difference < 0 ? "−" : "+") + Math.abs(1000 * difference).toFixed(1);
      cell.title = `corrected p = ${corrected < 1e-4 ? corrected.toExponential(1) : corrected.toFixed(4)}`;
      if (corrected < 0.05 && difference > 0) cell.className = "ahead";
    }
  }
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const sort = () => {
      // A second click turns the order around; the first one puts the best on top.
      const opposite = {ascending: "descending", descending: "ascending"};
      const order = opposite[head.getAttribute("aria-sort")] || head.dataset.first;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);

      // A failed row has no numbers; it stays below, as do rows without this one.
      const value = row => row.classList.contains("failed") ? "" : row.cells[column].dataset.value;
      const rows = [...body.rows].sort((a, b) => {
        const [first, second] = [value(a), value(b)];
        if (first === "" || second === "") return (first === "") - (second === "");
        const difference = "text" in head.dataset ? first.localeCompare(second) : first - second;
        return order === "ascending" ? difference : -difference;
      });
      body.append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
  });
}

for (const section of document.querySelectorAll("section")) {
  const board = data.boards[section.dataset.board];
  const draw = metric => {
    const isTested = metric in board.p_values, pairs = section.querySelector(".pairs");
    section.querySelector(".better").textContent = board.lower_is_better.includes(metric) ? "Down" : "Up";
    section.querySelector(".sure").hidden = !isTested;
    section.querySelector(".unsure").hidden = isTested;
    scatter(section.querySelector(".scatter"), board, metric);
    intervals(section.querySelector(".intervals"), board, metric);
    if (pairs) pairs.hidden = !isTested;
    if (isTested) matrix(pairs.querySelector(".matrix"), board, metric);
  };
  const buttons = section.querySelectorAll(".choice button");
  for (const button of buttons) button.addEventListener("click", () => {
    for (const other of buttons) other.setAttribute("aria-pressed", other === button);
    draw(button.dataset.metric);
  });
  sortable(section.querySelector(".board"));
  if (board.metrics.length) draw(board.metrics[0]);
}
