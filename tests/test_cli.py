"""The command line from outside: what it answers, and that every expected error is one line and exit code 2."""

from __future__ import annotations

import json
import logging
import os
import pty
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from lessonroom import cli, config, logs, models
from lessonroom.media import expression
from tests.media.videos import sound, video

COMMAND = [sys.executable, "-m", "lessonroom.cli"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}


def run(*words: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        input=stdin, capture_output=True, text=True, timeout=90, env=ENVIRONMENT | environment, check=False,
    )  # fmt: skip


def code_of(*words: str | Path) -> object:
    """The exit code of a command that is run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["lessonroom", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return ended.value.code


def told(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """The one line of an expected error."""
    code = code_of(*words)
    return one_line(code, capsys.readouterr().err)


def one_line(code: object, err: str) -> str:
    assert (code, err.count("\n")) == (2, 1), err
    assert err.startswith("lessonroom: ")
    assert "Traceback" not in err
    return err


def every(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*above, name)
        if isinstance(command, click.Group):
            yield from every(command, *above, name)


@pytest.fixture(autouse=True)
def logs_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command sets up the logs of its process, which is that of all tests here."""
    monkeypatch.setattr(logs, "_output", logs._Output())
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    root.handlers, root.level = before


@pytest.fixture(autouse=True)
def no_settings_of_the_tester(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(config.PREFIX):
            monkeypatch.delenv(name)


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", tuple(every(cli.commands)), ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code = code_of(*words, "--help")
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: lessonroom {' '.join(words)}")


def test_help_loads_nothing_that_takes_long() -> None:
    """What makes --help quick on any machine: none of the large libraries is imported for it."""
    code = (
        "import sys; from lessonroom import cli\n"
        "try: cli.commands(['vision', 'train', '--help'], prog_name='lessonroom')\n"
        "except SystemExit: pass\n"
        "large = {'av', 'aiortc', 'cv2', 'onnxruntime', 'sklearn', 'fastapi', 'rich', 'torch'}\n"
        "print(sorted(large & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_command_at_all_is_answered_with_help() -> None:
    done = run()
    assert done.returncode == 0
    assert "serve" in done.stdout


# --- expected errors -------------------------------------------------------------------------------------------------


def test_an_error_is_one_line_of_the_real_program_too() -> None:
    done = run("nonsense")
    assert "nonsense" in one_line(done.returncode, done.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["serve", "--nope"], "--nope"),
        (["serve", "--port", "high"], "high"),
        (["serve", "--port", "70000"], "LESSONROOM_PORT"),
        (["analyse"], "VIDEO"),
        (["bench", "rooms", "--rooms", "0"], "--rooms"),
        (["chat", "check"], "text or --jsonl"),
        (["chat", "check", "--jsonl", "hello"], "both"),
        (["chat", "evaluate", "no-such-file.jsonl"], "no-such-file"),
        (["vision", "score"], "pictures or --jsonl"),
        (["vision", "score", "--jsonl", "a.jsonl", "b.jsonl"], "got 2 files"),
        (["vision", "score", "--jsonl", "no-such-file.jsonl"], "no-such-file"),
        (["vision", "evaluate"], "--labels"),
        (["vision", "evaluate", "--labels", "no-such-file.csv"], "no-such-file"),
        (["vision", "evaluate", "--labels", "a.csv", "--scores", "b.jsonl", "--cropped"], "--cropped"),
        (["demo", "--clip", "a.webm"], "--simulate"),
        (["demo", "--simulate", "--clip", "no-such-clip.webm"], "no-such-clip"),
    ],
)
def test_what_was_typed_wrong_is_named(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in told(capsys, *words)


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "many"), ("HINT_THRESHOLD", "7"), ("NO_SUCH_SETTING", "1"), ("TURN_HOURS", "secret")]
)
def test_a_bad_setting_is_named_without_its_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"LESSONROOM_{name}", value)
    line = told(capsys, "serve")
    assert f"LESSONROOM_{name}" in line
    assert "secret" not in line


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = told(capsys, "serve", "--port", str(port), "--data-dir", tmp_path / "data")
    assert f":{port}" in line
    assert "in use" in line


def test_a_file_where_a_folder_is_expected_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("not a folder")
    assert "data" in told(capsys, "serve", "--port", "0", "--data-dir", tmp_path / "data")


