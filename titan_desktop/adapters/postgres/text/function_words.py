"""Function, question and request words of both languages: they weigh little in a query and carry no hit alone.

A list and not the document frequency: in a home of twenty files «какой» is as rare as the word that was meant.
In the form that `words` gives: lower case, ё as е.
"""

from typing import Final

_RUSSIAN = """
а без бишь благо более больше бы был была были было быть в вам вами вас ваш ваша ваше ваши вашего вашей вашем
вашему ваших вашу вдоль ведь весь во возле вокруг вон вот впрочем все всегда всего всей всем всеми всему всех
всею всю вся вы где да даже две для до другой его ее ей ему если есть еще ею же за зачем здесь и из или им ими
иногда их к каждый каждая каждое каждые кажется как какая какие каким какими каких какое какой каком какому
какую каков какова каково каковы ко когда кого кое который которая которое которые которого которой котором
которому которую которых которым которыми кем ком кому конечно кроме кто куда ли либо лишь между меня мне мной
мною много могу может можно мои моим моими моих мой моя мое моего моей моем моему мою мы на над надо наконец
нам нами нас насчет наш наша наше наши нашего нашей нашем нашему наших нашу не него нее ней нельзя нем нему
несколько нет неужели ни нибудь ним ними них ничего но ну нужно нужен нужна нужны о об обо один одна одни одно
около он она они оно от откуда отчего очень перед по под подо поэтому пока после потому почему почти при про
раз разве с сам сама сами само самый самая самое самые свой своя свое свои своего своей своем своему своих
свою своим своими себе себя сейчас си сквозь сколько со совсем среди так такая такие такое такой также там те
тебе тебя тем теми тех то тобой тобою тогда того тоже той только том тому тот тою ту тут ты у уж уже хоть хотя
чего чей чем через чтоб чтобы чуть чье чьи чья эта эти этим этими этих это этого этой этом этому этот эту я
покажи покажите показать найди найдите найти открой откройте дай дайте скажи скажите расскажи расскажите зовут
звали назови назовите подскажи подскажите напомни напомните хочу пожалуйста стоит стоят лежит лежат находится
находятся является являются
"""
_ENGLISH = """
a about above after again against all also am an and any are as at be because been before being below between
both but by can cannot could did do does doing don down during each else ever few for from further get give go
had has have having he her here hers herself him himself his how i if in into is it its itself just let ll m
me might more most much many must my myself no nor not now of off on once only or other our ours ourselves out
over own please re s same shall she should show so some such t tell than that the their theirs them themselves
then there these they this those through to too under until up us ve very was we were what when where whether
which while who whom whose why will with within without would you your yours yourself yourselves find look
"""

FUNCTION_WORDS: Final = frozenset(f"{_RUSSIAN} {_ENGLISH}".split())
