"""Results files, and the blocks of pages that are generated from them, in a little repository of its own."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from shared.lab import provenance, results
from shared.lab.config import ScriptConfig, option
from shared.lab.figures import new_figure
from shared.lab.results import load_results, main, refresh, save_results


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: int = option(3, "optimizer steps")
    text: Path | None = option(None, "text")


@dataclass(frozen=True)
class Part:
    name: str
    share: float


@dataclass(frozen=True)
class Results:
    loss: object = 0.40625
    optimum: float | None = None
    rates: tuple[float, ...] = (3.0, 1.0, 2.0)
    parts: dict[str, Part] | None = None


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with sprints 01_one and 02_two, of which the first has results."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    for sprint in ("01_one", "02_two"):
        (tmp_path / "sprints" / sprint / "notes").mkdir(parents=True)
    script = tmp_path / "sprints" / "01_one" / "train.py"
    script.write_text("steps = 3\n")
    parts = {"ours, Muon": Part("ours", 0.25)}
    save_results(Results(parts=parts), Config(text=tmp_path / "data" / "a.txt"), script=str(script))
    return tmp_path


def write_page(root: Path, path: str, template: str, text: str = "") -> Path:
    page = root / path
    page.write_text(f"# Title\n\n<!-- generated\n{template}\n-->\n{text}<!-- /generated -->\n\nThe end.\n")
    return page


def quote(root: Path, template: str, path: str = "sprints/01_one/README.md") -> str:
    """Return what a template makes."""
    return refresh(write_page(root, path, template))[1][0].fresh.removesuffix("\n")


def test_a_results_file_holds_options_results_and_machine(root: Path):
    content = load_results(root / "sprints" / "01_one" / "results" / "train.json")
    assert content["script"] == "train.py"
    assert content["config"] == {"seed": 0, "device": "auto", "steps": 3, "text": "data/a.txt"}
    assert content["results"] == {
        "loss": 0.40625, "optimum": None, "rates": [3, 1, 2], "parts": {"ours, Muon": {"name": "ours", "share": 0.25}},
    }  # fmt: skip
    assert content["environment"]["torch"] == torch.__version__
    assert content["seconds"] >= 0
    assert str(root) not in json.dumps(content)


def test_files_go_where_the_options_say_under_the_name_that_is_given(root: Path):
    def plot(drawn: Results) -> Figure:
        figure, axes = new_figure()
        axes.plot(drawn.rates)
        return figure

    script = root / "sprints" / "01_one" / "train.py"
    path = save_results(Results(), Config(out=root / "out"), script=str(script), plot=plot, name="train_small")
    assert path == root / "out" / "results" / "train_small.json"
    files = {file.relative_to(root / "out").as_posix() for file in (root / "out").rglob("*.*")}
    assert files == {"results/train_small.json", "figures/train_small.png"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.tensor(1.0), r"results\.loss is a Tensor: convert it, for example by \.item\(\)"),
        (np.float32(1.0), r"results\.loss is a float32: convert it"),
        ([1.0, float("nan")], r"results must be finite numbers, results\.loss\[1\] is nan: use None"),
        ({"a": float("inf")}, r"results\.loss\[a\] is inf"),
    ],
)
def test_values_that_json_does_not_know_are_errors_and_the_old_file_stays(root: Path, value: object, message: str):
    path = root / "sprints" / "01_one" / "results" / "train.json"
    old = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        save_results(Results(loss=value), Config(), script=str(root / "sprints" / "01_one" / "train.py"))
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


def test_no_text_says_where_the_repository_lies(root: Path):
    found = results.plain({"model": f"{root}/data/model", "said": f"no file {root}/a.txt", "name": "gpt2"}, "config")
    assert found == {"model": "data/model", "said": "no file a.txt", "name": "gpt2"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("A loss of {train.results.loss:.3f} nats.", "A loss of 0.406 nats."),
        ("| {train.config.steps} | {train.results.loss:.1%} |", "| 3 | 40.6% |"),
        ("{train.results.optimum:.3f}", "–"),
        ("{train.results.rates[0]} {train.results.rates.2}", "3.0 2.0"),
        ("{train.results.rates|median:.0f} of {train.results.rates|len}", "2 of 3"),
        ("{train.results.parts[ours, Muon].share}", "0.25"),
        ("{01_one/train.results.loss:.2f}", "0.41"),
        ("$\\frac{{1}}{{2}}$", "$\\frac{1}{2}$"),
    ],
)
def test_a_template_names_values(root: Path, template: str, expected: str):
    for page in ("README.md", "notes/01_note.md"):
        assert quote(root, template, f"sprints/01_one/{page}") == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("for rate in train.results.rates: | {rate:.1f} |", "| 3.0 |\n| 1.0 |\n| 2.0 |"),
        ("for place, rate in train.results.rates: {place}: {rate}", "0: 3.0\n1: 1.0\n2: 2.0"),
        (
            "a\nfor name, part in train.results.parts: {name} {part.share} {train.config.steps}\nb",
            "a\nours, Muon 0.25 3\nb",
        ),
        ("for what it is worth: {train.config.steps}", "for what it is worth: 3"),
    ],
)
def test_a_line_is_repeated_over_a_list_or_a_dictionary(root: Path, template: str, expected: str):
    assert quote(root, template) == expected


def test_formats_are_those_of_python(root: Path):
    for spec in (".4f", ">+9.2f", ".2e", ".0%", ""):
        assert quote(root, f"{{train.results.loss:{spec}}}") == format(0.40625, spec)


def test_another_sprint_and_the_top_quote_by_the_name_of_the_sprint(root: Path):
    for path in ("sprints/02_two/README.md", "README.md", "BACKLOG.md"):
        assert quote(root, "{01_one/train.results.loss:.2f}", path) == "0.41"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{train.results.lost:.3f}", r"\{train\.results\.lost\}: .*train\.json has no 'lost' .* loss, optimum, rates"),
        ("{train.results.rates[7]}", r"no '7' there; it has 0 to 2"),
        ("{train.results.loss.mean}", r"no 'mean' there; it has nothing"),
        ("{tain.results.loss}", r"no results file sprints/01_one/results/tain\.json: run its script"),
        ("{02_two/train.results.loss}", r"no results file sprints/02_two/results/train\.json"),
        ("{train.results.rates|mode}", r"must condense by median, .*; got 'mode'"),
        ("{loss}", r"\{loss\} must be \{file\.key\.key:format\}, or have its braces doubled"),
        ("{train.results.parts:.3f}", r"\{train\.results\.parts:\.3f\}: unsupported format"),
        ("{train.results.loss", r"expected '\}'"),
        ("for a in train.results.loss: {a}", r"over a list or a dictionary; \{train\.results\.loss\} is 0\.40625"),
        ("for a in train.results.rates: {a.mean}", r"no 'mean' there; it has nothing"),
    ],
)
def test_a_wrong_template_is_an_error_that_says_where(
    root: Path, template: str, message: str, capsys: pytest.CaptureFixture[str]
):
    page = write_page(root, "sprints/01_one/README.md", template)
    with pytest.raises(ValueError, match=rf"sprints/01_one/README\.md:3: .*{message}"):
        refresh(page)
    assert main(["--check"]) == main(["--write"]) == 1
    assert "sprints/01_one/README.md:3: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "<!-- generated\n{train.results.loss}\n-->\n0.4\n",
        "<!-- generated\n{train.results.loss}\n-->\n0.4\n<!-- generated\na\n-->\na\n<!-- /generated -->\n",
        "0.4\n<!-- /generated -->\n",
    ],
)
def test_a_block_that_does_not_end_is_an_error(root: Path, text: str):
    (root / "README.md").write_text(text)
    with pytest.raises(ValueError, match=r"README\.md.*block"):
        refresh(root / "README.md")


def test_check_fails_until_write_has_brought_a_page_up_to_date(root: Path, capsys: pytest.CaptureFixture[str]):
    table = "| loss |\n|---|\n| {train.results.loss:.3f} |"
    page = write_page(root, "sprints/01_one/README.md", table, text="| loss |\n|---|\n| 0.500 |\n")
    before = page.read_text()
    assert main(["--check"]) == 1
    assert "sprints/01_one/README.md:3: is stale" in capsys.readouterr().out
    assert page.read_text() == before
    assert main(["--write"]) == 0
    assert page.read_text() == before.replace("0.500", "0.406")
    assert main(["--check"]) == 0
    assert main(["--write"]) == 0
    assert page.read_text() == before.replace("0.500", "0.406"), "writing twice changes nothing"


def test_pages_can_be_named(root: Path):
    stale = write_page(root, "README.md", "{01_one/train.results.loss}")
    fine = write_page(root, "BACKLOG.md", "nothing", text="nothing\n")
    assert (main(["--check", str(fine)]), main(["--check", str(stale)]), main(["--check"])) == (0, 1, 1)


def test_blocks_in_a_fence_are_examples(root: Path):
    page = write_page(root, "CONTRIBUTING.md", "{train.results.anything}")
    page.write_text(f"```\n{page.read_text()}```\n\n{page.read_text().replace('{train.results.anything}', 'real')}")
    assert [block.fresh for block in refresh(page)[1]] == ["real\n"]


def test_a_fence_in_a_block_is_generated(root: Path):
    assert quote(root, "```\n{train.results.loss}\n```") == "```\n0.40625\n```"


def test_results_of_older_code_are_listed_and_do_not_fail(root: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--check"]) == 0
    assert "older code" not in capsys.readouterr().out
    (root / "sprints" / "01_one" / "train.py").write_text("steps = 4\n")
    assert main(["--check"]) == 0
    assert "sprints/01_one/results/train.json was made by older code" in capsys.readouterr().out


def test_a_broken_results_file_is_an_error(root: Path):
    path = root / "sprints" / "01_one" / "results" / "train.json"
    path.write_text('{"results": ')
    with pytest.raises(ValueError, match=r"sprints/01_one/results/train\.json is not JSON .*: run its script again"):
        load_results(path)
