"""Addresses: which of them lead to one article, and whose they are.

An address is kept as it was seen. What identifies the article behind it is `article_key`: the address without what does not select the
article (scheme, `www.`, tracking parameters, print and AMP forms, fragment). Paths are never lower-cased, other parameters never dropped.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from tldextract import TLDExtract

NOWHERE = "https://unstored.invalid/"  # RFC 2606: no such address; where an article stands that has none


@cache
def _suffixes() -> TLDExtract:
    """The suffix list that ships with the package; never fetched."""
    from tldextract import TLDExtract  # noqa: PLC0415 - 60 ms to import, and `--help` needs none of it

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@cache
def _trackers() -> re.Pattern[str]:
    """Names of parameters that track."""
    from courlan.clean import TRACKERS_RE  # noqa: PLC0415 - as above, 100 ms

    trackers: re.Pattern[str] = TRACKERS_RE
    return trackers


# courlan's list (from AdGuard, ClearURLs and Mozilla) is made for crawling and takes these, which select the article on many sites.
SELECTING = frozenset(
    {"id", "cid", "eid", "aid", "uid", "nid", "sid", "source", "session", "keyword", "partnerid", "ga", "gl", "clid", "ref_id", "ref_no"}
    | {"reference", "source_id"}
)
# Names that it lacks, of campaigns, feeds and shares; none is known to select anything.
CAMPAIGNS = frozenset(
    {"cmp", "cmpid", "ocid", "icid", "ftag", "smid", "spm", "igsh", "ito", "mbid", "trk", "taid", "wprss", "wpisrc", "twsrc", "fromrss"}
    | {"rss", "rssfeed", "feedname", "feedtype", "soc_src", "soc_trk", "sr_share", "share_id", "guccounter", "hss_channel", "trackingid"}
    | {"cx_testid", "wt_mc", "wt.mc_id", "_hsenc", "_hsmi", "__twitter_impression", "amp_js_v", "amp_gsa", "usqp"}
    | {"ns_mchannel", "ns_source", "ns_campaign"}
)
# Other forms of the same page, not other pages.
FORM_PARAMETERS = frozenset({"amp", "print", "printable", "outputtype", "output", "nomobile", "m"})
# A form is switched on or named. Anything else selects: `index.php?m=content&id=7` is how some systems name a module.
FORM_VALUES = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "y", "n", "amp", "amphtml", "print", "mobile", "desktop"})
AMP_PATH = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)")
FORM_LABEL = re.compile(r"(?:www\d?|amp|m|mobile)\.")
MAX_URL = 2_000
NOT_IN_URL = re.compile("[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")
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
    domain = _suffixes()(host).top_domain_under_public_suffix
    if domain or not host:
        return domain or host
    host = host.removeprefix("www.")  # a name under no public suffix, of a network of one's own
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
    if len(url) > MAX_URL or NOT_IN_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
        # A backslash is a slash to browsers, which then see another host than we do.
        return (
            parts.scheme in ("http", "https")
            and bool((parts.hostname or "").strip("."))
            and "\\" not in parts.netloc
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return False


def is_tracking(parameter: str) -> bool:
    """Whether a query parameter tells where the reader came from rather than what is read."""
    name = parameter.casefold()
    return name in CAMPAIGNS or (name not in SELECTING and _trackers().search(name) is not None)


def article_key(url: str) -> str:
    """What is equal for all addresses of one article, as far as the address itself tells. Of what is no http address, that itself."""
    if not is_http(url):
        return url
    parts = urlsplit(url)
    host = _without_form(host_of(url))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not is_tracking(k) and not _is_form(k, v)]
    path = AMP_PATH.sub("", parts.path).rstrip("/")
    fragment = f"#{parts.fragment}" if parts.fragment.startswith("!") else ""
    return f"{host}{port}{path or '/'}{'?' + urlencode(sorted(query)) if query else ''}{fragment}"


def _without_form(host: str) -> str:
    """A host without `www.`, `m.` and the like, where these are not what was registered (`m.co.uk`)."""
    registered = registrable_domain(host)
    while (form := FORM_LABEL.match(host)) and host.endswith(registered, form.end()):
        host = host[form.end() :]
    return host


def _is_form(name: str, value: str) -> bool:
    """Whether a parameter asks for another form of the same page."""
    return name.casefold() in FORM_PARAMETERS and value.casefold() in FORM_VALUES


def without_login(url: str) -> str:
    """The address without user and password."""
    return USER_INFO.sub(r"\1", url)


def shown(url: str) -> str:
    """The address for messages, logs and pages: without user and password, and with the values of parameters that name a secret hidden."""
    if "@" in url:
        url = USER_INFO.sub(r"\1", url)
    return (SECRET_VALUE.sub(r"\1…", url) if "=" in url else url)[:MAX_URL]


def is_nowhere(url: str) -> bool:
    """Whether this is no address that anybody stated, but one made up for a text that has none."""
    return url.startswith(NOWHERE)


def without_secrets(url: str) -> str:
    """The address as it may leave the house: without user and password, parameters that name a secret left empty."""
    return SECRET_VALUE.sub(r"\1", USER_INFO.sub(r"\1", url))
