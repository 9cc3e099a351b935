// The chat page: holds what one customer sees of one bot and keeps it true by a long poll.

import { knownBots, Line, Refused } from "./api.js";
import { blocksOf, render, welcome } from "./bubbles.js";
import { setUpComposer, showCommands, showReplyKeyboard } from "./composer.js";
import { alertOf, askToPay, askWho, showPicture, toast } from "./dialogs.js";
import { avatar, byId, calm, h, onDismiss } from "./dom.js";
import { fromAddress, go, nextPerson, remember, showBots, showPeople, toAddress } from "./people.js";

const NEAR_END_PX = 120;
const PRESS_MS = 30_000;
const ACTION_MS = 5_000;
const WAIT_FOR_BOT_MS = 1_500;
const REFRESH_BOTS_MS = 10_000;
const PAUSES_MS = [500, 1_000, 2_000, 5_000];
const ACTIONS = {
  typing: "печатает…",
  upload_photo: "отправляет фото…",
  upload_video: "отправляет видео…",
  record_video: "записывает видео…",
  upload_document: "отправляет файл…",
  upload_voice: "отправляет звук…",
  record_voice: "записывает звук…",
};

const log = byId("log");
const scroll = byId("scroll");
/** What is shown: `messages` by id, `pending` presses by "message/data". */
let view = null;
let actionTimer = 0;

class View {
  constructor(line, chat) {
    this.line = line;
    this.abort = new AbortController();
    this.pending = new Map();
    this.drawn = new Map();
    this.load(chat);
  }

  load(chat) {
    this.seq = chat.seq;
    this.bot = chat.bot;
    this.user = chat.user;
    this.messages = new Map(chat.messages.map((message) => [message.message_id, message]));
    this.keyboard = chat.reply_keyboard;
    this.blocked = chat.blocked;
  }

  sorted() {
    return [...this.messages.values()].sort((a, b) => a.message_id - b.message_id);
  }
}

// --- From the sandbox to the screen -------------------------------------------------------------------------------

async function open() {
  view?.abort.abort();
  const { user, bot } = fromAddress();
  const bots = await knownBots().catch(() => []);
  const chosen = bots.find((known) => known.id === bot) ?? bots[0];
  if (!chosen) {
    byId("status").textContent = "ждём бота…";
    showEmpty(h("div", { class: "welcome" }, h("p", {}, "Бот ещё не запущен. Он появится здесь сам, как только обратится к песочнице.")));
    setTimeout(open, WAIT_FOR_BOT_MS);
    return;
  }
  const line = new Line(user, chosen.id);
  const chat = await line.chat().catch(() => null);
  if (!chat) {
    setTimeout(open, WAIT_FOR_BOT_MS);
    return;
  }
  toAddress(user, chosen.id);
  view = new View(line, chat);
  log.replaceChildren();
  showBots(bots, user, chosen.id);
  showAll({ atOnce: true });
  scroll.scrollTop = scroll.scrollHeight;
  follow(view);
}

async function follow(mine) {
  let failures = 0;
  while (!mine.abort.signal.aborted) {
    try {
      const answer = await mine.line.events(mine.seq, mine.abort.signal);
      if (failures) setStatus();
      failures = 0;
      if (mine.abort.signal.aborted) return;
      if (answer.reset) {
        mine.load(await mine.line.chat());
        showAll({ atOnce: true });
      } else if (answer.events.length) {
        mine.seq = answer.seq;
        answer.events.forEach(take);
        showAll({});
      }
    } catch {
      if (mine.abort.signal.aborted) return;
      byId("status").textContent = "нет связи, пробуем снова…";
      await new Promise((wake) => setTimeout(wake, PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)]));
    }
  }
}

function take(event) {
  switch (event.type) {
    case "message":
    case "edit":
      view.messages.set(event.message.message_id, event.message);
      view.keyboard = event.reply_keyboard;
      if (event.message.from === "bot") setStatus();
      if (event.type === "message" && !atEnd()) countUnread();
      break;
    case "delete":
      view.messages.delete(event.message_id);
      break;
    case "callback":
      answered(event);
      break;
    case "action":
      setStatus(ACTIONS[event.action] ?? "готовит ответ…");
      break;
    default:
      Object.assign(view, { bot: event.bot, user: event.user, keyboard: event.reply_keyboard, blocked: event.blocked });
      setStatus();
  }
}

