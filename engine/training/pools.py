"""Pools of surface values (names, places, products …), split by hash into a training and a held-out half."""

from __future__ import annotations

import hashlib
import random
import re
import string
from dataclasses import dataclass
from pathlib import Path

from faker import Faker
from mimesis import Food, Hardware, Text
from mimesis.locales import Locale

from training.phrases import LANGUAGE_NAMES


def _words(text: str) -> list[str]:
    return text.split()


LOCALES = ["en_US", "en_GB", "de_DE", "pl_PL", "fr_FR", "it_IT", "en_IN", "nl_NL", "es_ES"]
VOCABULARY = Path(__file__).with_name("vocabulary.txt")
TEXT_LOCALES = {"en": Locale.EN, "de": Locale.DE, "fr": Locale.FR, "es": Locale.ES}
GOODS = _words(
    "chair desk lamp cable monitor keyboard mouse printer paper toner screw hinge bolt panel filter pump valve hose "
    "bracket shelf drawer cabinet coffee tea sugar flour rice soap towel blanket bottle glass plate bowl knife fork "
    "ticket licence subscription consulting training installation repair cleaning delivery transport support hosting "
    "design translation inspection maintenance workshop battery charger sensor switch router adapter helmet glove "
    "boot jacket shirt trousers scarf notebook pencil marker folder envelope stamp label box pallet brick tile paint "
    "brush ladder drill saw hammer nail rope tape glue seal gasket bearing belt wheel tyre brake mirror"
)
QUALITIES = _words(
    "oak steel blue red black white green small large heavy light used new annual monthly wireless double single "
    "outdoor indoor industrial organic premium basic spare custom left right front rear wooden plastic copper round "
    "square long short electric digital manual portable safety office kitchen garden medical"
)
TRADE_WORDS = _words(
    "Blue Silver Golden Green Northern Southern Royal Harbor Harbour Summit River Oak Maple Cedar Stone Bright Clear "
    "Urban Alpine Coastal Central Lake Forest Sunny Winter Spring Summer Autumn Red White Black Modern Global Local "
    "First Grand Little Old New Eastern Western Iron Copper Crystal Quiet Rapid Prime Pioneer Atlas Delta Falcon Fox "
    "Lion Eagle Orchard Meadow Valley Hill Bridge Tower Gate Market Castle Anchor Beacon Lantern Compass Comet Polar"
)
TRADES = _words(
    "Logistics Foods Coffee Roasters Bakery Motors Electronics Furniture Consulting Software Systems Textiles Printing "
    "Plumbing Heating Insurance Realty Dental Pharmacy Hotels Travel Airlines Energy Solar Optics Tools Books Media "
    "Studios Design Labs Partners Ventures Catering Gardens Farms Dairy Brewery Cycles Sports Toys Interiors Flooring"
)
COMPANY_FORMS = _words("Ltd Inc. LLC GmbH AG SARL S.L. B.V. Group Corp. Co. plc")
SUBJECTS = _words(
    "Photography Accounting Marketing Robotics Cooking Gardening Statistics Leadership Security Design Chemistry "
    "History Painting Writing Economics Nursing Logistics Programming Safety Pottery Yoga Finance Music Astronomy "
    "Biology Carpentry Negotiation Typography Sustainability Teamwork Quality Compliance Strategy Hiring Onboarding"
)
OCCASIONS = _words(
    "Workshop Conference Meetup Summit Seminar Webinar Festival Fair Course Kickoff Review Retreat Exhibition Gala "
    "Hackathon Bootcamp Forum Launch Celebration Lecture Survey Project Programme"
)
TASK_VERBS = _words(
    "order repair check replace clean send update review prepare print install return pack test paint write book call "
    "schedule approve sign translate publish archive measure count collect deliver inspect draft finish cancel"
)
FAULTS = [
    "Blank screen", "Wrong price", "Error message", "Slow response", "Crash", "Timeout", "Missing data", "Broken link",
    "Login fails", "Duplicate charge", "No sound", "Double booking", "Lost settings", "Printer offline",
]  # fmt: skip
SYLLABLES = _words(
    "ka lo mi ran tor vek su ni del bra quo zef yr pol gan ti hu xel or ba fen shi wu mar dro cel pi tha un ost"
)
_PSEUDO = re.compile(f"(?:{'|'.join(SYLLABLES)}){{2,4}}", re.IGNORECASE)  # what `pseudo` makes is in no pool


