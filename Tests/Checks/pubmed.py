#!/usr/bin/env python3
"""Checks `wafermark corpus import` against lxml: what an independent parser finds in the same files, and what must be
left of it. Usage: pubmed.py WAFERMARK SCRATCH FILE... (directories are looked through for .xml, .nxml and .gz)."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

REPLACEMENT = "\ufffd"


@dataclass
class Document:
    """A document as it should be imported."""

    pmid: int
    text: str


@dataclass
class Counts:
    articles: int = 0
    abstracts: int = 0
    sections: int = 0
    other_abstracts: int = 0
    deletions: int = 0
    retracted: int = 0
    by_category: dict[str, int] = field(default_factory=dict)


def spaced(text: str) -> str:
    """Blank space evened out."""
    return " ".join(text.split())


def running_text(element: etree._Element | None) -> str:
    """The text of an element and all in it, comments and instructions left out."""
    if element is None:
        return ""
    return spaced("".join(element.xpath(".//text()")))


def parse(path: Path) -> etree._Element:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    try:
        data.decode()
    except UnicodeDecodeError:
        # lxml refuses what isn't UTF-8; Python replaces it by the same rule (Unicode, section 3.9).
        data = data.decode(errors="replace").encode()
    return etree.fromstring(data, etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False, huge_tree=True))


def title_of(article: etree._Element) -> str:
    title = running_text(article.find("ArticleTitle"))
    if title == "[Not Available].":
        title = ""
    match = re.fullmatch(r"\[([^\[\]]*)\]\.?", title)
    if match:
        title = match[1] if match[1].endswith(".") else match[1] + "."
    return title or running_text(article.find("VernacularTitle"))


@dataclass
class Citation:
    pmid: int
    version: int
    revised: tuple[int, ...] | None
    title: str
    sections: list[str]
    others: list[list[str]]


def pubmed(root: etree._Element, counts: Counts) -> list[Citation | list[int]]:
    """The citations of a set and the numbers that it deletes, in their order."""
    found: list[Citation | list[int]] = []
    for record in root:
        if record.tag == "DeleteCitation":
            numbers = [int(pmid.text) for pmid in record.findall("PMID")]
            counts.deletions += len(numbers)
            found.append(numbers)
        if record.tag != "PubmedArticle":
            continue
        citation = record.find("MedlineCitation")
        article = citation.find("Article")
        pmid = citation.find("PMID")
        date = citation.find("DateRevised")
        elements = [element for element in article.findall("Abstract/AbstractText") if running_text(element)]
        others = [
            [running_text(text) for text in other.findall("AbstractText") if running_text(text)]
            for other in citation.findall("OtherAbstract")
        ]
        counts.articles += 1
        counts.abstracts += bool(elements)
        counts.sections += len(elements)
        counts.other_abstracts += len(others)
        for element in elements:
            category = element.get("NlmCategory")
            if category:
                counts.by_category[category] = counts.by_category.get(category, 0) + 1
        kinds = [running_text(kind) for kind in article.findall("PublicationTypeList/PublicationType")]
        notices = citation.findall("CommentsCorrectionsList/CommentsCorrections[@RefType='RetractionIn']")
        counts.retracted += "Retracted Publication" in kinds or bool(notices)
        found.append(
            Citation(
                int(pmid.text),
                int(pmid.get("Version", "1")),
                None if date is None else tuple(int(date.findtext(part)) for part in ("Year", "Month", "Day")),
                title_of(article),
                [running_text(element) for element in elements],
                [other for other in others if other],
            )
        )
    return found


def is_newer(new: Citation, old: Citation) -> bool:
    if new.version != old.version:
        return new.version > old.version
    if new.revised and old.revised and new.revised != old.revised:
        return new.revised > old.revised
    return True


SKIPPED = {
    "table-wrap", "fig", "fig-group", "disp-formula", "ref-list", "fn", "fn-group", "supplementary-material",
    "inline-formula", "tex-math",
}  # fmt: skip
BLOCKS = {"p", "title", "sec", "break", "list-item", "disp-quote"}


def block_text(element: etree._Element) -> str:
    parts: list[str] = []

    def walk(node: etree._Element) -> None:
        if not isinstance(node.tag, str):
            return
        name = etree.QName(node).localname if node.prefix is None else f"{node.prefix}:{etree.QName(node).localname}"
        if name in SKIPPED and node is not element:
            return
        parts.append(" " if name in BLOCKS else "")
        parts.append(node.text or "")
        for child in node:
            walk(child)
            parts.append(child.tail or "")
        parts.append(" " if name in BLOCKS else "")

    walk(element)
    return spaced("".join(parts))


def article(root: etree._Element, counts: Counts) -> Document:
    """A JATS article: title, paragraphs of the abstract, paragraphs of the body."""
    meta = root.find("front/article-meta")
    outside = SKIPPED | {"back", "contrib-group", "trans-abstract", "sub-article", "response", "floats-group", "p"}
    outside -= {"fn", "fn-group", "inline-formula", "tex-math"}
    paragraphs: list[str] = []
    for part in [*meta.findall("abstract"), *root.findall("body")]:
        for paragraph in part.iter("p"):
            if not any(ancestor.tag in outside for ancestor in paragraph.iterancestors()):
                paragraphs.append(block_text(paragraph))
    paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    counts.articles += 1
    counts.abstracts += bool(paragraphs)
    counts.sections += len(paragraphs)
    pmid = meta.findtext("article-id[@pub-id-type='pmid']")
    title = block_text(meta.find("title-group/article-title"))
    return Document(int(pmid or 0), spaced(" ".join([title, *paragraphs])))


def expected(paths: list[Path]) -> tuple[list[Document], dict[Path, Counts]]:
    """What the files hold, and which documents are left of it where copies and titles alone are kept."""
    counts = {path: Counts() for path in paths}
    kept: list[Citation | Document | None] = []
    place: dict[int, int] = {}
    for path in paths:
        root = parse(path)
        if root.tag == "article":
            kept.append(article(root, counts[path]))
            continue
        for record in pubmed(root, counts[path]):
            if isinstance(record, list):
                for pmid in record:
                    if pmid in place:
                        kept[place.pop(pmid)] = None
                continue
            old = kept[place[record.pmid]] if record.pmid in place else None
            if isinstance(old, Citation):
                if not is_newer(record, old):
                    continue
                kept[place[record.pmid]] = None
            place[record.pmid] = len(kept)
            kept.append(record)
    documents = []
    for item in kept:
        if isinstance(item, Citation):
            sections = item.sections or (item.others[0] if item.others else [])
            item = Document(item.pmid, spaced(" ".join([item.title, *sections])))
        if item is not None and item.text:
            documents.append(item)
    return documents, counts


def imported(directory: Path) -> list[Document]:
    corpus = json.loads((directory / "corpus.json").read_text())
    documents = []
    for shard in corpus["shards"]:
        texts = gzip.open(directory / shard["text"]["name"], "rt", encoding="utf-8", newline="\n").read().rstrip("\n")
        lines = gzip.open(directory / shard["records"]["name"], "rt", encoding="utf-8").read().splitlines()
        for text, line in zip(texts.split("\n\n"), lines, strict=True):
            documents.append(Document(json.loads(line).get("pmid", 0), spaced(text)))
    return documents


def main() -> int:
    program, scratch, *names = sys.argv[1:]
    paths: list[Path] = []
    for name in map(Path, names):
        paths += sorted(name.rglob("*")) if name.is_dir() else [name]
    paths = [path for path in paths if re.search(r"\.n?xml(\.gz)?$", path.name)]
    directory = Path(scratch) / "imported"
    command = [program, "corpus", "import", "--into", str(directory), "--duplicates", "keep", "--titles-alone", "--json"]
    report = json.loads(subprocess.run([*command, *map(str, paths)], check=True, stdout=subprocess.PIPE).stdout)

    documents, counts = expected(paths)
    corpus = json.loads((directory / "corpus.json").read_text())
    failures = 0

    def compare(what: str, found: object, wanted: object) -> None:
        nonlocal failures
        if found != wanted:
            failures += 1
            print(f"pubmed: {what}: wafermark {found!r}, lxml {wanted!r}", file=sys.stderr)

    compare("files", [Path(source["path"]) for source in corpus["sources"]], paths)
    for source in corpus["sources"]:
        mine, theirs = source["counts"], counts[Path(source["path"])]
        for key in ("articles", "abstracts", "sections", "other_abstracts", "deletions", "retracted"):
            compare(f"{source['path']}: {key}", mine[key], getattr(theirs, key))
        compare(f"{source['path']}: categories", mine["sections_by_category"], theirs.by_category)
    found = imported(directory)
    compare("documents", len(found), len(documents))
    compare("documents in the report", report["counts"]["documents"], len(documents))
    for mine, theirs in zip(found, documents):
        compare(f"PMID {theirs.pmid}", (mine.pmid, mine.text), (theirs.pmid, theirs.text))
        if failures > 20:
            break
    total = report["counts"]
    print(
        f"pubmed: {len(paths)} files, {total['articles']} articles, {total['abstracts']} abstracts, "
        f"{total['sections']} sections, {len(documents)} documents: "
        + ("equal to lxml" if failures == 0 else f"{failures} differences"),
        file=sys.stderr,
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
