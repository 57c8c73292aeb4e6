"""The trained reader of sprint 25: its tasks, its tokens, its loss on answers alone, and what it may say."""

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

SPRINT = "25_retrieval_augmented_generation"
SPRINTS = Path(__file__).parents[2] / "sprints"


@pytest.fixture
def part(load_sprint):
    return lambda name: load_sprint(f"{SPRINT}/retrieval/{name}.py")


@pytest.fixture
def tasks(part):
    return part("reader_tasks")


@pytest.fixture
def sheets(part):
    return part("reader_sheets")


@pytest.fixture
def trained(part):
    return part("trained_reader")


@pytest.fixture
def kitchen(tasks):
    return tasks.Kitchen.of(1, 60)


@pytest.fixture
def small(part):
    return lambda tokens, seed=0: part("reader_files").new_reader(tokens, seeded(seed), 2, 16, 2)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def unlike(example, place):
    """Return whether the passage at a place does not state the fact of the question."""
    return example.numbers[place - 1] != example.question.fact


def test_a_sheet_asks_about_the_same_passages_and_most_of_them_are_there(sheets, kitchen):
    generator, there = seeded(0), []
    for _ in range(60):
        sheet = sheets.draw_sheet(kitchen, 6, 4, generator)
        assert len(sheet) == 6
        assert len({(task.numbers, task.shown) for task in sheet}) == 1
        there += [task.place is not None for task in sheet]
    assert 0.6 < sum(there) / len(there) < 0.8


def test_names_stand_in_passages_and_no_question_asks_by_a_word_that_is_gone(tasks, sheets, kitchen):
    names, generator, named = tasks.made_up_names(20), seeded(1), 0
    for _ in range(60):
        for task in sheets.draw_sheet(kitchen, 6, 4, generator, names):
            named += task.answer in names
            if task.place is not None:
                shown = task.shown[task.place - 1]
                original = kitchen.pantry.facts[task.question.fact]
                assert all(shown.values[part] == original.values[part] for part in task.question.reading.words)
    assert named > 10


def test_every_name_is_made_once_and_no_pantry_has_it(tasks, part):
    names = tasks.made_up_names(tasks.MOST_NAMES)
    assert len(set(names)) == len(names)
    assert not set(names) & set(part("trained_reader").ReaderTokens().words)
    assert tasks.made_up_names(5) == names[:5]
    with pytest.raises(ValueError, match=r"there are 3375 names.*got a count of 3376"):
        tasks.made_up_names(tasks.MOST_NAMES + 1)


def test_a_named_answer_is_the_passages_word_and_a_missing_one_cannot_be_named(tasks, kitchen):
    example, missing = (tasks.draw_task(kitchen, kind, False, 0.0, 4, seeded(2)) for kind in ("right", "missing"))
    named = tasks.name_answer(example, "badoka")
    assert named.answer == "badoka"
    assert named.prompt.count("badoka") == 1
    assert named.prompt.replace("badoka", example.answer) == example.prompt
    with pytest.raises(ValueError, match="passage is missing"):
        tasks.name_answer(missing, "badoka")


def test_a_question_of_one_word_names_the_only_passage_that_has_it_or_none(sheets, trained, kitchen):
    tokens, generator, there = trained.ReaderTokens(), seeded(20), []
    for _ in range(60):
        for one in sheets.draw_findings(kitchen, 6, 3, generator):
            having = [place for place, fact in enumerate(one.passages.shown, start=1) if one.word in fact.values]
            assert having == ([] if one.place is None else [one.place])
            there.append(one.place is not None)
            assert tokens.target(one) == [tokens.unknown if one.place is None else tokens.places[one.place - 1]]
    assert 0.6 < sum(there) / len(there) < 0.9
    sheet = next(sheet for sheet in iter(lambda: sheets.draw_findings(kitchen, 5, 3, generator), None) if sheet)
    rows = tokens.sheets([sheet])
    assert int(rows.answers.sum()) == len(sheet)
    ends = rows.answers[0].nonzero()[:, 0]
    assert [tokens.words[rows.tokens[0, end - 1]].lower() for end in ends] == [one.word.lower() for one in sheet]
    asked_otherwise = [one for _ in range(20) for one in sheets.draw_findings(kitchen, 6, 3, generator, synonyms=1.0)]
    named = {value for one in asked_otherwise for fact in one.passages.shown for value in fact.values}
    assert not named & {one.word for one in asked_otherwise if one.place is not None}


