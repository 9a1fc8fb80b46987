import html.parser
import re

import numpy as np

from zoo.explain import Alignment, page


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


def test_every_token_has_its_cell_and_its_ink():
    reader = read(page([[alignment(weights=np.array([[1, 0.5, 0], [0, 0, 1]]))]]))
    assert reader.tags.count("td") == 6
    inks = [value for name, value in reader.attributes if name == "style"]
    opacities = ["1.000", "0.500", "0.000", "0.000", "0.000", "1.000"]
    assert inks == [f"--weight: {opacity}" for opacity in opacities]
    assert {"<b>", "&", "년", '"', "⏎"} <= set(reader.words)


def test_what_a_text_says_is_no_markup():
    assert "script" not in read(page([[alignment()]])).tags


def test_a_page_has_no_control_but_its_line_ends():
    odd = alignment(source=["\0", "\x1b", "\u202e"], text="a\0\x1b\u202e")
    text = page([[odd]])
    assert not {"\0", "\x1b", "\u202e"} & set(text)
    assert "a\\x00\\x1b\\u202e" in text


def test_it_loads_nothing_and_lights_rows():
    text = page([[alignment(), alignment(title="integrated gradients")], [alignment()]])
    reader = read(text)
    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert not {"src", "href"} & {name for name, _ in reader.attributes}
    assert not re.search(r"url\(|@import|https?:", text)
    assert "tbody tr:hover" in text
    assert reader.tags.count("section") == 2
    assert reader.tags.count("table") == 3
