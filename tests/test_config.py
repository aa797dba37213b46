"""Settings: from the file, overruled by the environment, overruled by the option; what is wrong is named."""

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from syndtrack.config import EXPECTED, Settings, load_settings
from syndtrack.errors import UsageError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings, and an environment without any."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNDTRACK_DB", raising=False)
    monkeypatch.delenv("SYNDTRACK_ALLOW_NETWORKS", raising=False)
    monkeypatch.delenv("SYNDTRACK_PROXY", raising=False)
    return tmp_path


def settings_of(text: str) -> Settings:
    Path("own.toml").write_text(text, encoding="utf-8")
    return load_settings(file=Path("own.toml"))


def test_without_a_file_everything_is_as_it_comes():
    assert load_settings() == Settings()
    assert Settings().allow_networks == ()


def test_every_setting_can_be_set_in_the_file():
    found = settings_of(
        'db = "x.db"\nallow_networks = ["10.0.0.0/8", "fd00::/8"]\ncontact = "ed@a.example"\nconcurrency = 4\nhost_delay = 1'
        '\npublic_url = "https://a.example/x/"\nnames = ["News.lan"]\nproxy = "http://me:pw@proxy.lan:3128/"'
    )
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    rest = {"contact": "ed@a.example", "concurrency": 4, "host_delay": 1.0, "public_url": "https://a.example/x", "names": ("news.lan",)}
    assert found == Settings(db=Path("x.db"), allow_networks=networks, proxy="http://me:pw@proxy.lan:3128", **rest)
    assert "pw" not in repr(found)


def test_the_file_beside_is_read_unasked():
    Path("syndtrack.toml").write_text("concurrency = 3", encoding="utf-8")
    assert load_settings().concurrency == 3


def test_a_database_in_the_file_stands_beside_the_file_wherever_one_works(elsewhere: Path):
    (elsewhere / "etc").mkdir()
    (elsewhere / "etc" / "own.toml").write_text('db = "news.db"', encoding="utf-8")
    assert load_settings(file=Path("etc/own.toml")).db == Path("etc/news.db")
    (elsewhere / "etc" / "own.toml").write_text('db = "/var/news.db"', encoding="utf-8")
    assert load_settings(file=Path("etc/own.toml")).db == Path("/var/news.db")


def test_the_environment_overrules_the_file_and_the_option_both(monkeypatch: pytest.MonkeyPatch):
    text = 'db = "file.db"\nallow_networks = ["10.0.0.0/8"]\nconcurrency = 4'
    monkeypatch.setenv("SYNDTRACK_DB", "environment.db")
    monkeypatch.setenv("SYNDTRACK_ALLOW_NETWORKS", " 127.0.0.0/8 ,, ::1/128,")
    found = settings_of(text)
    assert found.db == Path("environment.db")
    assert found.allow_networks == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert found.concurrency == 4
    assert load_settings(Path("option.db"), Path("own.toml")).db == Path("option.db")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNDTRACK_DB", "")
    monkeypatch.setenv("SYNDTRACK_ALLOW_NETWORKS", "")
    assert settings_of('db = "file.db"').db == Path("file.db")


@pytest.mark.parametrize("unknown", ["colour", "DB", "allow-networks"])
def test_an_unknown_setting_is_refused_by_name_and_known_ones_are_told(unknown):
    with pytest.raises(UsageError, match=f"own.toml: unknown setting '{unknown}'; .*known are allow_networks, .*host_delay"):
        settings_of(f'{unknown} = "x"')