def test_easy_sheets_have_no_names_and_hold_words_and_whole_questions(sheets, tasks, kitchen):
    names = tasks.made_up_names(20)
    drawn = sheets.sheets([kitchen], 40, 4, 3, seeded(21), names, easy=1, words=0.5)
    easy, later = next(drawn), next(drawn)
    for batch in (easy, later):
        assert 8 < sum(isinstance(sheet[0], sheets.Finding) for sheet in batch) < 32
    said = [{value for fact in (getattr(sheet[0], "shown", ())) for value in fact.values} for sheet in (*easy, *later)]
    assert not any(words & set(names) for words in said[:40])
    assert any(words & set(names) for words in said[40:])


def test_with_the_first_weights_a_word_looks_at_its_equal_in_a_passage(tasks, trained, part, kitchen):
    tokens, found = trained.ReaderTokens(), {}
    examples = [tasks.draw_task(kitchen, "right", False, 0.0, 3, seeded(number)) for number in range(20)]
    for alike in (True, False):
        model = part("reader_files").new_reader(tokens, seeded(22), 2, 96, 2, alike).eval()
        looks = []
        for example in examples:
            row = tokens.prompts([example])
            x = model.token_embedding(row.tokens) + model.positions(row.positions)
            block = model.blocks[0]
            _, weights = block.attention.forward_with_weights(block.attention_norm(x), causal=True)
            ids = row.tokens[0].tolist()
            for word in example.question.reading.words.values():
                at = [place for place, token in enumerate(ids) if tokens.words[token] == word]
                if len(at) == 2:
                    looks.append(float(weights[0, :, at[1], at[0]].max()))
        found[alike] = sum(looks) / len(looks)
    assert found[True] > 5 * found[False]
    assert found[True] > 0.1


def test_what_two_steps_of_attention_give_by_hand():
    assert round(3 / (65 * 70), 4) == 0.0007
    itself = 32 * 128 * 0.12**2 / 32**0.5  # features of a head, features of size 1, entries of deviation 0.12
    shared = 0.1**2 / (0.1**2 + 0.05**2 + 0.025**2)  # of the variance: the word, without its slot and place
    assert round(itself, 1) == 10.4
    assert round(shared, 2) == 0.76
    assert round(itself * shared, 1) == 7.9
    spread = 128 * 0.12**2  # of a score with an unrelated word: 32 products of entries of this variance, over root 32
    others = 60 * math.exp(spread**2 / 2)  # the mean of the exponential of a normal number
    equal = math.exp(itself * shared)
    assert equal / (math.exp(itself) + equal + others) == pytest.approx(0.08, abs=0.005)


def test_every_word_of_passages_questions_and_targets_is_a_token(tasks, part, kitchen):
    module, generator = part("reader_tokens"), seeded(3)
    tokens = module.ReaderTokens()
    examples = [
        tasks.draw_task(kitchen, tasks.TEN_TASKS[number % 10], number % 2 == 0, 0.5, 4, generator)
        for number in range(100)
    ]
    assert tokens.ids[module.OTHER] not in tokens.prompts(examples).tokens
    assert tokens.ids[module.OTHER] not in [token for one in examples for token in tokens.target(one)]
    assert tokens.encode("Who is Bob?").count(tokens.ids[module.OTHER]) == 2
    assert tokens.words[tokens.encode("christmas")[0]] == "Christmas"


def test_answers_alone_are_scored_each_behind_its_own_question(sheets, trained, kitchen):
    tokens, sheet = trained.ReaderTokens(), sheets.draw_sheet(kitchen, 5, 4, seeded(4))
    rows = tokens.sheets([sheet, sheet[:2]])
    wanted = [token for task in sheet for token in tokens.target(task)]
    assert rows.tokens[0][rows.answers[0]].tolist() == wanted
    assert int(rows.answers[1].sum()) == sum(len(tokens.target(task)) for task in sheet[:2])
    text = " ".join(tokens.words[token] for token in rows.tokens[0].tolist())
    assert text.count("question:") == text.count("answer:") == 5


