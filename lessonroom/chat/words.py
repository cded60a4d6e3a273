"""The cue words of three languages: what a word hints at. Pure data, read by ``lexicon``.

A trailing ``*`` marks a stem. A word may stand under several cues. Words of channels (messengers, networks, mail
hosts) are also found transliterated and typed on the wrong keyboard layout; the others only as they stand here.
"""

from __future__ import annotations

from typing import Final


def word_set(text: str) -> frozenset[str]:
    """The words of a text that only lists them."""
    return frozenset(text.split())


CHANNELS: Final = {
    "MESSENGER": (
        "тлг тлгр тлгрм телезі вотс telegram* teleg telega tg tgm tlg tlgr телеграм* телеграмм* телегра* телега "
        "телегу телеге телеги тележка тележку тележке тг тгшка тгшку тэгэ тегеграм телеґрам* whatsapp* watsapp* "
        "whatsap* watsap* whatsup wapp whats_app wattsapp* vatsap* votsap* whazap* вотсап* ватсап* вацап* воцап* "
        "ватцап* вотцап* уотсап* васап* ватс вотсапп* ватсапп* ватсаб* viber* вайбер* вибер* вайбр* viberr vaiber* "
        "vayber* вайб wechat* вичат* signal сигнале icq аська асю аське imo kakao* kakaotalk threema"
    ),
    "CALLAPP": (
        "діскорд* disc дс дискорт skype* skyp scype скайп* скап skipe skajp* skaip* скуре discord* дискорд* дискор* "
        "zoom зум зуме зума зумі зумом facetime* фейстайм* teams тимс тимз hangouts хэнгаутс viberout"
    ),
    "SOCIAL": (
        "инст gram snap фейсбуці фейсбуком контакте вкашечк* инстаграмм* фейс тиктоке ютуб* youtube* vk вк вкашке "
        "вконтакте вконтакт вконтакті vkontakte контактик facebook* facebok фейсбук* фэйсбук* fb фб instagram* "
        "insta инстаграм* инста инсту инсте инсты інстаграм* інста інсту інсті інсти ig запрещенограм* tiktok* "
        "тикток* тікток* snapchat* снапчат* twitter* твиттер* linkedin* линкедин* лінкедін* одноклассник* "
        "одноклассниках tumblr threads"
    ),
    "MAILHOST": (
        "гуглов* гуглівськ* гуглопочт* googlemail гуглпочт* gmail* гмейл* гмайл* джимейл* жмейл* джимайл* гмэйл* "
        "gmeil gmai гугломыл* hotmail* хотмейл* хотмайл* outlook* аутлук* yahoo* яху yandex яндекс* яндексе ukrnet "
        "укрнет укрнеті рамблер* rambler* icloud* айклауд* protonmail* протонмейл* proton mailru майлру мейлру "
        "мэйлру"
    ),
}  # fmt: skip

WHOLE_CHANNELS: Final = {
    "MESSENGER": "telegram телеграм whatsapp вотсап ватсап viber вайбер signal wechat",
    "CALLAPP": "skype скайп discord дискорд діскорд zoom",
    "SOCIAL": "instagram инстаграм інстаграм facebook фейсбук вконтакте vkontakte tiktok тикток snapchat",
    "MAILHOST": "gmail yandex яндекс hotmail outlook rambler icloud",
}  # fmt: skip
"""Names as they stand, to be known in pieces ("te le gram") and backwards."""

