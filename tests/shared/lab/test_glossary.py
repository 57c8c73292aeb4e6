"""Terms in reading order."""

from pathlib import Path

import pytest

from shared.lab import paths
from shared.lab.glossary import first_uses, pages_in_order, read_glossary, running_text

GLOSSARY = """# Glossary

- **loss**: how wrong a model is ([sprint 1, note 2](01_one/notes/02_loss.md))
- **SGD (stochastic gradient descent)**: small steps ([sprint 2](02_two/README.md))
- **query, key**: what is compared ([sprint 2](02_two/README.md))
"""
PAGES = {
    "01_one/README.md": "# One\n\nHow small can a loss be?\n",
    "01_one/notes/01_start.md": "[← One](../README.md) · [loss →](02_loss.md)\n\nNumbers.\n\n**Next:** the loss.\n",
    "01_one/notes/02_loss.md": "A **loss** is a number. A key opens a door.\n\n**Sources.** SGD, 1951.\n",
    "02_two/README.md": "**SGD** takes steps. A **query** meets a **key**.\n",
}


@pytest.fixture
def early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes pages and says which terms are used too early, and where."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)

    def write_and_check(**changed: str) -> dict[str, str]:
        pages = PAGES | {{"start": "01_one/notes/01_start.md"}[name]: text for name, text in changed.items()}
        for name, text in (pages | {"GLOSSARY.md": GLOSSARY}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        uses = first_uses(read_glossary(tmp_path / "GLOSSARY.md"), pages_in_order(tmp_path))
        return {use.term.names[0]: f"{use.page.name}:{use.line}" for use in uses if use.early}

    return write_and_check


def test_a_term_is_explained_before_it_is_used(early):
    assert early() == {}
    assert early(start="Numbers.\n\nThe losses\nare small.\n") == {"loss": "01_start.md:3"}
    assert early(start="We take SGD.\n") == {"SGD": "01_start.md:1"}
    assert early(start="We take sgd, a loss function of `loss` and $loss$.\n") == {"loss": "01_start.md:1"}


def test_a_sentence_nearby_may_say_where_the_explanation_is(early):
    assert early(start="The loss, which notes 1 and\n2 explain.\n") == {}
    assert early(start="The loss.\n\nThis is note 2.\n\nAgain the loss.\n" + 5 * "\nMore.\n" + "The loss.\n") == {}
    assert early(start="The loss.\n\nA.\n\nB.\n\nC.\n\nThis is note 2.\n") == {"loss": "01_start.md:1"}
    assert early(start="The loss of note 12 or of sprint 1.\n") == {"loss": "01_start.md:1"}
    assert early(start="SGD comes in sprint 2.\n") == {}
    assert early(start="SGD comes in sprint 3, note 2.\n") == {"SGD": "01_start.md:1"}


def test_code_and_formulas_are_no_running_text(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("```\nloss\n```\nA `loss`\n$$\nloss\n$$\n[a link](loss.md) <!-- loss -->\nword\n")
    text = running_text(page)
    assert "loss" not in text
    assert text.splitlines()[-1] == "word"
    assert text.count("\n") == page.read_text().count("\n")


def test_an_entry_has_a_page_with_its_term(early, tmp_path: Path):
    early()
    glossary = tmp_path / "GLOSSARY.md"
    for entry, message in (
        ("- **loss**: how wrong it is", r"GLOSSARY\.md:1: an entry must end with a link"),
        ("- **loss**: how wrong it is ([sprint 9](09_nine/README.md))", "must end with a link"),
        ("- **tensor**: a table ([sprint 2](02_two/README.md))", r"02_two/README\.md has no tensor"),
    ):
        glossary.write_text(entry + "\n")
        with pytest.raises(ValueError, match=message):
            read_glossary(glossary)
