"""The numbers that a text may state, as JSON spells them: 1.234,50 is 1234.50, twelve is 12.

A number is read as a whole, with its exponent (1e-9) and the word behind it that says how many (1.5 million). Where a
point or a comma may either group thousands or begin a fraction, the other numbers of the text decide; if they do not,
both readings are given. Only digits that are no number together (3.4.5) are read one by one.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache

from structgen.reading.statement import Statement

NUMBER = re.compile(r"\d+(?:[.,'’٫٬]\d+|[ \u00a0\u202f\u2009]\d{3}(?!\d))*")
_SEPARATOR = re.compile(r"\D")
_EXPONENT = re.compile(r"[eE]([+-]?\d{1,2})(?!\w|[.,]\d)")
_SCALES = {
    3: "thousand tsd tausend mila duizend",
    6: "million millions mio mn millionen millones millón milioni milione milhões milhão miljoen milionów miliony",
    9: "billion billions bn mrd milliarde milliarden milliard milliards miliardi miliardo miljard miliardów miliardy",
    12: "trillion trillions tn billionen billones",
}
_SCALED = {name: power for power, names in _SCALES.items() for name in names.split()}
_SCALE = re.compile(
    rf"[ \u00a0\u202f]?({'|'.join(sorted(_SCALED, key=len, reverse=True))})(?!\w)", re.IGNORECASE
)
_LETTER = re.compile(r"([kKM])(?!\w)")  # behind an amount of money
_LETTERS = {"k": 3, "K": 3, "M": 6}
_MONEY = re.compile(r"[$€£¥₹]\s?$")
_MINUS = "−"  # the sign of mathematics, which is no hyphen
NEGATIVE = re.compile(
    r"(?:\A|[(\[{=:<>,;]|[^\W\d] |[=:,;] )-$"
)  # a hyphen between a word and digits that it touches
_AMOUNT_BEFORE = re.compile(r"\d\W*(?:[A-Z]{3}\W*)?\($")  # and perhaps its currency
_FOREIGN = str.maketrans("٫٬", ".,")  # the separators that go with Arabic digits
MARKS = ".,"  # may begin a fraction
THOUSAND = 3  # digits of a group
MOST_POWER = 30  # of ten, that an exponent says

_ONES = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn",
    "fr": "zéro - deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf",
    "es": "cero - dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve",
}  # - where the word is an article too
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante soixante-dix quatre-vingts quatre-vingt-dix",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
# words that mean something else in another language count only beside other words of their own
_ELSEWHERE = {
    "one": re.compile(r"(?!)"),  # mostly stands for something that was named before
    **dict.fromkeys(("once",), re.compile(r"\b(?:el|los|las|del|por|una|de|y)\b", re.IGNORECASE)),
    **dict.fromkeys(
        ("sept", "six"), re.compile(r"\b(?:le|la|les|des|du|une|est|et|pour|the|of|and|for)\b", re.IGNORECASE)
    ),
    **dict.fromkeys(("elf", "null"), re.compile(r"\b(?:der|die|das|und|für|mit|um)\b", re.IGNORECASE)),
}


def in_digits(found: Sequence[re.Match[str]]) -> Iterator[Statement]:
    """Every reading of the numbers of a text in digits, from all matches of NUMBER in it."""
    marks = _points([match.group() for match in found])
    behind = 0
    for match in found:
        if match.start() < behind:
            continue
        number, (power, behind) = _latin(match.group()), _scale(match)
        for value in dict.fromkeys(_scaled(one, power) for one in _readings(number, marks)):
            for sign in _signs(match):
                yield Statement(sign + value, match.start(), behind)


def in_words(found: Sequence[re.Match[str]]) -> Iterator[Statement]:
    """The numbers of a text in words, from all matches of `names` in it.

    Words that follow each other are one larger number, which is not read in parts.
    """
    if not found:
        return
    between = [_goes_on(one, other) for one, other in itertools.pairwise(found)]
    for match, before, behind in zip(found, [False, *between], [*between, False], strict=True):
        name = match.group().casefold().replace(" ", "-")
        known = name not in _ELSEWHERE or _ELSEWHERE[name].search(match.string)
        if known and not before and not behind:
            yield Statement(str(_words()[name]), *match.span())


def _goes_on(one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether two number words are parts of one number: two hundred and fifty."""
    join = one.string[one.end() : other.start()]
    return join in (" ", "-") or (join == " and " and one.group().casefold().endswith("hundred"))


def _latin(text: str) -> str:
    """Digits of any script as 0 … 9."""
    return "".join(str(unicodedata.digit(one)) if one.isdigit() else one for one in text.translate(_FOREIGN))


def _scale(match: re.Match[str]) -> tuple[int, int]:
    """The power of ten that stands behind a number, 0 if none does, and where the number with it ends."""
    text, end = match.string, match.end()
    apart = not text[: match.start()][-1:].isalpha()
    exponent = _EXPONENT.match(text, end) if apart else None
    if exponent is not None and abs(int(exponent[1])) <= MOST_POWER:
        return int(exponent[1]), exponent.end()
    if scale := _SCALE.match(text, end):
        return _SCALED[scale[1].casefold()], scale.end()
    letter = _LETTER.match(text, end) if _MONEY.search(text, 0, match.start()) else None
    return (0, end) if letter is None else (_LETTERS[letter[1]], letter.end())


