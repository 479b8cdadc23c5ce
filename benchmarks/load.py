"""Many visitors at once, over the websocket as browsers do: time to an answer, who is lost, memory.

    python benchmarks/load.py                     all of it, in about four minutes
    python benchmarks/load.py --visitors 3 --seconds 8 --masks 2 --afternoon 6      a short try

A bare page with one chart of 35 points first, for comparison; then Explore, Catalog, and Explore while others
make masks; then an afternoon of masks at changing sizes, with the memory of the server after the first and
after the last; then two servers behind deploy/nginx.conf of which one is stopped midway, where nginx is.
Each visitor moves something every one to three seconds; an answer is there when the server says the script
ended.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).resolve().parents[1]
PERIOD = 2.0
SIZES = 12
"""Input sizes of masks, one after the other."""
BARE = """
import plotly.graph_objects as go
import streamlit as st
moved = float(st.text_input("Move", "4"))
st.plotly_chart(go.Figure(go.Scatter(x=list(range(35)), y=[moved * n for n in range(35)], mode="markers")))
"""


@dataclass
class Tally:
    """What the visitors of one page met."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    reconnected: int = 0

    def line(self, name: str) -> str:
        """Return one line to print."""
        if not self.seconds:
            return f"{name:10} no answer; {len(self.failures)} failures {self.failures[:2]}"
        p50, p95 = np.percentile(self.seconds, [50, 95])
        return (
            f"{name:10} {len(self.seconds):5} answers  p50 {p50:6.3f} s  p95 {p95:6.3f} s  "
            f"{len(self.failures)} failures  {self.reconnected} reconnected {self.failures[:2]}"
        )


class Visitor:
    """One visitor's connection."""

    def __init__(self, port: int, page: str, query: str = "") -> None:
        self.port, self.page, self.query = port, page, query
        self.fields: dict[str, tuple[str, str]] = {}
        """By label a text field's id and the id of the part of the page that is drawn again for it."""
        self.cookie = f"segselect_visitor={random.getrandbits(64):x}"

    async def __aenter__(self) -> Visitor:
        self.socket = await websockets.connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit")],
            max_size=None,
            origin=websockets.Origin(f"http://127.0.0.1:{self.port}"),
            additional_headers={"Cookie": self.cookie},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def run(self, label: str | None = None, text: str = "") -> float:
        """Ask for a run, with `text` in the field of that label if given; return how many seconds it took."""
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = self.query
        if label is not None:
            widget = message.rerun_script.widget_states.widgets.add()
            widget.string_value = text
            widget.id, message.rerun_script.fragment_id = self.fields[label]
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(120):
            while True:
                answer = ForwardMsg.FromString(await self.socket.recv())
                kind = answer.WhichOneof("type")
                if kind == "delta" and answer.delta.new_element.HasField("text_input"):
                    field_of = answer.delta.new_element.text_input
                    self.fields[field_of.label] = field_of.id, answer.delta.fragment_id
                if kind == "delta" and answer.delta.new_element.HasField("exception"):
                    raise RuntimeError(answer.delta.new_element.exception.message)
                if (
                    kind == "script_finished"
                    and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
                ):
                    return time.perf_counter() - start


async def visit(port: int, page: str, label: str, texts: list[str], seconds: float, tally: Tally) -> None:
    """Be one visitor for some seconds; a lost connection is opened again, as a browser does."""
    await asyncio.sleep(random.random() * PERIOD)
    end, cookie = time.perf_counter() + seconds, None
    while time.perf_counter() < end:
        try:
            visitor = Visitor(port, page)
            visitor.cookie = cookie or visitor.cookie
            cookie = visitor.cookie
            async with visitor:
                await visitor.run()
                while time.perf_counter() < end:
                    # In step, those who meet once would meet every time, and chance would set the p95.
                    await asyncio.sleep(PERIOD * random.uniform(0.5, 1.5))
                    tally.seconds.append(await visitor.run(label, random.choice(texts)))
        except (OSError, websockets.WebSocketException):
            tally.reconnected += 1
            await asyncio.sleep(0.5)
        except (RuntimeError, TimeoutError, KeyError) as error:
            tally.failures.append(f"{type(error).__name__}: {error}"[:80])
            await asyncio.sleep(0.5)


async def mask(port: int, index: int, tally: Tally) -> None:
    """Be one visitor who wants a mask, each at a size of their own."""
    try:
        async with Visitor(port, "demo", f"size={512 + 32 * (index % SIZES)}x384") as visitor:
            tally.seconds.append(await visitor.run())
    except (OSError, RuntimeError, TimeoutError, websockets.WebSocketException) as error:
        tally.failures.append(f"{type(error).__name__}: {error}"[:80])


