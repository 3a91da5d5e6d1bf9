"""What is said of the machine is true, and no server is asked that nobody named."""

import socket

import pytest

from search.models import machine
from search.models.machine import machine_report
from search.projects.outgoing import contacts
from search.projects.project import Project


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address that is connected to."""
    known: list[tuple[str, int]] = []
    connect = socket.create_connection

    def noted(address: tuple[str, int], timeout: float | None = None) -> socket.socket:
        known.append(address)
        return connect(address, timeout)

    monkeypatch.setattr(machine.socket, "create_connection", noted)
    return known


def test_servers_that_somebody_named_are_connected_to_and_no_other(workspace, monkeypatch, asked):
    assert machine_report([]).servers == [] and asked == []
    project = Project(workspace / "lab").create()
    with project.publish("models", name="paid", settings={"base_url": "http://[::"}):
        pass
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("BESPOKE_MILVUS_URI", f"http://user:secret@127.0.0.1:{port}")
        monkeypatch.setenv("BESPOKE_CHAT_URL", f"http://127.0.0.1:{_closed()}/v1")
        monkeypatch.setenv("RAY_ADDRESS", "auto")
        report = machine_report([project])
    chat, milvus, paid = report.servers
    assert (milvus.problem, chat.problem) == ("", "Connection refused")
    assert (paid.what, paid.problem) == ("paid of lab", "that is no address")
    assert len(asked) == 2 and "secret" not in " ".join(report.sentences)
    assert {one.what for one in contacts()} == {"whether it can be reached"}


def test_what_is_not_as_it_should_be_comes_with_what_to_do(monkeypatch):
    usual = machine_report([]).to_do
    assert len(usual) == 1 and usual[0].startswith("The model hub was not asked")
    pins = machine._pins()
    assert pins["torch"].count(".") == 2 and len(pins) > 40
    found = {"torch": "1.0.0+cpu", "transformers": ""}
    version = machine._version
    monkeypatch.setattr(machine, "_version", lambda name: found.get(name, version(name)))
    monkeypatch.setattr(machine, "memory_bytes", lambda: 10**9)
    monkeypatch.setattr(machine, "free_bytes", lambda _: 10**9)
    monkeypatch.setenv("BESPOKE_DEVICE", "mps" if machine.platform.system() == "Linux" else "cuda")
    memory, disk, device, versions, _ = machine_report([]).to_do
    assert "1.0 GB of memory" in memory and "BESPOKE_HOME" in disk and "BESPOKE_DEVICE" in device
    assert f"torch 1.0.0 ({pins['torch']})" in versions
    assert f"transformers is missing ({pins['transformers']})" in versions


def test_an_installed_package_says_what_it_wants_itself(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_LIST", tmp_path / "none")
    wanted = ["torch==2.13.0", 'ray[data]==2.60.0; extra == "cluster"', 'onnx==1.0; extra == "x"']
    monkeypatch.setattr(machine, "requires", lambda _: wanted)
    assert machine._pins() == {"torch": "2.13.0"}


def _closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
