"""The signature is datasketch's, and the samples find what they promise."""

import json
import unicodedata

import numpy as np
import pytest
import xxhash
from datasketch import LeanMinHash, MinHash
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.errors import MismatchError, RefusedError
from syndtrack.matching.fingerprint import MIN_SHINGLES, Fingerprint, fingerprint, resemblance
from syndtrack.matching.signature import Signature, signature
from syndtrack.words import normal_form, tokenise

SCRIPTS = st.text(
    st.one_of(
        st.sampled_from(" .,'’“-\n"),
        st.characters(min_codepoint=0x20, max_codepoint=0x17F),  # Latin
        st.characters(min_codepoint=0x370, max_codepoint=0x52F),  # Greek, Cyrillic
        st.characters(min_codepoint=0x5D0, max_codepoint=0x6FF),  # Hebrew, Arabic
        st.characters(min_codepoint=0x900, max_codepoint=0x97F),  # Devanagari
        st.characters(min_codepoint=0xE00, max_codepoint=0xEFF),  # Thai, Lao
        st.characters(min_codepoint=0x1780, max_codepoint=0x17FF),  # Khmer
        st.characters(min_codepoint=0x3040, max_codepoint=0x30FF),  # kana
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),  # Han
        st.characters(),
    ),
    max_size=400,
)
NUMBERED = "".join(f"word{n} " for n in range(400))
SENTENCES = {
    "arabic": ("قال وزير المياه إنّ السدّ القديم سيُغلق حتّى ١٢ مايو لأنّ الشقوق اتّسعت ولأنّ أحداً لم يفتّشه منذ أعوام", 5),
    "chinese": ("港务局周五宣布关闭北码头十一个星期以便潜水员更换一九五八年安装的闸门渔船必须搬走。", 10),
    "japanese": ("港湾局は金曜日、北の桟橋を十一週間閉鎖して、潜水士が古い水門を取り替えるとガード下で発表した。", 10),
    "thai": ("การท่าเรือประกาศเมื่อวันศุกร์ว่าจะปิดท่าเรือด้านเหนือเป็นเวลาสิบเอ็ดสัปดาห์เพื่อเปลี่ยนประตูน้ำเก่าที่รั่วมานาน", 15),
    "hindi": ("बंदरगाह प्राधिकरण ने शुक्रवार को कहा कि उत्तरी घाट ग्यारह हफ़्ते बंद रहेगा ताकि गोताखोर १९५८ के पुराने फाटक बदल सकें", 5),
    "russian": (
        "Управление порта объявило в пятницу, что северный причал закроют на одиннадцать недель: водолазы заменят ещё довоенные ворота",
        5,
    ),
    "greek": ("Η λιμενική αρχή ανακοίνωσε την Παρασκευή ότι ο βόρειος μώλος θα κλείσει για ένδεκα εβδομάδες ΛΟΓΩ ΕΡΓΑΣΙΩΝ ΤΗΣ ΠΟΛΕΩΣ", 5),
    "turkish": (
        "İSTANBUL LİMANI YÖNETİMİ cuma günü kuzey iskelesinin ışık ve kapı onarımı için on bir hafta ILIK havada kapanacağını açıkladı",
        5,
    ),
    "german": (
        "Die Hafenbehörde sperrt die nördliche GROSSE Straße elf Wochen, weil Taucher die maßgefertigten Tore von 1958 austauschen müssen",
        5,
    ),
    "vietnamese": (
        "Cảng vụ thông báo hôm thứ Sáu rằng bến phía bắc se\u0303 đóng cửa mười một tua\u0302\u0300n để thợ lặn thay các cửa cũ",
        5,
    ),
}


def test_a_fingerprint_survives_its_stored_form():
    made = fingerprint(tokenise(NUMBERED), cleaning=7)
    read = Fingerprint.from_bytes(made.to_bytes())
    assert read.parameters == made.parameters
    assert read.parameters.cleaning == 7
    assert read.shingles == made.shingles == 396
    assert read.signature.tolist() == made.signature.tolist()
    assert read.samples.tolist() == made.samples.tolist()


@pytest.mark.parametrize("kept", [0, 5, 40, -3, -4])
def test_damaged_bytes_are_refused(kept: int):
    with pytest.raises(RefusedError):
        Fingerprint.from_bytes(fingerprint(tokenise(NUMBERED)).to_bytes()[:kept])


