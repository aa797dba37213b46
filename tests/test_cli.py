"""The command line as scripts use it: what it prints where, and how it exits."""

import json
from pathlib import Path

import pytest
from test_flow import AGENCY, AGGREGATOR, BLOG

from syndtrack.cli import main
from syndtrack.store.store import Store


def test_every_command_has_help_with_an_example(run):
    commands = [[name] for name in main.commands if name != "sample"] + [["sample", name] for name in main.commands["sample"].commands]
    assert len(commands) >= 12
    for command in commands:
        done = run(*command, "--help")
        assert done.exit_code == 0
        assert "Example:" in done.output, command


def test_an_archive_with_bad_lines_is_taken_in_but_for_those_and_each_is_named(run, tmp_path: Path):
    lines = [json.dumps(AGENCY), "{no json", '{"url": "ftp://x/y", "text": "t"}', '{"text": "t"}', json.dumps(BLOG)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = run("ingest", "a.jsonl")
    assert done.exit_code == 1
    assert [line.split(": ")[0] for line in done.stderr.splitlines()[1:]] == ["a.jsonl:2", "a.jsonl:3", "a.jsonl:4"]
    assert len(json.loads(run("report", "edges", "--format", "json").stdout)) >= 1


@pytest.mark.parametrize("command", ["ingest", "inspect", "signature"])
def test_an_article_whose_date_cannot_be_read_is_taken_in_with_a_remark_but_not_refused(run, tmp_path: Path, command: str):
    (tmp_path / "a.jsonl").write_text(json.dumps(AGENCY | {"published": "the day before"}) + "\n", encoding="utf-8")
    done = run(command, "a.jsonl")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == "a.jsonl:1: published 'the day before' is no time; the article is taken without it"


def test_a_trace_prints_the_chain_and_its_evidence(filled):
    record = json.loads(filled("trace", BLOG["url"], "--format", "json").stdout)
    assert [n["url"] for n in record["chain"]] == [BLOG["url"], AGGREGATOR["url"], AGENCY["url"]]
    assert record["origin"]["publisher"] == "Lunnet Wire"
    text = filled("trace", BLOG["url"]).stdout
    assert "Lunnet Wire" in text
    assert "Via The Pilot Digest" in text


def test_a_text_on_standard_input_is_traced_without_being_stored(filled):
    assert filled("forget", BLOG["url"]).exit_code == 0
    record = json.loads(filled("trace", "-", "--format", "json", stdin=BLOG["text"]).stdout)
    assert [n["url"] for n in record["chain"][1:]] == [AGGREGATOR["url"], AGENCY["url"]]


@pytest.mark.parametrize("name", ["duplicates", "matches", "edges", "publishers", "stories", "feeds"])
@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "html"])
def test_every_report_comes_in_every_form(filled, name: str, form: str):
    done = filled("report", name, "--format", form)
    assert done.exit_code == 0
    assert done.stdout or (form in ("jsonl", "csv") and name == "feeds")


