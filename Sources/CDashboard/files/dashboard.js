"use strict";
// The dashboard: reads the daemon's own interface and draws it. Everything that comes from outside is put in as text.
const $ = (id) => document.getElementById(id);
const WINDOW = 600;
const state = { samples: [], status: null, busiest: null, sort: "rate", search: "", open: new Set(), colours: new Map(), live: false };

// ---- quantities
function scaled(value, unit) {
  if (!(value >= 1)) return "0 " + unit;
  let prefix = "";
  for (const next of ["k", "M", "G", "T", "P"]) { if (value < 999.5) break; value /= 1000; prefix = next; }
  const digits = prefix === "" ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(digits) + " " + prefix + unit;
}
const bytes = (n) => scaled(n, "B");
const rate = (bytesPerSecond) => scaled(bytesPerSecond * 8, "bit/s");
const rtt = (us) => us == null ? "–" : us < 9995 ? (us / 1000).toFixed(2) + " ms" : us < 1e6 ? (us / 1000).toFixed(us < 99950 ? 1 : 0) + " ms" : (us / 1e6).toFixed(2) + " s";
function age(seconds) {
  const s = Math.floor(seconds);
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min " + s % 60 + " s";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s / 60) % 60 + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s / 3600) % 24 + " h";
}
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
const count = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");
function colour(name) {
  if (!state.colours.has(name)) state.colours.set(name, "var(--c" + state.colours.size % 8 + ")");
  return state.colours.get(name);
}

// ---- building nodes
function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value == null || value === false) continue;
    if (name === "style") Object.assign(made.style, value); else made.setAttribute(name, value);
  }
  for (const child of children) if (child != null) made.append(child);
  return made;
}
const cell = (name, content, type) => node("td", { "data-name": name, class: type }, content);
function fill(body, rows) { body.replaceChildren(...rows); }
const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "fill" || name === "stroke") made.style[name] = value; else made.setAttribute(name, value);
  }
  if (text != null) made.textContent = text;
  return made;
}