def test_what_the_disk_refuses_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/somewhere/report.html")

    monkeypatch.setattr("lessonroom.config.describe", full)
    assert told(capsys, "settings") == "lessonroom: /somewhere/report.html: No space left on device\n"


def test_training_without_its_libraries_names_the_extra(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if find_spec("torch") is not None:
        pytest.skip("PyTorch is installed here")
    data, out = ("--data", tmp_path / "faces.npz"), ("--out", tmp_path / "out")
    for words in (["train", *data, *out], ["export", tmp_path / "best.pt", *data, *out]):
        assert "lessonroom[train]" in told(capsys, "vision", *words)
    assert not (tmp_path / "out").exists()


# --- analyse ---------------------------------------------------------------------------------------------------------


def broken(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.webm"
    match kind:
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
        case "sound":
            return sound(folder / "sound.wav")
        case "short":
            whole = video(folder / "whole.mp4").read_bytes()
            path = folder / "short.mp4"
            path.write_bytes(whole[: len(whole) // 2])
        case "text":
            path.write_text("this is no video")
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "folder", "sound", "short", "text"])
def test_a_file_that_is_no_whole_video_is_told(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = broken(tmp_path, kind)
    code = code_of("analyse", path)
    out, err = capfd.readouterr()
    assert path.name in one_line(code, err)
    assert out == ""


@pytest.mark.parametrize("name", ["no/report.html", ".", "/dev/null/report.html"])
def test_a_report_that_cannot_be_written_is_told_before_the_work(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def worked(*_: object) -> None:
        raise AssertionError("the video was looked at")

    monkeypatch.setattr("lessonroom.media.analyse.records", worked)
    line = told(capsys, "analyse", video(tmp_path / "room.webm", seconds=1), "--html", tmp_path / name)
    assert "expected a file to write the report to" in line


# --- chat ------------------------------------------------------------------------------------------------------------


def test_a_stream_of_messages_is_answered_one_by_one_in_order() -> None:
    """A platform keeps the pipe open and asks again only after it has read the answer."""
    command = [*COMMAND, "chat", "check", "--jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number, (text, action) in enumerate([("hello", "relay"), ("мой тел 8 905 123 45 67", "block")] * 2):
            process.stdin.write(json.dumps({"id": number, "text": text}) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert (answer["id"], answer["action"]) == (number, action)
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_bad_line_ends_the_stream_after_the_answers_before_it() -> None:
    done = run("chat", "check", "--jsonl", stdin='{"id": 1, "text": "hello"}\nnot json\n{"id": 3, "text": "bye"}\n')
    assert "line 2" in one_line(done.returncode, done.stderr)
    assert "not json" not in done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1]


def test_a_line_that_is_no_utf8_ends_the_stream_in_one_line_after_the_answers_before_it() -> None:
    command = [*COMMAND, "chat", "check", "--jsonl"]
    said = b'{"id": 1, "text": "hello"}\n{"id": 2, "text": "caf\xe9"}\n'
    strict = ENVIRONMENT | {"PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(command, input=said, capture_output=True, timeout=60, env=strict, check=False)
    assert "line 2: expected UTF-8" in one_line(done.returncode, done.stderr.decode())
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1]


def test_half_a_surrogate_pair_in_an_id_comes_back_as_it_was() -> None:
    done = run("chat", "check", "--jsonl", stdin='{"id": "\\ud800", "text": "hello \\ud800"}\n')
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["id"] == "\ud800"


def test_a_command_whose_output_was_closed_before_does_its_work() -> None:
    done = subprocess.run(
        f"{sys.executable} -m lessonroom.cli chat check hello >&-",
        shell=True, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["settings"], ["--help"]])
def test_without_a_reader_a_command_neither_says_that_all_is_well_nor_that_something_is_bad(words: list[str]) -> None:
    """Codes 0 and 1 are answers, of `audit verify` and `chat retrain`; nobody has read this one."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*COMMAND, *words],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=ENVIRONMENT,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (cli.READER_GONE, "")


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m lessonroom.cli settings | head -n 1",
        shell=True, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert done.stderr == ""


# --- vision ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three pictures that are small and grey; what they show does not matter here."""
    folder = tmp_path_factory.mktemp("crops")
    paths = [folder / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        picture = np.random.default_rng(number).integers(0, 256, (48, 48), np.uint8)
        assert cv2.imwrite(str(path), picture)
    return paths


def test_a_stream_of_pictures_is_answered_one_by_one_in_order(crops: list[Path]) -> None:
    """The asker keeps the pipe open and reads each answer first, although crops go through the network in batches."""
    command = [*COMMAND, "vision", "score", "--jsonl", "--cropped"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number, path in enumerate(crops):
            process.stdin.write(json.dumps({"id": number, "path": str(path)}) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert (answer["id"], len(answer["expression"])) == (number, 8)
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_bad_picture_is_an_answer_and_a_bad_line_is_the_end(crops: list[Path]) -> None:
    lines = [json.dumps({"id": 1, "path": "no-such-picture"}), json.dumps({"id": 2, "path": str(crops[0])}), "secret"]
    done = run("vision", "score", "--jsonl", "--cropped", stdin="\n".join(lines))
    assert "line 3" in one_line(done.returncode, done.stderr)
    assert "secret" not in done.stderr
    missing, good = (json.loads(line) for line in done.stdout.splitlines())
    assert (missing["id"], missing["expression"]) == (1, None)
    assert "No such file" in missing["error"]
    assert "no-such-picture" not in done.stdout
    assert (good["id"], good["unseen"]) == (2, None)


def test_pictures_may_be_named_one_by_one(crops: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "vision", "score", "--cropped", "--embedding", *map(str, crops)).splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["id"] for record in records] == [str(path) for path in crops]
    assert all(len(record["embedding"]) == expression.EMBEDDING for record in records)


def test_a_reader_of_scores_that_goes_away_is_no_error(crops: list[Path], tmp_path: Path) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(json.dumps({"path": str(crops[0])}) + "\n" for _ in range(3000)))
    done = subprocess.run(
        f"{sys.executable} -m lessonroom.cli vision score --jsonl --cropped {asked} | head -n 1",
        shell=True, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert json.loads(done.stdout)["id"] == str(crops[0])


def test_labels_are_measured_with_scores_at_hand_as_with_scores_made_on_the_way(
    crops: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores, labels = tmp_path / "scores.jsonl", tmp_path / "labels.csv"
    scores.write_text(output(capsys, "vision", "score", "--cropped", *map(str, crops)))
    rows = zip(crops, ("neutral", "anger", "fear"), strict=True)
    labels.write_text("path,label\n" + "".join(f"{path},{label}\n" for path, label in rows))
    words = ("vision", "evaluate", "--json", "--labels", str(labels))
    before = json.loads(output(capsys, *words, "--scores", str(scores)))
    assert before == json.loads(output(capsys, *words, "--cropped"))
    assert before["labelled"] == before["read"]["faces"] == 3
    assert "3 labelled pictures" in output(capsys, *words[:2], *words[3:], "--cropped")


# --- settings and models ---------------------------------------------------------------------------------------------


def test_the_settings_as_json_are_all_settings(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in output(capsys, "settings", "--json").splitlines()]
    assert [row["key"] for row in rows] == list(config.Settings.model_fields)
    assert all(row["variable"] == config.PREFIX + row["key"].upper() and row["help"] for row in rows)


def test_the_models_as_json_are_all_models_with_their_hashes(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in output(capsys, "models", "verify", "--json").splitlines()]
    assert [row["name"] for row in rows] == list(models.names())
    assert all(row["ok"] and len(row["sha256"]) == 64 for row in rows)


def output(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = code_of(*words)
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def test_a_swapped_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in models.folder().glob("face_*.*"):
        shutil.copy(path, tmp_path)
    shutil.copy(tmp_path / "face_mesh.onnx", tmp_path / "face_detector.onnx")
    line = told(capsys, "models", "verify", "--models-dir", tmp_path)
    assert "face_detector.onnx: expected sha256" in line


def test_a_folder_without_models_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "found none" in told(capsys, "models", "verify", "--models-dir", tmp_path)


# --- progress --------------------------------------------------------------------------------------------------------


def test_a_long_command_shows_on_a_terminal_how_far_it_is(tmp_path: Path) -> None:
    rows = [{"text": f"exercise {number}", "label": 0, "lang": "en"} for number in range(50)]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [*COMMAND, "chat", "evaluate", str(path), "--json"]
    terminal, behind = pty.openpty()
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=behind, timeout=60, env=ENVIRONMENT | {"TERM": "xterm"}, check=True
    )
    os.close(behind)
    seen = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "screening" in seen
    assert json.loads(done.stdout)["all"]["matrix"]["tn"] == 50
    assert run("chat", "evaluate", path, "--json").stderr == ""
