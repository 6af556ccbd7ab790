// ---- a chart of the last ten minutes, read by pointer or by arrow keys
// The plot's margins, in pixels.
const EDGE = { left: 74, right: 4, top: 8, bottom: 20 };

// The distance of an axis' lines: 1, 2 or 5 times a power of ten.
function ticks(top) {
  const step = Math.pow(10, Math.floor(Math.log10(top / 2)));
  for (const factor of [1, 2, 5]) if (top / (step * factor) <= 5) return step * factor;
  return step * 10;
}

class Chart {
  // options: data(now), which answers { series, values: [{ time, span, values }], stacked, text }; the least height of the
  // axis; scale, what its steps are round in.
  constructor(id, options) {
    this.box = $(id);
    this.legend = $(id + "-legend");
    this.options = options;
    this.at = null;
    this.pointer = null;
    this.box.addEventListener("pointermove", (event) => this.point(event.clientX));
    this.box.addEventListener("pointerdown", (event) => this.point(event.clientX));
    this.box.addEventListener("pointerleave", () => this.leave());
    this.box.addEventListener("blur", () => this.leave());
    this.box.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  draw() {
    const now = Date.now() / 1000;
    this.data = { now, ...this.options.data(now) };
    const { series, values, stacked, text } = this.data;
    fill(this.legend, series.map((name) => node("li", {}, swatch(name), name)));
    const width = this.box.clientWidth, height = this.box.clientHeight;
    if (width < 50) return;
    const plotWidth = width - EDGE.left - EDGE.right, plotHeight = height - EDGE.top - EDGE.bottom;
    this.x = (time) => EDGE.left + plotWidth * (1 - (now - time) / WINDOW);
    let top = 0;
    for (const row of values) top = Math.max(top, stacked ? total(row) : Math.max(0, ...row.values));
    top = Math.max(top * 1.08, this.options.least);
    const y = (value) => EDGE.top + plotHeight * (1 - value / top);
    const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const step = ticks(top * this.options.scale) / this.options.scale;
    for (let value = 0; value <= top; value += step) {
      root.append(svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }));
      root.append(svg("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, short(text(value))));
    }
    for (let minutes = 0; minutes <= 10; minutes += width < 420 ? 5 : 2) {
      const anchor = minutes === 0 ? "end" : "middle", words = minutes === 0 ? "now" : "−" + minutes + " min";
      root.append(svg("text", { x: this.x(now - minutes * 60), y: height - 4, "text-anchor": anchor }, words));
    }
    if (stacked) this.areas(root, y); else this.lines(root, y);
    const row = this.at == null ? null : this.nearest();
    if (row) {
      const x = this.x(row.time);
      root.append(svg("line", { class: "cursor", x1: x, x2: x, y1: EDGE.top, y2: EDGE.top + plotHeight }));
    }
    this.box.replaceChildren(root);
    if (row) this.tip(row);
  }

  areas(root, y) {
    const { series, values } = this.data;
    const dot = (time, level) => `${this.x(time).toFixed(1)},${y(level).toFixed(1)}`;
    let floor = values.map(() => 0);
    series.forEach((name, index) => {
      const roof = values.map((row, at) => floor[at] + (row.values[index] || 0));
      // Along the roof to the right, and back along the floor: a sample is as wide as its time.
      const there = values.map((row, at) => dot(row.time - row.span, roof[at]) + " L" + dot(row.time, roof[at]));
      const back = values.map((row, at) => dot(row.time, floor[at]) + " L" + dot(row.time - row.span, floor[at]));
      const path = "M" + there.concat(back.reverse()).join(" L") + "Z";
      if (values.length) root.append(svg("path", { d: path, fill: colour(name), "fill-opacity": ".82", "data-series": name }));
      floor = roof;
    });
  }

  lines(root, y) {
    const { series, values } = this.data;
    series.forEach((name, index) => {
      let path = "", pen = false;
      for (const row of values) {
        const value = row.values[index];
        if (value != null) path += (pen ? "L" : "M") + this.x(row.time).toFixed(1) + "," + y(value).toFixed(1);
        pen = value != null;
      }
      if (!path) return;
      root.append(svg("path", { d: path, fill: "none", stroke: colour(name), class: "line", "data-series": name }));
    });
  }

  // ---- reading
  point(clientX) {
    const box = this.box.getBoundingClientRect();
    const share = (clientX - box.left - EDGE.left) / (box.width - EDGE.left - EDGE.right);
    this.pointer = clientX;
    this.at = this.data.now - WINDOW * (1 - share);
    this.draw();
  }

  key(event) {
    const rows = this.data.values;
    if (!rows.length || !["ArrowLeft", "ArrowRight", "Home", "End", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Escape") return this.leave();
    let index = this.at == null ? rows.length : rows.indexOf(this.nearest());
    if (event.key === "Home") index = 0;
    else if (event.key === "End") index = rows.length - 1;
    else index += event.key === "ArrowLeft" ? -1 : 1;
    this.at = rows[Math.max(0, Math.min(rows.length - 1, index))].time;
    this.pointer = null;
    this.draw();
    const row = this.nearest();
    $("reading").textContent = clock(row.time) + ": " + this.entries(row).map((each) => each.join(" ")).join(", ");
  }

  // The moment that is read: name and value of each series.
  entries(row) {
    const { series, stacked, text } = this.data;
    const found = series.map((name, at) => [name, row.values[at] == null ? UNKNOWN : text(row.values[at])]);
    if (stacked && found.length > 1) found.push(["together", text(total(row))]);
    return found;
  }

  nearest() {
    let best = null;
    for (const row of this.data.values) {
      if (!best || Math.abs(row.time - this.at) < Math.abs(best.time - this.at)) best = row;
    }
    return best;
  }

  tip(row) {
    const tip = $("tip"), series = this.data.series;
    const lines = this.entries(row).map(([name, value], at) =>
      node("div", {}, node("span", {}, at < series.length ? swatch(name) : null, name), node("span", {}, value)));
    tip.replaceChildren(node("b", {}, clock(row.time)), ...lines);
    tip.hidden = false;
    const box = this.box.getBoundingClientRect(), x = this.pointer ?? box.left + this.x(row.time);
    // Beside the pointer; on its other side where there is no room.
    const left = x + 14 + tip.offsetWidth > innerWidth - 8 ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, Math.min(box.top + 12, innerHeight - tip.offsetHeight - 8)) + "px";
  }

  leave() {
    if (this.at == null) return;
    this.at = null;
    $("tip").hidden = true;
    this.draw();
  }
}

function total(row) { return row.values.reduce((sum, value) => sum + (value || 0), 0); }
