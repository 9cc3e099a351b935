// The customer's side of the sandbox over HTTP.

export class Refused extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

async function call(path, options = {}) {
  const response = await fetch(path, { cache: "no-store", ...options });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, body.error || `Ошибка ${response.status}`);
  return body;
}

export async function knownBots() {
  return (await call("/customer/bots")).bots;
}

/** One customer in the chat with one bot. */
export class Line {
  constructor(user, bot) {
    this.user = user;
    this.bot = bot;
  }

  get base() {
    return `/customer/${this.user}`;
  }

  chat() {
    return call(`${this.base}/chat?bot=${this.bot}&limit=300`);
  }

  events(after, signal) {
    return call(`${this.base}/events?bot=${this.bot}&after=${after}&timeout=25`, { signal });
  }

  post(act, fields) {
    return call(`${this.base}/${act}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ bot: this.bot, ...fields }),
    });
  }

  rename(fields) {
    return call(this.base, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });
  }

  /** `files` are pairs of kind and File. */
  media(files, caption) {
    const form = new FormData();
    form.append("bot", this.bot);
    form.append("caption", caption);
    for (const [kind, file] of files) form.append(kind, file, file.name || "file");
    return call(`${this.base}/media`, { method: "POST", body: form });
  }
}
