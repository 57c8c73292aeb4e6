"""Sprint 19, notes 5 to 7: what a hole is worth, any order, and the judge, on small settings."""

import json
import math
import re
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.grammar import Choice
from shared.text.masking import choose_spans

FOLDER = "19_transformer_variants"
RESULTS = Path(__file__).parents[2] / "sprints" / FOLDER / "results"
exercises, note = lesson_texts(FOLDER)


@pytest.fixture
def load(load_sprint):
    return lambda script: load_sprint(f"{FOLDER}/{script}.py")


@pytest.fixture
def part(load_sprint):
    return lambda module: load_sprint(f"{FOLDER}/variants/{module}.py")


@pytest.fixture(scope="module")
def corpus():
    return CookbookCorpus(cookbook_tokenizer(512, 50))


@pytest.fixture
def any_table(part):
    """A table of a few texts of three words, drawn at random: what holds of it was not made to hold."""

    def draw(seed: int):
        generator = np.random.default_rng(seed)
        rows = np.array(list(product(range(2), range(2), range(3))))
        kept = generator.random(len(rows)) < 0.7
        kept[0] = True
        chances = generator.dirichlet(np.full(kept.sum(), 0.5))
        return part("small_grammar").TextTable(("a", "b", "c"), rows[kept], chances)

    return draw


def test_a_hole_is_filled_as_by_trying_every_token(part, corpus):
    filler = part("holes").HoleFiller(corpus.cookbook.write, corpus.tokenizer)
    tokens = corpus.documents("test", 1, 1)[0]
    for place in (1, 20, 45):
        before, behind = tokens[1:place], tokens[place + 1 : -1]
        chances = {}
        for token in range(1, corpus.tokenizer.vocab_size):
            text = corpus.tokenizer.decode([*before, token, *behind])
            log_prob = corpus.cookbook.log_prob(text)
            if log_prob > -math.inf and corpus.tokenizer.encode(text) == [*before, token, *behind]:
                chances[token] = math.exp(log_prob)
        expected = {token: chance / sum(chances.values()) for token, chance in chances.items()}
        assert filler.hole(tokens, place).chances == pytest.approx(expected)


def test_candidates_of_several_words_and_forks_that_fail_later(part, corpus):
    holes = part("holes")

    def grammar(pen) -> None:
        first = pen.choose(Choice(["red", "redd", "blu"][::2], [1, 3]))
        pen.write("e ")
        pen.choose(Choice(["red", "ruby"] if first == 0 else ["blue"]))

    pieces = holes.Pieces({1: "red", 2: "blu", 3: "re", 4: "d"})
    assert dict(holes.readings(grammar, "", "e blue", pieces)) == {2: pytest.approx(math.log(0.75))}
    assert dict(holes.readings(grammar, "", "e red", pieces)) == {1: pytest.approx(math.log(0.125))}
    assert dict(holes.readings(grammar, "rede ", "", pieces)) == {1: pytest.approx(math.log(0.125))}
    assert dict(holes.readings(grammar, "re", "e ruby", pieces)) == {4: pytest.approx(math.log(0.125))}
    filler = holes.HoleFiller(corpus.cookbook.write, corpus.tokenizer)
    tokens = corpus.documents("test", 0, 1)[0]
    with pytest.raises(ValueError, match="place 0 of"):
        filler.hole(tokens, 0)
    with pytest.raises(ValueError, match="only a text of the grammar"):
        filler.hole(tokens[:-2], 3)


def test_a_candidate_that_would_be_cut_elsewhere_does_not_count(part):
    class Longest:
        """Cuts "ab" always as one token."""

        vocab_size, end_token = 5, 0
        pieces = ("", "ab", "a", "b", "c")

        def decode(self, tokens) -> str:
            return "".join(self.pieces[token] for token in tokens)

        def encode_batch(self, texts) -> list[list[int]]:
            return [[self.pieces.index(piece) for piece in re.findall("ab|a|b|c", text)] for text in texts]

    holes = part("holes")
    filler = holes.HoleFiller(lambda pen: pen.choose(Choice(["ab", "cb"], [3, 1])), Longest())
    assert {token for token, _ in holes.readings(filler.grammar, "", "b", filler.pieces)} == {2, 4}
    assert filler.hole([4, 3], 0).chances == {4: 1.0}


