// ---- recent events
// The kinds that are listed, and how they look.
const eventMoods = {
  "link-up": "good-text", "link-down": "bad-text", "link-backup": "warn-text", "link-primary": "good-text",
  "subflow-stalled": "warn-text", "upstream-up": "good-text", "upstream-down": "bad-text",
  fallback: "warn-text", reload: null, stopping: "bad-text",
};
let lastEvent = 0;

function listEvent(kind, message) {
  const id = Number(message.lastEventId);
  if (id && id <= lastEvent) return;
  if (id) lastEvent = id;
  const data = JSON.parse(message.data), list = $("events");
  const time = node("time", { datetime: new Date(data.time * 1000).toISOString() }, clock(data.time));
  list.prepend(node("li", {}, time, node("span", { class: eventMoods[kind] }, data.message)));
  while (list.children.length > 200) list.lastChild.remove();
  list.closest(".card").querySelector(".empty").hidden = true;
  if (kind.startsWith("link") || kind.startsWith("upstream")) refresh();
}
