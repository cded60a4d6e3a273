/** Pages of words alone: their language and its switch, and the way to the reader's choices where one is known. */

import { byId, drawIcons, show } from "./dom.js";
import { languageSwitches, speakFirst } from "./i18n.js";
import { leadToChoices, readerOf } from "./links.js";

await speakFirst();
languageSwitches();
drawIcons();
const reader = readerOf(location);
if (reader && byId("to-choices")) {
  leadToChoices(reader);
  show(byId("to-choices"), true);
}
