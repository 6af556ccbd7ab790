// ---- connections and their subflows
const isEstablished = (subflow) => subflow.state === "established";

// Which link has carried how much of what its present subflows carried.
function carried(connection) {
  const shares = new Map();
  for (const subflow of connection.subflows.filter(isEstablished)) {
    const name = subflow.link || subflow.local.replace(/:\d+$/, "");
    shares.set(name, (shares.get(name) || 0) + subflow.bytes_sent + subflow.bytes_received);
  }
  const all = [...shares.values()].reduce((sum, each) => sum + each, 0);
  if (!shares.size) return node("span", { class: "quiet" }, UNKNOWN);
  if (!all) return node("span", { class: "quiet" }, [...shares.keys()].join(", "));
  const parts = [...shares].map(([name, share]) => ({ name, share, percent: Math.round(share / all * 100) }));
  const only = parts.find((part) => part.percent === 100);
  if (only) return node("span", {}, swatch(only.name), only.name);
  const words = parts.map((part) => part.name + " " + part.percent + " %").join(", ");
  const bar = node("span", { class: "carry", role: "img", "aria-label": words });
  for (const part of parts) {
    bar.append(node("span", { style: { width: part.share / all * 100 + "%", background: colour(part.name) } }));
  }
  return node("span", { class: "carriers" }, bar, node("span", { class: "quiet" }, words));
}

function subflowTable(connection) {
  const columns = ["Side", "From", "To", "Link", "RTT", "Sent", "Received", "Sent again", "Notes"];
  const body = connection.subflows.map((subflow) => {
    const notes = [subflow.backup ? "backup" : "", isEstablished(subflow) ? "" : subflow.state].filter(Boolean).join(", ");
    const values = [
      subflow.leg, subflow.local, subflow.remote, subflow.link || UNKNOWN, rtt(subflow.rtt_us), bytes(subflow.bytes_sent),
      bytes(subflow.bytes_received), String(subflow.retransmits), notes,
    ];
    return node("tr", {}, ...values.map((value, at) => cell(columns[at], value, value ? null : "idle")));
  });
  const head = node("tr", {}, ...columns.map((text) => node("th", { scope: "col" }, text)));
  return node("table", {}, node("thead", {}, head), node("tbody", {}, ...body));
}

function multipathCell(connection) {
  switch (connection.multipath) {
    case "yes": return cell("Multipath", `yes, ${count(connection.subflows.filter(isEstablished).length, "subflow")}`, "good-text");
    case "fallback": return cell("Multipath", "fell back" + (connection.reason ? ": " + connection.reason : ""), "warn-text wrap");
    default: return cell("Multipath", "no", "quiet");
  }
}

function connectionRow(row) {
  const connection = row.connection, id = String(connection.id);
  const toggle = connection.subflows.length === 0 ? null : node("button", {
    type: "button", class: "more", "aria-expanded": String(state.open.has(id)), "aria-label": `Subflows of connection ${id}`,
    "data-connection": id,
  }, "▸");
  const upstream = connection.upstream + (connection.destination ? ` (${connection.destination})` : "")
    + (connection.state === "relaying" ? "" : " · " + connection.state);
  return node("tr", { class: "row" },
    node("td", { class: toggle ? null : "idle", "data-name": "Subflows" }, toggle),
    cell("ID", id, "title"), cell("Relay", connection.relay), cell("Client", connection.client), cell("Upstream", upstream),
    multipathCell(connection), cell("Carried by", carried(connection)),
    cell("Rate", rate(row.rate_up + row.rate_down), "n"), cell("Bytes", bytes(connection.bytes_up + connection.bytes_down), "n"),
    cell("Age", age(connection.age_seconds), "n"));
}

function drawConnections() {
  const view = state.busiest, table = $("connections"), body = table.tBodies[0];
  // The rows are made anew: who was on a button stays on it.
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.connection : null;
  const made = [];
  for (const row of view.connections) {
    made.push(connectionRow(row));
    if (!state.open.has(String(row.connection.id)) || row.connection.subflows.length === 0) continue;
    made.push(node("tr", { class: "details" }, node("td", { colspan: "10" }, subflowTable(row.connection))));
  }
  fill(body, made);
  const again = focused && body.querySelector(`button[data-connection="${CSS.escape(focused)}"]`);
  if (again) again.focus();
  table.hidden = view.connections.length === 0;
  const empty = table.closest(".card").querySelector(".empty");
  empty.hidden = view.connections.length > 0;
  empty.textContent = state.search ? "No connection matches." : "No connections.";
  const shown = view.connections.length;
  $("connections-count").textContent = state.search ? `${view.matching} of ${view.total}`
    : view.total > shown ? `${shown} of ${view.total}` : String(view.total);
}

// ---- asking for them
let asking = false, askAgain = false, nextAsking, typing;

async function refresh() {
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  clearTimeout(nextAsking);
  try {
    const query = new URLSearchParams({ limit: innerWidth < 820 ? "30" : "100", sort: state.sort });
    if (state.search) query.set("search", state.search);
    const response = await fetch("v1/busiest?" + query);
    if (response.ok) {
      state.busiest = await response.json();
      drawConnections();
      drawBanner();
    }
  } catch { /* The event stream says that the daemon is away. */ }
  asking = false;
  if (askAgain) {
    askAgain = false;
    refresh();
    return;
  }
  // Many connections are a long list to go through: more seldom then.
  if (!document.hidden) nextAsking = setTimeout(refresh, state.busiest && state.busiest.total > 5000 ? 5000 : 1000);
}

function watchConnections() {
  $("connections").tBodies[0].addEventListener("click", (event) => {
    const button = event.target.closest("button.more");
    if (!button) return;
    const id = button.dataset.connection;
    if (!state.open.delete(id)) state.open.add(id);
    drawConnections();
  });
  for (const button of document.querySelectorAll("button[data-sort]")) {
    button.addEventListener("click", () => {
      state.sort = button.dataset.sort;
      for (const head of document.querySelectorAll("#connections th")) head.removeAttribute("aria-sort");
      button.closest("th").setAttribute("aria-sort", state.sort === "id" ? "ascending" : "descending");
      refresh();
    });
  }
  $("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      state.search = $("search").value.trim();
      refresh();
    }, 200);
  });
}