@given(SCRIPTS)
def test_the_signature_is_datasketchs_bit_for_bit(text: str):
    words = tokenise(text)
    oracle = MinHash(num_perm=128, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
    oracle.update_batch([words.hashes[start:end].astype("<u4").tobytes() for start, end in enumerate(words.shingle_ends)])
    assert fingerprint(words).signature.tolist() == oracle.digest().tolist()


@pytest.mark.parametrize("language", SENTENCES)
def test_the_signature_of_every_script_is_datasketchs_from_the_words_on(language: str):
    text, size = SENTENCES[language]
    words = tokenise(text)
    hashes = [xxhash.xxh32_digest(normal_form(text[s:e]).encode())[::-1] for s, e in zip(words.starts, words.ends, strict=True)]
    oracle = MinHash(num_perm=128, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
    oracle.update_batch([b"".join(hashes[n : n + size]) for n in range(len(hashes) - size + 1)])
    assert len(hashes) > size + 4
    assert fingerprint(words).signature.tolist() == oracle.digest().tolist()


@pytest.mark.parametrize("language", SENTENCES)
def test_typography_and_case_of_every_script_leave_the_signature_as_it_is(language: str):
    text, _ = SENTENCES[language]
    made = fingerprint(tokenise(text)).signature.tolist()
    for form in ("NFC", "NFD", "NFKD"):
        assert fingerprint(tokenise(unicodedata.normalize(form, text))).signature.tolist() == made
    if language != "turkish":  # upper-casing "ı" gives the letter that "i" has, and so back
        assert fingerprint(tokenise(text.upper())).signature.tolist() == made


def test_a_long_text_has_datasketchs_signature_too():
    words = tokenise("".join(f"word{n} " for n in range(9_000)))
    oracle = MinHash(num_perm=128, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
    oracle.update_batch([words.hashes[start:end].astype("<u4").tobytes() for start, end in enumerate(words.shingle_ends)])
    assert fingerprint(words).signature.tolist() == oracle.digest().tolist()


def test_different_parameters_are_never_compared():
    one, other = fingerprint(tokenise(NUMBERED), cleaning=1), fingerprint(tokenise(NUMBERED), cleaning=2)
    with pytest.raises(MismatchError):
        resemblance(one, other)


def test_a_text_resembles_itself_and_nothing_else():
    one, other = fingerprint(tokenise(NUMBERED)), fingerprint(tokenise(NUMBERED.replace("word", "other")))
    assert resemblance(one, one) == 1.0
    assert resemblance(one, other) == resemblance(other, one) == 0.0


@pytest.mark.parametrize("text", ["", "Too short to say anything about it.", "word " * 500])
def test_too_few_shingles_cannot_be_judged(text: str):
    made = fingerprint(tokenise(text))
    assert made.shingles < MIN_SHINGLES
    assert not made.judgeable
    assert resemblance(made, made) is None


@given(st.integers(0, 1 << 60), st.integers(0, 300), st.integers(0, 300))
def test_seventy_words_in_common_share_two_samples(seed: int, before: int, after: int):
    passage = [f"p{seed + n}" for n in range(70)]
    texts = [
        " ".join([f"{name}{n}" for n in range(before)] + passage + [f"{name}{n}" for n in range(1000, 1000 + after)]) for name in ("a", "b")
    ]
    one, other = (fingerprint(tokenise(text)) for text in texts)
    assert len(np.intersect1d(one.samples, other.samples)) >= 2


def test_a_signature_travels_as_bytes_and_as_json():
    made = signature(NUMBERED)
    for read in (Signature.from_bytes(made.to_bytes()), Signature.from_json(made.to_json())):
        assert read.values.tolist() == made.values.tolist()
        assert read.parameters == made.parameters
        assert read.resemblance(made) == 1.0
        assert abs(read.shingles - made.shingles) < 0.3 * made.shingles


def test_the_bytes_of_a_signature_are_datasketchs():
    made = signature(NUMBERED)
    assert LeanMinHash.deserialize(made.to_bytes(), "<").digest().tolist() == made.values.tolist()
    sketch = LeanMinHash(seed=1, hashvalues=made.values, scheme="affine32")
    buffer = bytearray(sketch.bytesize("<"))
    sketch.serialize(buffer, "<")
    assert bytes(buffer) == made.to_bytes()


@given(st.integers(0, 400))
def test_the_signatures_of_two_texts_tell_their_resemblance(common: int):
    words = NUMBERED.split()
    one = signature(" ".join(words))
    other = signature(" ".join([*words[:common], *(f"else{n}" for n in range(400 - common))]))
    shared = max(0, common - 4)
    assert one.resemblance(other) == other.resemblance(one)
    assert one.resemblance(other) == pytest.approx(shared / (792 - shared), abs=0.18)


def test_signatures_of_other_making_are_not_compared():
    made = signature(NUMBERED)
    content = json.loads(made.to_json())
    content["parameters"]["shingle_weight"] = 18
    with pytest.raises(MismatchError):
        Signature.from_json(json.dumps(content)).resemblance(made)
    for other in ({"hash": "sha1"}, {"scheme": "legacy"}):
        with pytest.raises(MismatchError):
            Signature.from_json(json.dumps(content | other))
    for foreign in (
        MinHash(num_perm=64),
        MinHash(num_perm=128, seed=2),
        MinHash(num_perm=128, scheme="legacy"),
        MinHash(128, scheme="affine64"),
    ):
        sketch = LeanMinHash(foreign)
        buffer = bytearray(sketch.bytesize("<"))
        sketch.serialize(buffer, "<")
        with pytest.raises((MismatchError, RefusedError)):
            Signature.from_bytes(bytes(buffer))


@pytest.mark.parametrize("received", ["", "[]", "{}", "nonsense", '{"values": 1}', "[" * 100_000])
def test_json_that_is_no_signature_is_refused(received: str):
    with pytest.raises(RefusedError):
        Signature.from_json(received)


@pytest.mark.parametrize("field", ["hash", "parameters", "shingles", "values"])
def test_a_signature_that_lacks_something_is_refused(field: str):
    content = json.loads(signature(NUMBERED).to_json())
    del content[field]
    with pytest.raises(RefusedError):
        Signature.from_json(json.dumps(content))


@given(st.binary(max_size=600))
def test_bytes_that_are_no_signature_are_refused(received: bytes):
    with pytest.raises((RefusedError, MismatchError)):
        Signature.from_bytes(received)


@pytest.mark.parametrize("kept", [13, 100, -1])
def test_cut_off_signatures_are_refused(kept: int):
    with pytest.raises(RefusedError):
        Signature.from_bytes(signature(NUMBERED).to_bytes()[:kept])
