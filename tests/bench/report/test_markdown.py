from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.report.markdown import aligned, bullet, escape, plain, table

RENDER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

NASTY = [
    "a | b",
    "two\nlines",
    "<script>alert(1)</script>",
    "*bold* _slanted_ `code` ~~gone~~",
    "[text](http://example.org)",
    "![x](y)",
    "back\\slash \\| pipe",
    "&lt; &amp;",
    "L_Dice + x_1",
    "\x1b[31mred\u2028\u202e",
    "<!-- comment -->",
]


def shown(rendered: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", rendered)).split())


@given(st.text(max_size=40))
@example("0")
def test_escaped_text_in_a_table_shows_as_itself_in_one_cell(text):
    rendered = RENDER.render("\n".join(table(["a", "b"], [[escape(text), "end"]])))
    cells = re.findall(r"<td[^>]*>(.*?)</td>", rendered, flags=re.DOTALL)
    assert len(cells) == 2
    assert cells[1] == "end"
    assert "<" not in cells[0]
    assert shown(cells[0]) == plain(text)


@pytest.mark.parametrize("text", NASTY)
def test_names_that_would_be_markup_show_as_themselves(text):
    rendered = RENDER.render("\n".join(table(["a"], [[escape(text)]])))
    (cell,) = re.findall(r"<td[^>]*>(.*?)</td>", rendered, flags=re.DOTALL)
    assert "<" not in cell
    assert shown(cell) == plain(text)


@given(st.text(max_size=40))
@example("# heading")
@example("1. one")
@example("- item")
@example("12) x")
@example("+")
@example("---")
@example("===")
@example("___")
@example(".5 mm")
def test_escaped_text_as_a_list_item_is_one_paragraph(text):
    rendered = RENDER.render(bullet(escape(text)))
    assert re.fullmatch(r"<ul>\n<li>.*</li>\n</ul>\n", rendered, flags=re.DOTALL)
    assert not re.search(r"<(h\d|ol|hr|pre|blockquote|em|strong|a|code)", rendered)
    assert shown(rendered) == plain(text)


def test_common_names_stay_readable():
    assert escape("MNet + L_Dice (α = 0.3)") == "MNet + L_Dice (α = 0.3)"


def test_dollars_are_no_formula():
    assert escape("$x$") == r"\$x\$"


def test_columns_are_padded_to_one_width_so_that_the_source_reads_as_a_table():
    lines = table(["Method", "DC"], [["a", "0.5"], ["longer name", "–"]])
    assert len({len(line) for line in lines}) == 1
    assert lines[1] == "| ----------- | --: |"


def test_aligned_columns_for_a_terminal():
    assert aligned(["Method", "DC"], [["a", "0.500"]]) == ["Method     DC", "a       0.500"]


def test_control_characters_never_reach_a_terminal():
    assert plain("\x1b[31mred\nline\ttab") == "[31mred line tab"
