"""What holds for the whole sprint: where nothing can be known every method guesses, and above that groups are found."""

import torch

from shared.graph.block_models import belief_propagation, block_model, rates_of

SPRINT = "27_graphs_downstream"


def test_far_above_the_threshold_groups_are_found_and_far_below_nobody_finds_them(load_sprint):
    spectral = load_sprint(f"{SPRINT}/downstream/spectral_communities.py")
    right = {}
    for signal in (0.3, 2.0):
        rates = rates_of(8.0, signal, 2)
        graph, groups = block_model(600, rates, torch.Generator().manual_seed(0))
        beliefs = belief_propagation(graph, rates, torch.zeros(600, 2), torch.Generator().manual_seed(1), rounds=60)
        found = {"beliefs": beliefs.argmax(dim=1).tolist(), "eigenvectors": spectral.bethe_communities(graph, 2)}
        right |= {(name, signal): spectral.best_naming(guess, groups.tolist()) for name, guess in found.items()}
    assert min(right["beliefs", 2.0], right["eigenvectors", 2.0]) > 0.95
    assert max(right["beliefs", 0.3], right["eigenvectors", 0.3]) < 0.6