def test_each_passage_and_question_begins_at_its_own_place(sheets, part, kitchen):
    module = part("reader_tokens")
    tokens = module.ReaderTokens()
    for seed in range(20):
        sheet = sheets.draw_sheet(kitchen, 5, 3, seeded(seed))
        tokens_of, positions, _ = (row[0] for row in tokens.sheets([sheet]))
        for place in (1, 2, 3):
            begins = (positions == 1 + module.SLOT * (place - 1)).nonzero()
            assert tokens.words[tokens_of[begins[0, 0]]] == f"[{place}]"
        asks = (tokens_of == tokens.ids["question:"]).nonzero()[:, 0]
        assert positions[asks].tolist() == [1 + module.SLOT * (module.MOST_PASSAGES + number) for number in range(5)]
        assert len(set(positions.tolist())) == len(positions)  # none reaches into the next one's room
        assert positions.max() < module.CONTEXT
    # A prompt has the places that its sheet gives it.
    prompt, whole = tokens.prompts(sheet[:1]), tokens.sheets([sheet])
    assert torch.equal(prompt.positions[0], whole.positions[0, : len(prompt.positions[0])])
    with pytest.raises(ValueError, match="at most 5 passages and 5 questions; got 3 and 6"):
        tokens.sheets([sheets.draw_sheet(kitchen, 6, 3, seeded(0))])


def test_the_longest_passage_and_question_fit_into_a_slot(part):
    module, grammar = part("reader_tokens"), part("pantry_grammar")
    tokens, longest = module.ReaderTokens(), 0
    for kind, form in enumerate(grammar.KINDS):
        values = tuple(next(iter(grammar.words_of(table))) for table in form.parts)
        passage = f"[1] {grammar.state(kind, values, 2020, ('teacher', 'prawns'))}"
        longest = max(longest, len(tokens.encode(passage)))
        for asked in range(4):
            words = {part: value for part, value in enumerate(values) if part != asked}
            question = grammar.form_question(grammar.Reading(kind, asked, words, form.relation, 2020))
            longest = max(longest, len(tokens.encode(f"Question: {question} Answer: [1] {values[asked]}")))
    assert longest <= module.SLOT


def test_the_loss_is_that_of_the_answers_by_hand(tasks, trained, kitchen, small):
    tokens = trained.ReaderTokens()
    model = small(tokens).eval()
    task = tasks.draw_task(kitchen, "right", False, 0.0, 3, seeded(5))
    rows, target = tokens.sheets([[task]]), tokens.target(task)
    logs = model(rows.tokens, positions=rows.positions)[0].log_softmax(dim=1)
    end = len(logs) - len(target) - 1
    by_hand = -sum(logs[end + step, token] for step, token in enumerate(target))
    loss, count = trained.answer_loss(model, rows)
    assert count == 2
    assert float(loss) == pytest.approx(by_hand.item(), rel=1e-5)
    # Padding behind the end changes nothing.
    both, terms = trained.answer_loss(model, tokens.sheets([[task], [task, task, task]]))
    longer, _ = trained.answer_loss(model, tokens.sheets([[task, task, task]]))
    assert terms == 8
    assert float(both) == pytest.approx(float(loss + longer), rel=1e-5)


def test_a_reader_cites_only_what_is_shown_and_its_belief_is_the_product(tasks, trained, kitchen, small):
    tokens = trained.ReaderTokens()
    model = small(tokens).eval()
    reader = trained.TrainedReader(model, tokens)
    examples = tasks.draw_tasks(kitchen, 30, False, 0.5, 3, seeded(6))
    forced = reader.read(examples, may_abstain=False, size=7)
    assert all(one.place in (1, 2, 3) for one in forced)
    assert [one.answer for one in forced] == [one.answer for one in reader.read(examples, may_abstain=False)]
    said, rows = forced[0], tokens.prompts(examples[:1])
    place, word = tokens.ids[f"[{said.place}]"], tokens.ids[said.answer.lower()]
    first = model(rows.tokens[:, :-1], positions=rows.positions[:, :-1])[0, -1].softmax(dim=0)[place]
    rows.tokens[0, -1] = place
    second = model(rows.tokens, positions=rows.positions)[0, -1].softmax(dim=0)
    assert int(second.argmax()) == word
    assert said.belief == pytest.approx(float(first * second[word]), rel=1e-4)


