"""Sprint 5's claims, at a small size."""

import math
from collections import Counter
from dataclasses import replace
from functools import partial

import numba
import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from shared.lab.results import save_results
from shared.nn.positions import sinusoidal_positions
from shared.text.cookbook import Cookbook

FOLDER = "05_embeddings_and_positional_encoding"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("embedding_inside", "--vocab 0", "--vocab: must be greater than or equal to 1; got 0"),
        ("learned_positions", "--context 2", "--context: must be greater than or equal to 3; got 2"),
        ("learned_positions", "--d-model 6", "--d-model: must be a multiple of 4; got 6"),
        ("learned_positions", "--steps 20", "must be measured; got --measure-every 25 of --steps 20"),
        ("negative_sampling", "--power 1.5", "--power: must be less than or equal to 1; got 1.5"),
        ("negative_sampling", "--draws 1", "--draws: must be greater than or equal to 2; got 1"),
        ("positional_encoding", "--d-model 63", "--d-model: must be a multiple of 2; got 63"),
        ("positional_encoding", "--positions 62", "got --shifts 60 of --positions 62: give smaller shifts"),
        ("clock_hands", "--d-model 7", "--d-model: must be a multiple of 2; got 7"),
        ("company", "--window 0", "--window: must be greater than or equal to 1; got 0"),
        ("lookup_as_product", "--tokens 4 0 0", "--tokens: must be less than or equal to 3; got (4, 0, 0)"),
        ("pca_by_hand", "--degrees 400", "--degrees: must be less than or equal to 360; got 400.0"),
        ("push_and_pull", "--learning-rate 0", "--learning-rate: must be greater than 0; got 0.0"),
        ("turn_a_pair", "--places 1 2 3", "a query and a key have a position each; got 3 --places"),
        ("vary_neighbours", "--neighbours 1", "--neighbours: must be greater than or equal to 2; got (1,)"),
        ("project", "--vectors nowhere.json", "--vectors: there is no such file; got nowhere.json"),
        ("project", "--perplexity 1", "--perplexity: must be greater than or equal to 2; got 1.0"),
        ("rotary", "--offsets 0 -1", "--offsets: must be greater than or equal to 0; got (0, -1)"),
        ("rotary", "--back 32", "got --back 32 of --tokens 32: give more tokens"),
        ("shifted_pmi", "--features 2 0", "--features: must be greater than or equal to 1; got (2, 0)"),
        ("skip_gram", "--neighbours 4", "--neighbours: must be less than or equal to 3; got 4"),
        ("skip_gram", "--preset wide --subsample 0", "--subsample: must be greater than 0; got 0.0"),
        ("sparse_gradients", "--tokens 0", "--tokens: must be greater than or equal to 1; got 0"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name, words, sentence):
    assert sentence in refusal(f"{FOLDER}/{name}.py", words)


# Embeddings


def test_a_lookup_is_a_one_hot_product_and_ours_is_the_librarys(load_sprint):
    script = load_sprint(f"{FOLDER}/embedding_inside.py")
    config = script.Config(vocab=50, features=8, batch=4, tokens=6, device="cpu")
    results = script.main(config)
    assert results.one_hot_value_difference == 0, "all terms but one are zero"
    assert results.one_hot_gradient_difference < 1e-6
    assert results.library_difference_dense < 1e-6
    assert results.library_difference_sparse < 1e-6
    assert script.main(config) == results, "same seed, same results"


def test_the_gradient_of_the_lookup_is_that_of_finite_differences(load_sprint):
    lookup = load_sprint(f"{FOLDER}/embedding_inside.py").Lookup
    weight, tokens = torch.randn(5, 3, dtype=torch.float64, requires_grad=True), torch.tensor([[1, 4], [1, 1]])
    assert torch.autograd.gradcheck(lambda weight: lookup.apply(weight, tokens, None, False), weight)


