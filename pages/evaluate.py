"""Evaluate: what networks reach on a visitor's own labelled pictures."""

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.evaluating import evaluate_now, kept, mapping_control, runnable, uploads_control
from pages.shared.kinds import Choice, Choices
from pages.shared.loaders import catalog
from pages.shared.own import escaped
from pages.shared.reporting import report_button
from pages.shared.results import row_models, show_means, show_result
from pages.shared.shortlist import rows_control, shortlist, size_control
from pages.shared.variants import KINDS, rows_shown, variants_control
from zoo.comparison import MOST
from zoo.datasets import load_datasets
from zoo.evaluation.summary import bundled_summaries

AS_WEIGHTS = "those of the weights"
WEIGHTS = Choice("evaluate_weights", list(KINDS), "Best there is")
IN_8_BITS = Choices("evaluate_8bit", lambda: list(catalog().index), [], "ids of the catalog")
LABELS_OF = Choice("evaluate_labels_of", lambda: [AS_WEIGHTS, *load_datasets().index], AS_WEIGHTS)

held = kept()
held.wait()
st.title("Evaluate on your own labels", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    size_control()
    LABELS_OF.draw(st.selectbox, "Classes of the labels", width=200)
    place = st.container(width="content")
    report = st.empty()
rows_control()
rows = rows_shown(1, MOST)
if not rows:
    st.stop()
with place:
    variants = variants_control(rows, WEIGHTS, IN_8_BITS, key="evaluate")
work = mapping = None
fine = False
with shown_errors():
    work = uploads_control()
    with st.popover("Mapping", icon=":material/swap_horiz:"):
        mapping = mapping_control()
    fine = True
if work is not None:
    st.text(f"{len(work.items)} pictures with labels. {work.unmatched}")
ready = runnable(variants, shortlist().size)
names = ready[0].title if len(ready) == 1 else f"{len(ready)} variants"
started = st.button(
    f"Evaluate {escaped(names)}" if ready else "Evaluate",
    type="primary",
    icon=":material/play_arrow:",
    disabled=work is None or not ready or not fine,
)
if started and work is not None:
    labels_of = None if LABELS_OF.value == AS_WEIGHTS else LABELS_OF.value
    evaluate_now(ready, work, shortlist().size, mapping, labels_of)
if held.refused:
    st.error(escaped(held.refused), icon=":material/error:")
if held.evaluations:
    with report:
        evaluated = list({each.row.id: each.row for each in held.evaluations}.values())
        report_button(evaluated, evaluations=held.summaries)
    show_result(held)
else:
    st.subheader("What the bundled networks reach on CamVid", anchor=False)
    st.caption(
        "Measured on its 233 test pictures, in float and in 8 bits; QAT was trained for 8 bits. "
        "Your own pictures make the next such chart."
    )
    show_means(bundled_summaries(), *row_models())
