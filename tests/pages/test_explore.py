"""Explore, run by Streamlit's own test runner from the frame that visitors get."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.cards import cards, sentences
from zoo import load_catalog
from zoo.costs import load_costs
from zoo.weights.checkpoints import status

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)


def words(app: AppTest) -> str:
    assert not app.exception, [error.message for error in app.exception]
    elements = [*app.markdown, *app.caption, *app.warning, *app.error, *app.info]
    return "\n".join([*(element.value for element in elements), *sentences(app)])


def ranked_rows(app: AppTest) -> pd.DataFrame:
    """What fits and what is over the budget, as they stand on the page."""
    shown = [table.value for table in app.dataframe if "weights" in table.value]
    return pd.concat(shown) if shown else pd.DataFrame(columns=["weights"])


def test_first_visit_answers_in_one_sentence(app: AppTest) -> None:
    text = words(app.run())
    assert "Under 4 GMACs on Cityscapes: MobileNetV2+FPNLite (768x384), 70.39 % mIoU for 3.84 GMACs" in text
    assert "8.84 GMACs: RegNetX800MF+FPNLite (768x384), 72.01 %" in text


def test_what_8_bits_cost_the_answer_is_said(app: AppTest) -> None:
    text = words(app.run())
    assert "MobileNetV2+FPNLite has 69.88 % mIoU at 768x384, 0.51 points less than in float." in text
    assert "In 8 bits" not in words(app.text_input(key="budget").set_value("20").run())


def test_answer_follows_the_budget(app: AppTest) -> None:
    app.run()
    text = words(app.text_input(key="budget").set_value("20").run())
    assert "Under 20 GMACs on Cityscapes: MobileNetV2+FPNLite (1536x768), 74.61 %" in text


def test_slider_moves_the_exact_field(app: AppTest) -> None:
    app.run()
    app.select_slider(key="budget_slider").set_value(10.0).run()
    assert app.text_input(key="budget").value == "10"
    assert "Under 10 GMACs" in words(app)


def test_cards_tell_the_answer_and_what_is_beside_it_and_lead_on(app: AppTest) -> None:
    app.query_params["rows"] = "cityscapes-erfnet-1024x512"
    take, cheaper, better, listed = cards(app.run())
    assert (take.badge, take.title) == ("Take this", "MobileNetV2+FPNLite · 768x384")
    assert take.lines == ["70.39 % mIoU · 3.84 GMACs", "0.16 GMACs (4 %) below the budget"]
    assert (cheaper.badge, cheaper.title) == ("Next cheaper", "MobileNetV2S16+DeepLabV3Lite · 768x384")
    assert cheaper.lines == ["69.13 % mIoU · 3.54 GMACs", "-1.26 points, -0.30 GMACs"]
    assert (better.badge, better.title) == ("One better", "RegNetX800MF+FPNLite · 768x384")
    assert better.lines == ["72.01 % mIoU · 8.84 GMACs", "+1.62 points, +5.00 GMACs"]
    erfnet, row = "rows=cityscapes-erfnet-1024x512", "cityscapes-mobilenetv2-fpnlite-768x384"
    assert take.links == {
        "See its cost": f"complexity?rows={row}&{erfnet}",
        "Try it on a picture": f"demo?{erfnet}&demo_row={row}",
        "Compare": f"compare?rows={row}&{erfnet}",
    }
    assert take.copied == f"rows={row}&{erfnet}"
    assert (take.drops, listed.drops) == (None, "cityscapes-erfnet-1024x512")


def test_budget_that_nothing_fits_names_the_cheapest(app: AppTest) -> None:
    app.run()
    text = words(app.text_input(key="budget").set_value("0.1").run())
    assert "Nothing on Cityscapes fits 0.1 GMACs" in text
    assert "MobileNetV2+UNetLite" in text


def test_inverse_question(app: AppTest) -> None:
    app.session_state["filters"] = True  # opens the menu
    app.run()
    app.number_input(key="explore_miou").set_value(74.0).run()
    titles = {card.badge: card.title for card in cards(app)}
    assert titles["Accurate enough"] == "MobileNetV2+FPNLite · 1536x768"


def test_several_data_sets_are_not_ranked_together(app: AppTest) -> None:
    app.query_params["dataset"] = ["Cityscapes", "VOC2012"]
    text = words(app.run())
    assert "cannot be compared" in text
    assert "on Cityscapes:" in text
    assert "on VOC2012:" in text


def test_own_size_says_counted_and_claims_no_accuracy(app: AppTest) -> None:
    app.query_params["size"] = "640x480"
    text = words(app.run())
    assert "counted at 640x480" in text
    assert "none is claimed" in text


@pytest.mark.parametrize("size", ["0x0", "abc", "99999x3", "-5x7", "12.5x64"])
def test_bad_size_in_a_link_is_one_line_and_the_page_goes_on(app: AppTest, size: str) -> None:
    app.query_params["size"] = size
    text = words(app.run())
    assert len(app.warning) == 1
    assert size in app.warning[0].value
    assert "as published" in text


def test_filters_narrow_and_reset(app: AppTest) -> None:
    app.session_state["filters"] = True
    app.run()
    text = words(app.pills(key="explore_family").set_value(["ERFNet"]).run())
    assert "nothing fits" in text
    assert "ERFNet" in text
    reset = next(button for button in app.button if button.label == "Reset filters")
    text = words(reset.click().run())
    assert "Under 4 GMACs on Cityscapes: MobileNetV2+FPNLite" in text


def test_link_is_restored(app: AppTest) -> None:
    app.query_params["budget"] = "9.0"
    app.query_params["rows"] = "cityscapes-erfnet-1024x512"
    app.run()
    assert "Under 9 GMACs" in words(app)
    assert "ERFNet · 1024x512 · Cityscapes" in [card.title for card in cards(app)]


def test_nonsense_in_a_link_is_named_and_ignored(app: AppTest) -> None:
    app.query_params["budget"] = "-3"
    app.query_params["rows"] = "no-such-row"
    app.query_params["colour"] = "red"
    text = words(app.run())
    assert "Ignored in this link" in text
    for part in ("-3", "no-such-row", "colour"):
        assert part in text
    assert "Under 4 GMACs" in text


def test_marked_row_is_explained(app: AppTest) -> None:
    app.query_params["rows"] = "cityscapes-mobilenetv3-deeplab-769x769"
    text = words(app.run())
    assert "2049x1025" in text


def test_pages_never_import_torch() -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(ROOT / 'pages' / 'main.py')!r}, default_timeout=60).run();"
        "app.selectbox(key='size').set_value('1280x720').run(); app.switch_page('catalog.py').run();"
        "assert not app.exception; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_published_models_and_weights_that_can_be_had_are_two_filters(app: AppTest) -> None:
    rows = load_catalog()
    cityscapes = rows[rows["dataset"] == "Cityscapes"].dropna(subset=["gmacs", "miou"])
    best = status().groupby("id")["status"].agg(set)
    had = {row for row in cityscapes.index if best[row] & {"bundled", "downloaded", "missing"}}
    published = set(cityscapes.index[cityscapes["available"]])
    assert had != published  # else one filter would do
    for link, expected in (({"explore_weights": "true"}, had), ({"explore_available": "true"}, published)):
        app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
        app.query_params.update(link)
        app.run()
        assert not app.exception
        ranked = ranked_rows(app)
        assert set(ranked.index) == expected
        assert set(ranked.loc[ranked.index.isin(had), "weights"]) <= {"mask now", "download"}


def test_peak_activation_and_weights_are_in_megabytes_of_8_bits_and_of_float(app: AppTest) -> None:
    app.query_params.update({"explore_activation": "20"})
    app.run()
    assert not app.exception
    ranked = ranked_rows(app)
    costs = load_costs().loc[ranked.index]
    for column, size in (("8bit", 1), ("float", 4)):
        for shown, values in (("peak", "peak_activation_values"), ("weights", "params")):
            expected = [size * value / 1e6 for value in costs[values]]
            assert ranked[f"{shown}_{column}_mb"].tolist() == pytest.approx(expected)
    rows = load_catalog()
    rows = rows[rows["dataset"] == "Cityscapes"].dropna(subset=["gmacs", "miou"])
    peaks = load_costs().loc[rows.index, "peak_activation_values"]
    assert set(ranked.index) == set(peaks.index[peaks <= 20_000_000])
    assert any(button.label == "At most 20 MB of activation in 8 bits" for button in app.button)


def test_the_ranked_table_holds_what_fits_and_a_grey_one_by_how_much_the_others_do_not(app: AppTest) -> None:
    app.query_params["budget"] = "9"
    app.run()
    ranked = next(table.value for table in app.dataframe if "rank" in table.value)
    over = next(table.value for table in app.dataframe if "over" in table.value)
    rows = load_catalog()
    rows = rows[rows["dataset"] == "Cityscapes"].dropna(subset=["gmacs", "miou"])
    fits = rows[rows["gmacs"] <= 9].sort_values("miou", ascending=False)
    others = rows[rows["gmacs"] > 9].sort_values("gmacs")
    assert ranked["miou"].tolist() == fits["miou"].tolist()
    assert set(ranked.index) == set(fits.index)
    assert ranked["rank"].tolist() == list(range(1, len(fits) + 1))
    assert set(over.index) == set(others.index)
    assert over["over"].tolist() == pytest.approx((others["gmacs"] - 9).tolist())
    app.text_input(key="budget").set_value("0.1").run()
    assert not any("rank" in table.value for table in app.dataframe)
    assert len(next(table.value for table in app.dataframe if "over" in table.value)) == len(rows)
