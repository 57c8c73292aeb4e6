"""Passages of pages that are made from results files, in a little repository of its own."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from shared.lab import pages, paths
from shared.lab.cli import app
from shared.lab.pages import bring_up_to_date, refresh

RESULTS = {
    "loss": 0.40625,
    "optimum": None,
    "rates": [3.0, 1.0, 2.0],
    "by_heads": {"8": {"loss": 0.5}, "2": {"loss": 0.25}},
    "parts": {"ours, Muon": {"share": 0.25}},
    "items": 7,
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with sprints 01_one and 02_two, of which the first has results."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for sprint in ("01_one", "02_two"):
        (tmp_path / "sprints" / sprint / "notes").mkdir(parents=True)
    results = tmp_path / "sprints" / "01_one" / "results" / "train.json"
    results.parent.mkdir()
    results.write_text(json.dumps({"config": {"steps": 3}, "results": RESULTS}))
    return tmp_path


def write_template(root: Path, block: str, before: str = "", folder: str = "sprints/01_one") -> None:
    (root / folder / "pages.md.j2").write_text(f"{before}{{% block loss %}}\n{block}\n{{% endblock %}}\n")


def write_page(root: Path, path: str = "sprints/01_one/README.md", text: str = "") -> Path:
    page = root / path
    page.write_text(f"# Title\n\n<!-- results: loss -->\n{text}<!-- end -->\n\nThe end.\n")
    return page


def quote(root: Path, block: str, before: str = "", page: str = "sprints/01_one/README.md") -> str:
    """Return what a block makes on a page."""
    folder = pages.templates_of(root / page).parent.relative_to(root).as_posix()
    write_template(root, block, before, folder)
    return refresh(write_page(root, page))[1][0].fresh.removesuffix("\n")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ('A loss of {{ train.results.loss | number(".3f") }} nats.', "A loss of 0.406 nats."),
        ('| {{ train.config.steps }} | {{ train.results.loss | number(".1%") }} |', "| 3 | 40.6% |"),
        ('{{ train.results.optimum | number(".3f") }} {{ train.results.optimum }}', "– –"),
        ("{{ train.results.rates[0] }} {{ train.results.rates[-1] }}", "3.0 2.0"),
        ('{{ train.results.parts["ours, Muon"].share }}', "0.25"),
        ("{{ train.results.by_heads[8].loss }}", "0.5"),
        ("{{ train.results.items }}", "7"),
        ("{% for rate in train.results.rates %}\n| {{ rate }} |\n{% endfor %}", "| 3.0 |\n| 1.0 |\n| 2.0 |"),
        (
            "a\n{% for heads, row in train.results.by_heads | items %}\n{{ heads }}: {{ row.loss }}\n{% endfor %}\nb",
            "a\n8: 0.5\n2: 0.25\nb",
        ),
        ("$\\frac{1}{2}$, {as it stands}", "$\\frac{1}{2}$, {as it stands}"),
        ("```\n{{ train.results.loss }}\n```", "```\n0.40625\n```"),
    ],
)
def test_a_block_quotes_results_by_name(root: Path, block: str, expected: str):
    for page in ("README.md", "notes/01_note.md"):
        assert quote(root, block, page=f"sprints/01_one/{page}") == expected


def test_formats_and_filters_are_those_of_python(root: Path):
    for spec in (".4f", ">+9.2f", ".2e", ".0%", ""):
        assert quote(root, f'{{{{ train.results.loss | number("{spec}") }}}}') == format(0.40625, spec)
    references = {
        "mean": statistics.mean,
        "median": statistics.median,
        "min": min,
        "max": max,
        "sum": sum,
        "length": len,
    }
    for name, reference in references.items():
        assert quote(root, f"{{{{ train.results.rates | {name} }}}}") == str(reference([3.0, 1.0, 2.0]))


def test_macros_and_names_above_the_blocks_serve_all_of_them(root: Path):
    before = (
        "{% set losses = train.results.by_heads %}\n"
        '{% macro percent(value) %}{{ value | number(".0%") }}{% endmacro %}\n'
        "{% block other %}{{ this.is.not.there }}{% endblock %}\n"
    )
    assert quote(root, "{{ percent(losses[8].loss) }} {{ percent(losses[2].loss) }}", before) == "50% 25%"


def test_another_sprint_and_the_top_quote_by_the_number_of_the_sprint(root: Path):
    for page in ("sprints/02_two/README.md", "README.md", "BACKLOG.md", "sprints/README.md"):
        assert quote(root, '{{ sprint(1).train.results.loss | number(".2f") }}', page=page) == "0.41"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ('{{ train.results.lost | number(".3f") }}', "there is no 'lost'; there is loss, optimum, rates, by_heads"),
        ("{{ train.results.rates[7] }}", "there is no 7 in a list of 3"),
        ("{{ train.results.loss.mean }}", "'float object' has no attribute 'mean'"),
        ("{{ tain.results.loss }}", r"there is no results/tain\.json, and the template sets no 'tain'"),
        ("{{ tain | number }}", r"there is no results/tain\.json"),
        ("{{ tain | items }}", r"there is no results/tain\.json"),
        ("{% for rate in tain.rates %}{{ rate }}{% endfor %}", r"there is no results/tain\.json"),
        ("{{ sprint(2).train.results.loss }}", "there is no 'train'; there is nothing"),
        ("{{ sprint(3).train.results.loss }}", "there is no sprint 3"),
        ('{{ train.results.parts | number(".3f") }}', "unsupported format"),
        ("{{ train.results.rates | mode }}", "No filter named 'mode'"),
        ("{{ train.results.loss", "expected token 'end of print statement'"),
        ("{% for rate in train.results.loss %}{{ rate }}{% endfor %}", "'float' object is not iterable"),
    ],
)
def test_a_wrong_block_is_an_error_that_names_page_template_line_and_key(root: Path, block: str, message: str):
    write_template(root, block, before="{# A comment. #}\n\n")
    page = write_page(root)
    with pytest.raises(
        ValueError, match=rf"^sprints/01_one/README\.md:3: sprints/01_one/pages\.md\.j2:\d: .*{message}"
    ):
        refresh(page)
    before = page.read_bytes()
    for write in (False, True):
        errors = bring_up_to_date(write=write).errors
        assert len(errors) == 1
        assert errors[0].startswith("sprints/01_one/README.md:3: ")
    assert page.read_bytes() == before


def test_an_error_names_the_line_of_the_template_that_asks_for_what_is_not_there(root: Path):
    table = "| {{ train.results.loss }} |\n| {{ train.results.lost }} |\n| {{ train.results.loss }} |"
    with pytest.raises(ValueError, match=r"pages\.md\.j2:5: there is no 'lost'"):
        quote(root, table, before="\n\n")  # the block begins in line 3


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


def test_a_broken_results_file_is_an_error(root: Path):
    write_template(root, "{{ train.results.loss }}")
    (root / "sprints" / "01_one" / "results" / "train.json").write_text('{"results": ')
    with pytest.raises(ValueError, match=r"README\.md:3: sprints/01_one/results/train\.json is not JSON"):
        refresh(write_page(root))


def test_checking_the_pages_of_this_repository_imports_neither_torch_nor_matplotlib():
    program = (
        "import sys\n"
        "from shared.lab.cli import app\n"
        "try:\n    app(['pages', '--check'])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        "assert not {'torch', 'matplotlib', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3], check=True)
