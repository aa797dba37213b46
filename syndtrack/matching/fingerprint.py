"""What is kept of a text to find and rank its copies: a MinHash signature and sampled shingles, with the parameters that made them.

The signature is datasketch's, bit for bit what `MinHash(128, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")` gives after
`update_batch` on the text's shingles, where a shingle's bytes are the xxh32 hashes of its words, four little-endian bytes each.
Permutations and similarity come from datasketch; only the values are filled in here, all shingles at once.

The samples are a FracMinHash sketch (Irber et al. 2022, doi:10.1101/2022.01.11.475838): every shingle whose hash is below 2^32 / 8.
Chance leaves passages without any, so where 32 shingles in a row hold none, the smallest of each such window is added (winnowing,
Schleimer, Wilkerson, Aiken 2003, doi:10.1145/872757.872770). Two texts that share 64 shingles in a row, a passage of 68 words, thus
always share two samples. Short texts get their 16 smallest.

One shingle in 16 was tried: of pairs where one text is an excerpt of 25 to 45 words, a third shared fewer than two samples, and taking one
sample for enough gave seven times as many candidates.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from syndtrack.errors import MismatchError, RefusedError
from syndtrack.words import SHINGLE_WEIGHT, Words

MIN_SHINGLES = 20
"""Fewer, and nothing can be said: 24 words in a row are a quotation, a caption or a headline, and no proof of a copy."""

SCHEME = "affine32"
_PERMUTED_AT_ONCE = 4096
_HEADER = struct.Struct("<9IH")
_PARTS = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What must be equal for two fingerprints to be comparable. Hash and scheme are always xxh32 and affine32; `version` stands for them.

    `version` changes with tokens and kernel, `cleaning` is the version of the rules that removed furniture, credits and inserts beforehand.
    """

    version: int = 1
    shingle_weight: int = SHINGLE_WEIGHT
    permutations: int = 128
    seed: int = 1
    sampling: int = 8
    window: int = 32
    minimum: int = 16
    cleaning: int = 0
    reserved: int = 0


PARAMETERS = Parameters()


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """`signature` are 128 minima, `samples` sorted shingle hashes, `shingles` the number of different shingles of the text."""

    parameters: Parameters
    signature: npt.NDArray[np.uint32]
    samples: npt.NDArray[np.uint32]
    shingles: int

    @property
    def judgeable(self) -> bool:
        """Whether the text is long enough to be compared."""
        return self.shingles >= MIN_SHINGLES

    def to_bytes(self) -> bytes:
        """For storing: parameters, counts, signature, samples; about 800 bytes for an article of 500 words."""
        header = _HEADER.pack(*astuple(self.parameters), len(self.signature)) + _PARTS.pack(self.shingles, len(self.samples))
        return header + self.signature.astype("<u4").tobytes() + self.samples.astype("<u4").tobytes()

    @staticmethod
    def from_bytes(stored: bytes) -> Fingerprint:
        """What `to_bytes` gave. Raises RefusedError if it is anything else."""
        try:
            *parameters, width = _HEADER.unpack_from(stored)
            shingles, count = _PARTS.unpack_from(stored, _HEADER.size)
            values = np.frombuffer(stored, dtype="<u4", offset=_HEADER.size + _PARTS.size).astype(np.uint32)
        except (struct.error, ValueError) as error:
            raise RefusedError("fingerprint", f"not a stored fingerprint: {error}") from error
        if len(values) != width + count:
            raise RefusedError("fingerprint", f"{len(values)} values where {width} and {count} were announced")
        return Fingerprint(Parameters(*parameters), values[:width], values[width:], shingles)


def fingerprint(words: Words, cleaning: int = 0) -> Fingerprint:
    """The fingerprint of a text's words; `cleaning` is the version of the rules by which the text was cleaned."""
    parameters = replace(PARAMETERS, cleaning=cleaning)
    different = words.shingle_set
    return Fingerprint(parameters, _signature(different), _samples(words.shingles, different, parameters), len(different))


def resemblance(a: Fingerprint, b: Fingerprint) -> float | None:
    """The estimated resemblance of two texts, None where one of them is too short to judge.

    Raises MismatchError if they were made with different parameters.
    """
    if a.parameters != b.parameters:
        raise MismatchError(f"fingerprints of different parameters cannot be compared: {a.parameters} and {b.parameters}")
    if not (a.judgeable and b.judgeable):
        return None
    from datasketch import LeanMinHash  # noqa: PLC0415 -- loads scipy, most of a second: only where it is used

    seed = a.parameters.seed
    sketches = [LeanMinHash(seed=seed, hashvalues=one.signature, scheme=SCHEME) for one in (a, b)]
    return float(sketches[0].jaccard(sketches[1]))


@cache
def _permutations() -> npt.NDArray[np.uint32]:
    """Factors (odd) and summands of the permutations, as datasketch draws them."""
    from datasketch import MinHash  # noqa: PLC0415 -- loads scipy, most of a second: only where it is used

    sketch = MinHash(num_perm=PARAMETERS.permutations, seed=PARAMETERS.seed, scheme=SCHEME)
    return np.asarray(sketch.permutations, dtype=np.uint32)


def _signature(shingles: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The least value of each permutation over all shingles; all ones for no shingles."""
    factors, summands = _permutations()
    least = np.full(len(factors), 0xFFFFFFFF, dtype=np.uint32)
    with np.errstate(over="ignore"):
        mixed = shingles ^ (shingles >> np.uint32(16))  # the finalizer of MurmurHash3, as in datasketch
        mixed *= np.uint32(0x85EBCA6B)
        mixed ^= mixed >> np.uint32(13)
        mixed *= np.uint32(0xC2B2AE35)
        mixed ^= mixed >> np.uint32(16)
        for at in range(0, len(mixed), _PERMUTED_AT_ONCE):
            permuted = mixed[at : at + _PERMUTED_AT_ONCE, None] * factors
            permuted += summands
            np.minimum(least, permuted.min(axis=0), out=least)
    return least


def _samples(shingles: npt.NDArray[np.uint32], different: npt.NDArray[np.uint32], parameters: Parameters) -> npt.NDArray[np.uint32]:
    """Sorted hashes of the sampled shingles of a text, from its shingles in order and its `different` ones."""
    limit = (1 << 32) // parameters.sampling
    chosen = [different[: max(int(np.searchsorted(different, limit)), parameters.minimum)]]
    sampled = np.flatnonzero(shingles < limit)
    edges = np.concatenate([[-1], sampled, [len(shingles)]])
    for before in np.flatnonzero(np.diff(edges) > parameters.window).tolist():
        gap = shingles[edges[before] + 1 : edges[before + 1]]
        chosen.append(np.lib.stride_tricks.sliding_window_view(gap, parameters.window).min(axis=1))
    return np.unique(np.concatenate(chosen))
