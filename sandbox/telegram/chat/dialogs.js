// What comes over the chat: toasts, questions, a picture in full, the choice before files are sent.

import { byId, h, icon, sizeOf, starsOf } from "./dom.js";

const TOAST_MS = 3600;

export function toast(text, kind = "") {
  const element = h("div", { class: `toast ${kind}`, data: { testid: "toast" } }, text);
  byId("toasts").replaceChildren(element);
  setTimeout(() => element.remove(), TOAST_MS);
}

/** A dialog that gives the value of the pressed button, or null when it is dismissed. */
function ask(content, buttons, { className = "" } = {}) {
  return new Promise((resolve) => {
    let chosen = null;
    const dialog = h(
      "dialog",
      { class: `dialog ${className}`, data: { testid: "dialog" }, onclose: () => (dialog.remove(), resolve(chosen)) },
      content,
      h(
        "div",
        { class: "dialog-buttons" },
        buttons.map(([text, value, style]) =>
          h("button", { class: style, type: "button", onclick: () => ((chosen = value()), dialog.close()) }, text),
        ),
      ),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const alertOf = (text) => ask(h("p", { class: "dialog-text" }, text), [["Понятно", () => true, "primary"]]);

export function askToPay(invoice) {
  return ask(
    h(
      "div",
      { class: "pay" },
      h("span", { class: "pay-star" }, icon("star")),
      h("h2", {}, starsOf(invoice.total_amount)),
      h("p", {}, `«${invoice.title}». Это песочница: звёзды ненастоящие, спишется ровно ничего.`),
    ),
    [
      ["Отмена", () => false, "plain"],
      ["Заплатить", () => true, "primary"],
    ],
  );
}

export function showPicture(media) {
  const dialog = h(
    "dialog",
    { class: "lightbox", "aria-label": "Фото", onclick: () => dialog.close(), onclose: () => dialog.remove() },
    h("img", { src: media.url, alt: "Фото" }),
    h("button", { class: "icon-button lightbox-close", type: "button", "aria-label": "Закрыть" }, icon("close")),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** Asks for a caption and how to send; gives {caption, asFiles} or null. */
export async function askToSend(files) {
  const pictures = files.filter((file) => file.type.startsWith("image/") || file.type.startsWith("video/"));
  const urls = [];
  const previews = files.map((file) => preview(file, urls));
  const caption = h("textarea", { rows: 2, maxLength: 1024, placeholder: "Подпись", "aria-label": "Подпись" });
  const asFiles = h("input", { type: "checkbox", checked: !pictures.length });
  const answer = await ask(
    h(
      "div",
      { class: "sending" },
      h("h2", {}, files.length === 1 ? "Отправить файл" : `Отправить файлы: ${files.length}`),
      h("div", { class: "previews" }, previews),
      pictures.length > 0 && h("label", { class: "check" }, asFiles, "Как файл, без сжатия"),
      caption,
    ),
    [
      ["Отмена", () => null, "plain"],
      ["Отправить", () => ({ caption: caption.value, asFiles: asFiles.checked }), "primary"],
    ],
  );
  urls.forEach((url) => URL.revokeObjectURL(url));
  return answer;
}

function preview(file, urls) {
  if (file.type.startsWith("image/")) {
    const url = URL.createObjectURL(file);
    urls.push(url);
    return h("img", { src: url, alt: file.name });
  }
  return h("div", { class: "preview-file" }, icon("file"), h("span", {}, file.name), h("small", {}, sizeOf(file.size)));
}

/** Name, short name and language of the customer who is played; gives the fields or null. */
export function askWho(user) {
  const name = h("input", { value: user.first_name, maxLength: 64, "aria-label": "Имя" });
  const username = h("input", { value: user.username, maxLength: 64, "aria-label": "Имя пользователя" });
  const language = h(
    "select",
    { "aria-label": "Язык" },
    [["ru", "Русский"], ["en", "English"]].map(([code, text]) =>
      h("option", { value: code, selected: user.language_code === code }, text),
    ),
  );
  return ask(
    h(
      "div",
      { class: "who" },
      h("h2", {}, `Покупатель ${user.id}`),
      h("label", {}, "Имя", name),
      h("label", {}, "Имя пользователя", username),
      h("label", {}, "Язык", language),
    ),
    [
      ["Отмена", () => null, "plain"],
      [
        "Сохранить",
        () => ({
          first_name: name.value.trim() || user.first_name,
          username: username.value.trim(),
          language_code: language.value,
        }),
        "primary",
      ],
    ],
  );
}