def test_one_of_a_thing_is_told_in_the_singular(run, tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(json.dumps(AGENCY) + "\n", encoding="utf-8")
    assert run("ingest", "a.jsonl").stderr == "1 article new, 0 with a new text, 0 known already\n"
    assert run("forget", AGENCY["url"]).stdout == "1 article forgotten\n"


def test_matches_say_how_much_of_each_stands_in_the_other(filled):
    rows = [json.loads(line) for line in filled("report", "matches", "--format", "jsonl").stdout.splitlines()]
    assert {(r["a"], r["b"]) for r in rows} == {
        (AGENCY["url"], AGGREGATOR["url"]),
        (AGENCY["url"], BLOG["url"]),
        (AGGREGATOR["url"], BLOG["url"]),
    }
    assert all(0 < r["resemblance"] <= 1 and 0 < r["a_in_b"] <= 1 and 0 < r["b_in_a"] <= 1 and r["shared_words"] > 50 for r in rows)


def test_inspect_prints_one_object_a_line_for_an_archive(filled, tmp_path: Path):
    lines = filled("inspect", "a.jsonl", "--format", "json").stdout.splitlines()
    assert [json.loads(line)["url"] for line in lines] == [AGENCY["url"], AGGREGATOR["url"], BLOG["url"]]


ALONE = """<!doctype html><html><head><link rel="canonical" href="/canonical"></head><body><article><p>The harbour authority of
Port Lunnet will close its northern basin for eleven weeks while divers replace its gates.</p><p>Via <a href="/pilot">The Pilot</a></p>
</article></body></html>"""


@pytest.mark.parametrize("name", ["alone.txt", "alone.html"])
@pytest.mark.parametrize("command", ["inspect", "trace", "signature"])
def test_a_file_without_an_address_is_given_none(filled, tmp_path: Path, command: str, name: str):
    (tmp_path / name).write_text(ALONE if name.endswith("html") else BLOG["text"], encoding="utf-8")
    record = json.loads(filled(command, name, "--format", "json").stdout)
    record = record[0] if command == "signature" else record
    assert (record["article"] if command == "trace" else record)["url"] is None
    assert ".invalid" not in json.dumps(record)
    if command != "signature":
        assert "(this text)" in filled(command, name).stdout
        assert ".invalid" not in filled(command, name).stdout


def test_where_an_address_lacks_its_beginning_the_whole_is_proposed(filled):
    asked = filled("trace", BLOG["url"].removeprefix("https://"))
    assert asked.exit_code == 2
    assert asked.stderr.endswith(f"or -; did you mean {BLOG['url']}?\n")


@pytest.mark.parametrize("command", ["trace", "inspect"])
@pytest.mark.parametrize("name", ["none.txt", "../a.example/b", "folder/none.txt"])
def test_a_file_that_is_not_there_is_taken_for_no_address(filled, command: str, name: str):
    asked = filled(command, name)
    assert asked.exit_code == 2
    assert asked.stderr.startswith(f"syndtrack: {name}: No such file or directory; name a ")
    assert "did you mean" not in asked.stderr


def test_inspect_proposes_no_address_for_it_takes_files_only(filled):
    assert filled("inspect", BLOG["url"]).stderr.endswith("name a file of text or HTML, an archive, or -\n")


def test_a_text_without_a_headline_is_shown_by_its_first_words(filled, tmp_path: Path):
    (tmp_path / "t.txt").write_text(BLOG["text"], encoding="utf-8")
    shown = filled("trace", "t.txt").stdout.splitlines()[0]
    opening = BLOG["text"].split("\n")[0]
    assert shown.startswith(f"(this text)  {opening[:100]}")
    record = json.loads(filled("trace", "t.txt", "--format", "json").stdout)
    assert not record["article"]["title"]
    assert opening.startswith(record["opening"].rstrip("…"))
    (tmp_path / "t.html").write_text(ALONE.replace("<head>", "<head><title>Basin shut</title>"), encoding="utf-8")
    assert filled("trace", "t.html").stdout.startswith("(this text)  Basin shut  ")
    assert "opening" not in json.loads(filled("trace", "t.html", "--format", "json").stdout)


def test_search_finds_words_and_says_so_when_there_are_none(filled):
    assert BLOG["url"] in filled("search", "ministry", "lunch").stdout
    assert "No article" in filled("search", "submarine").stdout


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("潮汐学校周二宣布，灯塔旁的图书馆将于明年重新开放。Lunnet 的居民表示欢迎。", "图书馆"),
        ("โรงเรียนริมทะเลประกาศว่าห้องสมุดข้างประภาคารจะเปิดอีกครั้ง Lunnet", "ห้องสมุด"),
    ],
    ids=["chinese", "thai"],
)
def test_search_finds_words_within_a_sentence_that_is_written_without_spaces(run, tmp_path: Path, text: str, held: str):
    other = {"url": "https://tide.example/other", "text": "Lunnet has no library, and nobody there has asked for one in years."}
    lines = [json.dumps(each) + "\n" for each in ({"url": "https://tide.example/one", "text": text}, other)]
    (tmp_path / "u.jsonl").write_text("".join(lines), encoding="utf-8")
    assert run("ingest", "u.jsonl").exit_code == 0
    for words in ([held], [held, "lunnet"]):
        rows = [json.loads(line) for line in run("search", *words, "--format", "jsonl").stdout.splitlines()]
        assert [row["url"] for row in rows] == ["https://tide.example/one"]
        assert held in rows[0]["passage"] or len(words) == 2
    assert "No article" in run("search", held, "library").stdout
    assert "No article" in run("search", *[f"{held}{number}" for number in range(2_000)]).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["report", "nonsense"], 2, "nonsense"),
        (["ingest", "missing.jsonl"], 2, "missing.jsonl: No such file"),
        (["ingest", "good.jsonl", "x.pdf"], 2, "x.pdf: unknown kind of file"),
        (["trace", "https://nowhere.example/a"], 3, "no database at x.db"),
        (["trace", "missing.txt"], 2, "missing.txt"),
        (["import", "missing.opml"], 2, "missing.opml"),
        (["add", "file:///etc/passwd"], 1, "not an http"),
        (["trace", "good.jsonl"], 2, "good.jsonl: an archive of articles; take it in with"),
        (["signature"], 2, "give a FILE, --stored or --compare SIGNATURES"),
        (["signature", "--stored", "good.jsonl"], 2, "exclude each other"),
        (["verdicts", "--import", "missing.jsonl"], 2, "syndtrack: missing.jsonl: No such file or directory"),
        (["search", ""], 2, "search '': no word to look for; give one or more, as in: syndtrack search embassy rockets"),
        (["search", " ", "…?"], 2, "no word to look for"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_its_status(run, tmp_path: Path, arguments: list[str], status: int, told: str):
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "good.jsonl").write_text(json.dumps(AGENCY) + "\n", encoding="utf-8")
    done = run(*arguments)
    assert done.exit_code == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_article_that_is_not_stored_is_wrong_usage(filled):
    done = filled("trace", "https://nowhere.example/a")
    assert done.exit_code == 2
    assert "no such article" in done.stderr


