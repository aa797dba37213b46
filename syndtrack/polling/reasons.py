"""Why an answer could not be had, in words for whoever reads the list of feeds."""

from __future__ import annotations

import socket
import ssl

import aiohttp

from syndtrack.polling.guard import AddressRefusedError


def reason_of(error: Exception, *, proxied: bool = False) -> str:
    """A failure of the network in one line that names no address. `proxied`: the connection that failed was to a proxy."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refuses, with status {error.status}"
    # its name is the only one that is looked up where a proxy is asked
    if isinstance(error, aiohttp.ClientProxyConnectionError) or (proxied and isinstance(error, aiohttp.ClientConnectorDNSError)):
        return f"the proxy cannot be reached: {_reason_of(error)}"
    return _reason_of(error)


def _reason_of(error: Exception) -> str:
    """The same, whoever was to be connected to."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressRefusedError) or (isinstance(cause, PermissionError) and "SYNDTRACK_ALLOW" in str(cause)):
        return str(cause.strerror)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
    for kind, reason in _REASONS:
        if isinstance(cause, kind) or isinstance(error, kind):
            return reason.format(detail=detail_of(cause))
    return f"the connection failed: {detail_of(cause)}"


# In order: the first kind that fits.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "the host name has no address: {detail}"),
    (ssl.SSLCertVerificationError, "its certificate is not valid: {detail}"),
    (ssl.CertificateError, "its certificate is not valid: {detail}"),
    (ssl.SSLError, "no secure connection: {detail}"),
    (socket.gaierror, "the host name has no address: {detail}"),
    (ConnectionRefusedError, "connection refused"),
    (aiohttp.ServerDisconnectedError, "the server closed the connection without an answer"),
    (ConnectionResetError, "the server broke the connection off"),
    (aiohttp.ClientPayloadError, "the body is cut short"),
    (aiohttp.ServerTimeoutError, "the server did not answer in time"),
    (aiohttp.InvalidURL, "not a valid address"),
    (aiohttp.ClientResponseError, "the answer is no valid HTTP"),
)


def detail_of(error: Exception) -> str:
    """What the system or a library says of a failure, without addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = error.verify_message
    elif isinstance(error, OSError):
        text = error.strerror or str(error)
    else:
        text = type(error).__name__
    return " ".join(text.split())[:150]
