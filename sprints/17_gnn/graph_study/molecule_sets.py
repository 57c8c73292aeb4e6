"""Sets of molecules: made by a grammar of rings and chains, read from files, or the published benchmark ZINC-12k.

Each comes in three parts. Those of SMILES share no graph: a molecule of which the test has a stereoisomer is not
trained on, for it would be the same graph with the same answer.
"""

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from torch.nn import functional
from tqdm import tqdm

from graph_study.molecular_graphs import Molecule, parse_smiles, read_molecule, require_rdkit
from shared.graph.graphs import Graph
from shared.lab.datasets import CACHE, VARIABLE, DataError

# What a substituent ends in, and what lies between two rings; each is bound by its first atom.
GROUPS = (
    "F", "Cl", "Br", "I", "C", "C(F)(F)F", "O", "OC", "N", "N(C)C", "NC(=O)C", "C#N", "C(=O)O", "C(=O)[O-]", "C(=O)N",
    "[N+](=O)[O-]", "S(=O)(=O)C", "SC", "C[NH3+]", "C=C", "C(C)C", "S(=O)(=O)N",
)  # fmt: skip
LINKERS = ("", "C", "CC", "O", "OC", "NC", "C(=O)N", "NC(=O)", "S(=O)(=O)N", "C(=O)", "C=C", "CN(C)C")
DEEPEST = 3  # rings from the first to one that hangs on a ring that hangs on it
MADE = 4000
VALIDATION = 4445  # the last of the 24,445 lines of valid.txt
ATOM_TYPES, BOND_TYPES = 28, 4
ENDINGS = (".smi", ".txt")


@dataclass(frozen=True)
class Splits:
    """The three parts, and how many molecules of training and validation were dropped as the same graph as another."""

    training: list[Molecule]
    validation: list[Molecule]
    test: list[Molecule]
    dropped: int = 0


def load_splits(data: str, target: str, limit: int | None, seed: int) -> Splits:
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
        train, val, held_out = (published(_home("zinc12k"), split, limit) for split in ("train", "val", "test"))
        return Splits(train, val, held_out)
    require_rdkit()
    if data == "zinc":
        found, test = (read_file(path, target, limit) for path in _zinc_files())
        test = _distinct(test)
        kept = _distinct(found, {molecule.flat for molecule in test})
    elif data == "generated":
        found, test = [read_molecule(smiles, "", target) for smiles in generate(limit or MADE, seed)], []
        kept = _distinct(found)
    else:
        found, test = [one for path in _own_files(Path(data)) for one in read_file(path, target, limit)], []
        kept = _distinct(found)
    if len(kept) < 10:
        raise ValueError(f"three parts need at least 10 different molecules; {data} has {len(kept)}: add some")
    dropped, tenth = len(found) - len(kept), len(kept) // 10
    if test:
        held = min(VALIDATION, 2 * tenth)
        return Splits(kept[:-held], kept[-held:], test, dropped)
    random.Random(seed).shuffle(kept)
    return Splits(kept[2 * tenth :], kept[:tenth], kept[tenth : 2 * tenth], dropped)


def _distinct(molecules: Iterable[Molecule], taken: Iterable[str] = ()) -> list[Molecule]:
    """Return the molecules without those that are the same graph as an earlier one, or as one taken."""
    first: dict[str, Molecule] = {}
    for molecule in molecules:
        first.setdefault(molecule.flat, molecule)
    gone = set(taken)
    return [molecule for flat, molecule in first.items() if flat not in gone]


# Made


def generate(count: int, seed: int) -> list[str]:
    """Return different molecules: a ring with substituents, or with linkers to further rings.

    Raises:
        ValueError: more than the grammar has found after many tries.
    """
    from rdkit import Chem

    draw, found = random.Random(seed), {}
    for _ in range(20 * count):
        smiles = _ring(draw, 0)
        found.setdefault(Chem.MolToSmiles(parse_smiles(smiles)), smiles)
        if len(found) == count:
            return list(found.values())
    raise ValueError(f"molecules must be fewer: {20 * count:,} tries made {len(found):,} different ones of {count:,}")


