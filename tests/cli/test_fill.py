"""`structgen fill` prints the filled template, and JSON where that is asked for."""

from __future__ import annotations

import json

TEMPLATE = "<p>{{vendor}} on {{date:iso-date}}: {{total:number}}</p>\n"
FILLED = "<p>Cobalt Cycling Ltd on 2026-01-30: 86.60</p>\n"


def test_a_template_is_filled_from_a_document(run, folder):
    (folder / "letter.html").write_text(TEMPLATE)
    result = run("fill", "letter.html", "-c", "doc.txt")
    assert (result.code, result.out, result.err) == (0, FILLED, "")
    assert run("fill", "-", "-c", "doc.txt", stdin=TEMPLATE.encode()).out == FILLED
    answer = json.loads(run("fill", "letter.html", "-c", "doc.txt", "--json").out)
    assert answer == {
        "text": FILLED,
        "values": {"vendor": "Cobalt Cycling Ltd", "date": "2026-01-30", "total": 86.6},
    }
    assert (
        "/vendor"
        in json.loads(run("fill", "letter.html", "-c", "doc.txt", "--details").out)["details"]["spans"]
    )


def test_a_wrong_template_or_file_is_one_sentence(run, folder):
    (folder / "bad.txt").write_text("one\ntwo {{x")
    wrong = run("fill", "bad.txt", "-c", "doc.txt")
    assert (wrong.code, wrong.out) == (2, "")
    assert "line 2, column 5 of the template: no }} closes this hole" in wrong.err
    assert wrong.err.endswith("\ntwo {{x\n    ^\n")
    assert run("fill", "none.txt").code == 2
    assert run("fill", "-", "-c", "-").code == 2
