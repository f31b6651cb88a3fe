"""Writes model/data/imagenet1k_labels.txt: the names of the ImageNet-1k classes, one class a line in order of index.

usage: pip download --no-deps -d WHEELS timm==1.0.31 && python3 model/convert/labels.py WHEELS/timm-*.whl

A line holds the WordNet lemmas of the class, most usual first, separated by ", ". Two pairs of classes share their
first lemma; they are told apart in parentheses, since a label has to name one class.
"""
import pathlib, sys, zipfile

OUT = pathlib.Path(__file__).parent.parent / "data" / "imagenet1k_labels.txt"
INFO = "timm/data/_info/"
TOLD_APART = {
    134: "crane (bird), crane",
    517: "crane (machine), crane",
    638: "maillot (tights), maillot",
    639: "maillot (swimsuit), maillot, tank suit",
}


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        lemmas = dict(line.split("\t") for line in archive.read(INFO + "imagenet_synset_to_lemma.txt").decode().splitlines())
        synsets = archive.read(INFO + "imagenet_synsets.txt").decode().split()
    lines = [TOLD_APART.get(index, lemmas[synset]) for index, synset in enumerate(synsets)]
    first = [line.split(", ")[0] for line in lines]
    assert len(set(first)) == len(first) == 1000, "labels must be unique"
    OUT.write_text("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
