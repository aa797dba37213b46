"""The place that pages are served on: why it cannot be had, and what is left where a machine lacks a family of addresses."""

import errno
import os
import socket

import pytest
from click.testing import CliRunner

from syndtrack.cli import main
from syndtrack.errors import UsageError
from syndtrack.web.listening import NAME_IT, listening

REAL = socket.create_server


@pytest.fixture
def without_ipv6(monkeypatch: pytest.MonkeyPatch):
    """A machine that knows ::1 by name and has no sockets for it."""
    places = [(socket.AF_INET6, 1, 6, "", ("::1", 0, 0, 0)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: [p for p in places if host in ("localhost", p[-1][0])])

    def create(address: tuple[str, int], *, family: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return REAL(address, family=family)

    monkeypatch.setattr(socket, "create_server", create)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("a" * 70 + ".example", "no host name; "),
        ("a" * 400, "no host name; "),
        ("a..example", "no host name; "),
        ("nobody.invalid", "no address is known for that name ("),
        ("192.0.2.1", "not an address of this machine; "),  # RFC 5737: nobody's
    ],
    ids=["long label", "long name", "empty label", "unknown name", "address of others"],
)
def test_a_place_that_cannot_be_had_is_told_with_what_to_do(host: str, told: str):
    with pytest.raises(UsageError) as found:
        listening(host, 8080)
    assert f"cannot serve on {host}"[:90] in str(found.value)
    assert told in str(found.value)
    assert str(found.value).endswith(NAME_IT)
    assert len(str(found.value)) < 300


def test_the_command_says_it_in_one_line_and_makes_no_database(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["run", "--host", "a" * 70 + ".example"])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("syndtrack: cannot serve on aaa")
    assert not list(tmp_path.iterdir())


def test_where_a_machine_lacks_a_family_the_other_addresses_of_a_name_are_served_on(without_ipv6):
    (only,) = listening("localhost", 0)
    with only:
        assert only.getsockname()[0] == "127.0.0.1"


def test_an_address_of_a_family_that_the_machine_lacks_is_told_so(without_ipv6):
    with pytest.raises(UsageError, match=r"cannot serve on \[::1\]:8080: this machine has no addresses of that family; name another with"):
        listening("::1", 8080)


def test_a_taken_port_is_told_and_nothing_stays_open():
    with REAL(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is taken; choose another with --port"):
            listening("127.0.0.1", port)