function showAll({ atOnce = false }) {
  const stay = atEnd();
  document.title = `${view.bot.name} · песочница`;
  byId("bot-name").textContent = view.bot.name;
  byId("bot-avatar").replaceWith(Object.assign(avatar(view.bot.name, view.bot.id), { id: "bot-avatar" }));
  byId("player").replaceChildren(avatar(view.user.first_name, view.user.id), h("span", {}, view.user.first_name));
  if (atOnce) setStatus();
  showPeople(remember(view.user), view.user.id, view.bot.id, rename);
  showCommands(view.bot.commands);
  showReplyKeyboard(view.keyboard, say);
  byId("form").hidden = view.blocked;
  byId("unblock").hidden = !view.blocked;
  showEmpty(view.messages.size ? null : welcome(view.bot, () => say("/start")));
  showLog(atOnce);
  if (stay) toEnd(atOnce);
}

function showEmpty(content) {
  byId("empty").hidden = content === null;
  byId("empty").replaceChildren(...(content ? [content] : []));
}

/** Keeps what has not changed, so that pictures do not blink and videos go on playing. */
function showLog(atOnce) {
  const blocks = blocksOf(view.sorted());
  const drawn = new Map();
  let place = log.firstElementChild;
  for (const block of blocks) {
    const shape = JSON.stringify([block.messages, block.day]);
    const old = view.drawn.get(block.key);
    let element = old?.element;
    if (!old) {
      element = render(block, act);
    } else if (old.shape !== shape) {
      element = change(old.element, render(block, act));
      if (place === old.element) place = element;
    }
    element.classList.toggle("joins", Boolean(block.joins));
    drawn.set(block.key, { shape, element });
    view.drawn.delete(block.key);
    if (element === place) place = nextStanding(place);
    else log.insertBefore(element, place);
    if (!old && !atOnce) element.classList.add("arrives");
  }
  for (const { element } of view.drawn.values()) leave(element);
  view.drawn = drawn;
}

function nextStanding(element) {
  let next = element.nextElementSibling;
  while (next?.classList.contains("leaves")) next = next.nextElementSibling;
  return next;
}

/** Puts the new look into the place of the old one; the height glides, the content fades in. */
function change(old, fresh) {
  const before = old.getBoundingClientRect().height;
  old.replaceWith(fresh);
  if (calm()) return fresh;
  const after = fresh.getBoundingClientRect().height;
  const bubble = fresh.querySelector(".bubble");
  bubble?.animate([{ opacity: 0.35 }, { opacity: 1 }], { duration: 260, easing: "ease-out" });
  if (Math.abs(before - after) > 2) {
    fresh.classList.add("glides");
    fresh
      .animate([{ height: `${before}px` }, { height: `${after}px` }], { duration: 240, easing: "ease-out" })
      .finished.finally(() => fresh.classList.remove("glides"));
    keepEnd(260);
  }
  return fresh;
}

function leave(element) {
  if (calm()) return element.remove();
  element.classList.add("leaves");
  const height = element.getBoundingClientRect().height;
  element
    .animate([{ height: `${height}px`, opacity: 1 }, { height: "0px", opacity: 0, margin: "0px" }], { duration: 200 })
    .finished.finally(() => element.remove());
}

// --- Scrolling ----------------------------------------------------------------------------------------------------

const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;

function toEnd(atOnce) {
  scroll.scrollTo({ top: scroll.scrollHeight, behavior: atOnce || calm() ? "instant" : "smooth" });
}

