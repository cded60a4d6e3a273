"""A server whose models were refused: the operations page says so, and why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from lessonroom.models import folder
from tests.browser.conftest import MakePerson
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(params=["0", "1"], ids=["in the server", "in media workers"])
def refusing(request: pytest.FixtureRequest, chromium: str, tmp_path: Path) -> Iterator[Server]:
    """A server with a model that is not what its sidecar says; asked for before ``person``, it outlives the pages."""
    models = tmp_path / "models"
    shutil.copytree(folder(), models)
    with (models / "expression.onnx").open("ab") as file:
        file.write(b"x")
    server = Server(tmp_path, LESSONROOM_MODELS_DIR=str(models), LESSONROOM_WORKERS=request.param)
    server.start()
    yield server
    server.stop()


async def test_the_operations_page_says_why_the_models_are_off(refusing: Server, person: MakePerson) -> None:
    """Neither the first line nor the part about inference pretends that models run; both name the file."""
    operator = await person("teacher", refusing.operator())
    await operator.page.goto(operator.link)
    await expect(operator.see("health-sentence")).to_have_text("Lessons run without camera hints: the models are off.")
    await expect(operator.see("health-why")).to_contain_text("expression.onnx: expected sha256 ")
    await expect(operator.see("models-off")).to_contain_text("The models are off")
    await expect(operator.see("models-off")).to_contain_text("expression.onnx: expected sha256 ")
    await expect(operator.see("no-gpu")).to_have_count(0)