// ---- charts
function ticks(top) {
  const step = Math.pow(10, Math.floor(Math.log10(top / 2)));
  for (const factor of [1, 2, 5]) if (top / (step * factor) <= 5) return step * factor;
  return step * 10;
}
class Chart {
  constructor(id, options) {
    this.box = $(id); this.legend = $(id + "-legend"); this.options = options; this.at = null; this.pointer = null;
    this.box.addEventListener("pointermove", (event) => this.point(event.clientX));
    this.box.addEventListener("pointerdown", (event) => this.point(event.clientX));
    this.box.addEventListener("pointerleave", () => this.leave());
    this.box.addEventListener("blur", () => this.leave());
    this.box.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.box);
  }
  draw() {
    const now = Date.now() / 1000, { series, values, stacked, text } = this.options.data(now);
    this.data = { now, series, values, stacked, text };
    fill(this.legend, series.length > 1 || this.options.always ? series.map((name) => node("li", {}, node("span", { class: "swatch", style: { background: colour(name) } }), this.options.label(name))) : []);
    const width = this.box.clientWidth, height = this.box.clientHeight, left = 74, bottom = 20, head = 8;
    if (width < 50) return;
    const plotWidth = width - left - 4, plotHeight = height - bottom - head;
    this.x = (time) => left + plotWidth * (1 - (now - time) / WINDOW);
    let top = 0;
    for (const row of values) {
      let sum = 0;
      for (const value of row.values) { if (value == null) continue; sum = stacked ? sum + value : Math.max(sum, value); }
      top = Math.max(top, sum);
    }
    top = Math.max(top * 1.08, this.options.least);
    const y = (value) => head + plotHeight * (1 - value / top);
    const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const step = ticks(top * this.options.scale) / this.options.scale;
    for (let value = 0; value <= top; value += step) {
      root.append(svg("line", { class: "grid", x1: left, x2: width - 4, y1: y(value), y2: y(value) }));
      root.append(svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, text(value)));
    }
    for (let minutes = 0; minutes <= 10; minutes += width < 420 ? 5 : 2) {
      const x = this.x(now - minutes * 60);
      root.append(svg("text", { x, y: height - 4, "text-anchor": minutes === 0 ? "end" : "middle" }, minutes === 0 ? "now" : "−" + minutes + " min"));
    }
    if (stacked) this.areas(root, y); else this.lines(root, y);
    if (this.at != null) {
      const row = this.nearest();
      if (row) root.append(svg("line", { class: "cursor", x1: this.x(row.time), x2: this.x(row.time), y1: head, y2: head + plotHeight }));
    }
    this.box.replaceChildren(root);
    if (this.at != null) this.tip();
  }
  areas(root, y) {
    const { series, values } = this.data;
    let floor = values.map(() => 0);
    series.forEach((name, index) => {
      const roof = values.map((row, at) => floor[at] + (row.values[index] || 0));
      let path = "";
      const step = (at, level, first) => {
        const from = this.x(values[at].time - values[at].span), to = this.x(values[at].time);
        return first ? `${from.toFixed(1)},${y(level).toFixed(1)} L${to.toFixed(1)},${y(level).toFixed(1)}` : `${to.toFixed(1)},${y(level).toFixed(1)} L${from.toFixed(1)},${y(level).toFixed(1)}`;
      };
      for (let at = 0; at < values.length; at++) path += (at === 0 ? "M" : "L") + step(at, roof[at], true);
      for (let at = values.length - 1; at >= 0; at--) path += "L" + step(at, floor[at], false);
      if (path) root.append(svg("path", { d: path + "Z", fill: colour(name), "fill-opacity": ".82" }));
      floor = roof;
    });
  }
  lines(root, y) {
    const { series, values } = this.data;
    series.forEach((name, index) => {
      let path = "", pen = false;
      for (const row of values) {
        const value = row.values[index];
        if (value == null) { pen = false; continue; }
        path += (pen ? "L" : "M") + this.x(row.time).toFixed(1) + "," + y(value).toFixed(1);
        pen = true;
      }
      if (path) root.append(svg("path", { d: path, fill: "none", stroke: colour(name), "stroke-width": "1.8", "stroke-linejoin": "round" }));
    });
  }
  point(clientX) {
    const box = this.box.getBoundingClientRect();
    this.pointer = clientX;
    const share = (clientX - box.left - 74) / (box.width - 78);
    this.at = this.data.now - WINDOW * (1 - share);
    this.draw();
  }
  key(event) {
    const rows = this.data.values;
    if (!rows.length || !["ArrowLeft", "ArrowRight", "Home", "End", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Escape") return this.leave();
    let index = this.at == null ? rows.length : rows.indexOf(this.nearest());
    index = event.key === "Home" ? 0 : event.key === "End" ? rows.length - 1 : index + (event.key === "ArrowLeft" ? -1 : 1);
    this.at = rows[Math.max(0, Math.min(rows.length - 1, index))].time;
    this.pointer = null;
    this.draw();
    const row = this.nearest();
    $("reading").textContent = clock(row.time) + ": " + this.data.series.map((name, at) => this.options.label(name) + " " + this.data.text(row.values[at] || 0)).join(", ");
  }
  nearest() {
    let best = null;
    for (const row of this.data.values) if (!best || Math.abs(row.time - this.at) < Math.abs(best.time - this.at)) best = row;
    return best;
  }
  tip() {
    const row = this.nearest(), tip = $("tip");
    if (!row) return;
    const lines = this.data.series.map((name, at) => node("div", {}, node("span", {}, node("span", { class: "swatch", style: { background: colour(name) } }), this.options.label(name)), node("span", {}, row.values[at] == null ? "–" : this.data.text(row.values[at]))));
    if (this.data.stacked && lines.length > 1) lines.push(node("div", {}, node("span", {}, "together"), node("span", {}, this.data.text(row.values.reduce((sum, value) => sum + (value || 0), 0)))));
    tip.replaceChildren(node("b", {}, clock(row.time)), ...lines);
    tip.hidden = false;
    const box = this.box.getBoundingClientRect(), x = this.pointer ?? box.left + this.x(row.time);
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = Math.max(4, Math.min(box.top + 12, innerHeight - tip.offsetHeight - 8)) + "px";
  }
  leave() { this.at = null; $("tip").hidden = true; this.draw(); }
}
// Links where there are any; the relays otherwise.
function names(kind) {
  const found = [];
  for (const sample of state.samples) for (const each of sample[kind]) if (!found.includes(each.name)) found.push(each.name);
  for (const each of (state.status && state.status[kind]) || []) if (!found.includes(each.name)) found.push(each.name);
  return found;
}
function recent(now) { return state.samples.filter((sample) => sample.time > now - WINDOW); }
const throughput = new Chart("throughput", {
  least: 10000 / 8, scale: 8, always: true,
  label: (name) => name,
  data(now) {
    const kind = names("links").length ? "links" : "relays", series = names(kind);
    $("throughput-title").textContent = kind === "links" ? "Throughput of each link" : "Throughput of each relay";
    return {
      series, stacked: true, text: rate,
      values: recent(now).map((sample) => ({ time: sample.time, span: sample.span || 2, values: series.map((name) => { const found = sample[kind].find((each) => each.name === name); return found ? found.out + found.back : 0; }) })),
    };
  },
});
const roundTrips = new Chart("rtt", {
  least: 200, scale: 1, always: true,
  label: (name) => name,
  data(now) {
    const series = names("links");
    return { series, stacked: false, text: (us) => rtt(us), values: recent(now).map((sample) => ({ time: sample.time, span: 2, values: series.map((name) => { const found = sample.links.find((each) => each.name === name); return found && found.rtt_us != null ? found.rtt_us : null; }) })) };
  },
});
function take(samples) {
  for (const sample of samples) {
    const last = state.samples[state.samples.length - 1];
    if (last && sample.time <= last.time) continue;
    sample.span = last ? Math.min(2.6, sample.time - last.time) : 2;
    state.samples.push(sample);
  }
  const oldest = Date.now() / 1000 - WINDOW - 5;
  while (state.samples.length && state.samples[0].time < oldest) state.samples.shift();
}

// ---- links and relays
const stateWords = { up: "up", absent: "absent", down: "down", "no-carrier": "no carrier", "no-address": "no address", "no-route": "no route", stalled: "stalled", "switched-off": "switched off", "over-limit": "over its limit" };
function drawStatus() {
  const status = state.status;
  $("daemon").textContent = `${status.version} · up ${age(status.uptime_seconds)} · ${count(status.connections, "connection")} · ${count(status.threads, "thread")}` + (status.draining ? " · stopping" : "");
  const latest = state.samples[state.samples.length - 1], fresh = latest && Date.now() / 1000 - latest.time < 8;
  const hasLinks = names("links").length > 0;
  $("rtt-card").hidden = !hasLinks;
  document.querySelector(".charts").classList.toggle("alone", !hasLinks);
  $("links").hidden = !hasLinks;
  $("links-card").querySelector(".empty").hidden = hasLinks;
  fill($("links").tBodies[0], status.links.map((link) => {
    const now = (fresh && latest.links.find((each) => each.name === link.name)) || { out: 0, back: 0 };
    const title = node("td", { class: "title" }, node("span", {}, node("span", { class: "swatch", style: { background: colour(link.name) } }), link.name + (link.interface && link.interface !== link.name ? " (" + link.interface + ")" : "")));
    const role = link.backup ? "backup" + (link.reason ? " (" + link.reason + ")" : "") : "primary";
    return node("tr", { class: "row" }, title, cell("State", stateWords[link.state] || link.state, link.state === "up" ? "good-text" : "bad-text"), cell("Role", role, link.backup ? "warn-text" : null),
      cell("Address", link.address || "–"), cell("RTT", rtt(link.rtt_us), "n"), cell("Loss", link.loss == null ? "–" : (link.loss * 100).toFixed(1) + " %", "n" + (link.loss > 0.02 ? " warn-text" : "")),
      cell("Subflows", String(link.subflows), "n"), cell("Sending", rate(now.out), "n"), cell("Receiving", rate(now.back), "n"), cell("Sent", bytes(link.bytes_sent), "n"), cell("Received", bytes(link.bytes_received), "n"));
  }));
  fill($("relays").tBodies[0], status.relays.map((relay) => {
    const upstreams = node("td", { class: "wrap", "data-name": "Upstreams" });
    const list = node("span", {});
    relay.upstreams.forEach((upstream, index) => {
      if (index) list.append(node("br"));
      list.append(node("span", { class: upstream.healthy ? null : "bad-text" }, upstream.address + (upstream.healthy ? "" : " (down)") + (upstream.draining ? " (draining)" : "") + (relay.upstreams.length > 1 ? " · " + upstream.connections : "")));
    });
    upstreams.append(list);
    return node("tr", { class: "row" }, node("td", { class: "title" }, relay.name), cell("Listens", relay.listen.join(", "), "wrap"), upstreams, cell("Open", String(relay.open), "n"), cell("Accepted", String(relay.accepted), "n"),
      cell("Failed", String(relay.failed + relay.refused), "n" + (relay.failed ? " warn-text" : "")), cell("Up", bytes(relay.bytes_up), "n"), cell("Down", bytes(relay.bytes_down), "n"),
      cell("Multipath", String(relay.multipath), "n"), cell("Fell back", String(relay.fallback), "n" + (relay.fallback ? " warn-text" : "")));
  }));
  drawBanner();
}
function drawBanner() {
  const banner = $("banner"), view = state.busiest;
  if (!state.live) return;
  if (!view) return;
  const could = view.multipath + view.fallback;
  let text, mood;
  if (could === 0) {
    text = view.total === 0 ? "No connections." : `${count(view.total, "connection")}, none of them over MPTCP.`; mood = "";
  } else {
    text = `multipath: ${view.multipath} of ${count(could, "connection")}`;
    mood = view.fallback === 0 ? "good" : view.multipath === 0 ? "bad" : "warn";
    if (view.fallback) text += `, ${view.fallback} fell back because ` + view.reasons.slice(0, 2).map((each) => each.reason + (view.reasons.length > 1 ? ` (${each.count})` : "")).join("; ");
  }
  const links = (state.status && state.status.links) || [], down = links.filter((link) => link.state !== "up");
  if (down.length) { text += ` — ${down.map((link) => link.name).join(", ")} ${down.length === 1 ? "is" : "are"} down`; mood = mood === "bad" ? "bad" : "warn"; }
  if (banner.textContent !== text) banner.textContent = text;
  banner.className = "banner " + mood;
}

// ---- connections
function carried(connection) {
  const shares = new Map();
  for (const subflow of connection.subflows) {
    const name = subflow.link || subflow.local.replace(/:\d+$/, "");
    shares.set(name, (shares.get(name) || 0) + subflow.bytes_sent + subflow.bytes_received);
  }
  const all = [...shares.values()].reduce((sum, each) => sum + each, 0);
  if (!shares.size) return node("span", { class: "quiet" }, "–");
  const words = [...shares].map(([name, share]) => name + " " + (all ? Math.round(share / all * 100) : 0) + " %").join(", ");
  if (!all) return node("span", { class: "quiet" }, [...shares.keys()].join(", "));
  if (shares.size === 1) { const [only] = shares.keys(); return node("span", {}, node("span", { class: "swatch", style: { background: colour(only) } }), only); }
  const bar = node("span", { class: "carry", role: "img", "aria-label": words, title: words });
  for (const [name, share] of shares) bar.append(node("span", { style: { width: share / all * 100 + "%", background: colour(name) } }));
  return node("span", { class: "carriers" }, bar, node("span", { class: "quiet" }, words));
}
function subflowTable(connection) {
  const head = node("tr", {}, ...["Side", "From", "To", "Link", "RTT", "Sent", "Received", "Retransmits", ""].map((text) => node("th", { scope: "col" }, text)));
  const rows = connection.subflows.map((subflow) => node("tr", {}, ...[subflow.leg, subflow.local, subflow.remote, subflow.link || "–", rtt(subflow.rtt_us), bytes(subflow.bytes_sent), bytes(subflow.bytes_received), String(subflow.retransmits), [subflow.backup ? "backup" : "", subflow.state === "established" ? "" : subflow.state].filter(Boolean).join(", ")].map((text) => node("td", {}, text))));
  return node("table", {}, node("thead", {}, head), node("tbody", {}, ...rows));
}
function drawConnections() {
  const view = state.busiest;
  const body = $("connections").tBodies[0], focus = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.connection : null;
  const rows = [];
  for (const row of view.connections) {
    const connection = row.connection, id = String(connection.id), open = state.open.has(id);
    const toggle = connection.subflows.length ? node("button", { type: "button", class: "more", "aria-expanded": String(open), "aria-label": `Subflows of connection ${id}`, "data-connection": id }, "▸") : null;
    const multipath = connection.multipath === "yes" ? cell("Multipath", `yes, ${count(connection.subflows.length, "subflow")}`, "good-text") : connection.multipath === "fallback" ? cell("Multipath", "fell back" + (connection.reason ? ": " + connection.reason : ""), "warn-text wrap") : cell("Multipath", "no", "quiet");
    rows.push(node("tr", { class: "row" }, node("td", { class: toggle ? null : "idle", "data-name": "Subflows" }, toggle), cell("ID", id, "title"), cell("Relay", connection.relay), cell("Client", connection.client),
      cell("Upstream", connection.upstream + (connection.destination ? ` (${connection.destination})` : "") + (connection.state === "relaying" ? "" : " · " + connection.state)), multipath, cell("Carried by", carried(connection)),
      cell("Rate", rate(row.rate_up + row.rate_down), "n"), cell("Bytes", bytes(connection.bytes_up + connection.bytes_down), "n"), cell("Age", age(connection.age_seconds), "n")));
    if (open && connection.subflows.length) rows.push(node("tr", { class: "details" }, node("td", { colspan: "10" }, subflowTable(connection))));
  }
  fill(body, rows);
  if (focus) { const again = body.querySelector(`button[data-connection="${CSS.escape(focus)}"]`); if (again) again.focus(); }
  $("connections").hidden = view.connections.length === 0;
  const empty = $("connections").closest(".card").querySelector(".empty");
  empty.hidden = view.connections.length > 0;
  empty.textContent = state.search ? "No connection matches." : "No connections.";
  $("connections-count").textContent = state.search ? `${view.matching} of ${view.total}` : view.total > view.connections.length ? `${view.connections.length} of ${view.total}` : String(view.total);
}
$("connections").tBodies[0].addEventListener("click", (event) => {
  const button = event.target.closest("button.more");
  if (!button) return;
  const id = button.dataset.connection;
  if (!state.open.delete(id)) state.open.add(id);
  drawConnections();
});
for (const button of document.querySelectorAll("button[data-sort]")) button.addEventListener("click", () => {
  state.sort = button.dataset.sort;
  for (const head of document.querySelectorAll("#connections th")) head.removeAttribute("aria-sort");
  button.closest("th").setAttribute("aria-sort", state.sort === "id" ? "ascending" : "descending");
  refresh();
});
let typing;
$("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => { state.search = $("search").value.trim(); refresh(); }, 200); });
let asking = false, askAgain = false, timer;
async function refresh() {
  if (asking) { askAgain = true; return; }
  asking = true;
  clearTimeout(timer);
  try {
    const query = new URLSearchParams({ limit: innerWidth < 820 ? "30" : "100", sort: state.sort });
    if (state.search) query.set("search", state.search);
    const response = await fetch("v1/busiest?" + query);
    if (response.ok) { state.busiest = await response.json(); drawConnections(); drawBanner(); }
  } catch { /* The event stream says that the daemon is away. */ }
  asking = false;
  if (askAgain) { askAgain = false; refresh(); return; }
  // Many connections are a long list to go through: more seldom then.
  const total = state.busiest ? state.busiest.total : 0;
  if (!document.hidden) timer = setTimeout(refresh, total > 5000 ? 5000 : 1000);
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) { loadHistory(); refresh(); } });

