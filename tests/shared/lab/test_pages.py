"""Passages of pages that are made from results files, in a little repository of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from shared.lab.cli import app
from shared.lab.pages import bring_up_to_date, refresh

RESULTS = {"loss": 0.40625, "optimum": 0.25}


@pytest.fixture
def root(two_sprints: Callable) -> Path:
    return two_sprints(RESULTS)


def write_template(root: Path, block: str, before: str = "", folder: str = "sprints/01_one") -> None:
    (root / folder / "pages.md.j2").write_text(f"{before}{{% block loss %}}\n{block}\n{{% endblock %}}\n")


def write_page(root: Path, path: str = "sprints/01_one/README.md", text: str = "") -> Path:
    page = root / path
    page.write_text(f"# Title\n\n<!-- results: loss -->\n{text}<!-- end -->\n\nThe end.\n")
    return page


@pytest.mark.parametrize("block", ["{{ train.results.lost }}", "{{ train.results.loss", "{{ tain.results.loss }}"])
def test_a_wrong_block_is_an_error_that_names_page_and_template(root: Path, block: str):
    write_template(root, block)
    page = write_page(root)
    before = page.read_bytes()
    for write in (False, True):
        (error,) = bring_up_to_date(write=write).errors
        assert error.startswith("sprints/01_one/README.md:3: sprints/01_one/pages.md.j2:")
    assert page.read_bytes() == before


@pytest.mark.parametrize("page", ["sprints/01_one/README.md", "sprints/01_one/notes/01_note.md"])
def test_a_page_of_a_sprint_is_made_by_the_sprints_templates(root: Path, page: str):
    write_template(root, "{{ train.results.loss }}")
    assert [passage.fresh for passage in refresh(write_page(root, page))[1]] == ["0.40625\n"]


@pytest.mark.parametrize("page", ["README.md", "BACKLOG.md", "sprints/README.md"])
def test_a_page_of_no_sprint_is_made_by_those_of_all_sprints(root: Path, page: str):
    write_template(root, "{{ sprint(1).train.results.loss }}", folder="sprints")
    assert [passage.fresh for passage in refresh(write_page(root, page))[1]] == ["0.40625\n"]


def test_a_fence_in_a_passage_is_made(root: Path):
    write_template(root, "```\n{{ train.results.loss }}\n```")
    assert refresh(write_page(root))[1][0].fresh == "```\n0.40625\n```\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- results: loss -->\n0.4\n", "a passage is a line"),
        ("<!-- results: loss -->\n0.4\n<!-- results: loss -->\n0.4\n<!-- end -->\n", r":1: the passage does not end"),
        ("0.4\n<!-- end -->\n", "a passage is a line"),
        ("<!-- results: -->\n0.4\n<!-- end -->\n", "a passage is a line"),
        ("<!-- results: lost -->\n0.4\n<!-- end -->\n", r"pages\.md\.j2 has no block 'lost'; it has loss"),
    ],
)
def test_wrong_marks_are_errors(root: Path, text: str, message: str):
    write_template(root, "{{ sprint(1).train.results.loss }}", folder="sprints")
    (root / "README.md").write_text(text)
    with pytest.raises(ValueError, match=rf"README\.md.*{message}"):
        refresh(root / "README.md")


def test_a_page_without_templates_says_so(root: Path):
    with pytest.raises(ValueError, match=r"sprints/01_one/pages\.md\.j2 has no block 'loss'; it has none"):
        refresh(write_page(root))


def test_a_block_that_no_page_shows_is_an_error(root: Path):
    write_template(root, "{{ train.results.loss }}", before="{% block forgotten %}{% endblock %}\n")
    page = write_page(root)
    assert bring_up_to_date(write=True).errors == ["sprints/01_one/pages.md.j2: no page shows the block 'forgotten'"]
    assert not bring_up_to_date([page], write=False).errors, "one page alone cannot show all blocks"


def test_check_fails_until_write_has_brought_a_page_up_to_date(root: Path):
    write_template(root, '| loss |\n|---|\n| {{ train.results.loss | number(".3f") }} |')
    page = write_page(root, text="| loss |\n|---|\n| 0.500 |\n")
    before = page.read_text()

    def sprints_pages(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["pages", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    code, said = sprints_pages("--check")
    assert code == 1
    assert "sprints/01_one/README.md:3: loss is stale" in said
    assert page.read_text() == before
    assert sprints_pages("--write")[0] == 0
    assert page.read_text() == before.replace("0.500", "0.406")
    assert sprints_pages("--check") == (0, "")
    assert sprints_pages("--write") == (0, "")
    assert page.read_text() == before.replace("0.500", "0.406"), "writing twice changes nothing"
    assert sprints_pages()[0] == sprints_pages("--check", "--write")[0] == 2


def test_pages_can_be_named(root: Path):
    write_template(root, "{{ train.results.loss }}")
    stale = write_page(root)
    fine = root / "README.md"
    fine.write_text("nothing\n")
    assert not bring_up_to_date([fine], write=False).stale
    assert len(bring_up_to_date([stale], write=False).stale) == len(bring_up_to_date(write=False).stale) == 1


def test_marks_in_a_fence_are_examples(root: Path):
    write_template(root, "0.4")
    page = write_page(root)
    page.write_text(f"```\n{page.read_text().replace('loss', 'an_example')}```\n\n{page.read_text()}")
    assert [passage.fresh for passage in refresh(page)[1]] == ["0.4\n"]


LINES = ["", "text", "  - item", "```", "| a |", "{{ x }}", "<!-- note -->", "`<!-- end -->`"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(around=st.lists(st.sampled_from(LINES), max_size=8))
def test_what_stands_around_passages_stays_as_it_is(root: Path, around: list[str]):
    lines = around if around.count("```") % 2 == 0 else [*around, "```"]
    write_template(root, "0.4")
    page = write_page(root)
    text = "".join(f"{line}\n" for line in lines)
    passage = "<!-- results: loss -->\nold\n<!-- end -->\n"
    page.write_text(text + passage + text)
    assert refresh(page)[0] == text + passage.replace("old", "0.4") + text


def test_checking_the_pages_of_this_repository_imports_neither_torch_nor_matplotlib():
    program = (
        "import sys\n"
        "from shared.lab.cli import app\n"
        "try:\n    app(['pages', '--check'])\n"
        "except SystemExit as end:\n    assert end.code in (0, 1)\n"
        "assert not {'torch', 'matplotlib', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3], check=True)
