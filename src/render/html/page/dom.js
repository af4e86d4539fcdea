// Elements from values. Text is only ever set as text: nothing that comes from
// a packet, a program or a file name is read as markup.

const SVG = "http://www.w3.org/2000/svg";

// h("button", {type: "button", onclick: f}, "text", child, …)
function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
  return element;
}

function $(id) {
  return document.getElementById(id);
}

function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child));
}

// Control characters as their pictures, and characters that turn the direction
// of writing or hide as their numbers. Line feeds and tabs stay.
function visible(text) {
  return String(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g,
    (c) => {
      const code = c.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : `\\u{${code.toString(16)}}`;
    },
  );
}

// Words with `code` in them.
function prose(text) {
  return text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));
}

function count(n, one, many) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many || one + "s"}`;
}

// A text that may be very long: its beginning, and the rest on request.
const SHOWN = 20000;
function longText(text) {
  const pre = h("pre", { tabindex: "0" }, text.slice(0, SHOWN));
  if (text.length <= SHOWN) return pre;
  const more = h("button", {
    type: "button",
    onclick: () => {
      pre.textContent = visible(text);
      more.remove();
    },
  }, `Show all ${count(text.length, "character")}`);
  return h("div", {}, pre, more);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`Copied: ${text}`);
  } catch {
    // A page from a file may not use the clipboard: the old way, by a selection.
    const area = h("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    tell(done ? `Copied: ${text}` : `Copy this: ${text}`);
  }
}

function tell(text, isBad) {
  const news = $("news");
  news.className = isBad ? "bad" : "";
  news.textContent = visible(text);
}
