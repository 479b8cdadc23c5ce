"""Settings and links: what a link may hold is told for every page, and nothing is lost on the way."""

from pathlib import Path
from threading import Event, Thread

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import link
from tests.pages.cards import cards, sentences
from zoo.catalog import catalog_named
from zoo.costs import load_costs
from zoo.families import families

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=180)


def shown(app: AppTest) -> list[str]:
    assert not app.exception, [error.message for error in app.exception]
    tables = [table.value for table in app.dataframe]
    return [row for table in tables if {"rank", "over"} & {*table} for row in table["title"]]


@pytest.mark.parametrize(
    ("page", "key", "value"),
    [
        ("explore", "explore_params", "-1"),
        ("explore", "explore_nothing", "1"),
        ("catalog", "catalog_search", "x" * 150),
        ("catalog", "catalog_view", "Sideways"),
        ("complexity", "complexity_aspect", "16:8"),
        ("complexity", "complexity_multiple", "2.5"),
        ("explore", "catalog", "tomorrow"),
        ("explore", "size", "12x"),
    ],
)
def test_nonsense_under_any_key_is_told_and_dropped(app: AppTest, page: str, key: str, value: str) -> None:
    app.query_params[key] = value
    app.run()
    if page != "explore":
        app.switch_page(f"{page}.py").run()
    assert not app.exception
    assert len(app.warning) == 1
    assert key in app.warning[0].value
    assert value[:40] in app.warning[0].value
    assert key not in app.query_params


def test_a_search_that_is_too_long_does_not_filter(app: AppTest) -> None:
    app.query_params["catalog_search"] = "x" * 150
    app.run().switch_page("catalog.py").run()
    assert len(app.dataframe[0].value) == len(catalog_named("published").rows)


def test_what_another_pages_key_holds_waits_for_that_page(app: AppTest) -> None:
    app.query_params["catalog_view"] = "Grouped"
    app.run()
    assert not app.warning
    app.switch_page("catalog.py").run()
    assert app.segmented_control(key="catalog_view").value == "Grouped"


def test_settings_survive_a_page_that_does_not_draw_them(app: AppTest) -> None:
    app.query_params["budget"] = "9"
    app.query_params["explore_qat"] = "Only QAT"
    app.run()
    app.switch_page("catalog.py").run()
    assert dict(app.query_params)["budget"] == ["9"] or app.query_params["budget"] == "9"
    app.switch_page("explore.py").run()
    assert app.text_input(key="budget").value == "9"
    assert all("QAT" in title for title in shown(app))


def test_a_comma_is_a_decimal_point(app: AppTest) -> None:
    app.run()
    app.text_input(key="budget").set_value("3,84").run()
    assert app.query_params["budget"] in ("3.84", ["3.84"])


@pytest.mark.parametrize("typed", ["lots", "-3", "0", "1e9", "nan"])
def test_a_budget_that_is_none_is_one_line_and_the_last_one_stays(app: AppTest, typed: str) -> None:
    app.run()
    app.text_input(key="budget").set_value(typed).run()
    assert len(app.error) == 1
    assert "budget" not in app.query_params
    app.text_input(key="budget").set_value("9").run()
    assert not app.error
    assert app.query_params["budget"] in ("9", ["9"])


def test_reset_filters_stay_reset(app: AppTest) -> None:
    app.session_state["filters"] = True  # opens the menu
    app.run()
    app.pills(key="explore_family").set_value(["ERFNet"]).run()
    assert shown(app) == ["ERFNet · 1024x512"]
    next(button for button in app.button if button.label == "Reset filters").click().run()
    app.text_input(key="budget").set_value("9").run()
    assert len(shown(app)) > 10
    assert app.pills(key="explore_family").value == []
    assert "explore_family" not in app.query_params


def test_a_chip_removes_its_filter_alone(app: AppTest) -> None:
    app.query_params["explore_family"] = "Edge AI Lite"
    app.query_params["explore_qat"] = "Only QAT"
    app.run()
    assert {"Edge AI Lite", "Only QAT"} <= {button.label for button in app.button}
    app.button(key="remove_explore_qat").click().run()
    assert app.query_params["explore_family"] in ("Edge AI Lite", ["Edge AI Lite"])
    assert "explore_qat" not in app.query_params
    assert len(shown(app)) > 3


def test_a_widget_that_is_gone_takes_nothing_back(app: AppTest) -> None:
    app.session_state["filters"] = True
    app.run()
    app.pills(key="explore_family").set_value(["ERFNet"]).run()
    menu = app.pills(key="explore_family")._widget_state
    app.session_state["filters"] = False
    app.run()
    states = app.button(key="remove_explore_family").click().root.get_widget_states()
    states.widgets.append(menu)  # a quick visitor's request still tells of the closed menu
    app._run(states)
    assert "explore_family" not in app.query_params
    assert len(shown(app)) > 3


