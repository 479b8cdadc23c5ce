"""The package as it is installed elsewhere: its data, its console script, its types."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel of this checkout into an empty folder."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(ROOT)]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)
    return folder


def test_an_installed_wheel_finds_its_data(installed: Path) -> None:
    code = "import zoo, zoo.tables; print(zoo.__file__, zoo.tables.DATA, len(zoo.load_catalog()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    package, data, rows = done.stdout.split()
    assert Path(package).parent == installed / "zoo"
    assert Path(data) == installed / "zoo" / "data"
    assert rows == "35"
    assert (installed / "zoo" / "py.typed").exists()


def test_the_console_script_is_the_command_line(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(installed / "bin" / "segselect"), "--version"],
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"zoo {zoo.__version__}"


def test_a_type_checker_sees_public_names(tmp_path: Path) -> None:
    script = tmp_path / "uses.py"
    script.write_text("import zoo\nreveal_type(zoo.predict)\nreveal_type(zoo.macs_at)\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(script)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "zoo.prediction.Prediction" in done.stdout
    assert "width: int, height: int" in done.stdout