def held_out(text: str, share: int = 10) -> bool:
    """Is this text in the held-out half? One in `share` is, by hash, whatever the seed."""
    return int(hashlib.md5(f"x{text}".encode()).hexdigest(), 16) % share == 0


@dataclass(frozen=True)
class Pools:
    """Values by kind; `train` and `held` never share one."""

    train: dict[str, list[str]]
    held: dict[str, list[str]]

    def side(self, held: bool) -> dict[str, list[str]]:
        return self.held if held else self.train


def make_pools(seed: int = 0, size: int = 6000) -> Pools:
    """Draw about `size` values of each kind and split them."""
    Faker.seed(seed)
    world, english = Faker(LOCALES), Faker("en_US")
    towns = Faker(
        [locale for locale in LOCALES if locale != "it_IT"]
    )  # Italian ones follow the process's hash seed
    rng = random.Random(seed)
    values = {
        "person": [_person(rng, world) for _ in range(2 * size)],
        "first_name": [world.first_name() for _ in range(size // 2)],
        "city": [towns.city() for _ in range(size)],
        "company": [world.company() for _ in range(size // 2)]
        + [_company(rng, world) for _ in range(size // 2)],
        "title": [_title(rng) for _ in range(size)],
        "task": [_task(rng, english) for _ in range(size)],
        "email": [world.email() for _ in range(size)],
        "street": [world.street_address().replace("\n", " ") for _ in range(size)],
        "job": [english.job().lower() for _ in range(size)],
        "country": [english.country() for _ in range(size // 4)],
        "color": [english.color_name() for _ in range(size // 4)],
        "word": [english.word() for _ in range(size)],
        "goods": _goods(rng, size),
        "dish": _dishes(seed, size // 4),
        **_sentences(seed, size // 6),
        **_vocabulary(),
        "language": LANGUAGE_NAMES,
    }
    halves = {
        kind: _split(sorted(one for one in set(drawn) if not _PSEUDO.fullmatch(one)))
        for kind, drawn in values.items()
    }
    given_away = {text for _, held in halves.values() for text in held}  # by small pools that had to
    return Pools(
        train={
            kind: [text for text in train if text not in given_away] for kind, (train, _) in halves.items()
        },
        held={kind: held for kind, (_, held) in halves.items()},
    )


def _split(values: list[str]) -> tuple[list[str], list[str]]:
    """Training and held-out values; a small pool gives away one, so that neither half is empty."""
    held = [value for value in values if held_out(value)] or values[:1]
    kept = set(held)
    return [value for value in values if value not in kept], held


def pseudo(rng: random.Random) -> str:
    """A capitalised word that exists nowhere: it can be copied, not remembered."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4))).capitalize()


def code(rng: random.Random) -> str:
    """An identifier such as KL1023, INV-2026-0042, #4471 or 4B."""
    letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 3)))
    digits = "".join(rng.choices(string.digits, k=rng.randint(2, 5)))
    form = rng.random()
    if form < 0.35:
        return letters + rng.choice(["", "-", "-", " "]) + digits
    if form < 0.5:
        return f"{letters}-{rng.randint(2015, 2030)}-{digits}"
    if form < 0.65:
        return f"{digits}{rng.choice(['/', '-', ''])}{rng.choice(string.ascii_uppercase)}"
    if form < 0.75:
        return f"{rng.randint(2015, 2030)}{rng.choice('/-')}{digits}"
    return digits + "".join(rng.choices(string.digits, k=rng.randint(0, 4)))


def _person(rng: random.Random, world: Faker) -> str:
    """Two names mostly; a middle name, an initial or a double name now and then."""
    first, last, form = world.first_name(), world.last_name(), rng.random()
    if form < 0.78:
        return f"{first} {last}"
    if form < 0.86:
        return f"{first} {world.first_name()} {last}"
    if form < 0.93:
        return f"{first} {rng.choice(string.ascii_uppercase)}. {last}"
    return f"{first} {last}-{world.last_name()}"


def _company(rng: random.Random, world: Faker) -> str:
    """A trade name of several words."""
    names = rng.choices(TRADE_WORDS, k=2)
    trade, kind = rng.choice(TRADES), rng.choice(COMPANY_FORMS)
    form = rng.random()
    if form < 0.3:
        return f"{names[0]} {names[1]} {trade}"
    if form < 0.5:
        return f"{world.last_name()} & {rng.choice(['Sons', 'Partners', 'Co.', world.last_name()])} {trade}"
    if form < 0.7:
        return f"{names[0]} {trade} {kind}"
    if form < 0.85:
        return f"The {names[0]} {trade} Company"
    return f"{names[0]}{names[1].lower()} {kind}"


def _title(rng: random.Random) -> str:
    """The name of an event, a course, a project or a book."""
    first, second = rng.choice(TRADE_WORDS), rng.choice(SUBJECTS)
    forms = [
        f"{first} {second} {rng.choice(OCCASIONS)}",
        f"{second} {rng.choice(OCCASIONS)} {rng.randint(2019, 2030)}",
        f"Introduction to {second}",
        f"{second} for {rng.choice(['Beginners', 'Managers', 'Families', 'Teams', 'Professionals'])}",
        f"The {first} {rng.choice(['Garden', 'House', 'River', 'Letter', 'Road', 'Mountain', 'Secret'])}",
        f"{first} {rng.choice(OCCASIONS)}",
        f"{second} and {rng.choice(SUBJECTS)}",
        f"{rng.choice(OCCASIONS)} on {second}",
    ]
    title = rng.choice(forms)
    return title if rng.random() < 0.8 else title[0] + title[1:].lower()


def _task(rng: random.Random, english: Faker) -> str:
    """Something to do, or something that went wrong."""
    thing, verb = rng.choice(GOODS), rng.choice(TASK_VERBS)
    forms = [
        f"{verb} the {thing}",
        f"{verb} the {rng.choice(QUALITIES)} {thing}",
        f"{verb} {english.word()} and {english.word()}",
        f"{verb} the {english.word()} {rng.choice(['report', 'plan', 'budget', 'contract', 'page', 'draft', 'list'])}",
        f"{rng.choice(FAULTS)} after {rng.choice(['update', 'login', 'restart', 'delivery', 'checkout', 'payment'])}",
        f"{thing} {rng.choice(['is broken', 'does not work', 'arrived damaged', 'is missing', 'makes noise'])}",
        f"{rng.choice(FAULTS)} on {english.word()} page",
    ]
    task = rng.choice(forms)
    return task[0].upper() + task[1:] if rng.random() < 0.6 else task


def _goods(rng: random.Random, size: int) -> list[str]:
    forms = [
        lambda: rng.choice(GOODS),
        lambda: f"{rng.choice(QUALITIES)} {rng.choice(GOODS)}",
        lambda: f"{rng.choice(QUALITIES)} {rng.choice(QUALITIES)} {rng.choice(GOODS)}",
        lambda: f"{rng.choice(GOODS)} {rng.choice(GOODS)}",
        lambda: f"{rng.choice(GOODS)} {rng.choice(string.ascii_uppercase)}{rng.randint(1, 99)}",
        lambda: (
            f"{rng.choice(GOODS)} {rng.randint(1, 50)} {rng.choice(['mm', 'cm', 'kg', 'ml', 'm', 'pcs'])}"
        ),
    ]
    drawn = [rng.choice(forms)() for _ in range(size)]
    return [text[0].upper() + text[1:] if rng.random() < 0.55 else text for text in drawn]


def _dishes(seed: int, size: int) -> list[str]:
    drawn: list[str] = []
    for locale in TEXT_LOCALES.values():
        food, hardware = Food(locale, seed=seed), Hardware(seed=seed)
        drawn += [food.dish() for _ in range(size // 4)] + [food.fruit() for _ in range(size // 8)]
        drawn += [food.vegetable() for _ in range(size // 8)] + [
            hardware.phone_model() for _ in range(size // 8)
        ]
    return [text.replace('"', "") for text in drawn]


def _sentences(seed: int, size: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for language, locale in TEXT_LOCALES.items():
        text = Text(locale, seed=seed)
        drawn = [text.sentence().replace("\n", " ") for _ in range(size)]
        found[f"sentence_{language}"] = [sentence for sentence in drawn if len(sentence) < 140]
    return found


def _vocabulary() -> dict[str, list[str]]:
    """Pools `item …` of what lists are made of: skills, ingredients, symptoms."""
    lines = VOCABULARY.read_text("utf-8").splitlines()
    pairs = (line.partition(": ") for line in lines if line and not line.startswith("#"))
    return {f"item {kind}": items.split("; ") for kind, _, items in pairs}
