"""An answer read in pieces is the answer read at once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.metrics import answers

NASTY = ("", "v1", '},{"metric":', '"result":[', "\\", 'é"}]', "\u2028")
LABELS = st.dictionaries(st.sampled_from(["metric", "result", "le", *NASTY]), st.sampled_from(NASTY) | st.text())
SERIES = st.lists(st.fixed_dictionaries({"metric": LABELS, "value": st.tuples(st.floats(0, 9), st.text())}))


@given(series=SERIES, warnings=st.lists(st.sampled_from(NASTY)), is_ascii=st.booleans(), piece=st.integers(0, 200))
def test_pieces_add_up_to_the_whole(series: list[object], warnings: list[str], is_ascii: bool, piece: int) -> None:
    document = {"status": "success", "data": {"resultType": "vector", "result": series}, "warnings": warnings}
    text = json.dumps(document, ensure_ascii=is_ascii, separators=(",", ":"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(answers, "PIECE", piece)
        assert answers.parsed(text) == json.loads(text)


def test_others_come_between_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "PIECE", 100)
    series = [{"metric": {"instance": f"gw-{n}"}, "value": [0, "1"]} for n in range(50)]
    text = json.dumps({"data": {"result": series}}, separators=(",", ":"))
    between: list[None] = []
    assert answers.parsed(text, lambda: between.append(None))["data"]["result"] == series
    assert len(between) > 10


@pytest.mark.parametrize("end", ["", "]}", ']}}{"status"'])
def test_what_is_cut_short_is_no_answer(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr(answers, "PIECE", 20)
    row = '{"metric":{"instance":"gw-1"},"value":[0,"1"]}'
    assert answers.parsed(f'{{"data":{{"result":[{row},{row},{row}]}}}}')
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        answers.parsed(f'{{"data":{{"result":[{row},{row},{row}{end}')
