/** Ways between the lesson, the policy and the page of choices, and the word that goes along. */

import { address } from "./place.js";

const CHANNEL = "lessonroom.choices";
const MEMBER = /^#([A-Za-z0-9_-]{1,64})$/;

/** Where a member answers what may be done. */
export const choicesOf = (member) => address(`consents/${encodeURIComponent(member)}`).href;

/** Let the page's links lead to the choices of this member, and those to the policy know whom it is read by. */
export function leadToChoices(member) {
  for (const link of document.querySelectorAll("a[data-choices]")) link.href = choicesOf(member);
  for (const link of document.querySelectorAll("a[data-policy]")) link.hash = member;
}

/** The member who reads the policy: no server is told, the fragment stays in the browser. */
export function readerOf({ hash }) {
  return MEMBER.exec(hash)?.[1] ?? null;
}

/** Tell the lesson in this browser what its student has answered about camera hints. */
export function tellLesson(member, agreed) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ member, agreed });
  channel.close();
}

/** Hear it there. */
export function choicesFrom(member, listener) {
  new BroadcastChannel(CHANNEL).addEventListener("message", ({ data }) => data.member === member && listener(data.agreed));
}
