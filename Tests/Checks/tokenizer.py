#!/usr/bin/env python3
"""Checks that `wafermark corpus tokenize` gives the ids of Hugging Face's BertTokenizerFast, line by line.

    tokenizer.py WAFERMARK [--shared DIR] [--lines N] [--speed]

Always checks hostile Unicode: every code point alone and between letters, random strings of marks, jamo, controls,
special tokens and overlong words, with a vocabulary in which every character has an entry, so that no difference hides in
[UNK]. Where there is a folder of real corpora (--shared, $WAFERMARK_SHARED/data, or shared/data in a folder above), every
line of theirs too, with a vocabulary of 30,522 that Hugging Face's trainer learns from them. With --speed, both
tokenizers' speeds on one thread, in turn. Needs `tokenizers` from PyPI, which does BertTokenizerFast's work.
"""
import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# One thread; must be said before the library is loaded.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import BertWordPieceTokenizer, normalizers

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def scalars():
    return (chr(c) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000 and c != 0x0A)


def hostile_vocabulary():
    """Every character that the normaliser can leave, at a word's start and inside a word."""
    normaliser = normalizers.BertNormalizer(strip_accents=True, lowercase=True)
    letters = sorted(set("".join(normaliser.normalize_str(c) for c in scalars() if ord(c) < 0x30000)) - {" "})
    pieces = ["ab", "##bc", "abc", "##ing", "un", "##aff", "##able", "2019", "##)", "\u00df\u00df"]
    tokens = SPECIALS + letters + ["##" + c for c in letters]
    return tokens + [p for p in pieces if p not in set(tokens)]


def hostile_lines(seed=1):
    """Lines of text that has broken tokenisers before, and random mixtures of the characters in it."""
    yield from [
        "", " ", "\t \u00a0\u3000", "[MASK] [CLS]x[SEP]y[PAD] [mask] [UNK]", "a[MASK]b", "[[MASK]]", "[MAS\u0301K]",
        "x" * 100, "x" * 101, "\u00e9" * 100, "\u00e9" * 101, "e\u0301" * 100, "\uac00" * 34, "\u0130stanbul I\u0307",
        "\ufb01ne \ufb03 \u2126 \u212b \u1e9e \u00df", "\u4e2d\u6587abc\u65e5\u672c", "\u3400\U00020000\uf900\u2f00",
        "a\u200db\u200cc\ufeffd\u00ade", "a\u0000b\ufffdc", "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m",
        "\u0915\u094d\u0937\u093f \u0e01\u0e33 \u1100\u1161\u11a8", "\U0001f469\u200d\U0001f52c \U0001f1e9\U0001f1ea",
        "p<0.05;IC50=3.5\u00b5M\u2014TNF-\u03b1/IL-1\u03b2", "\u2028\u2029\u0085x", "\u0345\u03b1\u0345 \u0390",
        "a\u0327\u0301\u0323", "\u1d15e\u1d165 \u302e\u302f", "##ing ## # ab##bc", "\x1c\x1d\x1e\x1f x",
    ]
    for character in scalars():
        yield f"a{character}b {character} {character}{character}"
    source = random.Random(seed)
    marks = [chr(c) for c in [*range(0x300, 0x370), 0x1D165, 0x1D166, 0x1D16D, 0x302E, 0x302F, 0x16FF0, 0x16FF1,
                              0x0898, 0x08CA, 0x0CF3, 0x1ABF, 0x1DF6, 0x1DF9, 0x10EFD, 0x1E2AE, 0x11070, 0x0903,
                              0x093F, 0x09BE, 0x0D57, 0x1133B, 0x20D0, 0xA66F, 0x1E8D0, 0x1E94A, 0x1193E, 0x11A34]]
    others = list("abcXYZ09 .,-[]#") + SPECIALS + ["\u00e9", "\u01d5", "\uac01", "\u1112", "\u1175", "\u11c2", "\u00ad",
              "\u200d", "\u4e00", "\uf900", "\u0130", "\u0041\u030a", "\u1ebf", "\u03d3", "\u2260", "\u037e", "\u00a0"]
    for _ in range(60000):
        pool = source.choice([marks, others, marks + others])
        yield "".join(source.choice(pool if source.random() < 0.8 else others) for _ in range(source.randint(1, 24)))
    for _ in range(40000):
        block = source.randrange(0, 0x30000, 0x80)
        characters = [chr(block + source.randrange(0x80)) for _ in range(12)]
        line = "".join(source.choice(characters) for _ in range(source.randint(1, 30)))
        if not any(0xD800 <= ord(c) < 0xE000 or c == "\n" for c in line):
            yield line


