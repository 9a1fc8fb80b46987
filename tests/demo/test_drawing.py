"""The HTML of an answer."""

import numpy as np

from attention_zoo.demo.asking import Answer
from attention_zoo.demo.drawing import draw, notice
from zoo.explain import Alignment

BEST = Alignment(["▁a", "</s>"], ["▁<b>", "</s>"], np.eye(2), "<b>", -0.5, "attention")


def test_all_of_it_is_drawn_and_nothing_is_markup():
    html = draw(Answer([("<b>", -0.3, -0.5), ("c", -1, np.log(0.25))], BEST, BEST))
    assert "<b>" not in html
    assert html.count("&lt;b&gt;") == 4  # the translation, the n-best, a row of each table
    assert html.count('class="alignment"') == 2
    assert "<td>-0.30</td><td>-0.50</td><td>60.7%</td>" in html  # exp(-0.5) is 0.6065
    assert "25.0%" in html
    assert "notice" not in html


def test_what_there_is_to_know_is_said():
    assert "has no attention" in draw(Answer([("a", 0, 0)], None, BEST))
    assert "as exported alone: “&lt;b&gt;”" in draw(Answer([("a", 0, 0)], BEST, BEST))
    assert "It cut" in draw(Answer([("<b>", 0, 0)], BEST, BEST, "it cut"))
    assert notice("") == ""
    assert "\\x1b" in notice("\x1b")
    assert "&lt;x&gt;" in notice("no server on <x>")
