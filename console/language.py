"""The language of a page: the one that was chosen, else the one that the browser asks for."""

import re

from console.words import WORDS
from life import Standing

LANGUAGES = ("en", "zh")
_GROUP = re.compile(r"[^:：]*[:：] ?")


class Words:
    """The words of one language. `words("orders")`, `words("shown", first=1, last=2, all=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._index = LANGUAGES.index(self.language)
        self.html_lang = ("en", "zh-CN")[self._index]
        self.other = LANGUAGES[1 - self._index]

    def __call__(self, name: str, **values: object) -> str:
        """Return the words of this name, with values put in."""
        return WORDS[name][self._index].format(**values)

    def standing(self, standing: Standing) -> str:
        """Return where an order stands, without the group, which the colour shows."""
        return _GROUP.sub("", standing.value[self._index])

    def either(self, english: str, chinese: str) -> str:
        """Return the one of two texts that is in this language."""
        return (english, chinese)[self._index]


def preferred(accept_language: str) -> str:
    """Return the language that a browser asks for first among ours (RFC 9110, 12.5.4)."""
    best, weight = LANGUAGES[0], 0.0
    for part in accept_language.split(","):
        tag, _, q = part.strip().partition(";")
        try:
            asked = float(q.strip().removeprefix("q=")) if q else 1.0
        except ValueError:
            asked = 0.0
        name = tag.split("-")[0].casefold()
        if name in LANGUAGES and asked > weight:
            best, weight = name, asked
    return best