def test_the_small_grammar_is_a_distribution_and_its_conditionals_are_sums(part):
    small = part("small_grammar")
    table = small.small_recipes()
    assert table.chances.sum() == pytest.approx(1)
    assert len({tuple(row) for row in table.rows.tolist()}) == len(table.rows)
    rows = table.draw(3, torch.Generator().manual_seed(0))
    hidden = torch.rand(rows.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    nats = table.optimal_nats(rows, hidden)
    for index, row in enumerate(rows.numpy()):
        seen = ~hidden[index].numpy()
        for place in range(rows.shape[1]):
            chance = table.distribution(row, seen, place)[row[place]] if hidden[index, place] else 1.0
            assert nats[index, place].item() == pytest.approx(abs(math.log(chance)))
    with pytest.raises(ValueError, match="a part of a text"):
        table.distribution(rows[0].numpy() * 0, np.ones(rows.shape[1], dtype=bool), 0)
    with pytest.raises(ValueError, match="as many words"):
        small.table_of(lambda pen: pen.choose(Choice(["a", "b c"])))


def test_every_order_costs_the_same_and_more_seen_never_costs_more_on_average(part, any_table):
    rate = part("masking_rate")
    for seed in range(5):
        table = any_table(seed)
        for row in table.rows:
            costs = [sum(table.cost_in_order(row, list(order))) for order in permutations(range(3))]
            assert costs == pytest.approx([table.nats_of_text(row)] * 6, abs=1e-6)
        means = rate.mean_conditional_entropies(table, range(3))
        assert sum(means) == pytest.approx(table.entropy([0, 1, 2]))
        assert means[0] >= means[1] - 1e-12 >= means[2] - 2e-12


def test_places_that_never_vary_change_nothing(part):
    small, rate = part("small_grammar"), part("masking_rate")
    rows = np.array([[9, 0, 9, 0], [9, 0, 9, 1], [9, 1, 9, 1]])
    table = small.TextTable(tuple("0123456789"), rows, np.array([0.5, 0.3, 0.2]))
    all_places = rate.mean_conditional_entropies(table, range(4))
    assert rate.optimum_by_count(rate.mean_conditional_entropies(table, [1, 3]), 4) == pytest.approx(all_places)
    assert rate.optimum_by_rate(all_places, 0.0) == pytest.approx(all_places[-1])
    assert rate.optimum_by_rate(all_places, 1.0) == pytest.approx(all_places[0])
    # Summed over all sets that may be masked, each weighed by how many words are masked in it.
    total = weight = 0.0
    for mask in product([False, True], repeat=4):
        chance = math.prod(0.4 if hidden else 0.6 for hidden in mask)
        seen = [place for place in range(4) if not mask[place]]
        total += chance * sum(table.entropy([*seen, p]) - table.entropy(seen) for p in range(4) if mask[p])
        weight += chance * sum(mask)
    assert rate.optimum_by_rate(all_places, 0.4) == pytest.approx(total / weight)
    with pytest.raises(ValueError, match="from 0 to 1"):
        rate.optimum_by_rate(all_places, 1.1)


@pytest.mark.parametrize("exact", [True, False])
def test_the_best_judge_is_bayes_rule_over_everything_that_may_have_happened(part, any_table, exact: bool):
    judge, table = part("judge"), any_table(3)
    forger, eligible = judge.Forger(table, 0.3, exact=exact), 0.3
    seen, replaced = {}, {}
    for row, chance in zip(table.rows, table.chances, strict=True):
        for holes in product([False, True], repeat=3):
            kept = ~np.array(holes) if exact else np.zeros(3, dtype=bool)
            writes = [table.distribution(row, kept, place) for place in range(3)]
            for forged in product(range(3), repeat=3):
                weight = chance
                for place in range(3):
                    written = writes[place][forged[place]] if holes[place] else float(forged[place] == row[place])
                    weight *= written * (eligible if holes[place] else 1 - eligible)
                seen[forged] = seen.get(forged, 0.0) + weight
                replaced[forged] = replaced.get(forged, 0.0) + weight * (np.array(forged) != row)
    possible = [forged for forged, chance in seen.items() if chance > 0]
    best = forger.optimal(torch.tensor(possible)).numpy()
    for forged, said in zip(possible, best, strict=True):
        assert said == pytest.approx(replaced[forged] / seen[forged])


def test_one_place_has_a_closed_form(part, any_table):
    judge, table = part("judge"), any_table(3)
    for true, written in ((0.7, 0.7), (0.2, 0.9), (0.0, 0.1)):
        both = 0.85 * true + 0.15 * written
        assert judge.chance_of_replacement(true, written, 0.15) == pytest.approx(0.15 * written * (1 - true) / both)
    assert judge.chance_of_replacement(0.7, 0.7, 0.15) == pytest.approx(0.15 * 0.3)
    with pytest.raises(ValueError, match="from 0 to 1"):
        judge.chance_of_replacement(1.2, 0.5, 0.1)
    with pytest.raises(ValueError, match="never sees"):
        judge.chance_of_replacement(0.0, 0.0, 0.1)
    rows = table.draw(500, torch.Generator().manual_seed(0))
    forged, replaced = judge.Forger(table, 0.5).forge(rows, torch.Generator().manual_seed(1))
    assert torch.equal(replaced, forged != rows)
    said = judge.Forger(table, 0.5).optimal(forged)
    assert replaced.double().mean().item() == pytest.approx(said.mean().item(), abs=0.05)
    wrong = judge.judge_nats(said.flip(0), replaced).mean()
    assert judge.judge_nats(said, replaced).mean() < wrong


# The scripts, on tiny settings


def test_orders_and_optima(load):
    order = load("any_order")
    found = order.main(order.Config(texts=5))
    assert max(found.largest_difference.values()) < 1e-6
    assert found.one_hole_each < found.mean_nats
    optima = load("masked_optima")
    rates = optima.main(optima.Config(texts=5, points=4))
    assert rates.one_hole < rates.tokens["0.15"] < rates.tokens["0.4"] < rates.from_the_left < rates.nothing_seen
    assert rates.mean_of_all_rates == pytest.approx(rates.from_the_left)
    assert rates.curve == sorted(rates.curve)


def test_two_optima_of_a_recipe(load, corpus, monkeypatch):
    script = load("two_optima")
    monkeypatch.setattr(script, "cookbook_tokenizer", lambda _: corpus.tokenizer)
    found = script.main(script.Config(recipes=1))
    assert found.one_hole < found.from_the_left
    assert sum(found.hole_kinds.values()) == pytest.approx(found.one_hole)


def test_fillers_and_judges_learn_and_repeat(load):
    script = load("how_much_to_mask")
    config = script.Config(arms=("bert_40",), d_model=8, heads=2, steps=3, texts=2, seeds=1, rates=(1e-2,))
    found = script.main(config)
    assert found == script.main(config)
    assert found.arms["bert_40"].one_hole_excess[0] > 0
    assert found.from_the_left > found.one_hole_optimum
    judge = load("judge")
    config = judge.Config(arms=("exact",), d_model=8, heads=2, steps=3, texts=5, seeds=1, rates=(1e-2,))
    court = judge.main(config).courts["exact"]
    assert court.optimum[0] < court.loss[0]


def test_bert_is_measured_beside_its_optimum_and_ends_in_time(load, corpus, monkeypatch):
    script = load("train_bert")
    monkeypatch.setattr(script, "cookbook_tokenizer", lambda _: corpus.tokenizer)
    config = script.Config(
        seconds=0.2, layers=1, heads=2, d_model=16, context=420, recipes=2, holes=60, batch_size=2, measurements=2
    )
    found = script.main(config)
    assert found.loss > found.optimum > 0
    assert sum(found.loss_kinds.values()) == pytest.approx(found.loss)
    assert sum(found.share.values()) == pytest.approx(1)
    assert len(found.curve.above) <= 2
    with pytest.raises(ValueError, match="--heads"):
        script.Config(heads=3).check()


# What the notes and exercises work out by hand


def test_note_5_by_hand(load):
    script, text = load("hole_by_hand"), note(5)
    found = script.main(script.Config())
    shown(text, *found.chances[:2], *found.nats_of_holes[::3], found.nats_from_the_left[0])
    shown(text, found.mean_of_holes, found.mean_from_the_left)
    shown(text, 0.5 / 0.7, 0.2 / 0.7, -math.log(0.2 / 0.7), math.log(3))
    assert f"{-math.log(0.9) / 10:.4f}" in text


def test_the_cuts_of_a_tokenizer_tell_something(part):
    corpus = CookbookCorpus(cookbook_tokenizer(2048))
    filler, encode = part("holes").HoleFiller(corpus.cookbook.write, corpus.tokenizer), corpus.tokenizer.encode
    text = next(recipe.text for recipe in corpus.cookbook.recipes("train") if "warm through in a" in recipe.text)
    [place] = [
        place for place in range(len(encode(text))) if corpus.tokenizer.decode(encode(text)[:place]).endswith("warm")
    ]
    assert {corpus.tokenizer.decode([token]) for token in filler.hole(encode(text), place).chances} == {
        " slowly", " gently", " through"
    }  # fmt: skip
    tokens = encode(text.replace("warm through in", "warm unhurriedly in"))
    assert corpus.tokenizer.decode(tokens[place : place + 5]) == " unhurriedly"
    assert all(len(filler.hole(tokens, piece).chances) == 1 for piece in range(place, place + 5))


def test_note_6_by_hand(load, part):
    script, text = load("han_by_hand"), note(6)
    found = script.main(script.Config())
    shown(text, *found.means, found.total)
    recorded = json.loads((RESULTS / "two_optima.json").read_text(encoding="utf-8"))["results"]
    assert round(recorded["from_the_left"] / recorded["one_hole"]) == 3  # "three times as much"
    table = part("small_grammar").TextTable(("0", "1"), np.array([[0, 0], [0, 1], [1, 0]]), np.array([0.1, 0.45, 0.45]))
    alone = table.optimal_nats(torch.tensor(table.rows).repeat_interleave(2, 0), torch.eye(2).bool().repeat(3, 1))
    sums = alone.sum(dim=1).view(3, 2).sum(dim=1)
    shown(text, -math.log(0.1), alone[0].sum().item(), sums[0].item(), -math.log(0.45), sums[1].item())
    shown(text, *sums.neg().exp().tolist(), sums.neg().exp().sum().item())
    rows = np.array([[a, b, a ^ b] for a in (0, 1) for b in (0, 1)])
    parity = part("small_grammar").TextTable(("0", "1"), rows, np.full(4, 0.25))
    means = part("masking_rate").mean_conditional_entropies(parity, range(3))
    assert means == pytest.approx([math.log(2), math.log(2), 0.0], abs=1e-12)


def test_spans_are_cheaper_for_two_reasons(part):
    table, generator = part("small_grammar").small_recipes(), torch.Generator().manual_seed(0)
    rows = table.draw(400, generator)
    spans = choose_spans(torch.ones_like(rows, dtype=torch.bool), 0.4, generator)
    singles = torch.rand(rows.shape, generator=generator).argsort(dim=1) < spans[0].sum()
    # The first words cost more than others, and spans hide them less often.
    nats = table.optimal_nats(rows, singles).sum(dim=0) / singles.sum(dim=0)
    assert spans[:, :2].double().mean() < 0.75 * spans.double().mean()
    assert nats[:2].mean() > 1.5 * nats.mean()
    # With every place counted alike spans are still cheaper.
    assert (table.optimal_nats(rows, spans).sum(dim=0) / spans.sum(dim=0)).mean() < nats.mean()


def test_note_7_by_hand(load, part):
    script, text = load("judge_by_hand"), note(7)
    table = part("small_grammar").small_recipes()
    assert f"{table.rows.shape[1] - len(table.varying)} of the {table.rows.shape[1]} places" in text
    found = script.main(script.Config())
    exact = found.generators["exact"]
    shown(text, 0.85 * 2 / 7, 0.15 * 2 / 7 * 2 / 7, exact.replaced[1], *exact.says)
    shown(text, exact.loss, exact.loss_without_looking, *found.hardest, found.same_answer)
    assert found.generators["always rice"].loss < found.generators["coin"].loss
    assert found.generators["always rice"].share > found.generators["coin"].share
    assert f"{exact.share:.1%}".replace("%", " %") in text
    assert f"{1 - exact.share:.1%}".replace("%", " %") in text
    seen = [script.chance_of_replacement(p, q, 0.15) for p, q in zip(found.true, found.hardest, strict=True)]
    assert seen == pytest.approx([found.same_answer] * 2)
    assert sum(found.hardest) == pytest.approx(1)


def test_exercise_where_the_curves_cross(part):
    rate, table_of = part("masking_rate"), part("small_grammar").TextTable
    copies = table_of(("0", "1"), np.array([[0, 0, 0], [1, 1, 1]]), np.full(2, 0.5))
    parity = table_of(("0", "1"), np.array([[a, b, a ^ b] for a in (0, 1) for b in (0, 1)]), np.full(4, 0.25))
    for table, share in ((copies, 1 / math.sqrt(3)), (parity, 1 - 1 / math.sqrt(3))):
        means = rate.mean_conditional_entropies(table, range(3))
        assert rate.optimum_by_rate(means, share) == pytest.approx(table.entropy([0, 1, 2]) / 3)
        assert f"{share:.1%}".replace("%", " %") in exercises


def test_exercises_on_paper(part):
    rows = np.array([[0, 2, 4], [0, 3, 4], [1, 2, 4], [1, 3, 4]])
    table = part("small_grammar").TextTable(tuple("abcde"), rows, np.array([0.4, 0.2, 0.1, 0.3]))
    shown(exercises, *table.cost_in_order(rows[2], [0, 1, 2])[:2], *table.cost_in_order(rows[2], [2, 1, 0])[1:])
    given = [table.entropy([0, 1]) - table.entropy([other]) for other in (1, 0)]
    shown(exercises, table.entropy([0, 1, 2]), table.entropy([0, 1, 2]) / 3, *given, sum(given) / 3)
    says = [part("judge").chance_of_replacement(p, 0.25, 0.5) for p in (0.7, 0.2, 0.1, 0.0)]
    shown(exercises, *says[:3])
    assert says[3] == 1
    assert sum(0.125 * (1 - p) for p in (0.7, 0.2, 0.1, 0.0)) == pytest.approx(0.375)