// ---- events
const eventKinds = ["link-up", "link-down", "link-backup", "link-primary", "subflow-opened", "subflow-closed", "subflow-stalled", "upstream-up", "upstream-down", "fallback", "reload", "stopping"];
const moods = { "link-up": "good-text", "link-down": "bad-text", "link-backup": "warn-text", "link-primary": "good-text", "subflow-stalled": "warn-text", "upstream-down": "bad-text", "upstream-up": "good-text", fallback: "warn-text", stopping: "bad-text" };
let lastEvent = 0;
function note(kind, message) {
  const id = Number(message.lastEventId);
  if (id && id <= lastEvent) return;
  if (id) lastEvent = id;
  const data = JSON.parse(message.data), list = $("events");
  list.prepend(node("li", {}, node("time", { datetime: new Date(data.time * 1000).toISOString() }, clock(data.time)), node("span", { class: moods[kind] }, data.message)));
  while (list.children.length > 200) list.lastChild.remove();
  list.closest(".card").querySelector(".empty").hidden = true;
  if (kind.startsWith("link") || kind.startsWith("upstream")) refresh();
}

// ---- the stream
function show(live) {
  state.live = live;
  const pill = $("live");
  pill.textContent = live ? "live" : "not connected";
  pill.className = "pill " + (live ? "good" : "bad");
  if (!live) { $("banner").textContent = "The daemon does not answer."; $("banner").className = "banner bad"; } else drawBanner();
}
async function loadHistory() {
  try {
    const response = await fetch("v1/history");
    if (response.ok) { take((await response.json()).samples); draw(); }
  } catch { /* As above. */ }
}
function draw() { throughput.draw(); if (names("links").length) roundTrips.draw(); }
let started = 0;
function connect() {
  const stream = new EventSource("v1/events?status=1&connections=0&replay=100");
  stream.addEventListener("open", () => { show(true); loadHistory(); refresh(); });
  stream.addEventListener("error", () => { show(false); if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 3000); });
  stream.addEventListener("status", (message) => {
    const status = JSON.parse(message.data);
    // Another process: its events and counters begin anew.
    const began = Date.now() / 1000 - status.uptime_seconds;
    if (state.status && status.pid !== state.status.pid && began > started + 1) { lastEvent = 0; state.samples = []; }
    started = began;
    state.status = status;
    drawStatus();
    draw();
  });
  stream.addEventListener("sample", (message) => take([JSON.parse(message.data)]));
  for (const kind of eventKinds) stream.addEventListener(kind, (message) => note(kind, message));
}
for (const table of document.querySelectorAll("table")) table.classList.add("stack");
connect();