NOT_STORED = "syndtrack: https://nowhere.example/a: no such article is stored; `syndtrack search WORDS` finds what is\n"


@pytest.mark.parametrize("command", ["trace", "history", "forget"])
def test_an_address_that_is_not_stored_is_told_alike_by_every_command(filled, command: str):
    done = filled(command, "https://nowhere.example/a")
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", NOT_STORED)


def test_of_several_addresses_those_that_are_not_stored_are_refused(filled):
    done = filled("forget", BLOG["url"], "https://nowhere.example/a", "https://nowhere.example/a")
    assert (done.exit_code, done.stdout) == (1, "1 article forgotten\n")
    assert done.stderr == NOT_STORED.removeprefix("syndtrack: ")


@pytest.mark.parametrize("command", ["trace", "inspect", "signature"])
def test_a_file_without_text_is_told_alike_by_every_command(filled, tmp_path: Path, command: str):
    (tmp_path / "empty.txt").write_bytes(b" \n")
    done = filled(command, "empty.txt")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "empty.txt: without text\n")


@pytest.mark.parametrize(
    "command", [["ingest"], ["inspect"], ["signature"], ["signature", "--compare"], ["verdicts", "--import"]], ids=" ".join
)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_lines_in_another_width_are_refused_once_with_what_to_do(filled, tmp_path: Path, command: list[str], encoding: str):
    (tmp_path / "wide.jsonl").write_bytes((json.dumps(AGENCY) + "\n" + json.dumps(BLOG)).encode(encoding))
    done = filled(*command, "wide.jsonl")
    assert done.exit_code == 1
    (told,) = (line for line in done.stderr.splitlines() if line.startswith("wide.jsonl"))
    name = "UTF-" + encoding[4:6]
    order = "BE" if encoding.endswith("be") else "LE"
    assert told == f"wide.jsonl:1: this is {name}, JSON Lines are UTF-8; convert the file first: iconv -f {name}{order} -t UTF-8"


def test_verdicts_that_cannot_be_taken_in_are_named_by_file_and_line(filled, tmp_path: Path):
    given = [
        {"copy": BLOG["url"], "source": AGGREGATOR["url"], "says": "confirm"},
        {"copy": AGENCY["url"], "source": AGENCY["url"], "says": "confirm"},
        {"copy": "nonsense", "source": AGENCY["url"], "says": "confirm"},
    ]
    (tmp_path / "v.jsonl").write_text("\n".join(map(json.dumps, given)) + "\n{", encoding="utf-8")
    done = filled("verdicts", "--import", "v.jsonl")
    assert done.exit_code == 1
    assert sorted(line.split(": ")[0] for line in done.stderr.splitlines()) == ["1 verdict taken in", "v.jsonl:2", "v.jsonl:3", "v.jsonl:4"]
    assert filled("verdict", "nonsense", "origin").stderr.startswith("nonsense: the copy is named by its http or https address")


