"""Signatures to hand to others: two houses compare what they publish without exchanging texts."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from syndtrack.errors import MismatchError, RefusedError
from syndtrack.matching.fingerprint import PARAMETERS, SCHEME, Fingerprint, Parameters, fingerprint, resemblance
from syndtrack.words import tokenise

_HASH = "xxh32"
_BYTE_ORDER = "<"
_NO_SAMPLES = np.empty(0, np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """128 minima (uint32) of a text's shingles under fixed permutations, and how many different `shingles` it has."""

    parameters: Parameters
    values: npt.NDArray[np.uint32]
    shingles: int

    def resemblance(self, other: Signature) -> float | None:
        """The estimated share of the shingles of both that they have in common, give or take 0.04; None where a text is too short.

        Raises MismatchError if the parameters differ.
        """
        one, two = (Fingerprint(each.parameters, each.values, _NO_SAMPLES, each.shingles) for each in (self, other))
        return resemblance(one, two)

    def to_bytes(self) -> bytes:
        """A `LeanMinHash` of datasketch, little-endian. Of the parameters it holds seed, permutations and scheme only."""
        from datasketch import LeanMinHash  # noqa: PLC0415 -- loads scipy, most of a second: only where it is used

        sketch = LeanMinHash(seed=self.parameters.seed, hashvalues=self.values, scheme=SCHEME)
        buffer = bytearray(sketch.bytesize(_BYTE_ORDER))
        sketch.serialize(buffer, _BYTE_ORDER)
        return bytes(buffer)

    @staticmethod
    def from_bytes(received: bytes, parameters: Parameters = PARAMETERS) -> Signature:
        """A serialized `LeanMinHash` (little-endian) of shingles made with these parameters; their number is estimated from it.

        Raises RefusedError for anything else, MismatchError if seed, permutations or scheme are not those of the parameters.
        """
        from datasketch import LeanMinHash  # noqa: PLC0415 -- loads scipy, most of a second: only where it is used

        if len(received) < struct.calcsize("<qiB"):
            raise RefusedError("signature", f"not a serialized LeanMinHash: {len(received)} bytes")
        seed, count, _ = struct.unpack_from("<qiB", received)
        if (seed, count) != (parameters.seed, -parameters.permutations):
            raise MismatchError(f"a signature with seed {seed} and {abs(count)} values cannot be compared with {parameters}")
        try:
            sketch = LeanMinHash.deserialize(received, _BYTE_ORDER)
        except (struct.error, ValueError) as error:
            raise RefusedError("signature", f"not a serialized LeanMinHash: {error}") from error
        if sketch.scheme != SCHEME:
            raise MismatchError(f"a signature of scheme {sketch.scheme} cannot be compared with one of scheme {SCHEME}")
        return Signature(parameters, sketch.hashvalues, 0 if sketch.is_empty() else max(1, round(sketch.count())))

    def to_json(self) -> str:
        """Everything, for people and for other programs."""
        content = {
            "hash": _HASH,
            "scheme": SCHEME,
            "parameters": asdict(self.parameters),
            "shingles": self.shingles,
            "values": self.values.tolist(),
        }
        return json.dumps(content)

    @staticmethod
    def from_json(received: str) -> Signature:
        """What `to_json` gave. Raises RefusedError for anything else, MismatchError for another hash or scheme."""
        try:
            content = json.loads(received)
            made_by = content["hash"], content["scheme"]
            parameters = Parameters(**{name: int(value) for name, value in content["parameters"].items()})
            values = np.array(content["values"], dtype=np.uint32)
            shingles = int(content["shingles"])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise RefusedError("signature", f"not a signature: {error!r}") from error
        if made_by != (_HASH, SCHEME):
            raise MismatchError(f"a signature of hash and scheme {made_by} cannot be compared with one of {_HASH} and {SCHEME}")
        if values.shape != (parameters.permutations,) or shingles < 0:
            raise RefusedError("signature", f"{values.size} values and {shingles} shingles where {parameters.permutations} values belong")
        return Signature(parameters, values, shingles)


def signature(text: str) -> Signature:
    """The signature of a text as it stands; who wants inserts and credits left out cleans it before."""
    made = fingerprint(tokenise(text))
    return Signature(made.parameters, made.signature, made.shingles)
