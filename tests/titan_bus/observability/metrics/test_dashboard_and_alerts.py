"""The dashboard and the alerts name what the running exporter exposes, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.titan_bus import promql
from tests.titan_bus.conftest import Recorder, Server
from tests.titan_bus.scraping import Scrape, scrape, scraped
from titan_bus import Bus, BusConfig, BusUnavailableError, StreamConfig, names
from titan_bus.config import MetricsConfig
from titan_bus.connections.connection import Connection

RESOURCES = Path(__file__).parents[4] / "resources"
DASHBOARD: dict[str, Any] = json.loads((RESOURCES / "grafana" / "dashboard.json").read_text("utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((RESOURCES / "prometheus" / "alerts.yml").read_text("utf-8"))
OF_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus gives to everything that it scrapes."""
UNITS = {"eps", "ms", "s", "short"}
WIDTH = 24


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in ALERTS["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every expression, with where it stands."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in rules():
        yield rule["alert"], rule["expr"]


@pytest.fixture
async def exposed(config: BusConfig, raw: Connection, topic: str) -> Scrape:
    """What an exporter exposes after a publish, a failure, a dead letter, with an archive and something unread."""
    streams = (StreamConfig(name=topic, retry_limit=1),)
    told = msgspec.structs.replace(config, metrics=MetricsConfig(port=0, every_s=0.01), streams=streams)

    def fault(_: object) -> None:
        raise ValueError("no stock")

    async with Bus(told) as bus:
        recorder = Recorder(fault)
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "happened", {})
        await recorder.wait_for(2)
        for group in ("idle", names.ARCHIVE_GROUP):
            await raw.call("XGROUP", "CREATE", names.stream_of(topic), group, "0")
        labels = {"topic": topic, "group": "idle"}
        return await scraped(
            bus,
            lambda now: (
                now.value("titan_bus_lag", **labels) == 1
                and now.value("titan_bus_archive_lag", topic=topic) == 1
                and now.value("titan_bus_dead_letters")
            ),
            "all figures",
        )


def labels_of(exposed: Scrape, metric: str) -> set[str]:
    if metric == "up":  # Prometheus's own, for each target
        return set(OF_PROMETHEUS)
    found = exposed.labels(metric)
    assert found or exposed.value(metric) is not None, f"{metric} is not exposed"
    return OF_PROMETHEUS.union(*found)


@pytest.mark.logs("goes to the dead letters")
async def test_every_metric_and_label_exists(exposed: Scrape) -> None:
    """Each metric that an expression names is exposed with each label that it is selected or grouped by."""
    for where, text in expressions():
        expression = promql.read(text)
        assert expression.selectors, where
        known = set()
        for selector in expression.selectors:
            labels = labels_of(exposed, selector.metric)
            known |= labels
            unknown = {label for label, _, _ in selector.matchers} - labels
            assert not unknown, f"{where}: {selector.metric} has no {unknown}"
        assert expression.groupings <= known, f"{where}: grouped by {expression.groupings - known}"


@pytest.mark.logs("goes to the dead letters")
async def test_every_status_exists(exposed: Scrape) -> None:
    """Each value of `status` that an expression asks for is one that the exporter writes, and each has a place."""
    written = {labels["status"] for labels in exposed.labels("titan_bus_messages_total")}
    asked = {
        value
        for _, text in expressions()
        for selector in promql.read(text).selectors
        for label, _, values in selector.matchers
        if label == "status"
        for value in values.split("|")
    }
    assert asked == written


@pytest.mark.logs("goes to the dead letters")
async def test_every_metric_is_shown(exposed: Scrape) -> None:
    """Whatever the exporter exposes, the dashboard shows or an alert uses."""
    named = {selector.metric for _, text in expressions() for selector in promql.read(text).selectors}
    missing = {
        name for name, _ in exposed.samples if name not in named and not re.search("_(sum|count)$", name)
    }
    # The second half of an id, for who looks for the entry; it has no course worth a panel.
    assert missing == {"titan_bus_oldest_unacknowledged_sequence"}


@pytest.mark.logs("goes to the dead letters")
async def test_variables_ask_for_what_exists(exposed: Scrape) -> None:
    """The dashboard's variables list labels of exposed metrics, and every variable in use is declared."""
    declared = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert found is not None, variable["name"]
            (selector,) = promql.read(found[1]).selectors
            assert found[2] in labels_of(exposed, selector.metric)
            assert variable["definition"] == variable["query"]["query"]
    text = json.dumps(DASHBOARD)
    used = {name.strip("{}") for name in re.findall(r"\$(\{\w+\}|\w+)", text)} - {"__rate_interval", "__all"}
    assert used == declared == {"datasource", "instance", "topic", "group"}


