// ---- what is known
const WINDOW = 600;
const state = {
  // Of the last ten minutes, the oldest first.
  samples: [], status: null, busiest: null,
  // How connections are listed, and whose subflows are shown.
  sort: "rate", search: "", open: new Set(),
  colours: new Map(), live: false,
};

function colour(name) {
  if (!state.colours.has(name)) state.colours.set(name, "var(--c" + state.colours.size % 8 + ")");
  return state.colours.get(name);
}

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

// Of links or relays, those of the past ten minutes too.
function names(kind) {
  const found = new Set();
  for (const sample of state.samples) for (const each of sample[kind]) found.add(each.name);
  for (const each of (state.status && state.status[kind]) || []) found.add(each.name);
  return [...found];
}
