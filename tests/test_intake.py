"""Archives read ahead: everything comes once, in order, and what fails fails alone."""

import json
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

import syndtrack.intake
from syndtrack.errors import RefusedError, UsageError
from syndtrack.flow import ReadArticle
from syndtrack.intake import read_ahead, read_all
from syndtrack.models import Refusal, Submission
from syndtrack.polling.workers import Workers

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def archive(folder, count, *, name="articles.jsonl"):
    lines = [json.dumps({"url": f"https://tarnwick.example/{n}", "text": f"Article number {n} says little."}) for n in range(count)]
    lines.insert(count // 2, "no article")
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)


async def taken(*paths: str):
    async with aclosing(read_ahead(paths, NOW)) as batches:
        return [batch async for batch in batches]


def urls(batches):
    return [each.submission.url if isinstance(each, ReadArticle) else each.what for batch in batches for each in batch.each]


async def test_batches_come_in_the_order_of_the_archives(tmp_path):
    one, two = archive(tmp_path, 700), archive(tmp_path, 10, name="more.jsonl")
    batches = await taken(one, two)
    assert [(batch.path, batch.number) for batch in batches] == [(one, 500), (one, 701), (two, 11)]
    expected = [f"https://tarnwick.example/{n}" for n in range(700)]
    expected.insert(350, f"{one}:351")
    assert urls(batches)[:701] == expected


async def test_few_texts_start_no_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(syndtrack.intake, "Workers", None)  # calling it would fail
    assert len(urls(await taken(archive(tmp_path, 600)))) == 601


async def test_many_texts_are_read_in_workers_to_the_same_result(tmp_path, monkeypatch):
    path = archive(tmp_path, 1_100)
    here = await taken(path)
    monkeypatch.setattr(syndtrack.intake, "MANY", 500)
    monkeypatch.setattr(syndtrack.intake, "READERS", ())
    there = await taken(path)
    assert [batch.each for batch in there] == [batch.each for batch in here]


async def test_a_text_that_cannot_be_read_fails_alone():
    articles = [Submission(f"https://tarnwick.example/{n}", NOW, text=f"Text {n}.", origin=f"a.jsonl:{n}") for n in range(5)]

    class Poisoned(Workers):
        async def run(self, function, *args: object, what, deadline=20.0):
            if any(article.url.endswith("/3") for article in args[0]):
                raise RefusedError(what, "took longer than 60 s to read and was stopped")
            return function(*args)

    read = await syndtrack.intake._read_batch(articles, Poisoned())
    assert read == [*read_all(articles[:3]), Refusal("a.jsonl:3", "took longer than 60 s to read and was stopped"), *read_all(articles[4:])]


def test_a_call_is_bounded_in_texts_and_length_and_pages_go_alone():
    texts = [Submission(f"https://tarnwick.example/{n}", NOW, text="x" * length) for n, length in enumerate([10] * 50 + [600_000, 10])]
    page = Submission("https://tarnwick.example/page", NOW, html="<p>x</p>")
    calls = list(syndtrack.intake._calls([*texts[:3], page, Refusal("a:1", "no"), *texts[3:]]))
    assert [len(call) for call in calls] == [1, 40, 10, 1, 1]
    assert sorted(number for call in calls for number in call) == [*range(4), *range(5, 54)]


async def test_a_missing_archive_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="nowhere"):
        await taken(str(tmp_path / "nowhere.jsonl"))
