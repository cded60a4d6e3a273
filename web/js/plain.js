/** Pages of words alone: their language and its switch. */

import { drawIcons } from "./dom.js";
import { languageSwitches, speakFirst } from "./i18n.js";

await speakFirst();
languageSwitches();
drawIcons();
