// ---- parts of the page
const $ = (id) => document.getElementById(id);

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
const swatch = (name) => node("span", { class: "swatch", style: { background: colour(name) } });

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
