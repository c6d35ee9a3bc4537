"""Every block of README, CONTRIBUTING and docs is run, or says why not.

A comment before a block says what it is:

    run [exit N] [with OPTIONS]  run in a fresh checkout; OPTIONS (a small budget) follow `run`, `validate` and `cost`
    prints                       lines that the block before printed; … stands for anything
    file: NAME                   a file that the reader writes
    beginning of: NAME           how a file that the reader has begins
    not run: WHY                 left to the reader
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LIMIT_SECONDS = 300

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_RUN = re.compile(r"run(?: exit (?P<exit>\d+))?(?: with: (?P<options>.*))?")
_COMMAND = re.compile(r"(python -m bench (?:run|validate|cost) [^\n#]*?)(\s*(?:#[^\n]*)?)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block with the comment before it and the line that it starts in."""

    mark: str
    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["mark"] or "", found["language"], found["text"], text.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page):
    known = ("prints", "file: ", "beginning of: ", "not run: ")
    for block in blocks(page):
        assert _RUN.fullmatch(block.mark) or block.mark.startswith(known), f"{page.name}:{block.line}: {block.mark!r}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        if path.startswith(("http:", "https:")):
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), f"{page.name}: {path}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {path}#{anchor}"


def test_own_data_takes_at_most_twenty_lines():
    (suite,) = [block for block in blocks(ROOT / "README.md") if block.mark == "file: mine.yaml"]
    assert len(suite.text.splitlines()) <= 20


def anchors(page: Path) -> set[str]:
    """The anchors that headings get on GitHub."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_reader_can_follow_the_page(page, checkout, environment):
    printed = ""
    for block in blocks(page):
        place = f"{page.name}:{block.line}"
        kind, _, name = block.mark.partition(": ")
        if kind == "file":
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_text(block.text, encoding="utf-8")
        elif kind == "beginning of":
            assert (checkout / name).read_text(encoding="utf-8").startswith(block.text.partition("…")[0]), place
        elif kind == "prints":
            check_printed(block, printed, place)
        elif found := _RUN.fullmatch(block.mark):
            done = run(block, found["options"] or "", checkout, environment)
            printed = done.stdout + done.stderr
            assert done.returncode == int(found["exit"] or 0), f"{place}:\n{printed}"


def run(block: Block, options: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    text = _COMMAND.sub(rf"\1 {options}\2", block.text) if options else block.text
    command = {"sh": ["bash", "-euo", "pipefail", "-c", text], "python": ["python", "-c", text]}[block.language]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )


def check_printed(block: Block, printed: str, place: str) -> None:
    for line in block.text.splitlines():
        pattern = ".*".join(map(re.escape, line.rstrip().split("…")))
        assert re.search(rf"^{pattern}$", printed, re.MULTILINE), f"{place}: {line!r} is not in\n{printed}"
