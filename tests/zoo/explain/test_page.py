import html.parser
import re

import numpy as np

from zoo.explain import Alignment, page
from zoo.explain.attribution import METHODS, Attribution
from zoo.explain.explanation import Explanation


class Reader(html.parser.HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.words.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


def alignment(**given):
    row = {"source": ["<b>", "&", "년"], "target": ['"', "</s>"], "weights": np.eye(2, 3)}
    return Alignment(**{**row, "text": "<script>x</script>", "score": -0.5, **given})


def explained(*alignments, **given):
    return Explanation(given.pop("asked", "asked"), list(alignments), **given)


def test_every_token_has_its_cell_and_its_ink():
    reader = read(page([explained(alignment(weights=np.array([[1, 0.5, 0], [0, 0, 1]])))]))
    assert reader.tags.count("td") == 6
    inks = [value for name, value in reader.attributes if name == "style"]
    opacities = ["1.000", "0.500", "0.000", "0.000", "0.000", "1.000"]
    assert inks == [f"--weight: {opacity}" for opacity in opacities]
    assert {"<b>", "&", "년", '"', "⏎"} <= set(reader.words)


def test_what_a_text_says_is_no_markup():
    assert (
        "script" not in read(page([explained(alignment(), asked="<script>", cut="<script>")])).tags
    )


def test_a_page_has_no_control_but_its_line_ends():
    odd = alignment(source=["\0", "\x1b", "\u202e"], text="a\0\x1b\u202e")
    text = page([explained(odd, asked="\x1b", cut="\0")])
    assert not {"\0", "\x1b", "\u202e"} & set(text)
    assert "a\\x00\\x1b\\u202e" in text


def test_it_loads_nothing_and_lights_rows():
    text = page([explained(alignment(), alignment(title="head 2")), explained(alignment())])
    reader = read(text)
    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert not {"src", "href"} & {name for name, _ in reader.attributes}
    assert not re.search(r"url\(|@import|https?:", text)
    assert "tbody tr:hover" in text
    assert reader.tags.count("section") == 2
    assert reader.tags.count("table") == 3


def test_it_says_what_was_asked_where_it_was_cut_and_how_far_the_sums_are_off():
    # Off by 0.03 of a change of 1, of 2 target tokens with 1 each: 3 %.
    values, change = np.array([[0.97, 0, 0], [0, 0.97, 0]]), np.ones(2)
    text = page(
        [
            explained(
                alignment(source=["<unk>", "&", "년"]),
                asked="☃ & <b>",
                cut="it was cut behind '&'",
                attribution=Attribution(METHODS[0], values, change),
                attributed=alignment(title="integrated gradients"),
            )
        ]
    )
    words = " ".join(read(text).words)
    assert "☃ & <b>" in words
    assert "Warning: it was cut behind '&'." in words
    assert "integrated gradients\ncompleteness residual 3.00%, of a token 3.00% at most" in words
    assert "Warning: the completeness residual, 3.000%, is above 1%; ask for more --steps." in words


def test_what_need_not_be_complete_has_no_residual():
    values, change = np.eye(2, 3), np.zeros(2)
    other = {"attribution": Attribution(METHODS[2], values, change), "attributed": alignment()}
    text = page([explained(alignment(), **other)])
    assert "residual" not in text
    assert 'class="warning"' not in text
