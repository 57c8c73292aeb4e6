"""Reading sentences in sprint 26: tags and spans, rules, claims, the tagger, and the best that a reader can do."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lesson_texts import by_name, importable

SPRINT = "26_dynamic_knowledge_graph"
on_path = importable(SPRINT)


def module(name: str):
    return by_name(f"knowledge.{name}")


def pieces(seed: int, size: int, second: bool = False):
    words = module("news_grammar").read_grammar()[0].half(second)
    stream = module("news").News(seed, size, words=words).stream()
    return list({piece.record.key: piece for piece in stream if piece.record.text}.values())


@pytest.fixture(scope="module")
def shown(on_path):  # noqa: ARG001
    return pieces(0, 450)


@pytest.fixture(scope="module")
def unseen(on_path):  # noqa: ARG001
    return pieces(1, 60, second=True)


def said(claims):
    return [(claim.subject, claim.relation, claim.object, claim.holds) for claim in claims]


# tags and spans


def test_tags_of_an_example_and_back():
    spans, Mention = module("spans"), module("kinds").Mention
    text = "Cook A. Berg works at the Blue Fork."
    tokens = spans.tokens_of(text)
    assert [token.text for token in tokens] == ["Cook", "A.", "Berg", "works", "at", "the", "Blue", "Fork", "."]
    mentions = [Mention(5, 12, "A. Berg", "person"), Mention(26, 35, "Blue Fork", "shop")]
    tags = spans.tags_of(tokens, mentions)
    assert tags == ["O", "B-person", "I-person", "O", "O", "O", "B-shop", "I-shop", "O"]
    assert spans.mentions_of(text, tokens, tags) == mentions


def test_all_news_survive_the_way_to_tags_and_back(shown):
    spans = module("spans")
    for piece in shown:
        tokens = spans.tokens_of(piece.record.text)
        tags = spans.tags_of(tokens, piece.mentions)
        assert spans.mentions_of(piece.record.text, tokens, tags) == list(piece.mentions)


@settings(max_examples=100, deadline=None)
@given(tags=st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), max_size=8))
def test_any_row_of_tags_gives_mentions_that_do_not_overlap(tags):
    spans = module("spans")
    text = " ".join("abcdefgh"[: len(tags)])
    tokens = spans.tokens_of(text)
    mentions = spans.mentions_of(text, tokens, tags)
    again = spans.tags_of(tokens, mentions)
    assert [tag[1:] for tag in again] == [tag[1:] for tag in tags]
    assert spans.mentions_of(text, tokens, again) == mentions
    starts = {tokens[place].start for place, tag in enumerate(tags) if tag[0] == "B"}
    assert starts <= {mention.start for mention in mentions}


def test_a_mention_within_a_word_is_refused():
    spans, Mention = module("spans"), module("kinds").Mention
    with pytest.raises(ValueError, match="begin and end where a token does"):
        spans.tags_of(spans.tokens_of("Berg bakes"), [Mention(0, 2, "Be", "person")])


def test_scores_count_places_and_kinds():
    score = module("spans").score
    assert score([["a", "b"], ["c"]], [["a"], ["d", "e", "c"]]) == pytest.approx((2 / 3, 2 / 4, 4 / 7))
    assert score([[]], [[]]) == (1, 1, 1)


# the best that can be done


def test_readings_differ_in_kinds_alone_and_their_weights_are_right(shown):
    """Were the weights wrong, the reader would be more or less sure than it is right."""
    best = module("best_reading").BestReader(module("news_grammar").read_grammar()[0].half(False))
    sure, right, count = 0.0, 0, 0
    for piece in shown:
        readings = best.readings(piece.record.text)
        assert sum(readings.values()) == pytest.approx(1)
        places = [(one.start, one.end) for one in piece.mentions]
        for (seen, _), weight in readings.items():
            # "Yesterday Lund" as a name with a slip is next to impossible
            assert weight < 1e-6 or [(one.start, one.end) for one in seen] == places
        mentions, _ = best.best(piece.record.text)
        for one, true in zip(mentions, piece.mentions, strict=True):
            sure += sum(weight for (seen, _), weight in readings.items() if one in seen)
            right += one == true
            count += 1
    assert right / count == pytest.approx(sure / count, abs=0.02)
    assert sure / count < 0.99


def test_what_bayes_says_of_lund(shown):  # noqa: ARG001
    """Everybody talks about Lund: P(last name) = its share of the last names, P(town) = 1 / number of towns."""
    best_reading, words = module("best_reading"), module("news_grammar").read_grammar()[0].half(False)
    readings = best_reading.BestReader(words).readings("Everybody talks about Lund.")
    rank = words.last.index("Lund") + 1
    name = 1 / rank / sum(1 / place for place in range(1, len(words.last) + 1))
    town = 1 / len(words.town)
    expected = {"person": name / (name + town), "town": town / (name + town)}
    assert {mentions[0].kind: weight for (mentions, _), weight in readings.items()} == pytest.approx(expected)
    blind = best_reading.BestReader(None).readings("Everybody talks about Lund.")
    assert list(blind.values()) == pytest.approx([0.5, 0.5])


def test_a_sentence_that_the_grammar_does_not_make_is_refused():
    best = module("best_reading").BestReader(None)
    with pytest.raises(ValueError, match="one of the grammar"):
        best.readings("The soup sings.")


# rules and lists


def test_rules_read_mentions_and_claims_with_their_places(shown):
    rules = module("rules").Rules(shown)
    text = "Yesterday cook A. Berg of Ulm has left the Blue Fork, says Zoe Quist."
    mentions, claims = rules.read(text, key="k", day=4)
    assert [(one.text, one.kind) for one in mentions] == [
        ("A. Berg", "person"), ("Ulm", "town"), ("Blue Fork", "shop"), ("Zoe Quist", "person"),
    ]  # fmt: skip
    assert all(text[one.start : one.end] == one.text for one in mentions)
    (claim,) = claims
    assert (claim.record, claim.day, claim.relation, claim.holds) == ("k", 4, "works_at", False)
    assert (claim.subject, claim.object) == (mentions[0], mentions[2])


def test_where_the_words_leave_it_open_a_rule_asks_what_the_word_was_before():
    kinds, news, rules = module("kinds"), module("news"), module("rules")

    def piece(text, word, kind):
        mention = kinds.Mention(text.index(word), text.index(word) + len(word), word, kind)
        return news.Piece(kinds.Record(text, "herald", 1, text), (mention,), ("",))

    shown = [
        piece("Everybody talks about Lund.", "Lund", "person"),
        piece("All eyes are on Lund.", "Lund", "person"),
        piece("Everybody talks about Lund.", "Lund", "town"),
        piece("Everybody talks about Marlow.", "Marlow", "town"),
    ]
    reader = rules.Rules(shown)
    found = {name: reader.read(f"Everybody talks about {name}.")[0][0].kind for name in ("Lund", "Marlow", "Ulm")}
    assert found == {"Lund": "person", "Marlow": "town", "Ulm": "town"}


def test_rules_know_what_the_sentences_they_were_shown_have_a_use_for(shown, unseen):
    rules = module("rules")
    few, many = rules.Rules(shown[:10]), rules.Rules(shown)
    assert 0 < len(few.rules) < len(many.rules) == len(rules.RULES)
    true = [piece.mentions for piece in unseen]
    score = module("spans").score
    scores = [score([one.read(piece.record.text)[0] for piece in unseen], true) for one in (few, many)]
    assert scores[0].recall < scores[1].recall
    assert scores[1].f1 > 0.8


def test_rules_with_all_words_are_as_good_as_the_best_reader_without_names(shown, unseen):
    rules, score = module("rules").Rules(shown), module("spans").score
    best = module("best_reading").BestReader(None)
    places = [[(one.start, one.end) for one in rules.read(piece.record.text)[0]] for piece in unseen]
    assert score(places, [[(one.start, one.end) for one in piece.mentions] for piece in unseen]).f1 == 1
    found = [best.best(piece.record.text)[0] for piece in unseen]
    assert score(found, [piece.mentions for piece in unseen]).f1 < 0.97


def test_a_list_of_words_knows_no_other_names(shown, unseen):
    words, score = module("rules").WordList(shown), module("spans").score
    seen = pieces(2, 60)
    assert score([words.mentions(one.record.text) for one in seen], [one.mentions for one in seen]).f1 > 0.6
    assert score([words.mentions(one.record.text) for one in unseen], [one.mentions for one in unseen]).f1 < 0.05


# claims


def test_claims_follow_from_true_mentions(shown):
    reader, score = module("claiming").ClaimReader(shown), module("spans").score
    new = pieces(2, 150)
    found = [said(reader.claims(piece.record.text, piece.mentions)) for piece in new]
    right = score(found, [said(piece.claims) for piece in new])
    assert right.precision > 0.97
    assert right.recall > 0.9


def test_the_town_behind_a_name_is_no_new_home():
    kinds, claiming, news = module("kinds"), module("claiming"), module("news")
    text = "Ann Berg of Ulm lives in Linz."
    one, old, new = (kinds.Mention(0, 8, "Ann Berg", "person"), kinds.Mention(12, 15, "Ulm", "town"),
                     kinds.Mention(25, 29, "Linz", "town"))  # fmt: skip
    claim = kinds.Claim("k", one, "lives_in", new, 3)
    piece = news.Piece(kinds.Record("k", "herald", 3, text), (one, old, new), ("", "", ""), (claim,))
    reader = claiming.ClaimReader([piece])
    assert reader.claims(text, [one, old, new], "k", 3) == [claim]
    assert reader.claims("Ann Berg of Ulm", [one, old]) == []


def test_the_words_behind_two_names_can_make_the_claim():
    kinds, claiming, news = module("kinds"), module("claiming"), module("news")
    one, other = kinds.Mention(0, 8, "Ann Berg", "person"), kinds.Mention(13, 20, "Bo Lund", "person")
    wedding, dinner = "Ann Berg and Bo Lund are married.", "Ann Berg and Bo Lund had dinner."
    claim = kinds.Claim("k", one, "married_to", other, 3)
    married, *fed = [
        news.Piece(kinds.Record("k", "herald", 3, text), (one, other), ("", ""), claims)
        for text, claims in ((wedding, (claim,)), (dinner, ()), (dinner, ()))
    ]
    reader = claiming.ClaimReader([married, *fed])
    assert reader.claims(wedding, [one, other], "k", 3) == [claim]
    assert reader.claims(dinner, [one, other]) == []
    # Words that were never behind two names: what was between them decides, as most often.
    assert reader.claims("Ann Berg and Bo Lund met.", [one, other]) == []
    assert claiming.ClaimReader([married]).claims("Ann Berg and Bo Lund met.", [one, other], "k", 3) == [claim]


# the tagger


def trained(shown, steps=60, seed=0, **options):
    tagging = module("tagger")
    torch.manual_seed(seed)
    tagger = tagging.new_tagger(shown, **options)
    before = {name: value.detach().clone() for name, value in tagger.named_parameters()}
    generator = torch.Generator().manual_seed(seed)
    steps_taken = tagging.train_tagger(tagger, shown, generator, steps=steps, hidden_words=0.3, learning_rate=0.01)
    losses = [loss for _, loss in steps_taken]
    return tagger, before, losses


def test_a_tagger_learns_and_reads_each_sentence_by_itself(shown, unseen):
    tagger, _, losses = trained(shown)
    assert sum(losses[-5:]) < 0.3 * sum(losses[:5])
    texts = [piece.record.text for piece in unseen]
    together = tagger.read(texts)
    assert [tagger.read([text])[0] for text in texts[:20]] == together[:20]
    assert tagger.read(["", "."]) == [[], []]
    score = module("spans").score(together, [piece.mentions for piece in unseen])
    assert score.f1 > 0.4


def test_every_parameter_moves_and_the_same_seed_trains_the_same(shown):
    (tagger, before, losses), (_, _, again) = (trained(shown, steps=8, d_letters=8) for _ in range(2))
    assert losses == again
    for name, value in tagger.named_parameters():
        assert not torch.equal(value, before[name]), name


def test_hidden_words_are_unknown_and_keep_their_shape(shown):
    tagging = module("tagger")
    tagger = tagging.new_tagger(shown)
    inputs = tagger.inputs([module("spans").tokens_of("A. Berg works.")])
    assert inputs.shapes.tolist() == [[2, 1, 0, 3]]
    hidden = inputs.rows(torch.tensor([0]), torch.tensor([[True, True, False, False]]))
    assert hidden.words[0, :2].tolist() == [tagging.UNKNOWN] * 2
    assert torch.equal(hidden.words[0, 2:], inputs.words[0, 2:])
    assert torch.equal(hidden.shapes, inputs.shapes)
