// How a message looks. All text comes as HTML that the server has escaped; everything else is set as text.

import { avatar, dayOf, h, icon, sizeOf, timeOf } from "./dom.js";

const MAX_MEDIA_PX = 420;
const GROUP_S = 300;
const VISUAL = new Set(["photo", "video", "animation"]);

/** Turns messages into what stands in the log: days, single messages and albums, each with a key. */
export function blocksOf(messages) {
  const blocks = [];
  let day = "";
  for (const message of messages) {
    const itsDay = dayOf(message.date);
    if (itsDay !== day) {
      day = itsDay;
      blocks.push({ key: `day:${day}`, day, messages: [] });
    }
    const last = blocks.at(-1);
    if (message.album && last.album === message.album && last.from === message.from) {
      last.messages.push(message);
    } else {
      const key = message.album ? `album:${message.message_id}` : `message:${message.message_id}`;
      blocks.push({ key, from: message.from, album: message.album, messages: [message] });
    }
  }
  blocks.forEach((block, index) => (block.joins = joins(block, blocks[index + 1])));
  return blocks;
}

/** Whether the next block continues this one: same sender, soon after. */
function joins(block, next) {
  if (!block.from || !next || block.from !== next.from) return false;
  return next.messages[0].date - block.messages.at(-1).date < GROUP_S;
}

/** `act` has: press(message, button, element), open(media), command(text), jump(message_id), isPending(…). */
export function render(block, act) {
  if (block.day) return h("div", { class: "day" }, h("span", {}, block.day));
  const first = block.messages[0];
  if (first.payment || first.refund) return service(first);
  return block.messages.length > 1 ? album(block, act) : single(first, act);
}

function single(message, act) {
  const bubble = bubbleOf([message], act, mediaOf(message, act));
  const visual = message.media && VISUAL.has(message.media.kind);
  if (visual) bubble.style.maxWidth = `${scaled(message.media)[0]}px`;
  const keyboard = keyboardOf(message, act);
  const element = h("div", { class: "message", ...hooks(message) }, bubble, keyboard);
  if (visual) element.classList.add("visual");
  return element;
}

function album(block, act) {
  const wide = wideTiles(block.messages.length);
  const tiles = block.messages.map((message, index) =>
    h("div", { class: index < wide ? "tile wide" : "tile", ...hooks(message) }, mediaOf(message, act)),
  );
  const grid = h("div", { class: `mosaic mosaic-${tiles.length}` }, tiles);
  const visual = block.messages.every((message) => VISUAL.has(message.media?.kind));
  if (!visual) grid.className = "stack";
  const element = h("div", { class: "message", data: { from: block.from } }, bubbleOf(block.messages, act, grid));
  if (visual) element.classList.add("visual", "album");
  return element;
}

/** How many tiles stand in rows of two, so that the rest fills rows of three. */
const wideTiles = (count) => ({ 0: 0, 1: 4, 2: 2 })[count % 3];

const hooks = (message) => ({
  data: { testid: "message", messageId: String(message.message_id), from: message.from },
});

function bubbleOf(messages, act, media) {
  const first = messages[0];
  const worded = messages.find((message) => message.html) ?? first;
  const bubble = h("div", { class: "bubble" });
  if (first.reply_to) bubble.append(quote(first.reply_to, act));
  if (first.invoice) bubble.append(invoice(first.invoice));
  const words = worded.html ? h("div", { class: "text" }) : null;
  if (words) words.innerHTML = worded.html;
  const meta = metaOf(messages.at(-1), messages.some((message) => message.edited));
  if (words && media && worded.caption_above) bubble.append(words, media);
  else bubble.append(...[media, words].filter(Boolean));
  if (words && !(media && worded.caption_above)) words.append(meta);
  else bubble.append(meta);
  if (media && (!words || worded.caption_above)) bubble.classList.add("bare");
  return bubble;
}

function metaOf(message, edited) {
  const mine = message.from === "customer";
  return h(
    "span",
    { class: "meta" },
    edited && h("span", { class: "edited" }, "изменено"),
    h("time", { dateTime: new Date(message.date * 1000).toISOString() }, timeOf(message.date)),
    mine && icon("checks"),
  );
}

function quote(replied, act) {
  const words = replied.text || { photo: "Фото", video: "Видео", document: "Файл" }[replied.kind] || "Сообщение";
  return h(
    "button",
    { class: "quote", type: "button", onclick: () => act.jump(replied.message_id) },
    h("b", {}, replied.from === "bot" ? act.botName() : "Вы"),
    h("span", {}, words),
  );
}

function invoice(details) {
  return h(
    "div",
    { class: "invoice" },
    h("div", { class: "invoice-title" }, details.title),
    h("div", {}, details.description),
    h("div", { class: "invoice-sum" }, icon("star"), String(details.total_amount), details.paid && " · оплачено"),
  );
}