def test_padding_stays_zero_and_a_sparse_gradient_stores_what_was_read(load_sprint):
    embedding = load_sprint(f"{FOLDER}/embedding_inside.py").Embedding
    tokens = torch.tensor([[2, 5, 2, 0], [7, 0, 0, 0]])
    for sparse in (False, True):
        ours, theirs = embedding(9, 4, padding=0, sparse=sparse), nn.Embedding(9, 4, padding_idx=0, sparse=sparse)
        assert not ours.weight[0].any(), "the vector of the padding starts at zero"
        theirs.load_state_dict(ours.state_dict())
        assert torch.equal(ours(tokens), theirs(tokens))
        for layer in (ours, theirs):
            layer(tokens).pow(3).sum().backward()
        torch.testing.assert_close(ours.weight.grad.to_dense(), theirs.weight.grad.to_dense())
        assert not ours.weight.grad.to_dense()[0].any()
    assert ours.weight.grad.coalesce().indices().tolist() == [[2, 5, 7]]
    # The row is zero because it was set so; weights that are loaded later bring their own.
    ours.load_state_dict({"weight": torch.ones(9, 4)})
    assert ours(torch.tensor([0])).sum() == 4


def test_tokens_outside_of_the_vocabulary_are_refused(load_sprint):
    embedding = load_sprint(f"{FOLDER}/embedding_inside.py").Embedding
    for tokens in ([0, 9], [-1, 3]):
        with pytest.raises(ValueError, match=rf"from 0 to 8, got {tokens[0]} to {tokens[1]}"):
            embedding(9, 4)(torch.tensor(tokens))
        with pytest.raises(IndexError):
            nn.Embedding(9, 4)(torch.tensor(tokens))
    with pytest.raises(ValueError, match="padding must be a token from 0 to 8, got 9"):
        embedding(9, 4, padding=9)
    assert embedding(9, 4)(torch.zeros(2, 0, dtype=torch.long)).shape == (2, 0, 4)


def test_optimizers_with_memory_move_rows_that_were_not_read(load_sprint):
    script = load_sprint(f"{FOLDER}/sparse_gradients.py")
    results = script.main(script.Config(vocab=300, features=4, tokens=40, device="cpu"))
    moved = results.moved_without_being_read
    assert moved["SGD"] == moved["SparseAdam"] == 0
    assert moved["SGD, momentum 0.9"] == moved["Adam"] == results.rows_read_by_the_first_batch_alone > 0
    assert moved["AdamW, weight decay 0.01"] == 300 - results.rows_read[1]
    assert results.sparse_and_dense_differ < 1e-6
    assert results.numbers_in_sparse_gradient == 4 * results.rows_read[0] < results.numbers_in_dense_gradient


# Negative sampling


def test_negative_sampling_by_hand_and_its_expectation(load_sprint):
    script = load_sprint(f"{FOLDER}/negative_sampling.py")
    config = script.Config(recipes=300, draws=20_000)
    results = script.main(config)
    assert results.gradient_difference_autograd < 1e-12
    assert results.gradient_difference_finite < 1e-7
    assert abs(results.sampled_loss - results.expected_loss) < 4 * results.standard_error
    assert script.main(config) == results, "same seed, same results"


def test_longer_vectors_approach_the_optimum(load_sprint):
    script = load_sprint(f"{FOLDER}/shifted_pmi.py")
    config = script.Config(recipes=300, features=(2, 16), steps=150)
    results = script.main(config)
    assert results.loss_of_zeros == pytest.approx((1 + config.negatives) * math.log(2))
    assert results.slope_at_the_optimum < 1e-9
    assert results.loss_of_zeros > results.losses[0] > results.losses[1] > results.optimum
    assert script.main(config) == results, "same seed, same results"


def test_too_few_recipes_to_count_in_are_told(load_sprint):
    script = load_sprint(f"{FOLDER}/shifted_pmi.py")
    with pytest.raises(ValueError, match="some do not in 3 recipes: give more --recipes"):
        script.main(script.Config(recipes=3))


