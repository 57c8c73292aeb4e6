"""The glossary: every term is explained before it is used, or its first use says where."""

from shared.lab.glossary import first_uses, pages_in_order, read_glossary
from shared.lab.paths import SPRINTS, shown


def test_no_term_is_used_before_it_is_explained():
    uses = first_uses(read_glossary(SPRINTS / "GLOSSARY.md"), pages_in_order(SPRINTS))
    assert len(uses) > 200
    early = [f"{shown(use.page)}:{use.line}: {use.term.names[0]} ({shown(use.term.page)})" for use in uses if use.early]
    assert not early, "\n".join(early)