def compare(program: str, vocabulary: str, lines: list[str], name: str) -> int:
    """Ids of both for each line; the number of lines that differ."""
    with tempfile.TemporaryDirectory() as folder:
        text = os.path.join(folder, "text.txt")
        with open(text, "w", encoding="utf-8", newline="\n") as file:
            for line in lines:
                file.write(line + "\n")
        ours = subprocess.run(
            [program, "corpus", "tokenize", "--vocabulary", vocabulary, text], check=True, capture_output=True)
    ours = ours.stdout.decode().split("\n")[:-1]
    if len(ours) != len(lines):
        print(f"{name}: {len(lines)} lines went in, {len(ours)} came out")
        return 1
    theirs = BertWordPieceTokenizer(vocabulary, lowercase=True)
    differing = 0
    for start in range(0, len(lines), 4096):
        chunk = lines[start:start + 4096]
        batch = [encoding.ids for encoding in theirs.encode_batch(chunk, add_special_tokens=False)]
        for line, expected, found in zip(chunk, batch, ours[start:start + 4096]):
            if " ".join(map(str, expected)) == found:
                continue
            differing += 1
            if differing <= 10:
                print(f"{name}: {line!r}\n  Hugging Face {expected}\n  Wafermark    {found}")
    print(f"{name}: {len(lines)} lines, {differing} differ")
    return differing


def shared_data(named: str | None) -> Path | None:
    """The folder of real corpora, if there is one."""
    candidates = [Path(named)] if named else []
    if "WAFERMARK_SHARED" in os.environ:
        candidates.append(Path(os.environ["WAFERMARK_SHARED"]) / "data")
    candidates += [folder / "shared" / "data" for folder in Path(__file__).resolve().parents]
    return next((path for path in candidates if path.is_dir()), None)


def real_lines(path: Path) -> list[str]:
    """The lines of a file, without their ends."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
        return [line.rstrip("\n") for line in file]


def learn_vocabulary(lines: list[str], folder: str) -> str:
    """A vocab.txt that Hugging Face's trainer learns."""
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train_from_iterator(lines, vocab_size=30522, show_progress=False)
    return tokenizer.save_model(folder)[0]


def speeds(program: str, vocabulary: str, path: Path, rounds: int = 5) -> None:
    """Both speeds on one thread, in turn, on documents as long texts; prints medians."""
    text = "\n".join(real_lines(path))
    documents = [document.replace("\n", " ") for document in text.split("\n\n")]
    size = sum(len(document.encode()) for document in documents)
    theirs = BertWordPieceTokenizer(vocabulary, lowercase=True)
    ours_seen, theirs_seen = [], []
    with tempfile.TemporaryDirectory() as folder:
        # A document a line.
        file = os.path.join(folder, "documents.txt")
        Path(file).write_text("\n\n".join(documents) + "\n", encoding="utf-8")
        for _ in range(rounds):
            result = subprocess.run(
                [program, "bench", "corpus", "tokenizer", "--text", file, "--vocabulary", vocabulary, "--rounds", "3",
                 "--json"], check=True, capture_output=True)
            ours_seen.append(json.loads(result.stdout)["megabytes_per_second_one_thread"])
            start = time.perf_counter()
            theirs.encode_batch(documents, add_special_tokens=False)
            theirs_seen.append(size / 1e6 / (time.perf_counter() - start))
    ours, other = statistics.median(ours_seen), statistics.median(theirs_seen)
    print(f"speed on one thread: Wafermark {ours:.1f} MB/s, Hugging Face {other:.1f} MB/s, ratio {ours / other:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("wafermark")
    parser.add_argument("--shared")
    parser.add_argument("--lines", type=int, default=None, help="of each real corpus at most")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = os.path.join(folder, "vocab.txt")
        with open(vocabulary, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(hostile_vocabulary()) + "\n")
        differing += compare(options.wafermark, vocabulary, list(hostile_lines()), "hostile Unicode")
        data = shared_data(options.shared)
        if data is None:
            print("real corpora: SKIPPED: no shared/data above this folder and no $WAFERMARK_SHARED")
        else:
            paths = sorted(path for path in data.rglob("*") if path.is_file() and path.name != "README.md")
            learned = learn_vocabulary(real_lines(data / "pretrain" / "abstracts.txt.gz"), folder)
            for path in paths:
                differing += compare(options.wafermark, learned, real_lines(path)[:options.lines], path.name)
            if options.speed:
                speeds(options.wafermark, learned, data / "pretrain" / "abstracts.txt.gz")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
