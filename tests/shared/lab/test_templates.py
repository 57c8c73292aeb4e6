"""Templates of passages, filled from results files in a little repository of their own."""

import os
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.lab.results import save_results
from shared.lab.templates import Blocks

RESULTS = {
    "loss": 0.40625,
    "optimum": None,
    "rates": [3.0, 1.0, 2.0],
    "by_heads": {"8": {"loss": 0.5}, "2": {"loss": 0.25}},
    "parts": {"ours, Muon": {"share": 0.25}},
    "items": 7,
}


@pytest.fixture
def root(two_sprints: Callable) -> Path:
    return two_sprints(RESULTS)


def fill(root: Path, block: str, before: str = "", folder: str = "sprints/01_one") -> str:
    """Return what a block makes."""
    path = root / folder / "pages.md.j2"
    path.write_text(f"{before}{{% block loss %}}\n{block}\n{{% endblock %}}\n")
    return Blocks(path).render("loss").removesuffix("\n")


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
    assert fill(root, block) == expected


def test_formats_and_filters_are_those_of_python(root: Path):
    for spec in (".4f", ">+9.2f", ".2e", ".0%", ""):
        assert fill(root, f'{{{{ train.results.loss | number("{spec}") }}}}') == format(0.40625, spec)
    references = {
        "mean": statistics.mean,
        "median": statistics.median,
        "min": min,
        "max": max,
        "sum": sum,
        "length": len,
    }
    for name, reference in references.items():
        assert fill(root, f"{{{{ train.results.rates | {name} }}}}") == str(reference([3.0, 1.0, 2.0]))


def test_macros_and_names_above_the_blocks_serve_all_of_them(root: Path):
    before = (
        "{% set losses = train.results.by_heads %}\n"
        '{% macro percent(value) %}{{ value | number(".0%") }}{% endmacro %}\n'
        "{% block other %}{{ this.is.not.there }}{% endblock %}\n"
    )
    assert fill(root, "{{ percent(losses[8].loss) }} {{ percent(losses[2].loss) }}", before) == "50% 25%"


def test_another_sprint_and_the_top_quote_by_the_number_of_the_sprint(root: Path):
    for folder in ("sprints/02_two", "sprints"):
        assert fill(root, '{{ sprint(1).train.results.loss | number(".2f") }}', folder=folder) == "0.41"


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
def test_a_wrong_block_is_an_error_that_names_file_line_and_key(root: Path, block: str, message: str):
    with pytest.raises(ValueError, match=rf"^sprints/01_one/pages\.md\.j2:[45]: .*{message}"):
        fill(root, f"\n{block}", before="{# A comment. #}\n")


def test_an_error_names_the_line_that_asks_for_what_is_not_there(root: Path):
    table = "| {{ train.results.loss }} |\n| {{ train.results.lost }} |\n| {{ train.results.loss }} |"
    with pytest.raises(ValueError, match=r"pages\.md\.j2:5: there is no 'lost'"):
        fill(root, table, before="\n\n")  # the block begins in line 3


def test_an_unknown_block_is_an_error_that_names_those_that_are_there(root: Path):
    fill(root, "{{ train.results.loss }}")
    with pytest.raises(ValueError, match=r"sprints/01_one/pages\.md\.j2 has no block 'lost'; it has loss"):
        Blocks(root / "sprints" / "01_one" / "pages.md.j2").render("lost")
    with pytest.raises(ValueError, match=r"sprints/02_two/pages\.md\.j2 has no block 'loss'; it has none"):
        Blocks(root / "sprints" / "02_two" / "pages.md.j2").render("loss")


def test_a_results_file_that_has_changed_is_read_again_and_a_broken_one_is_an_error(root: Path):
    path = root / "sprints" / "01_one" / "results" / "train.json"
    assert fill(root, "{{ train.results.loss }}") == "0.40625"
    path.write_text('{"results": ')
    os.utime(path, (2, 2))
    with pytest.raises(ValueError, match=r"sprints/01_one/results/train\.json is not JSON"):
        fill(root, "{{ train.results.loss }}")
    save_results({"results": {"loss": 1}}, path)
    os.utime(path, (1, 1))
    assert fill(root, "{{ train.results.loss }}") == "1"
