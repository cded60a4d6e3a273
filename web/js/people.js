/** Who is in the room. The analyser stands in the list, so that nothing watches unseen. */

import { byId, el, write } from "./dom.js";
import { icon } from "./icons.js";
import { onLanguage, t } from "./i18n.js";

const ICONS = { teacher: "person", student: "person", observer: "eye", analyser: "robot" };

/** Draw the list and its counter, and keep them true. */
export function people(store) {
  const draw = () => {
    const { members, me } = store.state;
    const present = members.filter((member) => member.present);
    write(byId("people-count"), String(present.length));
    const label = t("people.button", { count: present.length });
    const button = document.querySelector('[popovertarget="people"]');
    button.setAttribute("aria-label", label);
    button.title = label;
    byId("people-list").replaceChildren(...members.map((member) => row(member, me)));
  };
  store.subscribe((state, before) => state.members !== before.members && draw());
  onLanguage(draw);
  draw();
}

function row(member, me) {
  const analyser = member.role === "analyser";
  const name = analyser ? t("people.analyser") : member.name;
  const about = analyser ? t("people.analyser.text") : t(`role.${member.role}`);
  const state = member.present ? null : t("people.away");
  return el("li", { "data-present": String(member.present), testid: `person-${member.role}` },
    el("span", { class: "people-icon" }, icon(ICONS[member.role] ?? "person")),
    el("div", {}, el("p", { class: "people-name" }, member.id === me ? t("people.you", { name }) : name),
      el("p", { class: "note" }, [about, state].filter(Boolean).join(" · "))));
}
