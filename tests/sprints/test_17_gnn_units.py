"""A graph of one's own in other units, or far from 0: the scores stay what they are."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

FOLDER = "17_gnn"
CHANGES = {"far from 0": (1.0, 1e9), "1e9 times as large": (1e9, 0.0), "1e-9 times as large": (1e-9, 0.0)}


@pytest.fixture
def script(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    return load_sprint(f"{FOLDER}/train.py")


@pytest.fixture
def standardising(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    return load_sprint(f"{FOLDER}/graph_study/standardising.py")


def write_ring(folder: Path, features: tuple[float, float], labels: tuple[float, float] | None) -> Path:
    """Write a ring of 40 nodes with one feature; labels are a wave, or two classes. Numbers have factor and offset."""
    rows = []
    for node in range(40):
        wave, side = math.sin(node / 6), node // 20
        feature = features[0] * (side + wave / 5) + features[1]
        label = ("warm", "cold")[side] if labels is None else repr(labels[0] * wave + labels[1])
        rows.append(f"{node},{feature!r},{label}")
    folder.mkdir()
    (folder / "nodes.csv").write_text("node,feature,label\n" + "\n".join(rows))
    (folder / "edges.csv").write_text("source,target\n" + "\n".join(f"{node},{(node + 1) % 40}" for node in range(40)))
    return folder


def score(script: ModuleType, folder: Path, measure: str) -> dict[str, float]:
    config = script.Config(data=str(folder), layers=1, width=8, steps=20, dropout=0.0, learning_rate=0.05, device="cpu")
    scores = script.train_and_score(config, script.load(config), 0).scores
    return {method: measures[measure] for method, measures in scores.items()}


@pytest.mark.parametrize("labels", [(1.0, 0.0), None], ids=["numbers", "classes"])
def test_scores_do_not_depend_on_the_unit(script, tmp_path, labels):
    measure = "accuracy" if labels is None else "R2"
    expected = score(script, write_ring(tmp_path / "as it is", (1.0, 0.0), labels), measure)
    assert expected["gcn"] > 0.7
    for name, change in CHANGES.items():
        found = score(script, write_ring(tmp_path / f"features {name}", change, labels), measure)
        assert found == pytest.approx(expected, abs=0.005), f"features {name}"
        if labels is not None:
            found = score(script, write_ring(tmp_path / f"labels {name}", (1.0, 0.0), change), measure)
            assert found == pytest.approx(expected, abs=0.005), f"labels {name}"


@pytest.mark.parametrize("change", [(1.0, 1_700_000_000.0), (1e-11, 0.0), (1e200, 0.0), (1e-200, 0.0)])
def test_numbers_are_standardised_whatever_their_size(standardising, change):
    values = torch.arange(60, dtype=torch.double) * change[0] + change[1]
    scaled = standardising.standardise(values, *standardising.mean_and_deviation(values))
    expected = (torch.arange(60) - 29.5) / torch.arange(60).double().std(correction=0)
    torch.testing.assert_close(scaled, expected.float())


@pytest.mark.parametrize("value", [0.0, 1_700_000_000.1, 1e-11, -3e200])
def test_a_constant_column_becomes_0_even_where_it_changes_later(standardising, value: float):
    table = torch.tensor([[value, 1.0], [value, 2.0], [value, 4.0], [value + abs(value) + 1, 8.0]], dtype=torch.double)
    scaled = standardising.standardise(table, *standardising.mean_and_deviation(table[:3]))
    assert scaled[:, 0].tolist() == [0, 0, 0, 0]
    assert scaled[:, 1].std() > 1


def test_a_number_that_no_other_can_stand_beside_is_refused(standardising):
    table = torch.tensor([[1.0], [2.0], [1e80]], dtype=torch.double)
    with pytest.raises(ValueError, match=r"row 3 has 1e\+80 where the deviation of those of training is 0.5"):
        standardising.standardise(table, *standardising.mean_and_deviation(table[:2]))


def test_predictions_have_the_digits_of_their_labels(script, tmp_path):
    for name, labels in {"small": (1e-11, 0.0), "large": (1.0, 1_700_000_000.0)}.items():
        folder = write_ring(tmp_path / name, (1.0, 0.0), labels)
        config = script.Config(data=str(folder), layers=1, width=8, steps=2, seeds=(0,), device="cpu", out=folder)
        script.main(config)
        with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
            predictions = [float(row["prediction"]) for row in csv.DictReader(file)]
        assert len(set(predictions)) > 20, name
        assert max(abs(value - labels[1]) for value in predictions) < 3 * labels[0]