CITYSCAPES = [row for row in catalog_named("published").rows if row.dataset == "Cityscapes"]
ROWS = [row for row in CITYSCAPES if row.gmacs and row.miou]
COSTS = load_costs()


@pytest.mark.parametrize(
    ("key", "value", "passes"),
    [
        ("explore_family", "ERFNet", lambda row: families()[row.network.family].label == "ERFNet"),
        ("explore_qat", "Only QAT", lambda row: row.qat),
        ("explore_qat", "Without QAT", lambda row: not row.qat),
        ("explore_input", "1536x768", lambda row: str(row.size) == "1536x768"),
        ("explore_params", "5", lambda row: COSTS.at[row.id, "params"] <= 5e6),
        ("explore_activation", "20", lambda row: COSTS.at[row.id, "peak_activation_values"] <= 20e6),
    ],
)
def test_each_filter_keeps_what_its_definition_keeps(app: AppTest, key: str, value: str, passes) -> None:  # type: ignore[no-untyped-def]
    app.query_params[key] = value
    app.run()
    assert sorted(shown(app)) == sorted(row.title for row in ROWS if passes(row))


def test_only_rows_with_a_published_model(app: AppTest) -> None:
    app.query_params["dataset"] = "VOC2012"
    app.query_params["explore_available"] = "true"
    app.query_params["budget"] = "1000"
    app.run()
    assert sorted(shown(app)) == ["deeplabv3_mnv2 · 512x512", "deeplabv3_mnv2_dm05 · 512x512"]


def test_a_filter_that_hides_the_better_row_says_so(app: AppTest) -> None:
    app.query_params["explore_qat"] = "Only QAT"
    app.run()
    text = "\n".join(element.value for element in app.caption)
    titles = {card.badge: card.title for card in cards(app)}
    assert titles["Take this"] == "MobileNetV2+FPNLite-QAT · 768x384"
    assert "The filters hide a better one: MobileNetV2+FPNLite · 768x384." in text
    assert "No row is more accurate" not in "\n".join(sentences(app))
    assert titles["One better"] == "MobileNetV2+FPNLite · 768x384"  # the data set's


def test_nothing_fits_offers_a_budget_and_a_size(app: AppTest) -> None:
    app.query_params["budget"] = "1"
    app.run()
    app.button(key="raise_Cityscapes").click().run()
    assert app.text_input(key="budget").value == "2.2"
    app.text_input(key="budget").set_value("1").run()
    app.button(key="shrink_Cityscapes").click().run()
    assert app.query_params["size"] in ("512x256", ["512x256"])
    assert cards(app)[0].badge == "Take this"


def test_the_address_keeps_what_a_page_that_still_runs_has_not_asked_for() -> None:
    def first_run() -> None:
        from pages.shared.link import read_link, write_link

        read_link("newpage", ["newpage"], ())
        write_link("newpage", ())  # as main.py does before the page runs and creates its settings

    app = AppTest.from_function(first_run)
    app.query_params["newpage_row"] = "cityscapes-erfnet-1024x512"
    app.query_params["demo_row"] = "of another page"
    app.run()
    assert not app.exception
    assert list(app.query_params) == ["newpage_row"]


def test_who_draws_for_long_holds_nobody_up() -> None:
    def drawing(begun, end) -> None:  # type: ignore[no-untyped-def]  # it runs where no name of this file is
        from pages.shared.link import link_in_step

        with link_in_step((), ()):
            begun.set()
            assert end.wait(20)

    begun, end, over = Event(), Event(), Event()
    over.set()
    first = AppTest.from_function(drawing, args=(begun, end), default_timeout=60)
    thread = Thread(target=first.run)
    thread.start()
    try:
        assert begun.wait(20)
        second = AppTest.from_function(drawing, args=(Event(), over), default_timeout=60).run()
        assert not second.exception
    finally:
        end.set()
        thread.join()
    assert not first.exception


def test_a_run_that_ends_while_it_writes_the_link_gives_its_turn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawing() -> None:
        from pages.shared.link import link_in_step

        with link_in_step((), ()):
            pass

    def ended(*_: object) -> None:
        raise RuntimeError("a newer request")  # as Streamlit ends a run whenever something is sent

    monkeypatch.setattr(link, "LONGEST_TURN", 20.0)
    with monkeypatch.context() as patch:
        patch.setattr(link, "write_link", ended)
        assert AppTest.from_function(drawing, default_timeout=10).run().exception
    assert not AppTest.from_function(drawing, default_timeout=10).run().exception
