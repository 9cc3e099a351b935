// Small pieces of the page: elements, icons, dates and sizes in words.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties (`on…` are listeners, `data` a dataset, `class` its classes) and children. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "role") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** A round avatar: the first letter on a colour that belongs to the number. */
export function avatar(name, number) {
  const letter = [...(name || "?")][0].toUpperCase();
  return h("span", { class: `avatar hue-${Number(number) % 6}`, "aria-hidden": "true" }, letter);
}

const TIME = new Intl.DateTimeFormat("ru", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("ru", { day: "numeric", month: "long" });

export const timeOf = (seconds) => TIME.format(new Date(seconds * 1000));

export function dayOf(seconds) {
  const date = new Date(seconds * 1000);
  const today = new Date();
  const yesterday = new Date(today);
  yesterday.setDate(today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Сегодня";
  if (date.toDateString() === yesterday.toDateString()) return "Вчера";
  return DAY.format(date);
}

export function sizeOf(bytes) {
  if (!bytes) return "";
  if (bytes < 1024) return `${bytes} Б`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} КБ`;
  return `${(bytes / 1024 / 1024).toFixed(1).replace(".", ",")} МБ`;
}

const STARS = { one: "звезда", few: "звезды", many: "звёзд", other: "звёзд" };
const PLURAL = new Intl.PluralRules("ru");

export const starsOf = (count) => `${count} ${STARS[PLURAL.select(count)]}`;

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Calls back for a press outside of an open menu, and for Escape; returns how to stop listening. */
export function onDismiss(element, dismiss) {
  const pressed = (event) => element.contains(event.target) || dismiss(event);
  const typed = (event) => event.key === "Escape" && dismiss(event);
  // Not at once: the press that opened the menu is still on its way up.
  setTimeout(() => document.addEventListener("pointerdown", pressed));
  document.addEventListener("keydown", typed);
  return () => {
    document.removeEventListener("pointerdown", pressed);
    document.removeEventListener("keydown", typed);
  };
}
