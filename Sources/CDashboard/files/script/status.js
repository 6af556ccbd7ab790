// ---- links, relays, and the banner
const stateWords = {
  up: "up", absent: "absent", down: "down", "no-carrier": "no carrier", "no-address": "no address", "no-route": "no route",
  stalled: "stalled", "switched-off": "switched off", "over-limit": "over its limit",
};

function drawStatus() {
  const status = state.status;
  $("daemon").textContent = [
    status.version, "up " + age(status.uptime_seconds), count(status.connections, "connection"),
    count(status.threads, "thread"), status.draining ? "stopping" : null,
  ].filter(Boolean).join(" · ");
  const hasLinks = names("links").length > 0;
  $("rtt-card").hidden = !hasLinks;
  document.querySelector(".charts").classList.toggle("alone", !hasLinks);
  $("links").hidden = !hasLinks;
  $("links-card").querySelector(".empty").hidden = hasLinks;
  const latest = state.samples[state.samples.length - 1];
  const now = latest && Date.now() / 1000 - latest.time < 8 ? latest.links : [];
  fill($("links").tBodies[0], status.links.map((link) => linkRow(link, now.find((each) => each.name === link.name))));
  fill($("relays").tBodies[0], status.relays.map(relayRow));
  drawBanner();
}

function linkRow(link, rates) {
  const { out, back } = rates || { out: 0, back: 0 }, isUp = link.state === "up";
  const title = link.name + (link.interface && link.interface !== link.name ? " (" + link.interface + ")" : "");
  const role = link.backup ? "backup" + (link.reason ? " (" + link.reason + ")" : "") : "primary";
  // What a link was like before it went says nothing of now.
  const loss = !isUp || link.loss == null ? UNKNOWN : (link.loss * 100).toFixed(1) + " %";
  return node("tr", { class: "row" },
    node("td", { class: "title" }, node("span", {}, swatch(link.name), title)),
    cell("State", stateWords[link.state] || link.state, isUp ? "good-text" : "bad-text"),
    cell("Role", role, link.backup ? "warn-text" : null),
    cell("Address", link.address || UNKNOWN),
    cell("RTT", isUp ? rtt(link.rtt_us) : UNKNOWN, "n"),
    cell("Loss", loss, "n" + (isUp && link.loss > 0.02 ? " warn-text" : "")),
    cell("Subflows", String(link.subflows), "n"),
    cell("Sending", rate(out), "n"), cell("Receiving", rate(back), "n"),
    cell("Sent", bytes(link.bytes_sent), "n"), cell("Received", bytes(link.bytes_received), "n"));
}

function relayRow(relay) {
  const upstreams = relay.upstreams.map((upstream) => {
    const words = upstream.address + (upstream.healthy ? "" : " (down)") + (upstream.draining ? " (draining)" : "");
    return node("div", { class: upstream.healthy ? null : "bad-text" },
      words + (relay.upstreams.length > 1 ? " · " + upstream.connections + " open" : ""));
  });
  const failed = relay.failed + relay.refused;
  return node("tr", { class: "row" },
    node("td", { class: "title" }, relay.name),
    cell("Listens", node("div", {}, ...relay.listen.map((each) => node("div", {}, each))), "wrap"),
    cell("Upstreams", node("div", {}, ...upstreams), "wrap"),
    cell("Open", String(relay.open), "n"), cell("Accepted", String(relay.accepted), "n"),
    cell("Failed", String(failed), "n" + (relay.failed ? " warn-text" : "")),
    cell("Up", bytes(relay.bytes_up), "n"), cell("Down", bytes(relay.bytes_down), "n"),
    cell("Were multipath", String(relay.multipath), "n"),
    cell("Had fallen back", String(relay.fallback), "n" + (relay.fallback ? " warn-text" : "")));
}

function drawBanner() {
  const view = state.busiest;
  if (!state.live || !view) return;
  const could = view.multipath + view.fallback;
  let text, mood = "";
  if (view.total === 0) text = "No connections.";
  else if (could === 0) text = `${count(view.total, "connection")}, none of them over MPTCP.`;
  else {
    text = `multipath: ${view.multipath} of ${count(could, "connection")}`;
    mood = view.fallback === 0 ? "good" : view.multipath === 0 ? "bad" : "warn";
    const reasons = view.reasons.slice(0, 2).map((each) => each.reason + (view.reasons.length > 1 ? ` (${each.count})` : ""));
    if (view.fallback) text += `, ${view.fallback} fell back because ${reasons.join("; ")}`;
  }
  const down = ((state.status && state.status.links) || []).filter((link) => link.state !== "up").map((link) => link.name);
  if (down.length) {
    text += ` — ${down.join(", ")} ${down.length === 1 ? "is" : "are"} down`;
    if (mood !== "bad") mood = "warn";
  }
  setBanner(text, mood);
}

function setBanner(text, mood) {
  // Unchanged text is not set again: a screen reader would read it again.
  if ($("banner").textContent !== text) $("banner").textContent = text;
  $("banner").className = "banner " + mood;
}