@contextlib.contextmanager
def server(script: str, port: int, cache: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends."""
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    environment = {**os.environ, "SEGSELECT_CACHE": cache}
    with Path(cache, f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            for _ in range(240):
                with (
                    contextlib.suppress(OSError),
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health"),
                ):
                    break
                time.sleep(0.25)
            yield process
        finally:
            process.terminate()
            process.wait(20)


def megabytes(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process; Linux only."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def crowd(port: int, page: str, label: str, texts: list[str], options: argparse.Namespace) -> Tally:
    """Let all visitors use one page and return what they met; the first run is not counted."""
    async with Visitor(port, page) as first:
        await first.run()
    tally = Tally()
    visits = [visit(port, page, label, texts, options.seconds, tally) for _ in range(options.visitors)]
    await asyncio.gather(*visits)
    return tally


async def with_masks(port: int, options: argparse.Namespace) -> None:
    """Let visitors ask for masks while the others use Explore."""
    masks, budgets = Tally(), [f"{budget:.1f}" for budget in np.arange(2, 30, 0.5)]
    explore, *_ = await asyncio.gather(
        crowd(port, "", "Budget, exact", budgets, options),
        *(mask(port, index, masks) for index in range(options.masks)),
    )
    print(explore.line("Explore+"), flush=True)
    print(masks.line("Masks"), flush=True)


def main() -> None:
    """Run the servers and print what their visitors met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--masks", type=int, default=10)
    parser.add_argument("--afternoon", type=int, default=60, help="masks, one after the other")
    options = parser.parse_args()
    budgets = [f"{budget:.1f}" for budget in np.arange(2, 30, 0.5)]
    words = ["regnet", "mobilenet", "cityscapes", "768x384", "qat", ""]
    with tempfile.TemporaryDirectory() as cache:
        bare = Path(cache, "bare.py")
        bare.write_text(BARE)
        with server(str(bare), 8599, cache) as process:
            print(asyncio.run(crowd(8599, "", "Move", budgets, options)).line("bare page"), flush=True)
            print(f"{'':10} {megabytes(process):.0f} MB", flush=True)
        with server("app.py", 8501, cache) as process:
            for page, label, texts in (("", "Budget, exact", budgets), ("catalog", "Search", words)):
                before = megabytes(process)
                tally = asyncio.run(crowd(8501, page, label, texts, options))
                print(tally.line(page or "Explore"), flush=True)
                print(f"{'':10} {before:.0f} MB before, {megabytes(process):.0f} MB after", flush=True)
            first = Tally()
            asyncio.run(mask(8501, 0, first))  # exports the network, once, in a process of its own
            print(first.line("First mask"), flush=True)
            asyncio.run(with_masks(8501, options))
            print(f"{'':10} {megabytes(process):.0f} MB after masks", flush=True)
            afternoon(8501, process, options.afternoon)
        if shutil.which("nginx"):
            two_servers(cache, budgets, options)
        else:
            print("2 servers  not tried: there is no nginx here", flush=True)


def afternoon(port: int, process: subprocess.Popen[bytes], count: int) -> None:
    """Make masks at changing sizes one after the other and print what memory they left behind."""
    masks = Tally()
    asyncio.run(mask(port, 0, masks))
    first = megabytes(process)
    for index in range(1, count):
        asyncio.run(mask(port, index, masks))
    last = megabytes(process)
    print(masks.line("Afternoon"), flush=True)
    print(f"{'':10} {first:.0f} MB after the first, {last - first:+.0f} MB after the last", flush=True)


def two_servers(cache: str, budgets: list[str], options: argparse.Namespace) -> None:
    """Let visitors use Explore through nginx and stop one server midway."""
    proxy = subprocess.Popen(["nginx", "-g", "daemon off;", "-c", str(ROOT / "deploy" / "nginx.conf")])
    try:
        with server("app.py", 8501, cache), contextlib.ExitStack() as stack:
            second = stack.enter_context(server("app.py", 8502, cache))

            async def stopped_midway() -> Tally:
                asyncio.get_running_loop().call_later(options.seconds / 2, second.terminate)
                return await crowd(8080, "", "Budget, exact", budgets, options)

            print(asyncio.run(stopped_midway()).line("2 servers"), flush=True)
    finally:
        proxy.terminate()
        proxy.wait(10)


if __name__ == "__main__":
    main()
