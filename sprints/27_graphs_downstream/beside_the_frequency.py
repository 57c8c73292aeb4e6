"""Do embeddings beat a table that ignores the question's entity? Four models, equal search, filtered MRR on both sides.

    uv run sprints/27_graphs_downstream/beside_the_frequency.py
    uv run sprints/27_graphs_downstream/beside_the_frequency.py --preset real

Theory: notes/05_how_facts_are_ranked.md
"""

import copy
from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.facts import Facts, read_facts
from downstream.kg_embeddings import MODELS, NAMES, FactModel, Name, all_entities_loss
from downstream.ranking import Frequency, rank_facts, rank_relations
from downstream.synthetic_relations import mixed
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import ROUNDING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run

PRESETS = {
    "real": {
        "data": ("umls", "kinships", "nations"),
        "epochs": (25, 50, 100),
        "sharpness": (1.0, 10.0),
        "learning_rates": (0.01, 0.03),
        "decays": (0.0, 3e-3, 3e-2),
        "features": 64,
        "batch_size": 512,
        "seeds": 5,
    }
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: tuple[Literal["made", "umls", "kinships", "nations"], ...] = ("made",)  # made, or a folder of SPRINTS_DATA/kg
    features: PositiveInt = 32  # numbers of an embedding, complex ones for ComplEx and RotatE
    epochs: tuple[PositiveInt, ...] = (20, 40)  # passes after which validation is ranked, rising
    sharpness: tuple[PositiveFloat, ...] = (1.0, 10.0)  # of the softmax, tried
    learning_rates: tuple[PositiveFloat, ...] = (0.03,)  # of Adam, tried
    decays: tuple[NonNegativeFloat, ...] = (3e-3,)  # of embeddings, tried
    batch_size: PositiveInt = 64  # facts
    seeds: PositiveInt = 3  # runs of each model with the settings that validation chose

    def check(self) -> None:
        if list(self.epochs) != sorted(set(self.epochs)):
            raise ValueError(f"--epochs must rise; got {self.epochs}")


Setting = tuple[float, float, float]  # sharpness, learning rate, decay


@dataclass(frozen=True)
class Baselines:
    raw: float
    filtered_by_train: float
    filtered: float
    optimistic: float  # filtered, ties counted in favour of the answer
    untested: int  # relations that have no test fact


@dataclass(frozen=True)
class Results:
    frequency: dict[str, Baselines]  # MRR on the test facts, by data
    mrr: dict[str, dict[Name, MeanInterval]]  # filtered, both sides, ties at their mean
    hits: dict[str, dict[Name, MeanInterval]]  # at 10
    validation: dict[str, dict[Name, float]]  # of the chosen settings
    chosen: dict[str, dict[Name, Setting]]
    tried: int  # settings for each model


def load(name: str, config: Config) -> Facts:
    """Return facts by their name."""
    return mixed(40, torch.Generator().manual_seed(config.seed)) if name == "made" else read_facts(name)


def train(facts: Facts, name: Name, setting: Setting, config: Config, seed: int) -> tuple[float, FactModel]:
    """Return the best filtered MRR on validation over the epochs, and the model as it was then."""
    sharpness, learning_rate, decay = setting
    generator = torch.Generator().manual_seed(seed)
    model = MODELS[name](len(facts.entities), len(facts.relations), config.features, generator)
    optimizer = torch.optim.Adam(model.parameters(), learning_rate)
    best, kept = -1.0, model
    for epoch in range(1, config.epochs[-1] + 1):
        for rows in torch.randperm(len(facts.train), generator=generator).split(config.batch_size):
            optimizer.zero_grad()
            all_entities_loss(model, facts.train[rows], sharpness, decay).backward()
            optimizer.step()
        if epoch in config.epochs:
            with torch.no_grad():
                mrr = rank_facts(model.all_scores, facts.valid, len(facts.entities), facts.everything).mrr
            if mrr > best:
                best, kept = mrr, copy.deepcopy(model)
    return best, kept


def baselines(facts: Facts) -> Baselines:
    """Return what counting alone reaches."""
    entities, relations = len(facts.entities), len(facts.relations)
    scorer = Frequency(facts.train, entities, relations)
    known = (None, facts.train, facts.everything)
    found = [rank_facts(scorer, facts.test, entities, part).mrr for part in known]
    optimistic = rank_facts(scorer, facts.test, entities, facts.everything, "optimistic").mrr
    each = rank_relations(scorer, facts.test, entities, relations, facts.everything)
    return Baselines(*found, optimistic, sum(value is None for value in each.values()))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    settings = list(product(config.sharpness, config.learning_rates, config.decays))
    results = Results({}, {}, {}, {}, {}, len(settings))
    for data in config.data:
        facts = load(data, config)
        results.frequency[data] = baselines(facts)
        for table in (results.mrr, results.hits, results.validation, results.chosen):
            table[data] = {}
        for name in NAMES:
            bar = tqdm(settings, desc=f"{data}, {name}", leave=False)
            tried = {setting: train(facts, name, setting, config, config.seed)[0] for setting in bar}
            chosen = max(tried, key=lambda setting: tried[setting])
            rankings = []
            for seed in range(config.seed, config.seed + config.seeds):
                _, model = train(facts, name, chosen, config, seed)
                with torch.no_grad():
                    rankings.append(rank_facts(model.all_scores, facts.test, len(facts.entities), facts.everything))
            results.mrr[data][name] = mean_interval([ranking.mrr for ranking in rankings])
            results.hits[data][name] = mean_interval([ranking.hits(10) for ranking in rankings])
            results.validation[data][name], results.chosen[data][name] = tried[chosen], chosen
            print(f"{data:<10}{name:<10}{results.mrr[data][name][0]:.3f}  {chosen}")
        print(f"{data:<10}frequency {results.frequency[data].filtered:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the filtered MRR of each model, the frequency baseline as a line across."""
    figure, axes = new_figure(7.2, 3.6)
    for place, (data, rows) in enumerate(results.mrr.items()):
        for number, (name, (mean, half)) in enumerate(rows.items()):
            x = place * 5 + number
            label = name if place == 0 else None
            axes.bar(x, mean, color=COLOURS[number], yerr=half or None, width=0.9, label=label)
        axes.hlines(results.frequency[data].filtered, place * 5 - 0.6, place * 5 + 3.6, color="black", linestyle="--",
                    label="frequency" if place == 0 else None)  # fmt: skip
    axes.set_xticks([place * 5 + 1.5 for place in range(len(results.mrr))], list(results.mrr))
    axes.set(ylim=(0, 1.02), ylabel="filtered MRR, both sides")
    figure.legend(loc="outside upper center", ncols=5)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED, "frequency.*": ROUNDING})