def test_no_scores_are_better_than_shifted_pmi(load_sprint, generator):
    shifted_pmi = load_sprint(f"{FOLDER}/shifted_pmi.py").shifted_pmi
    expected_loss = load_sprint(f"{FOLDER}/embedding_study/ingredient_pairs.py").expected_loss
    counts = torch.tensor([[0.0, 3, 1], [3, 0, 2], [1, 2, 0]], dtype=torch.float64)
    noise = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    best = shifted_pmi(counts, noise, 4)
    assert best[0, 1].item() == pytest.approx(math.log((3 / 12) / ((4 / 12) * 0.3)) - math.log(4))
    assert best[0, 0] == -math.inf
    best = best.clamp(min=-100)
    lowest = expected_loss(best, counts, noise, 4)
    for _ in range(20):
        moved = best + 0.1 * torch.randn(3, 3, dtype=torch.float64, generator=generator)
        assert expected_loss(moved, counts, noise, 4) > lowest


def test_pairs_of_ingredients_are_counted_in_their_recipes(load_sprint):
    pairs = load_sprint(f"{FOLDER}/embedding_study/ingredient_pairs.py")
    cookbook = Cookbook()
    counts = pairs.count_pairs(cookbook, 3)
    sizes = [len(cookbook.recipe("train", index).ingredients) for index in range(3)]
    assert counts.sum() == sum(size * (size - 1) for size in sizes)
    assert torch.equal(counts, counts.T)
    noise = pairs.noise_distribution(torch.tensor([[0.0, 16], [81, 0]], dtype=torch.float64), 0.75)
    assert noise.tolist() == pytest.approx([27 / 35, 8 / 35])


# Skip-gram


def test_the_loss_of_skip_gram_and_its_gradients_are_those_by_hand(load_sprint, generator):
    by_hand = load_sprint(f"{FOLDER}/negative_sampling.py").by_hand
    model = load_sprint(f"{FOLDER}/skip_gram.py").SkipGram(7, 4, generator).double()
    nn.init.normal_(model.context.weight, generator=generator)
    centre, context, noise = torch.tensor([2, 5]), torch.tensor([0, 2]), torch.tensor([[1, 3, 3], [6, 1, 4]])
    losses = model(centre, context, noise)
    losses.sum().backward()
    expected = [torch.zeros(7, 4, dtype=torch.float64) for _ in range(2)]
    for pair in range(2):
        vectors = model.centre.weight[centre[pair]], model.context.weight[context[pair]]
        loss, gradients = by_hand(*(v.detach() for v in vectors), model.context.weight[noise[pair]].detach())
        torch.testing.assert_close(losses[pair], loss)
        expected[0][centre[pair]] += gradients[0]
        expected[1][context[pair]] += gradients[1]
        expected[1].index_add_(0, noise[pair], gradients[2])
    torch.testing.assert_close(model.centre.weight.grad, expected[0])
    torch.testing.assert_close(model.context.weight.grad, expected[1])


def test_an_ingredient_is_one_word_by_any_name(load_sprint):
    split = load_sprint(f"{FOLDER}/embedding_study/recipe_words.py").splitter(Cookbook())
    words = "fry the garlic_cloves in olive_oil with 2 garlic_cloves and unsalted_butter not butter nor buttermilk"
    text = "Fry the garlic\nin Olive Oil with 2 garlic cloves and unsalted butter, not butter nor buttermilk."
    assert split(text) == words.split()


def test_too_few_recipes_are_refused(load_sprint):
    with pytest.raises(ValueError, match="does not in 3 recipes: give more --recipes"):
        load_sprint(f"{FOLDER}/embedding_study/recipe_words.py").read_recipes(Cookbook(), 0, 3)


def test_pairs_stay_within_a_recipe_and_near_words_are_paired_more_often(load_sprint, generator):
    draw_pairs = load_sprint(f"{FOLDER}/embedding_study/word_pairs.py").draw_pairs
    text_of = load_sprint(f"{FOLDER}/embedding_study/recipe_words.py").Text
    text = text_of(torch.tensor([0, 1, 2, 3, 4]), torch.tensor([0, 0, 0, 1, 1]), list("abcde"))
    pairs = draw_pairs(text, torch.ones(5), 1, generator)
    assert sorted(map(tuple, pairs.tolist())) == [(0, 1), (1, 0), (1, 2), (2, 1), (3, 4), (4, 3)]
    assert len(draw_pairs(text, torch.tensor([1.0, 0, 1, 0, 0]), 1, generator)) == 2, "thinned before pairing"
    # A context at distance d is in a window of random size 1 to w with probability (w - d + 1) / w.
    long = text_of(torch.arange(30_000), torch.zeros(30_000, dtype=torch.long), [])
    pairs = draw_pairs(long, torch.ones(30_000), 4, generator)
    distances = Counter((pairs[:, 0] - pairs[:, 1]).abs().tolist())
    for distance in range(1, 5):
        assert distances[distance] / 60_000 == pytest.approx((5 - distance) / 4, abs=0.02)
    # One window for each centre: it reaches as far to the left as to the right.
    to_the_right = pairs[:, 0] < pairs[:, 1]
    left, right = (torch.bincount(pairs[side, 0], minlength=30_000)[4:-4] for side in (~to_the_right, to_the_right))
    assert torch.equal(left, right)


