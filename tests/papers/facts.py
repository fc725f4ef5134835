"""What the documents state: fields with their labels and values, and sentences that state nothing of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

LANGUAGES = ("en", "de", "zh")
NAMES = ("vendor", "number", "date", "total", "contact", "phone", "email", "city")
LABELS = {
    "en": ("Vendor", "Invoice no.", "Date", "Total", "Contact", "Phone", "E-mail", "City"),
    "de": (
        "Lieferant",
        "Rechnungsnr.",
        "Datum",
        "Gesamtbetrag",
        "Ansprechpartner",
        "Telefon",
        "E-Mail",
        "Ort",
    ),
    "zh": ("供应商", "发票编号", "日期", "总金额", "联系人", "电话", "邮箱", "城市"),
}
SENTENCES = {
    "en": (
        "The goods remain the property of the seller until they have been paid in full.",
        "Please quote the reference in all correspondence, and let us know within a week if anything is missing.",
        "Delivery takes place on working days between eight and five.",
        "Our office is open every day except Sunday, and coffee is always ready.",
        "The efficient first offer was final: fluffy affine traffic differs in its effects.",
    ),
    "de": (
        "Die Ware bleibt bis zur vollständigen Bezahlung unser Eigentum.",
        "Bitte geben Sie bei allen Rückfragen das Aktenzeichen an und prüfen Sie die Lieferung auf Vollständigkeit.",
        "Die Zustellung erfolgt werktags; größere Lieferungen kündigt die Spedition telefonisch an.",
        "Für außergewöhnliche Schäden übernimmt die Haftpflichtversicherung des Auftragnehmers die Kosten.",
        "Überzahlungen werden gemäß den allgemeinen Geschäftsbedingungen verrechnet.",
    ),
    "zh": (
        "货物在全部货款付清之前仍归卖方所有。",
        "如有任何问题请在一周之内与我们联系并注明合同的名称。",
        "我们在工作日的上午八点到下午五点之间送货。",
        "双方应当本着诚实信用的原则履行各自的义务。",
        "本文件一式两份，双方各执一份，具有同等的效力。",
    ),
}
VENDORS = {
    "en": (
        ("Northwind", "Cobalt", "Larch & Sons", "Fife Office", "O'Hara"),
        ("Ltd", "Trading", "Paper Co.", "Supplies Inc."),
    ),
    "de": (
        ("Müller", "Söhne & Groß", "Nordwind", "Jäger", "Weißenfels"),
        ("GmbH", "AG", "Bürobedarf KG", "e. K."),
    ),
    "zh": (
        ("北京华信", "上海东方", "广州新科", "深圳明达"),
        ("科技有限公司", "贸易有限公司", "电子股份有限公司"),
    ),
}
PEOPLE = {
    "en": (("Ann", "Tom", "Grace", "Oliver"), ("Fisher", "Griffith", "Baker", "O'Neill")),
    "de": (("Jürgen", "Käthe", "Anja", "Götz"), ("Schäfer", "Weiß", "Öztürk", "von Bülow")),
    "zh": (("王", "李", "张", "刘"), ("小明", "建国", "丽华", "文")),
}
CITIES = {
    "en": ("Leeds", "New York", "Sheffield", "Bath"),
    "de": ("Köln", "München", "Bad Gögging", "Görlitz"),
    "zh": ("南京市", "杭州市", "成都市", "天津市"),
}
TITLES = {"en": "Invoice", "de": "Rechnung", "zh": "发票"}
STATED = {
    "en": ("We confirm the {} as ", "The {} is ", "Kindly note the {}: "),
    "de": ("Wir bestätigen: {} ist ", "Als {} gilt ", "Bitte beachten Sie, {}: "),
    "zh": ("{}为", "我方确认{}是", "请注意{}："),
}
CHINESE = (
    "".join(
        "".join(words)
        for words in (
            LABELS["zh"],
            SENTENCES["zh"],
            *VENDORS["zh"],
            *PEOPLE["zh"],
            CITIES["zh"],
            TITLES["zh"],
            STATED["zh"],
        )
    )
    + "年月日¥。，：、您的文件"
)
YEAR = ("January", "", "March", "", "May", "", "July", "", "", "October", "", "December")
MONTHS = tuple(filter(None, YEAR))


@dataclass(frozen=True)
class Fact:
    """A field, what the document calls it, its value as it is spelled there, and as JSON has it by its type."""

    name: str
    label: str
    value: str
    plain: str | float = ""


def facts(draw: random.Random, language: str) -> list[Fact]:
    """Five to eight facts, in any order; no value occurs in another."""
    values = _values(draw, language)
    known = [Fact(*row) for row in zip(NAMES, LABELS[language], *values, strict=True)]
    chosen = draw.sample(known, draw.randrange(5, len(known) + 1))
    return [fact for fact in chosen if sum(fact.value in other.value for other in chosen) == 1]


def _values(draw: random.Random, language: str) -> tuple[list[str], list[str | float]]:
    """The values as they are spelled, and as JSON has them."""
    first, last = PEOPLE[language]
    vendor = (" " if language != "zh" else "").join(map(draw.choice, VENDORS[language]))
    person = (" " if language != "zh" else "").join((draw.choice(first), draw.choice(last)))
    day, month, year = draw.randrange(1, 29), draw.randrange(1, 13), draw.randrange(2019, 2031)
    cents = draw.randrange(100_00, 9_999_99)
    english = f"{cents / 100:,.2f}"
    spelled = [
        vendor,
        f"{draw.choice(('INV', 'RE', 'HT'))}-{year}-{draw.randrange(1000, 10000)}",
        {
            "en": f"{day} {draw.choice(MONTHS)} {year}",
            "de": f"{day:02}.{month:02}.{year}",
            "zh": f"{year}年{month}月{day}日",
        }[language],
        {
            "en": f"{draw.choice('$£€')}{english}",
            "de": f"{english.translate(str.maketrans(',.', '.,'))} €",
            "zh": f"¥{english}",
        }[language],
        person,
        f"+{draw.randrange(20, 99)} {draw.randrange(100, 999)} {draw.randrange(1_000_000, 9_999_999)}",
        f"{draw.choice(('office', 'first.last'))}@{draw.choice(('larch', 'fjord'))}{draw.randrange(100)}.example",
        draw.choice(CITIES[language]),
    ]
    plain: list[str | float] = [*spelled]
    month = YEAR.index(spelled[2].split()[1]) + 1 if language == "en" else month
    plain[NAMES.index("date")] = f"{year}-{month:02}-{day:02}"
    plain[NAMES.index("total")] = cents / 100
    return spelled, plain


def filler(draw: random.Random, language: str, pages: int) -> list[str]:
    """Paragraphs that fill a little less than so many pages of a PDF; one or two for none."""
    paragraphs = draw.randrange(1, 3) if pages == 0 else pages * (9 if language == "zh" else 7) - 5
    many = 3 if pages == 0 else 12
    return [
        (" " if language != "zh" else "").join(draw.choices(SENTENCES[language], k=draw.randrange(1, many)))
        for _ in range(max(1, paragraphs))
    ]
