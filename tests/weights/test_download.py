"""Downloads against a server on loopback that commits every fault."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from zoo import limits
from zoo.cache import CACHE_VARIABLE
from zoo.errors import DownloadError, UnknownIdError, WeightsMissingError
from zoo.weights import checkpoints, download, published

ROW = "cocoseg21-lr-aspp-mobilenetv3-large-520x520"
BODY = np.random.default_rng(5).bytes(600_000)
DIGEST = hashlib.sha256(BODY).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = BODY
        self.closing = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    """Each path is one way to answer."""

    server: _Server

    def do_GET(self) -> None:
        getattr(self, "send_" + self.path.strip("/"))()

    def log_message(self, *_: object) -> None:
        pass

    def head(self, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send_good(self) -> None:
        evil = 'attachment; filename="../../evil.pth"'
        self.head(length=len(self.server.body), Content_Disposition=evil)
        self.wfile.write(self.server.body)

    def send_without_length(self) -> None:
        self.head()
        self.wfile.write(self.server.body)

    def send_moved(self) -> None:
        self.head(302, 0, Location="/good")

    def send_round_and_round(self) -> None:
        self.head(302, 0, Location="/round_and_round")

    def send_to_a_file(self) -> None:
        self.head(302, 0, Location="file:///etc/hostname")

    def send_missing(self) -> None:
        self.head(404, 0)

    def send_broken_server(self) -> None:
        self.head(500, 0)

    def send_page(self) -> None:
        self.head(length=20, Content_Type="text/html; charset=utf-8")
        self.wfile.write(b"<html>log in</html>\n")

    def send_disguised_page(self) -> None:
        self.head(length=22, Content_Type="application/octet-stream")
        self.wfile.write(b"\n <!DOCTYPE html>login")

    def send_empty(self) -> None:
        self.head(length=0)

    def send_short(self) -> None:
        self.head(length=len(BODY) + 10)
        self.wfile.write(BODY)

    def send_cut(self) -> None:
        self.head(Transfer_Encoding="chunked")
        self.wfile.write(b"ffff\r\n" + BODY[:1000])

    def send_huge(self) -> None:
        self.head(length=limits.MODEL_BYTES + 1)

    def send_silence(self) -> None:
        self.head(length=len(BODY))
        self.wfile.write(BODY[:300_000])
        self.wfile.flush()
        self.server.closing.wait(10)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


def list_as(monkeypatch: pytest.MonkeyPatch, url: str, **cells: object) -> None:
    """Let the list of published weights say this of the row."""
    table = published.published_list().copy()
    for column, value in {"url": url, "sha256": None, "sha256_prefix": None, **cells}.items():
        table[column] = table[column].astype(object)
        table.at[ROW, column] = value
    for module in (checkpoints, download, published):
        monkeypatch.setattr(module, "published_list", lambda: table)


def point_at(server: _Server, way: str, monkeypatch: pytest.MonkeyPatch, **cells: object) -> None:
    list_as(monkeypatch, f"http://127.0.0.1:{server.server_port}/{way}", **cells)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize("way", ["good", "moved", "without_length"])
@pytest.mark.parametrize(
    ("cells", "verified"),
    [({"sha256": DIGEST}, True), ({"sha256_prefix": DIGEST[:8]}, True), ({}, False)],
    ids=["full hash", "prefix", "no hash"],
)
def test_a_good_file_arrives(
    way: str,
    cells: dict[str, object],
    verified: bool,
    server: _Server,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point_at(server, way, monkeypatch, **cells)
    told: list[tuple[int, int | None]] = []
    got = download.download(ROW, lambda done, total: told.append((done, total)))
    assert got.path.read_bytes() == BODY
    assert (got.kind, got.verified, "unverified" in got.label) == ("published", verified, not verified)
    assert files_in(folder) == [f"{ROW}.{DIGEST}.pth"]
    assert told[-1] == (len(BODY), None if way == "without_length" else len(BODY))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    line = checkpoints.status(ROW).iloc[-1]
    assert (line["status"], line["path"], line["verified"]) == ("downloaded", str(got.path), verified)


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("missing", "answered 404"),
        ("broken_server", "answered 500"),
        ("page", "web page"),
        ("disguised_page", "web page"),
        ("empty", "empty"),
        ("short", "broke"),
        ("cut", "broke"),
        ("huge", "500 MB"),
        ("round_and_round", "redirects"),
        ("to_a_file", "No connection adapters"),
    ],
)
def test_a_fault_leaves_nothing_behind(
    way: str, reason: str, server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(server, way, monkeypatch)
    with pytest.raises(DownloadError, match=reason) as caught:
        download.download(ROW)
    assert ROW in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_in(folder) == []
    point_at(server, "good", monkeypatch)
    assert download.download(ROW).path.read_bytes() == BODY  # the next one works


@pytest.mark.parametrize("cells", [{"sha256": "0" * 64}, {"sha256_prefix": "0" * 8}])
def test_a_wrong_hash_is_thrown_away(
    cells: dict[str, object], server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(server, "good", monkeypatch, **cells)
    with pytest.raises(DownloadError, match=f"{DIGEST[:8]}.*0000.*try again"):
        download.download(ROW)
    assert files_in(folder) == []


def test_a_file_that_never_ends_is_cut_off(
    server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MODEL_BYTES", limits.MEGABYTE // 2)
    point_at(server, "without_length", monkeypatch)
    with pytest.raises(DownloadError, match="thrown away"):
        download.download(ROW)
    assert files_in(folder) == []


def test_a_silent_server_is_given_up(server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.2)
    point_at(server, "silence", monkeypatch)
    with pytest.raises(DownloadError, match="fell silent"):
        download.download(ROW)
    assert files_in(folder) == []


def test_no_internet_is_one_clear_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        list_as(monkeypatch, f"http://127.0.0.1:{taken.getsockname()[1]}/good")
        with pytest.raises(DownloadError, match=r"cannot be reached.*internet"):
            download.download(ROW)
    assert files_in(folder) == []


def test_a_full_disk_leaves_nothing_behind(
    server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are a matter of Unix")
    point_at(server, "good", monkeypatch)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BODY) // 2, hard))
    try:
        with pytest.raises(DownloadError, match=r"cannot be written.*SEGSELECT_CACHE"):
            download.download(ROW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in(folder) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="cannot be written"):
        download.download(ROW)


def test_stopping_half_way_leaves_nothing_behind(
    server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_done: int, _total: int | None) -> None:
        raise KeyboardInterrupt

    point_at(server, "good", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        download.download(ROW, stop)
    assert files_in(folder) == []


def test_a_failed_download_keeps_the_earlier_file(
    server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(server, "good", monkeypatch)
    download.download(ROW)
    point_at(server, "short", monkeypatch)
    with pytest.raises(DownloadError):
        download.download(ROW)
    assert files_in(folder) == [f"{ROW}.{DIGEST}.pth"]


def test_a_new_file_takes_the_place_of_the_earlier(
    server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(server, "good", monkeypatch)
    download.download(ROW)
    server.body = BODY[:1000]
    digest = hashlib.sha256(BODY[:1000]).hexdigest()
    assert download.download(ROW).sha256 == digest
    assert files_in(folder) == [f"{ROW}.{digest}.pth"]


def test_an_unverified_file_is_held_against_its_first_hash(
    server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(server, "good", monkeypatch)
    path = download.download(ROW).path
    changed = bytearray(BODY)
    changed[1000] ^= 1
    path.write_bytes(changed)
    with pytest.raises(DownloadError, match=f"changed.*weights get {ROW}"):
        checkpoints.resolve(ROW)
    assert download.download(ROW).path.read_bytes() == BODY


def test_visitors_who_download_the_same_at_once(
    server: _Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(server, "good", monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(download.download, [ROW] * 8))
    assert {one.sha256 for one in got} == {DIGEST}
    assert files_in(folder) == [f"{ROW}.{DIGEST}.pth"]


def test_only_listed_rows_can_be_asked_for(folder: Path) -> None:
    with pytest.raises(UnknownIdError):
        download.download("../../etc/passwd")
    with pytest.raises(WeightsMissingError, match="no address"):
        download.download("cityscapes-mobilenetv2-fpnlite-768x384")
    assert files_in(folder) == []
