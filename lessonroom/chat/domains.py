"""Hosts that mean something: mail providers, networks, meetings, shorteners, and the lesson sites one may name.

Pure data and look-ups. Own domains and further listed sites come from the settings (``ChatPolicy``).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Final

from lessonroom.chat.words import word_set

TLDS: Final = word_set(
    "com ru ua net org info biz рф укр online site club pro io co uk by kz su xyz app shop store school academy "
    "top link live chat me cc tv ai dev tech space website world group team tutor education edu gov eu de fr es "
    "it pl tr br pt cz us ca au nz in ie at ch nl be se fi lt lv ee ge am az md kg uz il cn jp kr moscow москва "
    "онлайн сайт дети email mobi tel page blog fun art life one plus to ws gg ly do gl so id my la cat ac int gd "
    "vc sh im"
)
"""Top-level domains that count when a scheme, ``www.`` or a path stands with them."""

SURE_TLDS: Final = word_set("com ru ua net org info biz рф укр online site xyz io kz su school academy tv edu gov uk")
"""Those that also count bare; "me", "in", "so" and the like follow a full stop too often."""

PROVIDERS: Final = word_set(
    "gmail googlemail yandex ya mail inbox bk list rambler ukr i meta yahoo ymail hotmail outlook live icloud "
    "proton protonmail gmx aol bigmir tut onet wp interia msn me tutanota zoho mac fastmail"
)
"""First labels of mail hosts."""

NETWORKS: Final = word_set(
    "t.me telegram.me telegram.dog wa.me vk.com vk.ru vkontakte.ru m.vk.com facebook.com fb.com fb.me m.me "
    "m.facebook.com instagram.com instagr.am ig.me ok.ru twitter.com x.com linkedin.com tiktok.com snapchat.com "
    "viber.com invite.viber.com chat.whatsapp.com api.whatsapp.com whatsapp.com signal.me join.skype.com "
    "skype.com line.me discord.gg discord.com discordapp.com threads.net tg.me telegram.org vk.me vk.cc linktr.ee "
    "taplink.cc taplink.ws"
)
MEETINGS: Final = word_set(
    "zoom.us us02web.zoom.us us04web.zoom.us us05web.zoom.us us06web.zoom.us meet.google.com teams.microsoft.com "
    "teams.live.com join.skype.com meet.jit.si whereby.com webex.com telemost.yandex.ru gotomeeting.com "
    "meet.goto.com bigbluebutton.org calendly.com jazz.sber.ru"
)
SHORTENERS: Final = word_set(
    "bit.ly clck.ru goo.gl tinyurl.com is.gd cutt.ly t.co ow.ly rb.gy shorturl.at vk.cc u.to tiny.cc lnkd.in surl.li"
)
FREE_HOSTS: Final = word_set(
    "tilda.ws wixsite.com blogspot.com wordpress.com ucoz.ru ucoz.net narod.ru weebly.com jimdo.com github.io "
    "carrd.co notion.site webnode.com livejournal.com tumblr.com boosty.to patreon.com"
)
LISTED: Final = word_set(
    "bbc.co.uk bbc.com youtube.com youtu.be wikipedia.org wiktionary.org quizlet.com duolingo.com "
    "britishcouncil.org learnenglish.britishcouncil.org cambridge.org dictionary.cambridge.org "
    "oxfordlearnersdictionaries.com merriam-webster.com translate.google.com google.com docs.google.com "
    "drive.google.com classroom.google.com forms.gle google.ru google.com.ua kahoot.it kahoot.com wordwall.net "
    "learningapps.org liveworksheets.com ted.com ed.ted.com coursera.org khanacademy.org edx.org udemy.com "
    "stackoverflow.com github.com python.org docs.python.org w3schools.com mozilla.org developer.mozilla.org "
    "geogebra.org desmos.com wolframalpha.com reverso.net context.reverso.net multitran.ru multitran.com "
    "linguee.com deepl.com grammarly.com lingualeo.com puzzle-english.com skyeng.ru englishdom.com busuu.com "
    "memrise.com ankiweb.net apps.ankiweb.net fipi.ru sdamgia.ru ege.sdamgia.ru reshuege.ru foxford.ru yaklass.ru "
    "uchi.ru infourok.ru znanio.ru gramota.ru nytimes.com cnn.com theguardian.com economist.com "
    "breakingnewsenglish.com newsinlevels.com engvid.com voanews.com perfect-english-grammar.com englishpage.com "
    "grammar-monster.com ielts.org ielts-simon.com ieltsliz.com ets.org toefl.org lyricstraining.com netflix.com "
    "imdb.com amazon.com spotify.com padlet.com miro.com canva.com nearpod.com edpuzzle.com prezi.com genial.ly "
    "jamboard.google.com mathway.com symbolab.com brilliant.org codecademy.com leetcode.com codewars.com "
    "kaggle.com osvita.ua zno.osvita.ua naurok.com.ua vseosvita.ua e-olymp.com prometheus.org.ua dovidka.com.ua "
    "slovnyk.ua goroh.pp.ua testportal.gov.ua mova.info pravopys.net sum.in.ua booking.com airbnb.com yandex.ru "
    "ya.ru mail.ru rambler.ru habr.com lenta.ru ria.ru rbc.ru kinopoisk.ru ukr.net pravda.com.ua preply.com "
    "italki.com cambly.com 4pda.ru eslgames.com esl-lab.com test-english.com englishclub.com ldoceonline.com "
    "dictionary.com thesaurus.com vocabulary.com readtheory.org storyweaver.org.in mathisfun.com example.com "
    "example.org example.net nasa.gov un.org who.int"
)
"""Sites of lessons that may be named and linked. Add more by setting."""

FILES: Final = word_set(
    "py js ts md txt pdf doc docx xls xlsx ppt pptx html htm css json jpg jpeg png gif mp3 mp4 wav zip rar exe "
    "java cpp c h cs php rb go rs sql xml yml yaml csv svg avi mov mkv epub djvu fb2 ini cfg log bat sh ipynb vue "
    "kt swift"
)
"""Last parts of file names that look like domains."""


def in_hosts(host: str, hosts: Set[str]) -> bool:
    """Whether a host, or a parent domain of it, is among ``hosts``."""
    labels = host.split(".")
    return any(".".join(labels[i:]) in hosts for i in range(min(len(labels), 6) - 1))


def is_host(labels: Sequence[str], *, sure: bool, scheme: bool = False) -> bool:
    """Whether labels end like a domain. ``sure``: a scheme, ``www`` or a path says that a link is meant."""
    tld = labels[-1]
    if len(labels) < 2 or not all(labels):
        return False
    if sure:
        return tld in TLDS or (scheme and tld.isalpha() and len(tld) >= 2)
    return tld in SURE_TLDS and len(labels[-2]) > 1