def test_noise_and_thinning_follow_their_formulas(load_sprint, generator):
    word_pairs = load_sprint(f"{FOLDER}/embedding_study/word_pairs.py")
    counts = torch.tensor([900, 90, 10])
    expected = [math.sqrt(0.01 / share) for share in (0.9, 0.09)]
    assert word_pairs.keep_probabilities(counts, 0.01).tolist() == pytest.approx([*expected, 1.0])
    pairs = torch.zeros(40_000, 2, dtype=torch.long)
    options = {"batch_size": 40_000, "negatives": 2, "power": 0.75}
    ((_, _, drawn),) = word_pairs.noise_batches([pairs], counts.float(), **options, generator=generator)
    shares = torch.bincount(drawn.flatten()) / drawn.numel()
    powers = torch.tensor([900.0, 90.0, 10.0]) ** 0.75
    torch.testing.assert_close(shares, powers / powers.sum(), atol=0.01, rtol=0)


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_ppmi_factors_give_back_the_matrix(load_sprint, power):
    pairs = torch.tensor([[0, 1], [1, 0], [0, 1], [1, 0], [0, 2], [2, 0], [2, 2], [2, 2]])
    ppmi_svd = load_sprint(f"{FOLDER}/embedding_study/ppmi.py").ppmi_svd
    vectors = ppmi_svd([pairs], 3, features=3, power=power).double()
    counts = torch.tensor([[0.0, 2, 1], [2, 0, 0], [1, 0, 2]], dtype=torch.float64)
    contexts = counts.sum(0) ** power / (counts.sum(0) ** power).sum()
    ppmi = (counts / (counts.sum(1, keepdim=True) * contexts)).log().clamp(min=0)
    # With all features the Gram matrix of U S^(1/2) is U S U^T, the root of ppmi ppmi^T.
    values, basis = torch.linalg.eigh(ppmi @ ppmi.T)
    root = basis @ values.clamp(min=0).sqrt().diag() @ basis.T
    torch.testing.assert_close(vectors @ vectors.T, root, atol=1e-5, rtol=0)


def test_purity_counts_neighbours_of_the_same_role(load_sprint, generator):
    purity = load_sprint(f"{FOLDER}/embedding_study/role_purity.py").purity
    roles = ["spice_hot"] * 3 + ["fat"] * 3
    clustered = torch.eye(2).repeat_interleave(3, dim=0) + 0.01 * torch.rand(6, 2, generator=generator)
    assert purity(clustered, roles, 2) == {"spices": 1.0, "others": 1.0, "all": 1.0}
    mixed = clustered[torch.tensor([0, 1, 3, 4, 5, 2])]
    assert purity(mixed, roles, 2)["all"] == pytest.approx(2 / 6)


def test_two_trainings_agree_about_what_they_have_in_common(load_sprint, generator):
    agreement = load_sprint(f"{FOLDER}/embedding_study/role_purity.py").agreement
    roles = ["fat"] * 6 + ["grain"] * 6 + ["spice_hot"] * 3
    vectors = torch.randn(15, 8, generator=generator)
    assert agreement([vectors, vectors], roles, 3) == (1.0, pytest.approx(3 / 5))
    assert agreement([vectors], roles, 3)[0] is None, "a single training agrees with no other"
    shared, _ = agreement([vectors, torch.randn(15, 8, generator=generator)], roles, 3)
    assert 0 < shared < 0.6


