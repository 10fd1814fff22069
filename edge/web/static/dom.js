// Elements from plain values. Text is only ever text: a name that holds markup stays a name.

export function el(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "className") made.className = [made.className, value].filter(Boolean).join(" ");
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// In place of what is inside; what is not there is left out.
export function fill(place, ...children) {
  place.replaceChildren(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function say(text) {
  document.getElementById("said").textContent = text;
}

export function toast(text, kind = "info") {
  const shown = el("div.card.toast", { className: kind, role: kind === "critical" ? "alert" : "status" }, text);
  const toasts = document.getElementById("toasts");
  toasts.append(shown);
  while (toasts.children.length > 4) toasts.firstChild.remove();
  setTimeout(() => shown.remove(), 6000);
}