def test_panels_ask_and_explain() -> None:
    """Each panel has a query, a unit, a title of its own and a sentence; its legend names labels that are left."""
    assert len({panel["title"] for panel in panels()}) == len(panels())
    for panel in panels():
        assert panel["targets"], panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            left = promql.read(target["expr"]).groupings
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= left, panel["title"]


def test_percentiles() -> None:
    """p50, p95 and p99 of the latency and of the handler are shown."""
    shown = {
        (quantile, metric)
        for _, text in expressions()
        for quantile, metric in re.findall(r"histogram_quantile\(([\d.]+).*?(titan_bus_\w+)_bucket", text)
    }
    for metric in ("titan_bus_processing_latency_ms", "titan_bus_handler_duration_ms"):
        assert {(quantile, metric) for quantile in ("0.5", "0.95", "0.99")} <= shown


def test_layout() -> None:
    """Ids are unique, panels stand within the width, and none covers another."""
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] >= 0
        assert at["x"] + at["w"] <= WIDTH, panel["title"]
        for cell in [
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        ]:
            assert cell not in taken, f"{panel['title']} covers {taken[cell]}"
            taken[cell] = panel["title"]


def test_dashboard_can_be_imported() -> None:
    """The dashboard has a stable uid and no id, no data source and no file of one installation."""
    assert DASHBOARD["uid"] == "titan-bus"
    assert "id" not in DASHBOARD
    assert DASHBOARD["schemaVersion"] >= 36  # data sources as objects, Grafana 9 and later
    sources = [target["datasource"] for panel in panels() for target in panel["targets"]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def test_rules_have_what_a_person_needs() -> None:
    """Each rule has a severity, a summary, and a description with the cure, and is told once by its name."""
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert len(rule["annotations"]["description"]) > 80, rule["alert"]
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m")), rule["alert"]


def test_rules_speak_of_labels_that_they_have() -> None:
    """A rule's sentences name only labels that its expression leaves."""
    for rule in rules():
        expression = promql.read(rule["expr"])
        left = expression.groupings or OF_PROMETHEUS
        spoken = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert spoken <= left, rule["alert"]


def test_what_has_to_be_watched() -> None:
    """Dead letters, lag, the promised p99, the oldest unacknowledged, the archive and the exporter have alerts."""
    asked = {rule["alert"]: rule["expr"] for rule in rules()}
    assert asked["TitanBusDeadLetters"].endswith("(titan_bus_dead_letters) > 0")
    assert asked["TitanBusLatency"].endswith("> 120")
    assert "titan_bus_lag" in asked["TitanBusLag"]
    assert "titan_bus_oldest_unacknowledged_timestamp_seconds" in asked["TitanBusOldestUnacknowledged"]
    assert "titan_bus_archive_failures_total" in asked["TitanBusArchiveFailing"]
    assert asked["TitanBusExporterDown"].startswith("up{")


async def test_a_topic_whose_first_publish_fails_is_an_alert(server: Server, topic: str) -> None:
    """Its counter begins above 0 and does not grow, so the rule asks, too, for one that was not there before."""
    told = BusConfig(url=server.url, metrics=MetricsConfig(port=0), patience_s=0.05)
    async with Bus(told) as bus:
        server.kill()
        with pytest.raises(BusUnavailableError):
            await bus.publish(topic, "e", {})
        labels = {"topic": topic, "group": "", "status": "publish_failed"}
        assert (await scrape(bus)).value("titan_bus_messages_total", **labels) == 1
    (text,) = [rule["expr"] for rule in rules() if rule["alert"] == "TitanBusPublishFailing"]
    assert len({str(selector) for selector in promql.read(text).selectors}) == 1
    metric = r"\w+{[^}]+}"
    found = re.search(
        rf"increase\({metric}\[(\w+)]\) > 0 or \({metric} > 0 unless {metric} offset (\w+)\)", text
    )
    assert found is not None
    assert found[1] == found[2]


@pytest.mark.parametrize(
    "text",
    [
        "rat(titan_bus_lag[5m])",
        'titan_bus_lag{topic~"x"}',
        "sum(titan_bus_lag",
        "titan_bus_lag[5 minutes]",
        "titan_bus_lag offset",
        "titan_bus_lag offset 5x",
        "a ? b",
    ],
)
def test_mistakes_in_expressions(text: str) -> None:
    """The reader of expressions refuses what Prometheus would refuse, so a typo cannot pass as nothing."""
    with pytest.raises(ValueError, match=r".+"):
        promql.read(text)
