"""What the pages say, in the reader's language. The English sentence is the key; a language is one file of `languages/`.

Its table `words` holds what the pages say by themselves, `told` what core and our own methods say.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import attrs

ENGLISH = "en"
_GAP = re.compile(r"\\\{[a-z_]+\\\}")
_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z0-9])")
LEAST = 6
"""Characters that a sentence with gaps has beside them, to be known by."""
TOLD_IN = frozenset({"reason", "said", "why"})
"""The gaps that hold a sentence again; the others hold names and numbers, which stay as they are."""
LONGEST = 2_000
"""Characters of a sentence of core's that are looked at for a translation."""


@attrs.frozen
class Words:
    """Says a sentence in one language.

    Attributes:
        language: Its tag (BCP 47).
        known: English sentence -> the same in this language.
    """

    language: str = ENGLISH
    known: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def __call__(self, english: str, **given: object) -> str:
        """Return the sentence *english* with its gaps filled, `{user}` by *user*."""
        said = self.known.get(english, english)
        for name, value in given.items():
            said = said.replace("{" + name + "}", str(value))
        return said

    def told(self, text: str) -> str:
        """Return finished sentences, which core or a method made, in this language, each where it is one that is known."""
        if not self.known or len(text) > LONGEST:
            return text
        if text in self.known:
            return self.known[text]
        return " ".join(map(self._said, _SENTENCES.split(text)))

    def _said(self, sentence: str) -> str:
        if sentence in self.known:
            return self.known[sentence]
        for pattern, said in _patterns(self.language):
            if (found := pattern.fullmatch(sentence)) is not None:
                return self._filled(said, found.groupdict())
        return sentence

    def _filled(self, said: str, gaps: Mapping[str, str]) -> str:
        told = {name: self.told(text) if name in TOLD_IN else text for name, text in gaps.items()}
        return re.sub(r"\{([a-z_]+)\}", lambda gap: told.get(gap[1], gap[0]), said)


@functools.cache
def languages() -> tuple[str, ...]:
    """Return the tags of the languages that there are, English first."""
    names = sorted(one.name.removesuffix(".toml") for one in (files(__package__) / "languages").iterdir())
    return (ENGLISH, *(name for name in names if re.fullmatch("[a-z]{2}", name)))


@functools.cache
def words(language: str) -> Words:
    """Return what says a sentence in *language*; in English where it is not known."""
    if language == ENGLISH or language not in languages():
        return Words()
    text = (files(__package__) / "languages" / f"{language}.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    return Words(language, {**tables["told"], **tables["words"]})


@functools.cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the sentences with gaps, as patterns; a gap holds no line break, and matches as little as it can."""
    made = []
    for english, said in words(language).known.items():
        if "{" in english and len(re.sub(r"\{[a-z_]+\}", "", english)) >= LEAST:
            gaps = re.sub(_GAP, lambda gap: f"(?P<{gap[0][2:-2]}>[^\n]+?)", re.escape(english))
            made.append((re.compile(gaps), said))
    return tuple(made)


def preferred(header: str) -> str:
    """Return which language an `Accept-Language` header (RFC 9110) asks for, of those there are."""
    wishes = []
    for number, part in enumerate(header[:500].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), number, tag[:2].lower()))
        except ValueError:
            continue
    known = languages()
    return next((tag for _, _, tag in sorted(wishes) if tag in known), ENGLISH)