CUES: Final = {
    "MAIL": (
        "email* e-mail* mail mails mailbox имейл* емейл* имэйл* емайл* эмейл* и-мейл* е-мейл* почта почту почте "
        "почты почтой почтов* пошта пошту пошті пошти поштою поштов* мыло мылу мыле мыльце мейл* мэйл* майл inbox "
        "електронк* электронк* correo"
    ),
    "PHONE": (
        "phone* telephone* тел телефон* телефончик* тлф тлфн моб мобил* мобільн* сотов* сотка сотку труба трубку "
        "cell cellphone mobile mob tel telefon* celular сімк* симк* симка"
    ),
    "NUMBER": "number* numbers номер* номерок* номерочек num numero цифр* циферк* digits",
    "CALL": (
        "созвон* зідзвон* call calls calling звон* позвон* перезвон* дзвон* подзвон* передзвон* зателефону* "
        "телефонуй* набер* набир* ring sms смс смск* эсэмэс* text texting маякн* звякн* брякн*"
    ),
    "MY": "my mine мой моя мое моё моем моём моего моей мої мій моє моїй мого моєму me мене мну mi i'm im i",
    "ME": "me мне меня мной мені мене мною us нам мну",
    "I": "i я i'm im i'll мы ми we",
    "YOUR": (
        "свой своя свою свое своё свои свій своє свої своїй own your ur yours твой твоя твое твоё твои твою твоего "
        "твоей твоем ваш ваша ваше ваши вашу вашего вашей вашем твій твої твого твоєму вашого вашій вашому tu tuyo"
    ),
    "YOU": "you u ya тебя тебе ты вы вас вам тобі ти ви тобой вами",
    "GIVE": (
        "подскаж* скаж* підкаж* обмен* обмін* give send share drop tell pass leave дай дайте даш дашь дадите скинь "
        "скиньте скинешь скинете скину кинь киньте кину пришли пришлите отправь отправьте скажи скажите подскажи "
        "оставь оставьте оставлю напиши напишите надішли надішліть скажіть залиш залиште залишу дам даю дати дать "
        "продиктуй* диктую диктуй* запиши запишите записывай* запишіть записуй* лови держи ловите тримай* тримайте "
        "вот ось here's exchange swap обменяемся обменяться обміня* поделись поделитесь"
    ),
    "SAVE": (
        "save note write_down запиши запишите записывай* запиш* записуй* лови ловите держи держите сохрани* "
        "збережи* тримай* jot"
    ),
    "ADD": (
        "add добав* дода* добавляйся контакт-лист accept подпиш* підпиш* subscribe follow фоллов* подписывайся "
        "friend друзья друзі"
    ),
    "FIND": (
        "забей забейте набери погуглите пробей ищите вбей вбейте find search lookup look найд* ищи поищи* отыщ* "
        "знайд* шукай* шукайте пошукай* гугли* загугли* погугли* google отыскать найти знайти"
    ),
    "NAME": (
        "фамилией имени прізвище тезка name surname nick* nickname* nik ник ника нике ником никнейм* логин* login* "
        "username* user id айди ідентифікатор имя фамили* прізвищ* ім'я імʼя імені handle* under профил* профіл* "
        "profile* аккаунт* акаунт* account* acc акк зовут звати звуть called named нік ніком логін* юзер* юзернейм*"
    ),
    "WRITE": (
        "написать написати напишу писать писати переписк* переписыва* листува* листуватис* спишем* спілкуємо* "
        "списыва* общаемс* обговоримо discuss talk talking write message* msg dm pm пиши пишите пишіть пишу напиши "
        "напишите напишіть лс личк* лічк* приват* приватк* стукни* стучи* стукай* contact contacts contacting reach "
        "ping hit hmu свяж* связ* зв'яж* зв'яз* звʼяж* спишемся спишемось списаться общаться общаемся спілкуватис* "
        "поболтать inbox директ* direct dms keep in_touch touch связи зв'язку связь"
    ),
    "MOVE": (
        "carry over переехать move switch continue перейд* переход* перейти переберемся переберёмся перебратися "
        "продолжим продолжить продовжимо go встретимся hop jump outside вне поза elsewhere уйдем уйдём свалим "
        "перескочим перекочуем"
    ),
    "PLATFORM": (
        "чата чату этого_чата они их ним them they platform* платформ* сайт сайта сайту сайте сайті сайтом site "
        "website сервис* сервіс* посредник* посередник* площадк* app приложени* admin* админ* модератор* модер* bot "
        "бот фильтр* фільтр* filter*"
    ),
    "AVOID": (
        "кроме крім способ спосіб посредник* посередник* privately вместо instead замість самі сами ourselves own "
        "себя повз между_собой мимо минуя напрямую напрямик directly direct bypass* обход обхід обойти обійти "
        "обійдемо skip avoid* without без outside вне поза минаючи оминаючи напряму off приватно частным частно "
        "лично между"
    ),
    "PAY": (
        "pay paid paying payment* плат* плати* оплат* заплат* платити сплат* перевод* перевед* переведу перекин* "
        "перекаж* переказ* скинь деньги денег гроші money cash наличк* наличны* налом готівк* transfer* charge "
        "расплат* розрахун* рассчит*"
    ),
    "PAYMEANS": (
        "paypal* пейпал* пэйпал* revolut* wise venmo* cashapp* zelle* qiwi* киви юмани yoomoney сбер сбербанк* "
        "сбере монобанк* monobank* моно приват24 приватбанк* тинькоф* tinkoff* карта карту карте карточк* картку "
        "картка картці card iban ибан крипт* crypto* bitcoin* биткоин* usdt кошел* wallet* webmoney* вебмани "
        "payoneer* пайонир* bank банк* сбп bizum pix наличными наличка налик cash"
    ),
    "COMMISSION": "комисси* комісі* commission* fee fees процент* відсот* проценты percentage cut",
    "CHEAP": (
        "вместо instead замість off полцены пів_ціни half дешевле дешевше cheaper discount* скидк* знижк* выгодн* "
        "вигідн* cheap less сэконом* зеконом* економ* эконом*"
    ),
    "STREET": (
        "улиц* ул вулиц* вул street* st str avenue* ave проспект* просп пр-т пр-кт бульвар* бул переулок переулк* "
        "провул* пер road rd lane ln boulevard blvd square шоссе шосе набережн* площад* площ* drive мкр микрорайон* "
        "мікрорайон*"
    ),
    "FLAT": (
        "домофон подъезде під'їзді кв квартир* flat apt apartment* подъезд* під'їзд* этаж* поверх* floor домофон* "
        "house дом дома д будинок буд building bldg door entrance код корпус корп suite unit"
    ),
    "COME": (
        "адресу приезжай* приходи* приезжайте заходи* заезжай* come visit приїжджай* приїзди* заходь* жду чекаю "
        "чекатиму address* адрес* живу live жить мешкаю проживаю meet встретимся зустрінемось зустрінемося приеду "
        "подъехать подъезжай*"
    ),
    "HOME": "домой дома додому вдома home place гости гості",
    "TIME": (
        "час часа часов часам години годин годині годину утра утром вечера вечером дня днём днем ночи ранку вечора "
        "pm am a.m p.m o'clock oclock мин минут* хв хвилин* min mins minutes minute hour hours hr hrs время времени "
        "понедельник* вторник* сред* четверг* пятниц* суббот* воскресень* понеділ* вівтор* серед* четвер* п'ятниц* "
        "субот* неділ* monday* tuesday* wednesday* thursday* friday* saturday* sunday* пн вт ср чт пт сб вс нд mon "
        "tue wed thu fri sat sun завтра сегодня сьогодні вчера tomorrow today tonight январ* феврал* март* апрел* "
        "мая июн* июл* август* сентябр* октябр* ноябр* декабр* січн* лют* берез* квіт* трав* черв* лип* серп* "
        "верес* жовт* листопад* груд* january february march april may june july august september october november "
        "december jan feb mar apr jun jul aug sep sept oct nov dec расписани* розклад* schedule"
    ),
    "MONEY": (
        "руб рубл* р ₽ грн гривен* гривн* uah rub usd $ € £ eur доллар* долар* dollar* euro* євро евро бакс* bucks "
        "тыс тысяч* тис тисяч* thousand* million* миллион* мільйон* млн price* цен* цін* стоит стоим* коштує costs "
        "cost k к pln zł"
    ),
    "EXERCISE": (
        "book books unit* стр страниц* сторінк* стор с page* pp pg упр упражнен* вправ* exercise* ex exercises "
        "task* задан* завдан* задач* problem* глав* chapter* параграф* пункт* п урок раздел* розділ* вопрос* "
        "question* q ответ* відповід* answer* тест* test* вариант* варіант* номера пример* приклад* example* "
        "question line lines row rows quiz paragraph* учебник* підручник* textbook* workbook* домашк* дз homework "
        "hw"
    ),
    "MATH": (
        "медиан* медіан* median моду мода мод average mean mode ряд среднее середнє точно число числа чисел "
        "prime простое просте divisible делится ділиться миллион* мільйон* млн million* мільярд*  "
        "миллиард* billion* нечетн* непарн* четн* even odd реша* порядк* order розв'яз* дели* делим раздели* "
        "подели* остаток остатк* остач* разряд* цифрам* вычти отним* прибав* додай відніми remainder nearest digit "
        "плюс минус мінус plus minus равно равен дорівнює equals equal умножить умножь помнож* times multiply "
        "multipl* раздел* делить поділи* divided divide sum сумм* суму корень корінь root степен* ступін* power "
        "squared квадрат* процентов percent % sin cos tan log формул* formula уравнен* рівнян* equation* дробь "
        "дроб* fraction* вычисл* обчисл* calculate compute решаем реши* решение розв'яж* розвʼяж* solve solution x "
        "y mod вектор* матриц* matrix округл* round"
    ),
    "UNITS": (
        "км м кг г гр л мл см мм km kg g m cm mm ml miles mile градус* degrees лет год года году годы рік роки "
        "років year* человек людей people чел шт штук pcs раз разів баллов балл* балів points point очков очк* "
        "score* счет счёт рахунок гб mb gb kb hz ghz watts watt вт volts калори* calories мб px dpi слов слів words "
        "знаков"
    ),
    "IDENT": (
        "users table tables field fields поле поля таблиц* column columns столбец стовпець self null none print "
        "выведет выведи виведе localhost переменн* змінн* variable const array массив* функци* function console "
        "select isbn issn ip version* верси* версі* v код коду коде code codes password* парол* пин пін pin order* "
        "заказ* замовл* паспорт* инн port порт python java windows iphone модель моделі model* рейс* flight ielts "
        "toefl gmat № тираж гост iso rfc арт артикул* sku билет* квит* трек track tracking hash error* ошибк* uuid "
        "doi wifi вайфай wi-fi room кабинет* аудитор* кабінет* inventory serial серийн* температур* constant "
        "константа π pi"
    ),
    "TOPIC": (
        "переведи переведите перекладіть переклади переклад* translat* диалог* діалог* dialogue* sentence* "
        "предложени* речення речень слово слова словом word word's означает означа* значит* means mean meaning "
        "называется называють called сказать сказати say essay* эссе есе сочинени* твір letter* письмо письма "
        "письме листа лист тем* topic* подкаст* podcast* видео відео video* упражнении друг другу друзям friend* "
        "текст* тексте тексті грамматик* граматик* grammar слов* vocabulary spelling пишется пишеться пишут spell "
        "spelled pronoun* pronounce* произнос* вимов* verb* глагол* дієслов* artic* артикл* любим* улюблен* "
        "favourite favorite film* фильм* фільм* книг* game* игр* грі гра story article стать* новост* новин* news "
        "диктант* dictation phrase* фраз* past present perfect роль role play roleplay имею ввиду textbook "
        "вимовляється idiom* идиом* символ* symbol* знак* история истори* історі* history advert* реклам* компани* "
        "компані* company изобрет* основал* акци* stock* founder* ceo"
    ),
    "LESSON": (
        "teach teaching урок* lesson* заняти* занятт* занима* class classes курс* course* репетитор* tutor* "
        "teacher* учител* вчител* преподав* student* учени* учн* занятие"
    ),
    "HINTAPP": (
        "приложении приложение приложения застосунок застосунку app apps мессенджере самолетик* самолётик* "
        "самолетике літачок літачк* самолётиком мессенджер* месенджер* messenger* соцсет* соцмереж* socials"
    ),
    "SECRET": (
        "частями частинами кусками parts половину половина half first_part начинается начало починається початок "
        "первые перша вторая друга starts ends заканчивается конце кінці склей склейте glue сложи склади собери "
        "зібери буквы літери letters режут вырез* скрыва* хитро filter sneak секрет* обфус* завуал* намек* намёк* "
        "палить* блокир* бан банят забан* банить догадайся угадай зашифр* шифр* block blocks blocked censor* "
        "запрещ* заборон* нельзя guess encrypt* decode закодир* пропуск* пробел* слитно слитном разом together "
        "задом"
    ),
    "REVERSE": "backwards наоборот навпаки revers* задом зворотн* обратном",
    "HUE": (
        "paper plane бумажн* паперов* син* голуб* блакитн* зелен* зелён* фиолет* фіолет* сирен* бузков* purple "
        "green blue ghost призрак* привидени* bird птичк* ticks галочк* букву букви літеру"
    ),
    "LETS": (
        "давай давайте лучше краще better lets let's let shall можем может може предлагаю пропоную удобнее зручніше "
        "easier rather"
    ),
    "DETAILS": "контакты контактами контакти контактів координат* contacts details contact",
    "ASK": (
        "как як можна what what's whats wats wat's which whose какой какая какие какое каков який яка яке які куда "
        "кудою де где have можно узнать дізнатися получить отримати may could"
    ),
    "HAVE": "есть є have got are сидишь сидите",
    "FRAME": (
        "диалог* діалог* dialogue* dialog учебнике підручнику textbook задании завданні пример* приклад* example* "
        "sample образец образцу зразок зразком роль ролі role формальн* официальн* офіційн* official formal герой "
        "героиня героїня героя персонаж* character* говорит каже says said блогер* blogger* тема темы теми topic "
        "сочинени* твір эссе есе essay по-английски англійською упражнении вправі exercise предложени* речення "
        "sentence"
    ),
    "NOTE": "не нет not don't dont doesn't isn't cannot нельзя никогда never нікому никому",
    "ATWORD": (
        "собака собачка собаку собачку собаки собачкой собакой собако песик пёсик равлик равлика равликом arroba "
        "małpa malpa kuyruklu chiocciola ат эт ет sobaka sobachka ravlik гав гавгав dog эдд этт doggy слоник"
    ),
    "ATWEAK": "at ät",
    "DOTWORD": (
        "точка точку точкой крапка крапку крапкою крапочка точечка punto kropka nokta ponto tochka krapka дот точк "
        "dot period тчк"
    ),
    "TLDWORD": "юа ком нет ру орг com ru ua net org уа рф io me by бай kz info biz pl de su uk eu fr es co кам нэт",
    "SLASH": "слеш слэш слэшь slash дробь",
    "UNDERSCORE": "underscore подчеркивание подчёркивание андерскор підкреслення нижнее земля",
    "DASH": "дефис тире дефіс dash hyphen минус",
    "FILLER": (
        "теперь тепер now сейчас потом затем дальше далее и а й та і then and next далі потім ещё еще тогда после у "
        "y followed by"
    ),
    "LINKWORD": "link* ссылк* ссылочк* посилан* линк* url сайт site website blog* блог* канал* channel* page страничк*",
    "MEETID": "meeting* conference* конференц* passcode идентификатор* zoom зум",
    "FULLNUM": "плюс plus +",
    "LETTER": (
        "ay bee cee dee gee aitch jay kay el em en pee cue ess tee vee zed zee ar эй би си ди джи эйч джей кей эль "
        "эм эн оу пи кью эс ти ви икс уай зед зет бэ вэ гэ дэ жэ зэ эл пэ эр тэ эф цэ че ша ем ел ер ес еф дабл "
        "дабл-ю игрек ігрек букву букві літеру буква літера letter capital"
    ),
}  # fmt: skip

EMOJI: Final = {
    "📞": ("PHONE",), "☎": ("PHONE",), "📱": ("PHONE",), "📲": ("PHONE",), "🤙": ("PHONE",), "✉": ("MAIL",),
    "📧": ("MAIL",), "📩": ("MAIL",), "📨": ("MAIL",), "✈": ("HINTAPP",), "🛩": ("HINTAPP",), "🐶": ("ATWORD",),
    "🐕": ("ATWORD",), "🐌": ("ATWORD",), "🐩": ("ATWORD",), "💳": ("PAYMEANS",), "🏠": ("HOME",), "📍": ("COME",),
    "⚫": ("DOTWORD",), "•": ("DOTWORD",), "·": ("DOTWORD",), "∙": ("DOTWORD",), "●": ("DOTWORD",), "。": ("DOTWORD",),
}  # fmt: skip
