"""Taking the port that pages are served on, and why it cannot be taken."""

from __future__ import annotations

import errno
import os
import socket

from syndtrack.errors import UsageError

NAME_IT = "name another with --host (127.0.0.1 is this machine for itself, 0.0.0.0 all its addresses)"
WHY = {
    errno.EAFNOSUPPORT: "this machine has no addresses of that family",
    errno.EADDRNOTAVAIL: "not an address of this machine",
    errno.EACCES: "not allowed (ports below 1024 are the system's as a rule: choose another with --port)",
}
LACKING = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def listening(host: str, port: int) -> list[socket.socket]:
    """The port on every address that the host has, but for families that this machine lacks; 0 is a free one. Raises UsageError."""
    found: list[socket.socket] = []
    lacking: OSError | None = None
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((family, address) for family, *_, address in places):  # /etc/hosts may have a line twice
            try:
                found.append(socket.create_server(address, family=family))
            except OSError as error:
                if error.errno not in LACKING:
                    raise
                lacking = error  # localhost may be ::1, too, where IPv6 is switched off
        if lacking is not None and not found:
            raise lacking
    except (OSError, UnicodeError) as error:
        for each in found:
            each.close()
        raise UsageError(_why_not(host, port, error)) from error
    return found


def _why_not(host: str, port: int, error: OSError | UnicodeError) -> str:
    """Why a place cannot be served on, and what to do."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; choose another with --port (0 takes a free one)"
    if isinstance(error, UnicodeError):  # of labels that are empty or too long
        why = "no host name"
    elif isinstance(error, socket.gaierror):
        why = f"no address is known for that name ({error.strerror})"
    else:
        why = WHY.get(error.errno or 0) or os.strerror(error.errno or 0)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"cannot serve on {place:.100}: {why}; {NAME_IT}"
