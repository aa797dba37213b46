"""Addresses: which of them lead to one article, and whose they are.

An address is kept as it was seen. What identifies the article behind it is `article_key`: the address without what does not select the
article (scheme, `www.`, tracking parameters, print and AMP forms, fragment). Paths are never lower-cased, other parameters never dropped.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from courlan.clean import TRACKERS_RE
from tldextract import TLDExtract

# The suffix list that ships with the package; never fetched.
_suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)

# courlan's list (from AdGuard, ClearURLs and Mozilla) is made for crawling and takes these, which select the article on many sites.
SELECTING = frozenset({"id", "cid", "eid", "aid", "uid", "nid", "sid", "source", "session", "keyword", "partnerid", "ga", "gl", "clid"})
# Other forms of the same page, not other pages.
FORM_PARAMETERS = frozenset({"amp", "print", "printable", "outputtype", "output", "share", "nomobile", "m"})
AMP_PATH = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)")
FORM_HOST = re.compile(r"^(?:www\d?|amp|m|mobile)\.(?=[^.]+\.[^.]+)")
MAX_URL = 2_000
USER_INFO = re.compile(r"^((?:[a-zA-Z][a-zA-Z0-9+.-]{0,20}:)?//)[^/?#]*@")
SECRET_VALUE = re.compile(
    r"([?&;#][^=&;#]{0,60}?(?:token|secret|passw|pwd|api_?-?key|auth(?!or)|signature|(?<=[?&;])(?:sig|key|pass|hash)(?==))[^=&;#]{0,60}=)[^&;#]+",
    re.IGNORECASE,
)


def host_of(url_or_host: str) -> str:
    """The host in lower case, without port and user; an empty string if there is none. Takes an address or a bare host."""
    text = url_or_host.strip()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        return (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""


def registrable_domain(url_or_host: str) -> str:
    """The domain one can register (`bbc.co.uk` of `news.bbc.co.uk`, by the public suffix list).

    Of a literal IP address, that address, with the port where an unusual one is named: nobody else publishes there.
    """
    host = host_of(url_or_host)
    domain = _suffixes(host).top_domain_under_public_suffix
    if domain or not host:
        return domain or host
    port = _port_of(url_or_host)
    return host if port in (None, 80, 443) else f"{host}:{port}"


def _port_of(url_or_host: str) -> int | None:
    """The port that an address names; None if none that can be."""
    try:
        return urlsplit(url_or_host if "//" in url_or_host else f"//{url_or_host}").port
    except ValueError:
        return None


def is_http(url: str) -> bool:
    """Whether an address is an absolute http or https one of bearable length."""
    if len(url) > MAX_URL or any(c.isspace() or ord(c) < 32 for c in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_tracking(parameter: str) -> bool:
    """Whether a query parameter tells where the reader came from rather than what is read."""
    name = parameter.casefold()
    return name not in SELECTING and TRACKERS_RE.search(name) is not None


def article_key(url: str) -> str:
    """What is equal for all addresses of one article, as far as the address itself tells."""
    parts = urlsplit(url)
    host = FORM_HOST.sub("", (parts.hostname or "").rstrip("."))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query = [
        (k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not is_tracking(k) and k.casefold() not in FORM_PARAMETERS
    ]
    path = AMP_PATH.sub("", parts.path).rstrip("/")
    fragment = f"#{parts.fragment}" if parts.fragment.startswith("!") else ""
    return f"{host}{port}{path or '/'}{'?' + urlencode(sorted(query)) if query else ''}{fragment}"


def shown(url: str) -> str:
    """The address for messages, logs and pages: without user and password, and with the values of parameters that name a secret hidden."""
    return SECRET_VALUE.sub(r"\1…", USER_INFO.sub(r"\1", url))[:MAX_URL]
