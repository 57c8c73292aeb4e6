"""Sprint 17: molecules as graphs."""

import pickle
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from shared.checks.sanity import check_gradients
from shared.lab.datasets import VARIABLE, DataError

FOLDER = "17_gnn"
KINDS = ("gine", "gin", "gcn", "gat", "sage")
# Aspirin, caffeine, a salt in two parts, a zwitterion, one atom, a nitrile.
SMILES = (
    "CC(=O)Oc1ccccc1C(=O)O", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "[Na+].CC(=O)[O-]", "[NH3+]C(C)C(=O)[O-]", "C", "CCC#N",
)  # fmt: skip


@pytest.fixture
def script(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    return load_sprint(f"{FOLDER}/molecules.py")


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    """Return a module of the sprint's package."""
    return lambda name: load_sprint(f"{FOLDER}/graph_study/{name}.py")


@pytest.fixture
def graphs(part) -> ModuleType:
    return part("molecular_graphs")


@pytest.fixture
def networks(part) -> ModuleType:
    return part("molecule_networks")


@pytest.fixture
def baselines(part) -> ModuleType:
    return part("molecule_baselines")


@pytest.fixture
def sets(part) -> ModuleType:
    return part("molecule_sets")


@pytest.fixture
def generate(part) -> Callable[[int, int], list[str]]:
    return part("molecule_grammar").generate


@pytest.fixture
def chem() -> Any:
    return pytest.importorskip("rdkit.Chem", reason="RDKit is in the group molecules: uv sync --group molecules")


@pytest.fixture
def molecules(graphs: ModuleType, chem: Any) -> list[Any]:  # noqa: ARG001
    return [graphs.read_molecule(smiles) for smiles in SMILES]


def network(networks: ModuleType, molecule: Any, kind: str = "gine", readout: str = "sum") -> Any:
    torch.manual_seed(0)
    sizes = molecule.atoms.shape[1], molecule.bonds.shape[1]
    model = networks.MoleculeNetwork(kind, *sizes, width=8, depth=2, readout=readout)
    torch.nn.init.normal_(model.last.weight)  # it starts at 0, where nothing could be told apart
    for norm in model.norms:
        torch.nn.init.uniform_(norm.running_mean)
    return model


# From SMILES to graphs


def test_acetate_by_hand(graphs, chem):  # noqa: ARG001
    molecule = graphs.read_molecule("CC(=O)[O-]")
    carbon, oxygen = [1, *[0] * 9], [0, 0, 1, *[0] * 7]
    none, one, two, three = ([1.0 * (place == at) for place in range(7)] for at in range(4))
    hydrogens = {0: [1, 0, 0, 0, 0, 0], 3: [0, 0, 0, 1, 0, 0]}
    minus, neutral = [1, 0, 0, 0], [0, 1, 0, 0]
    expected = [
        [*carbon, *one, *hydrogens[3], *neutral, 0, 0],
        [*carbon, *three, *hydrogens[0], *neutral, 0, 0],
        [*oxygen, *one, *hydrogens[0], *neutral, 0, 0],
        [*oxygen, *one, *hydrogens[0], *minus, 0, 0],
    ]
    assert molecule.atoms.tolist() == expected
    assert none not in (one, two, three)
    kinds = {(0, 1): [1, 0, 0, 0, 0, 0, 0], (1, 2): [0, 1, 0, 0, 0, 0, 1], (1, 3): [1, 0, 0, 0, 0, 0, 1]}
    found = dict(zip(map(tuple, molecule.graph.edge_index.T.tolist()), molecule.bonds.tolist(), strict=True))
    assert found == kinds | {(target, source): kind for (source, target), kind in kinds.items()}


def test_rings_and_triple_bonds_and_single_atoms(graphs, molecules):
    benzene = graphs.read_molecule("c1ccccc1")
    assert (benzene.atoms[:, -2:] == 1).all(), "aromatic, and in a ring"
    assert (benzene.bonds == torch.tensor([0, 0, 0, 1, 0, 1, 1.0])).all()
    assert (graphs.read_molecule("C1CCCCC1").atoms[:, -2:] == torch.tensor([0, 1.0])).all()
    assert molecules[5].bonds[:, 2].sum() == 2, "one triple bond, in both directions"
    assert molecules[4].graph.edge_index.shape == (2, 0)
    assert graphs.read_molecule("[SiH4]").atoms[0, 9] == 1, "an element that has no place of its own"
    for molecule in molecules:
        assert molecule.atoms.shape == (molecule.graph.num_nodes, graphs.ATOM_FEATURES)
        assert molecule.bonds.shape == (molecule.graph.num_edges, graphs.BOND_FEATURES)


def test_logp_is_the_sum_over_atoms(part, molecules):
    for molecule in molecules:
        each = part("molecule_targets").logp_of_atoms(molecule.smiles)
        assert len(each) == molecule.graph.num_nodes
        assert sum(each) == pytest.approx(molecule.target)


def test_targets_against_values_that_are_known(graphs, chem):  # noqa: ARG001
    aspirin = {target: graphs.read_molecule(SMILES[0], "", target).target for target in graphs.TARGETS}
    assert aspirin["logp"] == pytest.approx(1.3101, abs=1e-4)
    assert aspirin["tpsa"] == pytest.approx(63.6, abs=1e-4)
    assert aspirin["rings"] == 1
    assert 0.5 < aspirin["qed"] < 0.6
    with pytest.raises(ValueError, match=r"target must be one of logp.*got 'colour'"):
        graphs.read_molecule("C", "", "colour")


def test_two_steps_determine_what_an_atom_adds(graphs, part, generate, chem):  # noqa: ARG001
    """Atoms that look alike two bonds around have the same contribution; those that look alike alone have not."""
    made = [graphs.read_molecule(smiles) for smiles in generate(200, 1)]
    added: dict[int, dict[int, set[float]]] = {0: defaultdict(set), 2: defaultdict(set)}
    for molecule in made:
        names = [hash(tuple(row)) for row in molecule.atoms.tolist()]
        for steps in range(3):
            if steps in added:
                for name, value in zip(names, part("molecule_targets").logp_of_atoms(molecule.smiles), strict=True):
                    added[steps][name].add(round(value, 6))
            heard = defaultdict(list)
            for (source, target), bond in zip(
                molecule.graph.edge_index.T.tolist(), molecule.bonds.tolist(), strict=True
            ):
                heard[target].append(hash((names[source], tuple(bond))))
            names = [hash((name, tuple(sorted(heard[atom])))) for atom, name in enumerate(names)]
    assert max(map(len, added[2].values())) == 1
    assert max(map(len, added[0].values())) > 1


# Where molecules come from


def test_the_grammar_makes_different_valid_molecules(generate, chem):
    made = generate(300, 0)
    assert len({chem.MolToSmiles(chem.MolFromSmiles(smiles)) for smiles in made}) == 300
    assert generate(300, 0) == made, "same seed, same molecules"
    assert generate(300, 1) != made
    assert not any(set("*^") & set(smiles) for smiles in made)


def test_stereoisomers_of_the_test_are_not_trained_on(sets, chem, tmp_path, monkeypatch):  # noqa: ARG001
    (tmp_path / "zinc").mkdir()
    learnt = ["C" * length for length in range(1, 21)]
    (tmp_path / "zinc" / "valid.txt").write_text("\n".join(["N[C@@H](C)C(=O)O", *learnt, "OCC", "CCO"]) + "\n")
    (tmp_path / "zinc" / "test.txt").write_text("N[C@H](C)C(=O)O\nCCCl\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    splits = sets.load_splits("zinc", "logp", None, 0)
    parts = [[molecule.smiles for molecule in part] for part in (splits.training, splits.validation, splits.test)]
    assert parts == [learnt[:17], [*learnt[17:], "OCC"], ["N[C@H](C)C(=O)O", "CCCl"]]
    assert splits.dropped == 2
    assert len(sets.load_splits("zinc", "logp", 12, 0).training) == 9


def test_files_of_ones_own(sets, chem, tmp_path):  # noqa: ARG001
    (tmp_path / "a.smi").write_text("\n".join(f"{'C' * length} alkane-{length}" for length in range(1, 11)))
    (tmp_path / "b.txt").write_text("\n\nCO\nCCO\n")
    (tmp_path / "c.csv").write_text("not, read")
    splits = sets.load_splits(str(tmp_path), "logp", None, 0)
    parts = (splits.training, splits.validation, splits.test)
    assert [len(part) for part in parts] == [10, 1, 1]
    assert len({molecule.flat for part in parts for molecule in part}) == 12
    assert len(sets.load_splits(str(tmp_path / "a.smi"), "logp", None, 0).training) == 8


def test_wrong_files_are_refused(sets, chem, tmp_path, monkeypatch):  # noqa: ARG001
    wrong = tmp_path / "wrong.smi"
    wrong.write_text("CCO\n\nC1CC(N methane\n")
    with pytest.raises(ValueError, match=r"wrong.smi, line 3: .*got 'C1CC\(N'.*one SMILES a line"):
        sets.read_file(wrong, "logp")
    wrong.write_text("\n")
    with pytest.raises(ValueError, match=r"wrong.smi has no molecule"):
        sets.read_file(wrong, "logp")
    wrong.write_bytes(b"CCO\n\xff\xfe")
    with pytest.raises(ValueError, match=r"wrong.smi is no text in UTF-8"):
        sets.read_file(wrong, "logp")
    wrong.write_text("\ufeffCCO\n", encoding="utf-8")
    assert [molecule.smiles for molecule in sets.read_file(wrong, "logp")] == ["CCO"], "without the byte order mark"
    wrong.write_text("C\nCC\n")
    with pytest.raises(ValueError, match=r"at least 10 different molecules.* has 2"):
        sets.load_splits(str(wrong), "logp", None, 0)
    with pytest.raises(ValueError, match=r"generated, zinc, zinc12k.*'nowhere.smi'"):
        sets.load_splits("nowhere.smi", "logp", None, 0)
    with pytest.raises(ValueError, match="molecules must be at least 1, got 0"):
        sets.load_splits("generated", "logp", 0, 0)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "zinc").mkdir()
    with pytest.raises(DataError, match=r"valid.txt is missing.*icml18-jtnn.*SPRINTS_DATA"):
        sets.load_splits("zinc", "logp", None, 0)


def test_without_rdkit_the_error_says_how_to_run(script, part, monkeypatch):
    monkeypatch.setattr(part("smiles"), "find_spec", lambda name: None)  # noqa: ARG005
    with pytest.raises(ValueError, match=r"uv run --group molecules sprints/17_gnn/molecules.py"):
        script.main(script.Config())


# Networks


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("readout", ["sum", "mean"])
def test_a_batch_is_what_each_is_alone(graphs, networks, molecules, kind, readout):
    model = network(networks, molecules[0], kind, readout).eval()
    together = model(graphs.batch_molecules(molecules))
    alone = torch.cat([model(graphs.batch_molecules([molecule])) for molecule in molecules])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert together.std() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_atoms_does_not_matter(graphs, networks, chem, kind):
    parsed = chem.MolFromSmiles(SMILES[0])
    turned = chem.RenumberAtoms(parsed, list(reversed(range(parsed.GetNumAtoms()))))
    other = chem.MolToSmiles(turned, canonical=False)
    both = [graphs.read_molecule(smiles) for smiles in (SMILES[0], other)]
    assert other != SMILES[0]
    model = network(networks, both[0], kind).eval()
    first, second = model(graphs.batch_molecules(both)).tolist()
    assert first == pytest.approx(second, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_learns(graphs, networks, molecules, kind):
    # In training a bias before a norm has no effect; with the constants of `eval` it has.
    model, batch = network(networks, molecules[0], kind), graphs.batch_molecules(molecules)
    for norm in model.norms:
        norm.momentum = 1.0
    model(batch)
    model.eval()
    check_gradients(model, (model(batch) - batch.targets).square().sum())


def test_only_gine_sees_the_kind_of_a_bond(graphs, networks, molecules):
    batch = graphs.batch_molecules(molecules)
    changed = batch._replace(bonds=batch.bonds.flip(1))
    for kind in KINDS:
        model = network(networks, molecules[0], kind).eval()
        assert torch.equal(model(batch), model(changed)) == (kind != "gine")


def test_networks_that_cannot_be_are_refused(networks):
    for wrong in ({"kind": "cnn"}, {"depth": 0}, {"width": 10}, {"readout": "max"}):
        sizes = {"kind": "gine", "atom_features": 3, "bond_features": 2, "width": 8, "depth": 1, "readout": "sum"}
        with pytest.raises(ValueError, match=f"{next(iter(wrong.values()))}"):
            networks.MoleculeNetwork(**sizes | wrong)


def test_the_last_layer_is_solved(graphs, networks, part, generate, chem):  # noqa: ARG001
    training = part("molecule_training")
    made = [graphs.read_molecule(smiles) for smiles in generate(150, 0)]
    learnt, validation = made[:120], made[120:]
    scale = networks.TargetScale(2.0, 1.5)
    model = network(networks, made[0])
    before = training.mean_absolute_error(model, validation, scale)
    solved = networks.solve_last_layer(model, scale, learnt, validation)
    after = training.mean_absolute_error(model, validation, scale)
    assert after == pytest.approx(solved, rel=1e-3), "what it returns is what the network now does"
    assert after < before / 3


def test_ridge_is_that_of_scikit_learn(part):
    linear = pytest.importorskip("sklearn.linear_model")
    draw = np.random.default_rng(0)
    inputs = [draw.normal(size=(rows, 5)) + 3 for rows in (40, 20, 20)]
    targets = [data @ np.arange(5.0) + draw.normal(size=len(data)) for data in inputs]
    strengths = (1000.0, 0.1, 10.0)
    theirs = [linear.Ridge(alpha=strength).fit(inputs[0], targets[0]) for strength in strengths]
    errors = [
        [np.abs(model.predict(data) - truth).mean() for data, truth in zip(inputs[1:], targets[1:], strict=True)]
        for model in theirs
    ]
    assert part("ridge").ridge_errors(inputs, targets, strengths) == pytest.approx(min(errors))
    weights, offsets = part("ridge").solve_ridge(inputs[0], targets[0], strengths)
    np.testing.assert_allclose(weights[:, 2], theirs[2].coef_)
    np.testing.assert_allclose(offsets[2], theirs[2].intercept_)


def test_fingerprints_count_neighbourhoods(baselines, molecules):
    bits, counts = (baselines.fingerprints(molecules, counts=counts) for counts in (False, True))
    assert bits.shape == (len(molecules), 2048)
    np.testing.assert_array_equal(bits, (counts > 0).astype(np.float32))
    assert counts.max() > 1
    assert baselines.atom_counts(molecules)[0][:3].tolist() == [9, 0, 4], "aspirin has 9 carbons and 4 oxygens"
    assert baselines.molecular_weights(molecules)[0, 0] == pytest.approx(180.16, abs=0.01)


# The script


def test_a_graph_beats_fingerprints_even_untrained(script, baselines, chem, monkeypatch):  # noqa: ARG001
    monkeypatch.setattr(baselines, "BITS", 512)  # ridge regression on 2,048 takes seconds
    config = script.Config(molecules=200, epochs=2, width=16, layer=("gine", "gin"), device="cpu")
    results = script.main(config)
    row = results.networks["gine"]
    best = results.baselines[results.best_baseline]
    assert results.best_baseline == "Morgan counts, ridge"
    assert row.error < best.error
    assert row.untrained < best.error
    assert row.error < row.by_descent
    assert row.parameters < 100_000
    assert results.counts == {"training": 160, "validation": 20, "test": 20, "dropped": 0}
    assert results.networks["gin"].error != row.error
    assert len(script.plot(results).axes) == 2
    again = script.main(replace(config, layer=("gine",)))
    assert again.networks["gine"] == row, "same seed, same results"


def test_targets_that_are_all_alike_are_refused(script, chem, tmp_path):  # noqa: ARG001
    alkanes = tmp_path / "alkanes.smi"
    alkanes.write_text("\n".join("C" * length for length in range(1, 13)))
    with pytest.raises(ValueError, match="rings is 0 for all of them"):
        script.main(script.Config(data=str(alkanes), target="rings"))
    alkanes.write_text("\n".join(f"{'C' * length}O" for length in range(1, 13)))
    with pytest.raises(ValueError, match=r"tpsa is 20.23 for all of them"):
        script.main(script.Config(data=str(alkanes), target="tpsa"))


# ZINC-12k


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write ZINC-12k as it is published, with few molecules: chains whose target is their length."""
    raw = tmp_path / "zinc12k" / "raw"
    raw.mkdir(parents=True)
    for split, count in {"train": 12, "val": 5, "test": 4}.items():
        made = []
        for length in range(2, 2 + count):
            bonds = torch.diag(torch.ones(length - 1, dtype=torch.int8), 1)
            bonds[0, 1] = 2
            made.append(
                {
                    "atom_type": torch.arange(length, dtype=torch.int8) % 3,
                    "bond_type": bonds + bonds.T,
                    "logP_SA_cycle_normalized": torch.tensor([float(length)]),
                }
            )
        (raw / f"{split}.pickle").write_bytes(pickle.dumps(made))
        (raw / f"{split}.index").write_text(",".join(str(row) for row in range(count)) + "\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return raw


@pytest.mark.usefixtures("benchmark")
def test_the_benchmark_is_read_and_scored_beside_published_figures(script, part, monkeypatch):
    molecule = part("zinc12k").published("test")[1]
    assert molecule.target == 3
    assert molecule.atoms.argmax(dim=1).tolist() == [0, 1, 2]
    bonds = dict(
        zip(map(tuple, molecule.graph.edge_index.T.tolist()), molecule.bonds.argmax(dim=1).tolist(), strict=True)
    )
    assert bonds == {(0, 1): 2, (1, 0): 2, (1, 2): 1, (2, 1): 1}
    monkeypatch.setattr(part("smiles"), "find_spec", lambda name: None)  # noqa: ARG005
    results = script.main(script.Config(data="zinc12k", epochs=1, width=8, device="cpu"))
    assert results.published == script.PUBLISHED
    assert set(results.baselines) == {"the mean of training", "counts of atoms, ridge"}
    assert results.atoms is None
    assert results.counts == {"training": 12, "validation": 5, "test": 4, "dropped": 0}


def test_a_benchmark_that_is_not_there_is_said_to(part, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match=r"raw/train\.pickle is missing: .*dropbox.*train\.index.*SPRINTS_DATA"):
        part("zinc12k").published("train")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bond_type": torch.zeros(2, 3)}, r"3 atoms with bonds \(2, 3\)"),
        ({"logP_SA_cycle_normalized": torch.tensor([torch.nan])}, "the target nan"),
        ({"atom_type": torch.tensor([1, 2, 99])}, "Class values must be smaller than num_classes"),
        ({"atom_type": [1, 2, 3]}, "no attribute 'long'"),
    ],
)
def test_molecules_that_cannot_be_are_refused(part, benchmark, changed, message: str):
    good = {"atom_type": torch.ones(3), "bond_type": torch.zeros(3, 3), "logP_SA_cycle_normalized": torch.ones(1)}
    (benchmark / "test.index").write_text("0\n")
    (benchmark / "test.pickle").write_bytes(pickle.dumps([good | changed]))
    with pytest.raises(ValueError, match=rf"test.pickle holds no molecules of ZINC-12k \(.*{message}"):
        part("zinc12k").published("test")
    (benchmark / "test.index").write_text("0,1\n")
    with pytest.raises(ValueError, match=r"test.index must hold numbers of molecules of test.pickle"):
        part("zinc12k").published("test")