def test_a_poll_without_feeds_says_how_to_subscribe(run, tmp_path: Path):
    Store(tmp_path / "x.db").close()
    assert "syndtrack add URL" in run("poll").stdout


FEED = "https://feeds.example/rss"


def test_subscribing_twice_is_the_same_as_once_and_is_said(run):
    done = run("add", FEED, f" {FEED}")
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"added {FEED}\n", "")
    done = run("add", FEED, "https://feeds.example/new")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "added https://feeds.example/new\n", f"{FEED}: subscribed already\n")
    assert run("add", FEED, "ftp://feeds.example/rss").exit_code == 1
    assert len(json.loads(run("feeds", "--format", "json").stdout)) == 2


def test_a_list_of_feeds_may_be_taken_in_again(run, tmp_path: Path):
    (tmp_path / "f.opml").write_text(f'<opml version="2.0"><body><outline xmlUrl="{FEED}"/></body></opml>', encoding="utf-8")
    assert run("import", "f.opml").stdout == "1 feed added\n"
    done = run("import", "f.opml")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "0 feeds added, 1 subscribed already\n", "")


LONG = "Basin " + "closed for good and all " * 20


def test_a_long_headline_is_cut_in_text_and_whole_in_records(run, tmp_path: Path):
    articles = [a | {"title": LONG} for a in (AGENCY, AGGREGATOR, BLOG)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(a) + "\n" for a in articles), encoding="utf-8")
    assert run("ingest", "a.jsonl").exit_code == 0
    for command in (["search", "basin"], ["report", "duplicates"], ["report", "stories"]):
        names, *lines = (line.split("\t") for line in run(*command).stdout.splitlines())
        titles = [line[names.index("title")] for line in lines]
        assert titles, command
        assert all(title.endswith("…") and len(title) <= 110 for title in titles), command
        for form in ("json", "csv"):
            assert LONG.strip() in run(*command, "--format", form).stdout, command


def test_a_long_address_is_whole_in_a_pipe_for_it_is_what_one_copies(run, tmp_path: Path):
    url = "https://tide.example/" + "basin-" * 40
    (tmp_path / "a.jsonl").write_text(json.dumps(AGENCY | {"url": url}), encoding="utf-8")
    run("ingest", "a.jsonl")
    assert url in run("search", "basin").stdout


def test_an_edge_says_true_and_false_as_the_records_ask(filled):
    rows = [json.loads(line) for line in filled("report", "edges", "--format", "jsonl").stdout.splitlines()]
    assert rows
    assert all(isinstance(row["observed"], bool) and isinstance(row["credited"], bool) for row in rows)
    pairs = [json.loads(line) for line in filled("report", "matches", "--format", "jsonl").stdout.splitlines()]
    assert all(isinstance(row["same_publisher"], bool) and isinstance(row["same_owner"], bool) for row in pairs)


def test_standard_input_may_be_a_text_or_an_archive(run):
    assert "Via The Pilot Digest" in run("inspect", "-", stdin=BLOG["text"]).stdout
    assert json.loads(run("inspect", "-", "--format", "json", stdin=json.dumps(BLOG)).stdout)["url"] == BLOG["url"]


def test_escape_codes_in_texts_of_others_do_not_reach_the_terminal(run, tmp_path: Path):
    nasty = BLOG | {"title": "Basin \x1b[2J\x1b]0;owned\x07 [bold]closed[/bold] \u202egnp.exe"}
    (tmp_path / "a.jsonl").write_text(json.dumps(nasty) + "\n", encoding="utf-8")
    assert run("ingest", "a.jsonl").exit_code == 0
    for arguments in (["trace", BLOG["url"]], ["search", "basin"], ["report", "stories"]):
        printed = run(*arguments).stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(printed)
    assert "[bold]closed[/bold]" in run("trace", BLOG["url"]).stdout