def test_skip_gram_finds_the_roles_that_its_window_shows(load_sprint):
    script = load_sprint(f"{FOLDER}/skip_gram.py")
    config = script.Config(recipes=700, batch_size=1024, learning_rate=4e-2, epochs=1, runs=1, device="cpu")
    results = script.main(config)
    assert results.purity["skip-gram"]["others"][0] > 0.9
    assert results.purity["PPMI + SVD"]["others"][0] > 0.9
    assert results.purity["random"]["all"][0] < 0.15
    assert results.purity["skip-gram"]["spices"][0] < 0.4
    assert results.purity_without_styles["others"] == 1
    assert results.runs_agree is None
    assert len(results.vectors) == 231
    assert script.main(config) == results, "same seed, same results"


def test_every_vector_moves(load_sprint, generator):
    script = load_sprint(f"{FOLDER}/skip_gram.py")
    model = script.SkipGram(6, 4, generator)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for _ in range(2):  # contexts start at zero, so that centres move from the second step on
        optimizer.zero_grad()
        model(torch.arange(6), torch.arange(6).flip(0), torch.arange(6)[:, None]).sum().backward()
        optimizer.step()
    for parameter, old in zip(model.parameters(), before, strict=True):
        assert (parameter != old).any(dim=1).all()


# Positions


def test_sinusoids_rotate_and_random_vectors_do_not(load_sprint):
    script = load_sprint(f"{FOLDER}/positional_encoding.py")
    config = script.Config(positions=64, d_model=16, shifts=(1, 7))
    results = script.main(config)
    assert max(results.rotation_error) < 1e-4
    assert results.rotation_is_orthogonal < 1e-12
    assert max(results.learnt_shift_error["sinusoidal"]) < 1e-4
    assert min(results.learnt_shift_error["random"]) > 0.9
    assert results.spread_at_equal_distance["sinusoidal"] < 1e-5 < results.spread_at_equal_distance["random"]
    assert results.dot_product_formula_error < 1e-5
    torch.testing.assert_close(script.rotation(3, 16) @ script.rotation(4, 16), script.rotation(7, 16))
    assert script.main(config) == results, "same seed, same results"


def test_the_pattern_of_positions_is_measured_right(load_sprint, generator):
    measure_pattern = load_sprint(f"{FOLDER}/embedding_study/position_patterns.py").measure_pattern
    fixed = measure_pattern(sinusoidal_positions(32, 32))
    assert fixed.neighbours == 1
    assert fixed.correlation > 0.6
    noise = measure_pattern(torch.randn(32, 32, generator=generator))
    assert abs(noise.correlation) < 0.2
    assert noise.by_distance[0] == pytest.approx(1.0)
    line = measure_pattern(torch.arange(10.0)[:, None] * torch.ones(3))
    assert line.main_direction == pytest.approx(1.0)
    # The four points of note 7
    flat = measure_pattern(torch.tensor([[5.0, 4], [1, 2], [3.5, 2], [2.5, 4]]))
    assert flat.main_direction == pytest.approx(0.8)
    # Three corners of a triangle: all cosines are negative, and yet no position is the most similar to itself.
    assert measure_pattern(torch.eye(3)).neighbours > 0


def test_learned_positions_become_ordered(load_sprint):
    script = load_sprint(f"{FOLDER}/learned_positions.py")
    config = script.Config(
        recipes=40, context=12, d_model=32, steps=100, batch_size=16, measure_every=50, runs=1, device="cpu"
    )
    results = script.main(config)
    patterns = {kind: runs[0] for kind, runs in results.patterns.items()}
    assert patterns["text"].correlation > 0.6 > 0.3 > abs(patterns["untrained"].correlation)
    assert patterns["text"].correlation > patterns["shuffled text"].correlation
    assert results.losses["text"][0][-1] < results.losses["shuffled text"][0][-1]
    assert results.steps == [0, 50, 100]
    assert results.correlations["text"][0][0] == pytest.approx(patterns["untrained"].correlation)
    short = replace(config, steps=50)
    assert script.main(short) == script.main(short), "same seed, same results"


# Rotary positions


