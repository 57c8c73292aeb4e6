"""How does a table become tensors, and do the units of its columns matter?

    uv run sprints/02_datasets_and_dataloaders/read_a_table.py

The table is scikit-learn's wine (178 wines, 13 measurements, 3 growers), written as CSV with some cells left empty.
Softmax regression reads it raw, and standardised by the training rows. Theory: notes/03_units.md
"""

import math
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas
import torch
from pydantic import Field
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from data_study.tables import read_table
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

RATES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
TOLERANCE = {"accuracy.*": TRAINED, "spread.*": TRAINED}
SCALINGS = ("raw", "standardised by all rows", "standardised")
Missing = Annotated[float, Field(ge=0, le=0.9)]  # so that no column is empty


@dataclass(frozen=True)
class Config(ScriptConfig):
    splits: PositiveInt = 5  # random splits to average over
    epochs: PositiveInt = 30  # passes over the training rows
    missing: Missing = 0.05  # share of the cells that are left empty


@dataclass(frozen=True)
class Results:
    rows: int
    empty_cells: int
    smallest_unit: float
    largest_unit: float
    accuracy: dict[str, float]
    spread: dict[str, float]
    chosen_rates: dict[str, list[float]]


class TableDataset(Dataset[tuple[Tensor, int]]):
    """Rows of a CSV file with a header: numbers (NaN where one is missing), and the number of the row's class.

    Args:
        path: the file.
        target: the column of the class; all others are numbers.
        transform: is applied to the numbers of a row when it is read.

    Raises:
        ValueError: the file cannot be read whole; says where it is wrong (`data_study/tables.py`).
    """

    def __init__(self, path: Path, target: str, transform: Callable[[Tensor], Tensor] | None = None) -> None:
        numbers, of_rows = read_table(path, target)
        self.columns = list(numbers)
        # Sorted, so that numbers of classes do not depend on the order of the rows.
        labels, classes = pandas.factorize(of_rows, sort=True)
        self.labels, self.classes = labels.tolist(), classes.tolist()
        # Not yet float32: of a time in seconds or an amount in cents it would keep the first seven digits only.
        self.values = torch.tensor(numbers.to_numpy(float), dtype=torch.float64)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        row = self.values[index]
        return (row if self.transform is None else self.transform(row)), self.labels[index]


class Standardise:
    """(x - mean) / deviation by column, as float32; what is missing becomes 0, the mean, and so does a constant column.

    Fitted on the rows that are given, in float64: units and offsets change nothing.
    """

    def __init__(self, rows: Tensor) -> None:
        rows = rows.double()
        self.mean = rows.nanmean(0)
        deviation = (rows - self.mean).square().nanmean(0).sqrt()
        # Of equal numbers the mean may be rounded, so that their deviation is tiny instead of 0.
        lowest, highest = rows.nan_to_num(torch.inf).amin(0), rows.nan_to_num(-torch.inf).amax(0)
        self.deviation = torch.where(lowest < highest, deviation, torch.inf)

    def __call__(self, row: Tensor) -> Tensor:
        return ((row - self.mean) / self.deviation).nan_to_num(0.0).float()


def write_wine(path: Path, missing: float, generator: torch.Generator) -> None:
    """Write the wines as CSV, with a share of the cells left empty at random."""
    wine = load_wine(as_frame=True)
    empty = torch.rand(wine.data.shape, generator=generator) < missing
    table = wine.data.mask(empty.numpy())
    table["grower"] = [f"grower {label}" for label in wine.target]
    table.to_csv(path, index=False)


def split(count: int, generator: torch.Generator) -> Sequence[list[int]]:
    """Return the rows that train (60 %), validate and test (20 % each)."""
    order = torch.randperm(count, generator=generator).tolist()
    return order[: count * 6 // 10], order[count * 6 // 10 : count * 8 // 10], order[count * 8 // 10 :]


def train(table: TableDataset, rows: list[int], rate: float, epochs: int, seed: int) -> nn.Linear:
    """Return softmax regression, trained by stochastic gradient descent; the seed fixes the order of the rows."""
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(Subset(table, rows), batch_size=16, shuffle=True, generator=generator)
    model = nn.Linear(len(table.columns), len(table.classes))
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(epochs):
        for features, labels in loader:  # (batch, columns), (batch,)
            loss = functional.cross_entropy(model(features), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@torch.no_grad()
def measure(model: nn.Linear, table: TableDataset, rows: list[int]) -> tuple[float, float]:
    """Return the mean loss of rows (infinite if training diverged) and the share of them that is right."""
    features, labels = next(iter(DataLoader(Subset(table, rows), batch_size=len(rows))))
    scores = model(features)
    loss = functional.cross_entropy(scores, labels).item()
    return loss if math.isfinite(loss) else math.inf, (scores.argmax(1) == labels).double().mean().item()


def scale(table: TableDataset, scaling: str, train_rows: list[int]) -> Callable[[Tensor], Tensor]:
    """Return the transform of a row: what is missing becomes the mean, and all but "raw" standardises."""
    if scaling == "standardised by all rows":
        return Standardise(table.values)
    fitted = Standardise(table.values[train_rows])
    return fitted if scaling == "standardised" else lambda row: torch.where(row.isnan(), fitted.mean, row).float()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    with tempfile.TemporaryDirectory() as folder:
        write_wine(Path(folder) / "wine.csv", config.missing, generator)
        table = TableDataset(Path(folder) / "wine.csv", target="grower")
    empty_cells = int(table.values.isnan().sum())
    print(f"{len(table)} rows of {len(table.columns)} numbers, {empty_cells} of which are missing")
    accuracies: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    for _ in tqdm(range(config.splits), unit="split"):
        train_rows, validation_rows, test_rows = split(len(table), generator)
        for scaling in SCALINGS:
            table.transform = scale(table, scaling, train_rows)
            models = {rate: train(table, train_rows, rate, config.epochs, config.seed) for rate in RATES}
            # The validation rows choose the learning rate; the test rows are looked at once, by the chosen model.
            losses = {rate: measure(model, table, validation_rows)[0] for rate, model in models.items()}
            best = min(losses, key=losses.__getitem__)
            rates.setdefault(scaling, []).append(best)
            accuracies.setdefault(scaling, []).append(measure(models[best], table, test_rows)[1])
        # The library's own softmax regression, on the rows as they were standardised last: by the training rows.
        features, labels = next(iter(DataLoader(Subset(table, train_rows), batch_size=len(train_rows))))
        library = LogisticRegression(max_iter=1000).fit(features, labels)
        test_features, answers = next(iter(DataLoader(Subset(table, test_rows), batch_size=len(test_rows))))
        accuracies.setdefault("scikit-learn", []).append(float(library.score(test_features, answers)))
        most = torch.bincount(labels).argmax()
        accuracies.setdefault("majority", []).append((answers == most).double().mean().item())
    for name, values in accuracies.items():
        print(f"{name:<26}{statistics.mean(values):.1%} +- {statistics.pstdev(values):.1%}   {rates.get(name, '')}")
    deviations = Standardise(table.values).deviation
    return Results(
        rows=len(table),
        empty_cells=empty_cells,
        smallest_unit=deviations.min().item(),
        largest_unit=deviations.max().item(),
        accuracy={name: math.fsum(values) / len(values) for name, values in accuracies.items()},
        spread={name: statistics.pstdev(values) for name, values in accuracies.items()},
        chosen_rates=rates,
    )


if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
