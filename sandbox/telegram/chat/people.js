// Whom one plays and with which bot one talks: kept in the address after "#", remembered in this browser.

import { avatar, byId, h, icon } from "./dom.js";

const FIRST_PERSON = 1001;
const STORE = "sandbox-people";

/** "#1001" is short for "#user=1001". */
export function fromAddress() {
  const hash = location.hash.slice(1);
  const fields = new URLSearchParams(number(hash) ? `user=${hash}` : hash);
  return { user: number(fields.get("user")) || number(remembered()[0]?.id) || FIRST_PERSON, bot: number(fields.get("bot")) };
}

const number = (text) => (/^\d{1,15}$/.test(text ?? "") ? Number(text) : 0);

export function toAddress(user, bot) {
  const hash = `#user=${user}&bot=${bot}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

export function go(user, bot) {
  location.hash = `user=${user}${bot ? `&bot=${bot}` : ""}`;
}

/** Everyone played in this browser, as {id, name}. */
function remembered() {
  try {
    const people = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return Array.isArray(people) ? people.filter((person) => number(String(person?.id))) : [];
  } catch {
    return [];
  }
}

export function remember(user) {
  const others = remembered().filter((person) => Number(person.id) !== user.id);
  const people = [...others, { id: user.id, name: user.first_name }].sort((a, b) => a.id - b.id).slice(-50);
  try {
    localStorage.setItem(STORE, JSON.stringify(people));
  } catch {
    // Without storage the list is only as long as the page lives.
  }
  return people;
}

export const nextPerson = () => Math.max(FIRST_PERSON - 1, ...remembered().map((person) => Number(person.id))) + 1;

/** Nothing is touched while the list stays the same, so that the focus stays where it is. */
function isShown(list, ...shape) {
  const text = JSON.stringify(shape);
  const same = list.dataset.shape === text;
  list.dataset.shape = text;
  return same;
}

export function showPeople(people, user, bot, rename) {
  if (isShown(byId("people"), people, user, bot)) return;
  byId("people").replaceChildren(
    ...people.map((person) => {
      const current = person.id === user;
      const row = h(
        "button",
        { class: "row-button", type: "button", "aria-current": current ? "true" : null, onclick: () => go(person.id, bot) },
        avatar(person.name, person.id),
        h("span", { class: "row-words" }, h("b", {}, person.name), h("small", {}, `id ${person.id}`)),
      );
      const pen = h("button", { class: "icon-button pen", type: "button", "aria-label": "Изменить покупателя", onclick: rename }, icon("edit"));
      return h("div", { class: "row" }, row, current && pen);
    }),
  );
}

export function showBots(bots, user, bot) {
  if (isShown(byId("bots"), bots, user, bot)) return;
  byId("bots").replaceChildren(
    ...bots.map((known) =>
      h(
        "button",
        { class: "row-button", type: "button", "aria-current": known.id === bot ? "true" : null, onclick: () => go(user, known.id) },
        avatar(known.name, known.id),
        h("span", { class: "row-words" }, h("b", {}, known.name), h("small", {}, known.short_description || `@${known.username}`)),
      ),
    ),
  );
}