def test_rotary_carries_over_to_unseen_positions(load_sprint):
    script = load_sprint(f"{FOLDER}/rotary.py")
    config = script.Config(
        vocab=8,
        tokens=12,
        back=2,
        d_model=32,
        steps=200,
        learning_rate=1e-2,
        offsets=(0, 12, 100),
        runs=1,
        device="cpu",
    )
    results = script.main(config)
    assert results.worst["rotary"] > 0.99
    assert results.accuracy["sinusoidal"][0][0] > 0.95 > 0.9 > results.worst["sinusoidal"]
    assert results.accuracy["none"][0][0] < 0.5
    assert results.weight_change["none"] == 0
    assert results.weight_change["rotary"] < 1e-4 < results.weight_change["sinusoidal"]
    assert results.length_change < 1e-5
    short = replace(config, steps=5)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_every_parameter_of_the_reader_moves(load_sprint):
    script = load_sprint(f"{FOLDER}/rotary.py")
    config = script.Config(vocab=4, tokens=8, d_model=8, steps=3, batch_size=8, device="cpu")
    before = dict(script.train(replace(config, steps=0), "rotary", 0).named_parameters())
    for name, parameter in script.train(config, "rotary", 0).named_parameters():
        assert (parameter != before[name]).any(), name


# Projections


def test_pca_is_scikit_learns_up_to_sign(load_sprint):
    points = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([5.0, 3.0, 2.0, 1.0, 0.5, 0.1]) + 7
    ours, shares = load_sprint(f"{FOLDER}/project.py").pca(points, 3)
    reference = PCA(n_components=3)
    theirs = reference.fit_transform(points)
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours * signs, theirs, atol=1e-10)
    np.testing.assert_allclose(shares, reference.explained_variance_ratio_, atol=1e-12)


def test_measures_of_a_map(load_sprint):
    measures = load_sprint(f"{FOLDER}/embedding_study/map_measures.py")
    points = np.random.default_rng(0).normal(size=(300, 2))
    turned = points @ np.array([[0.0, 3.0], [-3.0, 0.0]])
    roles = np.array(["a", "b", "c"] * 100)
    assert measures.overlap(points, turned, 10) == 1, "a rotation and a scale change no neighbours"
    other = np.random.default_rng(1).normal(size=(300, 2))
    assert measures.overlap(points, other, 10) == pytest.approx(10 / 299, abs=0.02)
    assert measures.purity(points, roles, 3) == pytest.approx(1 / 3, abs=0.1)
    judgement = measures.judge(points, [turned, points], roles, count=10, purity_count=3)
    assert judgement.stability == 1
    assert judgement.trustworthiness == pytest.approx([1.0, 1.0])
    assert judgement.distances == pytest.approx([1.0, 1.0])
    middles = measures.distances_of_centres(np.array([[0.0, 0], [2, 0], [4, 4]]), np.array(["a", "a", "b"]))
    assert middles.tolist() == [5], "from the middle (1, 0) to (4, 4)"


