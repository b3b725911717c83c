#!/usr/bin/env python3
"""Writes or checks Sources/CCorpusData/Resources/unicode.txt: what Hugging Face's BERT normaliser does to each code point.

The table is read off the `tokenizers` package itself, one code point at a time, so that the tokenizer in Swift is
identical to it whatever Unicode version either side was built with. Needs `tokenizers` from PyPI.

    unicode_table.py PATH           writes the table
    unicode_table.py --check PATH   exits 1 where the table differs from what this version of tokenizers does
"""
import sys
import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers

NORMALISER = normalizers.BertNormalizer(
    clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True)
SPLITTER = pre_tokenizers.BertPreTokenizer()
HANGUL = range(0xAC00, 0xAC00 + 11172)


def scalars():
    return (c for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def outcome(c):
    return NORMALISER.normalize_str("a" + chr(c) + "b")[1:-1]


def swaps(first, second):
    """Whether canonical ordering exchanges two retained characters."""
    return first != second and NORMALISER.normalize_str("a" + first + second) == "a" + second + first


def retained_marks(same):
    """Characters that survive and have a canonical combining class other than 0, with that class.

    Which they are depends on the Unicode version of the normaliser, not on Python's: a mark is one that it moves.
    """
    known = {c: unicodedata.combining(chr(c)) for c in same if unicodedata.combining(chr(c))}
    effective = {c: value for c, value in known.items()
                 if any(swaps(chr(c), chr(other)) or swaps(chr(other), chr(c)) for other in known)}
    low = min(effective, key=effective.get)
    high = max(effective, key=effective.get)
    references = {value: c for c, value in sorted(effective.items(), reverse=True)}
    marks = {}
    for c in same:
        if c < 0x300 or not (swaps(chr(c), chr(low)) or swaps(chr(high), chr(c))):
            continue
        equal = [value for value, r in references.items()
                 if not swaps(chr(c), chr(r)) and not swaps(chr(r), chr(c))]
        if len(equal) != 1:
            raise SystemExit(f"U+{c:04X} has no class that fits: {equal}")
        marks[c] = equal[0]
    return marks, chr(low), chr(high)


def ranges(values):
    """Maximal runs of equal payload in a sorted list of (code point, payload)."""
    runs = []
    for c, payload in sorted(values):
        if runs and runs[-1][1] + 1 == c and runs[-1][2] == payload:
            runs[-1][1] = c
        else:
            runs.append([c, c, payload])
    return runs


def table():
    dropped, spaces, isolated, mapped, same = [], [], [], [], []
    for c in scalars():
        result = outcome(c)
        if result == "":
            dropped.append(c)
        elif result == " ":
            spaces.append(c)
        elif result.startswith(" ") and result.endswith(" "):
            isolated.append(c)
            if result[1:-1] != chr(c):
                mapped.append((c, result[1:-1]))
        elif result != chr(c):
            if c not in HANGUL:
                mapped.append((c, result))
        else:
            same.append(c)
    marks, low, high = retained_marks(same)
    # A dropped starter still separates the marks on its two sides, unless it went before decomposition.
    removed = {c for c in dropped if NORMALISER.normalize_str("a" + high + chr(c) + low) == "a" + low + high}
    punctuation = [c for c in scalars() if len(SPLITTER.pre_tokenize_str("a" + chr(c) + "b")) == 3]

    lines = [
        "# What the BERT normaliser (uncased) and pre-tokenizer of Hugging Face tokenizers do to each code point.",
        "# Written by Tests/Checks/unicode_table.py; every code point not named here is kept as it is.",
        "# R removed  T removed after decomposition, so that it separates marks  S becomes a space",
        "# C stands alone (CJK)  P punctuation: stands alone  O retained mark and its combining class  M becomes",
    ]

    def emit(letter, values):
        for first, last, payload in ranges(values):
            span = f"{first:X}" if first == last else f"{first:X}-{last:X}"
            lines.append(f"{letter} {span}" + (f" {payload}" if payload != "" else ""))

    emit("R", [(c, "") for c in dropped if c in removed])
    emit("T", [(c, "") for c in dropped if c not in removed])
    emit("S", [(c, "") for c in spaces])
    emit("C", [(c, "") for c in isolated])
    emit("P", [(c, "") for c in punctuation])
    emit("O", list(marks.items()))
    for c, text in mapped:
        lines.append(f"M {c:X} " + " ".join(f"{ord(x):X}" for x in text))
    return "\n".join(lines) + "\n"


def main():
    arguments = sys.argv[1:]
    check = arguments[:1] == ["--check"]
    path = arguments[-1]
    expected = table()
    if not check:
        with open(path, "w", encoding="ascii") as file:
            file.write(expected)
        return
    with open(path, encoding="ascii") as file:
        found = file.read()
    if found != expected:
        raise SystemExit(f"{path} is not what tokenizers {tokenizers.__version__} does; write it again with this script")
    print(f"{path}: as tokenizers {tokenizers.__version__}")


if __name__ == "__main__":
    main()
