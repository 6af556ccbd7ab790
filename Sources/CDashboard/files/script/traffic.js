// ---- throughput and round trips
// One row a sample: the time, and a value for each of the series.
function rows(now, kind, series, value) {
  return state.samples.filter((sample) => sample.time > now - WINDOW).map((sample) => ({
    time: sample.time, span: sample.span || 2,
    values: series.map((name) => {
      const found = sample[kind].find((each) => each.name === name);
      return found ? value(found) : null;
    }),
  }));
}

const throughput = new Chart("throughput", {
  least: 10000 / 8, scale: 8,
  data(now) {
    // Links where there are any; the relays otherwise.
    const kind = names("links").length ? "links" : "relays", series = names(kind);
    $("throughput-title").textContent = kind === "links" ? "Throughput of each link" : "Throughput of each relay";
    return { series, stacked: true, text: rate, values: rows(now, kind, series, (each) => each.out + each.back) };
  },
});

const roundTrips = new Chart("rtt", {
  least: 200, scale: 1,
  data(now) {
    const series = names("links");
    return { series, stacked: false, text: rtt, values: rows(now, "links", series, (each) => each.rtt_us ?? null) };
  },
});

function drawCharts() {
  throughput.draw();
  if (names("links").length) roundTrips.draw();
}

async function loadHistory() {
  try {
    const response = await fetch("v1/history");
    if (response.ok) {
      take((await response.json()).samples);
      drawCharts();
    }
  } catch { /* The event stream says that the daemon is away. */ }
}
