"""Formats, by tables of what is and is not in them; and what is in them is read by Python."""

from __future__ import annotations

import calendar
import datetime
import json
import random
import shutil
import subprocess
import warnings

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

import structgen
from conformance.sampler import Sampler
from structgen.grammar import Grammar
from structgen.sources.json_schema import idn
from structgen.sources.json_schema.formats import FORMATS
from structgen.sources.languages import contains

TABLE = {
    "date": (
        ["2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01", "9999-04-30"],
        [
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "2024-13-01",
            "2024-1-01",
            "0000-01-01",
            "2024-01-00",
            "24-01-01",
        ],
    ),
    "time": (
        ["08:30:06Z", "08:30:06.283185Z", "23:59:59+23:59", "00:00:00-00:00"],
        [
            "24:00:00Z",
            "08:30Z",
            "08:30:06",
            "12:60:00Z",
            "08:30:06+24:00",
            "08:30:06.Z",
            "08:30:06 PST",
            "12:00:00z",
        ],
    ),
    "date-time": (
        ["1963-06-19T08:30:06.283185Z", "1990-12-31T15:59:50.123-08:00"],
        [
            "1990-02-31T15:59:59Z",
            "1963-06-19 08:30:06Z",
            "2013-350T01:01:01",
            "1963-06-19T08:30:06",
            "2024-02-29t00:00:00z",
        ],
    ),
    "duration": (
        ["P4DT12H30M5S", "P1Y2M3D", "PT36H", "P4W", "PT0S", "P1M", "PT1M", "P1YT1H"],
        [
            "P",
            "PT",
            "P1YT",
            "4D",
            "P1D2H",
            "P2S",
            "P1Y2W",
            "P1W1D",
            "PT1D",
            "P1Y2D",
            "PT1H2S",
            "PT1.5S",
            "P-1D",
        ],
    ),
    "email": (
        ["joe.bloggs@example.com", "te~st@example.com", "a@b", "!#$%&'*+/=?^_`{|}~-@x.y", "a" * 64 + "@x.y"],
        [
            "2962",
            "@x",
            "a@",
            ".a@x.y",
            "a.@x.y",
            "a..b@x.y",
            "a b@x.y",
            "a@-x.y",
            "a" * 65 + "@x.y",
            "a@x..y",
        ],
    ),
    "hostname": (
        [
            "www.example.com",
            "xn--4gbwdl.xn--wgbh1c",
            "a",
            "a-b",
            "1host",
            "a" * 63,
            "a" * 63 + ".com",
            "a.b.c.d.e",
        ],
        ["-a", "a-", "a_b", "", ".", "a.", "a..b", "a" * 64, "not_a_host", ".".join(["a" * 63] * 4)],
    ),
    "ipv4": (
        ["192.168.0.1", "0.0.0.0", "255.255.255.255"],
        ["256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1"],
    ),
    "ipv6": (
        [
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7:8",
            "1::8",
            "::ffff:192.168.0.1",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::3:4:5:6:7:8",
            "fe80::1",
        ],
        [
            "1:2:3:4:5:6:7",
            "12345::",
            "1::2::3",
            ":1",
            "1:",
            "::g",
            "1:2:3:4:5:6:7:8:9",
            "::1.2.3",
            "fe80::1%eth0",
            "1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "1::2:3:4:5:6:7:8",
            "::ffff:256.0.0.1",
        ],
    ),
    "uuid": (
        ["2EB8AA08-AA98-11EA-B4AA-73B441D16380", "00000000-0000-0000-0000-000000000000"],
        [
            "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
            "2eb8aa08aa9811eab4aa73b441d16380",
            "2eb8aa08-aa98-11ea-b4aa-73b441d1638g",
        ],
    ),
    "uri": (
        [
            "http://foo.bar/?baz=qux#quux",
            "urn:oasis:names",
            "mailto:John.Doe@example.com",
            "ldap://[2001:db8::7]/c=GB?one",
            "http://-.~_!$&'()*+,;=:%40:80%2f@example.com:8080/",
            "tel:+1-816",
            "x:",
            "file:///etc",
        ],
        [
            "//foo.bar/",
            "/abc",
            "\\\\WINDOWS",
            "abc",
            "http:// x",
            ":// x",
            "bar,baz:foo",
            "https://[::1",
            "http://%gg",
            "http://a.b/é",
            "1http://x",
            "http://[1]/",
        ],
    ),
    "uri-reference": (
        ["/abc", "//foo.bar/?baz", "abc", "#fragment", "", "http://x", "?q", "a/b:c"],
        ["\\\\WINDOWS", "#frag\\ment", "a b", "1a:b"],
    ),
    "iri": (["http://ƒøø.ßår/?∂éœ=πîx#πîüx", "http://x/y"], ["/abc", "âππ", "http://x/ "]),
    "uri-template": (
        [
            "http://example.com/dictionary/{term:1}/{term}",
            "{+path,x}/here{?q*,lang}",
            "",
            "{var_1.a}%20é",
            "{#a}{&b}",
        ],
        ["http://example.com/{term", "{}", "{=a}", "{a:0}", "{a b}", "a b", "{a..b}", "<x>", "{a,}", "}"],
    ),
    "idn-hostname": (
        [
            "실례.테스트",
            "münchen-stadtrat.de",
            "www.example.com",
            "президент.рф",
            "日本語の名前。jp",
            "שלום.com",
            "faß",
            "नमस्ते",
            "xn",
            "A1-b",
            "fußball-wörterbücher-verlag.example",
            "العربية",
            "1host",
            "ประเทศไทย",
        ],
        [
            "〮한국",
            "-a",
            "a-",
            "a..b",
            "ab--c",
            "",
            "a_b",
            "É",
            "e\u0301",
            "\u0301a",
            "١٢",
            "שלוםa",
            "a שלום",
            "ａ",
            "xn--x",
            "한" * 12,
        ],
    ),
    "idn-email": (
        ["실례@실례.테스트", "joe.bloggs@example.com", "o'neill+ü@exämple.org"],
        ["2962", "@x", "a b@x", ".ü@x.y", "ü@", "ü" * 17 + "@x.y", "a@-ü"],
    ),
    "regex": (
        [
            "([abc])+\\s+$",
            "",
            "^\\S+@\\S+$",
            "[a-zA-Z0-9_-]{2,10}?",
            "a|(b|(?:c(?!d)|[^\\]/]*)+)?",
            "\\d{3}-\\x41\\u00e9",
            "a{0,99}",
        ],
        ["^(abc]", "a**", "[z-a]", "(", ")", "a{3,1}", "\\a", "*", "[", "^*", "(?<n>a)", "\\ud800", "\\"],
    ),
    "json-pointer": (["", "/", "/foo/0", "/a~1b/~0", "/\n"], ["foo", "/~", "/~2", "#/a"]),
    "relative-json-pointer": (["0", "1/foo", "0#", "10/a~0"], ["01", "-1", "/foo", "0##", ""]),
}


