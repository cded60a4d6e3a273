/** The line that tells everybody in the room what analysis does now, its explanation, and the student's stop. */

import { byId, openOnHover, setIcon, show, write } from "./dom.js";
import { has, onLanguage, t } from "./i18n.js";
import { other } from "./state.js";

/** Where nobody is asked, because no answer would change anything. */
const UNASKED = new Set(["not_allowed", "on_device_only"]);
const NOTHING_TO_STOP = new Set([...UNASKED, "guardian_missing"]);

export class Indicator {
  #store;
  #actions;

  /** `actions`: consent(agreed). */
  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
    openOnHover(byId("indicator-more"), document.querySelector('[popovertarget="indicator-more"]'));
    byId("indicator-stop").addEventListener("click", () => actions.consent(false));
    store.subscribe((state, before) => {
      if (
        state.analysis !== before.analysis || state.consent !== before.consent || state.members !== before.members ||
        state.role !== before.role || state.connection !== before.connection
      ) this.#draw();
    });
    onLanguage(() => this.#draw());
    this.#draw();
  }

  #draw() {
    const { state } = this.#store;
    const look = lookOf(state);
    const student = state.role === "student";
    byId("indicator").dataset.state = look.kind;
    setIcon(byId("indicator-icon"), look.kind === "off" ? "eye-off" : "eye");
    write(byId("indicator-text"), t(`indicator.${look.key}`));
    show(byId("indicator-stop"), student && state.consent === true && !NOTHING_TO_STOP.has(look.key));
    this.#explain(look, student, state);
  }

  #explain(look, student, state) {
    write(byId("explain-title"), t(`indicator.${look.key}`));
    const name = other(state)?.name || t("role.student");
    const whose = `explain.${look.key}.${student ? "student" : "teacher"}`;
    const why = has(whose) ? whose : `explain.${look.group}.${student ? "student" : "teacher"}`;
    write(byId("explain-text"), t(why, { name }));
    const action = byId("explain-action");
    const key = actionOf(look, state);
    show(action, key !== null);
    if (key === null) return;
    write(action, t(key));
    action.onclick = () => {
      byId("indicator-more").hidePopover();
      this.#actions.consent(!state.consent);
    };
  }
}

/** What to show: `kind` off, learning, watching or unseen; `key` of the short words; `group` of the explanation. */
export function lookOf({ analysis, connection, consent, role }) {
  const { state, reason } = analysis;
  // without the room's socket nobody knows, and the server stops analysis by itself
  if (connection.state === "lost") return off("connecting");
  // the student's own no holds at once, before the server has said so
  if (role === "student" && consent === false && !UNASKED.has(reason)) return off("not_agreed");
  if (state === "off") return off(reason ?? "connecting");
  if (reason) return { kind: "unseen", key: known(reason), group: "unseen" };
  return { kind: state, key: state, group: state };
}

/** The text of the button in the explanation, with which a student changes the answer; null: there is none. */
export function actionOf({ key }, { role, consent }) {
  if (role !== "student" || UNASKED.has(key)) return null;
  if (!consent) return "indicator.allow";
  return key === "guardian_missing" ? "indicator.take_back" : "indicator.forbid";
}

const off = (reason) => ({ kind: "off", key: known(reason), group: "off" });
const known = (reason) => (has(`indicator.${reason}`) ? reason : "other");