def _ring(draw: random.Random, depth: int) -> str:
    """Return a ring whose first atom is a carbon with a bond left, so that it can hang on another ring."""
    own, fused = 2 * depth + 1, 2 * depth + 2  # numbers of rings that are open at the same time must differ
    kind = draw.random()
    if kind < 0.4:
        return f"c{own}{_atoms(draw, 5, depth, 'c', ('n',))}{own}"
    if kind < 0.6:
        return f"c{own}{_atoms(draw, 3, depth, 'c', ('n',))}{draw.choice(('o', 's', '[nH]', 'n(C)'))}{own}"
    if kind < 0.7:
        return f"c{own}ccc{fused}c(c{own}){_atoms(draw, 4, depth, 'c', ('n',))}{fused}"
    return f"C{own}{_atoms(draw, draw.randint(2, 5), depth, 'C', ('O', 'S', 'N(C)', 'C(=O)'))}C{own}"


def _atoms(draw: random.Random, count: int, depth: int, carbon: str, others: tuple[str, ...]) -> str:
    """Return atoms of a ring: carbons, of which some are substituted, and others, which are no neighbours."""
    text, plain = "", True
    for _ in range(count):
        other = plain and draw.random() < 0.25
        text += draw.choice(others) if other else carbon + _branch(draw, depth)
        plain = not other
    return text


def _branch(draw: random.Random, depth: int) -> str:
    """Return what hangs on an atom: mostly nothing, a chain that ends in a group, or a ring."""
    kind = draw.random()
    if kind < 0.65:
        return ""
    if kind < 0.85 or depth == DEEPEST - 1:
        return f"({draw.choice(('', '', '', 'C', 'CC', 'OC', 'NC', 'CC(C)'))}{draw.choice(GROUPS)})"
    return f"({draw.choice(LINKERS)}{_ring(draw, depth + 1)})"


# Read


def read_file(path: Path, target: str, limit: int | None = None) -> list[Molecule]:
    """Return the molecules of a file: one SMILES a line, what follows after a space is its name.

    Raises:
        ValueError: no molecule, or a line that is no SMILES; says which.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
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


def _home(folder: str) -> Path:
    """Return a folder of data: one's own if it is there, else the cache."""
    own = Path(os.environ.get(VARIABLE, CACHE)) / folder
    return own if own.is_dir() else CACHE / folder


def _zinc_files() -> list[Path]:
    files = [_home("zinc") / name for name in ("valid.txt", "test.txt")]
    for file in files:
        if not file.is_file():
            raise DataError(
                f"{file} is missing: put valid.txt and test.txt of data/zinc in "
                f"https://github.com/wengong-jin/icml18-jtnn there, or set {VARIABLE} to a folder that holds them "
                "in zinc/. --data generated needs no file"
            )
    return files


def published(root: Path, split: str, limit: int | None = None) -> list[Molecule]:
    """Return a part (train, val, test) of ZINC-12k (Dwivedi et al. 2020): types of atoms and bonds, and no SMILES.

    The target is the penalised logP of the benchmark: logP minus synthetic accessibility minus large rings, each
    standardised.

    Raises:
        ValueError: torch_geometric is not installed.
        DataError: the data is not there and cannot be downloaded.
    """
    if find_spec("torch_geometric") is None:
        raise ValueError(
            "zinc12k is read by torch_geometric, which is not installed: run with uv run --group reference"
        )
    from torch_geometric.datasets import ZINC

    try:
        found = ZINC(str(root), subset=True, split=split)
    except (OSError, ValueError) as error:  # what fsspec raises without a network is among these
        raise DataError(
            f"cannot get ZINC-12k ({error}): unpack the folder molecules of {ZINC.url} to {root / 'raw'}, add "
            f"{', '.join(ZINC.split_url.format(name) for name in ('train', 'val', 'test'))}, or set {VARIABLE} to a "
            "folder that holds zinc12k/raw. --data zinc has other molecules of the same origin, and another target"
        ) from error
    return [_typed(one) for one in list(found)[:limit]]


def _typed(one) -> Molecule:
    atoms, bonds = functional.one_hot(one.x[:, 0], ATOM_TYPES), functional.one_hot(one.edge_attr, BOND_TYPES)
    return Molecule(Graph(one.edge_index, one.num_nodes), atoms.float(), bonds.float(), one.y.item())
