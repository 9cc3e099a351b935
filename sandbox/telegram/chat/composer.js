// Where the customer writes: text, files, the bot's commands and its reply keyboard.

import { askToSend, toast } from "./dialogs.js";
import { byId, h, onDismiss } from "./dom.js";

const MAX_FILES = 10;
const MAX_HEIGHT_PX = 200;

/** `act` has: say(text), attach(files, caption). */
export function setUpComposer(act) {
  const text = byId("text");
  const grow = () => {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, MAX_HEIGHT_PX)}px`;
    byId("form").classList.toggle("filled", text.value.trim() !== "");
  };
  const submit = async () => {
    const said = text.value.trim();
    if (!said) return;
    text.value = "";
    grow();
    if (!(await act.say(said))) {
      text.value = said;
      grow();
    }
  };
  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  byId("form").addEventListener("submit", (event) => (event.preventDefault(), submit(), text.focus()));
  setUpFiles(act, text);
  setUpCommands(act);
  byId("keys-button").addEventListener("click", () => {
    const shown = byId("reply-keys").hidden;
    byId("reply-keys").hidden = !shown;
    byId("keys-button").setAttribute("aria-pressed", String(shown));
  });
}

function setUpFiles(act, text) {
  const input = byId("files");
  const take = async (list) => {
    const files = [...list].slice(0, MAX_FILES);
    if (list.length > MAX_FILES) toast(`За раз — не больше ${MAX_FILES} файлов`);
    if (!files.length) return;
    const answer = await askToSend(files);
    if (answer) await act.attach(files.map((file) => [kindOf(file, answer.asFiles), file]), answer.caption);
    text.focus();
  };
  byId("attach").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    await take(files);
  });
  text.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) {
      event.preventDefault();
      take(event.clipboardData.files);
    }
  });
  setUpDrop(take);
}

function setUpDrop(take) {
  const target = document.querySelector(".chat");
  const drop = byId("drop");
  const isFiles = (event) => event.dataTransfer?.types.includes("Files");
  target.addEventListener("dragover", (event) => isFiles(event) && (event.preventDefault(), (drop.hidden = false)));
  target.addEventListener("dragleave", (event) => target.contains(event.relatedTarget) || (drop.hidden = true));
  target.addEventListener("drop", (event) => {
    drop.hidden = true;
    if (isFiles(event)) {
      event.preventDefault();
      take(event.dataTransfer.files);
    }
  });
}

function kindOf(file, asFile) {
  if (file.type.startsWith("audio/")) return file.type.includes("ogg") ? "voice" : "audio";
  if (asFile) return "document";
  if (/^image\/(jpeg|png|webp|bmp)$/.test(file.type)) return "photo";
  if (file.type === "video/mp4") return "video";
  return "document";
}

let commands = [];

function setUpCommands(act) {
  const button = byId("commands-button");
  const menu = byId("commands");
  let stop = null;
  const close = () => {
    menu.hidden = true;
    stop?.();
    stop = null;
  };
  button.addEventListener("click", () => {
    if (!menu.hidden) return close();
    menu.replaceChildren(
      ...commands.map(({ command, description }) =>
        h(
          "button",
          { class: "menu-item", type: "button", role: "menuitem", onclick: () => (close(), act.say(`/${command}`)) },
          h("b", {}, `/${command}`),
          h("span", {}, description),
        ),
      ),
    );
    menu.hidden = false;
    stop = onDismiss(menu, (event) => button.contains(event.target) || close());
  });
}

export function showCommands(list) {
  commands = list;
  byId("commands-button").hidden = list.length === 0;
}

export function showReplyKeyboard(markup, say) {
  const keys = byId("reply-keys");
  const rows = markup?.keyboard ?? [];
  const shape = JSON.stringify(rows);
  byId("keys-button").hidden = rows.length === 0;
  if (keys.dataset.shape === shape) return;
  keys.dataset.shape = shape;
  keys.hidden = rows.length === 0;
  byId("keys-button").setAttribute("aria-pressed", "true");
  keys.replaceChildren(
    ...rows.map((row) =>
      h(
        "div",
        { class: "keys-row" },
        row.map(({ text }) =>
          h("button", { class: "reply-key", type: "button", data: { testid: "reply-button" }, onclick: () => say(text) }, text),
        ),
      ),
    ),
  );
}