def test_trained_vectors_keep_their_roles_in_a_map(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/project.py")
    monkeypatch.setattr(script, "TSNE", partial(script.TSNE, max_iter=300))
    config = script.Config(vectors=None, methods=("PCA", "t-SNE"), seeds=1)
    results = script.main(config)
    assert results.source == "fitted to ingredient lists"
    assert results.purity_before["trained"] > 0.6 > 0.15 > results.purity_before["random"]
    trained, random = results.judgements["trained"]["t-SNE"], results.judgements["random"]["t-SNE"]
    assert trained.purity[0] > 0.6 > 0.15 > random.purity[0]
    assert trained.trustworthiness[0] > random.trustworthiness[0]
    assert trained.stability is None, "one map is not enough"
    alone = script.main(replace(config, methods=("PCA",)))
    assert alone.maps["trained"]["PCA"] == results.maps["trained"]["PCA"]
    assert [len(script.plot(drawn).axes) for drawn in (results, alone)] == [4, 2]


def test_saved_vectors_are_read_and_other_files_refused(load_sprint, tmp_path, generator):
    script = load_sprint(f"{FOLDER}/project.py")
    names = [item.name for pantry in Cookbook().pantry.values() for item in pantry]
    saved = {name.replace(" ", "_"): f"{index} 0.5" for index, name in enumerate(names)}
    save_results({"config": {}, "environment": {}, "results": {"vectors": saved}}, tmp_path / "a.json")
    vectors, roles, source = script.load_vectors(tmp_path / "a.json", Cookbook(), generator)
    assert vectors[:3].tolist() == [[0, 0.5], [1, 0.5], [2, 0.5]]
    assert np.linalg.norm(script.of_length_one(vectors), axis=1) == pytest.approx(np.ones(231))
    assert (len(roles), roles[0], source) == (231, "fat", "a.json")
    del saved["butter"]
    for number, other in enumerate(({}, {"vectors": saved})):
        path = save_results({"config": {}, "environment": {}, "results": other}, tmp_path / f"{number}.json")
        with pytest.raises(ValueError, match=r"\d\.json holds no vector of \w+: give a results file of skip_gram\.py"):
            script.load_vectors(path, Cookbook(), generator)
    for option in ({"neighbours": 116}, {"perplexity": 300.0}, {"purity_neighbours": 231}):
        with pytest.raises(ValueError, match="of 231 ingredients none has so many neighbours"):
            script.main(replace(script.Config(), **option))


def test_names_of_a_map_hide_neither_points_nor_each_other(load_sprint):
    module = load_sprint(f"{FOLDER}/embedding_study/role_maps.py")
    anchors = np.array([[0.5, 0.5], [0.5, 0.52], [0.95, 0.5]])
    places = module.places_for(anchors, anchors, [0.2, 0.2, 0.2], 0.05)
    for index, (x, y) in enumerate(places):
        assert 0.1 < x < 0.9
        assert not ((np.abs(anchors - (x, y)) < (0.1, 0.025)).all(axis=1)).any()
        for other in places[:index]:
            assert abs(x - other[0]) >= 0.2 or abs(y - other[1]) >= 0.05
    first, second = module.places_for(np.full((2, 2), 0.5), np.zeros((0, 2)), [0.2, 0.2], 0.05)
    assert abs(first[0] - second[0]) >= 0.2 or abs(first[1] - second[1]) >= 0.05, "one place for two names"
    roles = ["fat", "spice_smoky", "spice_fiery", "spice_dark"]
    assert module.groups(roles) == ["fat", "savoury spices", "savoury spices", "sweet spices"]


def test_maps_of_trained_vectors_keep_more_than_maps_of_noise(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/vary_neighbours.py")
    monkeypatch.setattr(script, "TSNE", partial(script.TSNE, max_iter=300))
    monkeypatch.setattr(script, "METHODS", {"t-SNE": script.tsne})
    results = script.main(script.Config(neighbours=(3, 15)))
    trained, random = results.trustworthiness["t-SNE"]["trained"], results.trustworthiness["t-SNE"]["random"]
    assert min(trained) > max(random) > 0.6
    few, many = results.maps["t-SNE"]["random"]
    assert few != many, "the knob is turned"
    assert min(results.purity["t-SNE"]["trained"]) > 0.6 > 0.15 > max(results.purity["t-SNE"]["random"])
    assert len(script.plot(results).axes) == 4
    assert script.main(script.Config(neighbours=(3, 15))) == results, "same seed, same results"


def test_tsne_repeats_itself_for_every_seed_only_if_it_starts_from_pca(load_sprint):
    points = np.random.default_rng(0).normal(size=(24, 4))
    projection = load_sprint(f"{FOLDER}/project.py").projection
    for method, repeats in (("t-SNE", True), ("t-SNE from noise", False)):
        first, second = (projection(method, 5, seed)(points) for seed in (0, 1))
        assert np.allclose(first, second, atol=1e-3) == repeats


def test_umap_separates_two_clouds(load_sprint, monkeypatch):
    # To compile takes twenty seconds; so few points need two without.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    points = np.random.default_rng(0).normal(size=(24, 4)) + np.repeat([[0.0], [50.0]], 12, axis=0)
    script = load_sprint(f"{FOLDER}/project.py")
    drawn = script.projection("UMAP", 5, 0)(points)
    purity = load_sprint(f"{FOLDER}/embedding_study/map_measures.py").purity
    assert purity(drawn, np.repeat(["a", "b"], 12), 3) == 1
