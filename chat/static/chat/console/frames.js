/* The list of frames. All text in it comes from strangers: it is set as text, never as markup. */

const MOST = 500;
const BEATS = new Set(["heads", "ping"]);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) {
    made.className = className;
  }
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}

function kind(frame) {
  if (["failed", "reset"].includes(frame.type)) {
    return "bad";
  }
  if (["done", "hello", "resumed"].includes(frame.type)) {
    return "good";
  }
  return frame.seq === undefined ? "live" : "event";
}

/* `titles`: what rooms are called, as far as frames have told it. */
function summary(frame, titles) {
  if (frame.error) {
    return `${frame.error.code}: ${frame.error.detail}`;
  }
  const room = frame.left ?? frame.joined;
  if (room) {
    return [titles.get(room) ?? room, frame.actor && `by ${frame.actor.display_name || "Deleted account"}`].filter(Boolean).join(" · ");
  }
  const said = frame.message?.text ?? frame.result?.message?.text ?? frame.text;
  if (said) {
    return said;
  }
  const place = [frame.ref && `ref ${frame.ref}`, frame.seq !== undefined && `seq ${frame.seq}`];
  return place.filter(Boolean).join(" · ");
}

/* A value as a tree that opens and closes. */
function tree(key, value, depth) {
  const nested = value !== null && typeof value === "object";
  if (!nested) {
    const row = element("div", "leaf");
    row.append(element("span", "key", `${key}: `));
    row.append(element("span", value === null ? "null" : typeof value, JSON.stringify(value)));
    return row;
  }
  const entries = Object.entries(value);
  const box = element("details", "node");
  box.open = depth < 2;
  const brackets = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  const head = element("summary");
  head.append(element("span", "key", `${key} `), element("span", "size", brackets));
  box.append(head, ...entries.map(([name, inner]) => tree(name, inner, depth + 1)));
  return box;
}

export class Frames {
  constructor(list, { filter, beats, count, empty, news }) {
    Object.assign(this, { list, filter, beats, count, empty, news });
    this.titles = new Map();
    filter.addEventListener("input", () => this.sift());
    beats.addEventListener("change", () => this.sift());
    this.sift();
  }

  add({ direction, frame, text }) {
    const { snapshot } = frame;
    if (snapshot) {
      this.titles.set(snapshot.id, snapshot.title || snapshot.peer?.display_name || (snapshot.peer?.deleted && "Deleted account") || snapshot.id);
    }
    const said = summary(frame, this.titles);
    const item = element("li", `frame ${direction} ${kind(frame)}`);
    item.dataset.type = frame.type;
    item.said = `${frame.type} ${text}`.toLowerCase();
    const box = element("details");
    const head = element("summary");
    const now = new Date();
    const time = element("time", "", now.toLocaleTimeString("en-GB") + `.${String(now.getMilliseconds()).padStart(3, "0")}`);
    time.dateTime = now.toISOString();
    const way = element("span", "way", direction === "in" ? "←" : "→");
    way.setAttribute("role", "img");
    way.setAttribute("aria-label", direction === "in" ? "received" : "sent");
    head.append(time, way, element("b", "type", frame.type), element("span", "what", said));
    box.append(head);
    // The tree is only made when someone looks: most frames are never opened.
    box.addEventListener("toggle", () => box.open && box.childElementCount === 1 && box.append(tree(frame.type, frame, 0)));
    item.append(box);
    this.list.prepend(item);
    while (this.list.childElementCount > MOST) {
      this.list.lastElementChild.remove();
    }
    this.sift();
    if (direction === "in" && !BEATS.has(frame.type)) {
      this.news.textContent = `${frame.type} ${said}`.slice(0, 120);
    }
  }

  sift() {
    const wanted = this.filter.value.trim().toLowerCase();
    let shown = 0;
    for (const item of this.list.children) {
      const beat = BEATS.has(item.dataset.type) && !this.beats.checked;
      item.hidden = beat || !item.said.includes(wanted);
      shown += item.hidden ? 0 : 1;
    }
    const all = this.list.childElementCount;
    this.count.textContent = shown === all ? `${all}` : `${shown} of ${all}`;
    this.empty.hidden = all > 0;
  }

  clear() {
    this.list.replaceChildren();
    this.sift();
  }
}
