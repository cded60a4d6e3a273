/**
 * What the person has said and the server has not yet stored. It survives a reload (session storage of the tab), and
 * everything goes out again after a reconnect with the same ids, which the server answers without storing twice.
 */

const MOST_DISMISSED = 200;

export class Outbox {
  #storage;
  #key;

  /** `storage`: a Storage of the tab; `member` keeps two lessons in one tab apart. */
  constructor(storage, member) {
    this.#storage = storage;
    this.#key = `lessonroom.${member}.`;
  }

  #read(name, otherwise) {
    const text = this.#storage.getItem(this.#key + name);
    return text === null ? otherwise : JSON.parse(text);
  }

  #write(name, value) {
    this.#storage.setItem(this.#key + name, JSON.stringify(value));
  }

  /** Messages without an acknowledgement, oldest first: `{id, text, at}`. */
  get messages() {
    return this.#read("outbox", []);
  }

  keep(message) {
    this.#write("outbox", [...this.messages, message]);
  }

  settle(id) {
    this.#write("outbox", this.messages.filter((message) => message.id !== id));
  }

  /** The unsent words in the input line. */
  get draft() {
    return this.#read("draft", "");
  }

  set draft(text) {
    this.#write("draft", text);
  }

  /** Ids of blocked messages that the writer has put away. */
  get dismissed() {
    return this.#read("dismissed", []);
  }

  dismiss(id) {
    this.#write("dismissed", [...this.dismissed, id].slice(-MOST_DISMISSED));
  }

  /** The last chat number that was in view. */
  get readUpTo() {
    return this.#read("read", 0);
  }

  set readUpTo(seq) {
    this.#write("read", seq);
  }

  /** Whether the person is in the lesson, so that a reload leads straight back. */
  get joined() {
    return this.#read("joined", false);
  }

  set joined(value) {
    this.#write("joined", value);
  }
}
