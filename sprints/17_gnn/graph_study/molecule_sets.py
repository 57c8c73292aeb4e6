"""Sets of molecules in three parts: made by a grammar, read from files, or the published benchmark ZINC-12k.

Parts made of SMILES share no graph: a molecule of which the test has a stereoisomer is not trained on, for it would be
the same graph with the same answer.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from graph_study.molecular_graphs import Molecule, read_molecule
from graph_study.molecule_grammar import generate
from graph_study.smiles import require_rdkit
from graph_study.zinc12k import published
from shared.lab.datasets import VARIABLE, DataError, find_folder
from shared.lab.provenance import note_read

MADE = 4000
VALIDATION = 4445  # the last of the 24,445 lines of valid.txt
ENDINGS = (".smi", ".txt")


@dataclass(frozen=True)
class MoleculeSplits:
    """The three parts, and how many molecules of training and validation were dropped as the same graph as another."""

    training: list[Molecule]
    validation: list[Molecule]
    test: list[Molecule]
    dropped: int = 0


def load_splits(data: str, target: str, limit: int | None, seed: int) -> MoleculeSplits:
    """Return the molecules of a data set in three parts.

    Args:
        data: generated, zinc, zinc12k, or a file or folder of SMILES.
        target: what is computed for each; zinc12k has a target of its own.
        limit: how many molecules to make, or of how many first ones of each file to take; None for all.
        seed: makes molecules and splits files; zinc and zinc12k are split already.

    Raises:
        ValueError: no such file, a line that is no SMILES, or too few molecules for three parts.
        DataError: the files of zinc or zinc12k are not there.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"molecules must be at least 1, got {limit}")
    if data == "zinc12k":
        train, val, held_out = (published(split, limit) for split in ("train", "val", "test"))
        return MoleculeSplits(train, val, held_out)
    require_rdkit()
    test: list[Molecule] = []
    if data == "zinc":
        learnt, test = (read_file(path, target, limit) for path in _zinc_files())
        test = _distinct(test)
    elif data == "generated":
        learnt = [read_molecule(smiles, "", target) for smiles in generate(limit or MADE, seed)]
    else:
        learnt = [molecule for path in _own_files(Path(data)) for molecule in read_file(path, target, limit)]
    kept = _distinct(learnt, {molecule.flat for molecule in test})
    if len(kept) < 10:
        raise ValueError(f"three parts need at least 10 different molecules; {data} has {len(kept)}: add some")
    dropped, tenth = len(learnt) - len(kept), len(kept) // 10
    if test:
        num_val = min(VALIDATION, 2 * tenth)
        return MoleculeSplits(kept[:-num_val], kept[-num_val:], test, dropped)
    random.Random(seed).shuffle(kept)
    return MoleculeSplits(kept[2 * tenth :], kept[:tenth], kept[tenth : 2 * tenth], dropped)


def _distinct(molecules: Iterable[Molecule], taken: Iterable[str] = ()) -> list[Molecule]:
    """Return the molecules without those that are the same graph as an earlier one, or as one taken."""
    first: dict[str, Molecule] = {}
    for molecule in molecules:
        first.setdefault(molecule.flat, molecule)
    gone = set(taken)
    return [molecule for flat, molecule in first.items() if flat not in gone]


def read_file(path: Path, target: str, limit: int | None = None) -> list[Molecule]:
    """Return the molecules of a file: one SMILES a line, what follows after a space is its name.

    Raises:
        ValueError: no text, no molecule, or a line that is no SMILES; says which.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text in UTF-8 ({error.reason}): write one SMILES a line") from None
    numbered = [(number, line.split()[0]) for number, line in enumerate(lines, start=1) if line.strip()][:limit]
    if not numbered:
        raise ValueError(f"{path.name} has no molecule: write one SMILES a line")
    bar = tqdm(numbered, desc=f"reading {path.name}", disable=len(numbered) < 5000)
    return [read_molecule(smiles, f"{path.name}, line {number}", target) for number, smiles in bar]


def _own_files(path: Path) -> list[Path]:
    files = sorted(file for file in path.iterdir() if file.suffix in ENDINGS) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise ValueError(
            f"data must be generated, zinc, zinc12k, or a file or folder of SMILES ({', '.join(ENDINGS)}); "
            f"got {str(path)!r}, where there is none"
        )
    return files


def _zinc_files() -> list[Path]:
    """Return the two lists of molecules of Jin et al. (2018), which results rest on."""
    names = ("valid.txt", "test.txt")
    files = [find_folder("zinc", names) / name for name in names]
    for file in files:
        if not file.is_file():
            raise DataError(
                f"{file} is missing: put valid.txt and test.txt of data/zinc in "
                f"https://github.com/wengong-jin/icml18-jtnn there, or set {VARIABLE} to a folder that holds them "
                "in zinc/. --data generated needs no file"
            )
    return [note_read(file, f"zinc/{file.name}") for file in files]
