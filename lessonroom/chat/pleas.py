"""How students ask for help, in Russian, Ukrainian and English: the words, as data. Pure.

Each language has *objects* (what may be not understood: "it", "exercise 3", "the difference between a and b"), *pleas*
(a call for help, perhaps with an object) and *fillers* (what may stand around one). A word that is in none of them
keeps :mod:`lessonroom.chat.cues` silent: "I don't understand why he left" is more likely a sentence to translate.

The text is folded: small letters, no apostrophes, ``ё`` is ``е``, "do not" is "dont", ``§`` stands for words in
quotation marks. Every alternative ends at the end of a word (``END``), and repetitions are possessive, so that hardly
anything is tried twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

END: Final = r"(?![^\s])"


@dataclass(frozen=True)
class Pleas:
    """One language: ``plea`` and ``filler`` match at a word's beginning and end with a word.

    They are compiled when they are asked for first: a language takes a tenth of a second.
    """

    pleas: str
    fillers: str

    @cached_property
    def plea(self) -> re.Pattern[str]:
        """A call for help, perhaps with what is not understood."""
        return re.compile(self.pleas)

    @cached_property
    def filler(self) -> re.Pattern[str]:
        """What may stand around a plea."""
        return re.compile(self.fillers)


def _one_of(*alternatives: str) -> str:
    return "(?>" + "|".join(alternatives) + ")" + END


def _words(text: str) -> str:
    """Any of these words; ``_`` is a space inside one."""
    return _one_of(*(word.replace("_", " ") for word in text.split()))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in re.sub(r"\n {6}", "", text).strip().splitlines()]


def _pleas(pleas: str, fillers: str, **parts: str) -> Pleas:
    """Put the parts into the pleas: ``<name>`` is one of that kind, ``<name*>`` any number of them.

    One plea begins on each line; a line that stands further right goes on with it.
    """

    def fill(pattern: str) -> str:
        for name, part in parts.items():
            pattern = pattern.replace(f"<{name}>", part).replace(f" <{name}*>", f"(?: {part})*+")
            pattern = pattern.replace(f"<{name}*> ", f"(?:{part} )*+")
        return pattern

    return Pleas(_one_of(*map(fill, _lines(pleas))), _words(fillers))


_NUMBER: Final = (
    r"(?:number |no |nr |№ ?|# ?)?(?:\d{1,4}[a-zа-я]?|one|two|three|four|five|six|seven|eight|nine|ten)(?!\w)"
)

# --- English ----------------------------------------------------------------------------------------------------------

_EN_NOUN: Final = (
    r"(?:(?:the|this|that|these|those|your|my|an?|all|last|next|first|second|third|new|whole|previous|of|in|from|for|on|"
    r"part|end|meaning|use|second)\s)*+"
    r"(?:tasks?|exercises?|ex|questions?|rules?|grammar|topic|part|words?|sentences?|text|examples?|explanation|"
    r"meaning|problem|point|one(?! more)|instructions?|homework|hw|assignment|page|tenses?|material|paragraph|line|"
    r"step|answers?|formula|equation|theory|thing|unit|conditionals?|articles?|present perfect|past perfect|§)"
    rf"(?: {_NUMBER}| §| here| at all)*+"
)
_EN_OBJECT: Final = _one_of(
    r"(?:the )?differences?(?: (?:between|of|here)(?: [\w§]+){0,8}+)?",
    _EN_NOUN,
    _NUMBER,
    r"what (?:to do|to write|this means|it means|that means|you mean|you said|this is|§ means|"
    r"(?:i|we) (?:need|have) to do|(?:i|we) should do|(?:im|i am|we are) supposed to do|is going on|its about)",
    r"how (?:to (?:do|solve|use|form|make|answer|start)(?: it| this| that| them| §)?|(?:it|this|that) works)",
    r"where to start|why we use(?: [\w§]+){0,6}+|why(?= *$)|when to use(?: [\w§]+){0,6}+",
    r"it|this|that|these|anything|a thing|a word|you|nothing",
)
_EN_ADVERB: Final = _words(
    """
    really just still quite honestly totally completely even absolutely actually also so very a_bit a_little
    kinda kind_of bit pretty too again now here please pls at_all yet either for_me to_me anymore sorry
    once_more one_more_time more_slowly slowly in_russian in_ukrainian in_other_words in_simple_words
    another_way the_rest right_now
    """
)
_ENGLISH: Final = _pleas(
    r"""
    (?:i )?<adverb*> (?:dont|didnt|cant|couldnt) <adverb*> (?:understand|undestand|understood|follow|grasp)
      (?: <adverb>)*+(?: <object>)?+ <adverb*>
    (?:i )?<adverb*> dont <adverb*> get <object> <adverb*>
    (?:i )?<adverb*> didnt <adverb*> get (?!it\b|that\b|this(?! \w))<object> <adverb*>
    (?:i )?cant (?:figure|work) (?:it|this|that) out|(?:i )?cant (?:figure|work) out <object> <adverb*>
    (?:i )?(?:understand|understood) nothing <adverb*>
    im <adverb*> (?:lost|confused|stuck|puzzled)(?: <adverb>)*+(?: (?:on|with|about|at|in|
      by) <object>)?+ <adverb*>
    (?:im )?not <adverb*> (?:getting|following) <object> <adverb*>
    (?:you|u) (?:have |ve )?lost me(?: there| here)?
    (?:its|it is|this is|thats|that is|<object> is) too (?:hard|difficult|complicated|confusing) <adverb*>
    too (?:hard|difficult|complicated) for me
    (?:its|it is|this is|thats|<object> is) <adverb*> (?:hard|difficult|complicated) for me
    (?:its|it is|this is|thats|<object> is) <adverb*> confusing <adverb*>
    (?:its|it is|this is|<object> is) (?:not clear|unclear) <adverb*>
    (?:it|this|that|<object>) (?:doesnt make any sense|doesnt make sense|makes no sense) <adverb*>
    (?:can|could|would|will) (?:you|u|we) (?:please |pls |maybe )?(?:explain|clarify)
      (?: to me| me)?+(?: <object>)?+ <adverb*>
    (?:can|could|would) (?:you|u) (?:please |pls )?explain(?: [\w§]++){1,8} (?:again|once more|one more time)
    (?:please |pls )explain(?: to me)?+(?: <object>)?+ <adverb*>
    explain(?: <object>)?+ (?:please|pls|again|once more|one more time) <adverb*>
    (?:can|could) (?:you|we) (?:please )?go (?:over|through) <object> <adverb*>
    (?:can|could) (?:you|u) (?:please |pls )?help(?: me)?(?: out)?(?: with <object>)?+ <adverb*>
    (?:i )?(?:really )?need (?:some |your |a little )?help(?: with <object>)?+ <adverb*>
    (?:please help(?: me)?|help (?:me|please|pls))(?: with <object>| please| pls| here)*+(?= *$)
    (?:i )?(?:have )?no (?:idea|clue) (?:what to (?:do|write)|how to (?:do|solve|start)|where to start)
      (?: it| this| that)?+ <adverb*>
    (?:i )?<adverb*> dont know (?:what to (?:do|write)|how to (?:do|solve|use|form|start)|where to start|
      how (?:it|this) works|what (?:im supposed|i have|i need) to do)
      (?: it| this| that)?+(?: with <object>)?+ <adverb*>
    what (?:am i|are we) supposed to (?:do|write)(?: here| in <object>| with <object>)?+
    what (?:do|should) (?:i|we)(?: have to| need to)? (?:do|write) (?:here|in <object>|with <object>)
    how (?:do|should) (?:i|we) (?:do|solve) (?:this|<noun>)
    im not sure (?:i (?:understand|get)(?: <object>)?+|what to do|how to do <object>) <adverb*>
    im (?:really )?struggling(?: with <object>)?+ <adverb*>
    i (?:dont know what im doing|cant keep up) <adverb*>
    i give up|i cant (?:do|solve) <noun> <adverb*>|i keep getting (?:it|this|that) wrong
    """,
    """
    hi hello hey sorry excuse_me please pls plz um umm uhm hm hmm hmmm er oh ok okay well so and but wait again
    still yes yeah no nope teacher miss sir honestly thanks thank_you good_morning good_evening good_afternoon
    i_think maybe actually guys because
    """,
    object=_EN_OBJECT,
    noun=_one_of(_EN_NOUN),
    adverb=_EN_ADVERB,
)

# --- Russian ----------------------------------------------------------------------------------------------------------

_LATIN: Final = r"[a-z§][a-z§]*+(?: [a-z§]++){0,5}+"
"""English words in a Cyrillic sentence are what the lesson is about."""
_RU_WHICH: Final = (
    r"(?:(?:эт\w{1,3}|в|во|на|с|со|про|по|из|к|о|об|сам\w*|перв\w+|втор\w+|треть\w+|четверт\w+|последн\w+|следующ\w+|"
    r"нов\w+|ваш\w*|тво\w+|все|весь|всю|суть|смысл|конец|начало|половин\w|част\w+|\d{1,4})\s)*+"
)
_RU_NOUN: Final = (
    _RU_WHICH + r"(?:(?:задани|упражнени|упр|номер|вопрос|правил|грамматик|предложени|текст|пример|задач|объяснени|"
    r"материал|пункт|момент|абзац|услови|формул|домашк|артикл|вариант|строчк|инструкци|тест|уравнени|шаг|слов[оауе]|"
    r"слова)\w{0,4}|тем[ауеы]|врем[яе]\w{0,3}|част[ьи]|дз|мест[оае]|§|" + _LATIN + ")"
    rf"(?: {_NUMBER}| §| тут| здесь| из {_NUMBER})*+"
)
_RU_DO: Final = (
    r"(?:делать|сделать|решать|решить|решается|делается|писать|написать|вставить|вставлять|выбрать|начать|перевести|"
    r"использовать|употреблять|ставить|поставить|выполнять|выполнить)"
)
_RU_HERE: Final = r"(?:(?:тут|здесь|это|этим|дальше|теперь|мне|нам|вообще|именно|надо|нужно|его|их|с)\s)*+"
_RU_OBJECT: Final = _one_of(
    r"(?:в чем )?разниц[ауы](?: (?:между|тут|здесь|с)(?: [\w§]+){0,8}+)?",
    r"чем (?:они |это )?отлича\w+(?: [\w§]+){0,6}+",
    r"когда (?:что |надо |нужно )?(?:использ|став|употреб)\w+(?: [\w§]+){0,6}+",
    r"почему (?:тут|здесь|в этом|именно) [\w§]+(?: [\w§]+){0,6}+",
    _RU_NOUN,
    rf"(?:что|как|с чего|куда|где) {_RU_HERE}{_RU_DO}(?: тут| здесь| дальше| это)?(?: {_RU_NOUN})?+",
    r"что (?:тут |здесь |это |от меня )*+(?:написано|хотят|требуется|имеется в виду|значит|происходит|надо|нужно)",
    r"что вы (?:сказали|имеете в виду|хотите)|о чем (?:речь|вы|тут речь)|"
    r"где (?:моя |тут |здесь )?ошибка|как это работает|"
    r"почему так|почему(?= *$)",
    r"это|этого|этом|все|вас|тебя|ничего|совсем|" + _NUMBER,
)
_RU_ADVERB: Final = _words(
    """
    вообще совсем совершенно ничего честно просто пока все_еще до_сих_пор никак что-то чет чето чот опять снова
    тоже немного чуть-чуть чуть тут здесь пожалуйста пж плиз пжл еще_раз еще заново по-другому подробнее попроще
    проще по-русски медленнее если_можно если_честно извините сейчас теперь до_конца как-то правда прям реально
    слишком очень так для_меня мне нам меня уже другими_словами простыми_словами помедленнее
    """
)
_RU_MODAL: Final = r"(?:(?:не )?(?:можете|можешь|могли бы|можно)|давайте)(?: вы| ты| бы)?"
_RUSSIAN: Final = _pleas(
    r"""
    (?:я |мы )?<adverb*> (?:<object> )?+<adverb*> (?:не понимаю|не понимаем|непонимаю|не панимаю|не понял[аи]?|
      непонял[аи]?|не пойму|не поняла|не догоняю|не въезжаю|не врубаюсь|не разобрал(?:ся|ась)|не могу понять|
      не могу разобраться)(?: <adverb>)*+(?: <object>)?+ <adverb*>
    (?:я )?не (?:очень|совсем|до конца|особо|сильно|совсем до конца) (?:понимаю|понял[аи]?|понятно|ясно)
      (?: <object>)?+ <adverb*>
    (?:мне )?<adverb*> (?:<object> )?+<adverb*> (?:непонятн[оаы]|непонятен|не понятн[оаы]|не понятен|неясно|
      не ясно|нипонятно)(?: <adverb>)*+(?: <object>)?+ <adverb*>
    (?:я )?<adverb*> (?:запутал(?:ся|ась)|торможу|туплю)(?: <adverb>)*+(?: <object>)?+
    (?:я )?<adverb*> (?:застряла?)(?: (?:тут|здесь|на <object>|в <object>|<noun>))
    (?:у меня |мне )?<adverb*> (?:<object> )?+<adverb*> не (?:получается|выходит)(?: <adverb>)*+(?: (?:решить|
      сделать|понять|перевести|выполнить)(?: <object>)?+)?+
    (?:я )?<adverb*> не могу (?:решить|сделать|выполнить|перевести) <noun> <adverb*>
    (?:для меня |мне |тут |<object> )(?:для меня |для нас |все |как-то |правда )*+слишком (?:сложн[оаы]\w*|
      трудн[оаы]\w*|тяжело) <adverb*>
    (?:слишком|очень) (?:сложно|трудно) <adverb*>
    (?:мне|для меня) <adverb*> (?:это |тут |здесь )?<adverb*> (?:сложно|трудно|тяжело) <adverb*>
    (?:а )?<modal> <adverb*> (?:объяснить|пояснить|разъяснить|разобрать|повторить объяснение)
      (?: <adverb>)*+(?: <object>)?+ <adverb*>
    (?:а )?<modal> (?:объяснить|пояснить)(?: [\w§]++){1,6} (?:еще раз|снова|заново)
    (?:а )?<modal> еще раз (?:про|о|об) [\w§]++(?: [\w§]++){0,3}+
    это <adverb*> сложн(?:ое|ый|ая|ые) <noun>
    (?:а )?что от меня (?:требуется|надо|нужно|хотят)
    <adverb*> (?:объясните|поясните|растолкуйте) (?=\S)(?:<adverb> )*+(?:<object>|<adverb>|
      пожалуйста) <adverb*>
    (?:еще раз|пожалуйста|мне) (?:объясните|объясни|поясните|поясни)
    (?:объясни|поясни) (?:мне )?(?:<object> )?+(?:пожалуйста|пж|плиз|еще раз|снова) <adverb*>
    давайте <adverb*> (?:разберем|объясним)(?: <object>)?+ <adverb*>
    помогите(?: мне| пожалуйста| с <object>| <noun>| тут| здесь)++(?= *$)
    (?:можете |можешь )помочь(?: мне)?(?: пожалуйста| с <object>| тут| здесь| <noun>)*+
    (?:мне )?нужна (?:ваша )?помощь(?: с <object>| тут| здесь)?+
    (?:я )?<adverb*> не знаю (?:что|как|с чего) <here><do> <adverb*>(?: <object>)?+ <adverb*>
    (?:а )?(?:что|как) (?:тут|здесь|в этом (?:задании|упражнении)) <here><do>
    (?:а )?что (?:надо|нужно) (?:тут |здесь )?(?:делать|сделать|вставить|вставлять)
      (?: тут| здесь| дальше| <noun>)?+
    (?:а )?как (?:это|его|их|<noun>) <adverb*> (?:делать|решать|решить|делается|решается)
    ne ponimayu|ne ponimaju|ya ne ponimayu|ne ponyala?|ya ne ponyala?|ne ponyatno
    """,
    """
    здравствуйте привет добрый_день добрый_вечер доброе_утро извините простите пожалуйста пж плиз ой ээ эм эээ
    хм ну а и но да нет блин учитель спасибо честно если_честно кажется похоже подождите стоп вот что-то
    прошу_прощения что-что ааа аа короче так_что поэтому help я можно_еще_раз
    """,
    object=_RU_OBJECT,
    noun=_one_of(_RU_NOUN),
    adverb=_RU_ADVERB,
    modal=_RU_MODAL,
    here=_RU_HERE,
    do=_RU_DO,
)

# --- Ukrainian --------------------------------------------------------------------------------------------------------

_UK_WHICH: Final = (
    r"(?:(?:ц\w{1,4}|у|в|на|з|із|зі|про|по|до|о|сам\w*|перш\w+|друг\w+|трет\w+|останн\w+|наступн\w+|нов\w+|ваш\w*|тво\w+|"
    r"все|весь|всю|суть|зміст|кінець|початок|половин\w|частин\w|\d{1,4})\s)*+"
)
_UK_NOUN: Final = (
    _UK_WHICH + r"(?:(?:завданн|вправ|номер|питанн|запитанн|правил|граматик|реченн|текст|приклад|задач|поясненн|"
    r"матеріал|пункт|момент|абзац|умов|формул|домашк|артикл|варіант|рядок|інструкці|тест|рівнянн|крок)\w{0,4}|"
    r"слов[оауі]|тем[ауіи]|час(?:у|и|ах|ів)?|частин[ауиі]|дз|місц[еяі]|§|" + _LATIN + ")"
    rf"(?: {_NUMBER}| §| тут| з {_NUMBER})*+"
)
_UK_DO: Final = (
    r"(?:робити|зробити|розв.?язувати|розв.?язати|вирішити|вирішувати|робиться|писати|написати|вставити|вставляти|"
    r"вибрати|обрати|почати|перекласти|використовувати|вживати|ставити|поставити|виконувати|виконати)"
)
_UK_HERE: Final = r"(?:(?:тут|це|цим|далі|тепер|мені|нам|взагалі|саме|треба|потрібно|його|їх|з)\s)*+"
_UK_OBJECT: Final = _one_of(
    r"(?:в чому |у чому |яка )?різниц[яюі](?: (?:між|тут|з)(?: [\w§]+){0,8}+)?",
    r"чим (?:вони |це )?відрізня\w+(?: [\w§]+){0,6}+",
    r"коли (?:що |треба |потрібно )?(?:викор|став|вжив)\w+(?: [\w§]+){0,6}+",
    r"чому (?:тут|в цьому|у цьому|саме) [\w§]+(?: [\w§]+){0,6}+",
    _UK_NOUN,
    rf"(?:що|як|з чого|куди|де) {_UK_HERE}{_UK_DO}(?: тут| далі| це)?(?: {_UK_NOUN})?+",
    r"що (?:тут |це |від мене )*+(?:написано|хочуть|вимагається|мається на увазі|означає|відбувається|треба|потрібно)",
    r"що ви (?:сказали|маєте на увазі|хочете)|про що (?:мова|ви|тут мова)|як це працює|чому так|чому(?= *$)",
    r"це|цього|цьому|все|вас|тебе|нічого|зовсім|" + _NUMBER,
)
_UK_ADVERB: Final = _words(
    """
    взагалі зовсім цілком нічого чесно просто поки досі ніяк щось чогось знову теж трохи тут будь_ласка
    будьласка ще_раз ще заново по-іншому інакше детальніше простіше українською повільніше якщо_можна якщо_чесно
    вибачте зараз тепер до_кінця якось справді занадто надто дуже так для_мене мені нам мене вже
    іншими_словами простими_словами
    абсолютно геть
    """
)
_UK_MODAL: Final = r"(?:(?:не )?(?:можете|можеш|могли б|можна)|давайте)(?: ви| ти| б)?"
_UKRAINIAN: Final = _pleas(
    r"""
    (?:я |ми )?<adverb*> (?:<object> )?+<adverb*> (?:не розумію|не розуміємо|нерозумію|не зрозумі(?:в|ла|ли)|
      незрозумі(?:в|ла)|не второпа(?:ю|в|ла)|не доганяю|не втикаю|не вкурюю|не можу зрозуміти|
      не можу розібратис[яь]|не розібра(?:вся|лася|лась)|не понімаю|не поня(?:в|ла))
      (?: <adverb>)*+(?: <object>)?+ <adverb*>
    (?:я )?не (?:дуже|зовсім|до кінця|особливо|сильно) (?:розумію|зрозумі(?:в|ла|ло)|ясно)
      (?: <object>)?+ <adverb*>
    (?:мені )?<adverb*> (?:<object> )?+<adverb*> (?:незрозуміл[оаі]|не зрозуміл[оаі]|незрозумілий|не ясно|
      неясно|непонятно)(?: <adverb>)*+(?: <object>)?+ <adverb*>
    (?:я )?<adverb*> (?:заплута(?:вся|лася|лась)|туплю|гальмую)(?: <adverb>)*+(?: <object>)?+
    (?:я )?<adverb*> (?:застряг(?:ла)?)(?: (?:тут|на <object>|в <object>|у <object>|<noun>))
    (?:у мене |в мене |мені )?<adverb*> (?:<object> )?+<adverb*> не (?:виходить|вдається|получається)
      (?: <adverb>)*+(?: (?:розв.?язати|зробити|зрозуміти|перекласти|виконати)(?: <object>)?+)?+
    (?:я )?<adverb*> не можу (?:розв.?язати|зробити|виконати|перекласти) <noun> <adverb*>
    (?:для мене |мені |тут |<object> )(?:для мене |для нас |все |якось |справді )*+(?:занадто |надто |за)
      (?:складн[оаі]\w*|важк[оаі]\w*) <adverb*>
    (?:занадто|надто|дуже) (?:складно|важко) <adverb*>
    (?:мені|для мене) <adverb*> (?:це |тут )?<adverb*> (?:складно|важко|тяжко) <adverb*>
    (?:а )?<modal> <adverb*> (?:пояснити|роз.?яснити|розібрати)(?: <adverb>)*+(?: <object>)?+ <adverb*>
    (?:а )?<modal> пояснити(?: [\w§]++){1,6} (?:ще раз|знову|заново)
    (?:а )?<modal> ще раз про [\w§]++(?: [\w§]++){0,3}+
    це <adverb*> складн(?:е|ий|а|і) <noun>
    (?:а )?що від мене (?:треба|потрібно|вимагається|хочуть)
    <adverb*> (?:поясніть|роз.?ясніть|розтлумачте) (?=\S)(?:<adverb> )*+(?:<object>|<adverb>) <adverb*>
    (?:ще раз|будь ласка|мені) (?:поясніть|поясни)
    поясни (?:мені )?(?:<object> )?+(?:будь ласка|ще раз|знову) <adverb*>
    давайте <adverb*> (?:розберемо|розберем)(?: <object>)?+ <adverb*>
    допоможіть(?: мені| будь ласка| з <object>| <noun>| тут)++(?= *$)
    (?:можете |можеш )допомогти(?: мені)?(?: будь ласка| з <object>| тут| <noun>)*+
    (?:мені )?потрібна (?:ваша )?допомога(?: з <object>| тут)?+
    (?:я )?<adverb*> не знаю (?:що|як|з чого) <here><do> <adverb*>(?: <object>)?+ <adverb*>
    (?:а )?(?:що|як) (?:тут|в цьому завданні|у цій вправі) <here><do>
    (?:а )?що (?:треба|потрібно) (?:тут )?(?:робити|зробити|вставити|вставляти)(?: тут| далі| <noun>)?+
    (?:а )?як (?:це|його|їх|<noun>) (?:робити|розв.?язувати|розв.?язати|робиться)
    ya ne rozumiyu|ne rozumiyu|ne zrozumilo
    """,
    """
    вітаю привіт добрий_день доброго_дня добрий_вечір доброго_вечора добрий_ранок вибачте перепрошую пробачте
    будь_ласка ой ем еее хм ну а і й та але так ні блін вчителю вчителько дякую чесно якщо_чесно здається схоже
    зачекайте стоп ось щось коротше тому отже я можна_ще_раз
    """,
    object=_UK_OBJECT,
    noun=_one_of(_UK_NOUN),
    adverb=_UK_ADVERB,
    modal=_UK_MODAL,
    here=_UK_HERE,
    do=_UK_DO,
)

LANGUAGES: Final = (_ENGLISH, _RUSSIAN, _UKRAINIAN)