function service(message) {
  const [details, words] = message.payment
    ? [message.payment, "Вы оплатили"]
    : [message.refund, "Вам вернули"];
  return h(
    "div",
    { class: "message service", ...hooks(message) },
    h("span", {}, `${words} `, icon("star"), ` ${details.total_amount} понарошку`),
  );
}

/** Width and height in the bubble, whatever the picture's own size. */
function scaled(media) {
  const width = media.width || 320;
  const height = media.height || 240;
  const factor = Math.min(MAX_MEDIA_PX / width, MAX_MEDIA_PX / height, 1);
  return [Math.max(Math.round(width * factor), 140), Math.max(Math.round(height * factor), 90)];
}

function mediaOf(message, act) {
  const media = message.media;
  if (!media) return null;
  switch (media.kind) {
    case "photo":
      return photo(media, act);
    case "sticker":
      return h("img", { class: "sticker", src: media.url, alt: "Стикер", data: { testid: "photo" } });
    case "video":
    case "animation":
    case "video_note":
      return video(media);
    case "voice":
    case "audio":
      return sound(media);
    default:
      return file(media);
  }
}

function photo(media, act) {
  const [width, height] = scaled(media);
  const image = h("img", { src: media.url, alt: "Фото", width, height, data: { testid: "photo" } });
  const frame = h(
    "button",
    { class: "photo", type: "button", "aria-label": "Открыть фото", onclick: () => reveal(frame) || act.open(media) },
    image,
  );
  frame.style.aspectRatio = `${width} / ${height}`;
  if (media.spoiler) frame.classList.add("hidden-media");
  return frame;
}

function reveal(frame) {
  return frame.classList.contains("hidden-media") && !frame.classList.toggle("hidden-media");
}

function video(media) {
  const [width, height] = scaled(media);
  const moving = media.kind === "animation";
  const player = h("video", {
    class: media.kind,
    src: media.url,
    controls: !moving,
    autoplay: moving,
    loop: moving,
    muted: moving,
    playsInline: true,
    poster: media.cover ?? "",
    preload: "metadata",
    data: { testid: "video" },
  });
  player.style.aspectRatio = `${width} / ${height}`;
  player.style.width = `${width}px`;
  return player;
}

function sound(media) {
  const title = [media.performer, media.title].filter(Boolean).join(" — ") || media.file_name || "";
  return h(
    "div",
    { class: "sound" },
    media.cover && h("img", { class: "cover", src: media.cover, alt: "", data: { testid: "cover" } }),
    title && h("div", { class: "sound-title" }, title),
    h("audio", { src: media.url, controls: true, preload: "metadata", data: { testid: "audio" } }),
  );
}

function file(media) {
  const name = media.file_name || "Файл";
  return h(
    "a",
    { class: "file", href: media.url, download: name, data: { testid: "document" } },
    h("span", { class: "file-icon" }, icon("file")),
    h("span", { class: "file-words" }, h("b", {}, name), h("span", {}, sizeOf(media.file_size))),
  );
}

function keyboardOf(message, act) {
  if (!message.inline_keyboard.length) return null;
  const rows = message.inline_keyboard.map((row) =>
    h("div", { class: "keys-row" }, row.map((button) => keyOf(message, button, act))),
  );
  return h("div", { class: "keys" }, rows);
}

function keyOf(message, button, act) {
  const outside = button.url || button.web_app || button.login_url;
  const key = h(
    "button",
    {
      class: ["key", button.style].filter(Boolean).join(" "),
      type: "button",
      data: { testid: "inline-button", callback: button.callback_data ?? "" },
      onclick: () => act.press(message, button, key),
    },
    h("span", {}, wordsOf(message, button)),
    outside && icon("link"),
  );
  if (button.pay && message.invoice?.paid) key.disabled = true;
  if (act.isPending(message, button)) key.setAttribute("aria-busy", "true");
  return key;
}

/** On a Pay button "⭐" and "XTR" stand for the Star, as in Telegram's own clients. */
function wordsOf(message, button) {
  if (!button.pay) return button.text;
  if (message.invoice?.paid) return "Оплачено";
  return button.text.split(/(⭐\uFE0F?|XTR)/).map((part) => (/^(⭐|XTR)/.test(part) ? icon("star") : part));
}

/** What an empty chat shows: who the bot is, and how to begin. */
export function welcome(bot, begin) {
  return h(
    "div",
    { class: "welcome" },
    avatar(bot.name, bot.id),
    h("h2", {}, bot.name),
    h("p", {}, bot.description || "Здесь пока пусто. Нажмите «Начать» или напишите боту /start."),
    h("button", { class: "primary", type: "button", data: { testid: "start" }, onclick: begin }, "Начать"),
  );
}