@pytest.mark.parametrize("name", TABLE)
def test_formats_hold_what_they_should(name: str):
    language = FORMATS[name]
    assert language is not None
    accepted, rejected = TABLE[name]
    assert [text for text in accepted if not contains(language, text)] == []
    assert [text for text in rejected if contains(language, text)] == []


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
def test_dates_are_the_days_of_the_calendar(year: int, month: int, day: int):
    real = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    assert contains(FORMATS["date"], f"{year:04}-{month:02}-{day:02}") == real  # pyright: ignore[reportArgumentType]


@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_what_python_writes_is_a_date_time(moment: datetime.datetime):
    assert contains(FORMATS["date-time"], moment.isoformat())  # pyright: ignore[reportArgumentType]


@given(st.ip_addresses(v=6) | st.ip_addresses(v=4))
def test_what_python_writes_is_an_address(address):
    assert contains(FORMATS[f"ipv{address.version}"], str(address))  # pyright: ignore[reportArgumentType]


def test_hints_say_nothing_and_unknown_names_are_not_there():
    assert FORMATS["int32"] is None
    assert FORMATS["password"] is None
    assert "postcode" not in FORMATS
    assert all(name in FORMATS for name in TABLE)


INTERNATIONAL = ("idn-hostname", "idn-email", "uri-template", "regex")


@pytest.mark.parametrize("name", INTERNATIONAL)
def test_what_is_generated_is_valid_to_the_checker(name: str):
    language = FORMATS[name]
    assert language is not None
    sampler = Sampler(Grammar(language), random.Random(0))
    texts = [sampler.text() for _ in range(500)]
    with warnings.catch_warnings(action="ignore"):
        assert [text for text in texts if not FormatChecker().conforms(text, name)] == []
    assert len(set(texts)) > 250


@pytest.mark.skipif(
    shutil.which("node") is None, reason="node reads regular expressions as ECMA-262 has them"
)
def test_regular_expressions_are_read_by_an_ecma_engine():
    language = FORMATS["regex"]
    assert language is not None
    sampler = Sampler(Grammar(language), random.Random(1))
    program = "JSON.parse(process.argv[1]).forEach(text => new RegExp(text, 'u'))"
    texts = [sampler.text() for _ in range(500)]
    subprocess.run(["node", "-e", program, json.dumps(texts)], check=True)


KINDS = {"left": idn.FEW, "right": idn.FEW, "near": idn.MANY}


@given(st.data(), st.sampled_from(list(KINDS)), st.booleans())
def test_labels_of_full_length_can_be_sent(data: st.DataObject, kind: str, far: bool):
    """Characters that lie far apart cost most: those of both ends are drawn as often as any."""
    codes = idn._allowed("left" if kind == "near" else kind)
    codes = [code for code in codes if not chr(code).isspace() and (kind != "near" or code <= idn.ALPHABETS)]
    letters = st.sampled_from([*codes[:3], *codes[-3:]] if far else codes).map(chr)
    label = "".join(data.draw(st.lists(letters, min_size=KINDS[kind], max_size=KINDS[kind])))
    if contains(FORMATS["idn-hostname"], label):  # pyright: ignore[reportArgumentType]
        assert len(idna.alabel(label)) <= 63


@given(
    st.lists(st.sampled_from("àỿ"), min_size=idn.SOME, max_size=idn.SOME),
    st.lists(st.sampled_from("az09"), min_size=40),
)
def test_mixed_labels_of_full_length_can_be_sent(marked: list[str], plain: list[str]):
    label = "".join([*marked, *plain])[: idn.AMONG]
    assert contains(FORMATS["idn-hostname"], label)  # pyright: ignore[reportArgumentType]
    assert len(idna.alabel(label)) <= 63


def test_how_content_is_encoded_is_an_annotation():
    schema = {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/json"}
    constraint = structgen.compile(schema)
    for text in ['"eyJhIjoxfQ=="', '"no base64!"']:
        assert constraint.accepts(text) == Draft202012Validator(schema).is_valid(json.loads(text))
