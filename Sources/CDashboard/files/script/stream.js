// ---- the stream of events, and the beginning of all
let processBegan = 0;

function showLive(live) {
  state.live = live;
  $("live").textContent = live ? "live" : "not connected";
  $("live").className = "pill " + (live ? "good" : "bad");
  if (live) drawBanner(); else setBanner("The daemon does not answer.", "bad");
}

function connect() {
  const stream = new EventSource("v1/events?status=1&connections=0&replay=100");
  stream.addEventListener("open", () => {
    showLive(true);
    loadHistory();
    refresh();
  });
  stream.addEventListener("error", () => {
    showLive(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  });
  stream.addEventListener("status", (message) => {
    const status = JSON.parse(message.data), began = Date.now() / 1000 - status.uptime_seconds;
    // Another process: its events and counters begin anew.
    if (state.status && status.pid !== state.status.pid && began > processBegan + 1) {
      lastEvent = 0;
      state.samples = [];
    }
    processBegan = began;
    state.status = status;
    drawStatus();
    drawCharts();
  });
  stream.addEventListener("sample", (message) => take([JSON.parse(message.data)]));
  for (const kind of Object.keys(eventMoods)) stream.addEventListener(kind, (message) => listEvent(kind, message));
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  loadHistory();
  refresh();
});
watchConnections();
connect();
