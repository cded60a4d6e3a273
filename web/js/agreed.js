/**
 * The student's answer about camera hints as the lesson's page knows it: `consent`, and `unheard`, true while the server
 * may not have it yet. Pure.
 *
 * The indicator tells what the server has. Once it has the page's own answer it knows better than the page: the answer
 * can be changed on the page of choices, or end by itself. A no of this page holds until the server has heard it.
 */

/** What stands in the way before the question of the student's answer comes up (lessonroom/rooms/watching.py). */
const EARLIER = new Set(["not_allowed", "on_device_only", "vision_down"]);

/** Whether the student has agreed, by what the server tells of analysis; null when that says nothing about it. */
export function told({ reason }) {
  return EARLIER.has(reason) ? null : reason !== "not_agreed";
}

/** The answer after the server told of analysis. */
export function heard({ role, consent, unheard, analysis: before }, analysis) {
  const server = told(analysis);
  if (role !== "student" || server === null) return { consent, unheard };
  if (server === Boolean(consent)) return { consent, unheard: false };
  // an answer on its way: the server still tells of the one before, unless it could not tell until now
  const underWay = unheard && (consent === false || told(before) !== null);
  return underWay ? { consent, unheard } : { consent: server, unheard: false };
}

/** The answer after a welcome; `unheard` then means that it is to be said again. A yes only where it is surely missing. */
export function welcomed({ welcomed: again, consent, unheard }, { consent: server = null, analysis }) {
  const insist = again && unheard && consent !== server && (!consent || told(analysis) === false);
  return insist ? { consent, unheard: true } : { consent: server, unheard: false };
}