@pytest.mark.parametrize(
    "line",
    [
        "db = 7", 'db = ""', "contact = 1", 'contact = "a\\nX-Evil: b"', f'contact = "{"x" * 201}"', "concurrency = 0",
        "concurrency = 1001", 'names = "news.lan"', 'names = ["a b"]', 'names = ["https://a.example"]', 'names = [7]',
        "concurrency = 2.5", "concurrency = true", 'concurrency = "4"', "host_delay = -1",
        "host_delay = nan", "host_delay = inf",
        "host_delay = 3601", "host_delay = false", 'allow_networks = "10.0.0.0/8"', "[allow_networks]",
        'public_url = "a.example"', 'public_url = "ftp://a.example"', 'public_url = "https://me:pw@a.example"', 'public_url = "https://"',
        'proxy = "proxy.lan:3128"', 'proxy = "http://proxy.lan"', 'proxy = "socks5://proxy.lan:1080"', "proxy = 3128", "proxy = true",
        'proxy = "https://proxy.lan:3128"', 'proxy = "http://proxy.lan:3128/x"', 'proxy = "http://me:p@w@proxy.lan:x"', 'proxy = ""',
        'public_url = "https://a.example/?x"', 'public_url = "https://a.example:x"', "public_url = true",
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_the_setting_it_was_for(line):
    name = line.split(" =")[0].strip("[]")
    with pytest.raises(UsageError, match=rf"own.toml: {name}: .* does not fit; expected is .*, as in: {name} = "):
        settings_of(line)


def test_what_each_setting_expects_is_told_with_a_line_that_would_do():
    names = {f.name for f in fields(Settings)}
    assert names <= set(EXPECTED)
    for name in names:
        assert settings_of(EXPECTED[name][1]) != Settings() or name in ("concurrency", "host_delay")  # these show what they are unasked


def test_a_value_is_quoted_as_the_file_has_it_and_not_without_end():
    with pytest.raises(UsageError, match=r"^own.toml: concurrency: true does not fit; expected is a whole number from 1 to 1,000, as in: "):
        settings_of("concurrency = true")
    with pytest.raises(UsageError) as told:
        settings_of(f'concurrency = "{"x" * 5_000}"')
    assert len(str(told.value)) < 400


def test_a_proxy_in_the_environment_is_taken_and_a_bad_one_is_told_without_its_login(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNDTRACK_PROXY", "http://me:swordfish@proxy.lan:3128")
    assert settings_of('proxy = "http://other.lan:1"').proxy == "http://me:swordfish@proxy.lan:3128"
    monkeypatch.setenv("SYNDTRACK_PROXY", "http://me:swordfish@proxy.lan")
    with pytest.raises(UsageError, match=r"^SYNDTRACK_PROXY: .*proxy.lan' does not fit; .*SYNDTRACK_PROXY=http://") as told:
        load_settings()
    assert "swordfish" not in str(told.value)


@pytest.mark.parametrize("sign", ["/", "#", "?", "[", "\\", " "], ids=["slash", "hash", "question", "bracket", "backslash", "blank"])
def test_a_login_of_a_proxy_in_which_a_sign_would_end_the_name_early_is_refused_and_not_quoted(sign):
    with pytest.raises(UsageError, match=r"^own.toml: proxy: '…@proxy.lan:3128' does not fit; .* percent-encoded") as told:
        settings_of(f"proxy = 'http://me:sword{sign}fish@proxy.lan:3128'")
    assert "sword" not in str(told.value)
    assert settings_of("proxy = 'http://me:sword%2Ff@sh@proxy.lan:3128'").proxy == "http://me:sword%2Ff@sh@proxy.lan:3128"


def test_a_setting_that_is_nearly_right_is_recognised():
    with pytest.raises(UsageError, match=r"unknown setting 'allow-network'; did you mean allow_networks\?"):
        settings_of('allow-network = "x"')


@pytest.mark.parametrize("network", ['"10.0.0.1/8"', '"10.0.0.0/33"', '"localhost"', '""', "10", "true", '"10.0.0.0/8,11.0.0.0/8"'])
def test_a_network_that_is_none_is_refused_with_an_example_of_one(network):
    with pytest.raises(UsageError, match=r"own.toml: allow_networks: .*as in: allow_networks = \[\"192\.168\.0\.0/16"):
        settings_of(f"allow_networks = [{network}]")


def test_an_address_for_a_network_is_answered_with_the_network_it_is_in():
    with pytest.raises(UsageError, match=r"'10\.0\.0\.1/8' does not fit \(its network is 10\.0\.0\.0/8\); expected"):
        settings_of('allow_networks = ["10.0.0.1/8"]')


def test_a_bad_network_in_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNDTRACK_ALLOW_NETWORKS", "here")
    with pytest.raises(UsageError, match=r"^SYNDTRACK_ALLOW_NETWORKS: 'here' does not fit; .*as in: SYNDTRACK_ALLOW_NETWORKS=192"):
        load_settings()


@pytest.mark.parametrize("content", [b"db = ", b"\xff\xfe", b"db = 'a'\ndb = 'b'"])
def test_a_file_that_is_no_toml_is_refused_by_name(content):
    Path("own.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"own\.toml: "):
        load_settings(file=Path("own.toml"))


def test_a_file_that_was_asked_for_must_be_there():
    with pytest.raises(UsageError, match=r"own\.toml: No such file"):
        load_settings(file=Path("own.toml"))