def test_without_passages_a_reader_says_a_word_and_cites_nothing(sheets, trained, kitchen, small):
    tokens = trained.ReaderTokens()
    reader = trained.TrainedReader(small(tokens), tokens)
    examples = sheets.draw_closed(kitchen, 5, seeded(7))
    assert all(said.place is None and said.answer != "I do not know" for said in reader.read(examples, False))
    assert all(len(tokens.target(example)) == 1 for example in examples)


def test_a_reader_refuses_a_model_with_other_words(trained, small):
    with pytest.raises(ValueError, match="one token for each word"):
        trained.TrainedReader(small(trained.ReaderTokens()), trained.ReaderTokens(["badoka"]))


def test_training_moves_every_parameter_and_is_the_same_twice(sheets, trained, kitchen, small):
    tokens, ends = trained.ReaderTokens(), []
    for _ in range(2):
        model = small(tokens)
        before = [weight.clone() for weight in model.parameters()]
        drawn = sheets.sheets([kitchen], 2, 3, 3, seeded(8), home=kitchen)
        steps = list(trained.train_reader(model, tokens, drawn, steps=3, learning_rate=3e-3))
        moved = [not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)]
        assert all(moved)
        ends.append((steps, [weight.clone() for weight in model.parameters()]))
    assert ends[0][0] == ends[1][0]
    assert all(torch.equal(a, b) for a, b in zip(ends[0][1], ends[1][1], strict=True))


def test_a_saved_reader_answers_as_before_and_a_spoilt_one_is_refused(tasks, trained, kitchen, small, part, tmp_path):
    files, names = part("reader_files"), ["badoka"]
    tokens = trained.ReaderTokens(names)
    reader = trained.TrainedReader(small(tokens), tokens)
    files.save_reader(reader, names, tmp_path / "reader")
    again, known = files.load_reader(tmp_path / "reader")
    examples = tasks.draw_tasks(kitchen, 10, False, 0.5, 3, seeded(9))
    assert known == names
    for one, other in zip(reader.read(examples), again.read(examples), strict=True):
        assert (one.answer, one.place) == (other.answer, other.place)
        assert one.belief == pytest.approx(other.belief, abs=1e-3)
    config = tmp_path / "reader" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"names": []}))
    with pytest.raises(ValueError, match=r"config\.json"):
        files.load_reader(tmp_path / "reader")
    with pytest.raises(ValueError, match=r"there is no reader.*train_reader\.py"):
        files.load_reader(tmp_path / "nothing")


def test_shipped_blocks_are_kept_and_a_word_begins_as_the_mean_of_its_pieces(trained, part):
    from shared.nn.pretrained import load_causal_model

    tokens = trained.ReaderTokens()
    model = part("reader_files").from_pretrained(tokens, "cookbook", seeded(10))
    theirs, tokenizer = load_causal_model("cookbook")
    pieces = tokenizer.encode(" detective", add_special_tokens=False)
    embedding = theirs.get_input_embeddings().weight
    assert len(pieces) > 1
    assert torch.allclose(model.token_embedding.weight[tokens.ids["detective"]], embedding[pieces].mean(dim=0))
    assert model.head.weight is model.token_embedding.weight
    ours, old = model.blocks[0].attention.output.weight, theirs.transformer.h[0].attn.c_proj.weight
    assert torch.allclose(ours, old.T) or torch.allclose(ours, old)


def test_the_best_reader_and_the_rule_are_what_they_should_be(tasks, part, kitchen):
    exam = part("reader_exam")
    examples = tasks.draw_tasks(kitchen, 40, False, 0.0, 4, seeded(11))
    read, forced = exam.best_reader(kitchen, False, 0.0)
    best = exam.marks(examples, read(examples), forced(examples), [1.0, 4.0])
    assert best.right > 0.9
    assert best.cited > 0.9
    rule = exam.by_rule(0.0)(examples)
    assert exam.marks(examples, rule, rule, [1.0]).right > 0.9
    chance = exam.by_closed_book([kitchen])(examples)
    assert exam.marks(examples, chance, chance, [1.0]).right < 0.5
    counts = Counter(one.place for one in exam.by_best_sentence(examples))
    assert set(counts) <= {1, 2, 3, 4}


