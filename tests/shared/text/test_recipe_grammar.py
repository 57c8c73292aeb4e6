"""The grammar of recipes: unambiguous, exact, and as coherent as it claims."""

import math
import re
from collections.abc import Callable
from itertools import islice

import pytest
import torch

from shared.text.cookbook import Cookbook, Recipe
from shared.text.grammar import Choice, Sampler, choice, derivations
from shared.text.phrases import Phrases
from shared.text.recipe_grammar import VOICES, RecipeGrammar

COOKBOOKS = {voice: Cookbook(voice) for voice in VOICES}


@pytest.fixture(params=VOICES)
def cookbook(request: pytest.FixtureRequest) -> Cookbook:
    return COOKBOOKS[request.param]


def recipes(cookbook: Cookbook, count: int = 300) -> list[Recipe]:
    return list(islice(cookbook.recipes("train"), count))


def test_probabilities_of_a_sub_grammar_sum_to_one():
    cookbook = small_cookbook()
    texts = dict(derivations(cookbook.write))
    assert len(texts) > 1000
    assert math.fsum(map(math.exp, texts.values())) == pytest.approx(1)
    for text, log_prob in islice(texts.items(), 0, None, 50):
        assert cookbook.log_prob(text) == pytest.approx(log_prob)
    entropy = -math.fsum(math.exp(log_prob) * log_prob for log_prob in texts.values())
    samples = [cookbook.recipe("train", index).log_prob for index in range(2000)]
    error = torch.tensor(samples).std().item() / math.sqrt(len(samples))
    assert -sum(samples) / len(samples) == pytest.approx(entropy, abs=4 * error)


def small_cookbook() -> Cookbook:
    """A cookbook of one dish whose words are cut down until all its recipes can be written out."""
    cookbook = Cookbook(dishes=("traybake",))
    several = {"protein": 2, "vegetable": 2}
    cookbook.entries = {role: {"amounts": entry["amounts"][:1]} for role, entry in cookbook.entries.items()}
    cookbook.pantry = {role: items[: several.get(role, 1)] for role, items in cookbook.pantry.items()}
    cookbook.styles, cookbook.style_choice = [("smoky", "savoury")], choice("Smoky ")
    cookbook.servings = Choice(["2", "4"], [1, 2])
    several = {"coat": 2, "crust": 2}
    cookbook.steps = {
        name: Phrases([re.sub(r"\[(.*?)\|.*?\]", r"\1", phrase) for phrase in phrases[: several.get(name, 1)]])
        for name, phrases in cookbook.words["steps"].items()
    }
    cookbook.tips = Phrases(["Enjoy.", "Savour it."])
    return cookbook


def test_mean_surprise_matches_the_mean_entropy_of_the_choices(cookbook: Cookbook):
    surprise, entropy = [], []
    generator = torch.Generator().manual_seed(0)
    for _ in range(1000):
        pen = Sampler(generator)
        cookbook.write(pen)
        surprise.append(-pen.log_prob)
        entropy.append(pen.entropy)
    difference = torch.tensor(surprise) - torch.tensor(entropy)
    error = difference.std().item() / math.sqrt(len(surprise))
    assert error < 0.1
    assert difference.mean().item() == pytest.approx(0, abs=4 * error)


def test_cookbook_is_large(cookbook: Cookbook):
    texts = [recipe.text for recipe in recipes(cookbook, 1000)]
    words = set(re.findall(r"[a-z]+", " ".join(texts).lower()))
    assert len(words) >= 400
    # A distribution with entropy H has at least exp(H) outcomes.
    entropy = -sum(recipe.log_prob for recipe in recipes(cookbook)) / 300
    assert entropy > 1.5 * math.log(1e12)


def test_recipes_are_coherent(cookbook: Cookbook):
    for recipe in recipes(cookbook):
        title, method = recipe.text.splitlines()[0], recipe.text.split("\n\n")[2]
        listed = recipe.text.split("\n\n")[1].splitlines()[1:]
        assert len(listed) == len(recipe.ingredients)
        assert sum(ingredient.name.title() in title for ingredient in recipe.ingredients) >= 2
        for line, ingredient in zip(listed, recipe.ingredients, strict=True):
            assert line.endswith(ingredient.name)
            amounts = [
                int(amount.split()[0]) * recipe.servings / 2 for amount in cookbook.entries[ingredient.role]["amounts"]
            ]
            assert int(line.split()[0]) in amounts
            uses = re.findall(rf"(?<!\w){ingredient.short}(?!\w)", method)
            assert uses, f"{ingredient.short} is listed and not used in\n{recipe.text}"


def test_steps_use_nothing_that_is_not_listed():
    cookbook = COOKBOOKS["plain"]
    everything = {ingredient.short for items in cookbook.pantry.values() for ingredient in items}
    for recipe in recipes(cookbook):
        method = recipe.text.split("\n\n")[2]
        used = {short for short in everything if re.search(rf"the {short}(?!\w)", method)}
        listed = {ingredient.short for ingredient in recipe.ingredients}
        # "the salt", "the batter" and the like are no ingredients of the pantry.
        assert used - {part for short in listed for part in everything if part in short} <= listed


def test_slow_stars_start_first():
    cookbook, seen = COOKBOOKS["plain"], 0
    for recipe in recipes(cookbook, 1000):
        if match := re.search(r"Start with the (.+?), add the (.+?) \d minutes later", recipe.text):
            slow = {ingredient.short: ingredient.slow for ingredient in recipe.ingredients}
            assert slow[match[1]] >= slow[match[2]]
            seen += slow[match[1]] > slow[match[2]]
    assert seen > 20


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text.replace("Tip: ", "Hint: "), "wording"),
        (lambda text: re.sub(r"\n(\d+)( \w+ )", r"\n\g<1>7\2", text, count=1), "amount that fits the servings"),
        (lambda text: re.sub(r"(1\. .*?)the [a-z ]+? (in|until|warm|around)", r"\1the gravel \2", text, count=1), ""),
        (lambda text: text + "\nGoodbye", "end of text"),
        (lambda text: text.replace("\n2. ", "\n3. ", 1), "wording"),
    ],
)
def test_faults_are_found_and_named(change: Callable[[str], str], rule: str):
    cookbook, changed = COOKBOOKS["plain"], 0
    for recipe in recipes(cookbook, 50):
        spoiled = change(recipe.text)
        if spoiled != recipe.text:
            changed += 1
            fault = cookbook.fault(spoiled)
            assert fault is not None
            assert rule in fault.rule
            assert cookbook.log_prob(spoiled) == -math.inf
    assert changed > 5


def test_unknown_voices_and_dishes_are_refused():
    with pytest.raises(ValueError, match="plain, flirty; got 'grumpy'"):
        RecipeGrammar("grumpy")
    with pytest.raises(ValueError, match=r"soup.*got pizza"):
        RecipeGrammar(dishes=("pizza",))
