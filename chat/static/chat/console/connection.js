/* One socket that stays: it reconnects with a growing pause and resumes from the cursors it kept. */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15000;
// After these codes another try would be refused in the same words.
const FINAL = new Set([4400, 4401, 4403, 4404]);

export class Connection extends EventTarget {
  constructor(address, signIn) {
    super();
    this.address = address;
    this.signIn = signIn;
    this.cursors = new Map();
    this.epoch = "";
    this.tries = 0;
    this.wanted = true;
    this.open();
  }

  async open() {
    this.tell("state", { state: "connecting" });
    let token;
    try {
      token = await this.signIn();
    } catch (error) {
      this.wanted = false;
      this.tell("state", { state: "refused", why: error.message });
      return;
    }
    if (!this.wanted) {
      return;
    }
    // Without a token it is the session of the site, which the browser sends by itself.
    this.socket = new WebSocket(this.address, ["chat.v1", ...(token ? [`bearer.${token}`] : [])]);
    this.socket.addEventListener("message", (event) => this.hear(event.data));
    this.socket.addEventListener("close", (event) => this.closed(event));
  }

  hear(text) {
    const frame = JSON.parse(text);
    this.tell("frame", { direction: "in", frame, text });
    if (frame.type === "hello") {
      this.greeted(frame);
    } else if (frame.type === "resumed" || frame.type === "reset") {
      this.cursors.set(frame.room, frame.head);
    } else if (frame.type === "room.joined") {
      this.cursors.set(frame.joined, frame.snapshot.head);
      this.move(frame);
    } else if (frame.type === "room.left") {
      this.cursors.delete(frame.left);
      this.move(frame);
    } else {
      this.move(frame);
    }
  }

  greeted(hello) {
    const again = this.epoch !== "";
    const epoch = again ? this.epoch : hello.epoch;
    this.epoch = hello.epoch;
    this.tries = 0;
    this.tell("state", { state: "connected", user: hello.user.username });
    if (again) {
      this.send({ type: "resume", ref: "resume", epoch, cursors: Object.fromEntries(this.cursors) });
    }
    for (const [room, head] of Object.entries(hello.heads)) {
      // A room that is known already goes on from where it was: resume tells what came meanwhile.
      if (!again || !this.cursors.has(room)) {
        this.cursors.set(room, head);
      }
    }
  }

  move(frame) {
    // room.read names a place that was read, not one in the log.
    if (frame.type !== "room.read" && frame.room && frame.seq > (this.cursors.get(frame.room) ?? -1)) {
      this.cursors.set(frame.room, frame.seq);
    }
  }

  closed(event) {
    const again = this.wanted && !FINAL.has(event.code);
    const pause = again ? this.pause() : 0;
    this.wanted = again;
    this.tell("state", { state: "closed", code: event.code, pause });
    if (again) {
      this.timer = setTimeout(() => this.open(), pause);
    }
  }

  pause() {
    // Half of it by chance, so that a thousand consoles do not come back at once.
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.tries++);
    return longest / 2 + (Math.random() * longest) / 2;
  }

  send(frame) {
    const text = JSON.stringify(frame);
    this.socket.send(text);
    this.tell("frame", { direction: "out", frame, text });
  }

  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    this.socket?.close(1000);
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
