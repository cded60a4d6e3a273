"""Alert rules and dashboard: they load in Prometheus, speak of series that there are, and fire when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from lessonroom.metrics import Metrics
from tests.alerting import CASES, Case
from tests.browser.server import Server
from tests.ports import free_port
from tests.test_operations_page import PAGE, real, told

FOLDER = Path(__file__).parent.parent / "docs" / "operations"
RULES = FOLDER / "alerts.yml"
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
BOARD: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
ADDED = {"job", "instance", "le"}
"""Labels that Prometheus puts to what it reads."""


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("no promtool on the path: Debian's package prometheus has it")
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expressions() -> list[str]:
    return [*(alert["expr"] for alert in ALERTS), *QUERIES]


def plain(query: str) -> str:
    """As Grafana sends it."""
    return query.replace("$__rate_interval", "5m").replace("$instance", "a.*")


def test_the_series_are_named_as_prometheus_wants_them(promtool: str) -> None:
    """Units, suffixes, help: its own rules for names."""
    metrics = Metrics()
    metrics.sample_taken()
    for stage in ("look", "wait"):
        metrics.inference_observed(stage, 0.1)
    metrics.policy_expires_in(lambda: 3.0)
    checked = subprocess.run([promtool, "check", "metrics"], input=metrics.render(), capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_rules_load(promtool: str) -> None:
    assert f"{len(ALERTS)} rules found" in run(promtool, "check", "rules", str(RULES))


def test_every_query_of_the_dashboard_is_one_that_prometheus_can_read(promtool: str, tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": plain(query)} for number, query in enumerate(QUERIES)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    assert f"{len(QUERIES)} rules found" in run(promtool, "check", "rules", str(file))


@pytest.mark.parametrize("alert", [alert["alert"] for alert in ALERTS])
def test_an_alert_fires_when_it_should_and_is_quiet_when_it_should_be(
    promtool: str, tmp_path: Path, alert: str
) -> None:
    case = CASES[alert]
    tests = [unit(alert, case, case.fires, count=1), unit(alert, case, case.quiet, count=0)]
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    run(promtool, "test", "rules", str(file))


def unit(alert: str, case: Case, series: dict[str, str], *, count: int) -> dict[str, Any]:
    """One test in promtool's words: after so long, so many of this alert fire."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                "eval_time": f"{case.when}m",
                "exp_samples": [{"labels": "{}", "value": count}],
            }
        ],
    }


def test_every_alert_has_a_case_and_a_row_on_the_page() -> None:
    names = [alert["alert"] for alert in ALERTS]
    section = PAGE.partition("## Alerts")[2].partition("\n## ")[0]
    assert sorted(names) == sorted(CASES)
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(names)


def test_every_alert_says_how_urgent_it_is_what_happens_and_what_to_do() -> None:
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"].keys() == {"summary", "todo"}


@pytest.mark.parametrize("query", expressions())
def test_what_is_asked_for_is_there_with_these_labels(query: str) -> None:
    """A renamed series would leave a rule that loads well and never fires."""
    known = {name: {*labels, *ADDED} for name, (_, labels, _) in told().items()} | {"up": ADDED}
    for name, kind in ((name, real().get(name, ("", ()))[0]) for name in list(known)):
        if kind == "histogram":
            known |= {f"{name}_{part}": known[name] for part in ("bucket", "sum", "count")}
    named = re.findall(r"\b(lessonroom_\w+|process_\w+|up)\b(?:\{([^}]*)\})?", query)
    assert named
    for name, matchers in named:
        assert name in known
        assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= known[name], name


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """What its import asks for: a schema, a data source to choose, and panels that lie beside one another."""
    assert BOARD["schemaVersion"] >= 36
    assert (BOARD["title"], BOARD["uid"], BOARD["id"]) == ("Lessonroom", "lessonroom", None)
    assert {one["name"]: one["type"] for one in BOARD["templating"]["list"]} == {
        "datasource": "datasource",
        "instance": "query",
    }
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_has_a_unit_a_description_and_the_source_that_was_chosen(panel: dict[str, Any]) -> None:
    assert panel["type"] in {"timeseries", "stat", "bargauge"}
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"] in {"s", "percentunit", "short", "bytes", "celsius", "watt", "cps"}
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    refs = [target["refId"] for target in panel["targets"]]
    assert len(set(refs)) == len(refs)
    assert all('instance=~"$instance"' in target["expr"] for target in panel["targets"])


def test_the_dashboard_shows_what_an_operator_asks_first() -> None:
    shown = " ".join(QUERIES)
    for series in told():
        if series.startswith(("lessonroom_load", "lessonroom_overloaded", "lessonroom_gpu", "lessonroom_chat_stage")):
            assert series in shown, series


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[httpx.Client]:
    """A real Prometheus that reads a real server every second, with our rules."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no prometheus on the path: Debian has a package of that name")
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server")
    server.start()
    port = free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "lessonroom", "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    command = [program, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1/") as client:
            yield client
    finally:
        process.terminate()
        process.wait(timeout=20)
        server.stop()


def value(prometheus: httpx.Client, query: str) -> float:
    """0 while there is none, or nobody answers yet."""
    try:
        found = prometheus.get("query", params={"query": query}).json()["data"]["result"]
    except (httpx.TransportError, KeyError, ValueError):
        return 0.0
    return float(found[0]["value"][1]) if found else 0.0


def test_a_real_prometheus_reads_the_server_with_our_rules_and_answers_the_dashboard(
    prometheus: httpx.Client,
) -> None:
    until = time.monotonic() + 60
    while value(prometheus, "max(lessonroom_load_ratio)") <= 0:
        assert time.monotonic() < until
        time.sleep(0.2)
    evaluated: list[dict[str, Any]] = []
    while not evaluated or {rule["health"] for rule in evaluated} != {"ok"}:
        assert time.monotonic() < until, evaluated
        evaluated = prometheus.get("rules").json()["data"]["groups"][0]["rules"]
        time.sleep(0.2)
    assert len(evaluated) == len(ALERTS)
    for query in QUERIES:
        asked = query.replace("$__rate_interval", "5s").replace("$instance", ".*")
        assert prometheus.get("query", params={"query": asked}).json()["status"] == "success", query
    assert value(prometheus, 'count({__name__=~"lessonroom_.+"})') > 50
    assert value(prometheus, 'count(ALERTS{alertstate="firing"})') == 0