def test_marks_by_hand(tasks, part, kitchen):
    exam, said = part("reader_exam"), part("readers").Said
    examples = [tasks.draw_task(kitchen, kind, False, 0.0, 3, seeded(12)) for kind in ("right", "right", "missing")]
    right = said(examples[0].answer, examples[0].place, 0.9)
    luck = said(examples[1].answer, next(place for place in (1, 2, 3) if unlike(examples[1], place)), 0.6)
    silent, guess = said("I do not know", None, 0.7), said("prawns", 1, 0.3)
    got = exam.marks(examples, [right, luck, silent], [right, luck, guess], [1.0, 4.0])
    assert (got.right, got.cited, got.silent, got.correct) == (1.0, 0.5, 1.0, 1.0)
    # At a price of 1 the first two are answered; at 4, above 0.8, only the first.
    assert got.points == {"1": pytest.approx(2 / 3), "4": pytest.approx(1 / 3)}
    assert got.curve["1"] == pytest.approx(1 / 3)
    assert got.belief == pytest.approx(0.6)
    wrong = exam.marks(examples, [replace(right, answer="nothing"), luck, silent], [right, luck, guess], [1.0])
    assert wrong.right == 0.5


# ---- scripts


def test_a_language_model_writes_on_behind_the_tasks_it_is_shown(tasks, part, kitchen, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    from shared.nn.pretrained import load_tokenizer

    tokenizer = load_tokenizer("cookbook")
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    examples = tasks.draw_tasks(kitchen, 12, False, 0.0, 3, seeded(13))
    reader = part("prompted_reader").PromptedReader(str(tmp_path), examples[:2])
    prompt = reader.prompt(examples[3])
    assert prompt.count("Question:") == prompt.count("Answer:") == 3
    assert examples[0].prompt + examples[0].target in prompt
    assert prompt.endswith("Answer:")
    said = reader.read(examples[3])
    assert 0 < said.belief < 1
    wanted = {
        " prawns [2].\nx": ("prawns", 2),
        " I do not know\n": ("I do not know", None),
        " so it is\n": ("so it is", None),
    }
    for text, (answer, place) in wanted.items():
        assert reader.parse(text, 0.5) == part("readers").Said(answer, place, 0.5)


def test_the_threshold_treats_most_tasks_rightly(load_sprint, tasks, part, kitchen):
    script, said = load_sprint(f"{SPRINT}/read_passages.py"), part("readers").Said
    there, missing = (tasks.draw_task(kitchen, kind, False, 0.0, 3, seeded(14)) for kind in ("right", "missing"))
    forced = [said(there.answer, 1, 0.8), said("prawns", 1, 0.6), said(there.answer, 1, 0.4)]
    # All answered: two are right. From 0.7 on: the first, and the silence. Both are two; from below 0.4 comes first.
    assert script.choose([there, missing, there], forced) == pytest.approx(0.2)
    assert 0.6 < script.choose([there, missing, missing], forced) < 0.8


def test_a_reader_that_was_trained_for_a_few_steps_is_examined(load_sprint, tmp_path):
    script, steps = load_sprint(f"{SPRINT}/train_reader.py"), {"steps": 2, "sheets": 2, "d_model": 16, "layers": 1}
    config = script.Config(**steps, names=3, rates=(0.5,), tasks=10, seeds=(0, 1), out=tmp_path)
    results = script.main(config)
    assert script.main(config) == results
    marks = results.tables["all passages"]["0.5"].marks
    assert marks[script.BEST]["right"][0] > 0.8
    assert marks[script.MODEL]["right"][1] is not None or marks[script.MODEL]["right"][0] == 0
    assert set(results.named) == {"of the training", "new"}
    script.plot(results)
    read = load_sprint(f"{SPRINT}/read_passages.py")
    found = read.main(read.Config(reader=tmp_path / "pantry-reader", tasks=20))
    assert found.marks[read.BEST].correct > found.marks[read.MODEL].correct
    read.plot(found)
    with pytest.raises(ValueError, match="at most 5 passages and 5 questions"):
        script.Config(passages=6).check()


def test_a_reader_at_home_is_asked_with_passages_and_without(load_sprint):
    script = load_sprint(f"{SPRINT}/remember_or_read.py")
    config = script.Config(steps=2, sheets=4, d_model=16, layers=1, rates=(0.0, 1.0), asked=30, seeds=(0,))
    results = script.main(config)
    hits = results.curves["hit"]
    assert hits["0"][0] > 0.5 > hits["1"][0]
    for rate, (found, _) in hits.items():
        good, misled = results.curves["good"][rate][0], results.curves["misled"][rate][0]
        assert results.curves["predicted"][rate][0] == pytest.approx(found * good + (1 - found) * misled)
    script.plot(results)
    with pytest.raises(ValueError, match="--rates must rise"):
        script.Config(rates=(0.5, 0.0)).check()


def test_the_numbers_of_note_15(load_sprint):
    script = load_sprint(f"{SPRINT}/sheet_by_hand.py")
    results = script.main(script.Config())
    assert (len(results.tokens), sum(results.scored)) == (57, 3)
    assert (round(results.loss, 3), round(results.belief, 3)) == (0.916, 0.4)
    assert [round(value, 3) for value in (results.citation_by_chance, *results.plateaus.values())] == [
        1.380, 2.045, 0.812, 0.0,
    ]  # fmt: skip
    first, five = script.plateaus(0.3, 5, 20)
    assert (round(first, 3), round(five["how to copy out of the cited passage"], 3)) == (1.737, 1.022)
    script.plot(results)


def test_the_shipped_tokenizer_cuts_words_of_the_pantry_into_2_9_pieces(part):
    from shared.nn.pretrained import load_tokenizer

    grammar, tokenizer = part("pantry_grammar"), load_tokenizer("cookbook")
    words = [word for table in grammar.TABLES for word in grammar.words_of(table)]
    pieces = [len(tokenizer.encode(f" {word}", add_special_tokens=False)) for word in words]
    assert round(sum(pieces) / len(pieces), 1) == 2.9


# ---- a language model over one's own folder


def test_a_text_is_worth_what_it_saves_of_the_question_whatever_is_read_beside_it(part, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    from shared.nn.pretrained import load_tokenizer

    tokenizer = load_tokenizer("cookbook")
    torch.manual_seed(1)
    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    reader = part("likely_question").QuestionLikelihood(str(tmp_path), "float32")
    texts = ["Add the eggs.", "Stir the flour, the butter and the sugar into a bowl.", "Bake."]
    gains = reader.gains("How long does it bake?", texts)
    for text, gain in zip(texts, gains, strict=True):
        assert gain == pytest.approx(reader.gains("How long does it bake?", [text])[0], abs=1e-5)
    asked = tokenizer(" How long does it bake?", add_special_tokens=False).input_ids
    logs = []
    for prompt in (texts[0] + "\nQuestion:", "Question:"):
        ids = tokenizer(prompt, add_special_tokens=False).input_ids
        with torch.no_grad():
            rows = reader.model(torch.tensor([ids + asked])).logits[0].log_softmax(dim=1)
        logs.append(sum(float(rows[len(ids) - 1 + step, token]) for step, token in enumerate(asked)) / len(asked))
    assert gains[0] == pytest.approx(logs[0] - logs[1], abs=1e-5)


def test_a_piece_is_searched_with_its_title_and_the_heading_above_it(part):
    folder, chunk = part("folder"), part("kinds").Chunk
    document = folder.as_document("tea.md", b"# Tea\n\nWater.\n\n## Green\n\nWait.\n\n## Black\n\nBoil.\n")
    made = []
    for word in ("Water", "Wait", "Boil"):
        start = document.text.index(word)
        made.append(part("sections").with_headings(document, chunk("tea.md", start, start + len(word), word)))
    assert made == ["Tea\nWater", "Tea\nGreen\nWait", "Tea\nBlack\nBoil"]


def test_the_choice_of_a_sentence_weighs_words_and_reader(load_sprint, part):
    script, place = load_sprint(f"{SPRINT}/own_reader.py"), part("known").KnownPlace("a.md", "x")
    known = part("known").Known("?", (place,))
    row = [script.Candidate(0, 0.9, 0.0, False, False, True), script.Candidate(1, 0.2, 2.0, True, False, True)]
    for pieces, weight, right in ((2, None, False), (2, 0.0, True), (2, 10.0, False), (1, 0.0, False)):
        (outcome, best), *_ = script.outcomes([known], [row], pieces, weight)
        assert outcome.sentence is right
        assert outcome.among is (pieces == 2)
        assert best.right is right
    assert script.outcomes([known], [[]], 1, None)[0][0].confidence == 0