def _scaled(value: str, power: int) -> str:
    """A number times a power of ten, without an exponent."""
    if not power:
        return value
    found = f"{Decimal(value).scaleb(power):f}"
    return found.rstrip("0").rstrip(".") if "." in found else found


def _signs(match: re.Match[str]) -> Sequence[str]:
    """The signs that a number may have: a minus before it, a hyphen that may be one, or brackets around an amount.

    Brackets are a minus in accounts; behind a number they may hold the same amount once more.
    """
    text = match.string
    before, behind = text[max(0, match.start() - 2) : match.start()], text[match.end() : match.end() + 1]
    if before[-1:] == _MINUS and not before[:-1].isdigit():
        return ("-",)
    if before[-1:] == "-" and not before[:-1].isalnum():
        return ("", "-")
    amount = before[-1:] == "(" and behind == ")" and re.search(r"[.,]\d\d$", match.group())
    again = amount and _AMOUNT_BEFORE.search(text, max(0, match.start() - 12), match.start())
    return ("", "-") if again else ("-",) if amount else ("",)


def _points(numbers: Iterable[str]) -> str:
    """The separator that begins fractions, if the numbers tell: one that cannot group thousands; both otherwise."""
    certain: set[str] = set()
    for number in map(_latin, numbers):
        groups, marks = _SEPARATOR.split(number), _SEPARATOR.findall(number)
        last, before = (marks[-1], marks[:-1]) if marks else ("", [])
        if len(marks) > 1 and last in MARKS and _grouped(groups, marks):
            certain.add(MARKS.replace(last, ""))
            continue
        cannot_group = before or len(groups[-1]) != THOUSAND or groups[0].startswith("0")
        if last and last in MARKS and last not in before and _grouped(groups[:-1], before) and cannot_group:
            certain.add(last)
    return "".join(certain) if len(certain) == 1 else MARKS


def _grouped(groups: Sequence[str], marks: Sequence[str]) -> bool:
    """Whether digits are one number: without marks, or in groups of thousands with one kind of mark between them."""
    return not marks or (
        len(set(marks)) == 1
        and 1 <= len(groups[0]) <= THOUSAND
        and not groups[0].startswith("0")
        and all(len(group) == THOUSAND for group in groups[1:])
    )


def _readings(number: str, points: str) -> Iterator[str]:
    """The meanings of digits with separators: as one number, the last group as a fraction; each group if neither."""
    groups, marks = _SEPARATOR.split(number), _SEPARATOR.findall(number)
    if not marks:
        yield _plain(number)
        return
    last, found = marks[-1], False
    if _grouped(groups, marks) and (len(marks) > 1 or last not in points or points == MARKS):
        yield _plain("".join(groups))
        found = True
    fraction = last in MARKS and last not in marks[:-1] and _grouped(groups[:-1], marks[:-1])
    if fraction and (last in points or not found):
        whole, part = _plain("".join(groups[:-1])), groups[-1]
        yield from dict.fromkeys((f"{whole}.{part}", f"{whole}.{part.rstrip('0') or '0'}"))
        found = True
    if not found or " " in marks:  # a blank may stand between two numbers
        for piece in number.split(" ") if found else groups:
            yield from _readings(piece, points)


def _plain(digits: str) -> str:
    return digits.lstrip("0") or "0"


@cache
def _words() -> Mapping[str, int]:
    """Number words below 1,000 of English, German, French and Spanish in lower case, their parts joined by hyphens."""
    found: dict[str, int] = {}
    for language, ones in _ONES.items():
        names, tens = ones.split(), list(enumerate(_TENS[language].split(), 2))
        found |= {name: at for at, name in enumerate(names) if name != "-"}
        found |= {name: 10 * at for at, name in tens}
        for at, ten in tens:
            found |= {_joined(language, ten, names[one], one): 10 * at + one for one in range(1, 10)}
    names = _ONES["en"].split()
    found |= {"hundred": 100} | {f"{names[one]}-hundred": 100 * one for one in range(1, 10)}
    return found


def _joined(language: str, ten: str, name: str, one: int) -> str:
    """A ten and a one in a language's own order."""
    if language == "de":
        return f"{'ein' if one == 1 else name}und{ten}"
    if language == "es":
        name = "uno" if one == 1 else name
        return f"veinti{name}" if ten == "veinte" else f"{ten}-y-{name}"
    if language == "fr":
        return f"{ten.removesuffix('s')}-et-un" if one == 1 else f"{ten.removesuffix('s')}-{name}"
    return f"{ten}-{name}"


@cache
def names() -> re.Pattern[str]:
    """The pattern of number words."""
    known = "|".join(name.replace("-", "[- ]") for name in sorted(_words(), key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{known})(?![\w-])", re.IGNORECASE)