/** Stays at the end while something grows. */
function keepEnd(forMs) {
  if (!atEnd()) return;
  const until = performance.now() + forMs;
  const step = () => {
    scroll.scrollTop = scroll.scrollHeight;
    if (performance.now() < until) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

function countUnread() {
  byId("unread").textContent = String(Number(byId("unread").textContent || 0) + 1);
}

let wasAtEnd = true;
scroll.addEventListener("scroll", () => {
  wasAtEnd = atEnd();
  byId("jump").hidden = wasAtEnd;
  if (wasAtEnd) byId("unread").textContent = "";
});
// The composer grows, a keyboard comes up, the window is turned: who was at the end stays there.
new ResizeObserver(() => wasAtEnd && (scroll.scrollTop = scroll.scrollHeight)).observe(scroll);
byId("jump").addEventListener("click", () => toEnd(false));

// --- What the customer does ---------------------------------------------------------------------------------------

async function attempt(doing) {
  try {
    await doing;
    return true;
  } catch (error) {
    toast(error instanceof Refused ? error.message : "Песочница не отвечает", "bad");
    return false;
  }
}

const say = async (text) => view !== null && attempt(view.line.post("text", { text }));
const keyOfPress = (message, data) => `${message.message_id}/${data}`;

const act = {
  botName: () => view.bot.name,
  open: showPicture,
  jump(messageId) {
    const target = log.querySelector(`[data-message-id="${Number(messageId)}"]`);
    target?.scrollIntoView({ block: "center", behavior: calm() ? "instant" : "smooth" });
    target?.classList.add("found");
    setTimeout(() => target?.classList.remove("found"), 1200);
  },
  isPending: (message, button) => view.pending.has(keyOfPress(message, button.callback_data)),
  async press(message, button, element) {
    if (button.pay) return pay(message);
    if (button.copy_text) return copy(button.copy_text.text);
    const address = button.url ?? button.web_app?.url ?? button.login_url?.url;
    if (address) return void window.open(address, "_blank", "noopener,noreferrer");
    if (button.callback_data === undefined || act.isPending(message, button)) return;
    await pressData(message, button.callback_data, element);
  },
};

async function pressData(message, data, element) {
  const mine = view;
  const key = keyOfPress(message, data);
  element.setAttribute("aria-busy", "true");
  mine.pending.set(key, "");
  const pressed = attempt(
    mine.line.post("click", { message_id: message.message_id, data }).then((answer) => {
      // The answer to the press may come sooner than the answer to this request.
      if (mine.early?.delete(answer.callback_query_id)) release(mine, key);
      else mine.pending.set(key, answer.callback_query_id);
    }),
  );
  if (!(await pressed)) release(mine, key);
  setTimeout(() => release(mine, key), PRESS_MS);
}

function release(mine, key) {
  mine.pending.delete(key);
  const [messageId, ...rest] = key.split("/");
  for (const element of log.querySelectorAll(`[data-message-id="${Number(messageId)}"] .key`)) {
    if (element.dataset.callback === rest.join("/")) element.removeAttribute("aria-busy");
  }
}

function answered(event) {
  const key = `${event.message_id}/${event.data}`;
  if (view.pending.get(key) === event.callback_query_id) release(view, key);
  else if (view.pending.has(key)) (view.early ??= new Set()).add(event.callback_query_id);
  if (event.text && event.show_alert) alertOf(event.text);
  else if (event.text) toast(event.text);
  if (event.url) window.open(event.url, "_blank", "noopener,noreferrer");
}

async function pay(message) {
  if (!(await askToPay(message.invoice))) return;
  const answer = await view.line.post("pay", { message_id: message.message_id }).catch((error) => ({ error: error.message }));
  if (answer.status === "paid") toast("Оплачено понарошку");
  else toast(answer.status === "expired" ? "Бот не ответил вовремя, ничего не списано" : answer.error, "bad");
}

async function copy(text) {
  await navigator.clipboard?.writeText(text).catch(() => null);
  toast("Скопировано");
}

async function rename() {
  const fields = await askWho(view.user);
  if (fields) await attempt(view.line.rename(fields));
}

function setStatus(action = "") {
  clearTimeout(actionTimer);
  byId("status").textContent = action || (view?.blocked ? "заблокирован · песочница" : "бот · песочница");
  byId("status").classList.toggle("active", Boolean(action));
  if (action) actionTimer = setTimeout(setStatus, ACTION_MS);
}

// --- Around the chat ----------------------------------------------------------------------------------------------

function showMenu() {
  const menu = byId("more-menu");
  if (!menu.hidden) return;
  const item = (text, doing) =>
    h("button", { class: "menu-item", type: "button", role: "menuitem", onclick: () => (close(), doing()) }, text);
  menu.replaceChildren(
    item("Имя и язык покупателя", rename),
    item("Новый покупатель", () => go(nextPerson(), view.bot.id)),
    item(view.blocked ? "Разблокировать бота" : "Заблокировать бота", () => block(!view.blocked)),
  );
  menu.hidden = false;
  const stop = onDismiss(menu, () => close());
  function close() {
    menu.hidden = true;
    stop();
  }
}

const block = (blocked) => attempt(view.line.post("block", { blocked }));

/** Bots come and go while the page is open. */
async function refreshBots() {
  const bots = await knownBots().catch(() => null);
  if (bots && view) showBots(bots, view.line.user, view.line.bot);
}

function setSide(shown) {
  byId("app").classList.toggle("with-side", shown);
}

log.addEventListener("click", (event) => {
  const command = event.target.closest(".command");
  if (command) say(command.dataset.command);
  event.target.closest(".spoiler")?.classList.add("shown");
});
log.addEventListener("load", () => keepEnd(0), { capture: true });
byId("more").addEventListener("click", () => view && showMenu());
byId("unblock").addEventListener("click", () => block(false));
byId("new-person").addEventListener("click", () => go(nextPerson(), view?.bot.id));
byId("player").addEventListener("click", () => setSide(true));
byId("side-open").addEventListener("click", () => setSide(true));
for (const id of ["side-close", "veil"]) byId(id).addEventListener("click", () => setSide(false));
setInterval(refreshBots, REFRESH_BOTS_MS);
window.addEventListener("hashchange", () => (setSide(false), open()));
setUpComposer({
  say,
  attach: async (files, caption) => view !== null && attempt(view.line.media(files, caption)),
});
open();
