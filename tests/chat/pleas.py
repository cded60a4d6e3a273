"""What students write when they are at a loss, and what only sounds alike. Each line is a message of a chat."""

from __future__ import annotations


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


AT_A_LOSS = _lines("""
не понимаю
Не понимаю
я не понимаю
Я вообще ничего не понимаю(((
не понялаааа
Не понял
непонимаю
Извините, я не понял вопрос
Мария Ивановна, я не поняла задание
я не понимаю это правило
не понимаю как это делать
Не понимаю, что тут нужно делать
я запуталась
Ой, я совсем запутался
можете объяснить ещё раз?
Можно ещё раз объяснить?
объясните пожалуйста еще раз
объясни это правило ещё раз
поясни мені це правило ще раз
а можете объяснить попроще?
мне непонятно
Мне не понятно упражнение 5
не понятно почему
У меня не получается
ничего не получается
мне очень сложно
это слишком сложно для меня
не знаю что тут писать
Не знаю, как решать эту задачу
помогите пожалуйста
Здравствуйте! Я не понимаю present perfect. Можете помочь?
не понимаю разницу между since и for
не пойму в чем разница
я не понимаю, когда использовать артикль the
что тут делать?
как это решать
застряла на третьем задании
не очень понятно
я не разобрался с условием
не понимаю слово «although»
не понимаю где ошибка
это очень сложное задание
а что от меня требуется?
можно ещё раз про артикли
не розумію
Я нічого не розумію
Вибачте, я не зрозуміла завдання
не зрозумів 😢
мені не зрозуміло
Незрозуміло((
можете пояснити ще раз?
Поясніть, будь ласка, ще раз
поясніть будь ласка простіше
я заплуталась
Ой, я заплутався у вправі 3
у мене не виходить
не знаю що тут робити
Не знаю, як це зробити
мені дуже важко
це занадто складно
допоможіть будь ласка
Олено Петрівно, я не розумію це правило
не розумію різницю між will і going to
не розумію present simple
що тут треба робити?
не второпаю
поясніть це простими словами
можна ще раз про артиклі?
як це розв'язати?
I don't get it
i dont get it
I don't understand.
Sorry, I don't understand the question
sorry i don't understand exercise nine
i do not understand this exercise
I really don't understand this rule :(
I'm lost
im totally lost
I’m confused
I'm a bit confused about this rule
I'm stuck
I'm stuck on number 3
can you explain again
Could you explain it again, please?
can u explain this one more time
please explain again
Can you help me with this exercise?
I need help
help me please
This is too difficult for me
it's too hard
It doesn't make sense
I have no idea what to do
I don't know how to do it
I don't know what to write here
what am I supposed to do here?
I don't understand the difference between make and do
I didn't understand the last part
Hello! I don't understand exercise 4. Can you explain?
I don't understand "although"
Miss, I can't do task 2
I don't understand why
you lost me
I'm not sure what to do here
im struggling with this one
I still don't get this rule, sorry
""")
"""Somebody would be glad of a word from the teacher."""

SOUNDS_ALIKE = _lines("""
не понимаю, почему ты злишься
Я не понимаю, почему он ушёл
Не понимаю, как люди живут без интернета
я не понимаю своего брата
он не понимает
Она не поняла шутку
Вы не поняли, я про вторник
всё понятно
Понятно, спасибо!
А, теперь понял
раньше я не понимал, а теперь понимаю
теперь всё понятно, спасибо что объяснили
если что-то не понимаю, я смотрю в словарь
как сказать "я не понимаю"?
«Не понимаю» по-английски будет I don't understand
я не понимаю - I don't understand
1. Я не понимаю вопрос.
не понимаю музыку моих родителей
не понимаю как включить микрофон
у меня не получается в среду
не получается сегодня, можно завтра?
не выходит камера включиться
сложно
сложно, но интересно
это было несложно
мне не сложно
не сложно ли перенести на вторник?
я застряла в пробке
объяснить
объясни разницу между массой и весом
что делать вечером, пока не решила
не знаю, приду ли завтра
я не успеваю, давайте завтра
не знаю
помогите бабушке перейти дорогу
мне нужна помощь с чемоданом
я всё поняла
не розумію, чому він пішов
Вона не розуміє мене
Я не розумію своїх сусідів
тепер усе зрозуміло
все зрозуміло, дякую
як сказати «не розумію» англійською?
не розумію = I don't understand
у мене не виходить у четвер
не зрозумів фільм, який ми дивилися
я застрягла в ліфті
мені не важко
пояснити
Поясни різницю між вагою і масою
не знаю, чи прийду завтра
допоможіть дідусеві
I don't understand why he left
I don't understand my husband sometimes
He doesn't understand
She didn't understand the joke
I don't understand people who smoke
I understand
I get it now
oh now I get it, thanks!
I didn't understand it before but now I do
I lost my book
I'm stuck in traffic
I'm stuck at home today
I'm lost in the city and my phone is dead
I was lost
I don't get paid on Fridays
I don't get up early
I'm not sure about Tuesday
She is struggling with her new boss
did you get it?
I don't get it often
Can you explain why she said that?
Can you help me find the station?
I need help with my suitcase
help yourself to some cake
It's too hot
The exam was too hard for him
Is it too difficult?
1) I don't understand you.
a. I'm lost
The opposite of "clear" is "confusing"
How do you say "I'm confused" in Russian?
Do you understand?
Don't you understand?
Don't worry, I'm not confused
I am not lost
no, I'm not stuck
I ___ understand (not)
understand / understood / understood
I don't know
What should I do tonight?
what does it mean to be lost
If I don't understand, I ask my teacher
Sometimes I don't understand native speakers
When I'm stuck I call my sister
I don't understand how to turn on the camera
never mind, I got it
My text is about a man who says he is lost. I don't understand. He walks for hours.
He walks for hours through the forest, nobody hears him, it rains, he says to himself that he gives up, and then he \
stops and says: I don't understand. I'm lost.
""")
"""Exercises, talk about others, appointments, technical trouble, and understanding itself."""
