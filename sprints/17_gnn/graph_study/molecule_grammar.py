"""Molecules made by a grammar of rings, linkers and substituents: as many different ones as are asked for."""

import random

from graph_study.smiles import parse_smiles

# What a substituent ends in, and what lies between two rings; each is bound by its first atom.
GROUPS = (
    "F", "Cl", "Br", "I", "C", "C(F)(F)F", "O", "OC", "N", "N(C)C", "NC(=O)C", "C#N", "C(=O)O", "C(=O)[O-]", "C(=O)N",
    "[N+](=O)[O-]", "S(=O)(=O)C", "SC", "C[NH3+]", "C=C", "C(C)C", "S(=O)(=O)N",
)  # fmt: skip
LINKERS = ("", "C", "CC", "O", "OC", "NC", "C(=O)N", "NC(=O)", "S(=O)(=O)N", "C(=O)", "C=C", "CN(C)C")
DEEPEST = 3  # rings from the first to one that hangs on a ring that hangs on it


def generate(count: int, seed: int) -> list[str]:
    """Return different molecules: a ring with substituents, or with linkers to further rings.

    Raises:
        ValueError: more than the grammar has found after many tries.
    """
    from rdkit import Chem

    draw, made = random.Random(seed), {}
    for _ in range(20 * count):
        smiles = _ring(draw, 0)
        made.setdefault(Chem.MolToSmiles(parse_smiles(smiles)), smiles)
        if len(made) == count:
            return list(made.values())
    raise ValueError(f"molecules must be fewer: {20 * count:,} tries made {len(made):,} different ones of {count:,}")


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
